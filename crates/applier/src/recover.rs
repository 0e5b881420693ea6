//! Settling what an earlier run left open, before anything else is done.
//!
//! An open operation is an intent in the journal whose end is not. Its call may have been made or not, and may even be
//! carried out while this run looks. The journaled request is made again where that is safe, never a fresh evaluation of
//! the spec: with the same client token or natural key it finds or makes the one object that was meant. What is
//! incomplete about it then, the next plan sees.
//!
//! A create that was given up is remembered for as long as it may still land, and looked for by every run until then.

mod create;
mod delete;
pub(crate) mod horizon;
mod sweep;

use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream;
use reconcile_model::{Address, Diagnostic, Object, SchemaSet, Value, event::Verb};
use reconcile_provider::{Notes, Operation, Provider, ProviderError, Target, Update};
use reconcile_state::{Executed, Intent, PendingOperation, PendingStatus, Record, StateError};

use crate::context::Context;

/// How many operations are settled at once.
const AT_ONCE: usize = 16;

/// What the run that recovery comes before is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To make the stack what its spec says: a create that was lost may be made again.
    Apply,
    /// To delete all of it: a create that was lost had better not be, and one that may still land must be waited for.
    Destroy,
}

/// How a recovery ended.
#[derive(Debug, Default)]
pub struct Recovery {
    /// What was settled, for people.
    pub settled: Vec<(Address, String)>,
    /// What could not be settled, and why. Those operations stay open.
    pub errors: Vec<Diagnostic>,
}

/// Settles every open operation of the session's state, and looks for those that were given up and may still land.
///
/// # Errors
///
/// When the journal cannot be written.
pub async fn recover(
    cx: &Context,
    stack: &str,
    schemas: &SchemaSet,
    purpose: Purpose,
) -> Result<Recovery, StateError> {
    let settling = Settling { cx, stack, schemas, purpose };
    let ended: Vec<_> = stream::iter(cx.session.pending())
        .map(|pending| async {
            let address = pending.intent.address.clone();
            (address, settling.settle(pending).await)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut recovery = Recovery::default();
    for (address, result) in ended {
        match result {
            Ok(Some(what)) => recovery.settled.push((address, what)),
            Ok(None) => {}
            Err(Unsettled::State(error)) => return Err(error),
            Err(Unsettled::Call(error)) => recovery.errors.push(unsettled(&address, error)),
        }
    }
    Ok(recovery)
}

fn unsettled(address: &Address, error: ProviderError) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(format!(
        "Cannot tell what became of an interrupted operation on {address}"
    ))
    .detail(error.sentence())
    .about(address);
    diagnostic.hint = Some(error.hint.unwrap_or_else(|| {
        "Run it again; the operation stays on record until it is settled.".to_owned()
    }));
    diagnostic
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

/// What settling an operation needs.
#[derive(Clone, Copy)]
struct Settling<'a> {
    cx: &'a Context,
    stack: &'a str,
    schemas: &'a SchemaSet,
    purpose: Purpose,
}

impl Settling<'_> {
    /// Settles one operation and says how; says nothing when there was nothing to find out.
    async fn settle(&self, pending: PendingOperation) -> Result<Option<String>, Unsettled> {
        let PendingOperation { intent, status } = pending;
        let operation = Operation {
            id: intent.operation.clone(),
            stack: self.stack.to_owned(),
            address: intent.address.clone(),
        };
        let what = match (intent.verb, status) {
            (Verb::Create, PendingStatus::Abandoned) => {
                return self.sweep(&operation, &intent).await;
            }
            (Verb::Create, PendingStatus::Answered { id }) => {
                self.close(&operation, Executed::Yes).await?;
                format!("{id} was created, and will be finished")
            }
            (Verb::Create, PendingStatus::Intended | PendingStatus::Unclear { .. }) => {
                self.create(&operation, &intent).await?
            }
            (Verb::Update, _) => self.update(&operation, &intent).await?,
            (Verb::Delete, _) => self.delete(&operation, &intent).await?,
            (Verb::Read | Verb::Forget, _) => {
                self.close(&operation, Executed::No).await?;
                "nothing had to be done".to_owned()
            }
        };
        Ok(Some(what))
    }

    /// Finishes a change that stopped its object. Any other is left to the next plan, which sees what is missing.
    async fn update(&self, operation: &Operation, intent: &Intent) -> Result<String, Unsettled> {
        let Some(id) = intent.id.as_ref().filter(|_| intent.restart) else {
            self.close(operation, Executed::Yes).await?;
            return Ok("its change may be incomplete, and will be planned again".to_owned());
        };
        let settler = self.cx.providers.settler(&intent.provider, intent.region.as_deref());
        let provider = settler.provider();
        let type_name = intent.type_name();
        let planned = without_seals(&intent.request);
        let arguments = planned.keys().cloned().collect();
        let target = Target { id, recorded: &planned, arguments: &arguments };
        let read = settler.read(type_name, target).await;
        let Some(live) = read.map_err(|error| error.summary())? else {
            self.close(operation, Executed::Yes).await?;
            return Ok("the object is gone".to_owned());
        };
        let update = Update { operation, id, live: &live.object, planned: &planned, restart: true };
        let _notes: Notes = provider.update(type_name, &update).await?;
        self.close(operation, Executed::Yes).await?;
        Ok("its change was finished".to_owned())
    }

    fn provider(&self, intent: &Intent) -> Arc<dyn Provider> {
        self.cx.provider(&intent.provider, intent.region.as_deref())
    }

    /// Closes an operation: what is left of it, the next plan sees.
    async fn close(&self, operation: &Operation, executed: Executed) -> Result<(), StateError> {
        let message = "settled by the next run".to_owned();
        let record = Record::Failed { operation: operation.id.clone(), executed, message };
        self.cx.session.append(record).await
    }
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
