//! Recording what no call is made for: other addresses, and what refresh found of objects that nothing is done to.

use std::borrow::Cow;

use reconcile_model::{
    Action, Address, ObjectState, Plan, Snapshot, plan::PlanMode, seal::seal_object,
};
use reconcile_state::{Record, StateChange};

/// Returns the records that put everything where the plan has it, and the state as it is after them.
///
/// Nothing moves to where something else moves from, so each of them can be the last that is written.
pub(crate) fn moved<'s>(plan: &Plan, prior: &'s Snapshot) -> (Vec<Record>, Cow<'s, Snapshot>) {
    let moves = plan.moves();
    if moves.is_empty() {
        return (Vec::new(), Cow::Borrowed(prior));
    }
    let mut relocated = prior.clone();
    relocated.relocate(moves.iter().map(|(to, from)| (*from, *to)));
    let record = |(to, from): (&Address, &Address)| {
        let change = StateChange::Move { from: from.clone(), to: to.clone() };
        Record::Commit { operation: None, change }
    };
    (moves.into_iter().map(record).collect(), Cow::Owned(relocated))
}

/// Returns the records that bring the state up to date with what was found: values that only AWS decides, dependencies
/// that the spec has moved, and, when only that was asked for, all drift.
pub(crate) fn found(plan: &Plan, prior: &Snapshot, lineage: &str) -> Vec<Record> {
    let mut records = Vec::new();
    let commit = |change| Record::Commit { operation: None, change };
    for change in &plan.changes {
        if change.action != Action::NoOp || change.deposed {
            continue;
        }
        let recorded = prior.resources.get(&change.address).and_then(|it| it.current.as_ref());
        let (Some(recorded), Some(before)) = (recorded, &change.before) else { continue };
        let attributes = seal_object(before, lineage);
        let is_on_record = attributes == recorded.attributes
            && change.dependencies == recorded.dependencies
            && change.create_before_destroy == recorded.create_before_destroy
            && change.timeouts == recorded.timeouts;
        if is_on_record {
            continue;
        }
        let found = ObjectState {
            attributes,
            dependencies: change.dependencies.clone(),
            create_before_destroy: change.create_before_destroy,
            timeouts: change.timeouts.clone(),
            ..recorded.clone()
        };
        let address = change.address.clone();
        records.push(commit(StateChange::SetCurrent { address, object: Box::new(found) }));
    }
    if plan.options.mode == PlanMode::RefreshOnly {
        for drift in plan.drift.iter().filter(|drift| drift.after.is_none()) {
            records.push(commit(StateChange::RemoveCurrent { address: drift.address.clone() }));
        }
    }
    records
}
