//! `data.aws_availability_zones`: the Region's Availability Zones.
//!
//! # Remote API
//!
//! `DescribeAvailabilityZones`, which is not paged.

use async_trait::async_trait;
use aws_sdk_ec2::types::AvailabilityZone;
use reconcile_model::schema::{Check, Recovery, Timeouts};
use reconcile_model::{Attribute, Kind, Mode, Object, Schema};
use reconcile_provider::{DataSource, ProviderError};

use super::lookup;
use crate::call::Call;
use crate::{Aws, filters};

const DESCRIBE: Call = Call::read("DescribeAvailabilityZones");

/// The `aws_availability_zones` data source.
#[derive(Debug)]
pub struct AvailabilityZonesData;

/// What `data.aws_availability_zones` looks like.
pub static SCHEMA: Schema = Schema {
    type_name: "aws_availability_zones",
    mode: Mode::Data,
    version: 1,
    doc: "The Region's Availability Zones that match.",
    attributes: &[
        Attribute::computed("id", Kind::String).doc("The Region."),
        Attribute::optional("all_availability_zones", Kind::Bool)
            .doc("Whether Local Zones and others count that the account has not opted in to."),
        Attribute::optional("exclude_names", Kind::Set(&Kind::String))
            .doc("Names of zones to leave out."),
        Attribute::optional("exclude_zone_ids", Kind::Set(&Kind::String))
            .doc("Ids of zones to leave out."),
        Attribute::optional("state", Kind::String)
            .check(Check::OneOf(&["available", "information", "impaired", "unavailable"]))
            .doc("The state they must be in."),
        filters::FILTER,
        Attribute::computed("group_names", Kind::Set(&Kind::String))
            .doc("The names of the groups the zones belong to."),
        Attribute::computed("names", Kind::List(&Kind::String)).doc("Their names, in order."),
        Attribute::computed("zone_ids", Kind::List(&Kind::String))
            .doc("Their ids, in the order of the names."),
    ],
    constraints: &[],
    recovery: Recovery::None,
    timeouts: Timeouts::minutes(20, 20, 20),
    iam_read: &["ec2:DescribeAvailabilityZones"],
    iam_write: &[],
};

#[async_trait]
impl DataSource<Aws> for AvailabilityZonesData {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(&self, cx: &Aws, config: &Object) -> Result<Object, ProviderError> {
        let filters = lookup::filters(config, &[("state", "state")]);
        let output = cx
            .ec2(DESCRIBE, |ec2| {
                ec2.describe_availability_zones()
                    .set_all_availability_zones(config.bool("all_availability_zones"))
                    .set_filters(Some(filters.clone()))
                    .send()
            })
            .await?;
        let region = cx.region_name().await?;
        Ok(object(output.availability_zones.unwrap_or_default(), config).with("id", region))
    }
}

fn object(mut zones: Vec<AvailabilityZone>, config: &Object) -> Object {
    let is_in = |name: &str, value: Option<&str>| {
        config.list(name).iter().any(|item| item.as_str() == value)
    };
    zones.retain(|zone| {
        !is_in("exclude_names", zone.zone_name()) && !is_in("exclude_zone_ids", zone.zone_id())
    });
    zones.sort_by(|a, b| a.zone_name().cmp(&b.zone_name()));
    let each = |of: fn(&AvailabilityZone) -> Option<&str>| -> Vec<&str> {
        zones.iter().map(|zone| of(zone).unwrap_or_default()).collect()
    };
    let mut groups: Vec<&str> = zones.iter().filter_map(AvailabilityZone::group_name).collect();
    groups.sort_unstable();
    groups.dedup();
    config
        .clone()
        .with("group_names", groups)
        .with("names", each(AvailabilityZone::zone_name))
        .with("zone_ids", each(AvailabilityZone::zone_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_come_in_order_and_without_the_excluded() {
        let zone = |name: &str, id: &str| {
            AvailabilityZone::builder().zone_name(name).zone_id(id).group_name("seoul").build()
        };
        let zones = vec![
            zone("ap-northeast-2c", "apne2-az3"),
            zone("ap-northeast-2a", "apne2-az1"),
            zone("ap-northeast-2b", "apne2-az2"),
            zone("ap-northeast-2d", "apne2-az4"),
        ];
        let config = Object::new()
            .with("exclude_names", vec!["ap-northeast-2b"])
            .with("exclude_zone_ids", vec!["apne2-az4"]);
        let object = object(zones, &config);
        assert_eq!(object.strings("names"), ["ap-northeast-2a", "ap-northeast-2c"]);
        assert_eq!(object.strings("zone_ids"), ["apne2-az1", "apne2-az3"]);
        assert_eq!(object.strings("group_names"), ["seoul"]);
    }
}
