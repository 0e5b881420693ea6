//! Objects that get another address, and objects that are left alone, by what the spec says.

use crate::support::World;

const BEFORE: &str = r#"
resource:
  aws_security_group:
    front:
      name: front
      description: front
    many: { count: 2, name: "many-${count.index}", description: many }
    back:
      name: back
      description: back
      ingress: { protocol: tcp, from_port: 80, to_port: 80, security_groups: ["${aws_security_group.front.id}"] }
"#;

/// Another name for a block, another key for an instance, and a count where there was none.
const AFTER: &str = r#"
resource:
  aws_security_group:
    edge:
      name: front
      description: front
    many:
      for_each: ["a"]
      name: many-0
      description: many
    other: { name: many-1, description: many }
    back:
      count: 1
      name: back
      description: back
      ingress: { protocol: tcp, from_port: 80, to_port: 80, security_groups: ["${aws_security_group.edge.id}"] }
moved:
  - { from: aws_security_group.front, to: aws_security_group.edge }
  - { from: "aws_security_group.many[0]", to: 'aws_security_group.many["a"]' }
  - { from: "aws_security_group.many[1]", to: aws_security_group.other }
"#;

#[test]
fn what_moves_is_recorded_at_its_new_address_without_a_call() {
    let world = World::with_spec(BEFORE);
    world.converge();
    let id = |address: &str| world.id(&format!("aws_security_group.{address}"));
    let ids = ["front", "many[0]", "many[1]", "back"].map(id);
    world.spec(AFTER);
    world
        .run(&["plan", "--detailed-exitcode"])
        .code(2)
        .says("moved from aws_security_group.front")
        .says("4 objects under another address. Nothing else changes.");
    assert_eq!(world.actions("aws_security_group.edge"), ["no-op"]);
    world.forget_calls();
    world.run(&["apply", "--auto-approve"]).success();
    assert_eq!(world.calls()["mutating"], 0, "{:#}", world.calls());
    assert_eq!(["edge", "many[\"a\"]", "other", "back[0]"].map(id), ids);
    world.assert_converged();
    // Where nothing is recorded any more, the blocks say nothing.
    world.edit(
        "main.yaml",
        "name: many-1, description: many",
        "name: many-1, description: many, tags: { a: b }",
    );
    assert_eq!(world.actions("aws_security_group.other"), ["update"]);
    world.converge();
    world.destroy();
}

#[test]
fn what_moves_can_change_at_once_and_a_saved_plan_has_both() {
    let world = World::with_spec(BEFORE);
    world.converge();
    let id = world.id("aws_security_group.front");
    world.spec(&AFTER.replace("name: front\n", "name: front\n      tags: { tier: edge }\n"));
    let plan = world.plan_json();
    let changes = plan["resource_changes"].as_array().expect("a list");
    let edge = changes.iter().find(|it| it["address"] == "aws_security_group.edge");
    let edge = edge.expect("it is in the plan");
    assert_eq!(edge["previous_address"], "aws_security_group.front");
    assert_eq!(edge["change"]["actions"], serde_json::json!(["update"]));
    world.run(&["plan", "--out", "plan"]).success();
    world.run(&["apply", "plan"]).success();
    assert_eq!(world.id("aws_security_group.edge"), id);
    world.assert_converged();
    world.destroy();
}

#[test]
fn a_destroy_goes_by_the_new_addresses() {
    let world = World::with_spec(BEFORE);
    world.converge();
    world.spec(AFTER);
    world
        .run(&["plan", "--target", "aws_security_group.other"])
        .code(1)
        .says("What moves has to be in the plan");
    world.destroy();
}

#[test]
fn an_instance_that_moved_and_is_still_in_the_spec_is_refused() {
    let world = World::with_spec(BEFORE);
    world.converge();
    let moved = "moved: { from: \"aws_security_group.many[1]\", to: aws_security_group.other }\n";
    world.spec(&format!("{BEFORE}{moved}"));
    world.run(&["validate"]).success();
    world.run(&["plan"]).code(1).unwrapped().says("moved, and the spec still has it");
    world.spec(BEFORE);
    world.destroy();
}

#[test]
fn what_is_removed_is_left_alone_or_destroyed() {
    let world = World::with_spec(BEFORE);
    world.converge();
    let front = world.id("aws_security_group.front");
    let groups = || world.inventory()["security_groups"].as_array().map(Vec::len);
    assert_eq!(groups(), Some(4));
    let removed = "resource: {}
removed:
  - { from: aws_security_group.front, lifecycle: { destroy: false } }
  - { from: aws_security_group.many, lifecycle: { destroy: true } }
  - { from: aws_security_group.back }
";
    world.spec(removed);
    assert_eq!(world.actions("aws_security_group.front"), ["forget"]);
    assert_eq!(world.actions("aws_security_group.back"), ["delete"]);
    world.run(&["plan"]).success().says("will be left alone and forgotten");
    world.converge();
    assert_eq!(groups(), Some(1));
    world.run(&["state", "list"]).success().never_says("aws_security_group");
    world.call("ec2", "DeleteSecurityGroup", &serde_json::json!({ "GroupId": front }));
    world.destroy();
}

#[test]
fn what_is_imported_does_not_wait_for_what_moves() {
    let world = World::with_spec(BEFORE);
    world.converge();
    let parameters = serde_json::json!({ "GroupName": "more", "Description": "more" });
    let created = world.call("ec2", "CreateSecurityGroup", &parameters);
    let id = created["GroupId"].as_str().expect("an id");
    world.spec(
        &AFTER.replace("    edge:", "    more: { name: more, description: more }\n    edge:"),
    );
    world
        .run(&["import", "aws_security_group.edge", id])
        .code(1)
        .says("aws_security_group.front moves to aws_security_group.edge");
    world.run(&["import", "aws_security_group.more", id]).success();
    world.run(&["state", "list"]).success().says("aws_security_group.more");
    world.converge();
    world.destroy();
}
