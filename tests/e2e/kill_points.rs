//! The walk over every kill point: the process is killed, and one plain run later nothing is leaked, doubled, or stuck.
//!
//! What survives a kill is what AWS was asked and what is on the disk. So there are two walks over each run: one over its
//! calls, killed before the service takes the call, when it takes it only after the next run (`late`), and after it took
//! it and before its answer; and one over its changes to the disk, killed before each: that of an intent (before the
//! call is sent), of an outcome (after the answer), of a commit, and each step of the checkpoint.
//!
//! `cargo xtask test` tries a fixed sample of the points; `cargo xtask walk` tries all.

use serde_json::json;

use crate::support::walk::{Disturb, End, Goal, Point, SCENARIOS, Scenario, Table, Then, walk};

/// How many points of each scenario the sample has.
const SAMPLE: usize = 4;

/// How many worlds are walked on side by side, unless `RECONCILE_WALK_WORKERS` says otherwise.
const WORKERS: usize = 2;

#[test]
#[cfg(target_os = "linux")]
#[expect(clippy::print_stdout, reason = "the table is what the walk is for")]
fn one_plain_run_after_any_kill_ends_as_if_there_had_been_none() {
    let text = |name| std::env::var_os(name)?.into_string().ok();
    let number = |name| text(name)?.parse::<usize>().ok();
    let is_whole = text("RECONCILE_WALK").is_some_and(|it| it == "whole");
    let only = text("RECONCILE_WALK_ONLY").unwrap_or_default();
    let every = number("RECONCILE_WALK_EVERY").unwrap_or(1).max(1);
    let workers = number("RECONCILE_WALK_WORKERS");
    let mut table = Table::default();
    for (position, scenario) in SCENARIOS.iter().enumerate() {
        if !only.starts_with(scenario.name) && !scenario.name.starts_with(&only) {
            continue;
        }
        let goal = Goal::of(scenario);
        let mut points = points(scenario, &goal);
        if !only.is_empty() {
            points.retain(|point| point.name(scenario).starts_with(&only));
        } else if !is_whole {
            points = sample(scenario, points, position);
        }
        let points = points.into_iter().step_by(every).collect();
        table.merge(walk(scenario, &goal, points, workers.unwrap_or(WORKERS)));
        println!("{table}\n");
    }
    assert!(table.points() > 0, "no point is called `{only}`");
    table.assert_clean();
}

/// Returns every point of a run, with both of the runs that may follow.
fn points(scenario: &Scenario, goal: &Goal) -> Vec<Point> {
    let mut points = Vec::new();
    for nth in 1..=goal.calls.len() {
        let mut at_call = |kind, fault: &'static str, is_late: bool, end| {
            let disturb: Disturb = Box::new(move |stage| {
                stage.world.fault(&json!({
                    "kind": fault, "operation": "@mutating", "nth": nth, "seconds": 600,
                    "executed": is_late,
                }));
                stage.kill_at_fault();
                if is_late {
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

/// Returns a few points of every scenario, spread over its instants, other ones for each, the same in every run.
fn sample(scenario: &Scenario, points: Vec<Point>, number: usize) -> Vec<Point> {
    // A destroy waits for what a killed apply may still have under way: minutes that the whole walk has.
    let is_quick = |point: &Point| scenario.command == "destroy" || point.end == End::Apply;
    let points: Vec<Point> = points.into_iter().filter(is_quick).collect();
    let part = points.len() / SAMPLE;
    let chosen = |at: usize| at % part == (number * 7 + at / part * 3) % part && at / part < SAMPLE;
    points.into_iter().enumerate().filter(|(at, _)| chosen(*at)).map(|(_, point)| point).collect()
}
