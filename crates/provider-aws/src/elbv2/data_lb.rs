//! The data source `aws_lb`: a load balancer, looked up by ARN, name, or tags.
//!
//! # Remote API
//!
//! `DescribeLoadBalancers`, `DescribeTags`, `DescribeLoadBalancerAttributes`.
//!
//! # Oddities
//!
//! - ELBv2 has no filters: a lookup by tags lists every load balancer of the Region, and the tags of each.

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types::LoadBalancer;
use reconcile_model::schema::{
    Attribute, Blocks, Constraint, Kind, Nesting, Recovery, Schema, Timeouts,
};
use reconcile_model::{Mode, Object};
use reconcile_provider::{DataSource, ErrorKind, ProviderError};

use super::lookup::{self, TagsByArn};
use super::{lb, settings};
use crate::{Aws, tags};

static SCHEMA: Schema = Schema {
    type_name: "aws_lb",
    mode: Mode::Data,
    version: 1,
    doc: "A load balancer, looked up by ARN, name, or tags.",
    attributes: &[
        Attribute::computed("id", Kind::String).doc("The load balancer's ARN."),
        Attribute::optional_computed("arn", Kind::String).doc("The ARN to look for."),
        Attribute::optional_computed("name", Kind::String).doc("The name to look for."),
        Attribute::optional_computed("tags", Kind::Map(&Kind::String))
            .doc("The tags to look for, all of which it must have; its tags, once found."),
        Attribute::computed("arn_suffix", Kind::String)
            .doc("The part of the ARN that CloudWatch metrics are named by."),
        Attribute::computed("dns_name", Kind::String).doc("The DNS name."),
        Attribute::computed("zone_id", Kind::String).doc("The hosted zone of the DNS name."),
        Attribute::computed("vpc_id", Kind::String).doc("The VPC."),
        Attribute::computed("load_balancer_type", Kind::String)
            .doc("`application`, `network`, or `gateway`."),
        Attribute::computed("internal", Kind::Bool).doc("Whether only the VPC reaches it."),
        Attribute::computed("ip_address_type", Kind::String).doc("The IP versions clients use."),
        Attribute::computed("subnets", Kind::Set(&Kind::String)).doc("The subnets."),
        Attribute::computed("subnet_mapping", Kind::Blocks(&SUBNET_MAPPING))
            .doc("The subnets with the addresses there."),
        Attribute::computed("security_groups", Kind::Set(&Kind::String))
            .doc("The security groups."),
        Attribute::computed(
            "enforce_security_group_inbound_rules_on_private_link_traffic",
            Kind::String,
        )
        .doc("Whether a network load balancer's groups apply to traffic through PrivateLink."),
        Attribute::computed("customer_owned_ipv4_pool", Kind::String)
            .doc("The customer-owned address pool."),
        Attribute::computed("ipam_pools", Kind::Blocks(&IPAM_POOLS)).doc("The IPAM pools."),
        Attribute::computed("access_logs", Kind::Blocks(&LOGS)).doc("Where requests are logged."),
        Attribute::computed("connection_logs", Kind::Blocks(&LOGS))
            .doc("Where connections are logged."),
        Attribute::computed("client_keep_alive", Kind::Int)
            .doc("How long a client's connection is kept, in seconds."),
        Attribute::computed("desync_mitigation_mode", Kind::String)
            .doc("How requests that may smuggle others are treated."),
        Attribute::computed("dns_record_client_routing_policy", Kind::String)
            .doc("How the DNS name spreads clients over zones."),
        Attribute::computed("drop_invalid_header_fields", Kind::Bool)
            .doc("Whether invalid HTTP headers are dropped."),
        Attribute::computed("enable_cross_zone_load_balancing", Kind::Bool)
            .doc("Whether requests are spread over all zones."),
        Attribute::computed("enable_deletion_protection", Kind::Bool)
            .doc("Whether nobody can delete it."),
        Attribute::computed("enable_http2", Kind::Bool).doc("Whether it speaks HTTP/2."),
        Attribute::computed("enable_tls_version_and_cipher_suite_headers", Kind::Bool)
            .doc("Whether targets are told the TLS version and cipher."),
        Attribute::computed("enable_waf_fail_open", Kind::Bool)
            .doc("Whether requests pass when AWS WAF cannot be asked."),
        Attribute::computed("enable_xff_client_port", Kind::Bool)
            .doc("Whether `X-Forwarded-For` tells the client's port."),
        Attribute::computed("enable_zonal_shift", Kind::Bool)
            .doc("Whether traffic can be shifted away from a zone."),
        Attribute::computed("idle_timeout", Kind::Int)
            .doc("How long a connection may be idle, in seconds."),
        Attribute::computed("preserve_host_header", Kind::Bool)
            .doc("Whether the `Host` header is passed on unchanged."),
        Attribute::computed("xff_header_processing_mode", Kind::String)
            .doc("What is done to `X-Forwarded-For`."),
    ],
    constraints: &[Constraint::AtLeastOne(&["arn", "name", "tags"])],
    recovery: Recovery::None,
    timeouts: Timeouts::minutes(1, 1, 1),
    iam_read: &[
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTags",
    ],
    iam_write: &[],
};

const SUBNET_MAPPING: Blocks = Blocks {
    nesting: Nesting::Set,
    min: 0,
    max: None,
    attributes: &[
        Attribute::computed("subnet_id", Kind::String).doc("The subnet."),
        Attribute::computed("allocation_id", Kind::String).doc("The Elastic IP address there."),
        Attribute::computed("private_ipv4_address", Kind::String)
            .doc("The private IPv4 address there."),
        Attribute::computed("ipv6_address", Kind::String).doc("The IPv6 address there."),
        Attribute::computed("outpost_id", Kind::String).doc("The Outpost of the subnet."),
    ],
};

const IPAM_POOLS: Blocks = Blocks {
    nesting: Nesting::List,
    min: 0,
    max: Some(1),
    attributes: &[Attribute::computed("ipv4_ipam_pool_id", Kind::String)
        .doc("The IPAM pool that public IPv4 addresses come from.")],
};

const LOGS: Blocks = Blocks {
    nesting: Nesting::List,
    min: 0,
    max: Some(1),
    attributes: &[
        Attribute::computed("bucket", Kind::String).doc("The S3 bucket."),
        Attribute::computed("enabled", Kind::Bool).doc("Whether anything is logged."),
        Attribute::computed("prefix", Kind::String).doc("What the objects' keys begin with."),
    ],
};

/// The `aws_lb` data source.
#[derive(Debug)]
pub struct LbData;

#[async_trait]
impl DataSource<Aws> for LbData {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(&self, cx: &Aws, config: &Object) -> Result<Object, ProviderError> {
        let candidates = match (config.string("arn"), config.str("name")) {
            (Some(arn), _) => lb::describe(cx, &[arn]).await?,
            (None, Some(name)) => lb::by_name(cx, name).await?.into_iter().collect(),
            (None, None) => lb::list(cx).await?,
        };
        let arns: Vec<String> =
            candidates.iter().filter_map(|it| it.load_balancer_arn.clone()).collect();
        let all = lookup::tags_of(cx, &arns).await?;
        let balancer = only(&candidates, &all, config)?;
        let arn = balancer.load_balancer_arn().unwrap_or_default();
        let mut object = lb::object(balancer);
        settings::set_all(lb::SETTINGS, &lb::settings_of(cx, arn.to_owned()).await?, &mut object);
        let no_tags = std::collections::BTreeMap::new();
        tags::set(&mut object, all.get(arn).unwrap_or(&no_tags));
        object.remove("tags_all");
        Ok(object)
    }
}

/// Returns the one candidate that is what `config` looks for.
fn only<'a>(
    candidates: &'a [LoadBalancer],
    tags: &TagsByArn,
    config: &Object,
) -> Result<&'a LoadBalancer, ProviderError> {
    let wanted = config.string_map("tags");
    let matches = |it: &&LoadBalancer| {
        let tags = it.load_balancer_arn().and_then(|arn| tags.get(arn));
        let has = |(key, value)| tags.and_then(|tags| tags.get(key)) == Some(value);
        config.str("name").is_none_or(|name| it.load_balancer_name() == Some(name))
            && wanted.iter().all(has)
    };
    let mut found = candidates.iter().filter(matches);
    let problem =
        |kind, message: String| Err(ProviderError::new(kind, "DescribeLoadBalancers", message));
    match (found.next(), found.next()) {
        (Some(balancer), None) => Ok(balancer),
        (None, _) => problem(ErrorKind::NotFound, format!("no load balancer {}", asked(config))),
        (Some(one), Some(other)) => {
            let name = |it: &LoadBalancer| it.load_balancer_name().unwrap_or_default().to_owned();
            let message = format!(
                "several load balancers {}: `{}`, `{}`, and perhaps more",
                asked(config),
                name(one),
                name(other)
            );
            problem(ErrorKind::Invalid, message)
        }
    }
}

/// Says what is looked for: "has name `web` and tag `tier` = `lab`".
fn asked(config: &Object) -> String {
    let mut parts = Vec::new();
    for name in ["arn", "name"] {
        parts.extend(config.str(name).map(|value| format!("{name} `{value}`")));
    }
    let tag = |(key, value): (String, String)| format!("tag `{key}` = `{value}`");
    parts.extend(config.string_map("tags").into_iter().map(tag));
    format!("with {}", parts.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balancers() -> (Vec<LoadBalancer>, TagsByArn) {
        let one = |name: &str| {
            LoadBalancer::builder().load_balancer_arn(name).load_balancer_name(name).build()
        };
        let tags = [("a", "lab"), ("b", "lab"), ("c", "prod")]
            .map(|(name, tier)| (name.to_owned(), [("tier".to_owned(), tier.to_owned())].into()));
        (vec![one("a"), one("b"), one("c")], tags.into())
    }

    fn look(config: &Object) -> Result<Option<String>, String> {
        let (all, tags) = balancers();
        let found = only(&all, &tags, config);
        found.map(|it| it.load_balancer_name.clone()).map_err(|error| error.message)
    }

    #[test]
    fn one_has_to_match() {
        let tier = |tier| Object::new().with("tags", Object::new().with("tier", tier));
        assert_eq!(look(&tier("prod")), Ok(Some("c".to_owned())));
        assert_eq!(look(&tier("lab").with("name", "b")), Ok(Some("b".to_owned())));
        let none = look(&tier("prod").with("name", "a"));
        let message = "no load balancer with name `a` and tag `tier` = `prod`";
        assert_eq!(none, Err(message.to_owned()));
        assert!(look(&tier("lab")).unwrap_err().starts_with("several load balancers with tag"));
    }

    #[test]
    fn what_is_read_is_in_the_schema() {
        let mut object = lb::object(&balancers().0[0]);
        settings::set_all(lb::SETTINGS, &settings::Pairs::new(), &mut object);
        for name in object.keys() {
            assert!(SCHEMA.attribute(name).is_some(), "{name}");
        }
    }
}
