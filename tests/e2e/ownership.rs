//! The tags that say what is ours: on everything that can be tagged, put there by the call that created it, shown nowhere.

use std::collections::BTreeSet;

use reconcile_model::Mode;
use serde_json::{Value, json};

use crate::support::walk::SCENARIOS;

#[test]
fn every_create_carries_the_tags_and_no_plan_or_state_shows_them() {
    let scenario = SCENARIOS.iter().find(|it| it.name == "every type, apply");
    let world = (scenario.expect("it is there").folder)();
    let plan = world.plan_json().to_string();
    assert!(!plan.contains("reconcile:"), "{plan}");
    world.converge();

    let state = world.run(&["show", "--json"]).success().stdout;
    assert!(!state.contains("reconcile:"), "{state}");
    let state: Value = serde_json::from_str(&state).expect("JSON");
    let resources = state["values"]["root_module"]["resources"].as_array().cloned();
    let resources: Vec<Value> = resources.into_iter().flatten().collect();
    let recorded = |it: &Value| it["type"].as_str().expect("a type").to_owned();
    let recorded: BTreeSet<String> =
        resources.iter().filter(|it| it["mode"] == "managed").map(recorded).collect();
    let schemas = reconcile_provider_aws::schemas();
    let known: BTreeSet<String> =
        schemas.all(Mode::Managed).map(|it| it.type_name.to_owned()).collect();
    assert_eq!(recorded, known, "support/walk/every_type.yaml has every resource type");

    // Tags come with the call that creates: nothing was tagged afterwards.
    let calls = world.calls();
    for operation in ["CreateTags", "AddTags"] {
        assert!(calls["operations"].get(operation).is_none(), "{calls:#}");
    }
    let inventory = world.inventory();
    let objects = inventory.as_object().expect("an inventory");
    let objects: Vec<&Value> = objects.values().filter_map(Value::as_array).flatten().collect();
    // The interfaces of load balancers are AWS's own.
    let is_ours =
        |it: &&&Value| it["Description"].as_str().is_none_or(|it| !it.starts_with("ELB "));
    for object in objects.iter().filter(is_ours) {
        let tags = &object["tags"];
        assert_eq!(tags["reconcile:stack"], "every-type", "{object:#}");
        assert!(tags["reconcile:operation"].is_string(), "{object:#}");
    }
    // An inventory has no rules of groups.
    let rules = world.call("ec2", "DescribeSecurityGroupRules", &json!({}));
    let rules = rules["SecurityGroupRules"].as_array().cloned().unwrap_or_default();
    let of_rules: Vec<String> = rules
        .iter()
        .flat_map(|rule| rule["Tags"].as_array().cloned().unwrap_or_default())
        .filter(|tag| tag["Key"] == "reconcile:address")
        .map(|tag| tag["Value"].as_str().unwrap_or_default().to_owned())
        .collect();
    for resource in &resources {
        let schema = schemas.get(Mode::Managed, resource["type"].as_str().unwrap_or_default());
        if schema.is_some_and(|it| it.is_taggable()) {
            let address = &resource["address"];
            let is_listed = objects.iter().any(|it| it["tags"]["reconcile:address"] == *address);
            assert!(is_listed || of_rules.iter().any(|it| address == it), "{address} is tagged");
        }
    }
    world.destroy();
}
