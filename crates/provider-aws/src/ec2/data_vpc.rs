//! `data.aws_vpc`: a VPC that is there.
//!
//! # Remote API
//!
//! `DescribeVpcs`; for what it does not tell, `DescribeVpcAttribute` once for each of three attributes, and
//! `DescribeRouteTables` for the main route table, all four at once.

use async_trait::async_trait;
use aws_sdk_ec2::types::{Vpc, VpcAttributeName};
use reconcile_model::normalize::Normalize;
use reconcile_model::schema::{Blocks, Check, Nesting, Recovery, Timeouts};
use reconcile_model::tags::users;
use reconcile_model::{Attribute, Kind, Mode, Object, Schema, Value};
use reconcile_provider::{DataSource, ProviderError};

use super::lookup;
use crate::call::Call;
use crate::{Aws, arn, filters, tags};

const DESCRIBE: Call = Call::read("DescribeVpcs");
const DESCRIBE_ATTRIBUTE: Call = Call::read("DescribeVpcAttribute");
const DESCRIBE_ROUTE_TABLES: Call = Call::read("DescribeRouteTables");

/// The `aws_vpc` data source.
#[derive(Debug)]
pub struct VpcData;

/// What `data.aws_vpc` looks like.
pub static SCHEMA: Schema = Schema {
    type_name: "aws_vpc",
    mode: Mode::Data,
    version: 1,
    doc: "A VPC that is there; exactly one must match.",
    attributes: &[
        Attribute::optional_computed("id", Kind::String).doc("The id, `vpc-…`."),
        Attribute::optional_computed("default", Kind::Bool)
            .doc("Whether it is the Region's default VPC."),
        Attribute::optional_computed("cidr_block", Kind::String)
            .normalize(Normalize::Cidr)
            .check(Check::Cidr4)
            .doc("The primary range of IPv4 addresses."),
        Attribute::optional_computed("dhcp_options_id", Kind::String)
            .doc("The set of DHCP options."),
        Attribute::optional_computed("state", Kind::String)
            .check(Check::OneOf(&["pending", "available"]))
            .doc("The state: `pending` or `available`."),
        filters::FILTER,
        Attribute::optional_computed("tags", Kind::Map(&Kind::String))
            .doc("Tags that it must have; all of its tags."),
        Attribute::computed("arn", Kind::String).doc("The Amazon Resource Name."),
        Attribute::computed(
            "cidr_block_associations",
            Kind::Blocks(&Blocks {
                nesting: Nesting::List,
                min: 0,
                max: None,
                attributes: &[
                    Attribute::computed("association_id", Kind::String).doc("The association."),
                    Attribute::computed("cidr_block", Kind::String).doc("The range."),
                    Attribute::computed("state", Kind::String).doc("The association's state."),
                ],
            }),
        )
        .doc("Every range of IPv4 addresses."),
        Attribute::computed("enable_dns_hostnames", Kind::Bool)
            .doc("Whether instances get public DNS names."),
        Attribute::computed("enable_dns_support", Kind::Bool)
            .doc("Whether Amazon's DNS server answers in it."),
        Attribute::computed("enable_network_address_usage_metrics", Kind::Bool)
            .doc("Whether metrics on the use of addresses are kept."),
        Attribute::computed("instance_tenancy", Kind::String)
            .doc("The tenancy of instances that name none."),
        Attribute::computed("ipv6_association_id", Kind::String)
            .doc("The association of the IPv6 range."),
        Attribute::computed("ipv6_cidr_block", Kind::String).doc("The range of IPv6 addresses."),
        Attribute::computed("main_route_table_id", Kind::String).doc("The main route table."),
        Attribute::computed("owner_id", Kind::String).doc("The account that owns it."),
    ],
    constraints: &[],
    recovery: Recovery::None,
    timeouts: Timeouts::minutes(20, 20, 20),
    iam_read: &["ec2:DescribeVpcs", "ec2:DescribeVpcAttribute", "ec2:DescribeRouteTables"],
    iam_write: &[],
};

const ARGUMENTS: &[(&str, &str)] = &[
    ("id", "vpc-id"),
    ("default", "is-default"),
    ("cidr_block", "cidr"),
    ("dhcp_options_id", "dhcp-options-id"),
    ("state", "state"),
];

#[async_trait]
impl DataSource<Aws> for VpcData {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(&self, cx: &Aws, config: &Object) -> Result<Object, ProviderError> {
        let found = describe(cx, config).await?;
        let vpc = lookup::one(found, DESCRIBE, "VPC", config)?;
        let id = vpc.vpc_id().unwrap_or_default();
        let region = cx.region_name().await?;
        let (hostnames, support, metrics, table) = futures::try_join!(
            attribute(cx, id, "enableDnsHostnames"),
            attribute(cx, id, "enableDnsSupport"),
            attribute(cx, id, "enableNetworkAddressUsageMetrics"),
            main_route_table(cx, id),
        )?;
        Ok(object(&vpc, config, &region)
            .with("enable_dns_hostnames", hostnames)
            .with("enable_dns_support", support)
            .with("enable_network_address_usage_metrics", metrics)
            .with("main_route_table_id", table))
    }
}

async fn describe(cx: &Aws, config: &Object) -> Result<Vec<Vpc>, ProviderError> {
    let filters = lookup::filters(config, ARGUMENTS);
    let mut vpcs = Vec::new();
    let mut token = None;
    loop {
        let page = cx
            .ec2(DESCRIBE, |ec2| {
                ec2.describe_vpcs()
                    .set_filters(Some(filters.clone()))
                    .max_results(1000)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        vpcs.extend(page.vpcs.unwrap_or_default());
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(vpcs);
        }
    }
}

async fn attribute(cx: &Aws, id: &str, name: &str) -> Result<Option<bool>, ProviderError> {
    let output = cx
        .ec2(DESCRIBE_ATTRIBUTE, |ec2| {
            ec2.describe_vpc_attribute().vpc_id(id).attribute(VpcAttributeName::from(name)).send()
        })
        .await?;
    let told = [
        output.enable_dns_hostnames(),
        output.enable_dns_support(),
        output.enable_network_address_usage_metrics(),
    ];
    Ok(told.into_iter().flatten().find_map(|it| it.value()))
}

async fn main_route_table(cx: &Aws, id: &str) -> Result<Option<String>, ProviderError> {
    let output = cx
        .ec2(DESCRIBE_ROUTE_TABLES, |ec2| {
            ec2.describe_route_tables()
                .filters(filters::exactly("vpc-id", [id]))
                .filters(filters::exactly("association.main", ["true"]))
                .send()
        })
        .await?;
    Ok(output.route_tables().iter().find_map(|table| table.route_table_id()).map(str::to_owned))
}

fn object(vpc: &Vpc, config: &Object, region: &str) -> Object {
    let id = vpc.vpc_id().unwrap_or_default();
    let associations: Vec<Value> = vpc
        .cidr_block_association_set()
        .iter()
        .map(|association| {
            let state = association.cidr_block_state().and_then(|state| state.state());
            Object::new()
                .with("association_id", association.association_id())
                .with("cidr_block", association.cidr_block())
                .with("state", state.map(|state| state.as_str()))
                .into()
        })
        .collect();
    let ipv6 = vpc.ipv6_cidr_block_association_set().first();
    let owned = |owner| arn::ec2(region, owner, &format!("vpc/{id}"));
    config
        .clone()
        .with("id", id)
        .with("default", vpc.is_default())
        .with("cidr_block", vpc.cidr_block())
        .with("dhcp_options_id", vpc.dhcp_options_id())
        .with("state", vpc.state().map(|state| state.as_str()))
        .with("tags", users(&tags::from_ec2(vpc.tags())))
        .with("arn", vpc.owner_id().map(owned))
        .with("cidr_block_associations", associations)
        .with("instance_tenancy", vpc.instance_tenancy().map(|tenancy| tenancy.as_str()))
        .with("ipv6_association_id", ipv6.and_then(|ipv6| ipv6.association_id()))
        .with("ipv6_cidr_block", ipv6.and_then(|ipv6| ipv6.ipv6_cidr_block()))
        .with("owner_id", vpc.owner_id())
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{Tag, VpcCidrBlockAssociation};

    use super::*;

    #[test]
    fn a_vpc_is_read() {
        let vpc = Vpc::builder()
            .vpc_id("vpc-1")
            .is_default(true)
            .cidr_block("172.31.0.0/16")
            .state("available".into())
            .owner_id("123456789012")
            .instance_tenancy("default".into())
            .tags(Tag::builder().key("aws:x").value("y").build())
            .cidr_block_association_set(
                VpcCidrBlockAssociation::builder().cidr_block("172.31.0.0/16").build(),
            )
            .build();
        let object = object(&vpc, &Object::new().with("default", true), "ap-northeast-2");
        assert_eq!(object.str("id"), Some("vpc-1"));
        assert_eq!(object.str("arn"), Some("arn:aws:ec2:ap-northeast-2:123456789012:vpc/vpc-1"));
        assert_eq!(object.value("tags"), &Value::Map(Object::new()));
        assert_eq!(
            object.block("cidr_block_associations").unwrap().str("cidr_block"),
            Some("172.31.0.0/16")
        );
    }
}
