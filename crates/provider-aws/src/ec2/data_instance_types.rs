//! `data.aws_instance_types`, `data.aws_ec2_instance_types`: the types of instance that have what is asked for.
//!
//! The Terraform AWS provider knows it under the second name.
//!
//! # Remote API
//!
//! `DescribeInstanceTypes`.

use async_trait::async_trait;
use reconcile_model::schema::{Recovery, Timeouts};
use reconcile_model::{Attribute, Kind, Mode, Object, Schema};
use reconcile_provider::{DataSource, ProviderError};

use super::{data_instance_type, lookup};
use crate::{Aws, filters};

/// The `aws_instance_types` data source.
pub static INSTANCE_TYPES: InstanceTypesData = InstanceTypesData(&SCHEMA);
/// The same under its name in the Terraform AWS provider.
pub static EC2_INSTANCE_TYPES: InstanceTypesData = InstanceTypesData(&EC2_SCHEMA);

/// A data source for types of instance.
#[derive(Debug)]
pub struct InstanceTypesData(&'static Schema);

static SCHEMA: Schema = schema("aws_instance_types");
static EC2_SCHEMA: Schema = schema("aws_ec2_instance_types");

const fn schema(type_name: &'static str) -> Schema {
    Schema {
        type_name,
        mode: Mode::Data,
        version: 1,
        doc: "The types of instance that have what is asked for: those that the free tier covers, say.",
        attributes: ATTRIBUTES,
        constraints: &[],
        recovery: Recovery::None,
        timeouts: Timeouts::minutes(20, 20, 20),
        iam_read: &["ec2:DescribeInstanceTypes"],
        iam_write: &[],
    }
}

const ATTRIBUTES: &[Attribute] = &[
    filters::FILTER,
    Attribute::computed("id", Kind::String).doc("The Region's name."),
    Attribute::computed("instance_types", Kind::List(&Kind::String))
        .doc("The types' names, sorted."),
];

#[async_trait]
impl DataSource<Aws> for InstanceTypesData {
    fn schema(&self) -> &'static Schema {
        self.0
    }

    async fn read(&self, cx: &Aws, config: &Object) -> Result<Object, ProviderError> {
        let found = data_instance_type::describe(cx, lookup::filters(config, &[])).await?;
        let names = found.iter().filter_map(|info| info.instance_type()).map(|it| it.as_str());
        Ok(object(config, names.collect(), &cx.region_name().await?))
    }
}

fn object(config: &Object, mut names: Vec<&str>, region: &str) -> Object {
    names.sort_unstable();
    config.clone().with("id", region).with("instance_types", names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_sorted() {
        let object = object(&Object::new(), vec!["t3.micro", "t2.micro"], "ap-northeast-2");
        assert_eq!(object.strings("instance_types"), ["t2.micro", "t3.micro"]);
        assert!(object.keys().all(|name| SCHEMA.attribute(name).is_some()));
    }
}
