//! Records and objects to test with.

use std::collections::BTreeMap;
use std::time::Duration;

use reconcile_model::{
    Address, Object, ObjectId, ObjectState, ObjectStatus, Snapshot, Value, event::Verb,
};
use reconcile_state::{
    Executed, Holder, Intent, OpenOptions, PendingOperation, Record, StateChange, fold,
    verify::verify,
};

pub(crate) const LINEAGE: &str = "7b0c5c3e-6f1d-4f7e-8a55-3c1c9f1a2b3d";

pub(crate) fn address(text: &str) -> Address {
    text.parse().expect(text)
}

pub(crate) fn object(id: &str) -> ObjectState {
    ObjectState {
        id: id.into(),
        status: ObjectStatus::Ready,
        attributes: Object::new().with("id", id).with("ami", "ami-1"),
        schema_version: 1,
        provider: "aws".to_owned(),
        region: Some("ap-northeast-2".to_owned()),
        dependencies: Default::default(),
        created_at: Some(1_700_000_000),
        create_before_destroy: false,
        timeouts: BTreeMap::new(),
        operation: None,
    }
}

pub(crate) fn intent(operation: &str, verb: Verb, at: &str, id: Option<&str>) -> Intent {
    let group = (at.starts_with("aws_instance")).then(|| address("aws_security_group.web"));
    Intent {
        operation: operation.to_owned(),
        address: address(at),
        verb,
        provider: "aws".to_owned(),
        region: Some("ap-northeast-2".to_owned()),
        id: id.map(ObjectId::from),
        request: Object::new()
            .with("ami", "ami-1")
            .with("password", Value::Sealed("sha256:00".to_owned()))
            .with("id", Value::Unknown)
            .with("disk", vec![Value::Map(Object::new().with("volume_id", Value::Unknown))]),
        schema_version: 1,
        restart: false,
        dependencies: group.into_iter().map(|group| group.resource).collect(),
        create_before_destroy: false,
        timeouts: BTreeMap::from([("create".to_owned(), 600)]),
        attempt: 1,
        at: 1_700_000_000,
    }
}

pub(crate) fn intend(operation: &str, verb: Verb, at: &str, id: Option<&str>) -> Record {
    Record::Intent(Box::new(intent(operation, verb, at, id)))
}

pub(crate) fn outcome(operation: &str, id: &str) -> Record {
    Record::Outcome { operation: operation.to_owned(), id: id.into(), at: 1_700_000_005 }
}

pub(crate) fn commit(operation: &str, change: StateChange) -> Record {
    Record::Commit { operation: Some(operation.to_owned()), change }
}

pub(crate) fn change(change: StateChange) -> Record {
    Record::Commit { operation: None, change }
}

pub(crate) fn failed(operation: &str, executed: Executed) -> Record {
    let message = "RunInstances: timed out".to_owned();
    Record::Failed { operation: operation.to_owned(), executed, message }
}

pub(crate) fn set(at: &str, id: &str) -> StateChange {
    StateChange::SetCurrent { address: address(at), object: Box::new(object(id)) }
}

pub(crate) fn outputs(count: i64) -> StateChange {
    StateChange::SetOutputs { outputs: Object::new().with("count", count) }
}

/// A stack's first apply, of which the last operation did not come to its end.
pub(crate) fn first_run() -> Vec<Record> {
    vec![
        intend("op-1", Verb::Create, "aws_security_group.web", None),
        outcome("op-1", "sg-1"),
        commit("op-1", set("aws_security_group.web", "sg-1")),
        intend("op-2", Verb::Create, "aws_instance.web[0]", None),
        intend("op-3", Verb::Create, r#"aws_instance.web["a"]"#, None),
        outcome("op-2", "i-2"),
        failed("op-3", Executed::Unknown),
        commit("op-2", set("aws_instance.web[0]", "i-2")),
        change(outputs(1)),
    ]
}

/// The apply after it.
pub(crate) fn second_run() -> Vec<Record> {
    let forget = StateChange::Forget { address: address("aws_instance.web[0]") };
    vec![
        outcome("op-3", "i-3"),
        intend("op-4", Verb::Delete, "aws_security_group.web", Some("sg-1")),
        outcome("op-4", "sg-1"),
        change(forget),
        change(outputs(2)),
    ]
}

pub(crate) fn options() -> OpenOptions {
    OpenOptions {
        holder: Holder {
            pid: 4242,
            host: "build-7".to_owned(),
            user: "alice".to_owned(),
            command: "reconcile apply".to_owned(),
            since: 1_700_000_000,
        },
        lock_timeout: Duration::ZERO,
        lineage: LINEAGE.to_owned(),
        ..OpenOptions::default()
    }
}

/// Folds records on an empty state, and checks the state after each of them.
pub(crate) fn folded(records: &[Record]) -> (Snapshot, Vec<PendingOperation>) {
    let mut folded = (Snapshot::new("web", LINEAGE), Vec::new());
    for count in 1..=records.len() {
        folded =
            fold(Snapshot::new("web", LINEAGE), &records[..count]).expect("the records are legal");
        let serious = verify(&folded.0);
        let dangling = |problem: &reconcile_state::verify::Problem| {
            matches!(problem, reconcile_state::verify::Problem::Dangling { .. })
        };
        assert!(serious.iter().all(dangling), "{serious:?}");
    }
    folded
}
