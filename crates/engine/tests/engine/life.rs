//! A stack's life when all goes well.

use std::time::Duration;

use reconcile_engine::Stop;
use reconcile_model::Value;
use reconcile_model::plan::{PlanMode, PlanOptions};
use reconcile_provider_fake::{Call, Timing};

use crate::world::World;

pub(crate) const STACK: &str = r#"
resource:
  fake_group:
    web:
      name: web
      rule: [{ port: 80, cidr: 0.0.0.0/0 }, { port: 22, cidr: 10.0.0.0/8 }]
      tags: { team: lab }
    alb: { name: alb }
  fake_server:
    web:
      count: 2
      image: linux
      groups: ["${fake_group.web.id}"]
      tags: { Name: "web-${count.index}" }
  fake_link:
    web:
      count: 2
      server: ${fake_server.web[count.index].id}
      group: ${fake_group.alb.id}
  fake_blob:
    list:
      content: "${join(\",\", fake_server.web[*].address)}"
data:
  fake_lookup:
    alb: { name: "${fake_group.alb.name}", depends_on: [fake_group.alb] }
output:
  addresses: { value: "${fake_server.web[*].address}" }
  rules: { value: "${data.fake_lookup.alb.rules}" }
"#;

/// How long things take in a cloud like others.
pub(crate) const SLOW: Timing = Timing {
    latency: Duration::from_millis(40),
    ready: Duration::from_secs(30),
    gone: Duration::from_secs(20),
    visible: Duration::from_secs(2),
};

#[tokio::test(start_paused = true)]
async fn a_stack_lives_its_whole_life() {
    let world = World::new();
    world.cloud.set_timing(SLOW);
    let report = world.applied(STACK).await;
    assert_eq!(report.done.create, 7);
    world.assert_converged(STACK).await;
    let changed = STACK.replace("image: linux", "image: linux2").replace("10.0.0.0/8", "::/0");
    let report = world.applied(&changed).await;
    assert_eq!((report.done.replace, report.done.update), (4, 2), "{}", world.story());
    world.assert_converged(&changed).await;
    world.assert_destroyed(&changed).await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_unchanged_objects_costs_a_read_for_each_type() {
    let world = World::new();
    let many = STACK.replace("count: 2", "count: 200");
    world.applied(&many).await;
    let before = world.cloud.count(Call::Read);
    world.assert_converged(&many).await;
    assert_eq!(world.cloud.count(Call::Read) - before, 4);
}

#[tokio::test(start_paused = true)]
async fn waiting_is_shared_and_runs_in_parallel() {
    let mut world = World::new();
    world.parallelism = 200;
    world.cloud.set_timing(Timing { ready: Duration::from_secs(30), ..Timing::default() });
    let many = STACK.replace("count: 2", "count: 200");
    let started = tokio::time::Instant::now();
    world.applied(&many).await;
    assert!(started.elapsed() < Duration::from_secs(150), "{:?}", started.elapsed());
    assert!(world.cloud.count(Call::Read) < 120, "{}", world.cloud.count(Call::Read));
}

#[tokio::test(start_paused = true)]
async fn what_drifted_is_put_right_and_what_is_gone_made_again() {
    let world = World::new();
    world.applied(STACK).await;
    for (id, (type_name, _)) in world.cloud.objects() {
        match type_name {
            "fake_server" => world.cloud.edit(&id, "note", "by hand"),
            "fake_group" => world.cloud.edit(&id, "rule", Value::List(Vec::new())),
            "fake_blob" => world.cloud.remove(&id),
            _ => world.cloud.edit(&id, "weight", 7),
        }
    }
    let report = world.applied(STACK).await;
    assert_eq!((report.done.update, report.done.create), (5, 1), "{}", world.story());
    world.assert_converged(STACK).await;
    world.assert_destroyed(STACK).await;
}

#[tokio::test(start_paused = true)]
async fn refresh_only_records_and_calls_nothing_that_changes() {
    let world = World::new();
    world.applied(STACK).await;
    let blob = world.cloud.objects().into_iter().find(|(_, it)| it.0 == "fake_blob").unwrap().0;
    world.cloud.remove(&blob);
    let mutations = || [Call::Create, Call::Update, Call::Delete].map(|it| world.cloud.count(it));
    let before = mutations();
    let options = PlanOptions { mode: PlanMode::RefreshOnly, ..PlanOptions::default() };
    world.run(STACK, options).await.unwrap();
    assert_eq!(mutations(), before);
    assert!(world.snapshot().await.objects().all(|(_, object)| object.id != blob));
    world.applied(STACK).await;
    world.assert_converged(STACK).await;
}

#[tokio::test(start_paused = true)]
async fn a_gentle_stop_finishes_what_is_in_flight_and_starts_nothing_new() {
    let world = World::new();
    world.cloud.set_timing(SLOW);
    let stop = world.stop.clone();
    let asks = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        stop.send_replace(Stop::Gently);
    };
    let (report, ()) = tokio::join!(world.apply(STACK), asks);
    let report = report.unwrap();
    assert!(report.interrupted && report.skipped > 0 && report.failed == 0, "{report:?}");
    world.assert_valid().await;
    world.stop.send_replace(Stop::No);
    world.applied(STACK).await;
    world.assert_converged(STACK).await;
}

#[tokio::test(start_paused = true)]
async fn groups_in_use_are_replaced_in_either_order() {
    for (first, lifecycle) in
        [(false, ""), (true, "\n      lifecycle: { create_before_destroy: true }")]
    {
        let world = World::new();
        let stack = |name: &str| {
            format!(
                "resource:\n  fake_group:\n    web:\n      name: {name}{lifecycle}\n  fake_server:\n    web:\n      image: linux\n      groups: [\"${{fake_group.web.id}}\"]\n"
            )
        };
        world.applied(&stack("one")).await;
        let report = world.applied(&stack("two")).await;
        assert_eq!((report.done.replace, report.done.update), (1, 1), "{first}");
        world.assert_converged(&stack("two")).await;
        world.assert_destroyed(&stack("two")).await;
    }
}
