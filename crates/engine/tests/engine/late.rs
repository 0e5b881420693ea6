//! Requests that land after their client is gone.

use std::time::Duration;

use reconcile_model::plan::PlanOptions;
use reconcile_provider_fake::{Call, Failure, Fault};
use reconcile_state::Store as _;

use crate::world::World;

/// What only the tag of its operation finds again.
const BLOB: &str = "resource: { fake_blob: { list: { content: x } } }\n";

/// What can exist once only by its name.
const GROUP: &str = "resource: { fake_group: { web: { name: web } } }\n";

const NOTHING: &str = "resource: {}\n";

fn lands_after(seconds: u64) -> Fault {
    Fault::next(Call::Create, Failure::LandsAfter(Duration::from_secs(seconds)))
}

/// Returns a world in which a run was killed after it had sent a create, which lands after so many seconds.
async fn killed(text: &str, seconds: u64) -> World {
    for polls in 1.. {
        let world = World::new();
        world.cloud.inject(lands_after(seconds));
        assert!(!world.crash(text, PlanOptions::default(), polls).await, "it is killed before");
        if world.cloud.count(Call::Create) == 1 {
            return world;
        }
    }
    unreachable!("the loop has no end")
}

async fn pending(world: &World) -> usize {
    world.store.peek().await.expect("the state is readable").pending.len()
}

#[tokio::test(start_paused = true)]
async fn what_lands_while_the_run_still_waits_is_taken_up() {
    let world = World::new();
    world.cloud.inject(lands_after(100));
    world.applied(BLOB).await;
    assert_eq!(world.cloud.count(Call::Create), 1);
    world.assert_converged(BLOB).await;
}

#[tokio::test(start_paused = true)]
async fn what_lands_while_the_next_run_waits_is_taken_up() {
    let world = killed(BLOB, 100).await;
    world.applied(BLOB).await;
    assert_eq!(world.cloud.count(Call::Create), 1);
    world.assert_converged(BLOB).await;
}

#[tokio::test(start_paused = true)]
async fn what_lands_after_it_was_given_up_is_one_too_many_and_goes() {
    let worlds = [killed(BLOB, 300).await, {
        let world = World::new();
        world.cloud.inject(lands_after(300));
        world
    }];
    for world in worlds {
        world.applied(BLOB).await;
        assert_eq!(world.cloud.count(Call::Create), 2);
        assert_eq!(pending(&world).await, 1, "it is remembered");
        tokio::time::sleep(Duration::from_secs(180)).await;
        assert_eq!(world.cloud.objects().len(), 2);
        let report = world.applied(BLOB).await;
        assert_eq!(report.done.delete, 1, "{}", world.story());
        assert_eq!(world.cloud.objects().len(), 1);
        world.assert_converged(BLOB).await;
        assert_eq!(pending(&world).await, 0);
        world.assert_destroyed(BLOB).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_lands_where_nothing_is_wanted_any_more_goes() {
    let world = killed(BLOB, 300).await;
    world.applied(NOTHING).await;
    tokio::time::sleep(Duration::from_secs(180)).await;
    assert_eq!(world.cloud.objects().len(), 1);
    world.applied(NOTHING).await;
    assert!(world.cloud.objects().is_empty(), "{}", world.story());
}

#[tokio::test(start_paused = true)]
async fn what_never_lands_is_forgotten_in_the_end() {
    let world = killed(BLOB, 1_000_000).await;
    world.applied(BLOB).await;
    assert_eq!(pending(&world).await, 1);
    tokio::time::sleep(Duration::from_secs(600)).await;
    world.applied(BLOB).await;
    assert_eq!(pending(&world).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_name_lets_an_apply_go_on_at_once_and_a_destroy_waits_for_what_may_land() {
    let world = killed(GROUP, 60).await;
    let started = tokio::time::Instant::now();
    // The lost request holds the name already, as nothing else can be told from here: it is looked for until it is seen.
    world.assert_destroyed(GROUP).await;
    assert!(started.elapsed() >= Duration::from_secs(60), "{:?}", started.elapsed());
    assert_eq!(world.cloud.count(Call::Create), 1, "nothing is made to be destroyed");

    let world = killed(GROUP, 0).await;
    let started = tokio::time::Instant::now();
    world.applied(GROUP).await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    world.assert_converged(GROUP).await;
}
