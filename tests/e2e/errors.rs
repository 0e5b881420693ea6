//! What goes wrong outside the spec: one clear line on what to do, exit 1, nothing changed.

use serde_json::{Value, json};

use crate::support::World;

const GROUP: &str = "resource: { aws_security_group: { a: { name: a, description: a } } }\n";
const LOOKUP: &str = "data: { aws_vpc: { main: { default: true } } }\n";

#[test]
fn without_credentials() {
    let mut world = World::with_spec(LOOKUP);
    world.set("AWS_ACCESS_KEY_ID", "");
    world.set("AWS_SECRET_ACCESS_KEY", "");
    world.run(&["plan"]).code(1).says("no AWS credentials were found").says("AWS_PROFILE");
}

#[test]
fn without_a_region() {
    let world = World::new();
    world.write("main.yaml", &format!("stack: test\n{LOOKUP}"));
    world.run(&["plan"]).code(1).says("no AWS Region is set").says("provider:");
}

#[test]
fn with_a_region_that_is_none() {
    let world = World::new();
    world.write(
        "main.yaml",
        &format!("stack: test\nprovider: {{ aws: {{ region: seoul }} }}\n{LOOKUP}"),
    );
    world.run(&["plan"]).code(1).says("`region` must be a Region");

    let mut world = World::new();
    world.write("main.yaml", &format!("stack: test\n{LOOKUP}"));
    world.set("AWS_REGION", "seoul");
    world.run(&["plan"]).code(1).says("`seoul` is not the name of an AWS Region");
}

#[test]
fn with_an_endpoint_that_nobody_listens_on() {
    let mut world = World::with_spec(LOOKUP);
    world.set("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    world.run(&["plan"]).code(1).says("the endpoint cannot be reached").says("AWS_ENDPOINT_URL");
}

#[test]
fn with_an_endpoint_that_is_none() {
    let mut world = World::with_spec(LOOKUP);
    world.set("AWS_ENDPOINT_URL", "localhost:4566");
    world.run(&["plan"]).code(1).says("is not the address of an endpoint");
}

#[test]
fn with_access_denied() {
    let world = World::with_spec(GROUP);
    world.fault(&json!({
        "kind": "error", "operation": "CreateSecurityGroup", "code": "UnauthorizedOperation", "times": 0,
    }));
    world
        .run(&["apply", "--auto-approve"])
        .code(1)
        .says("CreateSecurityGroup: UnauthorizedOperation")
        .says("IAM policy");
    world.assert_empty();
}

#[test]
fn with_an_expired_token() {
    let world = World::with_spec(LOOKUP);
    world
        .fault(&json!({ "kind": "error", "operation": "*", "code": "RequestExpired", "times": 0 }));
    world.run(&["plan"]).code(1).says("RequestExpired").says("Log in again");
}

#[test]
fn with_a_damaged_state() {
    let world = World::with_spec(GROUP);
    world.converge();
    let good = world.read("state/test.json");
    let bad = good.replacen("\"serial\"", "\"seriel\"", 1);
    world.write("state/test.json", &bad);
    std::fs::remove_file(world.path("state/test.json.backup")).ok();
    std::fs::remove_file(world.path("state/test.journal.backup")).ok();
    for command in [&["plan"][..], &["apply", "--auto-approve"], &["destroy", "--auto-approve"]] {
        world.run(command).code(1).says("state/test.json");
    }
    assert_eq!(world.read("state/test.json"), bad, "what cannot be read is never overwritten");
    world.write("state/test.json", &good);
    world.assert_converged();
    world.destroy();
}

#[test]
fn with_a_state_from_the_future() {
    let world = World::with_spec(GROUP);
    world.converge();
    let text = world.read("state/test.json");
    let mut state: Value = serde_json::from_str(&text).expect("the state is JSON");
    state["format_version"] = json!(999);
    let newer = state.to_string();
    world.write("state/test.json", &newer);
    world.run(&["plan"]).code(1).says("newer");
    assert_eq!(world.read("state/test.json"), newer);
}

#[test]
fn with_the_state_of_another_stack() {
    let world = World::with_spec(GROUP);
    world.converge();
    let text = world.read("state/test.json");
    world.write("main.yaml", &world.read("main.yaml").replace("stack: test", "stack: other"));
    world.write("state/other.json", &text);
    world.run(&["plan"]).code(1).says("test");
    assert_eq!(world.read("state/other.json"), text);
}

#[test]
#[cfg(unix)]
fn while_another_run_holds_the_lock() {
    let world = World::with_spec(GROUP);
    world
        .fault(&json!({ "kind": "delay-after", "operation": "CreateSecurityGroup", "seconds": 3 }));
    let mut first = world
        .command(&["apply", "--auto-approve"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary can be run");
    world.wait_for_fault();
    world.run(&["apply", "--auto-approve"]).code(1).says("locked by").says("reconcile apply");
    // Who waits gets it.
    world.run(&["apply", "--auto-approve", "--lock-timeout", "30s"]).success().says("No changes");
    assert!(first.wait().expect("it ends").success());
    world.destroy();
}

#[test]
#[cfg(unix)]
fn with_a_state_folder_that_cannot_be_written() {
    let world = World::with_spec(GROUP);
    // A file where the folder should be: root may write anywhere, so permissions would not tell.
    world.write("state", "no folder");
    world.run(&["apply", "--auto-approve"]).code(1).says("state");
    assert_eq!(world.calls()["mutating"], 0);
    world.assert_empty();
}
