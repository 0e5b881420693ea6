//! Prints what planning and applying cost at a given number of resources: `cargo run --profile PROFILE --example scale 10000`.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reconcile_engine::{Clock, Engine, Failure, Ids, Request, Stop};
use reconcile_model::plan::PlanMode;
use reconcile_provider_fake::{Cloud, REGISTRY};
use reconcile_spec::{Inputs, Sources, load};
use reconcile_state::{MemoryStore, OpenOptions};
use tokio::sync::watch;
use tokio::time::Instant;

struct Counter(AtomicU64);

impl Clock for Counter {
    fn now(&self) -> u64 {
        1_700_000_000_000
    }
}

impl Ids for Counter {
    fn next(&self) -> String {
        format!("operation-{}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let count: usize = std::env::args().nth(1).map_or(Ok(10_000), |text| text.parse())?;
    let half = count / 2;
    let text = format!(
        "resource:\n  fake_group: {{ web: {{ name: web }} }}\n  fake_server:\n    web: {{ count: {half}, image: linux, groups: [\"${{fake_group.web.id}}\"] }}\n  fake_link:\n    web: {{ count: {half}, server: \"${{fake_server.web[count.index].id}}\", group: \"${{fake_group.web.id}}\" }}\n"
    );
    let mut out = std::io::stdout();
    let schemas = REGISTRY.schemas();
    let start = Instant::now();
    let sources = Sources::from_texts("scale", [("main.yaml", &*text)]);
    let spec = load(&sources, &Inputs::default(), &schemas).map_err(told)?.spec;
    writeln!(out, "{count} resources\nload            {:8.2?}", start.elapsed())?;
    let (store, counter) = (MemoryStore::new("scale"), Arc::new(Counter(AtomicU64::new(0))));
    let stop = watch::Sender::new(Stop::No);
    let engine = Engine::new(
        &spec,
        &schemas,
        Arc::new(Cloud::new()),
        &store,
        Arc::clone(&counter) as Arc<dyn Clock>,
        counter,
        Arc::new(|_| {}),
        stop.subscribe(),
    )
    .map_err(told)?;
    let open = OpenOptions { lineage: "lineage".to_owned(), ..OpenOptions::default() };
    let prepared = engine.prepare(open.clone(), PlanMode::Apply).await.map_err(told)?;
    let start = Instant::now();
    let planned = engine.plan_prepared(&prepared, &Request::default()).await.map_err(told)?;
    writeln!(out, "first plan      {:8.2?}", start.elapsed())?;
    let start = Instant::now();
    let report = engine.apply(&prepared, planned, 1000).await.map_err(told)?;
    writeln!(out, "apply           {:8.2?} ({} created)", start.elapsed(), report.done.create)?;
    let start = Instant::now();
    let prepared = engine.prepare(open, PlanMode::Apply).await.map_err(told)?;
    writeln!(out, "load the state  {:8.2?}", start.elapsed())?;
    let start = Instant::now();
    let planned = engine.plan_prepared(&prepared, &Request::default()).await.map_err(told)?;
    writeln!(out, "no-change plan  {:8.2?} (empty: {})", start.elapsed(), planned.plan.is_empty())?;
    Ok(())
}

fn told(found: Failure) -> String {
    found.iter().map(|it| format!("{} {}\n", it.summary, it.detail)).collect()
}
