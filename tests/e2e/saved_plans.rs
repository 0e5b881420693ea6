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
    let refused = world.run(&["apply", "saved.plan"]).code(1).says("stale").unwrapped();
    refused.says("aws_security_group.a: approved to be created, now to be left as it is");
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
    let refused = world.run(&["apply", "saved.plan"]).code(1).says("stale").unwrapped();
    refused
        .says("What differs from what was approved")
        .says("aws_security_group.a was changed outside of reconcile")
        .says("by hand")
        .says("Nothing was changed");
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
    let other = "0".repeat(64);
    let refused = world.run(&["apply", "--expect", &other]).code(1);
    refused.says("not the one that was approved").says("1 to add");
    world.assert_empty();
    world.run(&["apply", "--expect", &fingerprint]).success();
    world.destroy();
}

#[test]
fn a_saved_plan_is_stale_when_the_state_moved_on() {
    let world = World::with_spec(GROUP);
    world.converge();
    world.edit("main.yaml", "name: a,", "name: a, tags: { Name: a },");
    world.run(&["plan", "--out", "saved.plan"]).success();
    world.run(&["state", "mv", "aws_security_group.a", "aws_security_group.b"]).success();
    world.run(&["state", "mv", "aws_security_group.b", "aws_security_group.a"]).success();
    let refused = world.run(&["apply", "saved.plan"]).code(1).unwrapped();
    refused.says("the state was changed by another run").says("the state's serial: approved");
    world.destroy();

    // Another state altogether.
    std::fs::remove_dir_all(world.path("state")).expect("the state is there");
    world.run(&["apply", "saved.plan"]).code(1).says("the state is another one");
    world.assert_empty();
}

#[test]
fn the_file_must_be_the_approved_one() {
    let world = World::with_spec(GROUP);
    world.run(&["plan", "--out", "saved.plan"]).success();
    let other = "0".repeat(64);
    let refused = world.run(&["apply", "saved.plan", "--expect", &other]).code(1);
    refused.says("The saved plan is not the one that was approved");
    let saved: serde_json::Value = serde_json::from_str(&world.read("saved.plan")).expect("JSON");
    let fingerprint = saved["fingerprint"].as_str().expect("a fingerprint");
    world.run(&["apply", "saved.plan", "--expect", fingerprint]).success();
    world.destroy();
}

#[test]
fn any_byte_of_a_plan_file_counts() {
    let world = World::with_spec(GROUP);
    world.run(&["plan", "--out", "saved.plan"]).success();
    let whole = std::fs::read(world.path("saved.plan")).expect("the file is there");
    // Every byte is flipped beside the code of the command; here some, as a user would meet them.
    let step = whole.len() / 24;
    for at in (0..whole.len()).step_by(step).chain([whole.len() - 1]) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        std::fs::write(world.path("saved.plan"), flipped).expect("the file can be written");
        let refused = world.run(&["apply", "saved.plan"]).code(1);
        assert!(
            ["damaged", "was changed after it was made", "another version"]
                .iter()
                .any(|why| refused.stderr.contains(why)),
            "byte {at}: {refused}"
        );
    }
    world.assert_empty();
}
