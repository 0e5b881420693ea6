//! `data.aws_region`: the Region the provider works in, or another by its name or endpoint.
//!
//! # Remote API
//!
//! None for the provider's own Region. `DescribeRegions`, of all Regions, when `name` or `endpoint` is given.
//!
//! # Oddities
//!
//! - No API tells a Region's long name; they are listed here (AWS General Reference, "Regions and Zones").

use async_trait::async_trait;
use reconcile_model::schema::{Recovery, Timeouts};
use reconcile_model::{Attribute, Kind, Mode, Object, Schema};
use reconcile_provider::{DataSource, ProviderError};

use super::lookup;
use crate::call::Call;
use crate::{Aws, arn};

const DESCRIBE: Call = Call::read("DescribeRegions");

/// The `aws_region` data source.
#[derive(Debug)]
pub struct RegionData;

/// What `data.aws_region` looks like.
pub static SCHEMA: Schema = Schema {
    type_name: "aws_region",
    mode: Mode::Data,
    version: 1,
    doc: "The Region the provider works in, or another by its name or endpoint.",
    attributes: &[
        Attribute::computed("id", Kind::String).doc("The name once more."),
        Attribute::optional_computed("name", Kind::String).doc("The name, `ap-northeast-2`."),
        Attribute::optional_computed("endpoint", Kind::String)
            .doc("EC2's endpoint, `ec2.ap-northeast-2.amazonaws.com`."),
        Attribute::computed("description", Kind::String)
            .doc("The long name, `Asia Pacific (Seoul)`; null for a Region newer than this list."),
    ],
    constraints: &[],
    recovery: Recovery::None,
    timeouts: Timeouts::minutes(20, 20, 20),
    iam_read: &["ec2:DescribeRegions"],
    iam_write: &[],
};

#[async_trait]
impl DataSource<Aws> for RegionData {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(&self, cx: &Aws, config: &Object) -> Result<Object, ProviderError> {
        let filters = lookup::filters(config, &[("name", "region-name"), ("endpoint", "endpoint")]);
        if filters.is_empty() {
            return Ok(object(&cx.region_name().await?));
        }
        let output = cx
            .ec2(DESCRIBE, |ec2| {
                ec2.describe_regions().all_regions(true).set_filters(Some(filters.clone())).send()
            })
            .await?;
        let region = lookup::one(output.regions.unwrap_or_default(), DESCRIBE, "Region", config)?;
        Ok(object(region.region_name().unwrap_or_default()))
    }
}

fn object(name: &str) -> Object {
    let description = LONG_NAMES.iter().find(|(known, _)| *known == name).map(|(_, long)| *long);
    Object::new()
        .with("id", name)
        .with("name", name)
        .with("endpoint", format!("ec2.{name}.{}", arn::dns_suffix(name)))
        .with("description", description)
}

const LONG_NAMES: &[(&str, &str)] = &[
    ("af-south-1", "Africa (Cape Town)"),
    ("ap-east-1", "Asia Pacific (Hong Kong)"),
    ("ap-east-2", "Asia Pacific (Taipei)"),
    ("ap-northeast-1", "Asia Pacific (Tokyo)"),
    ("ap-northeast-2", "Asia Pacific (Seoul)"),
    ("ap-northeast-3", "Asia Pacific (Osaka)"),
    ("ap-south-1", "Asia Pacific (Mumbai)"),
    ("ap-south-2", "Asia Pacific (Hyderabad)"),
    ("ap-southeast-1", "Asia Pacific (Singapore)"),
    ("ap-southeast-2", "Asia Pacific (Sydney)"),
    ("ap-southeast-3", "Asia Pacific (Jakarta)"),
    ("ap-southeast-4", "Asia Pacific (Melbourne)"),
    ("ap-southeast-5", "Asia Pacific (Malaysia)"),
    ("ap-southeast-6", "Asia Pacific (New Zealand)"),
    ("ap-southeast-7", "Asia Pacific (Thailand)"),
    ("ca-central-1", "Canada (Central)"),
    ("ca-west-1", "Canada West (Calgary)"),
    ("cn-north-1", "China (Beijing)"),
    ("cn-northwest-1", "China (Ningxia)"),
    ("eu-central-1", "Europe (Frankfurt)"),
    ("eu-central-2", "Europe (Zurich)"),
    ("eu-north-1", "Europe (Stockholm)"),
    ("eu-south-1", "Europe (Milan)"),
    ("eu-south-2", "Europe (Spain)"),
    ("eu-west-1", "Europe (Ireland)"),
    ("eu-west-2", "Europe (London)"),
    ("eu-west-3", "Europe (Paris)"),
    ("il-central-1", "Israel (Tel Aviv)"),
    ("me-central-1", "Middle East (UAE)"),
    ("me-south-1", "Middle East (Bahrain)"),
    ("mx-central-1", "Mexico (Central)"),
    ("sa-east-1", "South America (Sao Paulo)"),
    ("us-east-1", "US East (N. Virginia)"),
    ("us-east-2", "US East (Ohio)"),
    ("us-gov-east-1", "AWS GovCloud (US-East)"),
    ("us-gov-west-1", "AWS GovCloud (US-West)"),
    ("us-west-1", "US West (N. California)"),
    ("us-west-2", "US West (Oregon)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_described() {
        let seoul = object("ap-northeast-2");
        assert_eq!(seoul.str("description"), Some("Asia Pacific (Seoul)"));
        assert_eq!(seoul.str("endpoint"), Some("ec2.ap-northeast-2.amazonaws.com"));
        assert!(object("xx-new-1").value("description").is_null());
    }
}
