//! What the fold costs, by counting. What it does is tested from outside.

use std::cell::Cell;

use reconcile_model::{InstanceKey, Object, ResourceAddress};

use super::*;

thread_local! {
    static VISITS: Cell<usize> = const { Cell::new(0) };
}

/// Counts one look at a pending operation.
pub(super) fn visit() {
    VISITS.set(VISITS.get() + 1);
}

fn create(index: usize) -> [Record; 2] {
    let address =
        ResourceAddress::managed("aws_instance", "web").instance(Some(InstanceKey::Index(index)));
    let operation = format!("operation-{index}");
    let intent = Intent {
        operation: operation.clone(),
        address,
        verb: Verb::Create,
        provider: "aws".to_owned(),
        region: None,
        id: None,
        request: Object::new(),
        schema_version: 1,
        restart: false,
        dependencies: BTreeSet::new(),
        create_before_destroy: false,
        timeouts: BTreeMap::new(),
        attempt: 1,
        at: 0,
    };
    let id = ObjectId(format!("i-{index}"));
    [Record::Intent(Box::new(intent)), Record::Outcome { operation, id, at: 0 }]
}

#[test]
fn a_record_costs_the_same_however_many_operations_are_pending() {
    let (intents, outcomes): (Vec<_>, Vec<_>) = (0..5_000).map(create).map(|[a, b]| (a, b)).unzip();
    let mut ledger = Ledger::new(Snapshot::new("web", "lineage"));
    VISITS.set(0);
    for record in intents.iter().chain(&outcomes) {
        ledger.apply(record).unwrap();
    }
    assert_eq!(VISITS.get(), 0, "no two operations are on one address");
    assert_eq!((ledger.pending().count(), ledger.snapshot().resources.len()), (5_000, 5_000));
}

#[test]
fn the_state_is_not_copied() {
    let mut ledger = Ledger::new(Snapshot::new("web", "lineage"));
    let at = Arc::as_ptr(ledger.snapshot());
    for record in (0..100).flat_map(create) {
        ledger.apply(&record).unwrap();
        assert_eq!(Arc::as_ptr(ledger.snapshot()), at);
    }
}
