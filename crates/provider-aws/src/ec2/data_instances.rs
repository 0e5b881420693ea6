//! `data.aws_instances`: the instances that match.
//!
//! # Remote API
//!
//! `DescribeInstances`.

use async_trait::async_trait;
use aws_sdk_ec2::types::Instance;
use reconcile_model::schema::{Check, Recovery, Timeouts};
use reconcile_model::{Attribute, Kind, Mode, Object, Schema};
use reconcile_provider::{DataSource, ProviderError};

use super::instance::read;
use crate::{Aws, filters};

/// The `aws_instances` data source.
#[derive(Debug)]
pub struct InstancesData;

const STRINGS: Kind = Kind::List(&Kind::String);

static SCHEMA: Schema = Schema {
    type_name: "aws_instances",
    mode: Mode::Data,
    version: 1,
    doc: "The instances that match, and their addresses; none is no error.",
    attributes: &[
        filters::FILTER,
        Attribute::optional("instance_tags", Kind::Map(&Kind::String))
            .doc("Tags that they must have."),
        Attribute::optional("instance_state_names", Kind::Set(&Kind::String))
            .check(Check::OneOf(&[
                "pending",
                "running",
                "shutting-down",
                "stopped",
                "stopping",
                "terminated",
            ]))
            .doc("The states that they may be in; `running` when left out."),
        Attribute::computed("id", Kind::String).doc("The Region's name."),
        Attribute::computed("ids", STRINGS).doc("Their ids, sorted."),
        Attribute::computed("private_ips", STRINGS)
            .doc("Their private IPv4 addresses, in the order of the ids."),
        Attribute::computed("public_ips", STRINGS)
            .doc("The public IPv4 addresses of those that have one, in the order of the ids."),
        Attribute::computed("ipv6_addresses", STRINGS)
            .doc("The IPv6 addresses of those that have one, in the order of the ids."),
    ],
    constraints: &[],
    recovery: Recovery::None,
    timeouts: Timeouts::minutes(20, 20, 20),
    iam_read: &["ec2:DescribeInstances"],
    iam_write: &[],
};

#[async_trait]
impl DataSource<Aws> for InstancesData {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(&self, cx: &Aws, config: &Object) -> Result<Object, ProviderError> {
        let mut states = config.strings("instance_state_names");
        if states.is_empty() {
            states.push("running".to_owned());
        }
        let mut all = filters::of_blocks(config);
        all.extend(filters::of_tags(&config.string_map("instance_tags")));
        all.push(filters::exactly("instance-state-name", states));
        let found = read::describe(cx, all).await?;
        let instances = found.into_iter().map(|found| found.instance).collect();
        Ok(object(config, instances, &cx.region_name().await?))
    }
}

fn object(config: &Object, mut instances: Vec<Instance>, region: &str) -> Object {
    instances.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
    let all = |get: fn(&Instance) -> Option<&str>| {
        instances.iter().filter_map(get).filter(|it| !it.is_empty()).collect::<Vec<_>>()
    };
    config
        .clone()
        .with("id", region)
        .with("ids", all(Instance::instance_id))
        .with("private_ips", all(Instance::private_ip_address))
        .with("public_ips", all(Instance::public_ip_address))
        .with("ipv6_addresses", all(Instance::ipv6_address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_the_ids() {
        let instance = |id: &str, ip: &str, public: Option<&str>| {
            Instance::builder()
                .instance_id(id)
                .private_ip_address(ip)
                .set_public_ip_address(public.map(str::to_owned))
                .build()
        };
        let instances =
            vec![instance("i-2", "10.0.0.2", Some("192.0.2.2")), instance("i-1", "10.0.0.1", None)];
        let object = object(&Object::new(), instances, "ap-northeast-2");
        assert_eq!(object.strings("ids"), ["i-1", "i-2"]);
        assert_eq!(object.strings("private_ips"), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(object.strings("public_ips"), ["192.0.2.2"]);
        assert!(object.keys().all(|name| SCHEMA.attribute(name).is_some()));
    }
}
