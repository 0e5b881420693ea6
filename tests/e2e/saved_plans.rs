//! A saved plan applies just as shown, or is refused as stale.

use serde_json::json;

use crate::support::World;

const GROUP: &str = "resource: { aws_security_group: { a: { name: a, description: a } } }\n";

#[test]
fn a_saved_plan_is_applied_as_shown() {
    let world = World::with_spec(GROUP);
    world.run(&["plan", "--out", "saved.plan"]).success().says("reconcile apply saved.plan");
    world.run(&["show", "saved.plan"]).success().says("1 to add");
    world.run(&["apply", "saved.plan"]).success().says("1 added");
    world.assert_converged();
    // A second time it is stale.
    world.run(&["apply", "saved.plan"]).code(1).says("stale");
    world.destroy();
}

#[test]
fn a_saved_plan_is_stale_when_the_spec_moved_on() {
    let world = World::with_spec(GROUP);
    world.run(&["plan", "--out", "saved.plan"]).success();
    world.edit("main.yaml", "description: a", "description: b");
    world.run(&["apply", "saved.plan"]).code(1).says("stale").says("the spec was changed");
    world.assert_empty();
}

#[test]
fn a_saved_plan_is_stale_when_what_is_there_moved_on() {
    let world = World::with_spec(GROUP);
    world.converge();
    world.edit("main.yaml", "name: a,", "name: a, tags: { Name: a },");
    world.run(&["plan", "--out", "saved.plan"]).success();
    let group = world.id("aws_security_group.a");
    world.call(
        "ec2",
        "CreateTags",
        &json!({ "Resources": [group], "Tags": [{ "Key": "Name", "Value": "by hand" }] }),
    );
    world.run(&["apply", "saved.plan"]).code(1).says("stale");
    world.converge();
    world.destroy();
}

#[test]
fn a_plan_file_that_was_tampered_with_is_noticed() {
    let world = World::with_spec(GROUP);
    world.run(&["plan", "--out", "saved.plan"]).success();
    let text = world.read("saved.plan");
    world.write("saved.plan", &text.replace("\"description\": \"a\"", "\"description\": \"b\""));
    world.run(&["apply", "saved.plan"]).code(1).says("was changed after it was made");
    world.assert_empty();
}

#[test]
fn an_expected_fingerprint_is_applied_and_no_other() {
    let world = World::with_spec(GROUP);
    let plan = world.plan_json();
    let fingerprint = plan["reconcile"]["fingerprint"].as_str().expect("a fingerprint").to_owned();
    world.run(&["apply", "--expect", "0123"]).code(1).says("not the one that was approved");
    world.assert_empty();
    world.run(&["apply", "--expect", &fingerprint]).success();
    world.destroy();
}
