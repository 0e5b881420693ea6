//! Objects that move, and objects that are left alone: recorded durably, and without a call.

use std::collections::BTreeSet;

use reconcile_model::plan::{PlanMode, PlanOptions};
use reconcile_model::{Action, Address, ObjectId};
use reconcile_provider_fake::{Call, Failure, Fault};

use crate::world::{World, told};

const BEFORE: &str = r#"
resource:
  fake_group:
    web: { name: web }
  fake_server:
    web:
      count: 2
      image: linux
      groups: ["${fake_group.web.id}"]
  fake_link:
    web:
      server: ${fake_server.web[0].id}
      group: ${fake_group.web.id}
"#;

const AFTER: &str = r#"
resource:
  fake_group:
    front: { name: web }
  fake_server:
    one: { image: linux, groups: ["${fake_group.front.id}"] }
    other: { image: linux, groups: ["${fake_group.front.id}"] }
  fake_link:
    web:
      count: 1
      server: ${fake_server.one.id}
      group: ${fake_group.front.id}
moved:
  - { from: fake_group.web, to: fake_group.front }
  - { from: "fake_server.web[0]", to: fake_server.one }
  - { from: "fake_server.web[1]", to: fake_server.other }
"#;

/// Returns every recorded object with its address.
async fn recorded(world: &World) -> BTreeSet<(String, ObjectId)> {
    let snapshot = world.snapshot().await;
    snapshot.objects().map(|(address, object)| (address.to_string(), object.id.clone())).collect()
}

fn mutations(world: &World) -> [u64; 3] {
    [Call::Create, Call::Update, Call::Delete].map(|call| world.cloud.count(call))
}

#[tokio::test(start_paused = true)]
async fn what_only_moves_is_recorded_without_a_call() {
    let world = World::new();
    world.applied(BEFORE).await;
    let (before, calls) = (recorded(&world).await, mutations(&world));
    let plan = world.plan(AFTER).await.unwrap_or_else(|found| panic!("{}", told(&found)));
    assert!(!plan.is_empty() && plan.steps.is_empty());
    let actions: BTreeSet<Action> = plan.changes.iter().map(|change| change.action).collect();
    assert_eq!(actions, BTreeSet::from([Action::NoOp]));
    world.applied(AFTER).await;
    assert_eq!(mutations(&world), calls);
    let new = |address: &str| match address {
        "fake_group.web" => "fake_group.front".to_owned(),
        "fake_server.web[0]" => "fake_server.one".to_owned(),
        "fake_server.web[1]" => "fake_server.other".to_owned(),
        "fake_link.web" => "fake_link.web[0]".to_owned(),
        other => panic!("{other}"),
    };
    let expected = before.into_iter().map(|(address, id)| (new(&address), id)).collect();
    assert_eq!(recorded(&world).await, expected);
    world.assert_converged(AFTER).await;
    world.assert_destroyed(AFTER).await;
}

#[tokio::test(start_paused = true)]
async fn what_moves_and_changes_is_recoverable_at_each_instant() {
    let changed = AFTER
        .replace("other: { image: linux", "other: { image: bsd")
        .replace("front: { name: web }", "front: { name: web, rule: [{ port: 80, cidr: ::/0 }] }");
    for mode in [PlanMode::Apply, PlanMode::Destroy, PlanMode::RefreshOnly] {
        for polls in 1.. {
            let world = World::new();
            world.applied(BEFORE).await;
            let before: BTreeSet<ObjectId> = world.cloud.objects().into_keys().collect();
            let options = PlanOptions { mode, ..PlanOptions::default() };
            let ended = world.crash(&changed, options, polls).await;
            world.assert_valid().await;
            world.applied(&changed).await;
            if mode != PlanMode::Destroy {
                let stay: BTreeSet<ObjectId> =
                    recorded(&world).await.into_iter().map(|it| it.1).collect();
                assert_eq!(before.difference(&stay).count(), 1, "{}", world.story());
            }
            world.assert_converged(&changed).await;
            world.assert_destroyed(&changed).await;
            if ended {
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn moves_outlive_a_disk_that_fills_up() {
    for writes in 0.. {
        let world = World::new();
        world.applied(BEFORE).await;
        let ids: BTreeSet<ObjectId> = world.cloud.objects().into_keys().collect();
        world.store.fail_after(Some(writes));
        let ended = world.apply(AFTER).await.is_ok();
        world.store.fail_after(None);
        world.applied(AFTER).await;
        world.assert_converged(AFTER).await;
        assert_eq!(world.cloud.objects().into_keys().collect::<BTreeSet<_>>(), ids);
        if ended {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_move_stays_recorded_when_the_change_fails() {
    let world = World::new();
    world.applied(BEFORE).await;
    let changed = AFTER.replace("other: { image: linux", "other: { image: linux, note: new");
    world.cloud.inject(Fault::next(
        Call::Update,
        Failure::Refused(reconcile_provider::ErrorKind::Invalid),
    ));
    let report = world.apply(&changed).await.unwrap_or_else(|found| panic!("{}", told(&found)));
    assert_eq!(report.failed, 1, "{}", world.story());
    let other: Address = "fake_server.other".parse().expect("it is an address");
    assert!(world.snapshot().await.resources.contains_key(&other));
    world.cloud.heal();
    world.applied(&changed).await;
    world.assert_converged(&changed).await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_was_made_in_vain_does_not_keep_its_address_from_moving() {
    let world = World::new();
    world.applied("resource: { fake_group: { web: { name: web } } }").await;
    // Nothing is found of a create whose answer was lost, and another takes its place: the first stays on record.
    world.cloud.inject(Fault::next(Call::Create, Failure::LostBefore));
    let servers =
        "resource: { fake_group: { web: { name: web } }, fake_server: { web: { image: linux } } }";
    world.applied(servers).await;
    let moved = "resource: { fake_group: { web: { name: web } }, fake_server: { new: { image: linux } } }\nmoved: { from: fake_server.web, to: fake_server.new }";
    world.applied(moved).await;
    world.assert_converged(moved).await;
    world.assert_destroyed(moved).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_removed_and_not_destroyed_is_left_alone() {
    let world = World::new();
    world.applied(BEFORE).await;
    let there = world.cloud.objects().len();
    let calls = mutations(&world);
    let without = "resource: { fake_group: { web: { name: web } } }
removed:
  - { from: fake_server.web, lifecycle: { destroy: false } }
  - { from: fake_link.web, lifecycle: { destroy: false } }";
    let report = world.applied(without).await;
    assert_eq!(report.done.forget, 3, "{}", world.story());
    assert_eq!((mutations(&world), world.cloud.objects().len()), (calls, there));
    let plan = world.plan(without).await.unwrap_or_else(|found| panic!("{}", told(&found)));
    assert!(plan.is_empty());
    assert_eq!(recorded(&world).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_imported_does_not_wait_for_what_moves() {
    let world = World::new();
    world.applied(BEFORE).await;
    let is_link = |it: &(String, ObjectId)| it.0 == "fake_link.web";
    let link = recorded(&world).await.into_iter().find(is_link).expect("it is recorded").1;
    let without = BEFORE.split_once("  fake_link").expect("it is there").0;
    let removed = "removed: { from: fake_link.web, lifecycle: { destroy: false } }";
    world.applied(&format!("{without}{removed}")).await;
    let refused = world.import(AFTER, "fake_server.one", &link).await.expect_err("it is taken");
    assert_eq!(
        told(&refused[..1]).split(" The spec").next(),
        Some("fake_server.web[0] moves to fake_server.one")
    );
    world.import(AFTER, "fake_link.web[0]", &link).await.expect("it can be imported");
    let calls = mutations(&world);
    world.applied(AFTER).await;
    assert_eq!(mutations(&world), calls);
    world.assert_converged(AFTER).await;
}
