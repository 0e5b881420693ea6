//! Recording what no call is made for: other addresses, and what refresh found of objects that nothing is done to.

use std::borrow::Cow;

use reconcile_applier::Providers as _;
use reconcile_model::{
    Action, Address, Change, Mode, ObjectState, Plan, Snapshot, plan::PlanMode, seal::seal_object,
};
use reconcile_state::{Record, StateChange};

use crate::pipeline::Engine;

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

/// Returns what the plan imports, as it is recorded: as it was found.
pub(crate) fn imported(
    engine: &Engine<'_>,
    plan: &Plan,
    lineage: &str,
) -> Vec<(Address, ObjectState)> {
    let imported = plan.changes.iter().filter(|change| change.imported);
    let object = |change: &Change| {
        let schema = engine.schemas.get(Mode::Managed, change.address.type_name())?;
        let object = ObjectState {
            id: change.id.clone()?,
            status: change.status,
            attributes: seal_object(change.before.as_ref()?, lineage),
            schema_version: schema.version,
            provider: change.provider.clone(),
            region: engine.providers.settler(&change.provider, None).provider().region(),
            dependencies: change.dependencies.clone(),
            created_at: None,
            create_before_destroy: change.create_before_destroy,
            timeouts: change.timeouts.clone(),
            operation: None,
        };
        Some((change.address.clone(), object))
    };
    imported.filter_map(object).collect()
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
            let address = drift.address.clone();
            records.push(commit(match &drift.deposed {
                None => StateChange::RemoveCurrent { address },
                Some(id) => StateChange::RemoveDeposed { address, id: id.clone() },
            }));
        }
    }
    records
}
