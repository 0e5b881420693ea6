//! A stack's surroundings: a cloud, a store, and runs against both.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use reconcile_engine::{Clock, Engine, Failure, Ids, Imported, Report, Request, Stop};
use reconcile_model::event::Outcome;
use reconcile_model::plan::{PlanMode, PlanOptions};
use reconcile_model::{Diagnostic, Event, EventKind, ObjectId, Plan, SchemaSet, Snapshot};
use reconcile_provider_fake::{Cloud, REGISTRY};
use reconcile_spec::{Inputs, Sources, Spec, load};
use reconcile_state::{MemoryStore, OpenOptions, Store as _, verify};
use tokio::sync::watch;
use tokio::time::Instant;

/// Where runs happen.
pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) store: MemoryStore,
    pub(crate) parallelism: usize,
    pub(crate) stop: watch::Sender<Stop>,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
    schemas: SchemaSet,
    time: Arc<Time>,
}

/// The clock.
struct Time(Instant);

/// The ids: no two worlds have one in common.
struct Numbers;

impl Clock for Time {
    fn now(&self) -> u64 {
        1_700_000_000_000
            + u64::try_from(self.0.elapsed().as_millis()).expect("tests end before time does")
    }
}

impl Ids for Numbers {
    fn next(&self) -> String {
        static LAST: AtomicU64 = AtomicU64::new(0);
        format!("operation-{}", LAST.fetch_add(1, Ordering::Relaxed))
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            cloud: Cloud::new(),
            store: MemoryStore::new("test"),
            parallelism: 4,
            stop: watch::Sender::new(Stop::No),
            events: Arc::default(),
            schemas: REGISTRY.schemas(),
            time: Arc::new(Time(Instant::now())),
        }
    }

    fn spec(&self, text: &str) -> Spec {
        let sources = Sources::from_texts("test", [("main.yaml", text)]);
        match load(&sources, &Inputs::default(), &self.schemas) {
            Ok(loaded) => loaded.spec,
            Err(found) => panic!("{}\n{text}", told(&found)),
        }
    }

    fn engine<'a>(&'a self, spec: &'a Spec) -> Engine<'a> {
        let events = Arc::clone(&self.events);
        Engine::new(
            spec,
            &self.schemas,
            Arc::new(self.cloud.clone()),
            &self.store,
            Arc::clone(&self.time) as Arc<dyn Clock>,
            Arc::new(Numbers),
            Arc::new(move |event| {
                events.lock().expect("no panic while the lock is held").push(event.clone());
            }),
            self.stop.subscribe(),
        )
        .expect("the provider blocks are constant")
    }

    /// Plans without writing anything.
    pub(crate) async fn plan(&self, text: &str) -> Result<Plan, Failure> {
        let spec = self.spec(text);
        let engine = self.engine(&spec);
        let (prior, _) = engine.peek().await?;
        Ok(engine.plan(&prior, &Request::default()).await?.plan)
    }

    /// Plans and carries the plan out, as the command does.
    pub(crate) async fn run(&self, text: &str, options: PlanOptions) -> Result<Report, Failure> {
        let spec = self.spec(text);
        let engine = self.engine(&spec);
        let open = OpenOptions { lineage: "lineage".to_owned(), ..OpenOptions::default() };
        let prepared = engine.prepare(open, options.mode).await?;
        let request = Request { options, no_refresh: false };
        match engine.plan_prepared(&prepared, &request).await {
            Ok(planned) => {
                let problems = reconcile_planner::lint::lint(&planned.plan);
                assert!(problems.is_empty(), "{problems:#?}");
                engine.apply(&prepared, planned, self.parallelism).await
            }
            Err(error) => {
                engine.abandon(&prepared).await?;
                Err(error)
            }
        }
    }

    /// Records an object that is there at an address of the spec.
    pub(crate) async fn import(
        &self,
        text: &str,
        address: &str,
        id: &ObjectId,
    ) -> Result<Imported, Failure> {
        let spec = self.spec(text);
        let engine = self.engine(&spec);
        let prepared = engine.prepare(OpenOptions::default(), PlanMode::Apply).await?;
        engine.import(&prepared, &address.parse().expect("it is an address"), id).await
    }

    pub(crate) async fn apply(&self, text: &str) -> Result<Report, Failure> {
        self.run(text, PlanOptions::default()).await
    }

    pub(crate) async fn destroy(&self, text: &str) -> Result<Report, Failure> {
        self.run(text, PlanOptions { mode: PlanMode::Destroy, ..PlanOptions::default() }).await
    }

    /// Applies what must go well.
    pub(crate) async fn applied(&self, text: &str) -> Report {
        let report = self.apply(text).await;
        let report = report.unwrap_or_else(|found| panic!("{}\n{text}", told(&found)));
        assert!(report.failed == 0 && report.skipped == 0, "{report:?}\n{text}\n{}", self.story());
        report
    }

    /// Applies until `polls` steps were made, and crashes then. Tells whether the run came to its end before.
    pub(crate) async fn crash(&self, text: &str, options: PlanOptions, polls: usize) -> bool {
        let mut left = polls;
        let ended = {
            let mut run = pin!(self.run(text, options));
            std::future::poll_fn(|cx| {
                if left == 0 {
                    return Poll::Ready(false);
                }
                left -= 1;
                run.as_mut().poll(cx).map(|_| true)
            })
            .await
        };
        // What was handed to the disk gets there or not; then the process is gone, and its lock with it.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        ended
    }

    pub(crate) async fn snapshot(&self) -> Snapshot {
        self.store.peek().await.expect("the state is readable").snapshot
    }

    /// Checks what must hold after every run, however it ended.
    pub(crate) async fn assert_valid(&self) {
        let snapshot = self.snapshot().await;
        let problems: Vec<_> = verify::verify(&snapshot)
            .into_iter()
            // So it is after an object was deleted behind our back, until the next apply.
            .filter(|it| !matches!(it, verify::Problem::Dangling { .. }))
            .collect();
        assert!(problems.is_empty(), "{problems:#?}\n{}", self.story());
    }

    /// Checks that the cloud holds what the state says, nothing is left to do, and nothing is open.
    pub(crate) async fn assert_converged(&self, text: &str) {
        self.assert_valid().await;
        let recorded: BTreeSet<ObjectId> =
            self.snapshot().await.objects().map(|(_, object)| object.id.clone()).collect();
        let there: BTreeSet<ObjectId> = self.cloud.objects().into_keys().collect();
        assert_eq!(recorded, there, "{text}\n{}", self.story());
        let plan = self.plan(text).await.unwrap_or_else(|found| panic!("{}", told(&found)));
        assert!(plan.is_empty(), "{:#?}\n{text}\n{}", changes(&plan), self.story());
        let open = self.store.peek().await.expect("the state is readable").pending;
        assert!(open.iter().all(|it| !it.is_open()), "{open:#?}");
    }

    /// Destroys the stack, and checks that nothing is left of it.
    pub(crate) async fn assert_destroyed(&self, text: &str) {
        let report = self.destroy(text).await.unwrap_or_else(|found| panic!("{}", told(&found)));
        assert!(report.failed == 0 && report.skipped == 0, "{report:?}\n{}", self.story());
        assert!(self.cloud.objects().is_empty(), "{:#?}\n{}", self.cloud.objects(), self.story());
        assert!(self.snapshot().await.resources.is_empty());
    }

    /// Returns what was done so far, for the message of a test that fails.
    pub(crate) fn story(&self) -> String {
        let events = self.events.lock().expect("no panic while the lock is held");
        events.iter().filter_map(line).collect::<Vec<_>>().join("\n")
    }
}

fn line(event: &Event) -> Option<String> {
    match &event.kind {
        EventKind::ChangeStarted { address, verb, .. } => Some(format!("{address} {verb:?}")),
        EventKind::ChangeFinished { address, id, verb, outcome, .. } => {
            let outcome = match outcome {
                Outcome::Done => "done".to_owned(),
                Outcome::Failed { diagnostic } => {
                    format!("failed: {}", told(std::slice::from_ref(diagnostic)))
                }
                Outcome::Skipped { because_of } => format!("skipped: {because_of:?}"),
            };
            let id = id.as_ref().map_or("-", ObjectId::as_str);
            Some(format!("{address} ({id}) {verb:?} {outcome}"))
        }
        EventKind::RetryScheduled { address, error, .. } => Some(format!("{address} {error}")),
        EventKind::ApplyFinished { failed, .. } => Some(format!("finished, {failed} failed")),
        EventKind::RunStarted { .. }
        | EventKind::RefreshStarted { .. }
        | EventKind::RefreshFinished { .. }
        | EventKind::PlanFinished { .. }
        | EventKind::ApplyStarted { .. }
        | EventKind::ChangeProgress { .. }
        | EventKind::Recovered { .. }
        | EventKind::CheckStarted { .. }
        | EventKind::CheckProgress { .. }
        | EventKind::CheckFinished { .. }
        | EventKind::RunStopping { .. }
        | EventKind::Message { .. } => None,
    }
}

pub(crate) fn told(diagnostics: &[Diagnostic]) -> String {
    let line = |it: &Diagnostic| format!("{} {}", it.summary, it.detail);
    diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn changes(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter().map(|change| {
        let changed: Vec<String> = change.changed.iter().map(ToString::to_string).collect();
        format!("{} {:?} {:?} {}", change.address, change.action, change.reason, changed.join(" "))
    });
    changes.collect()
}
