//! Launches that go wrong.

use serde_json::json;

use super::{WEB, one};
use crate::support::World;

#[test]
fn a_launch_that_fails_says_why_and_is_replaced_by_the_next_apply() {
    let world = World::with_spec(&one(""));
    world.settings(&json!({ "instance_pending": 0.5 }));
    world.fault(&json!({
        "kind": "outcome", "operation": "RunInstances",
        "code": "Server.InsufficientInstanceCapacity", "message": "no such capacity today",
    }));
    world.run(&["apply", "--auto-approve"]).code(1).says("InsufficientInstanceCapacity");
    assert_ne!(world.actions(WEB), ["no-op"]);
    world.converge();
    assert_eq!(world.attributes(WEB)["instance_state"], "running");
    world.destroy();
}

#[test]
fn a_stopped_instance_is_left_as_it_is() {
    let world = World::with_spec(&one(""));
    world.converge();
    let id = world.id(WEB);
    world.call("ec2", "StopInstances", &json!({ "InstanceIds": [id] }));
    world.assert_converged();
    world.edit("main.yaml", "      # more", "      tags: { team: a }");
    world.converge();
    assert_eq!(world.attributes(WEB)["instance_state"], "stopped");
    world.destroy();
}

#[test]
fn a_protection_that_the_spec_did_not_give_holds() {
    let world = World::with_spec(&one(""));
    world.converge();
    let protection =
        |on| json!({ "InstanceId": world.id(WEB), "DisableApiTermination": { "Value": on } });
    world.call("ec2", "ModifyInstanceAttribute", &protection(true));
    world.run(&["destroy", "--auto-approve"]).code(1).says("disableApiTermination");
    world.edit("main.yaml", "      # more", "      force_destroy: true");
    world.converge();
    world.destroy();
}
