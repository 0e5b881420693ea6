//! Editing by hand, and checking what comes of it.

use reconcile_model::{Diagnostic, Object, ResourceAddress, Snapshot, Value};
use reconcile_state::edit::{EditError, PushCheck, mv, push, rm};
use reconcile_state::verify::{Problem, verify};
use reconcile_state::{Record, StateChange, fold};

use crate::fixtures::*;

/// Two instances of a block, one that depends on them, and a data source.
fn state() -> Snapshot {
    let mut dependent = object("i-9");
    dependent.dependencies = [ResourceAddress::managed("aws_instance", "web")].into();
    let dependent =
        StateChange::SetCurrent { address: address("aws_lb.front"), object: Box::new(dependent) };
    let records = [
        change(set("aws_instance.web[0]", "i-0")),
        change(set("aws_instance.web[1]", "i-1")),
        change(set("data.aws_ami.linux", "ami-1")),
        change(dependent),
    ];
    folded(&records).0
}

/// Applies changes and checks that the state is still sound.
#[track_caller]
fn edited(changes: Result<Vec<StateChange>, EditError>) -> Vec<String> {
    let records: Vec<Record> = changes.unwrap().into_iter().map(change).collect();
    let (snapshot, _) = fold(state(), &records).unwrap();
    let dangling = |problem: &Problem| matches!(problem, Problem::Dangling { .. });
    assert!(verify(&snapshot).iter().all(dangling), "{:?}", verify(&snapshot));
    snapshot.resources.keys().map(ToString::to_string).collect()
}

#[test]
fn a_block_moves_with_all_its_instances() {
    let moved = edited(mv(&state(), &address("aws_instance.web"), &address("aws_instance.app")));
    assert_eq!(
        moved,
        ["aws_instance.app[0]", "aws_instance.app[1]", "aws_lb.front", "data.aws_ami.linux"]
    );
}

#[test]
fn an_instance_moves_alone() {
    let to = address(r#"aws_instance.web["a"]"#);
    let moved = edited(mv(&state(), &address("aws_instance.web[0]"), &to));
    assert!(moved.contains(&to.to_string()) && moved.contains(&"aws_instance.web[1]".to_owned()));
    let only = edited(mv(&state(), &address("aws_lb.front"), &address("aws_lb.back[0]")));
    assert!(only.contains(&"aws_lb.back[0]".to_owned()));
}

#[test]
fn moves_that_cannot_be() {
    let check = |from: &str, to: &str, expected: &str| {
        let error = mv(&state(), &address(from), &address(to)).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(Diagnostic::from(&error).hint.is_some());
    };
    check("aws_lb.none", "aws_lb.other", "aws_lb.none is not in the state");
    check("aws_instance.web", "aws_lb.web", "aws_instance.web cannot become aws_lb.web");
    check(
        "data.aws_ami.linux",
        "data.aws_ami.x",
        "data.aws_ami.linux cannot become data.aws_ami.x",
    );
    check(
        "aws_instance.web",
        "aws_instance.app[0]",
        "aws_instance.web has 2 instances, and aws_instance.app[0] is one",
    );
    check(
        "aws_instance.web[0]",
        "aws_instance.web[1]",
        "aws_instance.web[1] is in the state already",
    );
}

#[test]
fn removing_takes_a_block_or_an_instance() {
    let left = edited(rm(&state(), &address("aws_instance.web")));
    assert_eq!(left, ["aws_lb.front", "data.aws_ami.linux"]);
    assert_eq!(edited(rm(&state(), &address("aws_instance.web[1]"))).len(), 3);
    assert!(rm(&state(), &address("aws_instance.web[2]")).is_err());
}

#[test]
fn only_a_later_edit_of_the_same_state_is_pushed() {
    let current = state();
    let push_with = |edit: fn(&mut Snapshot), check| {
        let mut pushed = current.clone();
        edit(&mut pushed);
        push(&current, pushed, check).map_err(|error| error.to_string())
    };
    let check = PushCheck::Successor;
    assert_eq!(push_with(|_| (), check), Ok(None));
    assert!(push_with(|it| it.outputs = Object::new().with("a", 1_i64), check).unwrap().is_some());
    let stack = push_with(|it| it.stack = "db".to_owned(), PushCheck::Forced);
    assert_eq!(stack.unwrap_err(), "the pushed state is of the stack `db`, not of `web`");
    let lineage = push_with(|it| it.lineage = "other".to_owned(), check).unwrap_err();
    assert!(lineage.starts_with("the pushed state has the lineage other"), "{lineage}");
    let older = push_with(|it| it.serial = 1, check).unwrap_err();
    assert_eq!(older, "the pushed state has the serial 1, and the one that is there has 4");
    assert!(push_with(|it| it.lineage = "other".to_owned(), PushCheck::Forced).unwrap().is_some());

    let empty = Snapshot::new("web", "new");
    assert!(push(&empty, current.clone(), check).unwrap().is_some(), "the first state is anyone's");
}

#[test]
fn what_is_wrong_with_a_state_is_found() {
    let mut broken = state();
    broken.lineage.clear();
    let front = ResourceAddress::managed("aws_lb", "front");
    let gone = ResourceAddress::managed("aws_vpc", "gone");
    let first = broken.resources.get_mut(&address("aws_instance.web[0]")).unwrap();
    let current = first.current.as_mut().unwrap();
    current.dependencies = [front, gone].into();
    current.attributes.set("id", Value::Unknown);
    current
        .attributes
        .set("disk", vec![Value::Map(Object::new().with("key", Value::from("k").sensitive()))]);
    first.deposed.push(object("i-1"));
    broken.outputs.set("password", Value::from("hunter2").sensitive());
    let empty = reconcile_model::ResourceState { current: None, deposed: Vec::new() };
    broken.resources.insert(address("aws_lb.empty"), empty);
    let found: Vec<_> = verify(&broken).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "the state has no lineage",
            "aws_lb.empty holds no object",
            "i-1 is recorded at aws_instance.web[0] and at aws_instance.web[1]",
            "aws_instance.web[0] depends on aws_vpc.gone, of which nothing is recorded",
            "these depend on each other: aws_instance.web, aws_lb.front",
            "id of aws_instance.web[0] is unknown",
            "disk[0].key of aws_instance.web[0] is sensitive and not sealed",
            "the output password is unknown, or sensitive and not sealed",
        ]
    );
    assert_eq!(verify(&state()), []);
}
