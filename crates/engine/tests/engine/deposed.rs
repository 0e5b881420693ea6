//! Objects that were replaced and could not be deleted: each of an instance's objects has a life of its own.

use std::time::Duration;

use reconcile_model::plan::{PlanMode, PlanOptions};
use reconcile_model::{Address, ObjectId};
use reconcile_provider::ErrorKind;
use reconcile_provider_fake::{Call, Failure, Fault};

use crate::world::World;

const BEFORE: &str = r"
resource: { fake_server: { web: { image: one, lifecycle: { create_before_destroy: true } } } }
";
const AFTER: &str = r"
resource: { fake_server: { web: { image: two, lifecycle: { create_before_destroy: true } } } }
";

/// Returns a world in which a server was replaced and the old one could not be deleted: the ids of both, the current one
/// first.
async fn replaced() -> (World, ObjectId, ObjectId) {
    let world = World::new();
    world.applied(BEFORE).await;
    world.cloud.inject(Fault::next(Call::Delete, Failure::Refused(ErrorKind::Invalid)).times(9));
    let report = world.apply(AFTER).await.expect("it fails for one object only");
    assert_eq!(report.failed, 1, "{}", world.story());
    world.cloud.heal();
    let snapshot = world.snapshot().await;
    let address: Address = "fake_server.web".parse().expect("it is an address");
    let resource = &snapshot.resources[&address];
    let current = resource.current.as_ref().expect("the new one is there").id.clone();
    let [deposed] = resource.deposed.as_slice() else { panic!("{}", world.story()) };
    let deposed = deposed.id.clone();
    // Neither is young any more: what is not found is gone.
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    (world, current, deposed)
}

#[tokio::test(start_paused = true)]
async fn a_deposed_object_that_is_gone_takes_nothing_along() {
    let (world, current, deposed) = replaced().await;
    world.cloud.remove(&deposed);
    let report = world.applied(AFTER).await;
    assert_eq!((report.done.forget, report.done.create), (1, 0), "{}", world.story());
    assert!(world.cloud.objects().contains_key(&current));
    world.assert_converged(AFTER).await;
    world.assert_destroyed(AFTER).await;
}

#[tokio::test(start_paused = true)]
async fn a_deposed_object_is_destroyed_when_the_current_one_is_gone() {
    let (world, current, _) = replaced().await;
    world.cloud.remove(&current);
    world.assert_destroyed(AFTER).await;
}

#[tokio::test(start_paused = true)]
async fn both_may_be_gone() {
    let (world, current, deposed) = replaced().await;
    world.cloud.remove(&current);
    world.cloud.remove(&deposed);
    world.assert_destroyed(AFTER).await;
}

#[tokio::test(start_paused = true)]
async fn a_refresh_forgets_what_is_gone_and_nothing_else() {
    let (world, current, deposed) = replaced().await;
    world.cloud.remove(&deposed);
    let options = PlanOptions { mode: PlanMode::RefreshOnly, ..PlanOptions::default() };
    world.run(AFTER, options.clone()).await.expect("there is only something to record");
    world.assert_converged(AFTER).await;
    world.cloud.remove(&current);
    world.run(AFTER, options).await.expect("there is only something to record");
    assert!(world.snapshot().await.resources.is_empty(), "{}", world.story());
}
