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
        dependencies: Default::default(),
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

#[test]
fn a_block_moves_at_the_cost_of_its_instances() {
    // If each looked at all that depends on the block, this would take minutes.
    const COUNT: usize = 20_000;
    let at = |name: &str, index| {
        ResourceAddress::managed("aws_instance", name).instance(Some(InstanceKey::Index(index)))
    };
    let (old, new) = (at("old", 0).resource, at("new", 0).resource);
    let object = |dependencies| reconcile_model::ObjectState {
        id: ObjectId::from("i-1"),
        status: reconcile_model::ObjectStatus::Ready,
        attributes: Object::new(),
        schema_version: 1,
        provider: "aws".to_owned(),
        region: None,
        dependencies,
        created_at: None,
        create_before_destroy: false,
        timeouts: BTreeMap::new(),
        operation: None,
    };
    let mut snapshot = Snapshot::new("web", "lineage");
    for index in 0..COUNT {
        for (address, dependencies) in
            [(at("old", index), Default::default()), (at("user", index), [old.clone()].into())]
        {
            let current = Some(object(dependencies));
            let state = reconcile_model::ResourceState { current, deposed: Vec::new() };
            snapshot.resources.insert(address, state);
        }
    }
    let mut ledger = Ledger::new(snapshot);
    let moved = |ledger: &mut Ledger, index| {
        let change = StateChange::Move { from: at("old", index), to: at("new", index) };
        ledger.apply(&Record::Commit { operation: None, change }).unwrap();
    };
    let uses = |ledger: &Ledger| {
        let user = &ledger.snapshot().resources[&at("user", 7)];
        user.current.as_ref().unwrap().dependencies.clone()
    };
    (0..COUNT - 1).for_each(|index| moved(&mut ledger, index));
    assert_eq!(uses(&ledger), [old, new.clone()].into());
    moved(&mut ledger, COUNT - 1);
    assert_eq!(uses(&ledger), [new].into());
}
