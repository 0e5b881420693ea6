//! Walking over the points of a run at which something can go wrong.
//!
//! A [`Scenario`] is a run and the world it begins in. It is made once undisturbed, which gives the [`Goal`]; then again
//! and again from the same beginning, each time disturbed at another [`Point`]. After each, one plain apply must lead to
//! the goal, or one plain destroy to nothing at all. [`walk`] does that on several worlds side by side and prints a
//! [`Table`] of what went wrong.

mod goal;
mod scenarios;
mod stage;
mod table;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;

pub(crate) use goal::{Goal, mutates};
pub(crate) use stage::Stage;

pub(crate) use scenarios::SCENARIOS;
use table::Table;

use super::World;

/// A run that is to be disturbed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    /// Makes the folder with the spec.
    pub(crate) folder: fn() -> World,
    /// Whether the stack was applied before.
    pub(crate) is_applied: bool,
    /// Variables that are set for the run and all that follows it.
    pub(crate) variables: &'static [(&'static str, &'static str)],
    /// `apply` or `destroy`.
    pub(crate) command: &'static str,
}

/// The plain run that follows a disturbed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// An apply, which must lead to the goal.
    Apply,
    /// A destroy, which must leave nothing.
    Destroy,
}

/// What is still to be done once the run that follows has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing.
    Judge,
    /// The call that the disturbance holds lands now.
    Land,
}

/// How a point disturbs the run; an error is told in the table.
pub(crate) type Disturb = Box<dyn Fn(&Stage) -> Result<Then, String> + Send + Sync>;

/// A point at which a run is disturbed, and the run that follows.
pub(crate) struct Point {
    /// The kind of disturbance: a row of the table.
    pub(crate) kind: &'static str,
    /// Which call or change it strikes, from one.
    pub(crate) nth: usize,
    pub(crate) end: End,
    pub(crate) disturb: Disturb,
}

impl Point {
    /// Returns what the point is called: the scenario, the kind, which one, and the run that follows.
    pub(crate) fn name(&self, scenario: &Scenario) -> String {
        let end = match self.end {
            End::Apply => "apply",
            End::Destroy => "destroy",
        };
        format!("{}, {} {}, then {end}", scenario.name, self.kind, self.nth)
    }
}

/// How many worlds are walked on side by side, unless `RECONCILE_WALK_WORKERS` says otherwise.
const WORKERS: usize = 2;

/// Walks over every scenario's points: a sample of so many of each, or what `RECONCILE_WALK` and its companions ask for,
/// as `cargo xtask walk` sets them. Prints the table, and checks that nothing went wrong.
#[expect(clippy::print_stdout, reason = "the table is what the walk is for")]
pub(crate) fn walk(points_of: fn(&Scenario, &Goal) -> Vec<Point>, sample_size: usize) {
    let text = |name| std::env::var_os(name)?.into_string().ok();
    let number = |name| text(name)?.parse::<usize>().ok();
    let is_whole = text("RECONCILE_WALK").is_some_and(|it| it == "whole");
    let only = text("RECONCILE_WALK_ONLY").unwrap_or_default();
    let every = number("RECONCILE_WALK_EVERY").unwrap_or(1).max(1);
    let workers = number("RECONCILE_WALK_WORKERS").unwrap_or(WORKERS);
    let mut table = Table::default();
    for (position, scenario) in SCENARIOS.iter().enumerate() {
        if !only.starts_with(scenario.name) && !scenario.name.starts_with(&only) {
            continue;
        }
        let goal = Goal::of(scenario);
        let mut points = points_of(scenario, &goal);
        if !only.is_empty() {
            points.retain(|point| point.name(scenario).starts_with(&only));
        } else if !is_whole {
            points = sample(scenario, points, position, sample_size);
        }
        let points = points.into_iter().step_by(every).collect();
        table.merge(walk_over(scenario, &goal, points, workers));
        println!("{table}\n");
    }
    assert!(table.points() > 0, "no point is called `{only}`");
    table.assert_clean();
}

/// Returns `size` points of a scenario, spread over its instants, other ones for each scenario, the same in every run.
fn sample(scenario: &Scenario, points: Vec<Point>, number: usize, size: usize) -> Vec<Point> {
    // A destroy waits for what a disturbed apply may still have under way: minutes that the whole walk has.
    let is_quick = |point: &Point| scenario.command == "destroy" || point.end == End::Apply;
    let points: Vec<Point> = points.into_iter().filter(is_quick).collect();
    let part = points.len() / size;
    let chosen = |at: usize| at % part == (number * 7 + at / part * 3) % part && at / part < size;
    points.into_iter().enumerate().filter(|(at, _)| chosen(*at)).map(|(_, point)| point).collect()
}

/// Disturbs a run at all points, on as many worlds as `workers` says, and judges what each came to.
fn walk_over(scenario: &Scenario, goal: &Goal, points: Vec<Point>, workers: usize) -> Table {
    let workers = workers.min(points.len());
    let points = Mutex::new(VecDeque::from(points));
    let table = Mutex::new(Table::default());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let stage = Stage::new(scenario);
                loop {
                    let next = points.lock().expect("no worker panics").pop_front();
                    let Some(point) = next else { break };
                    stage.begin();
                    let verdict = match (point.disturb)(&stage) {
                        Ok(then) => goal.judge(&stage, point.end, then),
                        Err(problem) => goal::Verdict::wedged(problem),
                    };
                    table.lock().expect("no worker panics").add(scenario, &point, verdict);
                }
            });
        }
    });
    table.into_inner().expect("no worker panics")
}
