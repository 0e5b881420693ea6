//! Crashes, at every instant: one apply afterwards ends where an uninterrupted one would have.

use std::time::Duration;

use reconcile_model::plan::{PlanMode, PlanOptions};
use reconcile_provider_fake::Timing;

use crate::life::STACK;
use crate::world::World;

/// Long enough for every kind of waiting to be met, and short enough for few polls of each.
const BRISK: Timing = Timing {
    latency: Duration::from_millis(40),
    ready: Duration::from_millis(900),
    gone: Duration::from_millis(700),
    visible: Duration::from_millis(100),
};

const SMALL: &str = r#"
resource:
  fake_group:
    web:
      name: web
      rule: [{ port: 80, cidr: 0.0.0.0/0 }]
  fake_server:
    web:
      image: linux
      groups: ["${fake_group.web.id}"]
  fake_link:
    web:
      server: ${fake_server.web.id}
      group: ${fake_group.web.id}
  fake_blob:
    list:
      content: ${fake_server.web.address}
"#;

/// Crashes a run at every instant, each in a world of its own that `before` has prepared, and recovers.
async fn crash_everywhere(before: Option<&str>, text: &str, mode: PlanMode, timing: Timing) {
    let options = PlanOptions { mode, ..PlanOptions::default() };
    for parallelism in [1, 4] {
        for polls in 1.. {
            let mut world = World::new();
            world.parallelism = parallelism;
            if let Some(before) = before {
                world.applied(before).await;
            }
            world.cloud.set_timing(timing);
            let ended = world.crash(text, options.clone(), polls).await;
            world.assert_valid().await;
            if mode == PlanMode::Apply {
                world.applied(text).await;
                world.assert_converged(text).await;
            }
            world.assert_destroyed(text).await;
            if ended {
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn creating() {
    crash_everywhere(None, SMALL, PlanMode::Apply, Timing::default()).await;
}

#[tokio::test(start_paused = true)]
async fn creating_in_a_slow_cloud() {
    crash_everywhere(None, SMALL, PlanMode::Apply, BRISK).await;
}

#[tokio::test(start_paused = true)]
async fn replacing() {
    let changed = SMALL.replace("linux", "other").replace("name: web", "name: web2");
    crash_everywhere(Some(SMALL), &changed, PlanMode::Apply, BRISK).await;
}

#[tokio::test(start_paused = true)]
async fn replacing_create_first() {
    let first = |text: &str| {
        text.replace("image:", "lifecycle: { create_before_destroy: true }\n      image:")
    };
    let changed = first(&SMALL.replace("linux", "other").replace("name: web", "name: web2"));
    crash_everywhere(Some(&first(SMALL)), &changed, PlanMode::Apply, BRISK).await;
}

#[tokio::test(start_paused = true)]
async fn restarting() {
    let changed = SMALL.replace("image: linux", "image: linux\n      size: large");
    crash_everywhere(Some(SMALL), &changed, PlanMode::Apply, BRISK).await;
}

#[tokio::test(start_paused = true)]
async fn destroying() {
    crash_everywhere(Some(SMALL), SMALL, PlanMode::Destroy, BRISK).await;
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fills_up_stops_the_run_and_nothing_is_lost() {
    for writes in 0.. {
        let world = World::new();
        world.store.fail_after(Some(writes));
        let ended = world.apply(STACK).await.is_ok();
        world.store.fail_after(None);
        world.applied(STACK).await;
        world.assert_converged(STACK).await;
        world.assert_destroyed(STACK).await;
        if ended {
            break;
        }
    }
}
