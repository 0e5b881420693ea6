//! `data.aws_subnets`: the ids of subnets that are there.
//!
//! # Remote API
//!
//! `DescribeSubnets`.

use async_trait::async_trait;
use aws_sdk_ec2::types::{Filter, Subnet};
use reconcile_model::schema::{Recovery, Timeouts};
use reconcile_model::{Attribute, Kind, Mode, Object, Schema};
use reconcile_provider::{DataSource, ProviderError};

use super::lookup;
use crate::call::Call;
use crate::{Aws, filters};

/// The call of [`describe`].
pub(super) const DESCRIBE: Call = Call::read("DescribeSubnets");

/// The `aws_subnets` data source.
#[derive(Debug)]
pub struct SubnetsData;

/// What `data.aws_subnets` looks like.
pub static SCHEMA: Schema = Schema {
    type_name: "aws_subnets",
    mode: Mode::Data,
    version: 1,
    doc: "The ids of the subnets that match; none may.",
    attributes: &[
        Attribute::computed("id", Kind::String).doc("The Region."),
        filters::FILTER,
        Attribute::optional("tags", Kind::Map(&Kind::String)).doc("Tags that they must have."),
        Attribute::computed("ids", Kind::List(&Kind::String)).doc("The subnets' ids, in order."),
    ],
    constraints: &[],
    recovery: Recovery::None,
    timeouts: Timeouts::minutes(20, 20, 20),
    iam_read: &["ec2:DescribeSubnets"],
    iam_write: &[],
};

#[async_trait]
impl DataSource<Aws> for SubnetsData {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(&self, cx: &Aws, config: &Object) -> Result<Object, ProviderError> {
        let subnets = describe(cx, lookup::filters(config, &[])).await?;
        let region = cx.region_name().await?;
        Ok(config.clone().with("id", region).with("ids", ids(subnets)))
    }
}

/// Returns the ids in a fixed order: the API promises none, and a plan must not change with it.
fn ids(subnets: Vec<Subnet>) -> Vec<String> {
    let mut ids: Vec<String> = subnets.into_iter().filter_map(|subnet| subnet.subnet_id).collect();
    ids.sort();
    ids
}

/// Reads the subnets that match every filter.
pub(super) async fn describe(cx: &Aws, filters: Vec<Filter>) -> Result<Vec<Subnet>, ProviderError> {
    let mut subnets = Vec::new();
    let mut token = None;
    loop {
        let page = cx
            .ec2(DESCRIBE, |ec2| {
                ec2.describe_subnets()
                    .set_filters(Some(filters.clone()))
                    .max_results(1000)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        subnets.extend(page.subnets.unwrap_or_default());
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(subnets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_in_order() {
        let subnet = |id: &str| Subnet::builder().subnet_id(id).build();
        assert_eq!(ids(vec![subnet("subnet-2"), subnet("subnet-1")]), ["subnet-1", "subnet-2"]);
    }
}
