//! `data.aws_security_group`: a security group that is there.
//!
//! # Remote API
//!
//! `DescribeSecurityGroups`.

use async_trait::async_trait;
use aws_sdk_ec2::types::SecurityGroup;
use reconcile_model::schema::{Recovery, Timeouts};
use reconcile_model::tags::users;
use reconcile_model::{Attribute, Kind, Mode, Object, Schema};
use reconcile_provider::{DataSource, ProviderError};

use super::{lookup, rules};
use crate::{Aws, arn, filters, tags};

/// The `aws_security_group` data source.
#[derive(Debug)]
pub struct SecurityGroupData;

/// What `data.aws_security_group` looks like.
pub static SCHEMA: Schema = Schema {
    type_name: "aws_security_group",
    mode: Mode::Data,
    version: 1,
    doc: "A security group that is there; exactly one must match.",
    attributes: &[
        Attribute::optional_computed("id", Kind::String).doc("The id, `sg-…`."),
        Attribute::optional_computed("name", Kind::String).doc("The name."),
        Attribute::optional_computed("vpc_id", Kind::String).doc("The VPC."),
        filters::FILTER,
        Attribute::optional_computed("tags", Kind::Map(&Kind::String))
            .doc("Tags that it must have; all of its tags."),
        Attribute::computed("arn", Kind::String).doc("The Amazon Resource Name."),
        Attribute::computed("description", Kind::String).doc("What the group is for."),
    ],
    constraints: &[],
    recovery: Recovery::None,
    timeouts: Timeouts::minutes(20, 20, 20),
    iam_read: &["ec2:DescribeSecurityGroups"],
    iam_write: &[],
};

const ARGUMENTS: &[(&str, &str)] =
    &[("id", "group-id"), ("name", "group-name"), ("vpc_id", "vpc-id")];

#[async_trait]
impl DataSource<Aws> for SecurityGroupData {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(&self, cx: &Aws, config: &Object) -> Result<Object, ProviderError> {
        let found = rules::groups(cx, lookup::filters(config, ARGUMENTS)).await?;
        let group = lookup::one(found, rules::DESCRIBE_GROUPS, "security group", config)?;
        let region = cx.region_name().await?;
        Ok(object(&group, config, &region))
    }
}

fn object(group: &SecurityGroup, config: &Object, region: &str) -> Object {
    let id = group.group_id().unwrap_or_default();
    let made_up = || Some(arn::ec2(region, group.owner_id()?, &format!("security-group/{id}")));
    config
        .clone()
        .with("id", id)
        .with("name", group.group_name())
        .with("vpc_id", group.vpc_id())
        .with("tags", users(&tags::from_ec2(group.tags())))
        .with("arn", group.security_group_arn().map(str::to_owned).or_else(made_up))
        .with("description", group.description())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_read() {
        let group = SecurityGroup::builder()
            .group_id("sg-1")
            .group_name("default")
            .owner_id("123456789012")
            .description("default VPC security group")
            .build();
        let object = object(&group, &Object::new().with("name", "default"), "ap-northeast-2");
        assert_eq!(object.str("id"), Some("sg-1"));
        assert_eq!(
            object.str("arn"),
            Some("arn:aws:ec2:ap-northeast-2:123456789012:security-group/sg-1")
        );
    }
}
