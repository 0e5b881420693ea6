//! `aws_vpc_security_group_ingress_rule` and `aws_vpc_security_group_egress_rule`: one rule of a security group.
//!
//! The two differ in their direction and in nothing else.
//!
//! # Remote API
//!
//! | verb   | calls                                                                               |
//! |--------|-------------------------------------------------------------------------------------|
//! | create | `AuthorizeSecurityGroupIngress` or `…Egress`                                        |
//! | read   | `DescribeSecurityGroupRules`, filtered by `security-group-rule-id`                  |
//! | update | `ModifySecurityGroupRules`, which keeps the id; `CreateTags`, `DeleteTags`          |
//! | delete | `RevokeSecurityGroupIngress` or `…Egress`, by the rule's id                         |
//! | find   | `DescribeSecurityGroupRules`, filtered by `group-id`                                |
//!
//! # Oddities
//!
//! - A group has one rule at most for the same traffic, whatever its description: that is the natural key.
//! - A rule can be changed to any other with the same kind of source; another kind needs another rule.
//! - EC2 drops the ports of protocols that have none and answers with -1, and says -1 for "any ICMP type" whether it
//!   was given or not.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    ResourceType as Taggable, SecurityGroupRule as Rule, SecurityGroupRuleRequest,
    SecurityGroupRuleUpdate,
};
use reconcile_model::normalize::{Normalize, protocol};
use reconcile_model::schema::{Check, Constraint, Recovery, Timeouts};
use reconcile_model::tags::Ownership;
use reconcile_model::{Attribute, Kind, Mode, Object, ObjectId, Schema};
use reconcile_provider::{
    Created, Depth, ErrorKind, Found, Notes, Observed, Operation, ProviderError, ResourceType,
    Status, Target, Update,
};

use super::rules::{
    self, Details, Direction, Peer, Traffic, check_ports, group_owner, has_ports, is_description,
    is_protocol, normalize_description, normalize_group,
};
use crate::call::Call;
use crate::many::{Ask, many};
use crate::{Aws, arn, filters, tags};

const MODIFY: Call = Call::mutate("ModifySecurityGroupRules")
    .gone(&["InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound"]);

/// A rule resource type, for one direction.
#[derive(Debug)]
pub struct SecurityGroupRule {
    direction: Direction,
    schema: &'static Schema,
}

/// The `aws_vpc_security_group_ingress_rule` resource type.
pub static INGRESS: SecurityGroupRule =
    SecurityGroupRule { direction: Direction::Ingress, schema: &INGRESS_SCHEMA };

/// The `aws_vpc_security_group_egress_rule` resource type.
pub static EGRESS: SecurityGroupRule =
    SecurityGroupRule { direction: Direction::Egress, schema: &EGRESS_SCHEMA };

static INGRESS_SCHEMA: Schema = Schema {
    type_name: "aws_vpc_security_group_ingress_rule",
    doc: "One rule for what comes in to the members of a security group.",
    iam_write: &[
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:RevokeSecurityGroupIngress",
        "ec2:ModifySecurityGroupRules",
        "ec2:CreateTags",
        "ec2:DeleteTags",
    ],
    ..SCHEMA
};

static EGRESS_SCHEMA: Schema = Schema {
    type_name: "aws_vpc_security_group_egress_rule",
    doc: "One rule for what goes out from the members of a security group.",
    iam_write: &[
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:ModifySecurityGroupRules",
        "ec2:CreateTags",
        "ec2:DeleteTags",
    ],
    ..SCHEMA
};

/// What both have in common.
const SCHEMA: Schema = Schema {
    type_name: "",
    mode: Mode::Managed,
    version: 1,
    doc: "",
    attributes: &[
        Attribute::computed("id", Kind::String).doc("The id, `sgr-…`."),
        Attribute::required("security_group_id", Kind::String)
            .replace()
            .refers_to("aws_security_group", "id")
            .doc("The group."),
        Attribute::required("ip_protocol", Kind::String)
            .normalize(Normalize::Protocol)
            .check(Check::Rule(is_protocol))
            .doc("The protocol: `tcp`, `udp`, `icmp`, `icmpv6`, `-1` for all, or its number."),
        Attribute::optional("from_port", Kind::Int)
            .check(Check::Range(-1, 65_535))
            .doc("The first port, or the ICMP type, -1 for all; left out for other protocols."),
        Attribute::optional("to_port", Kind::Int)
            .check(Check::Range(-1, 65_535))
            .doc("The last port, or the ICMP code, -1 for all; left out for other protocols."),
        Attribute::optional("cidr_ipv4", Kind::String)
            .replace_if(|prior, planned| is_another_kind("cidr_ipv4", prior, planned))
            .normalize(Normalize::Cidr)
            .check(Check::Cidr4)
            .doc("A range of IPv4 addresses on the other end."),
        Attribute::optional("cidr_ipv6", Kind::String)
            .replace_if(|prior, planned| is_another_kind("cidr_ipv6", prior, planned))
            .normalize(Normalize::Cidr)
            .check(Check::Cidr6)
            .doc("A range of IPv6 addresses on the other end."),
        Attribute::optional("prefix_list_id", Kind::String)
            .replace_if(|prior, planned| is_another_kind("prefix_list_id", prior, planned))
            .doc("A managed prefix list on the other end."),
        Attribute::optional("referenced_security_group_id", Kind::String)
            .replace_if(|prior, planned| {
                is_another_kind("referenced_security_group_id", prior, planned)
            })
            .normalize(Normalize::Rule(normalize_group))
            .refers_to("aws_security_group", "id")
            .doc("A security group on the other end; another account's as `ACCOUNT/sg-…`."),
        Attribute::optional("description", Kind::String)
            .normalize(Normalize::Rule(normalize_description))
            .check(Check::Rule(is_description))
            .doc("What the rule is for."),
        Attribute::computed("security_group_rule_id", Kind::String).doc("The id once more."),
        Attribute::computed("arn", Kind::String).doc("The Amazon Resource Name."),
        Attribute::optional("tags", Kind::Map(&Kind::String)).doc("The tags."),
        Attribute::computed("tags_all", Kind::Map(&Kind::String))
            .doc("The tags together with the provider's default tags."),
    ],
    constraints: &[Constraint::ExactlyOne(SOURCES), Constraint::Rule(check)],
    recovery: Recovery::NaturalKey(&[
        "security_group_id",
        "ip_protocol",
        "from_port",
        "to_port",
        "cidr_ipv4",
        "cidr_ipv6",
        "prefix_list_id",
        "referenced_security_group_id",
    ]),
    timeouts: Timeouts::minutes(5, 5, 5),
    iam_read: &["ec2:DescribeSecurityGroupRules"],
    iam_write: &[],
};

const SOURCES: &[&str] =
    &["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"];

/// What `ModifySecurityGroupRules` takes, always all of it.
const MODIFIABLE: &[&str] = &[
    "ip_protocol",
    "from_port",
    "to_port",
    "cidr_ipv4",
    "cidr_ipv6",
    "prefix_list_id",
    "referenced_security_group_id",
    "description",
];

#[async_trait]
impl ResourceType<Aws> for SecurityGroupRule {
    fn schema(&self) -> &'static Schema {
        self.schema
    }

    async fn create(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError> {
        let traffic = traffic(planned)?;
        let details = Details {
            description: planned.string("description").filter(|text| !text.is_empty()),
            owner: planned
                .str("referenced_security_group_id")
                .and_then(group_owner)
                .map(str::to_owned),
        };
        let permissions = rules::permissions([(&traffic, &details)]);
        let tags = tags::specification(operation, planned, Taggable::SecurityGroupRule);
        let group = planned.str("security_group_id").unwrap_or_default();
        let rules = rules::authorize(cx, self.direction, group, permissions, Some(tags)).await?;
        let id = rules.into_iter().find_map(|rule| rule.security_group_rule_id);
        id.map(Created::new).ok_or_else(|| {
            ProviderError::new(ErrorKind::Failed, "AuthorizeSecurityGroup", "no id was returned")
        })
    }

    async fn read(
        &self,
        cx: &Aws,
        targets: &[Target<'_>],
        _: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
        const ASK: Ask = Ask { filter: "security-group-rule-id", page: 1000 };
        let ids = targets.iter().map(|target| target.id.0.clone()).collect();
        let describe = |filter| rules::describe(cx, filter);
        let id = Rule::security_group_rule_id;
        let rules = many(cx, ASK, ids, describe, id).await?;
        let region = cx.region_name().await?;
        let found: BTreeMap<&str, &Rule> =
            rules.iter().filter_map(|rule| Some((rule.security_group_rule_id()?, rule))).collect();
        let observed = |target: &Target<'_>| {
            let rule = found.get(target.id.as_str())?;
            let ownership = Ownership::of(&tags::from_ec2(rule.tags()));
            let object = object(rule, target.recorded, &region);
            Some((target.id.clone(), Observed { object, status: Status::Ready, ownership }))
        };
        Ok(targets.iter().filter_map(observed).collect())
    }

    async fn update(&self, cx: &Aws, update: &Update<'_>) -> Result<Notes, ProviderError> {
        if MODIFIABLE.iter().any(|name| update.changes(self.schema, name)) {
            let change = SecurityGroupRuleUpdate::builder()
                .security_group_rule_id(update.id.as_str())
                .security_group_rule(request(
                    traffic(update.planned)?,
                    update.planned.str("description"),
                ))
                .build();
            let group = update.planned.str("security_group_id").unwrap_or_default();
            cx.ec2(MODIFY, |ec2| {
                ec2.modify_security_group_rules()
                    .group_id(group)
                    .security_group_rules(change.clone())
                    .send()
            })
            .await
            .map_err(|error| error.about(update.id))?;
        }
        tags::update_ec2(cx, self.schema, update).await?;
        Ok(Notes::new())
    }

    async fn delete(
        &self,
        cx: &Aws,
        _: &Operation,
        id: &ObjectId,
        recorded: &Object,
    ) -> Result<Notes, ProviderError> {
        let group = recorded.str("security_group_id").unwrap_or_default();
        match rules::revoke_one(cx, self.direction, group, id.as_str()).await {
            Ok(()) => Ok(Notes::new()),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Notes::new()),
            Err(error) => Err(error.about(id)),
        }
    }

    async fn find(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Found, ProviderError> {
        let group = planned.str("security_group_id").unwrap_or_default();
        let wanted = traffic(planned)?;
        let rules = rules::describe(cx, filters::exactly("group-id", [group])).await?;
        let same = rules.iter().find(|rule| {
            rule.is_egress().unwrap_or_default() == self.direction.is_egress()
                && Traffic::of(rule).as_ref() == Some(&wanted)
        });
        let Some(rule) = same else { return Ok(Found::Nothing) };
        let id = ObjectId::from(rule.security_group_rule_id().unwrap_or_default());
        let owner = Ownership::of(&tags::from_ec2(rule.tags()));
        if owner.operation.as_deref() == Some(operation.id.as_str()) {
            return Ok(Found::Ours(id));
        }
        let direction = self.direction.attribute();
        let description = format!("{group} has an {direction} rule for the same already: {id}.");
        Ok(Found::Foreign { id, description })
    }
}

fn traffic(planned: &Object) -> Result<Traffic, ProviderError> {
    let peer = (planned.str("cidr_ipv4").map(Peer::ipv4))
        .or_else(|| planned.str("cidr_ipv6").map(Peer::ipv6))
        .or_else(|| planned.str("prefix_list_id").map(Peer::prefix_list))
        .or_else(|| planned.str("referenced_security_group_id").map(Peer::group))
        .ok_or_else(|| {
            let what = "the rule names no source: every reference in it gave null";
            ProviderError::new(ErrorKind::Invalid, "AuthorizeSecurityGroup", what)
        })?;
    let protocol = planned.str("ip_protocol").unwrap_or_default();
    Ok(Traffic::new(protocol, planned.i32("from_port"), planned.i32("to_port"), peer))
}

fn request(traffic: Traffic, description: Option<&str>) -> SecurityGroupRuleRequest {
    let ports = has_ports(&traffic.protocol);
    let request = SecurityGroupRuleRequest::builder()
        .set_from_port(ports.then_some(traffic.from))
        .set_to_port(ports.then_some(traffic.to))
        .ip_protocol(traffic.protocol)
        // An empty description takes away the one that is there.
        .description(description.unwrap_or_default());
    match traffic.peer {
        Peer::Ipv4(range) => request.cidr_ipv4(range),
        Peer::Ipv6(range) => request.cidr_ipv6(range),
        Peer::PrefixList(id) => request.prefix_list_id(id),
        Peer::Group(id) => request.referenced_group_id(id),
    }
    .build()
}

fn object(rule: &Rule, recorded: &Object, region: &str) -> Object {
    let id = rule.security_group_rule_id().unwrap_or_default();
    let made_up =
        || Some(arn::ec2(region, rule.group_owner_id()?, &format!("security-group-rule/{id}")));
    // "Any" can be written as -1 or left out; EC2 answers -1 for both.
    let port =
        |port: Option<i32>, name| port.filter(|port| *port != -1 || recorded.i64(name) == Some(-1));
    let referenced = rule.referenced_group_info().and_then(|group| {
        let id = group.group_id()?;
        let owner = group.user_id().filter(|owner| Some(*owner) != rule.group_owner_id());
        Some(owner.map_or_else(|| id.to_owned(), |owner| format!("{owner}/{id}")))
    });
    let mut object = Object::new()
        .with("id", id)
        .with("security_group_id", rule.group_id())
        .with("ip_protocol", rule.ip_protocol().map(protocol))
        .with("from_port", port(rule.from_port(), "from_port"))
        .with("to_port", port(rule.to_port(), "to_port"))
        .with("cidr_ipv4", rule.cidr_ipv4())
        .with("cidr_ipv6", rule.cidr_ipv6())
        .with("prefix_list_id", rule.prefix_list_id())
        .with("referenced_security_group_id", referenced)
        .with("description", rule.description().filter(|text| !text.is_empty()))
        .with("security_group_rule_id", id)
        .with("arn", rule.security_group_rule_arn().map(str::to_owned).or_else(made_up));
    tags::set(&mut object, &tags::from_ec2(rule.tags()));
    object
}

/// Decides whether the source is given in one object and not in the other.
fn is_another_kind(source: &str, prior: &Object, planned: &Object) -> bool {
    prior.value(source).is_null() != planned.value(source).is_null()
}

fn check(config: &Object) -> Vec<(&'static str, String)> {
    let Some(protocol) = config.str("ip_protocol").map(protocol) else { return Vec::new() };
    let ports = ["from_port", "to_port"];
    if !has_ports(&protocol) {
        return ports
            .into_iter()
            .filter(|port| !config.value(port).is_null())
            .map(|port| (port, format!("must be left out: protocol {protocol} has no ports")))
            .collect();
    }
    if matches!(protocol.as_str(), "tcp" | "udp") {
        let missing: Vec<_> = ports
            .into_iter()
            .filter(|port| config.value(port).is_null())
            .map(|port| (port, format!("must be given for {protocol}")))
            .collect();
        if !missing.is_empty() {
            return missing;
        }
    }
    check_ports(&protocol, config.i64("from_port"), config.i64("to_port"))
        .map(|what| ("from_port", what))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{ReferencedSecurityGroup, Tag};
    use reconcile_model::Value;
    use reconcile_model::proposed::{Renewal, propose};

    use super::*;

    fn config() -> Object {
        Object::new()
            .with("security_group_id", "sg-1")
            .with("ip_protocol", "6")
            .with("from_port", 22)
            .with("to_port", 22)
            .with("cidr_ipv4", "10.0.0.1/8")
            .with("tags", Object::new().with("Name", "ssh"))
    }

    fn rule() -> aws_sdk_ec2::types::builders::SecurityGroupRuleBuilder {
        Rule::builder()
            .security_group_rule_id("sgr-1")
            .group_id("sg-1")
            .group_owner_id("123456789012")
            .is_egress(false)
            .tags(Tag::builder().key("Name").value("ssh").build())
    }

    fn check_stays(config: &Object, rule: &Rule) {
        let planned =
            propose(&INGRESS_SCHEMA, config, None, &Object::new(), Renewal::IfForced).after;
        let live = object(rule, &planned, "ap-northeast-2");
        let again =
            propose(&INGRESS_SCHEMA, config, Some(&live), &Object::new(), Renewal::IfForced);
        assert!(again.changed.is_empty(), "{:?}", again.changed);
        let again = object(rule, &live, "ap-northeast-2");
        assert_eq!(again, live);
    }

    #[test]
    fn what_was_created_reads_back_as_planned() {
        let tcp = rule().ip_protocol("tcp").from_port(22).to_port(22).cidr_ipv4("10.0.0.0/8");
        check_stays(&config(), &tcp.build());

        let group = ReferencedSecurityGroup::builder().group_id("sg-2").user_id("2").build();
        let all = rule().ip_protocol("-1").from_port(-1).to_port(-1).referenced_group_info(group);
        let config = config()
            .with("ip_protocol", "all")
            .with("from_port", Value::Null)
            .with("to_port", Value::Null)
            .with("cidr_ipv4", Value::Null)
            .with("referenced_security_group_id", "2/sg-2");
        check_stays(&config, &all.build());
    }

    #[test]
    fn any_icmp_type_may_be_written_or_left_out() {
        let icmp = rule().ip_protocol("icmp").from_port(-1).to_port(-1).cidr_ipv4("10.0.0.0/8");
        let config = config().with("ip_protocol", "icmp");
        let written = config.clone().with("from_port", -1).with("to_port", -1);
        let left_out = config.with("from_port", Value::Null).with("to_port", Value::Null);
        for config in [written, left_out] {
            check_stays(&config, &icmp.clone().build());
        }
    }

    #[test]
    fn another_range_is_an_update_and_another_kind_of_source_a_new_rule() {
        let tcp = rule().ip_protocol("tcp").from_port(22).to_port(22).cidr_ipv4("10.0.0.0/8");
        let live = object(&tcp.build(), &Object::new(), "ap-northeast-2");
        let plan = |config: &Object| {
            propose(&EGRESS_SCHEMA, config, Some(&live), &Object::new(), Renewal::IfForced)
        };
        let range = plan(&config().with("cidr_ipv4", "0.0.0.0/0"));
        assert_eq!((range.changed.len(), range.replace.len()), (1, 0));
        let ipv6 = plan(&config().with("cidr_ipv4", Value::Null).with("cidr_ipv6", "::/0"));
        assert_eq!(ipv6.replace.len(), 2);
    }

    #[test]
    fn a_change_sends_the_whole_rule() {
        let request = |config: &Object| request(traffic(config).unwrap(), None);
        let tcp = request(&config());
        assert_eq!((tcp.from_port(), tcp.to_port()), (Some(22), Some(22)));
        assert_eq!(tcp.cidr_ipv4(), Some("10.0.0.0/8"));
        assert_eq!(tcp.description(), Some(""));
        let all = request(&config().with("ip_protocol", "-1").with("from_port", Value::Null));
        assert_eq!(all.from_port(), None);
    }

    #[test]
    fn ports_are_checked_against_the_protocol() {
        assert!(check(&config()).is_empty());
        assert!(check(&config().with("from_port", Value::Unknown)).is_empty());
        assert_eq!(check(&config().with("from_port", Value::Null)).len(), 1);
        assert_eq!(check(&config().with("ip_protocol", "-1")).len(), 2);
        assert_eq!(check(&config().with("to_port", 20)).len(), 1);
    }
}
