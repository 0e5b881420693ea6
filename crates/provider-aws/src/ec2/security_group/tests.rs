//! Tests of `aws_security_group` that make no call.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{IpPermission, IpRange, Tag};
use reconcile_model::Address;
use reconcile_model::proposed::{Renewal, propose};

use super::*;

fn operation() -> Operation {
    Operation {
        id: "0192f3c4-5b6d-7e8f-9012-3456789abcde".to_owned(),
        stack: "lab-web".to_owned(),
        address: Address::managed("aws_security_group", "web"),
    }
}

fn permission(protocol: &str, port: Option<i32>, range: &str) -> IpPermission {
    IpPermission::builder()
        .ip_protocol(protocol)
        .set_from_port(port)
        .set_to_port(port)
        .ip_ranges(IpRange::builder().cidr_ip(range).build())
        .build()
}

fn group(ingress: Vec<IpPermission>, egress: Vec<IpPermission>) -> Group {
    Group::builder()
        .group_id("sg-1")
        .group_name("web")
        .description("Managed by reconcile")
        .vpc_id("vpc-1")
        .owner_id("123456789012")
        .set_ip_permissions(Some(ingress))
        .set_ip_permissions_egress(Some(egress))
        .tags(Tag::builder().key("Name").value("web").build())
        .build()
}

fn block(protocol: &str, port: i64, range: &str) -> Value {
    let block = Object::new()
        .with("protocol", protocol)
        .with("from_port", port)
        .with("to_port", port)
        .with("cidr_blocks", vec![range]);
    Value::Map(block)
}

fn config() -> Object {
    Object::new().with("name", "web").with("tags", Object::new().with("Name", "web"))
}

/// Reads a group after it was planned or recorded so.
fn read(group: &Group, config: &Object, recorded: &Object) -> Object {
    let id = ObjectId::from("sg-1");
    let arguments: BTreeSet<String> = config.keys().cloned().collect();
    let target = Target { id: &id, recorded, arguments: &arguments };
    let mut live = recorded.clone();
    live.extend(object(group, &target, "ap-northeast-2"));
    live
}

fn plan(config: &Object, live: Option<&Object>) -> reconcile_model::proposed::Proposal {
    propose(&SCHEMA, config, live, &Object::new(), Renewal::IfForced)
}

fn goals_of(live: &Object, planned: &Object) -> Vec<(Direction, Goal)> {
    let (operation, id) = (operation(), ObjectId::from("sg-1"));
    goals(&Update { operation: &operation, id: &id, live, planned, restart: false })
}

#[test]
fn rules_are_added_after_the_create_and_then_nothing_changes() {
    let config = config()
        .with("ingress", vec![block("6", 22, "10.0.0.1/8"), block("tcp", 80, "0.0.0.0/0")])
        .with("egress", vec![block("all", 0, "0.0.0.0/0")]);
    let planned = plan(&config, None).after;

    let default = permission("-1", None, "0.0.0.0/0");
    let created = read(&group(vec![], vec![default.clone()]), &config, &planned);
    let goals = goals_of(&created, &planned);
    let [(Direction::Ingress, Goal::Exactly(rules))] = goals.as_slice() else {
        panic!("{goals:?}")
    };
    assert_eq!(rules.len(), 2);

    let ingress =
        vec![permission("tcp", Some(80), "0.0.0.0/0"), permission("tcp", Some(22), "10.0.0.0/8")];
    let finished = read(&group(ingress, vec![default]), &config, &planned);
    assert!(goals_of(&finished, &planned).is_empty());
    let again = plan(&config, Some(&finished));
    assert!(again.changed.is_empty(), "{:?}", again.changed);
}

#[test]
fn a_new_groups_default_rule_is_taken_away_once() {
    let planned = plan(&config(), None).after;
    assert!(planned.value("egress").is_unknown());

    let default = permission("-1", None, "0.0.0.0/0");
    let created = read(&group(vec![], vec![default.clone()]), &config(), &planned);
    assert_eq!(created.bool("revoke_default_egress"), Some(false));
    let goals = goals_of(&created, &planned);
    assert!(matches!(goals.as_slice(), [(Direction::Egress, Goal::WithoutDefault)]), "{goals:?}");

    let recorded = read(&group(vec![], vec![]), &config(), &planned);
    assert_eq!(recorded.bool("revoke_default_egress"), Some(true));
    assert_eq!(recorded.value("egress"), &Value::List(vec![]));

    let later = read(&group(vec![], vec![default]), &config(), &recorded);
    assert_eq!(later, recorded, "a rule resource added one like it");
    assert!(plan(&config(), Some(&later)).changed.is_empty());
}

#[test]
fn the_default_rule_can_stay() {
    let config = config().with("revoke_default_egress", false);
    let planned = plan(&config, None).after;
    let default = permission("-1", None, "0.0.0.0/0");
    let created = read(&group(vec![], vec![default]), &config, &planned);
    assert!(goals_of(&created, &planned).is_empty());
    assert!(plan(&config, Some(&created)).changed.is_empty());
}

#[test]
fn a_group_that_was_adopted_keeps_its_rules() {
    let default = permission("-1", None, "0.0.0.0/0");
    let adopted = read(&group(vec![], vec![default]), &config(), &Object::new());
    assert_eq!(adopted.list("egress").len(), 1);
    assert!(goals_of(&adopted, &plan(&config(), Some(&adopted)).after).is_empty());
}

#[test]
fn a_rule_added_by_hand_is_planned_away() {
    let config = config().with("ingress", vec![block("tcp", 80, "0.0.0.0/0")]);
    let planned = plan(&config, None).after;
    let ours = permission("tcp", Some(80), "0.0.0.0/0");
    let recorded = read(&group(vec![ours.clone()], vec![]), &config, &planned);
    let by_hand = permission("tcp", Some(22), "0.0.0.0/0");
    let live = read(&group(vec![ours, by_hand], vec![]), &config, &recorded);
    let plan = plan(&config, Some(&live));
    assert_eq!(plan.changed.len(), 1);
    let goals = goals_of(&live, &plan.after);
    let [(Direction::Ingress, Goal::Exactly(rules))] = goals.as_slice() else {
        panic!("{goals:?}")
    };
    assert_eq!(rules.len(), 1);
}

#[test]
fn no_blocks_mean_no_rules_and_no_argument_means_no_opinion() {
    let ours = permission("tcp", Some(80), "0.0.0.0/0");
    let given = config().with("ingress", Value::List(vec![]));
    let planned = plan(&given, None).after;
    let live = read(&group(vec![ours], vec![]), &given, &planned);
    let goals = goals_of(&live, &planned);
    assert!(
        matches!(goals.as_slice(), [(Direction::Ingress, Goal::Exactly(rules))] if rules.is_empty())
    );

    let left_out = plan(&config(), Some(&live));
    assert!(left_out.changed.is_empty(), "{:?}", left_out.changed);
}

#[test]
fn names_and_descriptions_are_checked() {
    assert!(is_name(&"lab-web-sg".into()).is_ok());
    for bad in ["", "sg-web", "웹"] {
        assert!(is_name(&bad.into()).is_err(), "{bad}");
    }
    assert!(is_group_description(&"".into()).is_err());
    assert_eq!(name(&operation(), &Object::new().with("name_prefix", "web-")), "web-edcba98765");
}
