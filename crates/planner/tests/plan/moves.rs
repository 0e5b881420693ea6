//! What moves, and what is removed: where it is planned, what comes of it, and what is refused.

use reconcile_model::plan::{PlanMode, PlanOptions};
use reconcile_model::{Action, Plan};
use reconcile_planner::Live;
use reconcile_planner::lint::lint;

use crate::world::{World, check_refused, shown, told};

/// Returns a spec of servers: what each block says, and what is said of moves.
fn servers(blocks: &[(&str, &str)], rest: &str) -> String {
    let blocks: String =
        blocks.iter().map(|(name, body)| format!("    {name}: {{ {body} }}\n")).collect();
    let section = if blocks.is_empty() { " {}" } else { "" };
    format!("resource:\n  fake_server:{section}\n{blocks}{rest}\n")
}

/// Returns the plan as text, with where each object comes from.
fn told_moves(plan: &Plan) -> String {
    let moves = plan.moves();
    let moves = moves.iter().map(|(to, from)| format!("{from} -> {to}\n"));
    moves.chain([shown(plan)]).collect()
}

/// Checks what moves, and what else is done, and that nothing is left to do then.
#[track_caller]
fn check(mut world: World, text: &str, expected: &str) {
    let made = world.plan(text).unwrap_or_else(|found| panic!("{}", told(&found)));
    assert_eq!(lint(&made), Vec::<String>::new());
    assert_eq!(told_moves(&made).trim(), expected.trim());
    assert_eq!(made.is_empty(), expected.is_empty());
    world.apply(&made);
    world.options = PlanOptions { mode: world.options.mode, ..PlanOptions::default() };
    let again = world.plan(text).unwrap_or_else(|found| panic!("{}", told(&found)));
    assert!(again.is_empty(), "{}", told_moves(&again));
}

fn moved(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(from, to)| format!("  - {{ from: '{from}', to: '{to}' }}\n"));
    format!("moved:\n{}", pairs.collect::<String>())
}

#[test]
fn what_moves_stays_the_same_object() {
    let old = World::of(&servers(&[("a", "image: linux")], ""));
    let moves = moved(&[("fake_server.a", "fake_server.b")]);
    check(
        old.clone(),
        &servers(&[("b", "image: linux")], &moves),
        "fake_server.a -> fake_server.b",
    );
    check(
        old.clone(),
        &servers(&[("b", "image: linux, note: new")], &moves),
        "fake_server.a -> fake_server.b\nupdate fake_server.b: SpecChanged (note)",
    );
    check(
        old,
        &servers(&[("b", "image: other")], &moves),
        "fake_server.a -> fake_server.b\ndelete fake_server.b: CannotUpdate (image)\ncreate fake_server.b: CannotUpdate (image)",
    );
}

#[test]
fn what_moves_out_of_the_spec_is_deleted_from_there() {
    let old = World::of(&servers(&[("a", "image: linux")], ""));
    let moves = moved(&[("fake_server.a", "fake_server.b")]);
    let expected = "fake_server.a -> fake_server.b\ndelete fake_server.b: NotInSpec";
    check(old.clone(), &servers(&[], &moves), expected);
    let kept = moves + "removed: { from: fake_server.b, lifecycle: { destroy: false } }";
    let expected = "fake_server.a -> fake_server.b\nforget fake_server.b: Forgotten";
    check(old, &servers(&[], &kept), expected);
}

#[test]
fn blocks_move_with_all_their_instances() {
    let old = World::of(&servers(&[("a", "count: 3, image: linux")], ""));
    let moves = moved(&[("fake_server.a", "fake_server.b")]);
    check(
        old,
        &servers(&[("b", "count: 2, image: linux")], &moves),
        "fake_server.a[0] -> fake_server.b[0]
fake_server.a[1] -> fake_server.b[1]
fake_server.a[2] -> fake_server.b[2]
delete fake_server.b[2]: KeyGone",
    );
}

#[test]
fn instances_move_to_other_keys() {
    let old = World::of(&servers(&[("a", "count: 2, image: linux")], ""));
    let moves = moved(&[
        ("fake_server.a[0]", "fake_server.a[\"x\"]"),
        ("fake_server.a[1]", "fake_server.one"),
    ]);
    check(
        old,
        &servers(
            &[("a", "for_each: \"${toset([\\\"x\\\"])}\", image: linux"), ("one", "image: linux")],
            &moves,
        ),
        "fake_server.a[0] -> fake_server.a[\"x\"]\nfake_server.a[1] -> fake_server.one",
    );
}

#[test]
fn a_count_that_comes_or_goes_moves_the_first() {
    let (one, two) = ("image: linux", "count: 2, image: linux");
    check(
        World::of(&servers(&[("a", one)], "")),
        &servers(&[("a", two)], ""),
        "fake_server.a -> fake_server.a[0]\ncreate fake_server.a[1]: New",
    );
    check(
        World::of(&servers(&[("a", two)], "")),
        &servers(&[("a", one)], ""),
        "fake_server.a[0] -> fake_server.a\ndelete fake_server.a[1]: KeyGone",
    );
    // What is written goes before what goes without saying.
    let moves = moved(&[("fake_server.a", "fake_server.a[1]")]);
    check(
        World::of(&servers(&[("a", one)], "")),
        &servers(&[("a", two)], &moves),
        "fake_server.a -> fake_server.a[1]\ncreate fake_server.a[0]: New",
    );
}

#[test]
fn chains_are_followed_to_their_end_in_whatever_order_they_are_written() {
    let old = World::of(&servers(&[("a", "count: 2, image: linux")], ""));
    let mut pairs = vec![
        ("fake_server.c[1]", "fake_server.last"),
        ("fake_server.b", "fake_server.c"),
        ("fake_server.a", "fake_server.b"),
    ];
    for _ in 0..3 {
        pairs.rotate_left(1);
        check(
            old.clone(),
            &servers(&[("c", "count: 1, image: linux"), ("last", "image: linux")], &moved(&pairs)),
            "fake_server.a[0] -> fake_server.c[0]\nfake_server.a[1] -> fake_server.last",
        );
    }
}

#[test]
fn moves_of_what_was_never_there_do_nothing() {
    let text = servers(&[("b", "image: linux")], "");
    let moves = moved(&[("fake_server.a", "fake_server.b"), ("fake_server.x[0]", "fake_server.y")]);
    check(World::of(&text), &format!("{text}{moves}"), "");
}

#[test]
fn what_is_in_the_way_stays_and_is_told() {
    let old = World::of(&servers(&[("a", "image: linux"), ("b", "image: linux")], ""));
    let moves = moved(&[("fake_server.a", "fake_server.b")]);
    let text = servers(&[("b", "image: linux")], &moves);
    let plan = old.plan(&text).unwrap_or_else(|found| panic!("{}", told(&found)));
    assert_eq!(
        told(&plan.warnings).trim(),
        "fake_server.a cannot move to fake_server.b id of fake_server.b is recorded there already. So fake_server.a is planned as if the `moved` block were not there."
    );
    check(old, &text, "delete fake_server.a: NotInSpec");
}

#[test]
fn an_instance_that_moved_and_is_still_there_is_refused() {
    let text = servers(&[("a", "count: 2, image: linux")], "");
    let moves = moved(&[("fake_server.a[1]", "fake_server.b")]);
    let still = "fake_server.a[1] moved, and the spec still has it";
    check_refused(&World::of(&text), &format!("{text}{moves}"), still);
    let each = servers(
        &[("a", "for_each: \"${toset([\\\"x\\\"])}\", image: linux")],
        &moved(&[("fake_server.a[\"x\"]", "fake_server.b")]),
    );
    check_refused(
        &World::default(),
        &each,
        "fake_server.a[\"x\"] moved, and the spec still has it",
    );
}

#[test]
fn what_moved_and_is_gone_is_made_again_where_it_belongs() {
    let mut old = World::of(&servers(&[("a", "image: linux")], ""));
    let id = old.state("fake_server.a").id.clone();
    old.observed.insert("fake_server.b".parse().expect("it is an address"), id, Live::Gone);
    let moves = moved(&[("fake_server.a", "fake_server.b")]);
    check(
        old,
        &servers(&[("b", "image: linux")], &moves),
        "fake_server.a -> fake_server.b\ncreate fake_server.b: Missing",
    );
}

#[test]
fn what_depends_on_what_moved_goes_before_it() {
    let old = World::of(
        "resource:
  fake_group: { a: { name: web } }
  fake_server: { web: { image: linux, groups: [\"${fake_group.a.id}\"] } }
",
    );
    let mut old = old;
    old.state("fake_server.web").attributes.set("groups", vec!["id of fake_group.a"]);
    let moves = "moved: { from: fake_group.a, to: fake_group.b }";
    check(
        old.clone(),
        &format!(
            "resource:
  fake_group: {{ b: {{ name: web }} }}
  fake_server: {{ web: {{ image: linux, groups: [\"${{fake_group.b.id}}\"] }} }}
{moves}"
        ),
        "fake_group.a -> fake_group.b",
    );
    check(
        old,
        &format!("resource: {{}}\n{moves}"),
        "fake_group.a -> fake_group.b\ndelete fake_server.web: NotInSpec\ndelete fake_group.b: NotInSpec",
    );
}

#[test]
fn targets_that_leave_out_what_moves_are_refused() {
    let blocks = [("a", "image: linux"), ("other", "image: linux")];
    let mut old = World::of(&servers(&blocks, ""));
    let text = servers(
        &[("b", "image: linux"), ("other", "image: linux, note: new")],
        &moved(&[("fake_server.a", "fake_server.b")]),
    );
    old.options.targets = vec!["fake_server.other".to_owned()];
    check_refused(&old, &text, "What moves has to be in the plan");
    old.options.targets = vec!["fake_server.a".to_owned()];
    check_refused(&old, &text, "fake_server.a has another address now");
    old.options.targets = vec!["fake_server.b".to_owned()];
    let plan = old.plan(&text).unwrap_or_else(|found| panic!("{}", told(&found)));
    assert_eq!(told_moves(&plan).trim(), "fake_server.a -> fake_server.b");
}

#[test]
fn everything_is_destroyed_from_where_it_belongs() {
    let mut old = World::of(&servers(&[("a", "image: linux")], ""));
    old.options.mode = PlanMode::Destroy;
    let moves = moved(&[("fake_server.a", "fake_server.b")]);
    let text = servers(&[("b", "image: linux")], &moves);
    let expected = "fake_server.a -> fake_server.b\ndelete fake_server.b: Destroy";
    check(old.clone(), &text, expected);
    let kept = text.replace("image", "lifecycle: { prevent_destroy: true }, image");
    check_refused(&old, &kept, "fake_server.b would be destroyed");
}

#[test]
fn what_is_removed_is_left_alone_or_destroyed() {
    let old = World::of(&servers(&[("a", "count: 2, image: linux")], ""));
    let removed = |destroy: bool| {
        format!("removed: [{{ from: fake_server.a, lifecycle: {{ destroy: {destroy} }} }}]")
    };
    check(
        old.clone(),
        &servers(&[], &removed(false)),
        "forget fake_server.a[0]: Forgotten\nforget fake_server.a[1]: Forgotten",
    );
    check(
        old.clone(),
        &servers(&[], &removed(true)),
        "delete fake_server.a[0]: NotInSpec\ndelete fake_server.a[1]: NotInSpec",
    );
    let mut destroyed = old.clone();
    destroyed.options.mode = PlanMode::Destroy;
    check(
        destroyed,
        &servers(&[], &removed(false)),
        "forget fake_server.a[0]: Forgotten\nforget fake_server.a[1]: Forgotten",
    );
    let mut only = old;
    only.options.mode = PlanMode::RefreshOnly;
    let plan = only.plan(&servers(&[], &removed(false))).expect("it can be planned");
    assert!(plan.changes.iter().all(|change| change.action == Action::NoOp));
}

#[test]
fn what_is_left_alone_is_so_with_all_that_was_replaced() {
    let one = [("a", "image: linux")];
    let removed = "removed: { from: fake_server.a, lifecycle: { destroy: false } }";
    for is_replaced in [false, true] {
        let mut old = World::of(&servers(&one, ""));
        let address = "fake_server.a".parse().expect("it is an address");
        let resource = old.prior.resources.get_mut(&address).expect("it is recorded");
        let mut before = resource.current.clone().expect("it is there");
        if !is_replaced {
            resource.current = None;
        }
        before.id = "before".into();
        resource.deposed = vec![before.clone(), before];
        check(old, &servers(&[], removed), "forget fake_server.a: Forgotten");
    }
}

#[test]
fn a_fingerprint_has_the_moves() {
    let old = World::of(&servers(&[("a", "count: 1, image: linux")], ""));
    let plan = |to: &str| {
        let moves = moved(&[("fake_server.a[0]", &format!("fake_server.b[{to}]"))]);
        let text = servers(&[("b", "count: 2, image: linux")], &moves);
        let mut plan = old.plan(&text).unwrap_or_else(|found| panic!("{}", told(&found)));
        plan.spec_digest.clear();
        plan.changes.retain(|change| change.action == Action::NoOp);
        plan.steps.clear();
        plan.fingerprint()
    };
    assert_ne!(plan("0"), plan("1"));
}
