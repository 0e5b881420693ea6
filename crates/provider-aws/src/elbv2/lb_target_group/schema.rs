//! The arguments and attributes of `aws_lb_target_group`.

use reconcile_model::schema::{
    Attribute, Blocks, Check, Constraint, Kind, Literal, Nesting, Recovery, Schema, Timeouts,
};
use reconcile_model::{Mode, Object, Value};

use crate::elbv2::lookup::{check_name, check_name_prefix};
use crate::elbv2::settings::Setting;

/// The `aws_lb_target_group` schema.
pub(super) static SCHEMA: Schema = Schema {
    type_name: "aws_lb_target_group",
    mode: Mode::Managed,
    version: 1,
    doc: "A group of targets that a load balancer forwards requests to, and how their health is checked.",
    attributes: &[
        Attribute::computed("id", Kind::String).doc("The target group's ARN."),
        Attribute::computed("arn", Kind::String).doc("The target group's ARN."),
        Attribute::computed("arn_suffix", Kind::String)
            .doc("The part of the ARN that CloudWatch metrics are named by."),
        Attribute::optional_computed("name", Kind::String)
            .replace()
            .check(Check::Rule(check_name))
            .doc("The name, unique in the account and Region; made up when neither it nor `name_prefix` is given."),
        Attribute::optional("name_prefix", Kind::String)
            .replace()
            .check(Check::Rule(check_name_prefix))
            .doc("The beginning of a name whose end is made up."),
        Attribute::optional("target_type", Kind::String)
            .default(Literal::String("instance"))
            .replace()
            .check(Check::OneOf(&["instance", "ip", "lambda", "alb"]))
            .doc("What targets are named by: `instance`, `ip`, `lambda`, or `alb`."),
        Attribute::optional("port", Kind::Int)
            .replace()
            .check(Check::Range(1, 65535))
            .doc("The port that targets listen on, unless one registers with its own; not for `lambda`."),
        Attribute::optional("protocol", Kind::String)
            .replace()
            .check(Check::OneOf(&[
                "GENEVE", "HTTP", "HTTPS", "QUIC", "TCP", "TCP_QUIC", "TCP_UDP", "TLS", "UDP",
            ]))
            .doc("The protocol to targets; not for `lambda`."),
        Attribute::optional_computed("protocol_version", Kind::String)
            .replace()
            .check(Check::OneOf(&["HTTP1", "HTTP2", "GRPC"]))
            .doc("The version of HTTP to targets; AWS takes `HTTP1` otherwise."),
        Attribute::optional("vpc_id", Kind::String)
            .replace()
            .refers_to("aws_vpc", "id")
            .doc("The VPC that targets are in; not for `lambda`."),
        Attribute::optional_computed("ip_address_type", Kind::String)
            .replace()
            .check(Check::OneOf(&["ipv4", "ipv6"]))
            .doc("The IP version that targets are reached over."),
        Attribute::optional_computed("health_check", HEALTH_CHECK)
            .doc("How the health of targets is checked; left to AWS otherwise."),
        Attribute::optional("stickiness", STICKINESS)
            .doc("Whether a client's requests stay with one target; they do not otherwise."),
        Attribute::optional("deregistration_delay", Kind::Int)
            .check(Check::Range(0, 3600))
            .doc("How long, in seconds, a target that leaves may finish requests; 300 otherwise."),
        Attribute::optional("slow_start", Kind::Int)
            .check(Check::Rule(check_slow_start))
            .doc("For how long, in seconds, a new target gets a growing share of requests: 30 to 900, or 0 for none."),
        Attribute::optional("load_balancing_algorithm_type", Kind::String)
            .check(Check::OneOf(&["round_robin", "least_outstanding_requests", "weighted_random"]))
            .doc("How an application load balancer picks a target; `round_robin` otherwise."),
        Attribute::optional("load_balancing_anomaly_mitigation", Kind::String)
            .check(Check::OneOf(&["on", "off"]))
            .doc("Whether anomalous targets get fewer requests, with `weighted_random` only; `off` otherwise."),
        Attribute::optional("load_balancing_cross_zone_enabled", Kind::String)
            .check(Check::OneOf(&["true", "false", "use_load_balancer_configuration"]))
            .doc("Whether requests go to targets in all zones; as the load balancer says otherwise."),
        Attribute::optional("preserve_client_ip", Kind::Bool)
            .doc("Whether targets of a network load balancer see the client's address."),
        Attribute::optional("proxy_protocol_v2", Kind::Bool)
            .doc("Whether a network load balancer speaks PROXY protocol to targets; it does not otherwise."),
        Attribute::optional("connection_termination", Kind::Bool)
            .doc("Whether a network load balancer cuts connections when the deregistration delay ends."),
        Attribute::optional("lambda_multi_value_headers_enabled", Kind::Bool)
            .doc("Whether headers reach a Lambda function as lists; they do not otherwise."),
        Attribute::optional("target_failover", TARGET_FAILOVER)
            .doc("What a gateway load balancer does with the flows of a target that leaves or fails."),
        Attribute::optional("target_group_health", TARGET_GROUP_HEALTH)
            .doc("How many targets have to be healthy before traffic is sent elsewhere."),
        Attribute::optional("target_health_state", TARGET_HEALTH_STATE)
            .doc("What a network load balancer does with the connections of an unhealthy target."),
        Attribute::optional("tags", Kind::Map(&Kind::String)).doc("The tags."),
        Attribute::computed("tags_all", Kind::Map(&Kind::String))
            .doc("The tags together with the provider's default tags."),
    ],
    constraints: &[Constraint::Conflicts(&["name", "name_prefix"]), Constraint::Rule(check)],
    recovery: Recovery::NaturalKey(&["name"]),
    timeouts: Timeouts::minutes(5, 5, 5),
    iam_read: &[
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetGroups",
    ],
    iam_write: &[
        "ec2:DescribeInternetGateways",
        "ec2:DescribeVpcs",
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:CreateTargetGroup",
        "elasticloadbalancing:DeleteTargetGroup",
        "elasticloadbalancing:ModifyTargetGroup",
        "elasticloadbalancing:ModifyTargetGroupAttributes",
        "elasticloadbalancing:RemoveTags",
    ],
};

const fn one(attributes: &'static [Attribute]) -> Blocks {
    Blocks { nesting: Nesting::List, min: 0, max: Some(1), attributes }
}

/// The defaults are those of the Terraform AWS provider; ELBv2's own differ in the thresholds.
const HEALTH_CHECK: Kind = Kind::Blocks(&one(&[
    Attribute::optional("enabled", Kind::Bool)
        .default(Literal::Bool(true))
        .doc("Whether health is checked; it can be switched off for `lambda` only."),
    Attribute::optional("protocol", Kind::String)
        .default(Literal::String("HTTP"))
        .check(Check::OneOf(&["HTTP", "HTTPS", "TCP"]))
        .doc("The protocol to check with."),
    Attribute::optional("port", Kind::String)
        .default(Literal::String("traffic-port"))
        .check(Check::Rule(check_health_port))
        .doc("The port to check, or `traffic-port` for the one that gets the traffic."),
    Attribute::optional_computed("path", Kind::String)
        .recomputed_by(&["protocol"])
        .check(Check::Length(1, 1024))
        .doc("The path to ask for over HTTP or HTTPS."),
    Attribute::optional_computed("matcher", Kind::String)
        .recomputed_by(&["protocol"])
        .doc("The status codes that count as healthy: `200`, `200,202`, or `200-299`."),
    Attribute::optional("interval", Kind::Int)
        .default(Literal::Int(30))
        .check(Check::Range(5, 300))
        .doc("The time between two checks of a target, in seconds."),
    Attribute::optional_computed("timeout", Kind::Int)
        .recomputed_by(&["protocol"])
        .check(Check::Range(2, 120))
        .doc("How long, in seconds, a target has to answer."),
    Attribute::optional("healthy_threshold", Kind::Int)
        .default(Literal::Int(3))
        .check(Check::Range(2, 10))
        .doc("How many checks in a row have to succeed before a target counts as healthy."),
    Attribute::optional("unhealthy_threshold", Kind::Int)
        .default(Literal::Int(3))
        .check(Check::Range(2, 10))
        .doc("How many checks in a row have to fail before a target counts as unhealthy."),
]));

const STICKINESS: Kind = Kind::Blocks(&one(&[
    Attribute::required("type", Kind::String)
        .check(Check::OneOf(&[
            "lb_cookie",
            "app_cookie",
            "source_ip",
            "source_ip_dest_ip",
            "source_ip_dest_ip_proto",
        ]))
        .doc("What a client is known by."),
    Attribute::optional("enabled", Kind::Bool)
        .default(Literal::Bool(true))
        .doc("Whether stickiness is on."),
    Attribute::optional("cookie_duration", Kind::Int)
        .default(Literal::Int(86_400))
        .check(Check::Range(0, 604_800))
        .doc("How long, in seconds, a cookie counts; with the two cookie types only."),
    Attribute::optional("cookie_name", Kind::String)
        .doc("The name of the application's own cookie; with `app_cookie` only."),
]));

const TARGET_FAILOVER: Kind = Kind::Blocks(&one(&[
    Attribute::required("on_deregistration", Kind::String)
        .check(Check::OneOf(&["rebalance", "no_rebalance"]))
        .doc("What happens to the flows of a target that is deregistered."),
    Attribute::required("on_unhealthy", Kind::String)
        .check(Check::OneOf(&["rebalance", "no_rebalance"]))
        .doc("What happens to the flows of a target that fails; the same as for one that is deregistered."),
]));

const TARGET_GROUP_HEALTH: Kind = Kind::Blocks(&one(&[
    Attribute::optional(
        "dns_failover",
        Kind::Blocks(&one(&[
            Attribute::optional("minimum_healthy_targets_count", Kind::String)
                .default(Literal::String("1"))
                .check(Check::Rule(check_count))
                .doc("The least number of healthy targets, or `off`."),
            Attribute::optional("minimum_healthy_targets_percentage", Kind::String)
                .default(Literal::String("off"))
                .check(Check::Rule(check_percentage))
                .doc("The least percentage of healthy targets, or `off`."),
        ])),
    )
    .doc("When DNS leaves a zone out."),
    Attribute::optional(
        "unhealthy_state_routing",
        Kind::Blocks(&one(&[
            Attribute::optional("minimum_healthy_targets_count", Kind::Int)
                .default(Literal::Int(1))
                .check(Check::Range(1, 50_000))
                .doc("The least number of healthy targets."),
            Attribute::optional("minimum_healthy_targets_percentage", Kind::String)
                .default(Literal::String("off"))
                .check(Check::Rule(check_percentage))
                .doc("The least percentage of healthy targets, or `off`."),
        ])),
    )
    .doc("When requests go to unhealthy targets too."),
]));

const TARGET_HEALTH_STATE: Kind = Kind::Blocks(&one(&[
    Attribute::required("enable_unhealthy_connection_termination", Kind::Bool)
        .doc("Whether connections to unhealthy targets are cut."),
    Attribute::optional("unhealthy_draining_interval", Kind::Int)
        .default(Literal::Int(0))
        .check(Check::Range(0, 360_000))
        .doc("How long, in seconds, connections that are not cut may go on."),
]));

/// The settings of a target group with their defaults (ELBv2 API, `TargetGroupAttribute`).
pub(super) const SETTINGS: &[Setting] = &[
    Setting::flag(&["stickiness", "enabled"], "stickiness.enabled").or("false"),
    Setting::text(&["stickiness", "type"], "stickiness.type"),
    Setting::number(&["stickiness", "cookie_duration"], "stickiness.lb_cookie.duration_seconds")
        .when("stickiness.type", "lb_cookie"),
    Setting::number(&["stickiness", "cookie_duration"], "stickiness.app_cookie.duration_seconds")
        .when("stickiness.type", "app_cookie"),
    Setting::text(&["stickiness", "cookie_name"], "stickiness.app_cookie.cookie_name")
        .when("stickiness.type", "app_cookie"),
    Setting::number(&["deregistration_delay"], "deregistration_delay.timeout_seconds").or("300"),
    Setting::number(&["slow_start"], "slow_start.duration_seconds").or("0"),
    Setting::text(&["load_balancing_algorithm_type"], "load_balancing.algorithm.type")
        .or("round_robin"),
    Setting::text(
        &["load_balancing_anomaly_mitigation"],
        "load_balancing.algorithm.anomaly_mitigation",
    )
    .or("off"),
    Setting::text(&["load_balancing_cross_zone_enabled"], "load_balancing.cross_zone.enabled")
        .or("use_load_balancer_configuration"),
    Setting::flag(&["preserve_client_ip"], "preserve_client_ip.enabled").or_by(client_ip),
    Setting::flag(&["proxy_protocol_v2"], "proxy_protocol_v2.enabled").or("false"),
    Setting::flag(
        &["connection_termination"],
        "deregistration_delay.connection_termination.enabled",
    )
    .or_by(termination),
    Setting::flag(&["lambda_multi_value_headers_enabled"], "lambda.multi_value_headers.enabled")
        .or("false"),
    Setting::text(&["target_failover", "on_deregistration"], "target_failover.on_deregistration")
        .or("no_rebalance"),
    Setting::text(&["target_failover", "on_unhealthy"], "target_failover.on_unhealthy")
        .or("no_rebalance"),
    Setting::text(
        &["target_group_health", "dns_failover", "minimum_healthy_targets_count"],
        "target_group_health.dns_failover.minimum_healthy_targets.count",
    )
    .or("1"),
    Setting::text(
        &["target_group_health", "dns_failover", "minimum_healthy_targets_percentage"],
        "target_group_health.dns_failover.minimum_healthy_targets.percentage",
    )
    .or("off"),
    Setting::number(
        &["target_group_health", "unhealthy_state_routing", "minimum_healthy_targets_count"],
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
    )
    .or("1"),
    Setting::text(
        &["target_group_health", "unhealthy_state_routing", "minimum_healthy_targets_percentage"],
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
    )
    .or("off"),
    Setting::flag(
        &["target_health_state", "enable_unhealthy_connection_termination"],
        "target_health_state.unhealthy.connection_termination.enabled",
    )
    .or("true"),
    Setting::number(
        &["target_health_state", "unhealthy_draining_interval"],
        "target_health_state.unhealthy.draining_interval_seconds",
    )
    .or("0"),
];

fn client_ip(group: &Object) -> &'static str {
    let stream = matches!(group.str("protocol"), Some("TCP" | "TLS"));
    if stream && group.str("target_type") == Some("ip") { "false" } else { "true" }
}

fn termination(group: &Object) -> &'static str {
    if matches!(group.str("protocol"), Some("UDP" | "TCP_UDP")) { "true" } else { "false" }
}

fn check_slow_start(value: &Value) -> Result<(), String> {
    match value.as_i64() {
        Some(0 | 30..=900) | None => Ok(()),
        Some(_) => Err("must be 0, or between 30 and 900".to_owned()),
    }
}

fn check_health_port(value: &Value) -> Result<(), String> {
    let port = value.as_str().unwrap_or_default();
    let good = port == "traffic-port" || port.parse::<u16>().is_ok_and(|port| port > 0);
    if good { Ok(()) } else { Err("must be `traffic-port` or between 1 and 65535".to_owned()) }
}

fn check_count(value: &Value) -> Result<(), String> {
    let count = value.as_str().unwrap_or_default();
    let good = count == "off" || count.parse::<u32>().is_ok_and(|count| count > 0);
    if good { Ok(()) } else { Err("must be `off` or a whole number from 1".to_owned()) }
}

fn check_percentage(value: &Value) -> Result<(), String> {
    let share = value.as_str().unwrap_or_default();
    let good = share == "off" || share.parse::<u8>().is_ok_and(|share| (1..=100).contains(&share));
    if good { Ok(()) } else { Err("must be `off` or between 1 and 100".to_owned()) }
}

fn check(config: &Object) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    let lambda = config.str("target_type") == Some("lambda");
    if !config.value("target_type").is_unknown() {
        for name in ["port", "protocol", "vpc_id"] {
            match (lambda, config.value(name).is_null()) {
                (true, false) => wrong.push((name, "is not for target type `lambda`".to_owned())),
                (false, true) => {
                    let why = "is required unless the target type is `lambda`";
                    wrong.push((name, why.to_owned()));
                }
                (true, true) | (false, false) => {}
            }
        }
    }
    if let Some(check) = config.block("health_check").filter(|it| it.str("protocol") == Some("TCP"))
    {
        for name in ["path", "matcher"] {
            if !check.value(name).is_null() {
                wrong.push(("health_check", format!("`{name}` is not for protocol TCP")));
            }
        }
    }
    if let Some(stickiness) = config.block("stickiness") {
        let app = stickiness.str("type") == Some("app_cookie");
        let unknown = stickiness.value("type").is_unknown();
        if !unknown && app == stickiness.value("cookie_name").is_null() {
            let why = "`cookie_name` goes with type `app_cookie`, and with no other";
            wrong.push(("stickiness", why.to_owned()));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(config: &Object) -> Vec<&'static str> {
        check(config).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn lambda_groups_have_no_port() {
        let lambda = Object::new().with("target_type", "lambda");
        assert_eq!(wrong(&lambda), Vec::<&str>::new());
        assert_eq!(wrong(&lambda.with("port", 80)), ["port"]);
        assert_eq!(wrong(&Object::new()), ["port", "protocol", "vpc_id"]);
    }

    #[test]
    fn cookies_have_a_name_only_where_they_are_the_applications() {
        let with = |kind, name: Option<&str>| {
            let block = Object::new().with("type", kind).with("cookie_name", name);
            let group = Object::new().with("target_type", "lambda");
            group.with("stickiness", vec![block])
        };
        assert_eq!(wrong(&with("app_cookie", None)), ["stickiness"]);
        assert_eq!(wrong(&with("lb_cookie", Some("JSESSIONID"))), ["stickiness"]);
        assert_eq!(wrong(&with("app_cookie", Some("JSESSIONID"))), Vec::<&str>::new());
    }

    #[test]
    fn defaults_that_depend_on_the_group() {
        let group =
            |kind, protocol| Object::new().with("target_type", kind).with("protocol", protocol);
        assert_eq!(client_ip(&group("ip", "TCP")), "false");
        assert_eq!(client_ip(&group("instance", "TCP")), "true");
        assert_eq!(termination(&group("instance", "UDP")), "true");
    }
}
