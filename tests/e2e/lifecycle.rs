//! What happens to a stack over time: changes, drift, failures, and interruptions.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::World;

/// Two groups, the second letting the first in, and a volume: three types of dependency in few calls.
const GROUPS: &str = r#"
resource:
  aws_security_group:
    front:
      name: front
      description: front
    back:
      name: back
      description: back
      ingress: { protocol: tcp, from_port: 80, to_port: 80, security_groups: ["${aws_security_group.front.id}"] }
"#;

const SERVER: &str = r#"
data:
  aws_ami:
    linux:
      owners: [amazon]
      most_recent: true
      filter: { name: name, values: ["al2023-ami-2023*-x86_64"] }
resource:
  aws_instance:
    web:
      ami: ${data.aws_ami.linux.id}
      instance_type: t3.micro
      tags: { Name: web }
output:
  address: { value: "${aws_instance.web.private_ip}" }
"#;

/// Returns [`SERVER`] and [`GROUPS`] in one spec.
fn server_and_groups() -> String {
    SERVER.replacen("resource:\n", GROUPS, 1)
}

#[test]
fn what_was_deleted_behind_our_back_is_created_again() {
    let world = World::with_spec(SERVER);
    world.converge();
    let first = world.id("aws_instance.web");
    world.call("ec2", "TerminateInstances", &json!({ "InstanceIds": [first] }));
    assert_eq!(world.actions("aws_instance.web"), ["create"]);
    world.converge();
    assert_ne!(world.id("aws_instance.web"), first);
    world.destroy();
}

#[test]
fn what_left_the_spec_goes_after_what_depends_on_it() {
    let world = World::with_spec(GROUPS);
    world.converge();
    // Both leave at once: the one that is referred to must go last, or AWS refuses.
    world.spec("");
    let output = world.run(&["apply", "--auto-approve"]).success();
    let position = |text: &str| output.stderr.find(text).unwrap_or_else(|| panic!("{output}"));
    assert!(
        position("aws_security_group.back: Destruction complete")
            < position("aws_security_group.front: Destroying"),
        "{output}"
    );
    world.assert_empty();
}

#[test]
fn what_is_no_longer_used_goes_after_its_users_changed() {
    let world = World::with_spec(GROUPS);
    world.converge();
    world.spec(
        "resource: { aws_security_group: { back: { name: back, description: back, ingress: [] } } }\n",
    );
    world.converge();
    assert_eq!(world.inventory()["security_groups"].as_array().map(Vec::len), Some(1));
    world.destroy();
}

#[test]
fn one_failure_leaves_the_others_done_and_a_second_run_finishes() {
    let world = World::with_spec(&server_and_groups());
    world.fault(
        &json!({ "kind": "error", "operation": "RunInstances", "code": "VcpuLimitExceeded" }),
    );
    world
        .run(&["apply", "--auto-approve"])
        .code(1)
        .says("VcpuLimitExceeded")
        .says("2 added")
        .says("failed   aws_instance.web");
    assert_eq!(world.actions("aws_instance.web"), ["create"]);
    world.converge();
    world.destroy();
}

#[test]
fn what_depends_on_a_failure_is_skipped_and_told() {
    let world = World::with_spec(GROUPS);
    world.fault(&json!({
        "kind": "error", "operation": "CreateSecurityGroup", "code": "SecurityGroupLimitExceeded",
    }));
    world
        .run(&["apply", "--auto-approve"])
        .code(1)
        .says("SecurityGroupLimitExceeded")
        .says("skipped  aws_security_group.back (waited for aws_security_group.front)");
    world.converge();
    world.destroy();
}

#[test]
fn answers_that_are_lost_create_nothing_twice() {
    let world = World::with_spec(&server_and_groups());
    for operation in ["RunInstances", "CreateSecurityGroup"] {
        world.fault(&json!({ "kind": "cut-after", "operation": operation }));
    }
    world.converge();
    let inventory = world.inventory();
    assert_eq!(inventory["instances"].as_array().map(Vec::len), Some(1), "{inventory:#}");
    assert_eq!(inventory["security_groups"].as_array().map(Vec::len), Some(2), "{inventory:#}");
    world.destroy();
}

#[test]
fn a_kill_after_the_call_is_recovered_by_the_next_apply() {
    let world = World::with_spec(SERVER);
    world.fault(&json!({ "kind": "delay-after", "operation": "RunInstances", "seconds": 600 }));
    let mut child = world
        .command(&["apply", "--auto-approve"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary can be run");
    world.wait_for_fault();
    child.kill().expect("it runs");
    child.wait().expect("it was killed");
    world.forget_faults();
    world.run(&["plan"]).success().says("An earlier run was interrupted");
    world.run(&["apply", "--auto-approve"]).success().says("Settled after an interrupted run");
    world.assert_converged();
    let inventory = world.inventory();
    assert_eq!(inventory["instances"].as_array().map(Vec::len), Some(1), "{inventory:#}");
    world.destroy();
}

#[test]
#[cfg(unix)]
fn an_interrupt_finishes_what_is_in_flight_and_starts_nothing_new() {
    let world = World::with_spec(GROUPS);
    world
        .fault(&json!({ "kind": "delay-after", "operation": "CreateSecurityGroup", "seconds": 2 }));
    let child = world
        .command(&["apply", "--auto-approve"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be run");
    world.wait_for_fault();
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-INT", &pid]).status();
    assert!(sent.expect("kill is there").success());
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{told}");
    assert!(told.contains("aws_security_group.front: Creation complete"), "{told}");
    assert!(told.contains("skipped  aws_security_group.back (the run was stopped)"), "{told}");
    world.converge();
    world.destroy();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the binary waits in real time")]
fn waiting_ends_soon_after_the_object_is_ready() {
    let world = World::with_spec(SERVER);
    world.settings(&json!({ "instance_pending": 2 }));
    let started = Instant::now();
    world.run(&["apply", "--auto-approve"]).success();
    // Two seconds, one poll, and what a busy machine takes; no fixed sleep of ten.
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
    world.assert_converged();
    world.destroy();
}

#[test]
fn fifty_groups_are_read_in_a_few_calls() {
    let world = World::with_spec(
        "resource:\n  aws_security_group:\n    many: { count: 50, name: \"many-${count.index}\", description: many }\n",
    );
    world.converge();
    world.forget_calls();
    world.assert_converged();
    let calls = world.calls();
    assert!(calls["total"].as_u64() <= Some(3), "{calls:#}");
    world.destroy();
}

#[test]
fn refresh_only_records_and_changes_nothing() {
    let world = World::with_spec(SERVER);
    world.converge();
    let id = world.id("aws_instance.web");
    world.call(
        "ec2",
        "CreateTags",
        &json!({ "Resources": [id], "Tags": [{ "Key": "Name", "Value": "by hand" }] }),
    );
    world.run(&["plan", "--refresh-only", "--detailed-exitcode"]).code(2).says("by hand");
    world.run(&["apply", "--refresh-only", "--auto-approve"]).success();
    assert_eq!(world.attributes("aws_instance.web")["tags"]["Name"], "by hand");
    assert_eq!(world.actions("aws_instance.web"), ["update"]);
    world.converge();
    world.destroy();
}

#[test]
fn targets_and_excludes_choose() {
    let world = World::with_spec(GROUPS);
    world.run(&["apply", "--auto-approve", "--target", "aws_security_group.front"]).success();
    assert_eq!(world.inventory()["security_groups"].as_array().map(Vec::len), Some(1));
    world.run(&["plan", "--exclude", "aws_security_group.front", "--detailed-exitcode"]).success();
    world.run(&["plan", "--target", "aws_security_group.frnt"]).code(1).says("There is no");
    world.converge();
    world.destroy();
}

#[test]
fn destroying_a_target_takes_what_depends_on_it_and_nothing_below_it() {
    let world = World::with_spec(GROUPS);
    world.converge();
    let groups = || world.inventory()["security_groups"].as_array().map(Vec::len);
    world.run(&["destroy", "--auto-approve", "--target", "aws_security_group.back"]).success();
    assert_eq!(groups(), Some(1), "what it depends on stays");
    world.converge();
    world.run(&["destroy", "--auto-approve", "--exclude", "aws_security_group.back"]).success();
    assert_eq!(groups(), Some(2), "what an excluded object depends on stays with it");
    world.run(&["destroy", "--auto-approve", "--target", "aws_security_group.front"]).success();
    world.assert_empty();
}

#[test]
fn state_can_be_listed_moved_and_forgotten() {
    let world = World::with_spec(GROUPS);
    world.converge();
    world.run(&["state", "list"]).success().says("aws_security_group.front");
    world.run(&["state", "show", "aws_security_group.front"]).success().says("front");
    world.edit("main.yaml", "    back:", "    rear:");
    world.run(&["state", "mv", "aws_security_group.back", "aws_security_group.rear"]).success();
    world.assert_converged();
    world.run(&["state", "rm", "aws_security_group.rear"]).success();
    assert_eq!(world.actions("aws_security_group.rear"), ["create"]);
    // The forgotten group still is there, and not ours to take.
    world
        .run(&["apply", "--auto-approve"])
        .code(1)
        .says("InvalidGroup.Duplicate")
        .says("did not create it");
}

#[test]
fn prevent_destroy_keeps_its_word() {
    let world = World::with_spec(
        "resource: { aws_security_group: { kept: { name: kept, description: kept, lifecycle: { prevent_destroy: true } } } }\n",
    );
    world.converge();
    world.edit("main.yaml", "description: kept", "description: other");
    world.run(&["plan"]).code(1).says("would be replaced").says("prevent_destroy");
    world.edit("main.yaml", "prevent_destroy: true", "prevent_destroy: false");
    world.converge();
    world.destroy();
}

#[test]
fn nobody_to_ask_is_an_error_that_names_the_flag() {
    let world = World::with_spec(GROUPS);
    world.run(&["apply"]).code(1).says("--auto-approve");
    world.run(&["destroy", "--auto-approve"]).success();
    world.assert_empty();
}

#[test]
fn json_events_are_one_a_line() {
    let world = World::with_spec(GROUPS);
    let output = world.run(&["apply", "--auto-approve", "--json"]).success();
    let types: Vec<String> = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .map(|event| event["type"].as_str().expect("a type").to_owned())
        .collect();
    assert!(types.iter().any(|it| it == "apply_complete"), "{types:?}");
    world.destroy();
}
