//! One step: the call, the waiting, the reading, and what is written down before and after each.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reconcile_model::{
    Action, Address, Change, Diagnostic, EventKind, Object, ObjectId, ObjectState, ObjectStatus,
    Schema, event::Verb, schema::Recovery, seal, tags,
};
use reconcile_provider::{
    ErrorKind, Found, Goal, Notes, Operation, Provider, ProviderError, SettleError, Settler,
    Target, Update, error::Execution,
};
use reconcile_state::{Executed, StateChange, StateError};
use tokio::time::Instant;

use crate::attempt::Attempts;
use crate::check::{deviations, merged};
use crate::context::{Context, Stop};
use crate::journal::{Created, Journal};
use crate::recover::horizon::{HORIZON, Lookups};
use crate::secrets::Secrets;
use crate::slots::Slot;

/// How long an attribute may keep its old value after it was written: writes are eventually consistent.
const WRITE_CONSISTENCY: Duration = Duration::from_secs(30);

/// How a step failed.
#[derive(Debug)]
pub(crate) enum StepError {
    /// The object: what depends on it is skipped, all else goes on.
    Object(Box<Diagnostic>),
    /// The journal: nothing may be done any more.
    State(StateError),
}

impl From<StateError> for StepError {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

/// What a step came to.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The object; absent after a delete.
    pub(crate) object: Option<Object>,
    /// Its id.
    pub(crate) id: Option<ObjectId>,
    /// What the user should know.
    pub(crate) notes: Notes,
}

/// One step, with all that it needs.
pub(crate) struct Step<'a> {
    pub(crate) journal: Journal<'a>,
    pub(crate) change: &'a Change,
    pub(crate) schema: &'static Schema,
    pub(crate) verb: Verb,
    /// The arguments that the spec gives.
    pub(crate) arguments: BTreeSet<String>,
    /// The object as recorded, if it exists.
    pub(crate) recorded: Option<ObjectState>,
    /// Whether something the change depends on was made by this run.
    pub(crate) young_dependencies: bool,
    /// What is sensitive in what is sent.
    pub(crate) secrets: Secrets,
    pub(crate) settler: Arc<Settler>,
    pub(crate) provider: Arc<dyn Provider>,
    /// Its share of the calls that are made at once.
    pub(crate) slot: Slot,
}

impl Step<'_> {
    fn cx(&self) -> &Context {
        self.journal.cx
    }

    fn address(&self) -> &Address {
        &self.change.address
    }

    fn type_name(&self) -> &str {
        self.change.address.type_name()
    }

    fn timeout(&self) -> Duration {
        let (name, default) = match self.verb {
            Verb::Create => ("create", self.schema.timeouts.create),
            Verb::Update => ("update", self.schema.timeouts.update),
            Verb::Delete => ("delete", self.schema.timeouts.delete),
            Verb::Read | Verb::Forget => ("read", self.schema.timeouts.create),
        };
        self.change.timeouts.get(name).map_or(default, |seconds| Duration::from_secs(*seconds))
    }

    fn attempts(&self) -> Attempts<'_> {
        Attempts::new(
            self.cx(),
            self.address(),
            self.verb,
            &self.secrets,
            self.timeout(),
            self.young_dependencies,
        )
    }

    /// Creates the object and finishes it.
    pub(crate) async fn create(&self, planned: &Object) -> Result<Done, StepError> {
        let started = Instant::now();
        let plain = planned.unmarked();
        let region = self.provider.region();
        if self.change.action == Action::Create && self.recorded.is_some() {
            // Somebody deleted the object: it makes room on record for the new one.
            let gone = StateChange::RemoveCurrent { address: self.address().clone() };
            self.journal.commit(None, gone).await?;
        }
        let mut attempts = self.attempts();
        let mut attempt = 1;
        let (operation, id, notes) = loop {
            let operation = self
                .journal
                .intend(
                    self.change,
                    Verb::Create,
                    region.clone(),
                    planned,
                    self.schema.version,
                    attempt,
                )
                .await?;
            match self.call_create(&mut attempts, &operation, &plain).await {
                Ok(Some((id, notes))) => break (operation, id, notes),
                // What may still come of it carries its tag, and is looked for by the next runs.
                Ok(None) => self.journal.abandoned(&operation).await?,
                Err(error) => {
                    self.journal.failed(&operation, &error).await?;
                    return Err(self.failed(&error));
                }
            }
            attempt += 1;
        };
        self.journal.answered(&operation, &id).await?;
        let created = || Created::Now(operation.id.clone());
        let started = started + attempts.extended();
        let result = self.finish(&operation, &id, &plain, started).await;
        self.record(&operation, &id, planned, result, created(), notes).await
    }

    /// Makes the create call until it is certain that the object is there, once. `None` when an answer was lost, nothing
    /// came of the call as far as can be told, and only another operation may make it again.
    async fn call_create(
        &self,
        attempts: &mut Attempts<'_>,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Option<(ObjectId, Notes)>, ProviderError> {
        let intended = Instant::now();
        // Where nothing but a tag tells, nothing keeps a second create from making a second object.
        let is_tag_only =
            self.provider.recovery(self.type_name(), planned) == Recovery::OperationTag;
        // Once an answer was lost, no later error takes back that the object may be there.
        let mut is_lost = false;
        let after_all = |error: ProviderError, is_lost| match is_lost {
            true => ProviderError { execution: Execution::Unknown, ..error },
            false => error,
        };
        loop {
            let mut error = match self.provider.create(self.type_name(), operation, planned).await {
                Ok(created) => return Ok(Some((created.id, created.notes))),
                Err(error) => error,
            };
            is_lost |= error.execution == Execution::Unknown;
            if error.execution == Execution::Unknown || error.kind == ErrorKind::AlreadyExists {
                let looking = Instant::now();
                let found = match is_tag_only && is_lost {
                    true => self.find_at_last(operation, planned, &error, intended).await,
                    false => self.provider.find(self.type_name(), operation, planned).await,
                };
                attempts.extend(looking.elapsed());
                match found {
                    Ok(Found::Ours(id)) => return Ok(Some((id, Notes::new()))),
                    // What it replaces is gone, and can still be seen for a while.
                    Ok(Found::Foreign { id, .. }) if self.change.id.as_ref() == Some(&id) => {
                        error.kind = ErrorKind::NotReady;
                    }
                    Ok(Found::Foreign { id, description }) => {
                        return Err(foreign(&error, self.address(), &id, &description));
                    }
                    // The key is taken by something that is on its way out, or not visible yet.
                    Ok(Found::Nothing) if error.kind == ErrorKind::AlreadyExists => {
                        error.kind = ErrorKind::NotReady;
                    }
                    Ok(Found::Nothing) if is_tag_only => {
                        attempts.wait(error).await.map_err(|error| after_all(error, true))?;
                        return Ok(None);
                    }
                    Ok(Found::Nothing) => {}
                    Err(looking) if looking.kind.is_retryable() => {}
                    Err(looking) => return Err(after_all(looking, is_lost)),
                }
            }
            attempts.wait(error).await.map_err(|error| after_all(error, is_lost))?;
        }
    }

    /// Looks for an object that a create may have made whose answer was lost, until it must be visible if it is there,
    /// and if nobody answered, until the request can land no more.
    async fn find_at_last(
        &self,
        operation: &Operation,
        planned: &Object,
        error: &ProviderError,
        intended: Instant,
    ) -> Result<Found, ProviderError> {
        let mut lookups = Lookups::default();
        let was_answered = error.code.is_some();
        loop {
            let found = self.provider.find(self.type_name(), operation, planned).await?;
            let elapsed = intended.elapsed();
            let age = if was_answered { elapsed.max(HORIZON) } else { elapsed };
            // Who wants to stop need not wait for it: the operation stays open, and the next run looks on.
            let is_stopping = *self.cx().stop.borrow() != Stop::No;
            match (found, lookups.nothing(age)) {
                (Found::Nothing, Some(wait)) if !is_stopping => tokio::time::sleep(wait).await,
                (found, _) => return Ok(found),
            }
        }
    }

    /// Waits until the object is ready, and makes of it what the create call could not.
    async fn finish(
        &self,
        operation: &Operation,
        id: &ObjectId,
        planned: &Object,
        started: Instant,
    ) -> Result<(Object, Notes), Problem> {
        let seen = self.settle(id, planned, Goal::Ready, started).await?;
        let mut live = self.read_unless(seen, id, planned).await?;
        let mut notes = Notes::new();
        if !deviations(self.schema, planned, &live).is_empty() {
            let update = Update { operation, id, live: &live, planned, restart: false };
            let mut attempts = self.attempts();
            notes = attempts.run(|| self.provider.update(self.type_name(), &update)).await?;
            let seen = self.settle(id, planned, Goal::Ready, started).await?;
            live = self.read_until_planned(seen, id, planned).await?;
        }
        Ok((live, notes))
    }

    /// Updates the object.
    pub(crate) async fn update(&self, planned: &Object) -> Result<Done, StepError> {
        let started = Instant::now();
        let plain = planned.unmarked();
        let id = self.change.id.clone().expect("an update has an object");
        let live = self.change.before.as_ref().expect("an update has a before").unmarked();
        let region = self.provider.region();
        let operation = self
            .journal
            .intend(self.change, Verb::Update, region, planned, self.schema.version, 1)
            .await?;
        let update = Update {
            operation: &operation,
            id: &id,
            live: &live,
            planned: &plain,
            restart: !self.change.restart.is_empty(),
        };
        let mut attempts = self.attempts();
        let call = attempts.run(|| self.provider.update(self.type_name(), &update)).await;
        let notes = match call {
            Ok(notes) => notes,
            Err(error) => {
                self.journal.failed(&operation, &error).await?;
                return Err(self.failed(&error));
            }
        };
        let result = async {
            let seen = if self.reaches_the_object() {
                self.settle(&id, &plain, Goal::Ready, started).await?
            } else {
                None
            };
            let live = self.read_until_planned(seen, &id, &plain).await?;
            Ok((live, Notes::new()))
        };
        let result = result.await;
        self.record(&operation, &id, planned, result, self.created_before(), notes).await
    }

    /// Tells whether an update changes the object itself, and not only how this tool treats it: then there is nothing
    /// to wait for, and what is to be left behind may already count as gone.
    fn reaches_the_object(&self) -> bool {
        self.change.changed.iter().any(|path| {
            let attribute = path.attribute().and_then(|name| self.schema.attribute(name));
            attribute.is_none_or(|attribute| !attribute.local)
        })
    }

    /// Updates the object for the time being, so that it lets go of what is about to be deleted. What AWS puts in the
    /// place of it is recorded, so that a run that ends here leaves nothing but a difference for the next plan.
    pub(crate) async fn detach(&self, between: &Object) -> Result<Done, StepError> {
        let started = Instant::now();
        let plain = between.unmarked();
        let id = self.change.id.clone().expect("an update has an object");
        let live = self.change.before.as_ref().expect("an update has a before").unmarked();
        let region = self.provider.region();
        let whole = Change { restart: Vec::new(), ..self.change.clone() };
        let operation = self
            .journal
            .intend(&whole, Verb::Update, region.clone(), between, self.schema.version, 1)
            .await?;
        let update =
            Update { operation: &operation, id: &id, live: &live, planned: &plain, restart: false };
        let mut attempts = self.attempts();
        let call = attempts.run(|| self.provider.update(self.type_name(), &update)).await;
        let notes = match call {
            Ok(notes) => notes,
            Err(error) => {
                self.journal.failed(&operation, &error).await?;
                return Err(self.failed(&error));
            }
        };
        let result = async {
            let seen = self.settle(&id, &plain, Goal::Ready, started).await?;
            self.read_unless(seen, &id, &plain).await
        };
        let live = match result.await {
            Ok(live) => live,
            Err(problem) => {
                self.journal.gave_up(&operation, Executed::Yes, &problem.error()).await?;
                return Err(StepError::Object(Box::new(problem.into_diagnostic(self))));
            }
        };
        let attributes =
            seal::mark_like(self.schema, &merged(self.schema, between, &live), between);
        let object = self.journal.object(
            self.change,
            self.schema,
            &id,
            region,
            &attributes,
            ObjectStatus::Ready,
            self.created_before(),
        );
        let address = self.address().clone();
        let change = StateChange::SetCurrent { address, object: Box::new(object) };
        self.journal.commit(Some(&operation), change).await?;
        Ok(Done { object: None, id: Some(id), notes })
    }

    /// Writes down what became of a created or updated object.
    async fn record(
        &self,
        operation: &Operation,
        id: &ObjectId,
        planned: &Object,
        result: Result<(Object, Notes), Problem>,
        created: Created,
        mut notes: Notes,
    ) -> Result<Done, StepError> {
        let region = self.provider.region();
        let address = self.address().clone();
        let (live, more) = match result {
            Ok(ended) => ended,
            Err(problem) => {
                // A created object stays recorded as incomplete, and the next apply finishes it; one that never will be
                // usable is replaced.
                if let Problem::Failed(_) = problem {
                    let known = merged(self.schema, planned, &Object::new());
                    let object = self.journal.object(
                        self.change,
                        self.schema,
                        id,
                        region,
                        &known,
                        ObjectStatus::Tainted,
                        created,
                    );
                    let change = StateChange::SetCurrent { address, object: Box::new(object) };
                    self.journal.commit(Some(operation), change).await?;
                } else if self.change.restart.is_empty() {
                    // The object is on record, and the next plan sees what it lacks. A change that stops the instance
                    // stays open: no plan sees that it is to be started again.
                    self.journal.gave_up(operation, Executed::Yes, &problem.error()).await?;
                }
                return Err(StepError::Object(Box::new(problem.into_diagnostic(self))));
            }
        };
        notes.extend(more);
        let marked = seal::mark_like(self.schema, &merged(self.schema, planned, &live), planned);
        let object = self.journal.object(
            self.change,
            self.schema,
            id,
            region,
            &marked,
            ObjectStatus::Ready,
            created,
        );
        let change = StateChange::SetCurrent { address, object: Box::new(object) };
        self.journal.commit(Some(operation), change).await?;
        let wrong = deviations(self.schema, &planned.unmarked(), &live);
        if !wrong.is_empty() {
            return Err(StepError::Object(Box::new(self.deviated(&wrong))));
        }
        Ok(Done { object: Some(marked), id: Some(id.clone()), notes })
    }

    /// Deletes the object.
    pub(crate) async fn delete(&self, change: StateChange) -> Result<Done, StepError> {
        let started = Instant::now();
        let id = self.change.id.clone().expect("a delete has an object");
        let recorded = self.recorded.as_ref().map(|it| it.attributes.clone()).unwrap_or_default();
        let live = self.change.before.as_ref().map(Object::unmarked).unwrap_or_default();
        let region = self.provider.region();
        let operation = self
            .journal
            .intend(self.change, Verb::Delete, region, &Object::new(), self.schema.version, 1)
            .await?;
        let mut attempts = self.attempts();
        let call =
            attempts.run(|| self.provider.delete(self.type_name(), &operation, &id, &live)).await;
        let notes = match call {
            Ok(notes) => notes,
            Err(error) if error.kind == ErrorKind::NotFound => Notes::new(),
            Err(error) => {
                self.journal.failed(&operation, &error).await?;
                return Err(self.failed(&error));
            }
        };
        self.journal.answered(&operation, &id).await?;
        if let Err(problem) = self.settle(&id, &recorded, Goal::Gone, started).await {
            return Err(StepError::Object(Box::new(problem.into_diagnostic(self))));
        }
        self.journal.commit(Some(&operation), change).await?;
        Ok(Done { object: None, id: Some(id), notes })
    }

    /// Reads a data source.
    pub(crate) async fn read_data(&self, arguments: &Object) -> Result<Done, StepError> {
        let plain = arguments.unmarked();
        let mut attempts = self.attempts();
        let read = attempts.run(|| self.provider.read_data(self.type_name(), &plain)).await;
        match read {
            Ok(object) => {
                let object = seal::mark_like(self.schema, &object, arguments);
                Ok(Done { object: Some(object), id: None, notes: Notes::new() })
            }
            Err(mut error) => {
                // What was asked for may be named by a secret.
                if arguments.values().any(reconcile_model::Value::has_sensitive) {
                    error.id = None;
                }
                Err(self.failed(&error))
            }
        }
    }

    /// Waits for the object; returns it if it was read on that occasion.
    async fn settle(
        &self,
        id: &ObjectId,
        recorded: &Object,
        goal: Goal,
        started: Instant,
    ) -> Result<Option<Object>, Problem> {
        let target = Target { id, recorded, arguments: &self.arguments };
        let left = self.timeout().saturating_sub(started.elapsed());
        let settled = self.settler.settle(self.type_name(), target, goal, left, |state| {
            self.cx().emit(EventKind::ChangeProgress {
                address: self.address().clone(),
                verb: self.verb,
                id: Some(id.clone()),
                waiting_for: waiting_for(goal, state),
                elapsed: started.elapsed(),
                calls: self.cx().providers.calls(),
            });
        });
        match self.slot.lend(settled).await {
            Ok(Some(observed)) if !observed.object.is_empty() => {
                Ok(Some(self.with_own_tags(observed.object, recorded)))
            }
            Ok(_) => Ok(None),
            Err(SettleError::Failed(reason)) => Err(Problem::Failed(reason)),
            Err(error @ (SettleError::Vanished(_) | SettleError::Timeout { .. })) => {
                Err(Problem::Waiting(error.to_string()))
            }
            Err(SettleError::Call(error)) => Err(Problem::Shared(error)),
        }
    }

    /// Returns the object as it was seen a moment ago, or reads it.
    async fn read_unless(
        &self,
        seen: Option<Object>,
        id: &ObjectId,
        recorded: &Object,
    ) -> Result<Object, Problem> {
        match seen {
            Some(object) => Ok(object),
            None => self.read(id, recorded).await,
        }
    }

    async fn read(&self, id: &ObjectId, recorded: &Object) -> Result<Object, Problem> {
        let target = Target { id, recorded, arguments: &self.arguments };
        let mut attempts = self.attempts();
        loop {
            match self.settler.read(self.type_name(), target).await {
                Ok(Some(observed)) => return Ok(self.with_own_tags(observed.object, recorded)),
                // It was there a moment ago: another replica does not know it yet.
                Ok(None) => {
                    let error = ProviderError::new(ErrorKind::NotReady, "read", "it is not found")
                        .about(id);
                    attempts.wait(error).await?;
                }
                Err(error) => return Err(Problem::Shared(error)),
            }
        }
    }

    /// Takes the provider's default tags out of the `tags` that were read, as the plan has them apart.
    fn with_own_tags(&self, mut live: Object, planned: &Object) -> Object {
        if self.schema.is_taggable() {
            let own = planned.map("tags").cloned().unwrap_or_default();
            let mut default_tags = planned.map("tags_all").cloned().unwrap_or_default();
            default_tags.retain(|key, _| !own.contains_key(key));
            tags::set_own(&mut live, &default_tags, planned.value("tags"));
        }
        live
    }

    /// Reads the object until it is what was planned, or until that has had its time.
    async fn read_until_planned(
        &self,
        mut seen: Option<Object>,
        id: &ObjectId,
        planned: &Object,
    ) -> Result<Object, Problem> {
        let started = Instant::now();
        let mut wait = Duration::from_millis(250);
        loop {
            let live = self.read_unless(seen.take(), id, planned).await?;
            if deviations(self.schema, planned, &live).is_empty()
                || started.elapsed() > WRITE_CONSISTENCY
            {
                return Ok(live);
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(5));
        }
    }

    fn created_before(&self) -> Created {
        match &self.recorded {
            Some(state) => {
                Created::Before { at: state.created_at, operation: state.operation.clone() }
            }
            None => Created::Before { at: None, operation: None },
        }
    }

    fn failed(&self, error: &ProviderError) -> StepError {
        StepError::Object(Box::new(self.diagnostic(error)))
    }

    fn diagnostic(&self, error: &ProviderError) -> Diagnostic {
        let mut diagnostic = self.blank().detail(self.secrets.hide(error.sentence()));
        diagnostic.hint.clone_from(&error.hint);
        diagnostic
    }

    fn blank(&self) -> Diagnostic {
        let verb = match self.verb {
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Delete => "delete",
            Verb::Read => "read",
            Verb::Forget => "forget",
        };
        let what = match &self.change.id {
            Some(id) if self.verb != Verb::Create => format!("{} ({id})", self.address()),
            Some(_) | None => self.address().to_string(),
        };
        Diagnostic::error(format!("Cannot {verb} {what}"))
            .at(self.change.span.clone())
            .about(self.address())
    }

    fn deviated(&self, names: &[&str]) -> Diagnostic {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        Diagnostic::error(format!("{} is not what was planned", self.address()))
            .detail(format!(
                "AWS took the request and reads back something else in {}. What is there was recorded.",
                names.join(", ")
            ))
            .hint("Plan again to see the difference. If nothing else changes the object, this is a bug in reconcile.")
            .at(self.change.span.clone())
            .about(self.address())
    }
}

/// Says what an object waits for.
fn waiting_for(goal: Goal, state: &str) -> String {
    match goal {
        Goal::Ready => format!("{state}, waiting until it is ready"),
        Goal::Gone => format!("{state}, waiting until it is gone"),
    }
}

/// Returns the error for something of somebody else's that is in the way.
fn foreign(
    error: &ProviderError,
    address: &Address,
    id: &ObjectId,
    description: &str,
) -> ProviderError {
    let mut foreign = ProviderError::new(
        ErrorKind::AlreadyExists,
        error.operation,
        format!("{description}, and this stack did not create it"),
    )
    .about(id)
    .hint(format!("Choose another name, delete it if nobody needs it, or adopt it: `reconcile import '{address}' {id}`."));
    foreign.code.clone_from(&error.code);
    foreign
}

/// Why an object is not what it should be, after the call that made or changed it.
#[derive(Debug)]
pub(crate) enum Problem {
    /// It will never be usable.
    Failed(String),
    /// It did not get there in time.
    Waiting(String),
    /// A call failed.
    Call(ProviderError),
    /// A call that was made for several objects failed.
    Shared(Arc<ProviderError>),
}

impl From<ProviderError> for Problem {
    fn from(error: ProviderError) -> Self {
        Self::Call(error)
    }
}

impl Problem {
    /// Returns the problem as an error, for the record.
    fn error(&self) -> ProviderError {
        match self {
            Self::Failed(_) | Self::Waiting(_) => {
                ProviderError::new(ErrorKind::NotReady, "wait", "it did not become ready")
            }
            Self::Call(error) => error.summary(),
            Self::Shared(error) => error.summary(),
        }
    }

    fn into_diagnostic(self, step: &Step<'_>) -> Diagnostic {
        match self {
            Self::Failed(reason) => step
                .blank()
                .detail(format!("It was created and ended in state {reason}."))
                .hint("The next apply replaces it."),
            Self::Waiting(message) => step
                .blank()
                .detail(format!("The call was made, but {message}."))
                .hint("Apply again to go on waiting; a `timeouts` block gives it more time."),
            Self::Call(error) => step.diagnostic(&error),
            Self::Shared(error) => step.diagnostic(&error),
        }
    }
}
