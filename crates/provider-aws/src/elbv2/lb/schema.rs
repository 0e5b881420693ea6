//! The arguments and attributes of `aws_lb`.

use reconcile_model::normalize::Normalize;
use reconcile_model::schema::Literal;
use reconcile_model::schema::{
    Attribute, Blocks, Check, Constraint, Kind, Nesting, Recovery, Schema, Timeouts,
};
use reconcile_model::{Mode, Object};

use crate::elbv2::lookup::{check_load_balancer_name, check_name_prefix};
use crate::elbv2::settings::{Setting, empty_is_null};

/// The `aws_lb` schema.
pub(super) static SCHEMA: Schema = Schema {
    type_name: "aws_lb",
    mode: Mode::Managed,
    version: 1,
    doc: "An Application, Network, or Gateway Load Balancer.",
    attributes: &[
        Attribute::computed("id", Kind::String).doc("The load balancer's ARN."),
        Attribute::computed("arn", Kind::String).doc("The load balancer's ARN."),
        Attribute::computed("arn_suffix", Kind::String)
            .doc("The part of the ARN that CloudWatch metrics are named by."),
        Attribute::computed("dns_name", Kind::String)
            .doc("The DNS name under which clients reach the load balancer."),
        Attribute::computed("zone_id", Kind::String)
            .doc("The hosted zone of the DNS name, for alias records in Route 53."),
        Attribute::computed("vpc_id", Kind::String).doc("The VPC of the load balancer's subnets."),
        Attribute::optional_computed("name", Kind::String)
            .replace()
            .check(Check::Rule(check_load_balancer_name))
            .doc("The name, unique in the account and Region; made up when neither it nor `name_prefix` is given."),
        Attribute::optional("name_prefix", Kind::String)
            .replace()
            .check(Check::Rule(check_name_prefix))
            .doc("The beginning of a name whose end is made up."),
        Attribute::optional("load_balancer_type", Kind::String)
            .default(Literal::String("application"))
            .replace()
            .check(Check::OneOf(&["application", "network", "gateway"]))
            .doc("The type: `application`, `network`, or `gateway`."),
        Attribute::optional_computed("internal", Kind::Bool)
            .replace()
            .doc("Whether only the VPC reaches it; AWS makes it internet-facing otherwise."),
        Attribute::optional_computed("ip_address_type", Kind::String)
            .check(Check::OneOf(&["ipv4", "dualstack", "dualstack-without-public-ipv4"]))
            .doc("Whether clients reach it over IPv4 only or over IPv6 too."),
        Attribute::optional_computed("subnets", Kind::Set(&Kind::String))
            .replace_if(subnets_leave)
            .recomputed_by(&["subnet_mapping"])
            .refers_to("aws_subnet", "id")
            .doc("The subnets it has an address in, one for each Availability Zone; an application load balancer needs two."),
        Attribute::optional_computed(
            "subnet_mapping",
            Kind::Blocks(&Blocks { nesting: Nesting::Set, min: 0, max: None, attributes: SUBNET_MAPPING }),
        )
        .replace_if(mappings_leave)
        .recomputed_by(&["subnets"])
        .doc("The subnets it has an address in, with the addresses to use there."),
        Attribute::optional_computed("security_groups", Kind::Set(&Kind::String))
            .replace_if(network_groups_come_or_go)
            .refers_to("aws_security_group", "id")
            .doc("The security groups of an application or network load balancer; the VPC's default group for an application load balancer that names none."),
        Attribute::optional_computed(
            "enforce_security_group_inbound_rules_on_private_link_traffic",
            Kind::String,
        )
        .check(Check::OneOf(&["on", "off"]))
        .doc("Whether a network load balancer's groups apply to traffic through PrivateLink."),
        Attribute::optional("customer_owned_ipv4_pool", Kind::String)
            .replace()
            .doc("The customer-owned address pool of an application load balancer on an Outpost."),
        Attribute::optional(
            "ipam_pools",
            Kind::Blocks(&Blocks {
                nesting: Nesting::List,
                min: 0,
                max: Some(1),
                attributes: &[Attribute::required("ipv4_ipam_pool_id", Kind::String)
                    .doc("The IPAM pool that public IPv4 addresses come from.")],
            }),
        )
        .doc("The IPAM pools that an internet-facing application load balancer takes its addresses from."),
        Attribute::optional(
            "minimum_load_balancer_capacity",
            Kind::Blocks(&Blocks {
                nesting: Nesting::List,
                min: 0,
                max: Some(1),
                attributes: &[Attribute::required("capacity_units", Kind::Int)
                    .check(Check::Range(1, i32::MAX as i64))
                    .doc("The number of load balancer capacity units.")],
            }),
        )
        .doc("Capacity reserved ahead of traffic."),
        Attribute::optional("access_logs", LOGS).doc("Where requests are logged to."),
        Attribute::optional("connection_logs", LOGS)
            .doc("Where an application load balancer logs connections to."),
        Attribute::optional("client_keep_alive", Kind::Int)
            .check(Check::Range(60, 604_800))
            .doc("How long, in seconds, an application load balancer keeps a client's connection; 3600 otherwise."),
        Attribute::optional("desync_mitigation_mode", Kind::String)
            .check(Check::OneOf(&["monitor", "defensive", "strictest"]))
            .doc("How an application load balancer treats requests that may smuggle others; `defensive` otherwise."),
        Attribute::optional("dns_record_client_routing_policy", Kind::String)
            .check(Check::OneOf(&[
                "any_availability_zone",
                "availability_zone_affinity",
                "partial_availability_zone_affinity",
            ]))
            .doc("How a network load balancer's DNS name spreads clients over zones; `any_availability_zone` otherwise."),
        Attribute::optional("drop_invalid_header_fields", Kind::Bool)
            .doc("Whether an application load balancer drops invalid HTTP headers; they pass otherwise."),
        Attribute::optional("enable_cross_zone_load_balancing", Kind::Bool)
            .doc("Whether a network or gateway load balancer spreads requests over all zones; an application load balancer always does."),
        Attribute::optional("enable_deletion_protection", Kind::Bool)
            .doc("Whether nobody can delete it, this tool included; anybody permitted can otherwise."),
        Attribute::optional("enable_http2", Kind::Bool)
            .doc("Whether an application load balancer speaks HTTP/2; it does otherwise."),
        Attribute::optional("enable_tls_version_and_cipher_suite_headers", Kind::Bool)
            .doc("Whether targets are told the TLS version and cipher in headers; they are not otherwise."),
        Attribute::optional("enable_waf_fail_open", Kind::Bool)
            .doc("Whether requests pass when AWS WAF cannot be asked; they do not otherwise."),
        Attribute::optional("enable_xff_client_port", Kind::Bool)
            .doc("Whether `X-Forwarded-For` tells the client's port; it does not otherwise."),
        Attribute::optional("enable_zonal_shift", Kind::Bool)
            .doc("Whether traffic can be shifted away from a zone; it cannot otherwise."),
        Attribute::optional("idle_timeout", Kind::Int)
            .check(Check::Range(1, 4000))
            .doc("How long, in seconds, a connection of an application load balancer may be idle; 60 otherwise."),
        Attribute::optional("preserve_host_header", Kind::Bool)
            .doc("Whether an application load balancer passes the `Host` header on unchanged; it does not otherwise."),
        Attribute::optional("xff_header_processing_mode", Kind::String)
            .check(Check::OneOf(&["append", "preserve", "remove"]))
            .doc("What an application load balancer does to `X-Forwarded-For`; `append` otherwise."),
        Attribute::optional("tags", Kind::Map(&Kind::String)).doc("The tags."),
        Attribute::computed("tags_all", Kind::Map(&Kind::String))
            .doc("The tags together with the provider's default tags."),
    ],
    constraints: &[
        Constraint::Conflicts(&["name", "name_prefix"]),
        Constraint::ExactlyOne(&["subnets", "subnet_mapping"]),
    ],
    recovery: Recovery::NaturalKey(&["name"]),
    timeouts: Timeouts::minutes(10, 10, 10),
    iam_read: &[
        "elasticloadbalancing:DescribeCapacityReservation",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTags",
    ],
    iam_write: &[
        "ec2:DescribeAccountAttributes",
        "ec2:DescribeAddresses",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:CreateLoadBalancer",
        "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing:ModifyCapacityReservation",
        "elasticloadbalancing:ModifyIpPools",
        "elasticloadbalancing:ModifyLoadBalancerAttributes",
        "elasticloadbalancing:RemoveTags",
        "elasticloadbalancing:SetIpAddressType",
        "elasticloadbalancing:SetSecurityGroups",
        "elasticloadbalancing:SetSubnets",
        "iam:CreateServiceLinkedRole",
    ],
};

const SUBNET_MAPPING: &[Attribute] = &[
    Attribute::required("subnet_id", Kind::String).refers_to("aws_subnet", "id").doc("The subnet."),
    Attribute::optional("allocation_id", Kind::String)
        .doc("The Elastic IP address of an internet-facing network load balancer there."),
    Attribute::optional("private_ipv4_address", Kind::String)
        .check(Check::Ip)
        .doc("The private IPv4 address of an internal network load balancer there."),
    Attribute::optional("ipv6_address", Kind::String)
        .check(Check::Ip)
        .normalize(Normalize::Lowercase)
        .doc("The IPv6 address there."),
    Attribute::computed("outpost_id", Kind::String).doc("The Outpost of the subnet."),
];

const LOGS: Kind = Kind::Blocks(&Blocks {
    nesting: Nesting::List,
    min: 0,
    max: Some(1),
    attributes: &[
        Attribute::required("bucket", Kind::String).doc("The S3 bucket."),
        Attribute::optional("enabled", Kind::Bool)
            .default(Literal::Bool(false))
            .doc("Whether anything is logged."),
        Attribute::optional("prefix", Kind::String)
            .normalize(Normalize::Rule(empty_is_null))
            .doc("What the objects' keys begin with."),
    ],
});

/// The settings of a load balancer with their defaults (ELBv2 API, `LoadBalancerAttribute`).
pub(crate) const SETTINGS: &[Setting] = &[
    Setting::flag(&["access_logs", "enabled"], "access_logs.s3.enabled").or("false"),
    Setting::text(&["access_logs", "bucket"], "access_logs.s3.bucket"),
    Setting::text(&["access_logs", "prefix"], "access_logs.s3.prefix").or(""),
    Setting::flag(&["connection_logs", "enabled"], "connection_logs.s3.enabled").or("false"),
    Setting::text(&["connection_logs", "bucket"], "connection_logs.s3.bucket"),
    Setting::text(&["connection_logs", "prefix"], "connection_logs.s3.prefix").or(""),
    Setting::number(&["client_keep_alive"], "client_keep_alive.seconds").or("3600"),
    Setting::text(&["desync_mitigation_mode"], "routing.http.desync_mitigation_mode")
        .or("defensive"),
    Setting::text(&["dns_record_client_routing_policy"], "dns_record.client_routing_policy")
        .or("any_availability_zone"),
    Setting::flag(
        &["drop_invalid_header_fields"],
        "routing.http.drop_invalid_header_fields.enabled",
    )
    .or("false"),
    Setting::flag(&["enable_cross_zone_load_balancing"], "load_balancing.cross_zone.enabled")
        .or_by(cross_zone),
    Setting::flag(&["enable_deletion_protection"], "deletion_protection.enabled").or("false"),
    Setting::flag(&["enable_http2"], "routing.http2.enabled").or("true"),
    Setting::flag(
        &["enable_tls_version_and_cipher_suite_headers"],
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    )
    .or("false"),
    Setting::flag(&["enable_waf_fail_open"], "waf.fail_open.enabled").or("false"),
    Setting::flag(&["enable_xff_client_port"], "routing.http.xff_client_port.enabled").or("false"),
    Setting::flag(&["enable_zonal_shift"], "zonal_shift.config.enabled").or("false"),
    Setting::number(&["idle_timeout"], "idle_timeout.timeout_seconds").or("60"),
    Setting::flag(&["preserve_host_header"], "routing.http.preserve_host_header.enabled")
        .or("false"),
    Setting::text(&["xff_header_processing_mode"], "routing.http.xff_header_processing.mode")
        .or("append"),
];

fn cross_zone(planned: &Object) -> &'static str {
    if is_application(planned) { "true" } else { "false" }
}

fn is_application(object: &Object) -> bool {
    object.str("load_balancer_type") == Some("application")
}

/// Only application load balancers can leave a subnet; the others can only enter more.
fn subnets_leave(prior: &Object, planned: &Object) -> bool {
    let (before, after) = (prior.strings("subnets"), planned.strings("subnets"));
    let known = planned.value("subnets").is_known();
    !is_application(prior) && known && before.iter().any(|subnet| !after.contains(subnet))
}

fn mappings_leave(prior: &Object, planned: &Object) -> bool {
    let known = !planned.value("subnet_mapping").is_unknown();
    let after: Vec<[Option<&str>; 4]> = planned.blocks("subnet_mapping").map(mapping).collect();
    !is_application(prior)
        && known
        && prior.blocks("subnet_mapping").any(|before| !after.contains(&mapping(before)))
}

/// Returns what a spec can say of a subnet.
pub(super) fn mapping(block: &Object) -> [Option<&str>; 4] {
    ["subnet_id", "allocation_id", "private_ipv4_address", "ipv6_address"]
        .map(|name| block.str(name))
}

/// A network load balancer that was created without security groups cannot get any, nor lose the last
/// (ELBv2 API, `SetSecurityGroups`).
fn network_groups_come_or_go(prior: &Object, planned: &Object) -> bool {
    prior.str("load_balancer_type") == Some("network")
        && planned.value("security_groups").is_known()
        && prior.list("security_groups").is_empty() != planned.list("security_groups").is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_application_load_balancers_leave_subnets() {
        let prior =
            |kind| Object::new().with("load_balancer_type", kind).with("subnets", vec!["subnet-1"]);
        let planned = Object::new().with("subnets", vec!["subnet-2"]);
        assert!(!subnets_leave(&prior("application"), &planned));
        assert!(subnets_leave(&prior("network"), &planned));
        let more = Object::new().with("subnets", vec!["subnet-1", "subnet-2"]);
        assert!(!subnets_leave(&prior("network"), &more));
    }

    #[test]
    fn network_load_balancers_keep_having_groups_or_none() {
        let with = |kind, groups: Vec<&str>| {
            Object::new().with("load_balancer_type", kind).with("security_groups", groups)
        };
        let planned = with("network", vec!["sg-1"]);
        assert!(network_groups_come_or_go(&with("network", vec![]), &planned));
        assert!(!network_groups_come_or_go(&with("network", vec!["sg-2"]), &planned));
        assert!(!network_groups_come_or_go(&with("application", vec![]), &planned));
    }
}
