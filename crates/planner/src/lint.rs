//! Checks on a finished plan. Every planner test runs them.

use std::collections::BTreeMap;

use reconcile_model::{Action, Plan, plan::StepKind};

/// Returns what is wrong with a plan; nothing for a good one.
pub fn lint(plan: &Plan) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        if step.waits_for.iter().any(|&before| before >= index) {
            problems.push(format!("step {index} waits for a later one"));
        }
    }
    let mut steps_of: BTreeMap<usize, Vec<&StepKind>> = BTreeMap::new();
    for step in &plan.steps {
        if let Some(change) = step.kind.change() {
            steps_of.entry(change).or_default().push(&step.kind);
        }
    }
    for (index, change) in plan.changes.iter().enumerate() {
        let has = |kind: fn(usize) -> StepKind| {
            steps_of
                .get(&index)
                .map_or(0, |kinds| kinds.iter().filter(|it| ***it == kind(index)).count())
        };
        let expected = match change.action {
            Action::NoOp => (0, 0, 0, 0, 0),
            Action::Create => (1, 0, 0, 0, 0),
            Action::Update => (0, 1, 0, 0, 0),
            Action::Delete => (0, 0, 1, 0, 0),
            Action::Replace(_) => (1, 0, 1, 0, 0),
            Action::Read => (0, 0, 0, 1, 0),
            Action::Forget => (0, 0, 0, 0, 1),
        };
        let found = (
            has(StepKind::Create),
            has(StepKind::Update),
            has(StepKind::Delete),
            has(StepKind::Read),
            has(StepKind::Forget),
        );
        let address = &change.address;
        if found != expected {
            problems
                .push(format!("{address}: the steps do not fit the action {:?}", change.action));
        }
        let sides = match change.action {
            Action::Create | Action::Read => (false, true),
            Action::Delete | Action::Forget => (true, false),
            Action::NoOp | Action::Update | Action::Replace(_) => (true, true),
        };
        if (change.before.is_some(), change.after.is_some()) != sides {
            problems
                .push(format!("{address}: the sides do not fit the action {:?}", change.action));
        }
        if change.action == Action::NoOp && !change.changed.is_empty() {
            problems.push(format!("{address}: nothing is done about a difference"));
        }
        if change.action == Action::Update
            && change.changed.is_empty()
            && change.status == reconcile_model::ObjectStatus::Ready
        {
            problems.push(format!("{address}: an update without a difference"));
        }
        if !change.causes.is_empty() && change.causes.len() != change.changed.len() {
            problems.push(format!("{address}: not every difference has its cause"));
        }
    }
    problems
}
