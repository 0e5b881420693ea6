//! The walk over every kill point: the process is killed, and one plain run later nothing is leaked, doubled, or stuck.
//!
//! What survives a kill is what AWS was asked and what is on the disk. So there are two walks over each run: one over its
//! calls, killed before the service takes the call, when it takes it only after the next run (`late`), and after it took
//! it and before its answer; and one over its changes to the disk, killed before each: that of an intent (before the
//! call is sent), of an outcome (after the answer), of a commit, and each step of the checkpoint.
//!
//! `cargo xtask test` tries a fixed sample of the points; `cargo xtask walk` tries all.

use serde_json::json;

use crate::support::walk::{Disturb, End, Goal, Point, Scenario, Then, mutates, walk};

#[test]
#[cfg(target_os = "linux")]
fn one_plain_run_after_any_kill_ends_as_if_there_had_been_none() {
    walk(points, 4);
}

/// Returns every point of a run, with both of the runs that may follow.
fn points(scenario: &Scenario, goal: &Goal) -> Vec<Point> {
    let mut points = Vec::new();
    for nth in 1..=goal.calls.iter().filter(|it| mutates(it)).count() {
        let mut at_call = |kind, fault: &'static str, is_late: bool, end| {
            let disturb: Disturb = Box::new(move |stage| {
                stage.world.fault(&json!({
                    "kind": fault, "operation": "@mutating", "nth": nth, "seconds": 600,
                    "executed": is_late,
                }));
                stage.kill_at_fault();
                // What a late stop leaves stopped stays so, as what somebody stopped: docs/lifecycle.md.
                if is_late && stage.held() != ["StopInstances"] {
                    return Ok(Then::Land);
                }
                stage.world.forget_faults();
                Ok(Then::Judge)
            });
            points.push(Point { kind, nth, end, disturb });
        };
        for end in [End::Apply, End::Destroy] {
            at_call("before the call", "delay-before", false, end);
            at_call("after the call", "delay-after", false, end);
        }
        // What is deleted late by a key that was used again since is gone; the next plan sees it.
        let end = if scenario.command == "destroy" { End::Destroy } else { End::Apply };
        at_call("call lands late", "delay-before", true, end);
    }
    for (at, change) in goal.changes.iter().enumerate() {
        let nth = at + 1;
        let is_record = change.starts_with("write") && change.ends_with(".journal");
        let kind = if is_record { "before a record" } else { "before a file" };
        for end in [End::Apply, End::Destroy] {
            let disturb: Disturb = Box::new(move |stage| {
                stage.kill_at_change(nth)?;
                Ok(Then::Judge)
            });
            points.push(Point { kind, nth, end, disturb });
        }
    }
    assert!(points.len() > 20, "{}: there is something to walk over", scenario.name);
    points
}
