//! `import` blocks: what was made elsewhere is planned as if it had been recorded, and recorded before anything is done.

use std::collections::BTreeSet;

use reconcile_model::plan::{PlanMode, PlanOptions};
use reconcile_model::{Action, ObjectId};
use reconcile_provider_fake::Call;

use crate::world::{World, told};

const THERE: &str = r#"
resource:
  fake_group:
    web: { name: web }
  fake_server:
    web: { count: 2, image: linux, groups: ["${fake_group.web.id}"] }
"#;

/// Returns a world in which [`THERE`] is there and nothing of the servers is recorded, and their ids.
async fn forgotten() -> (World, Vec<ObjectId>) {
    let world = World::new();
    world.applied(THERE).await;
    let snapshot = world.snapshot().await;
    let servers = snapshot.objects().filter(|(it, _)| it.type_name() == "fake_server");
    let ids = servers.map(|(_, object)| object.id.clone()).collect();
    let without = "resource: { fake_group: { web: { name: web } } }
removed: { from: fake_server.web, lifecycle: { destroy: false } }";
    world.applied(without).await;
    (world, ids)
}

/// Returns a spec that imports the servers into another block.
fn importing(ids: &[ObjectId], image: &str) -> String {
    format!(
        "locals: {{ first: {} }}
resource:
  fake_group:
    web: {{ name: web }}
  fake_server:
    new: {{ count: 2, image: {image}, note: mine, groups: [\"${{fake_group.web.id}}\"] }}
import:
  - {{ to: 'fake_server.new[0]', id: \"${{local.first}}\" }}
  - {{ to: 'fake_server.new[1]', id: {} }}
",
        ids[0], ids[1]
    )
}

fn creates(world: &World) -> u64 {
    world.cloud.count(Call::Create)
}

#[tokio::test(start_paused = true)]
async fn what_is_imported_is_recorded_and_then_put_right() {
    let (world, ids) = forgotten().await;
    let text = importing(&ids, "linux");
    let plan = world.plan(&text).await.unwrap_or_else(|found| panic!("{}", told(&found)));
    let imported: Vec<_> = plan.changes.iter().filter(|change| change.imported).collect();
    assert_eq!(imported.iter().map(|it| it.action).collect::<Vec<_>>(), [Action::Update; 2]);
    let before = creates(&world);
    let report = world.applied(&text).await;
    assert_eq!((report.done.update, creates(&world)), (2, before));
    let there: BTreeSet<ObjectId> = world.cloud.objects().into_keys().collect();
    assert!(ids.iter().all(|id| there.contains(id)));
    world.assert_converged(&text).await;
    world.assert_destroyed(&text).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_as_the_spec_says_is_imported_without_a_call() {
    let (world, ids) = forgotten().await;
    let text = importing(&ids, "linux").replace("note: mine, ", "");
    let plan = world.plan(&text).await.unwrap_or_else(|found| panic!("{}", told(&found)));
    let changed: Vec<_> = plan.changes.iter().map(|it| (it.action, &it.changed)).collect();
    assert!(!plan.is_empty() && plan.steps.is_empty(), "{changed:?}");
    let mutations = || [Call::Create, Call::Update, Call::Delete].map(|it| world.cloud.count(it));
    let before = mutations();
    world.applied(&text).await;
    assert_eq!(mutations(), before);
    world.assert_converged(&text).await;
}

#[tokio::test(start_paused = true)]
async fn an_import_is_recoverable_at_each_instant() {
    for polls in 1.. {
        let (world, ids) = forgotten().await;
        let text = importing(&ids, "linux");
        let before = creates(&world);
        let ended = world.crash(&text, PlanOptions::default(), polls).await;
        world.assert_valid().await;
        world.applied(&text).await;
        assert_eq!(creates(&world), before);
        world.assert_converged(&text).await;
        world.assert_destroyed(&text).await;
        if ended {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_planned_is_not_imported() {
    let (world, ids) = forgotten().await;
    let text = importing(&ids, "linux");
    let only = PlanOptions { targets: vec!["fake_group.web".to_owned()], ..PlanOptions::default() };
    world.run(&text, only).await.unwrap_or_else(|found| panic!("{}", told(&found)));
    for mode in [PlanMode::RefreshOnly, PlanMode::Destroy] {
        let options = PlanOptions { mode, ..PlanOptions::default() };
        world.run(&text, options).await.unwrap_or_else(|found| panic!("{}", told(&found)));
        assert!(world.snapshot().await.objects().all(|(it, _)| it.type_name() == "fake_group"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_block_would_import_can_be_imported_by_hand() {
    let (world, ids) = forgotten().await;
    let text = importing(&ids, "linux");
    world.import(&text, "fake_server.new[1]", &ids[1]).await.expect("it can be imported");
    let before = creates(&world);
    world.applied(&text).await;
    assert_eq!(creates(&world), before);
    world.assert_converged(&text).await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_imported_is_told() {
    let (world, ids) = forgotten().await;
    let refused = async |text: &str, expected: &str| {
        let found = world.plan(text).await.expect_err("it is refused");
        assert!(told(&found).contains(expected), "{}", told(&found));
        assert!(found[0].span.is_some());
    };
    let text = importing(&ids, "linux");
    let gone = text.replace(&format!("id: {}", ids[1]), "id: server-none");
    refused(&gone, "There is no fake_server with the id server-none").await;
    refused(&text.replace("count: 2", "count: 1"), "The spec has no instance fake_server.new[1]")
        .await;
    let twice = text.replace(&format!("id: {}", ids[1]), &format!("id: {}", ids[0]));
    refused(&twice, "is recorded already, at fake_server.new[0]").await;
    world.applied(&text).await;
    let again = text.replace("import:", "    other: { image: linux }\nimport:")
        + &format!("  - {{ to: fake_server.other, id: {} }}\n", ids[1]);
    refused(&again, "is recorded already, at fake_server.new[1]").await;
}
