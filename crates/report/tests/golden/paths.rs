//! What policies walk: the paths of Terraform's documentation, over every golden plan.

use std::collections::BTreeSet;

use reconcile_model::{Action, ResourceAddress};
use reconcile_report::configuration::{Expression, ResourceConfiguration};
use serde_json::{Value as Json, json};

use crate::plans::golden;
use crate::support::{Making, group, instance, live_instance, object};

fn list(json: &Json) -> &[Json] {
    json.as_array().expect("a list")
}

fn text(json: &Json) -> &str {
    json.as_str().expect("text")
}

/// `resource_changes[_].change` is as documented: which sides are there for which actions, and what is unknown.
#[test]
fn changes_have_the_sides_that_their_actions_say() {
    for golden in golden() {
        let plan = golden.making.json();
        let mut seen = BTreeSet::new();
        for change in list(&plan["resource_changes"]) {
            let what = format!("{} of {}", change["address"], golden.name);
            assert!(seen.insert((text(&change["address"]), change["deposed"].as_str())), "{what}");
            let change = &change["change"];
            let actions: Vec<&str> = list(&change["actions"]).iter().map(text).collect();
            let (has_before, has_after) = (!change["before"].is_null(), !change["after"].is_null());
            let sides = match actions.as_slice() {
                ["create"] | ["read"] => (false, true),
                ["delete"] | ["forget"] => (true, false),
                ["no-op" | "update"] | ["delete", "create"] | ["create", "delete"] => (true, true),
                other => panic!("{what} has the actions {other:?}"),
            };
            assert_eq!((has_before, has_after), sides, "{what}");
            if actions == ["no-op"] {
                assert_eq!(change["before"], change["after"], "{what}");
            }
            for (name, unknown) in change["after_unknown"].as_object().into_iter().flatten() {
                // What is unknown as a whole has no value beside it.
                assert!(*unknown != json!(true) || change["after"].get(name).is_none(), "{what}");
            }
        }
    }
}

/// `planned_values.root_module.resources[_]` are the objects that will be there, with the same values.
#[test]
fn planned_values_are_what_will_be_there() {
    for golden in golden() {
        let plan = golden.making.json();
        let values = |section: &Json| -> Vec<(String, Json)> {
            let resources = list(&section["root_module"]["resources"]).iter();
            resources.map(|it| (text(&it["address"]).to_owned(), it["values"].clone())).collect()
        };
        let side = |name: &str| -> Vec<(String, Json)> {
            let changes = list(&plan["resource_changes"]).iter();
            let there = changes.filter(|it| it.get("deposed").is_none());
            let there = there.filter(|it| !it["change"][name].is_null());
            there.map(|it| (text(&it["address"]).to_owned(), it["change"][name].clone())).collect()
        };
        assert_eq!(values(&plan["planned_values"]), side("after"), "{}", golden.name);
        assert_eq!(values(&plan["prior_state"]["values"]), side("before"), "{}", golden.name);
    }
}

/// Each of `resource_drift[_]` is an update or a deletion of something that was there.
#[test]
fn drift_is_an_update_or_a_deletion() {
    for golden in golden() {
        for drift in list(&golden.making.json()["resource_drift"]) {
            let change = &drift["change"];
            assert!(change["before"].is_object());
            let is_gone = change["after"].is_null();
            let actions = if is_gone { json!(["delete"]) } else { json!(["update"]) };
            assert_eq!(change["actions"], actions, "{}", golden.name);
        }
    }
}

#[test]
fn references_are_followed_through_locals_to_what_is_relevant() {
    let mut making = Making::new();
    making.plan("aws_instance.web[0]", &instance().with("ami", "ami-1"), Some(&live_instance()));
    making.plan("aws_instance.idle", &instance(), Some(&live_instance()));
    assert_eq!(making.plan.changes[1].action, Action::NoOp);
    let references =
        |names: &[&str]| Expression::References(names.iter().map(|&it| it.to_owned()).collect());
    let block = |argument: &str, names: &[&str]| ResourceConfiguration {
        provider: "aws".into(),
        expressions: [(argument.to_owned(), references(names))].into(),
        ..ResourceConfiguration::default()
    };
    let configuration = &mut making.configuration;
    let web = block("ami", &["local.image", r#"aws_lb.web["a.b"].tags["x[y"]"#, "var.size"]);
    configuration.resources.insert(ResourceAddress::managed("aws_instance", "web"), web);
    let idle = block("ami", &["aws_ami_from_instance.other.id"]);
    configuration.resources.insert(ResourceAddress::managed("aws_instance", "idle"), idle);
    let image = references(&["data.aws_ami.linux[0].id", "local.image"]);
    configuration.locals.insert("image".into(), image);
    let plan = making.json();
    assert_eq!(
        plan["relevant_attributes"],
        json!([
            { "resource": r#"aws_lb.web["a.b"]"#, "attribute": ["tags", "x[y"] },
            { "resource": "data.aws_ami.linux[0]", "attribute": ["id"] },
        ])
    );
    assert_eq!(
        plan["configuration"]["root_module"]["resources"][1]["expressions"]["ami"]["references"],
        json!([
            "local.image",
            r#"aws_lb.web["a.b"].tags["x[y"]"#,
            r#"aws_lb.web["a.b"].tags"#,
            r#"aws_lb.web["a.b"]"#,
            "aws_lb.web",
            "var.size",
        ])
    );
}

/// Terraform's provider has rules of a group as objects with every member; checkov takes a null for a value.
#[test]
fn rules_of_a_group_have_every_member() {
    let mut making = Making::new();
    let bare = object(json!({ "protocol": "tcp", "from_port": 22, "to_port": 22 }));
    making.plan("aws_security_group.web", &group(vec![bare]), None);
    let plan = making.json();
    for ingress in [
        &plan["resource_changes"][0]["change"]["after"]["ingress"][0],
        &plan["planned_values"]["root_module"]["resources"][0]["values"]["ingress"][0],
    ] {
        let wanted = json!({
            "cidr_blocks": [], "description": "", "from_port": 22, "protocol": "tcp",
            "self": false, "to_port": 22,
        });
        assert_eq!(*ingress, wanted);
    }
}
