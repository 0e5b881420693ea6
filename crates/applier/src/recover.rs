//! Settling what an earlier run left open, before anything else is done.
//!
//! An open operation is an intent in the journal whose end is not. Its call may have been made or not. The journaled
//! request is made again, never a fresh evaluation of the spec: with the same client token, natural key, or tag it finds
//! or makes the one object that was meant. What is incomplete about it then, the next plan sees.

use std::collections::BTreeSet;
use std::time::Duration;

use reconcile_model::{
    Address, Diagnostic, Mode, Object, ObjectState, ObjectStatus, SchemaSet, Value, event::Verb,
};
use reconcile_provider::{
    Created, ErrorKind, Found, Goal, Notes, Operation, ProviderError, SettleError, Target, Update,
    error::Execution,
};
use reconcile_state::{
    Executed, Intent, PendingOperation, PendingStatus, Record, StateChange, StateError,
};

use crate::context::Context;

/// How often a lookup that finds nothing is repeated, and after what waits, before a create that cannot be made again
/// counts as not made: tag indexes are eventually consistent.
pub(crate) const LOOKUPS: [Duration; 3] =
    [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];

/// How a recovery ended.
#[derive(Debug, Default)]
pub struct Recovery {
    /// What was settled, for people.
    pub settled: Vec<(Address, String)>,
    /// What could not be settled, and why. Those operations stay open.
    pub errors: Vec<Diagnostic>,
}

/// Settles every open operation of the session's state.
///
/// # Errors
///
/// When the journal cannot be written.
pub async fn recover(
    cx: &Context,
    stack: &str,
    schemas: &SchemaSet,
) -> Result<Recovery, StateError> {
    let mut recovery = Recovery::default();
    for pending in cx.session.pending().into_iter().filter(PendingOperation::is_open) {
        let address = pending.intent.address.clone();
        match settle(cx, stack, schemas, pending).await {
            Ok(what) => recovery.settled.push((address, what)),
            Err(Unsettled::State(error)) => return Err(error),
            Err(Unsettled::Call(error)) => {
                let mut diagnostic = Diagnostic::error(format!(
                    "Cannot tell what became of an interrupted operation on {address}"
                ))
                .detail(error.sentence())
                .about(&address);
                diagnostic.hint = Some(error.hint.unwrap_or_else(|| {
                    "Run it again; the operation stays on record until it is settled.".to_owned()
                }));
                recovery.errors.push(diagnostic);
            }
        }
    }
    Ok(recovery)
}

enum Unsettled {
    State(StateError),
    Call(ProviderError),
}

impl From<StateError> for Unsettled {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<ProviderError> for Unsettled {
    fn from(error: ProviderError) -> Self {
        Self::Call(error)
    }
}

async fn settle(
    cx: &Context,
    stack: &str,
    schemas: &SchemaSet,
    pending: PendingOperation,
) -> Result<String, Unsettled> {
    let PendingOperation { intent, status } = pending;
    let operation = Operation {
        id: intent.operation.clone(),
        stack: stack.to_owned(),
        address: intent.address.clone(),
    };
    match intent.verb {
        Verb::Create => create(cx, schemas, &operation, &intent, &status).await,
        Verb::Update => update(cx, &operation, &intent).await,
        Verb::Delete => delete(cx, schemas, &operation, &intent).await,
        Verb::Read | Verb::Forget => {
            close(cx, &operation, Executed::No).await?;
            Ok("nothing had to be done".to_owned())
        }
    }
}

/// Finds or makes the object that was meant, and leaves it on record as incomplete.
async fn create(
    cx: &Context,
    schemas: &SchemaSet,
    operation: &Operation,
    intent: &Intent,
    status: &PendingStatus,
) -> Result<String, Unsettled> {
    if let PendingStatus::Answered { id } = status {
        close(cx, operation, Executed::Yes).await?;
        return Ok(format!("{id} was created, and will be finished"));
    }
    let provider = cx.provider(&intent.provider, intent.region.as_deref());
    let request = without_seals(&intent.request);
    let type_name = intent.type_name();
    let whole = request == intent.request;
    let known = schemas.get(Mode::Managed, type_name).is_some();
    let mut waits = LOOKUPS.iter();
    let created = loop {
        match provider.find(type_name, operation, &request).await? {
            Found::Ours(id) => break Some(id),
            Found::Foreign { .. } => break None,
            Found::Nothing => {}
        }
        // A request that is on record as a whole is made again: its token, key, or tag makes that safe.
        if whole && known {
            match provider.create(type_name, operation, &request).await {
                Ok(Created { id, .. }) => break Some(id),
                Err(error) if error.execution == Execution::Unknown => {}
                Err(error)
                    if error.kind == ErrorKind::AlreadyExists || error.kind.is_retryable() => {}
                // It can no longer be made, so it was not: what it refers to is gone, or it was wrong from the start.
                Err(error) if is_final(error.kind) => break None,
                Err(error) => return Err(error.into()),
            }
        }
        match waits.next() {
            Some(wait) => tokio::time::sleep(*wait).await,
            None => break None,
        }
    };
    let Some(id) = created else {
        cx.session.append(Record::Abandon { operation: operation.id.clone() }).await?;
        return Ok("it was not created".to_owned());
    };
    let at = cx.clock.now() / 1000;
    let outcome = Record::Outcome { operation: operation.id.clone(), id: id.clone(), at };
    cx.session.append(outcome).await?;
    close(cx, operation, Executed::Yes).await?;
    Ok(format!("{id} was created, and will be finished"))
}

/// Tells whether a create that fails so cannot have been made, and will not be.
fn is_final(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Invalid | ErrorKind::MissingReference | ErrorKind::Quota)
}

/// Finishes a change that stopped its object. Any other is left to the next plan, which sees what is missing.
async fn update(cx: &Context, operation: &Operation, intent: &Intent) -> Result<String, Unsettled> {
    let Some(id) = intent.id.as_ref().filter(|_| intent.restart) else {
        close(cx, operation, Executed::Yes).await?;
        return Ok("its change may be incomplete, and will be planned again".to_owned());
    };
    let settler = cx.providers.settler(&intent.provider, intent.region.as_deref());
    let provider = settler.provider();
    let type_name = intent.type_name();
    let planned = without_seals(&intent.request);
    let arguments = planned.keys().cloned().collect();
    let target = Target { id, recorded: &planned, arguments: &arguments };
    let Some(live) = settler.read(type_name, target).await.map_err(|error| error.summary())? else {
        close(cx, operation, Executed::Yes).await?;
        return Ok("the object is gone".to_owned());
    };
    let update = Update { operation, id, live: &live.object, planned: &planned, restart: true };
    let _notes: Notes = provider.update(type_name, &update).await?;
    close(cx, operation, Executed::Yes).await?;
    Ok("its change was finished".to_owned())
}

/// Makes the delete again: what is gone already counts as deleted.
async fn delete(
    cx: &Context,
    schemas: &SchemaSet,
    operation: &Operation,
    intent: &Intent,
) -> Result<String, Unsettled> {
    let id = intent.id.as_ref().expect("the state takes no delete without an object");
    let snapshot = cx.session.snapshot();
    let resource = snapshot.resources.get(&intent.address);
    let current = resource.and_then(|it| it.current.as_ref()).filter(|it| it.id == *id);
    let deposed = || resource.and_then(|it| it.deposed.iter().find(|it| it.id == *id));
    let Some(object) = current.or_else(deposed) else {
        close(cx, operation, Executed::Yes).await?;
        return Ok("the object is no longer on record".to_owned());
    };
    let settler = cx.providers.settler(&intent.provider, intent.region.as_deref());
    let provider = settler.provider();
    let type_name = intent.type_name();
    let recorded = without_seals(&object.attributes);
    match provider.delete(type_name, operation, id, &recorded).await {
        Ok(_) => {}
        Err(error) if error.kind == ErrorKind::NotFound => {}
        // Something uses it still; the plan that follows decides, in the right order.
        Err(error) if error.execution == Execution::NotExecuted => {
            let status = object.status;
            close(cx, operation, Executed::No).await?;
            if status == ObjectStatus::Deleting && current.is_some() {
                restore(cx, &intent.address, object).await?;
            }
            return Ok("it is not deleted yet".to_owned());
        }
        Err(error) => return Err(error.into()),
    }
    let timeout = intent.timeouts.get("delete").map_or_else(
        || {
            schemas
                .get(Mode::Managed, type_name)
                .map_or(Duration::from_secs(600), |it| it.timeouts.delete)
        },
        |seconds| Duration::from_secs(*seconds),
    );
    let none = BTreeSet::new();
    let target = Target { id, recorded: &recorded, arguments: &none };
    if let Err(error) = settler.settle(type_name, target, Goal::Gone, timeout, |_| {}).await {
        return Err(match error {
            SettleError::Call(error) => error.summary().into(),
            other @ (SettleError::Failed(_)
            | SettleError::Vanished(_)
            | SettleError::Timeout { .. }) => {
                ProviderError::new(ErrorKind::NotReady, "delete", other.to_string())
                    .about(id)
                    .into()
            }
        });
    }
    let address = intent.address.clone();
    let change = if current.is_some() {
        StateChange::RemoveCurrent { address }
    } else {
        StateChange::RemoveDeposed { address, id: id.clone() }
    };
    let commit = Record::Commit { operation: Some(operation.id.clone()), change };
    cx.session.append(commit).await?;
    Ok("its delete was finished".to_owned())
}

/// Puts an object back on record as ready, whose delete turned out not to have been made.
async fn restore(cx: &Context, address: &Address, object: &ObjectState) -> Result<(), StateError> {
    let object = ObjectState { status: ObjectStatus::Ready, ..object.clone() };
    let change = StateChange::SetCurrent { address: address.clone(), object: Box::new(object) };
    cx.session.append(Record::Commit { operation: None, change }).await
}

/// Closes an operation: what is left of it, the next plan sees.
async fn close(cx: &Context, operation: &Operation, executed: Executed) -> Result<(), StateError> {
    let message = "settled by the next run".to_owned();
    cx.session.append(Record::Failed { operation: operation.id.clone(), executed, message }).await
}

/// Returns a request with unknown in the place of what was sealed: it cannot be sent, and must not be compared.
fn without_seals(request: &Object) -> Object {
    request.iter().map(|(name, value)| (name.clone(), without_seal(value))).collect()
}

fn without_seal(value: &Value) -> Value {
    match value {
        Value::Sealed(_) => Value::Unknown,
        Value::List(items) => Value::List(items.iter().map(without_seal).collect()),
        Value::Map(members) => Value::Map(without_seals(members)),
        Value::Sensitive(inner) => without_seal(inner),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Unknown => {
            value.clone()
        }
    }
}
