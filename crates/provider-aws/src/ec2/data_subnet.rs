//! `data.aws_subnet`: a subnet that is there.
//!
//! # Remote API
//!
//! `DescribeSubnets`.

use async_trait::async_trait;
use aws_sdk_ec2::types::Subnet;
use reconcile_model::normalize::Normalize;
use reconcile_model::schema::{Check, Recovery, Timeouts};
use reconcile_model::tags::users;
use reconcile_model::{Attribute, Kind, Mode, Object, Schema};
use reconcile_provider::{DataSource, ProviderError};

use super::{data_subnets, lookup};
use crate::{Aws, filters, tags};

/// The `aws_subnet` data source.
#[derive(Debug)]
pub struct SubnetData;

/// What `data.aws_subnet` looks like.
pub static SCHEMA: Schema = Schema {
    type_name: "aws_subnet",
    mode: Mode::Data,
    version: 1,
    doc: "A subnet that is there; exactly one must match.",
    attributes: &[
        Attribute::optional_computed("id", Kind::String).doc("The id, `subnet-…`."),
        Attribute::optional_computed("availability_zone", Kind::String)
            .doc("The Availability Zone's name, `ap-northeast-2a`."),
        Attribute::optional_computed("availability_zone_id", Kind::String)
            .doc("The Availability Zone's id, `apne2-az1`."),
        Attribute::optional_computed("cidr_block", Kind::String)
            .normalize(Normalize::Cidr)
            .check(Check::Cidr4)
            .doc("The range of IPv4 addresses."),
        Attribute::optional_computed("default_for_az", Kind::Bool)
            .doc("Whether it is the Availability Zone's default subnet."),
        Attribute::optional_computed("ipv6_cidr_block", Kind::String)
            .normalize(Normalize::Cidr)
            .check(Check::Cidr6)
            .doc("The range of IPv6 addresses."),
        Attribute::optional_computed("state", Kind::String)
            .check(Check::OneOf(&["pending", "available", "unavailable"]))
            .doc("The state: `pending`, `available`, or `unavailable`."),
        Attribute::optional_computed("vpc_id", Kind::String).doc("The VPC."),
        filters::FILTER,
        Attribute::optional_computed("tags", Kind::Map(&Kind::String))
            .doc("Tags that it must have; all of its tags."),
        Attribute::computed("arn", Kind::String).doc("The Amazon Resource Name."),
        Attribute::computed("assign_ipv6_address_on_creation", Kind::Bool)
            .doc("Whether network interfaces get an IPv6 address."),
        Attribute::computed("available_ip_address_count", Kind::Int)
            .doc("How many IPv4 addresses are free."),
        Attribute::computed("customer_owned_ipv4_pool", Kind::String)
            .doc("The pool of customer-owned addresses, on an Outpost."),
        Attribute::computed("enable_dns64", Kind::Bool)
            .doc("Whether DNS answers synthetic IPv6 addresses for IPv4 names."),
        Attribute::computed("enable_lni_at_device_index", Kind::Int)
            .doc("The device index of local network interfaces, on an Outpost."),
        Attribute::computed("enable_resource_name_dns_a_record_on_launch", Kind::Bool)
            .doc("Whether instances' names get A records."),
        Attribute::computed("enable_resource_name_dns_aaaa_record_on_launch", Kind::Bool)
            .doc("Whether instances' names get AAAA records."),
        Attribute::computed("ipv6_cidr_block_association_id", Kind::String)
            .doc("The association of the IPv6 range."),
        Attribute::computed("ipv6_native", Kind::Bool).doc("Whether it has no IPv4 range."),
        Attribute::computed("map_customer_owned_ip_on_launch", Kind::Bool)
            .doc("Whether network interfaces get a customer-owned address, on an Outpost."),
        Attribute::computed("map_public_ip_on_launch", Kind::Bool)
            .doc("Whether instances get a public IPv4 address."),
        Attribute::computed("outpost_arn", Kind::String).doc("The Outpost."),
        Attribute::computed("owner_id", Kind::String).doc("The account that owns it."),
        Attribute::computed("private_dns_hostname_type_on_launch", Kind::String)
            .doc("What instances' names are made of: `ip-name` or `resource-name`."),
    ],
    constraints: &[],
    recovery: Recovery::None,
    timeouts: Timeouts::minutes(20, 20, 20),
    iam_read: &["ec2:DescribeSubnets"],
    iam_write: &[],
};

const ARGUMENTS: &[(&str, &str)] = &[
    ("id", "subnet-id"),
    ("availability_zone", "availability-zone"),
    ("availability_zone_id", "availability-zone-id"),
    ("cidr_block", "cidr-block"),
    ("default_for_az", "default-for-az"),
    ("ipv6_cidr_block", "ipv6-cidr-block-association.ipv6-cidr-block"),
    ("state", "state"),
    ("vpc_id", "vpc-id"),
];

#[async_trait]
impl DataSource<Aws> for SubnetData {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(&self, cx: &Aws, config: &Object) -> Result<Object, ProviderError> {
        let found = data_subnets::describe(cx, lookup::filters(config, ARGUMENTS)).await?;
        let subnet = lookup::one(found, data_subnets::DESCRIBE, "subnet", config)?;
        Ok(object(&subnet, config))
    }
}

fn object(subnet: &Subnet, config: &Object) -> Object {
    let ipv6 = subnet.ipv6_cidr_block_association_set().first();
    let names = subnet.private_dns_name_options_on_launch();
    config
        .clone()
        .with("id", subnet.subnet_id())
        .with("availability_zone", subnet.availability_zone())
        .with("availability_zone_id", subnet.availability_zone_id())
        .with("cidr_block", subnet.cidr_block())
        .with("default_for_az", subnet.default_for_az())
        .with("ipv6_cidr_block", ipv6.and_then(|ipv6| ipv6.ipv6_cidr_block()))
        .with("state", subnet.state().map(|state| state.as_str()))
        .with("vpc_id", subnet.vpc_id())
        .with("tags", users(&tags::from_ec2(subnet.tags())))
        .with("arn", subnet.subnet_arn())
        .with("assign_ipv6_address_on_creation", subnet.assign_ipv6_address_on_creation())
        .with("available_ip_address_count", subnet.available_ip_address_count())
        .with("customer_owned_ipv4_pool", subnet.customer_owned_ipv4_pool())
        .with("enable_dns64", subnet.enable_dns64())
        .with("enable_lni_at_device_index", subnet.enable_lni_at_device_index())
        .with(
            "enable_resource_name_dns_a_record_on_launch",
            names.and_then(|names| names.enable_resource_name_dns_a_record()),
        )
        .with(
            "enable_resource_name_dns_aaaa_record_on_launch",
            names.and_then(|names| names.enable_resource_name_dns_aaaa_record()),
        )
        .with("ipv6_cidr_block_association_id", ipv6.and_then(|ipv6| ipv6.association_id()))
        .with("ipv6_native", subnet.ipv6_native())
        .with("map_customer_owned_ip_on_launch", subnet.map_customer_owned_ip_on_launch())
        .with("map_public_ip_on_launch", subnet.map_public_ip_on_launch())
        .with("outpost_arn", subnet.outpost_arn())
        .with("owner_id", subnet.owner_id())
        .with(
            "private_dns_hostname_type_on_launch",
            names.and_then(|names| names.hostname_type()).map(|kind| kind.as_str()),
        )
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::PrivateDnsNameOptionsOnLaunch;

    use super::*;

    #[test]
    fn a_subnet_is_read() {
        let subnet = Subnet::builder()
            .subnet_id("subnet-1")
            .availability_zone("ap-northeast-2a")
            .state("available".into())
            .default_for_az(true)
            .available_ip_address_count(4091)
            .private_dns_name_options_on_launch(
                PrivateDnsNameOptionsOnLaunch::builder().hostname_type("ip-name".into()).build(),
            )
            .build();
        let object = object(&subnet, &Object::new());
        assert_eq!(object.str("availability_zone"), Some("ap-northeast-2a"));
        assert_eq!(object.i64("available_ip_address_count"), Some(4091));
        assert_eq!(object.str("private_dns_hostname_type_on_launch"), Some("ip-name"));
        for attribute in SCHEMA.attributes {
            let is_set = object.contains_key(attribute.name) || attribute.name == "filter";
            assert!(is_set, "{}", attribute.name);
        }
    }
}
