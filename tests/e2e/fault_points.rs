//! The walk over every fault: a call goes wrong in one of many ways, and one plain run later all is as if it had not.
//!
//! `cargo xtask test` tries a fixed sample of the points; `cargo xtask walk --faults` tries all.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::World;
use crate::support::walk::{Disturb, End, Goal, Point, Scenario, Stage, Then, mutates, walk};

/// A way in which a call goes wrong.
struct Way {
    kind: &'static str,
    /// The fault to order; which call it strikes is added.
    fault: fn() -> Value,
    /// Tells whether it says something about a call of this name that another way does not.
    applies: fn(&str) -> bool,
    /// How often the run is interrupted while the call is under way.
    interrupts: usize,
}

/// The calls that AWS takes on, and may fail at later.
const GOES_ON_LATER: [&str; 8] = [
    "CopySnapshot",
    "CreateImage",
    "CreateLoadBalancer",
    "CreateNatGateway",
    "CreateSnapshot",
    "CreateVolume",
    "ModifyVolume",
    "RunInstances",
];

/// Every way. What a read did before its answer was lost is nothing, so reads go wrong in four ways alone.
const WAYS: [Way; 10] = [
    Way {
        kind: "cut before the call",
        fault: || json!({ "kind": "cut-before" }),
        applies: mutates,
        interrupts: 0,
    },
    Way {
        kind: "cut after the call",
        fault: || json!({ "kind": "cut-after" }),
        applies: |_| true,
        interrupts: 0,
    },
    Way {
        kind: "half an answer",
        fault: || json!({ "kind": "truncate" }),
        applies: |_| true,
        interrupts: 0,
    },
    Way {
        kind: "500 before the call",
        fault: || json!({ "kind": "http", "status": 500 }),
        applies: |_| true,
        interrupts: 0,
    },
    Way {
        kind: "500 after the call",
        fault: || json!({ "kind": "http", "status": 500, "executed": true }),
        applies: mutates,
        interrupts: 0,
    },
    Way {
        kind: "throttling burst",
        fault: || json!({ "kind": "error", "code": "RequestLimitExceeded", "status": 503, "times": 4 }),
        applies: |_| true,
        interrupts: 0,
    },
    Way {
        kind: "no capacity",
        fault: || json!({ "kind": "error", "code": "InsufficientInstanceCapacity", "status": 500 }),
        applies: |operation| matches!(operation, "RunInstances" | "StartInstances"),
        interrupts: 0,
    },
    Way {
        kind: "fails later",
        fault: || json!({ "kind": "outcome", "code": "Server.InternalError", "message": "it failed" }),
        applies: |operation| GOES_ON_LATER.contains(&operation),
        interrupts: 0,
    },
    Way {
        kind: "interrupt",
        fault: || json!({ "kind": "delay-after", "seconds": 1 }),
        applies: mutates,
        interrupts: 1,
    },
    Way {
        kind: "two interrupts",
        fault: || json!({ "kind": "delay-after", "seconds": 600 }),
        applies: mutates,
        interrupts: 2,
    },
];

#[test]
#[cfg(unix)]
fn one_plain_run_after_any_fault_ends_as_if_there_had_been_none() {
    walk(points, 5);
}

/// Returns every call with every way in which it can go wrong, and after those that change something both of the runs that
/// may follow; and one run in which all that is new stays invisible for half a minute.
fn points(scenario: &Scenario, goal: &Goal) -> Vec<Point> {
    let mut points = Vec::new();
    for way in &WAYS {
        for (nth, operation) in (1..).zip(&goal.calls).filter(|(_, it)| (way.applies)(it)) {
            let mut point = |end| {
                let disturb: Disturb = Box::new(move |stage| {
                    let mut fault = (way.fault)();
                    fault["operation"] = "*".into();
                    fault["nth"] = nth.into();
                    stage.world.fault(&fault);
                    let ended = run(stage, way.interrupts);
                    stage.world.forget_faults();
                    ended.map(|()| Then::Judge)
                });
                points.push(Point { kind: way.kind, nth, end, disturb });
            };
            point(End::Apply);
            if mutates(operation) {
                point(End::Destroy);
            }
        }
    }
    points.push(Point {
        kind: "hidden for 30 s",
        nth: 1,
        end: End::Apply,
        disturb: Box::new(hide),
    });
    assert!(points.len() > 50, "{}: there is something to walk over", scenario.name);
    points
}

/// Makes the scenario's run, interrupted so often while the disturbed call is under way. A run may fail, but not crash.
fn run(stage: &Stage, interrupts: usize) -> Result<(), String> {
    if interrupts == 0 {
        let ended = stage.run(&stage.arguments());
        return match ended.code {
            Some(0 | 1) => Ok(()),
            other => Err(format!("ended with {other:?}: {}", ended.told)),
        };
    }
    let mut child = stage.start();
    // Which calls there are may hang on timing: a run can end without the one that was to be disturbed.
    if stage.world.waits_for_fault(Duration::from_secs(60)) {
        for _ in 0..interrupts {
            let pid = child.id().to_string();
            std::process::Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .expect("there is `kill`");
            sleep(Duration::from_millis(150));
        }
    }
    match child.wait().expect("it is our child").code() {
        Some(0 | 1 | 130) => Ok(()),
        other => Err(format!("ended with {other:?}")),
    }
}

/// Makes the scenario's run while what is new is invisible for half a minute, to reads and to the calls that use it.
fn hide(stage: &Stage) -> Result<Then, String> {
    stage.world.settings(&json!({ "hidden_seconds": 30, "hidden_from_writes": true }));
    let ended = stage.run(&stage.arguments());
    stage.world.settings(&json!({ "hidden_seconds": 0, "hidden_from_writes": false }));
    match ended.code {
        Some(0) => Ok(Then::Judge),
        other => Err(format!("ended with {other:?}: {}", ended.told)),
    }
}

/// What is new may be invisible for half a minute, and a run still succeeds at once.
#[test]
fn half_a_minute_of_eventual_consistency() {
    let world = World::with_stack("lab-web");
    world.settings(&json!({ "hidden_seconds": 30, "hidden_from_writes": true }));
    world.run(&["apply", "--auto-approve"]).success();
    world.assert_converged();
    world.settings(&json!({ "hidden_seconds": 0, "hidden_from_writes": false }));
    world.destroy();
}

/// What AWS takes on and fails at later is told, and replaced by the next run.
#[test]
fn what_fails_later_is_told_and_replaced_by_the_next_run() {
    for operation in ["RunInstances", "CreateImage", "CreateLoadBalancer"] {
        let world = World::with_stack("lab-web");
        world.fault(&json!({
            "kind": "outcome", "operation": operation, "code": "Server.InternalError", "message": "it failed",
        }));
        world.run(&["apply", "--auto-approve"]).code(1).says("The next apply replaces it");
        world.converge();
        world.destroy();
    }
}
