//! Walking over the points of a run at which something can go wrong.
//!
//! A [`Scenario`] is a run and the world it begins in. It is made once undisturbed, which gives the [`Goal`]; then again
//! and again from the same beginning, each time disturbed at another [`Point`]. After each, one plain apply must lead to
//! the goal, or one plain destroy to nothing at all. [`walk`] does that on several worlds side by side and gives a
//! [`Table`] of what went wrong.

mod goal;
mod scenarios;
mod stage;
mod table;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;

pub(crate) use goal::Goal;
pub(crate) use scenarios::SCENARIOS;
pub(crate) use stage::Stage;
pub(crate) use table::Table;

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

/// Disturbs a run at all points, on as many worlds as `workers` says, and judges what each came to.
pub(crate) fn walk(scenario: &Scenario, goal: &Goal, points: Vec<Point>, workers: usize) -> Table {
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
