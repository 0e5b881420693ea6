//! Calls that changes share, and the rate limits that all calls keep to.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::World;

const SERVERS: &str = "
data:
  aws_ami:
    linux:
      owners: [amazon]
      most_recent: true
      filter: [{ name: name, values: [\"al2023-ami-2023*-x86_64\"] }]
resource:
  aws_instance:
    web:
      count: 6
      ami: ${data.aws_ami.linux.id}
      instance_type: t3.micro
      tags: { team: blue }
";

fn operations(world: &World, name: &str) -> u64 {
    world.calls()["operations"][name].as_u64().unwrap_or_default()
}

fn number(calls: &Value, name: &str) -> u64 {
    calls[name].as_u64().expect("a number")
}

#[test]
fn one_bad_object_spoils_nobody_elses_change() {
    let world = World::with_spec(SERVERS);
    world.converge();
    let kept = world.id("aws_instance.web[3]");
    let protect = |protected: bool| {
        let value = json!({ "InstanceId": kept, "DisableApiTermination": { "Value": protected } });
        world.call("ec2", "ModifyInstanceAttribute", &value);
    };
    protect(true);
    let failed = world.run(&["destroy", "--auto-approve"]).code(1);
    failed.says("aws_instance.web[3]").never_says("Cannot delete aws_instance.web[2]");
    let left = world.run(&["state", "list"]).success().stdout;
    assert_eq!(left.trim(), "aws_instance.web[3]");
    protect(false);
    world.destroy();
}

#[test]
fn those_that_get_the_same_tags_share_a_call() {
    let world = World::with_spec(SERVERS);
    world.converge();
    world.forget_calls();
    world.edit("main.yaml", "team: blue", "team: red");
    world.converge();
    assert!(operations(&world, "CreateTags") < 6, "{}", world.calls()["operations"]);
    world.edit("main.yaml", "      tags: { team: red }\n", "");
    world.forget_calls();
    world.converge();
    assert!(operations(&world, "DeleteTags") < 6, "{}", world.calls()["operations"]);
    world.destroy();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the binary waits in real time")]
fn those_that_only_wait_keep_no_one_from_working() {
    let world = World::with_spec(SERVERS);
    world.settings(&json!({ "instance_pending": 3 }));
    let start = std::time::Instant::now();
    world.run(&["apply", "--auto-approve", "--parallelism", "1"]).success();
    // One after the other they would take 18 s.
    assert!(start.elapsed().as_secs() < 15, "{:?}", start.elapsed());
    world.destroy();
}

#[test]
fn a_lost_answer_to_a_shared_call_is_made_up_for() {
    let world = World::with_spec(SERVERS);
    world.converge();
    world.fault(&json!({ "kind": "cut-after", "operation": "TerminateInstances" }));
    world.destroy();
}

fn stack_251(multiplier: u32) -> World {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/calls/stack-251.yaml");
    let text = std::fs::read_to_string(path).expect("the stack is there");
    let world = World::new();
    let multiplier = format!("rate_limit_multiplier: {multiplier}");
    world.write("main.yaml", &text.replace("rate_limit_multiplier: 1000", &multiplier));
    world
}

#[test]
fn calls_keep_below_the_rate_limits() {
    let world = stack_251(20);
    world.settings(&json!({ "throttle": true, "throttle_scale": 20 }));
    world.run(&["apply", "--auto-approve"]).success();
    let calls = world.calls();
    let (total, throttled) = (number(&calls, "total"), number(&calls, "throttled"));
    assert!(throttled * 100 < total, "{throttled} of {total} were throttled");
    world.destroy();
}

#[test]
fn what_others_use_up_is_waited_for() {
    let world = World::with_spec(SERVERS);
    let refused = |operation: &str| {
        let code = "RequestLimitExceeded";
        json!({ "kind": "error", "operation": operation, "code": code, "status": 503, "times": 3 })
    };
    world.fault(&json!([refused("RunInstances"), refused("DescribeInstances")]));
    world.run(&["apply", "--auto-approve"]).success();
    assert_eq!(operations(&world, "RunInstances"), 6 + 3);
    assert_eq!(world.calls()["errors"]["RequestLimitExceeded"], 6);
    world.assert_converged();
    world.destroy();
}
