//! Which steps of a plan are ready.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use reconcile_model::Plan;

/// The steps of a plan that were not started yet.
pub(crate) struct Schedule {
    /// How many steps each one still waits for.
    open: Vec<usize>,
    followers: Vec<Vec<usize>>,
    ready: VecDeque<usize>,
    /// Steps that will not be started, with the step that failed.
    blocked: BTreeMap<usize, usize>,
    started: BTreeSet<usize>,
}

impl Schedule {
    /// Returns the schedule of a plan's steps.
    pub(crate) fn new(plan: &Plan) -> Self {
        let count = plan.steps.len();
        let mut followers = vec![Vec::new(); count];
        let mut open = vec![0; count];
        for (index, step) in plan.steps.iter().enumerate() {
            open[index] = step.waits_for.len();
            for &before in &step.waits_for {
                followers[before].push(index);
            }
        }
        let ready = (0..count).filter(|&index| open[index] == 0).collect();
        Self { open, followers, ready, blocked: BTreeMap::new(), started: BTreeSet::new() }
    }

    /// Takes the next step that is ready.
    pub(crate) fn next(&mut self) -> Option<usize> {
        let step = self.ready.pop_front()?;
        self.started.insert(step);
        Some(step)
    }

    /// Notes that a step was done.
    pub(crate) fn done(&mut self, step: usize) {
        for index in 0..self.followers[step].len() {
            let follower = self.followers[step][index];
            self.open[follower] -= 1;
            if self.open[follower] == 0 && !self.blocked.contains_key(&follower) {
                self.ready.push_back(follower);
            }
        }
    }

    /// Notes that a step failed: all that waits for it, directly or not, will not be started.
    pub(crate) fn failed(&mut self, step: usize) {
        let mut stack = vec![step];
        while let Some(at) = stack.pop() {
            for &follower in &self.followers[at] {
                if self.blocked.insert(follower, step).is_none() {
                    stack.push(follower);
                }
            }
        }
    }

    /// Returns the steps that were not started, each with the step that failed, if one did.
    pub(crate) fn left(&self) -> impl Iterator<Item = (usize, Option<usize>)> + '_ {
        (0..self.open.len())
            .filter(|step| !self.started.contains(step))
            .map(|step| (step, self.blocked.get(&step).copied()))
    }
}
