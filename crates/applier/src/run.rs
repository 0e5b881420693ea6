//! The loop: start what is ready, wait for any, go on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use reconcile_model::{
    Action, Change, CheckResult, Diagnostic, EventKind, Object, Plan, ReplaceOrder,
    ResourceAddress, SchemaSet, Snapshot, Value,
    event::{Outcome, Verb},
    plan::{Counts, StepKind},
    seal,
};
use reconcile_spec::Scope;
use reconcile_state::{StateChange, StateError};
use tokio::time::Instant;

use crate::context::{Context, Stop};
use crate::journal::Journal;
use crate::resolve;
use crate::schedule::Schedule;
use crate::secrets::Secrets;
use crate::slots::{Slot, Slots};
use crate::step::{Done, Step, StepError};

/// How a run ended.
#[derive(Debug, Default)]
pub struct Report {
    /// What was done.
    pub done: Counts,
    /// How many changes failed.
    pub failed: usize,
    /// How many were not started.
    pub skipped: usize,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// What went wrong apart from any one change: conditions of outputs.
    pub errors: Vec<Diagnostic>,
    /// What the spec's checks came to afterwards; none when something failed or was stopped.
    pub checks: Vec<CheckResult>,
}

/// What a run works on.
pub struct Job<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The values that the plan was made with.
    pub scope: Scope<'a>,
    /// The state the plan was made from.
    pub prior: &'a Snapshot,
    /// The lineage of the state, which seals what is sensitive.
    pub lineage: &'a str,
    /// The schemas of every type.
    pub schemas: &'a SchemaSet,
    /// How many changes may make calls at once; those that only wait for an object do not count.
    pub parallelism: usize,
}

/// One step that ended.
type Ended<'a> = (usize, Duration, Result<Done, StepError>);

/// Carries out a plan. Returns how that ended, and the values of everything after it.
///
/// # Errors
///
/// When the journal cannot be written: then nothing more is done. Failures of single changes are in the report and were
/// told as events.
pub async fn apply<'a>(cx: &'a Context, job: Job<'a>) -> Result<(Report, Scope<'a>), StateError> {
    let started = Instant::now();
    let plan = job.plan;
    let steps = plan.steps.iter().filter(|step| step.kind.change().is_some()).count();
    cx.emit(EventKind::ApplyStarted { steps });
    let mut run = Run::new(cx, job);
    let result = run.all().await;
    // What was done stays done, and is told, even when the journal gave out.
    run.tell_skipped();
    let report = match result {
        Ok(()) => run.outputs().await.map(|()| (run.report, run.scope)),
        Err(error) => Err(error),
    };
    if let Ok((report, _)) = &report {
        cx.emit(EventKind::ApplyFinished {
            done: report.done,
            failed: report.failed,
            skipped: report.skipped,
            elapsed: started.elapsed(),
            calls: cx.providers.calls(),
        });
    }
    report
}

struct Run<'a> {
    cx: &'a Context,
    plan: &'a Plan,
    scope: Scope<'a>,
    prior: &'a Snapshot,
    schemas: &'a SchemaSet,
    slots: Arc<Slots>,
    journal: Journal<'a>,
    schedule: Schedule,
    in_flight: FuturesUnordered<LocalBoxFuture<'a, Ended<'a>>>,
    /// The blocks of which this run has created something: it may not be visible everywhere yet.
    created: BTreeSet<ResourceAddress>,
    stopping: bool,
    report: Report,
}

impl<'a> Run<'a> {
    fn new(cx: &'a Context, job: Job<'a>) -> Self {
        Self {
            cx,
            plan: job.plan,
            scope: job.scope,
            prior: job.prior,
            schemas: job.schemas,
            slots: Slots::new(job.parallelism),
            journal: Journal { cx, stack: &job.plan.stack, lineage: job.lineage },
            schedule: Schedule::new(job.plan),
            in_flight: FuturesUnordered::new(),
            created: BTreeSet::new(),
            stopping: false,
            report: Report::default(),
        }
    }

    async fn all(&mut self) -> Result<(), StateError> {
        let mut stop = self.cx.stop.clone();
        loop {
            self.start_ready().await?;
            if self.in_flight.is_empty() {
                return Ok(());
            }
            tokio::select! {
                Some((step, elapsed, result)) = self.in_flight.next() => {
                    self.ended(step, elapsed, result)?;
                }
                () = self.slots.given_back() => {}
                Ok(()) = stop.changed() => {
                    let asked = *stop.borrow_and_update();
                    if self.stopping(asked) {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Takes note of a wish to stop; tells whether it means now.
    fn stopping(&mut self, asked: Stop) -> bool {
        match asked {
            Stop::No => false,
            Stop::Gently => {
                self.stopping = true;
                self.report.interrupted = true;
                self.cx.emit(EventKind::RunStopping { in_flight: self.in_flight.len() });
                false
            }
            Stop::Now => {
                self.report.interrupted = true;
                // Dropped calls are open operations in the journal: the next run settles them.
                self.in_flight.clear();
                true
            }
        }
    }

    async fn start_ready(&mut self) -> Result<(), StateError> {
        while !self.stopping {
            let Some(slot) = self.slots.take() else { return Ok(()) };
            let Some(index) = self.schedule.next() else { return Ok(()) };
            let kind = self.plan.steps[index].kind.clone();
            let Some(at) = kind.change() else {
                self.schedule.done(index);
                continue;
            };
            let change = &self.plan.changes[at];
            match self.start(index, &kind, change, slot) {
                Ok(Some(work)) => self.in_flight.push(work),
                Ok(None) => {
                    self.journal.commit(None, forgotten(&self.plan.changes, at)).await?;
                    let done = Ok(Done { id: change.id.clone(), ..Done::default() });
                    self.ended(index, Duration::ZERO, done)?;
                }
                Err(diagnostics) => {
                    for extra in diagnostics.iter().skip(1) {
                        self.cx.emit(EventKind::Message { diagnostic: extra.clone() });
                    }
                    let first = diagnostics.into_iter().next().expect("an error says something");
                    let failed = Err(StepError::Object(Box::new(first.about(&change.address))));
                    self.ended(index, Duration::ZERO, failed)?;
                }
            }
        }
        Ok(())
    }

    /// Starts a step. `None` means that there is nothing to call.
    fn start(
        &mut self,
        index: usize,
        kind: &StepKind,
        change: &'a Change,
        slot: Slot,
    ) -> Result<Option<LocalBoxFuture<'a, Ended<'a>>>, Vec<Diagnostic>> {
        let verb = verb(kind);
        let id = if verb == Verb::Create { None } else { change.id.clone() };
        self.cx.emit(EventKind::ChangeStarted { address: change.address.clone(), verb, id });
        if verb == Verb::Forget {
            return Ok(None);
        }
        let spec = self.scope.spec();
        let block = spec.blocks.get(&change.address.resource);
        let mode = change.address.resource.mode;
        let Some(schema) = self.schemas.get(mode, change.address.type_name()) else {
            let type_name = change.address.type_name();
            return Err(vec![Diagnostic::error(format!(
                "There is no resource type `{type_name}`"
            ))]);
        };
        let resource = self.prior.resources.get(&change.address);
        let current = resource.and_then(|it| it.current.as_ref());
        let deposed = || resource.into_iter().flat_map(|it| &it.deposed);
        let recorded = if change.deposed {
            deposed().find(|it| Some(&it.id) == change.id.as_ref()).cloned()
        } else {
            current.cloned()
        };
        let region = recorded.as_ref().and_then(|it| it.region.as_deref());
        // A new object goes where the spec says now, an old one is where it was made.
        let region = if verb == Verb::Create { None } else { region };
        let settler = self.cx.providers.settler(&change.provider, region);
        let young = change.dependencies.iter().any(|it| self.created.contains(it));
        let mut step = Step {
            journal: self.journal,
            change,
            schema,
            verb,
            arguments: block.map(|block| block.arguments.clone()).unwrap_or_default(),
            recorded,
            young_dependencies: young,
            secrets: Secrets::default(),
            provider: settler.provider(),
            settler,
            slot,
        };
        let started = Instant::now();
        if let StepKind::Detach { of, .. } = kind {
            let between =
                resolve::detached(schema, change, of.iter().map(|&at| &self.plan.changes[at]));
            step.secrets = Secrets::of(&between);
            return Ok(Some(Box::pin(async move {
                let result = step.detach(&between).await;
                (index, started.elapsed(), result)
            })));
        }
        match verb {
            Verb::Create | Verb::Update => {
                let block = block.expect("what is created or updated is in the spec");
                let planned = resolve::planned(&self.scope, block, change)?;
                step.secrets = Secrets::of(&planned);
                Ok(Some(Box::pin(async move {
                    let result = if verb == Verb::Create {
                        step.create(&planned).await
                    } else {
                        step.update(&planned).await
                    };
                    (index, started.elapsed(), result)
                })))
            }
            Verb::Read => {
                let block = block.expect("a data source is in the spec");
                let arguments = resolve::arguments(&self.scope, block, change)?;
                step.secrets = Secrets::of(&arguments);
                Ok(Some(Box::pin(async move {
                    let result = step.read_data(&arguments).await;
                    (index, started.elapsed(), result)
                })))
            }
            Verb::Delete => {
                let created_first =
                    change.action == Action::Replace(ReplaceOrder::CreateThenDelete);
                let address = change.address.clone();
                let gone = match &change.id {
                    Some(id) if change.deposed || created_first => {
                        StateChange::RemoveDeposed { address, id: id.clone() }
                    }
                    Some(_) | None => StateChange::RemoveCurrent { address },
                };
                Ok(Some(Box::pin(async move {
                    let result = step.delete(gone).await;
                    (index, started.elapsed(), result)
                })))
            }
            Verb::Forget => Ok(None),
        }
    }

    /// Takes in how a step ended.
    fn ended(
        &mut self,
        index: usize,
        elapsed: Duration,
        result: Result<Done, StepError>,
    ) -> Result<(), StateError> {
        let kind = &self.plan.steps[index].kind;
        let at = kind.change().expect("barriers do not run");
        let change = &self.plan.changes[at];
        let verb = verb(kind);
        let result = match result {
            Ok(done) => self.accept(kind, change, done),
            Err(StepError::Object(diagnostic)) => Err((diagnostic, None)),
            Err(StepError::State(error)) => return Err(error),
        };
        let (outcome, id, notes) = match result {
            Ok(Done { id, notes, .. }) => {
                self.schedule.done(index);
                (Outcome::Done, id, notes)
            }
            Err((diagnostic, id)) => {
                self.schedule.failed(index);
                self.report.failed += 1;
                (Outcome::Failed { diagnostic }, id.or_else(|| change.id.clone()), Vec::new())
            }
        };
        let address = change.address.clone();
        let calls = self.cx.providers.calls();
        self.cx.emit(EventKind::ChangeFinished {
            address,
            verb,
            id,
            elapsed,
            outcome,
            notes,
            calls,
        });
        Ok(())
    }

    /// Makes the result known to what depends on it, and checks what must hold of it.
    fn accept(
        &mut self,
        kind: &StepKind,
        change: &Change,
        done: Done,
    ) -> Result<Done, (Box<Diagnostic>, Option<reconcile_model::ObjectId>)> {
        let last = match change.action {
            Action::Replace(ReplaceOrder::DeleteThenCreate) => matches!(kind, StepKind::Create(_)),
            Action::Replace(ReplaceOrder::CreateThenDelete) => matches!(kind, StepKind::Delete(_)),
            Action::Update => matches!(kind, StepKind::Update(_)),
            Action::NoOp | Action::Read | Action::Create | Action::Delete | Action::Forget => true,
        };
        if last {
            count(&mut self.report.done, change.action);
        }
        let Some(object) = &done.object else { return Ok(done) };
        self.scope.set_instance(&change.address, Value::Map(object.clone()));
        if matches!(kind, StepKind::Create(_)) {
            self.created.insert(change.address.resource.clone());
        }
        let Some(block) = self.scope.spec().blocks.get(&change.address.resource) else {
            return Ok(done);
        };
        match resolve::check_result(&self.scope, block, change, object) {
            Ok(()) => Ok(done),
            Err(failed) => {
                let first = failed.into_iter().next().expect("an error says something");
                Err((Box::new(first.about(&change.address)), done.id))
            }
        }
    }

    /// Tells of what was not started, and counts it.
    fn tell_skipped(&mut self) {
        let left: Vec<(usize, Option<usize>)> = self.schedule.left().collect();
        for (index, cause) in left {
            let kind = &self.plan.steps[index].kind;
            let Some(at) = kind.change() else { continue };
            let change = &self.plan.changes[at];
            let because_of = cause
                .and_then(|step| self.plan.steps[step].kind.change())
                .map(|at| self.plan.changes[at].address.clone());
            self.report.skipped += 1;
            self.cx.emit(EventKind::ChangeFinished {
                address: change.address.clone(),
                verb: verb(kind),
                id: change.id.clone(),
                elapsed: Duration::ZERO,
                outcome: Outcome::Skipped { because_of },
                notes: Vec::new(),
                calls: self.cx.providers.calls(),
            });
        }
    }

    /// Evaluates and records the outputs. After a failure those that can be known are.
    async fn outputs(&mut self) -> Result<(), StateError> {
        if self.plan.outputs.values().all(|output| output.action == Action::NoOp)
            && self.report.failed == 0
        {
            return Ok(());
        }
        let mut outputs = Object::new();
        let complete = self.report.failed == 0 && self.report.skipped == 0 && !self.stopping;
        for (name, output) in &self.scope.spec().outputs {
            let kept = self.prior.outputs.get(name);
            let value = match self.plan.outputs.get(name).map(|it| it.action) {
                Some(Action::Delete) | None => continue,
                Some(_) => self.scope.output(output),
            };
            match value {
                Ok(value) if value.is_known() => {
                    let value = if output.sensitive { value.sensitive() } else { value };
                    if !value.is_null() {
                        outputs.insert(name.clone(), seal::seal(&value, self.journal.lineage));
                    }
                }
                // Something it needs was not applied: what was recorded stands.
                Ok(_) => {
                    kept.into_iter().for_each(|kept| outputs.set(name, kept.clone()));
                }
                Err(errors) => {
                    kept.into_iter().for_each(|kept| outputs.set(name, kept.clone()));
                    if complete {
                        self.report.errors.extend(errors);
                    }
                }
            }
        }
        self.journal.commit(None, StateChange::SetOutputs { outputs }).await
    }
}

/// Returns what drops the object of a change from the state: the whole instance, with what is pending of it, unless the plan
/// has something else to say of another object of the same instance.
fn forgotten(changes: &[Change], at: usize) -> StateChange {
    let change = &changes[at];
    let address = change.address.clone();
    // Changes are sorted by address.
    let neighbors = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten();
    let is_alone = !neighbors.filter_map(|it| changes.get(it)).any(|it| it.address == address);
    match &change.id {
        Some(id) if !is_alone && change.deposed => {
            StateChange::RemoveDeposed { address, id: id.clone() }
        }
        Some(_) if !is_alone => StateChange::RemoveCurrent { address },
        Some(_) | None => StateChange::Forget { address },
    }
}

fn verb(kind: &StepKind) -> Verb {
    match kind {
        StepKind::Create(_) => Verb::Create,
        StepKind::Update(_) | StepKind::Detach { .. } => Verb::Update,
        StepKind::Delete(_) => Verb::Delete,
        StepKind::Read(_) | StepKind::Barrier => Verb::Read,
        StepKind::Forget(_) => Verb::Forget,
    }
}

fn count(counts: &mut Counts, action: Action) {
    match action {
        Action::NoOp => {}
        Action::Read => counts.read += 1,
        Action::Create => counts.create += 1,
        Action::Update => counts.update += 1,
        Action::Replace(_) => counts.replace += 1,
        Action::Delete => counts.delete += 1,
        Action::Forget => counts.forget += 1,
    }
}
