//! What a plan newly opens to the world.
//!
//! A reviewer's eye should not have to find these. Only what the plan adds is named: what is open already is not news.

use std::collections::BTreeSet;

use reconcile_model::{
    Action, Address, Object, Plan, Value,
    normalize::{cidr, protocol},
    plan::Change,
};

/// One thing that becomes reachable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exposure {
    /// The instance.
    pub address: Address,
    /// What becomes reachable, and by whom: "tcp port 22 is open to everyone (0.0.0.0/0)".
    pub what: String,
}

/// Returns what the plan newly opens to the world, by address.
pub fn exposures(plan: &Plan) -> Vec<Exposure> {
    plan.changes.iter().flat_map(of_change).collect()
}

fn of_change(change: &Change) -> Vec<Exposure> {
    match change.action {
        Action::Create | Action::Update | Action::Replace(_) => {}
        Action::NoOp | Action::Read | Action::Delete | Action::Forget => return Vec::new(),
    }
    let of = |side: Option<&Object>| {
        side.map(|object| of_object(change.address.type_name(), object)).unwrap_or_default()
    };
    let before = of(change.before.as_ref());
    of(change.after.as_ref())
        .difference(&before)
        .map(|what| Exposure { address: change.address.clone(), what: what.clone() })
        .collect()
}

fn of_object(type_name: &str, object: &Object) -> BTreeSet<String> {
    match type_name {
        "aws_security_group" => object.blocks("ingress").flat_map(inline_rule).collect(),
        "aws_vpc_security_group_ingress_rule" => {
            let ranges = ["cidr_ipv4", "cidr_ipv6"].map(|name| object.value(name));
            let protocol = object.str("ip_protocol").unwrap_or("-1");
            open_to_everyone(object, protocol, ranges.into_iter()).into_iter().collect()
        }
        "aws_lb" => {
            let is_public = object.bool("internal") == Some(false)
                || (object.value("internal").is_null()
                    && object.str("load_balancer_type") != Some("gateway"));
            let what = "the load balancer faces the internet".to_owned();
            is_public.then_some(what).into_iter().collect()
        }
        "aws_instance" => {
            let address = object.bool("associate_public_ip_address") == Some(true);
            let metadata = object
                .blocks("metadata_options")
                .any(|options| options.str("http_tokens") == Some("optional"));
            [
                address.then(|| "the instance gets a public address".to_owned()),
                metadata.then(|| {
                    "instance metadata answers without a token (version 1), so a forged request from the instance can read its credentials"
                        .to_owned()
                }),
            ]
            .into_iter()
            .flatten()
            .collect()
        }
        _ => BTreeSet::new(),
    }
}

fn inline_rule(rule: &Object) -> Vec<String> {
    let ranges = ["cidr_blocks", "ipv6_cidr_blocks"].into_iter().flat_map(|name| rule.list(name));
    open_to_everyone(rule, rule.str("protocol").unwrap_or("-1"), ranges)
}

/// Returns one entry for each range that is all of IPv4 or IPv6, or much of it.
fn open_to_everyone<'a>(
    rule: &Object,
    name: &str,
    ranges: impl Iterator<Item = &'a Value>,
) -> Vec<String> {
    let is_secret = |name: &str| matches!(rule.value(name), Value::Sensitive(_) | Value::Sealed(_));
    let what = if ["protocol", "ip_protocol", "from_port", "to_port"].into_iter().any(is_secret) {
        "traffic is".to_owned()
    } else {
        traffic(&protocol(name), rule.i64("from_port"), rule.i64("to_port"))
    };
    ranges
        .filter_map(|range| range.as_str().and_then(cidr))
        .filter_map(|range| whom(&range).map(|whom| format!("{what} open to {whom} ({range})")))
        .collect()
}

/// Returns whom a range lets in, when that is more than any owner of addresses has: two halves of the internet are all of
/// it.
fn whom(range: &str) -> Option<&'static str> {
    let (address, length) = range.rsplit_once('/')?;
    let widest = if address.contains(':') { 16 } else { 8 };
    match length.parse::<u8>().ok()? {
        0 => Some("everyone"),
        length if length < widest => Some("a large part of the internet"),
        _ => None,
    }
}

/// Names what a rule lets through: "tcp port 22 is", "all traffic is".
fn traffic(protocol: &str, from: Option<i64>, to: Option<i64>) -> String {
    match (protocol, from, to) {
        ("-1", _, _) => "all traffic is".to_owned(),
        ("tcp" | "udp", Some(from), Some(to)) if from == to => format!("{protocol} port {from} is"),
        ("tcp" | "udp", Some(0 | 1), Some(65535)) => format!("every {protocol} port is"),
        ("tcp" | "udp", Some(from), Some(to)) => format!("{protocol} ports {from} to {to} are"),
        _ => format!("{protocol} is"),
    }
}
