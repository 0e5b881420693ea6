//! Security group rules: what they allow, one at a time, and the calls that add and remove them.
//!
//! A group's own blocks and the rule resources say the same thing in two forms. Both meet here, in [`Traffic`]: one
//! direction's rules are equal when the sets of their traffic are, however they are grouped.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::builders::IpPermissionBuilder;
use aws_sdk_ec2::types::{
    Filter, IpPermission, IpRange, Ipv6Range, PrefixListId, SecurityGroup, SecurityGroupRule,
    TagSpecification, UserIdGroupPair,
};
use reconcile_model::{Value, normalize};
use reconcile_provider::ProviderError;
use reconcile_provider::together::Items;

use crate::Aws;
use crate::call::Call;
use crate::filters;

const DESCRIBE: Call = Call::read("DescribeSecurityGroupRules");
/// The call of [`groups`].
pub(crate) const DESCRIBE_GROUPS: Call = Call::read("DescribeSecurityGroups");
const AUTHORIZE_INGRESS: Call = Call::mutate("AuthorizeSecurityGroupIngress");
const AUTHORIZE_EGRESS: Call = Call::mutate("AuthorizeSecurityGroupEgress");
const REVOKE_INGRESS: Call = Call::mutate("RevokeSecurityGroupIngress").gone(RULE_GONE);
const REVOKE_EGRESS: Call = Call::mutate("RevokeSecurityGroupEgress").gone(RULE_GONE);

/// What revoking answers when the rule, or its whole group, is not there.
const RULE_GONE: &[&str] = &[
    "InvalidGroup.NotFound",
    "InvalidGroupId.NotFound",
    "InvalidPermission.NotFound",
    "InvalidSecurityGroupID.NotFound",
    "InvalidSecurityGroupRuleId.NotFound",
];

/// Which way traffic goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Into the group's members.
    Ingress,
    /// Out of them.
    Egress,
}

impl Direction {
    /// Returns whether it is the one that the API calls egress.
    pub(crate) fn is_egress(self) -> bool {
        self == Self::Egress
    }

    /// Returns the attribute of a security group that holds the blocks.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// The other end of what a rule allows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    /// A range of IPv4 addresses.
    Ipv4(String),
    /// A range of IPv6 addresses.
    Ipv6(String),
    /// A managed prefix list.
    PrefixList(String),
    /// The members of a security group, by its id.
    Group(String),
}

impl Peer {
    /// Returns a range in the form that EC2 stores.
    pub(crate) fn ipv4(text: &str) -> Self {
        Self::Ipv4(normalize::cidr(text).unwrap_or_else(|| text.to_owned()))
    }

    /// Returns a range in the form that EC2 stores.
    pub(crate) fn ipv6(text: &str) -> Self {
        Self::Ipv6(normalize::cidr(text).unwrap_or_else(|| text.to_owned()))
    }

    /// Returns a managed prefix list.
    pub(crate) fn prefix_list(id: &str) -> Self {
        Self::PrefixList(id.to_owned())
    }

    /// Returns a group; see [`group_id`].
    pub(crate) fn group(text: &str) -> Self {
        Self::Group(group_id(text).to_owned())
    }
}

/// What one rule allows in its direction. A group has at most one rule for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Traffic {
    /// The protocol as EC2 answers with it: `tcp`, `-1`, `47`.
    pub(crate) protocol: String,
    /// The first port, or the ICMP type; -1 for any, and for protocols that have neither.
    pub(crate) from: i32,
    /// The last port, or the ICMP code; likewise.
    pub(crate) to: i32,
    /// The other end.
    pub(crate) peer: Peer,
}

impl Traffic {
    /// Returns traffic in the form that EC2 stores.
    pub(crate) fn new(protocol: &str, from: Option<i32>, to: Option<i32>, peer: Peer) -> Self {
        let protocol = normalize::protocol(protocol);
        let (from, to) = if has_ports(&protocol) { (from, to) } else { (None, None) };
        Self { protocol, from: from.unwrap_or(-1), to: to.unwrap_or(-1), peer }
    }

    /// Reads the traffic of a rule.
    pub(crate) fn of(rule: &SecurityGroupRule) -> Option<Self> {
        let group = || rule.referenced_group_info().and_then(|group| group.group_id());
        let peer = (rule.cidr_ipv4().map(Peer::ipv4))
            .or_else(|| rule.cidr_ipv6().map(Peer::ipv6))
            .or_else(|| rule.prefix_list_id().map(Peer::prefix_list))
            .or_else(|| group().map(Peer::group))?;
        Some(Self::new(rule.ip_protocol()?, rule.from_port(), rule.to_port(), peer))
    }

    /// Tells whether it is what EC2 lets out of every new group: everything, to everywhere.
    pub(crate) fn is_default_egress(&self) -> bool {
        let everywhere = match &self.peer {
            Peer::Ipv4(range) => range == "0.0.0.0/0",
            Peer::Ipv6(range) => range == "::/0",
            Peer::PrefixList(_) | Peer::Group(_) => false,
        };
        everywhere && self.protocol == "-1"
    }
}

/// What a rule says beyond its traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Details {
    /// The description; an empty one is none.
    pub(crate) description: Option<String>,
    /// The account of the group on the other end, when the spec names it. It is no part of what EC2 compares.
    pub(crate) owner: Option<String>,
}

/// Tells whether a protocol has ports, or ICMP types and codes. EC2 drops them for every other (EC2 API,
/// `IpPermission`).
pub(crate) fn has_ports(protocol: &str) -> bool {
    matches!(normalize::protocol(protocol).as_str(), "tcp" | "udp" | "icmp" | "icmpv6")
}

/// Returns the id of a group that is written `sg-0ab1` or, for another account's, `123456789012/sg-0ab1`.
pub(crate) fn group_id(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

/// Returns the account of a group that is written with one; see [`group_id`].
pub(crate) fn group_owner(text: &str) -> Option<&str> {
    text.rsplit_once('/').map(|(owner, _)| owner)
}

/// Brings a group's id to the form without its account.
pub(crate) fn normalize_group(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| group_id(text).into())
}

/// Brings a description to null when it is empty: EC2 keeps none of the two apart.
pub(crate) fn normalize_description(value: &Value) -> Value {
    if value.as_str() == Some("") { Value::Null } else { value.clone() }
}

/// Checks a protocol.
pub(crate) fn is_protocol(value: &Value) -> Result<(), String> {
    let Some(text) = value.as_str() else { return Ok(()) };
    let name = normalize::protocol(text);
    let named = matches!(name.as_str(), "-1" | "tcp" | "udp" | "icmp" | "icmpv6");
    if named || name.parse::<u8>().is_ok() {
        return Ok(());
    }
    Err("must be `tcp`, `udp`, `icmp`, `icmpv6`, `-1` for all, or a protocol's number".to_owned())
}

/// Checks a description of a rule or group: EC2 takes 255 characters of these (EC2 API, `CreateSecurityGroup`).
pub(crate) fn is_description(value: &Value) -> Result<(), String> {
    let Some(text) = value.as_str() else { return Ok(()) };
    if text.chars().count() > 255 {
        return Err("must have at most 255 characters".to_owned());
    }
    let is_taken = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    match text.chars().find(|c| !is_taken(*c)) {
        Some(c) => Err(format!(
            "must be of ASCII letters, digits, spaces, and `._-:/()#,@[]+=&;{{}}!$*`, not `{}`",
            if c.is_control() { c.escape_default().to_string() } else { c.to_string() }
        )),
        None => Ok(()),
    }
}

/// Checks the ports of a rule against its protocol; `None` for a port that is not known yet or not given.
pub(crate) fn check_ports(protocol: &str, from: Option<i64>, to: Option<i64>) -> Option<String> {
    let protocol = normalize::protocol(protocol);
    let (low, high) = match protocol.as_str() {
        "tcp" | "udp" => (0, 65_535),
        "icmp" | "icmpv6" => (-1, 255),
        _ => return None,
    };
    if let Some(port) = [from, to].into_iter().flatten().find(|port| !(low..=high).contains(port)) {
        return Some(format!("must be between {low} and {high} for {protocol}, not {port}"));
    }
    match (from, to) {
        (Some(from), Some(to)) if low == 0 && from > to => {
            Some(format!("`from_port` is {from} and `to_port` only {to}"))
        }
        _ => None,
    }
}

/// Returns the permissions that stand for rules: one for each protocol and pair of ports, as the calls take them.
pub(crate) fn permissions<'a>(
    rules: impl IntoIterator<Item = (&'a Traffic, &'a Details)>,
) -> Vec<IpPermission> {
    let mut grouped = BTreeMap::new();
    for (Traffic { protocol, from, to, peer }, details) in rules {
        let empty = || {
            let permission = IpPermission::builder().ip_protocol(protocol);
            if has_ports(protocol) { permission.from_port(*from).to_port(*to) } else { permission }
        };
        let permission: &mut IpPermissionBuilder =
            grouped.entry((protocol, from, to)).or_insert_with(empty);
        *permission = with_peer(std::mem::take(permission), peer, details);
    }
    grouped.into_values().map(IpPermissionBuilder::build).collect()
}

fn with_peer(
    permission: IpPermissionBuilder,
    peer: &Peer,
    details: &Details,
) -> IpPermissionBuilder {
    let description = details.description.clone();
    match peer {
        Peer::Ipv4(range) => permission
            .ip_ranges(IpRange::builder().cidr_ip(range).set_description(description).build()),
        Peer::Ipv6(range) => permission.ipv6_ranges(
            Ipv6Range::builder().cidr_ipv6(range).set_description(description).build(),
        ),
        Peer::PrefixList(id) => permission.prefix_list_ids(
            PrefixListId::builder().prefix_list_id(id).set_description(description).build(),
        ),
        Peer::Group(id) => permission.user_id_group_pairs(
            UserIdGroupPair::builder()
                .group_id(id)
                .set_user_id(details.owner.clone())
                .set_description(description)
                .build(),
        ),
    }
}

/// Returns the groups that something is to have, or the default one of its VPC when there is none: EC2 takes a network
/// interface without any only when it is new. `live` are the groups that it has.
pub(crate) async fn or_default(
    cx: &Aws,
    wanted: Vec<String>,
    live: Vec<String>,
) -> Result<Vec<String>, ProviderError> {
    if !wanted.is_empty() || live.is_empty() {
        return Ok(wanted);
    }
    let known = groups(cx, vec![filters::exactly("group-id", live)]).await?;
    let Some(vpc) = known.into_iter().find_map(|group| group.vpc_id) else { return Ok(wanted) };
    let default =
        vec![filters::exactly("group-name", ["default"]), filters::exactly("vpc-id", [vpc])];
    Ok(groups(cx, default).await?.into_iter().filter_map(|group| group.group_id).collect())
}

/// Reads the groups that match every filter.
pub(crate) async fn groups(
    cx: &Aws,
    filters: Vec<Filter>,
) -> Result<Vec<SecurityGroup>, ProviderError> {
    let mut groups = Vec::new();
    let mut token = None;
    loop {
        let page = cx
            .ec2(DESCRIBE_GROUPS, |ec2| {
                ec2.describe_security_groups()
                    .set_filters(Some(filters.clone()))
                    .max_results(1000)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        groups.extend(page.security_groups.unwrap_or_default());
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(groups);
        }
    }
}

/// Reads the rules that match a filter.
pub(crate) async fn describe(
    cx: &Aws,
    filter: Filter,
) -> Result<Vec<SecurityGroupRule>, ProviderError> {
    let mut rules = Vec::new();
    let mut token = None;
    loop {
        let page = cx
            .ec2(DESCRIBE, |ec2| {
                ec2.describe_security_group_rules()
                    .filters(filter.clone())
                    .max_results(1000)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        rules.extend(page.security_group_rules.unwrap_or_default());
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(rules);
        }
    }
}

/// Adds rules to a group in one call, which takes all or none, and returns them.
pub(crate) async fn authorize(
    cx: &Aws,
    direction: Direction,
    group: &str,
    permissions: Vec<IpPermission>,
    tags: Option<TagSpecification>,
) -> Result<Vec<SecurityGroupRule>, ProviderError> {
    let permissions = Some(permissions);
    let tags = tags.map(|tags| vec![tags]);
    let rules = match direction {
        Direction::Ingress => {
            cx.ec2(AUTHORIZE_INGRESS, |ec2| {
                ec2.authorize_security_group_ingress()
                    .group_id(group)
                    .set_ip_permissions(permissions.clone())
                    .set_tag_specifications(tags.clone())
                    .send()
            })
            .await?
            .security_group_rules
        }
        Direction::Egress => {
            cx.ec2(AUTHORIZE_EGRESS, |ec2| {
                ec2.authorize_security_group_egress()
                    .group_id(group)
                    .set_ip_permissions(permissions.clone())
                    .set_tag_specifications(tags.clone())
                    .send()
            })
            .await?
            .security_group_rules
        }
    };
    Ok(rules.unwrap_or_default())
}

/// Reads the rules of a group, in one call with those of other groups that are asked for at the same time.
pub(crate) async fn of_group(
    cx: &Aws,
    group: &str,
) -> Result<Vec<SecurityGroupRule>, ProviderError> {
    let read = |groups: Items<String, Vec<SecurityGroupRule>>| async move {
        let groups = groups.get();
        let mut by_group: BTreeMap<String, Vec<SecurityGroupRule>> = BTreeMap::new();
        for rule in describe(cx, filters::exactly("group-id", &groups)).await? {
            by_group.entry(rule.group_id().unwrap_or_default().to_owned()).or_default().push(rule);
        }
        Ok(groups.iter().map(|group| by_group.get(group).cloned().unwrap_or_default()).collect())
    };
    cx.shared.rules.change((), group.to_owned(), DESCRIBE.name, read).await
}

/// Removes a rule from a group, in one call with others of the group that are to go at the same time.
pub(crate) async fn revoke_one(
    cx: &Aws,
    direction: Direction,
    group: &str,
    id: &str,
) -> Result<(), ProviderError> {
    let name = match direction {
        Direction::Ingress => REVOKE_INGRESS.name,
        Direction::Egress => REVOKE_EGRESS.name,
    };
    let revoke = |ids: Items<String, ()>| async move {
        let ids = ids.get();
        let count = ids.len();
        revoke(cx, direction, group, ids).await?;
        Ok(vec![(); count])
    };
    let key = (group.to_owned(), direction.is_egress());
    cx.shared.revoked.change(key, id.to_owned(), name, revoke).await
}

/// Removes rules from a group in one call, by their ids. One that is gone fails it with `NotFound`.
pub(crate) async fn revoke(
    cx: &Aws,
    direction: Direction,
    group: &str,
    ids: Vec<String>,
) -> Result<(), ProviderError> {
    let ids = Some(ids);
    match direction {
        Direction::Ingress => {
            cx.ec2(REVOKE_INGRESS, |ec2| {
                ec2.revoke_security_group_ingress()
                    .group_id(group)
                    .set_security_group_rule_ids(ids.clone())
                    .send()
            })
            .await?;
        }
        Direction::Egress => {
            cx.ec2(REVOKE_EGRESS, |ec2| {
                ec2.revoke_security_group_egress()
                    .group_id(group)
                    .set_security_group_rule_ids(ids.clone())
                    .send()
            })
            .await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_is_what_ec2_stores() {
        let traffic = |protocol, from, to, range| {
            Traffic::new(protocol, Some(from), Some(to), Peer::ipv4(range))
        };
        assert_eq!(traffic("6", 22, 22, "10.0.0.1/8"), traffic("tcp", 22, 22, "10.0.0.0/8"));
        assert_eq!(traffic("all", 0, 0, "0.0.0.0/0"), traffic("-1", -1, -1, "0.0.0.0/0"));
        assert_eq!(traffic("47", 1, 2, "0.0.0.0/0").from, -1);
        assert!(traffic("-1", 0, 0, "0.0.0.0/0").is_default_egress());
        assert!(!traffic("tcp", 0, 65_535, "0.0.0.0/0").is_default_egress());
    }

    #[test]
    fn rules_of_one_kind_go_as_one_permission() {
        let details =
            |text: &str| Details { description: Some(text.to_owned()), ..Details::default() };
        let rule =
            |port, peer, text| (Traffic::new("tcp", Some(port), Some(port), peer), details(text));
        let rules = [
            rule(22, Peer::ipv4("10.0.0.0/8"), "office"),
            rule(80, Peer::ipv4("0.0.0.0/0"), "web"),
            rule(22, Peer::group("123456789012/sg-1"), "peer"),
        ];
        let permissions = permissions(rules.iter().map(|(traffic, details)| (traffic, details)));
        assert_eq!(permissions.len(), 2);
        assert_eq!(permissions[0].from_port(), Some(22));
        assert_eq!(permissions[0].ip_ranges()[0].description(), Some("office"));
        assert_eq!(permissions[0].user_id_group_pairs()[0].group_id(), Some("sg-1"));
        assert_eq!(permissions[1].ip_ranges()[0].cidr_ip(), Some("0.0.0.0/0"));
    }

    #[test]
    fn ports_fit_their_protocol() {
        assert_eq!(check_ports("tcp", Some(0), Some(65_535)), None);
        assert_eq!(check_ports("icmp", Some(-1), Some(-1)), None);
        assert_eq!(check_ports("icmp", Some(8), Some(0)), None);
        assert_eq!(check_ports("-1", Some(0), Some(0)), None);
        assert!(check_ports("6", Some(-1), Some(-1)).is_some());
        assert!(check_ports("udp", Some(90), Some(80)).is_some());
        assert!(check_ports("tcp", Some(80), Some(70_000)).is_some());
    }

    #[test]
    fn protocols_and_descriptions_are_checked() {
        for good in ["tcp", "TCP", "-1", "all", "47", "icmpv6"] {
            assert!(is_protocol(&good.into()).is_ok(), "{good}");
        }
        for bad in ["", "http", "256", "-2"] {
            assert!(is_protocol(&bad.into()).is_err(), "{bad}");
        }
        assert!(is_description(&"SSH from the office (10.0.0.0/8)".into()).is_ok());
        assert!(is_description(&"안녕".into()).is_err());
    }
}
