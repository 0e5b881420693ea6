//! The pipeline, in its two forms: a preview that changes nothing, and a run that holds the lock.

use std::sync::Arc;

use reconcile_applier::{Clock, Context, Ids, Job, Purpose, Report, Sink, Stop, apply, recover};
use reconcile_model::{
    Diagnostic, Event, EventKind, Plan, ResourceState, SchemaSet, Snapshot,
    event::FORMAT_VERSION,
    plan::{PlanMode, PlanOptions},
};
use reconcile_planner::Planned;
use reconcile_provider::Regions;
use reconcile_spec::Spec;
use reconcile_state::{
    OpenOptions, PendingOperation, Record, Session, StateChange, StateError, Store,
};
use tokio::sync::watch;

use crate::checks::{self, Checked, Pace};
use crate::planning::{self, ImportBlocks, Request};
use crate::providers::Providers;
use crate::record;

/// Why a run did not come to its end.
pub type Failure = Vec<Diagnostic>;

/// What a run works with.
pub struct Engine<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) schemas: &'a SchemaSet,
    pub(crate) providers: Arc<Providers>,
    pub(crate) clock: Arc<dyn Clock>,
    store: &'a dyn Store,
    ids: Arc<dyn Ids>,
    sink: Sink,
    pub(crate) stop: watch::Receiver<Stop>,
}

/// A locked state that was read and recovered.
pub struct Prepared {
    pub(crate) session: Arc<dyn Session>,
    /// The state as the plan sees it.
    pub(crate) prior: Snapshot,
    pub(crate) lineage: String,
}

impl<'a> Engine<'a> {
    /// Returns an engine. Nothing is connected or read yet.
    ///
    /// # Errors
    ///
    /// When a provider block cannot be evaluated.
    #[expect(clippy::too_many_arguments, reason = "they are what a run is made of, and go in once")]
    pub fn new(
        spec: &'a Spec,
        schemas: &'a SchemaSet,
        regions: Arc<dyn Regions>,
        store: &'a dyn Store,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        sink: Sink,
        stop: watch::Receiver<Stop>,
    ) -> Result<Self, Failure> {
        let providers = Arc::new(Providers::configure(spec, regions)?);
        let engine = Self { spec, schemas, providers, clock, store, ids, sink, stop };
        engine.emit(EventKind::RunStarted {
            format_version: FORMAT_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            stack: spec.stack.clone(),
        });
        Ok(engine)
    }

    pub(crate) fn emit(&self, kind: EventKind) {
        (self.sink)(&Event { at: self.clock.now(), kind });
    }

    /// Reads the recorded state without the lock.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn peek(&self) -> Result<(Snapshot, Vec<PendingOperation>), Failure> {
        let view = self.store.peek().await.map_err(failure)?;
        Ok((view.snapshot, view.pending))
    }

    /// Plans against a recorded state, and looks at the checks as far as that is possible before apply. Nothing is
    /// written anywhere.
    ///
    /// # Errors
    ///
    /// Whatever keeps the live state from being read, or the spec from being planned. A check that does not hold is no
    /// error.
    pub async fn plan(&self, prior: &Snapshot, request: &Request) -> Result<Planned<'a>, Failure> {
        let mut planned = planning::make(self, prior, request, ImportBlocks::Followed).await?;
        if planned.plan.options.mode != PlanMode::Destroy {
            let changing = checks::changing(&planned.plan);
            let pace = Pace::Glance { changing: &changing };
            planned.plan.checks = checks::run(self, &mut planned.scope, pace, None).await.results;
        }
        Ok(planned)
    }

    /// Looks at the checks of the spec over what is recorded and found: nothing is planned, and nothing is written.
    ///
    /// `only` names the one check to look at; all are when it is absent.
    ///
    /// # Errors
    ///
    /// Whatever keeps the live state from being read. A check that does not hold is no error.
    pub async fn check(
        &self,
        prior: &Snapshot,
        no_refresh: bool,
        only: Option<&str>,
    ) -> Result<Checked, Failure> {
        let options = PlanOptions { mode: PlanMode::RefreshOnly, ..PlanOptions::default() };
        let mut planned =
            planning::make(self, prior, &Request { options, no_refresh }, ImportBlocks::Followed)
                .await?;
        Ok(checks::run(self, &mut planned.scope, Pace::Patient, only).await)
    }

    /// Takes the lock, reads the state, and settles what an earlier run left open, for a run of the given mode.
    ///
    /// # Errors
    ///
    /// When somebody else holds the lock, the state cannot be read or written, or an open operation cannot be settled.
    pub async fn prepare(&self, options: OpenOptions, mode: PlanMode) -> Result<Prepared, Failure> {
        let session: Arc<dyn Session> = Arc::from(self.store.open(options).await.map_err(failure)?);
        let purpose = match mode {
            PlanMode::Destroy => Purpose::Destroy,
            PlanMode::Apply | PlanMode::RefreshOnly => Purpose::Apply,
        };
        let cx = self.context(&session);
        let recovery =
            recover(&cx, &self.spec.stack, self.schemas, purpose).await.map_err(failure)?;
        if !recovery.errors.is_empty() {
            close(&*session).await?;
            return Err(recovery.errors);
        }
        for (address, what) in &recovery.settled {
            self.emit(EventKind::Recovered { what: format!("{address}: {what}") });
        }
        let snapshot = session.snapshot();
        let lineage = snapshot.lineage.clone();
        let mut prior = (*snapshot).clone();
        if session.is_new() {
            // A plan made before the state exists has no lineage, and this one must be the same plan.
            prior.lineage.clear();
        }
        Ok(Prepared { session, prior, lineage })
    }

    /// Plans against a locked state.
    ///
    /// # Errors
    ///
    /// Whatever keeps the live state from being read, or the spec from being planned.
    pub async fn plan_prepared(
        &self,
        prepared: &Prepared,
        request: &Request,
    ) -> Result<Planned<'a>, Failure> {
        planning::make(self, &prepared.prior, request, ImportBlocks::Followed).await
    }

    /// Carries out a plan that was made against a locked state, folds the journal into the state, gives the lock back,
    /// and looks at the checks.
    ///
    /// # Errors
    ///
    /// When the state cannot be written. Failures of single changes are in the report and were told as events.
    pub async fn apply(
        &self,
        prepared: &Prepared,
        planned: Planned<'a>,
        parallelism: usize,
    ) -> Result<Report, Failure> {
        let Planned { plan, scope } = planned;
        let Prepared { session, prior, lineage } = prepared;
        let (mut records, mut prior) = record::moved(&plan, prior);
        for (address, object) in record::imported(self, &plan, lineage) {
            let state = ResourceState { current: Some(object.clone()), deposed: Vec::new() };
            prior.to_mut().resources.insert(address.clone(), state);
            let change = StateChange::SetCurrent { address, object: Box::new(object) };
            records.push(Record::Commit { operation: None, change });
        }
        records.extend(record::found(&plan, &prior, lineage));
        if !records.is_empty() {
            session.append_all(records).await.map_err(failure)?;
        }
        let cx = self.context(session);
        let applied = if has_work(&plan) {
            let schemas = self.schemas;
            let job = Job { plan: &plan, scope, prior: &prior, lineage, schemas, parallelism };
            apply(&cx, job).await.map_err(failure)
        } else {
            Ok((Report::default(), scope))
        };
        // What was done is recorded, however it ended.
        let folded = session.checkpoint().await.map_err(failure);
        close(&**session).await?;
        let (mut report, mut scope) = applied?;
        folded?;
        for diagnostic in &report.errors {
            self.emit(EventKind::Message { diagnostic: diagnostic.clone() });
        }
        // Nobody has to wait for the checks of somebody else: the lock was given back.
        let is_whole = report.failed == 0 && report.errors.is_empty() && !report.interrupted;
        if is_whole && plan.options.mode != PlanMode::Destroy {
            let checked = checks::run(self, &mut scope, Pace::Patient, None).await;
            report.checks = checked.results;
            report.interrupted = checked.interrupted;
        }
        Ok(report)
    }

    /// Gives the lock back without doing anything.
    ///
    /// # Errors
    ///
    /// When what recovery recorded cannot be folded into the state.
    pub async fn abandon(&self, prepared: &Prepared) -> Result<(), Failure> {
        prepared.session.checkpoint().await.map_err(failure)?;
        close(&*prepared.session).await
    }

    fn context(&self, session: &Arc<dyn Session>) -> Context {
        Context {
            providers: Arc::clone(&self.providers) as Arc<dyn reconcile_applier::Providers>,
            session: Arc::clone(session),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            sink: Arc::clone(&self.sink),
            stop: self.stop.clone(),
        }
    }
}

/// Tells whether carrying out the plan would do anything.
fn has_work(plan: &Plan) -> bool {
    !plan.is_empty()
}

pub(crate) async fn close(session: &dyn Session) -> Result<(), Failure> {
    session.close().await.map_err(failure)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
pub(crate) fn failure(error: StateError) -> Failure {
    vec![Diagnostic::from(&error)]
}
