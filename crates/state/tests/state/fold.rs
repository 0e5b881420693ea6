//! Which records may follow which, and what they come to.

use reconcile_model::{Object, ObjectStatus, Snapshot, Value, event::Verb};
use reconcile_state::{
    Executed, PendingOperation, PendingStatus, Record, StateChange, fold as fold_records,
};

use crate::fixtures::*;

const WEB: &str = "aws_instance.web";

fn create() -> Record {
    intend("op", Verb::Create, WEB, None)
}

fn created() -> Vec<Record> {
    vec![create(), outcome("op", "i-1"), commit("op", set(WEB, "i-1"))]
}

/// A create-then-delete replacement after its create.
fn replaced() -> Vec<Record> {
    let mut second = intent("new", Verb::Create, WEB, None);
    second.create_before_destroy = true;
    let mut records = created();
    records.extend([
        Record::Intent(Box::new(second)),
        outcome("new", "i-2"),
        commit("new", set(WEB, "i-2")),
    ]);
    records
}

fn abandoned() -> Vec<Record> {
    vec![create(), Record::Abandon { operation: "op".to_owned() }]
}

fn with(mut records: Vec<Record>, more: impl IntoIterator<Item = Record>) -> Vec<Record> {
    records.extend(more);
    records
}

/// Folds records of which the last one must be refused with these words, and change nothing.
#[track_caller]
fn check_illegal(records: &[Record], words: &str) {
    let (last, before) = records.split_last().unwrap();
    let (snapshot, pending) = folded(before);
    let mut ledger = reconcile_state::Ledger::new(snapshot.clone());
    for operation in &pending {
        ledger.apply(&Record::Carried(Box::new(operation.clone()))).unwrap();
    }
    let error = ledger.apply(last).expect_err("the last record is illegal").to_string();
    assert!(error.contains(words), "{error}");
    assert_eq!(**ledger.snapshot(), snapshot);
    assert_eq!(ledger.pending().cloned().collect::<Vec<_>>(), pending);
}

fn statuses(pending: &[PendingOperation]) -> Vec<&PendingStatus> {
    pending.iter().map(|operation| &operation.status).collect()
}

fn depose() -> StateChange {
    StateChange::Depose { address: address(WEB) }
}

fn remove() -> StateChange {
    StateChange::RemoveCurrent { address: address(WEB) }
}

fn remove_deposed(id: &str) -> StateChange {
    StateChange::RemoveDeposed { address: address(WEB), id: id.into() }
}

fn forget() -> StateChange {
    StateChange::Forget { address: address(WEB) }
}

fn moved(from: &str, to: &str) -> StateChange {
    StateChange::Move { from: address(from), to: address(to) }
}

#[test]
fn a_created_object_is_on_record_from_its_outcome_on() {
    let (snapshot, pending) = folded(&[create(), outcome("op", "i-1")]);
    let object = snapshot.resources[&address(WEB)].current.as_ref().unwrap();
    assert_eq!(object.status, ObjectStatus::Incomplete);
    assert_eq!((object.operation.as_deref(), object.created_at), (Some("op"), Some(1_700_000_005)));
    assert_eq!(object.timeouts["create"], 600);
    let disk = Value::Map(Object::new());
    let known = Object::new()
        .with("ami", "ami-1")
        .with("password", Value::Sealed("sha256:00".to_owned()))
        .with("disk", vec![disk]);
    assert_eq!(object.attributes, known, "what is unknown is not recorded");
    assert_eq!(statuses(&pending), [&PendingStatus::Answered { id: "i-1".into() }]);
}

#[test]
fn a_commit_ends_an_operation() {
    let (snapshot, pending) = folded(&created());
    assert_eq!(snapshot.resources[&address(WEB)].current, Some(object("i-1")));
    assert_eq!((snapshot.serial, pending.len()), (3, 0));
}

#[test]
fn an_outcome_deposes_what_the_create_replaces() {
    let (snapshot, _) = folded(&replaced());
    let resource = &snapshot.resources[&address(WEB)];
    assert_eq!(resource.current, Some(object("i-2")));
    assert_eq!(resource.deposed, [object("i-1")]);

    let delete = [intend("old", Verb::Delete, WEB, Some("i-1")), outcome("old", "i-1")];
    let (snapshot, _) = folded(&with(replaced(), delete.clone()));
    assert_eq!(snapshot.resources[&address(WEB)].deposed[0].status, ObjectStatus::Deleting);
    let gone = with(replaced(), delete.into_iter().chain([commit("old", remove_deposed("i-1"))]));
    assert_eq!(folded(&gone).0.resources[&address(WEB)].deposed, []);
}

#[test]
fn a_delete_leaves_nothing() {
    let delete = [intend("op", Verb::Delete, WEB, Some("i-1")), commit("op", remove())];
    assert!(folded(&with(created(), delete)).0.is_empty());
}

#[test]
fn failures_end_an_operation_unless_nobody_knows() {
    let none: [&PendingStatus; 0] = [];
    let (_, pending) = folded(&[create(), failed("op", Executed::No)]);
    assert_eq!(statuses(&pending), none);
    let unclear = PendingStatus::Unclear { message: "RunInstances: timed out".to_owned() };
    let (_, pending) = folded(&[create(), failed("op", Executed::Unknown)]);
    assert_eq!(statuses(&pending), [&unclear]);
    let records = [create(), outcome("op", "i-1"), failed("op", Executed::Unknown)];
    let (snapshot, pending) = folded(&records);
    assert_eq!(statuses(&pending), none, "the object is on record, so nothing is unclear");
    let status = snapshot.resources[&address(WEB)].current.as_ref().unwrap().status;
    assert_eq!(status, ObjectStatus::Incomplete);
    let update = intend("op", Verb::Update, WEB, Some("i-1"));
    let (_, pending) = folded(&with(created(), [update, failed("op", Executed::Yes)]));
    assert_eq!(statuses(&pending), none);
}

#[test]
fn an_abandoned_create_that_turns_up_is_one_too_many() {
    let again = [
        intend("again", Verb::Create, WEB, None),
        outcome("again", "i-2"),
        commit("again", set(WEB, "i-2")),
    ];
    let late = with(abandoned(), again.into_iter().chain([outcome("op", "i-1")]));
    let (snapshot, pending) = folded(&late);
    let resource = &snapshot.resources[&address(WEB)];
    assert_eq!(resource.current, Some(object("i-2")));
    assert_eq!(resource.deposed[0].id, "i-1".into());
    assert_eq!(resource.deposed[0].status, ObjectStatus::Incomplete);
    assert!(pending.is_empty());

    let (snapshot, _) = folded(&with(abandoned(), [outcome("op", "i-1")]));
    assert_eq!(snapshot.resources[&address(WEB)].current.as_ref().unwrap().id, "i-1".into());
    let expired = Record::Expire { operation: "op".to_owned() };
    assert!(folded(&with(abandoned(), [expired])).1.is_empty());
}

#[test]
fn what_is_deposed_can_be_restored() {
    let restore = StateChange::Restore { address: address(WEB), id: "i-1".into() };
    let records = with(created(), [change(depose()), change(restore)]);
    let (snapshot, _) = folded(&records);
    assert_eq!(snapshot.resources[&address(WEB)].current, Some(object("i-1")));
    assert_eq!(snapshot.resources[&address(WEB)].deposed, []);
}

#[test]
fn data_sources_are_recorded_without_operations() {
    let (snapshot, _) = folded(&[
        change(set("data.aws_ami.linux", "ami-1")),
        change(set("data.aws_ami.linux", "ami-2")),
    ]);
    let found = snapshot.resources[&address("data.aws_ami.linux")].current.as_ref().unwrap();
    assert_eq!(found.id, "ami-2".into());
}

#[test]
fn forgetting_ends_what_is_pending_there() {
    let (snapshot, pending) = folded(&with(vec![create()], [change(forget())]));
    assert!(snapshot.is_empty() && pending.is_empty());
    assert!(folded(&with(created(), [change(forget())])).0.is_empty());
}

#[test]
fn a_move_takes_dependents_along() {
    let group = "aws_security_group.web";
    let mut dependent = object("i-1");
    dependent.dependencies = [address(group).resource].into();
    let dependent = StateChange::SetCurrent { address: address(WEB), object: Box::new(dependent) };
    let records = vec![
        change(set(&format!("{group}[0]"), "sg-0")),
        change(set(&format!("{group}[1]"), "sg-1")),
        change(dependent),
    ];
    let first = moved(&format!("{group}[0]"), "aws_security_group.first");
    let second = moved(&format!("{group}[1]"), "aws_security_group.second");
    let dependencies = |records: &[Record]| {
        let (snapshot, _) = folded(records);
        let object = snapshot.resources[&address(WEB)].current.clone().unwrap();
        object.dependencies.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let one = with(records, [change(first)]);
    assert_eq!(dependencies(&one), "aws_security_group.first aws_security_group.web");
    let both = with(one, [change(second)]);
    assert_eq!(dependencies(&both), "aws_security_group.first aws_security_group.second");
}

#[test]
fn another_state_takes_the_place_of_this_one() {
    let mut other = Snapshot::new("web", "another lineage");
    other.serial = 40;
    let replace = StateChange::Replace { snapshot: Box::new(other) };
    let (snapshot, _) = folded(&with(created(), [change(replace)]));
    assert_eq!((snapshot.lineage.as_str(), snapshot.serial), ("another lineage", 41));
    assert!(snapshot.is_empty());
}

#[test]
fn intents_that_cannot_be() {
    let op = |verb, id| intend("other", verb, WEB, id);
    check_illegal(&[op(Verb::Create, Some("i-1"))], "no object yet");
    check_illegal(&with(created(), [op(Verb::Create, None)]), "an object is there");
    check_illegal(&[op(Verb::Update, None)], "names no object");
    check_illegal(&[op(Verb::Delete, Some("i-1"))], "not on record");
    check_illegal(&with(created(), [op(Verb::Update, Some("i-9"))]), "not on record");
    check_illegal(&[op(Verb::Forget, None)], "makes no call");
    check_illegal(&[create(), create()], "with this id is pending");
    check_illegal(&[create(), op(Verb::Create, None)], "operation op on the same object");
    let update = intend("op", Verb::Update, WEB, Some("i-1"));
    check_illegal(
        &with(created(), [update, op(Verb::Delete, Some("i-1"))]),
        "operation op on the same object",
    );
    let data = intend("op", Verb::Create, "data.aws_ami.linux", None);
    check_illegal(&[data], "a data source is not created");
}

#[test]
fn steps_out_of_order() {
    check_illegal(&[outcome("op", "i-1")], "no such operation");
    check_illegal(&[create(), commit("op", set(WEB, "i-1"))], "after its outcome only");
    check_illegal(&[create(), failed("op", Executed::Yes)], "has an outcome");
    check_illegal(&[create(), outcome("op", "i-1"), outcome("op", "i-2")], "another object before");
    check_illegal(&with(created(), [failed("op", Executed::No)]), "no such operation");
    let abandon = || Record::Abandon { operation: "op".to_owned() };
    let expire = || Record::Expire { operation: "op".to_owned() };
    check_illegal(&[create(), outcome("op", "i-1"), abandon()], "it was answered");
    check_illegal(&[create(), expire()], "only an abandoned operation");
    check_illegal(&with(abandoned(), [abandon()]), "abandoned before");
    check_illegal(&with(abandoned(), [commit("op", set(WEB, "i-1"))]), "it was abandoned");
    check_illegal(&with(abandoned(), [failed("op", Executed::No)]), "it was abandoned");
    let update = intend("op", Verb::Update, WEB, Some("i-1"));
    check_illegal(&with(created(), [update.clone(), abandon()]), "only a create");
    check_illegal(&with(created(), [update, outcome("op", "i-2")]), "another object than the call");
}

#[test]
fn commits_of_something_else() {
    let answered = || vec![create(), outcome("op", "i-1")];
    let words = "not of what the operation was about";
    check_illegal(&with(answered(), [commit("op", set(WEB, "i-2"))]), words);
    check_illegal(&with(answered(), [commit("op", set("aws_instance.other", "i-1"))]), words);
    check_illegal(&with(answered(), [commit("op", outputs(1))]), words);
    let delete = intend("old", Verb::Delete, WEB, Some("i-1"));
    check_illegal(&with(replaced(), [delete.clone(), commit("old", remove())]), words);
    check_illegal(&with(replaced(), [delete, commit("old", remove_deposed("i-2"))]), words);
}

#[test]
fn changes_that_cannot_be() {
    check_illegal(&with(created(), [change(set(WEB, "i-2"))]), "another object is current");
    check_illegal(&with(replaced(), [change(set(WEB, "i-1"))]), "another object is current");
    check_illegal(&[change(depose())], "no object to depose");
    check_illegal(&[change(remove())], "no object to remove");
    check_illegal(&[change(remove_deposed("i-1"))], "not deposed");
    check_illegal(&[change(forget())], "not on record");
    let restore = StateChange::Restore { address: address(WEB), id: "i-1".into() };
    check_illegal(&with(replaced(), [change(restore)]), "another object is current");
    let to = "aws_instance.other";
    check_illegal(&[change(moved(WEB, to))], "not on record");
    check_illegal(&with(created(), [change(moved(WEB, WEB))]), "on record already");
    check_illegal(&with(created(), [change(moved(WEB, "aws_lb.web"))]), "another type");
    let update = intend("op", Verb::Update, WEB, Some("i-1"));
    check_illegal(&with(created(), [update, change(moved(WEB, to))]), "pending operation");
    let other = StateChange::Replace { snapshot: Box::new(Snapshot::new("db", LINEAGE)) };
    check_illegal(&[change(other)], "another stack");
    let same = StateChange::Replace { snapshot: Box::new(Snapshot::new("web", LINEAGE)) };
    check_illegal(&[create(), change(same)], "operations are pending");
}

#[test]
fn what_was_pending_is_carried_over_as_it_was() {
    let (snapshot, pending) = folded(&first_run());
    let carried: Vec<_> =
        pending.iter().map(|operation| Record::Carried(Box::new(operation.clone()))).collect();
    let (again, still) = fold_records(snapshot.clone(), &carried).unwrap();
    assert_eq!((again, still), (snapshot, pending));
}
