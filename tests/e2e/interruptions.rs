//! What stops a run from outside: signals, a disk that is full or not to be written, and readers that go away.
//!
//! Kills have a walk of their own over every instant.
#![cfg(unix)]

use std::process::{Child, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::World;

/// A group that another one lets in: two creates, one after the other.
const GROUPS: &str = r#"
resource:
  aws_security_group:
    front: { name: front, description: front }
    back:
      name: back
      description: back
      ingress: { protocol: tcp, from_port: 80, to_port: 80, security_groups: ["${aws_security_group.front.id}"] }
"#;

/// Returns the spec of some groups that do not depend on each other.
fn many_groups(count: usize) -> String {
    format!(
        "resource: {{ aws_security_group: {{ many: {{ count: {count}, name: \"many-${{count.index}}\", description: many }} }} }}\n"
    )
}

fn start(world: &World, arguments: &[&str]) -> Child {
    world
        .command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be run")
}

fn send(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill").args([signal, &pid]).status();
    assert!(sent.expect("kill is there").success());
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn groups(world: &World) -> usize {
    world.inventory()["security_groups"].as_array().map_or(0, Vec::len)
}

/// Runs the binary where no file may grow beyond some kilobytes, which to a program is what a full disk is.
fn run_on_a_full_disk(world: &World, kilobytes: u32) -> Output {
    let binary = env!("CARGO_BIN_EXE_reconcile");
    let mut shell = world.command(&[]);
    let environment: Vec<_> = shell
        .get_envs()
        .map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned)))
        .collect();
    let folder = shell.get_current_dir().expect("it is set").to_owned();
    shell = std::process::Command::new("bash");
    shell.env_clear().current_dir(folder).stdin(Stdio::null());
    for (name, value) in environment {
        shell.env(name, value.unwrap_or_default());
    }
    // An ignored signal stays ignored in the program, whose write then fails, as on a full disk.
    let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" apply --auto-approve");
    shell.args(["-c", &script, binary]).output().expect("bash can be run")
}

#[test]
fn terminating_stops_as_gently_as_an_interrupt() {
    let world = World::with_spec(GROUPS);
    world
        .fault(&json!({ "kind": "delay-after", "operation": "CreateSecurityGroup", "seconds": 2 }));
    let child = start(&world, &["apply", "--auto-approve"]);
    world.wait_for_fault();
    send(&child, "-TERM");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", told(&output));
    assert_eq!(groups(&world), 1);
    world.converge();
    world.destroy();
}

#[test]
fn a_second_interrupt_stops_at_once_and_leaves_a_state_that_can_be_resumed() {
    let world = World::with_spec(GROUPS);
    let never =
        json!({ "kind": "delay-after", "operation": "CreateSecurityGroup", "seconds": 600 });
    world.fault(&never);
    let mut child = start(&world, &["apply", "--auto-approve"]);
    world.wait_for_fault();
    send(&child, "-INT");
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().expect("it can be looked at").is_none(), "the call is in flight");
    send(&child, "-INT");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", told(&output));
    world.forget_faults();
    world.run(&["plan"]).success().says("An earlier run was interrupted");
    world.run(&["apply", "--auto-approve"]).success().says("Settled after an interrupted run");
    world.assert_converged();
    assert_eq!(groups(&world), 2);
    world.destroy();
}

#[test]
fn an_interrupt_ends_a_plan_too() {
    let world = World::with_spec(GROUPS);
    world.converge();
    world.fault(&json!({ "kind": "delay-before", "operation": "Describe*", "seconds": 600 }));
    let child = start(&world, &["plan"]);
    world.wait_for_fault();
    send(&child, "-INT");
    let output = child.wait_with_output().expect("it ends");
    // A plan has nothing to put in order, so the signal itself may end it.
    assert!(!output.status.success(), "{}", told(&output));
    world.forget_faults();
    world.destroy();
}

#[test]
fn a_full_disk_stops_the_run_before_a_call_that_could_not_be_recorded() {
    let mut stopped = 0;
    for kilobytes in [1, 2, 3, 5, 8] {
        let world = World::with_spec(&many_groups(6));
        let output = run_on_a_full_disk(&world, kilobytes);
        let told = told(&output);
        match output.status.code() {
            Some(0) => {}
            Some(1) => {
                stopped += 1;
                assert!(told.contains("state/test."), "the file is named: {told}");
                assert!(told.contains("File too large"), "the reason is told: {told}");
            }
            code => panic!("{code:?} {told}"),
        }
        // Whatever was made is on record, with its outcome or as an operation to be settled.
        let made = groups(&world);
        let journal = std::fs::read_to_string(world.path("state/test.journal")).unwrap_or_default();
        let intents = journal.matches("\"intent\"").count();
        let recorded = match std::fs::read(world.path("state/test.json")) {
            Ok(bytes) => {
                let state: Value = serde_json::from_slice(&bytes).expect("the state is whole");
                state["resources"].as_object().map_or(0, serde_json::Map::len)
            }
            Err(_) => 0,
        };
        assert!(
            made <= intents + recorded,
            "{made} made, {intents} + {recorded} on record: {told}"
        );
        world.converge();
        assert_eq!(groups(&world), 6, "with {kilobytes} KB");
        world.destroy();
    }
    assert!(stopped >= 2, "the disk was full in {stopped} runs only");
}

#[test]
fn a_journal_that_cannot_be_written_keeps_every_call_from_being_made() {
    let world = World::with_spec(GROUPS);
    world.write("state/test.journal/in-the-way", "");
    world.run(&["apply", "--auto-approve"]).code(1).says("state/test.journal");
    assert_eq!(world.calls()["mutating"], 0);
    world.assert_empty();
}

#[test]
fn who_stops_reading_does_not_stop_the_run() {
    for arguments in [&["apply", "--auto-approve"][..], &["apply", "--auto-approve", "--json"]] {
        let world = World::with_spec(GROUPS);
        world.fault(
            &json!({ "kind": "delay-after", "operation": "CreateSecurityGroup", "seconds": 1 }),
        );
        let mut child = start(&world, arguments);
        world.wait_for_fault();
        drop(child.stdout.take());
        drop(child.stderr.take());
        let status = child.wait().expect("it ends");
        assert!(status.code().is_some(), "a signal ended it: {status:?}");
        assert_eq!(groups(&world), 2, "{arguments:?}: what was begun is finished");
        world.assert_converged();
        world.destroy();
    }
}
