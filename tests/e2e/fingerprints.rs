//! What a fingerprint stands for: the same everywhere for the same plan, another for any other.

use std::path::Path;

use serde_json::json;

use crate::support::World;

const SPEC: &str = "
variable: { note: { type: string, default: n } }
resource:
  aws_security_group:
    a: { name: a, description: a, tags: { Name: a, note: '${var.note}' } }
    b: { name: b, description: b }
";

fn fingerprint(world: &World, arguments: &[&str]) -> String {
    let arguments = [&["plan", "--json"], arguments].concat();
    let output = world.run(&arguments).success();
    let plan: serde_json::Value = serde_json::from_str(&output.stdout).expect("the plan is JSON");
    plan["reconcile"]["fingerprint"].as_str().expect("a fingerprint").to_owned()
}

#[test]
fn two_machines_come_to_the_same_bytes() {
    let world = World::with_spec(SPEC);
    world.converge();
    world.edit("main.yaml", "Name: a", "Name: x");
    let elsewhere = tempfile::tempdir().expect("a folder");
    copy(world.path(".").as_path(), elsewhere.path());

    let plans = |arguments: &[&str]| {
        let mut there = world.command(arguments);
        there
            .current_dir(elsewhere.path())
            .env("HOME", elsewhere.path())
            .env("TZ", "Asia/Seoul")
            .env("LC_ALL", "ko_KR.UTF-8")
            .env("LANG", "ko_KR.UTF-8")
            .env("USER", "somebody");
        let there = there.output().expect("the binary can be run");
        assert!(there.status.success(), "{}", String::from_utf8_lossy(&there.stderr));
        let here = world.run(arguments).success();
        (here.stdout, String::from_utf8(there.stdout).expect("UTF-8"))
    };
    for arguments in [["plan", "--format", "json"], ["plan", "--format", "text"]] {
        let (here, there) = plans(&arguments);
        assert_eq!(here, there);
        assert!(here.contains("aws_security_group.a"), "{here}");
    }
    world.destroy();
}

#[test]
fn whatever_moves_is_another_fingerprint_and_is_told() {
    let world = World::with_spec(SPEC);
    world.converge();
    world.edit("main.yaml", "Name: a", "Name: x");
    let approved = fingerprint(&world, &[]);
    assert_eq!(approved, fingerprint(&world, &[]), "nothing moved");
    let refused = |arguments: &[&str], why: &str| {
        assert_ne!(fingerprint(&world, arguments), approved, "{why}");
        let arguments = [&["apply", "--expect", &approved], arguments].concat();
        let output = world.run(&arguments).code(1).says("not the one that was approved");
        output.unwrapped().says(&format!("Moved since: {why}.")).says("aws_security_group.a");
    };

    // One argument, in the file and by a variable.
    world.edit("main.yaml", "description: b", "description: c");
    refused(&[], "the spec's files");
    world.edit("main.yaml", "description: c", "description: b");
    let request = "the stack's name, the options, or the variables";
    refused(&["--var", "note=m"], request);
    refused(&["--replace", "aws_security_group.b"], request);
    assert_eq!(fingerprint(&world, &[]), approved, "all is as it was");

    // One live attribute, of an object that the plan leaves alone.
    let live = |value: &str| {
        world.call(
            "ec2",
            "CreateTags",
            &json!({
                "Resources": [world.id("aws_security_group.b")],
                "Tags": [{ "Key": "by", "Value": value }],
            }),
        );
    };
    live("hand");
    refused(&[], "live objects, outside of reconcile");
    world.call(
        "ec2",
        "DeleteTags",
        &json!({ "Resources": [world.id("aws_security_group.b")], "Tags": [{ "Key": "by" }] }),
    );
    assert_eq!(fingerprint(&world, &[]), approved, "all is as it was");

    // The state's serial alone.
    world.run(&["state", "mv", "aws_security_group.b", "aws_security_group.c"]).success();
    world.run(&["state", "mv", "aws_security_group.c", "aws_security_group.b"]).success();
    refused(&[], "the state, by another run");

    // None of it was applied; what is approved now is.
    assert_eq!(world.attributes("aws_security_group.a")["tags"]["Name"], "a");
    let now = fingerprint(&world, &[]);
    world.run(&["apply", "--expect", &format!("sha256:{now}")]).success();
    world.destroy();
}

#[test]
fn what_is_no_fingerprint_is_refused_before_anything_is_done() {
    let world = World::with_spec(SPEC);
    for wrong in ["0123", "", &"g".repeat(64), &"0".repeat(63)] {
        let output = world.run(&["apply", "--expect", wrong]).code(1);
        output.says("names no fingerprint").says("64 hexadecimal digits");
    }
    assert_eq!(world.calls()["total"], 0);
    world.assert_empty();
}

#[test]
fn no_more_is_destroyed_than_was_allowed() {
    let world = World::with_spec(SPEC);
    // Creating destroys nothing.
    world.run(&["apply", "--auto-approve", "--max-destroy", "0"]).success();

    world.edit("main.yaml", "description: b", "description: c");
    for command in ["plan", "apply"] {
        let output = world.run(&[command, "--max-destroy", "0"]).code(1).unwrapped();
        output
            .says("The plan deletes or replaces 1, and 0 is the most allowed")
            .says("aws_security_group.b");
    }
    let refused = world.run(&["plan", "--max-destroy", "0", "--json"]).code(1);
    let told: serde_json::Value = serde_json::from_str(&refused.stdout).expect("one document");
    assert_eq!(told["valid"], false);
    world.run(&["plan", "--max-destroy", "0", "--out", "saved.plan"]).code(1);
    assert!(!world.path("saved.plan").exists(), "a refused plan is not saved");
    world.run(&["plan", "--max-destroy", "1", "--out", "saved.plan"]).success();
    world.run(&["apply", "saved.plan", "--max-destroy", "0"]).code(1).says("most allowed");
    world.run(&["apply", "saved.plan", "--max-destroy", "1"]).success();

    world.run(&["destroy", "--auto-approve", "--max-destroy", "1"]).code(1).says("replaces 2");
    world.run(&["destroy", "--auto-approve", "--max-destroy", "2"]).success();
    world.assert_empty();
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            std::fs::create_dir(&target).expect("a new folder");
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("the file can be copied");
        }
    }
}
