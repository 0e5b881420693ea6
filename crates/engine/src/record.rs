//! Recording what refresh found of objects that nothing is done to.

use reconcile_model::{Action, ObjectState, Plan, Snapshot, plan::PlanMode, seal::seal_object};
use reconcile_state::{Record, StateChange};

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
