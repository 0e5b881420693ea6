//! What goes wrong in single calls.

use reconcile_provider::ErrorKind;
use reconcile_provider_fake::{Call, Failure, Fault, Timing};

use crate::life::{SLOW, STACK};
use crate::world::World;

const TYPES: [&str; 4] = ["fake_blob", "fake_group", "fake_link", "fake_server"];

#[tokio::test(start_paused = true)]
async fn one_failure_leaves_the_others_done_and_a_rerun_finishes() {
    let world = World::new();
    let fault = Fault::next(Call::Create, Failure::Refused(ErrorKind::Quota)).of("fake_server");
    world.cloud.inject(fault);
    let report = world.apply(STACK).await.unwrap();
    // Both groups and the other server.
    assert_eq!((report.failed, report.done.create), (1, 3), "{report:?}\n{}", world.story());
    world.assert_valid().await;
    let story = world.story();
    for address in ["fake_blob.list", "fake_link.web[0]", "fake_link.web[1]"] {
        assert!(story.contains(&format!("{address} (-) Create skipped: Some")), "{story}");
    }
    world.applied(STACK).await;
    world.assert_converged(STACK).await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_lost_never_double_anything() {
    for failure in [Failure::LostBefore, Failure::LostAfter] {
        for call in [Call::Create, Call::Update, Call::Delete, Call::Read, Call::Find] {
            for type_name in TYPES {
                let world = World::new();
                world.cloud.inject(Fault::next(call, failure).of(type_name).times(3));
                world.applied(STACK).await;
                world.assert_converged(STACK).await;
                let changed = STACK.replace("image: linux", "image: other");
                world.applied(&changed).await;
                world.assert_converged(&changed).await;
                world.assert_destroyed(&changed).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lost_answers_in_a_cloud_that_is_slow_to_show() {
    for type_name in TYPES {
        let world = World::new();
        world.cloud.set_timing(SLOW);
        world.cloud.inject(Fault::next(Call::Create, Failure::LostAfter).of(type_name));
        world.applied(STACK).await;
        world.assert_converged(STACK).await;
        world.assert_destroyed(STACK).await;
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_that_pass_are_waited_out() {
    let passing = [
        ErrorKind::Throttled,
        ErrorKind::Transient,
        ErrorKind::Capacity,
        ErrorKind::NotReady,
        ErrorKind::InUse,
    ];
    for kind in passing {
        let world = World::new();
        for call in [Call::Create, Call::Update, Call::Delete] {
            world.cloud.inject(Fault::next(call, Failure::Refused(kind)).times(3));
        }
        world.applied(STACK).await;
        world.assert_converged(STACK).await;
        world.assert_destroyed(STACK).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_breaks_is_replaced_by_the_next_apply() {
    for type_name in TYPES {
        let world = World::new();
        world.cloud.set_timing(Timing { visible: std::time::Duration::ZERO, ..SLOW });
        world.cloud.inject(Fault::next(Call::Create, Failure::Breaks).of(type_name));
        let report = world.apply(STACK).await.unwrap();
        assert_eq!(report.failed, 1, "{type_name}");
        world.assert_valid().await;
        let report = world.applied(STACK).await;
        assert_eq!(report.done.replace, 1, "{type_name} {report:?}");
        world.assert_converged(STACK).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_made_is_neither_taken_nor_deleted() {
    let (mut world, other) = (World::new(), World::new());
    let group = "resource: { fake_group: { web: { name: web } } }";
    other.applied(group).await;
    world.cloud = other.cloud.clone();
    let report = world.apply(group).await.unwrap();
    assert_eq!(report.failed, 1);
    assert!(world.story().contains("this stack did not create it"), "{}", world.story());
    assert!(world.snapshot().await.resources.is_empty());
    other.assert_converged(group).await;
}
