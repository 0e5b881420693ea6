//! What is done to each object, why, and in which order.

use reconcile_model::plan::{PlanMode, PlanOptions};
use reconcile_model::{Action, ObjectStatus, Snapshot};
use reconcile_planner::Live;

use crate::world::{World, check, check_refused, shown, told};

const GROUP_AND_SERVER: &str = r#"
resource:
  fake_group: { web: { name: web } }
  fake_server: { web: { image: linux, groups: ["${fake_group.web.id}"] } }
"#;

#[test]
fn new_things_come_after_what_they_use() {
    let world = World { prior: Snapshot::new("test", "lineage"), ..World::default() };
    check(world, GROUP_AND_SERVER, "create fake_group.web: New\ncreate fake_server.web: New");
}

#[test]
fn nothing_changes_nothing() {
    check(World::of(GROUP_AND_SERVER), GROUP_AND_SERVER, "");
}

#[test]
fn a_restart_makes_unknown_what_it_moves() {
    let text = GROUP_AND_SERVER.replace("image:", "size: large, image:");
    let made = World::of(GROUP_AND_SERVER).plan(&text).expect("it can be planned");
    let change = made.changes.iter().find(|it| it.action == Action::Update).expect("one changes");
    assert_eq!(change.restart.len(), 1);
    check(
        World::of(GROUP_AND_SERVER),
        &text,
        "update fake_server.web: SpecChanged (size, address)",
    );
}

#[test]
fn what_is_no_longer_wanted_goes_after_what_used_it() {
    let expected = "delete fake_server.web: NotInSpec\ndelete fake_group.web: NotInSpec";
    check(World::of(GROUP_AND_SERVER), "resource: {}", expected);
    let options = PlanOptions { mode: PlanMode::Destroy, ..PlanOptions::default() };
    let world = World { options, ..World::of(GROUP_AND_SERVER) };
    check(world, GROUP_AND_SERVER, &expected.replace("NotInSpec", "Destroy"));
}

#[test]
fn keys_that_are_gone_are_deleted() {
    let text = |count| {
        format!("resource: {{ fake_server: {{ web: {{ count: {count}, image: linux }} }} }}")
    };
    check(World::of(&text(2)), &text(1), "delete fake_server.web[1]: KeyGone");
}

#[test]
fn replacements_work_in_either_order() {
    let one = "resource: { fake_server: { web: { image: one } } }";
    let two = "resource: { fake_server: { web: { image: two } } }";
    check(
        World::of(one),
        two,
        "delete fake_server.web: CannotUpdate (image)\ncreate fake_server.web: CannotUpdate (image)",
    );
    let two = two.replace("image", "lifecycle: { create_before_destroy: true }, image");
    check(
        World::of(one),
        &two,
        "create fake_server.web: CannotUpdate (image)\ndelete fake_server.web: CannotUpdate (image)",
    );
}

#[test]
fn what_others_go_on_using_is_replaced_create_first() {
    let expected = "create fake_group.web: CannotUpdate (name)\nupdate fake_server.web: SpecChanged (groups)\ndelete fake_group.web: CannotUpdate (name)";
    check(
        World::of(GROUP_AND_SERVER),
        &GROUP_AND_SERVER.replace("name: web", "name: two"),
        expected,
    );
}

#[test]
fn updates_stop_using_things_before_those_are_deleted() {
    let without = "resource: { fake_server: { web: { image: linux } } }";
    let expected = "update fake_server.web: SpecChanged (groups)\ndelete fake_group.web: NotInSpec";
    check(World::of(GROUP_AND_SERVER), without, expected);
}

#[test]
fn create_first_takes_along_what_it_depends_on() {
    let before = format!(
        "{GROUP_AND_SERVER}  fake_blob: {{ list: {{ content: \"${{fake_server.web.address}}\" }} }}\n"
    );
    let after = before.replace("name: web", "name: two").replace("linux", "other");
    let expected = "create fake_group.web: CannotUpdate (name)
create fake_server.web: CannotUpdate (image)
update fake_blob.list: SpecChanged (content, etag)
delete fake_server.web: CannotUpdate (image)
delete fake_group.web: CannotUpdate (name)";
    check(World::of(&before), &after, expected);
}

#[test]
fn drift_is_told_from_change() {
    let mut world = World::of(GROUP_AND_SERVER);
    world.drift("fake_server.web", "note", "by hand");
    assert_eq!(world.plan(GROUP_AND_SERVER).expect("it can be planned").drift.len(), 1);
    check(world.clone(), GROUP_AND_SERVER, "update fake_server.web: Drifted (note)");
    let ignoring =
        GROUP_AND_SERVER.replace("image:", "lifecycle: { ignore_changes: [note] }, image:");
    check(world.clone(), &ignoring, "");
    check(world, &ignoring.replace("[note]", "all"), "");
}

#[test]
fn drift_is_answered_by_what_the_spec_says() {
    let check = |text: &str, mode: PlanMode, expected: &str| {
        let mut world = World::of(GROUP_AND_SERVER);
        world.drift("fake_server.web", "note", "by hand");
        world.options.mode = mode;
        let plan = world.plan(text).unwrap_or_else(|found| panic!("{}", told(&found)));
        let answers: Vec<String> = plan.drift[0]
            .answers
            .iter()
            .map(|it| format!("{:?} {}", it.outcome, it.spec.clone().unwrap_or_default().to_json()))
            .collect();
        assert_eq!(answers.join(", "), expected, "{text}");
    };
    let says = |note: &str| GROUP_AND_SERVER.replace("image:", &format!("{note}, image:"));
    check(GROUP_AND_SERVER, PlanMode::Apply, "Undone null");
    check(&says("note: by hand"), PlanMode::Apply, "Agreed \"by hand\"");
    check(&says("note: another"), PlanMode::Apply, "Overwritten \"another\"");
    let ignoring = says("lifecycle: { ignore_changes: [note] }, note: another");
    check(&ignoring, PlanMode::Apply, "Ignored \"another\"");
    check(&says("note: another"), PlanMode::RefreshOnly, "Overwritten \"another\"");
    check("resource: {}", PlanMode::Apply, "");
}

#[test]
fn what_is_gone_is_made_again_and_what_is_broken_replaced() {
    let mut world = World::of(GROUP_AND_SERVER);
    let id = world.state("fake_server.web").id.clone();
    world.observed.insert("fake_server.web".parse().expect("it is an address"), id, Live::Gone);
    check(world, GROUP_AND_SERVER, "create fake_server.web: Missing");
    let mut world = World::of(GROUP_AND_SERVER);
    world.state("fake_server.web").status = ObjectStatus::Tainted;
    check(
        world,
        GROUP_AND_SERVER,
        "delete fake_server.web: Tainted\ncreate fake_server.web: Tainted",
    );
    let mut world = World::of(GROUP_AND_SERVER);
    world.state("fake_server.web").status = ObjectStatus::Incomplete;
    check(world, GROUP_AND_SERVER, "update fake_server.web: Interrupted");
}

#[test]
fn prevent_destroy_and_conditions_refuse() {
    let world = World::of(GROUP_AND_SERVER);
    let kept = GROUP_AND_SERVER
        .replace("image: linux", "lifecycle: { prevent_destroy: true }, image: other");
    check_refused(&world, &kept, "prevent_destroy");
    let unknown = "resource:\n  fake_blob: { a: { content: x } }\n  fake_server: { web: { count: \"${length(fake_blob.a.etag)}\", image: linux } }";
    check_refused(&World::default(), unknown, "count");
}

#[test]
fn targets_leave_the_rest_alone() {
    let both = GROUP_AND_SERVER.replace("name: web", "name: web, rule: [{ port: 1, cidr: x }]");
    let text = both.replace("image:", "note: new, image:");
    let options =
        PlanOptions { targets: vec!["fake_group.web".to_owned()], ..PlanOptions::default() };
    let world = World { options, ..World::of(GROUP_AND_SERVER) };
    let made = world.plan(&text).expect("it can be planned");
    assert_eq!(shown(&made).trim(), "update fake_group.web: SpecChanged (rule)");
}
