//! What the applier writes into the journal, and in which form.

use reconcile_model::{
    Action, Change, Object, ObjectId, ObjectState, ObjectStatus, ReplaceOrder, Schema, event::Verb,
    seal,
};
use reconcile_provider::{Operation, ProviderError, error::Execution};
use reconcile_state::{Executed, Intent, Record, StateChange, StateError};

use crate::context::Context;

/// The milliseconds of a second: events are in the former, the state in the latter.
const MILLIS: u64 = 1000;

/// The journal of a run.
#[derive(Clone, Copy)]
pub(crate) struct Journal<'a> {
    pub(crate) cx: &'a Context,
    pub(crate) stack: &'a str,
    /// What seals sensitive values.
    pub(crate) lineage: &'a str,
}

impl Journal<'_> {
    /// Writes down what is about to be done, for the `attempt`th time, and returns the operation to do it with.
    ///
    /// # Errors
    ///
    /// When it is not on stable storage: then nothing may be done.
    pub(crate) async fn intend(
        &self,
        change: &Change,
        verb: Verb,
        region: Option<String>,
        planned: &Object,
        schema_version: u32,
        attempt: u32,
    ) -> Result<Operation, StateError> {
        let operation = Operation {
            id: self.cx.ids.next(),
            stack: self.stack.to_owned(),
            address: change.address.clone(),
        };
        let intent = Intent {
            operation: operation.id.clone(),
            address: change.address.clone(),
            verb,
            provider: change.provider.clone(),
            region,
            id: if verb == Verb::Create { None } else { change.id.clone() },
            request: seal::seal_object(planned, self.lineage),
            schema_version,
            restart: verb == Verb::Update && !change.restart.is_empty(),
            dependencies: change.dependencies.clone(),
            create_before_destroy: change.create_before_destroy
                || change.action == Action::Replace(ReplaceOrder::CreateThenDelete),
            timeouts: change.timeouts.clone(),
            attempt,
            at: self.seconds(),
        };
        self.cx.session.append(Record::Intent(Box::new(intent))).await?;
        Ok(operation)
    }

    /// Writes down that a call was answered.
    pub(crate) async fn answered(
        &self,
        operation: &Operation,
        id: &ObjectId,
    ) -> Result<(), StateError> {
        let record =
            Record::Outcome { operation: operation.id.clone(), id: id.clone(), at: self.seconds() };
        self.cx.session.append(record).await
    }

    /// Writes down that nothing was found of a create whose answer was lost.
    pub(crate) async fn abandoned(&self, operation: &Operation) -> Result<(), StateError> {
        self.cx.session.append(Record::Abandon { operation: operation.id.clone() }).await
    }

    /// Writes down that a call failed.
    pub(crate) async fn failed(
        &self,
        operation: &Operation,
        error: &ProviderError,
    ) -> Result<(), StateError> {
        let executed = match error.execution {
            Execution::NotExecuted => Executed::No,
            Execution::Unknown => Executed::Unknown,
        };
        self.gave_up(operation, executed, error).await
    }

    /// Writes down that an operation failed, in a call or in what follows it.
    pub(crate) async fn gave_up(
        &self,
        operation: &Operation,
        executed: Executed,
        error: &ProviderError,
    ) -> Result<(), StateError> {
        // A service may repeat what was sent to it in its message, so the code stands for it.
        let message = match &error.code {
            Some(code) => format!("{}: {code}", error.operation),
            None => format!("{}: {:?}", error.operation, error.kind),
        };
        let record = Record::Failed { operation: operation.id.clone(), executed, message };
        self.cx.session.append(record).await
    }

    /// Writes down how the recorded state changes.
    pub(crate) async fn commit(
        &self,
        operation: Option<&Operation>,
        change: StateChange,
    ) -> Result<(), StateError> {
        let operation = operation.map(|operation| operation.id.clone());
        self.cx.session.append(Record::Commit { operation, change }).await
    }

    /// Returns an object as it is recorded.
    #[expect(clippy::too_many_arguments, reason = "they are what a record is made of")]
    pub(crate) fn object(
        &self,
        change: &Change,
        schema: &Schema,
        id: &ObjectId,
        region: Option<String>,
        attributes: &Object,
        status: ObjectStatus,
        created: Created,
    ) -> ObjectState {
        let (created_at, operation) = match created {
            Created::Now(operation) => (Some(self.seconds()), Some(operation)),
            Created::Before { at, operation } => (at, operation),
        };
        ObjectState {
            id: id.clone(),
            status,
            attributes: seal::seal_object(attributes, self.lineage),
            schema_version: schema.version,
            provider: change.provider.clone(),
            region,
            dependencies: change.dependencies.clone(),
            created_at,
            create_before_destroy: change.create_before_destroy,
            timeouts: change.timeouts.clone(),
            operation,
        }
    }

    fn seconds(&self) -> u64 {
        self.cx.clock.now() / MILLIS
    }
}

/// When an object was created, and by which operation.
pub(crate) enum Created {
    /// By this operation, just now.
    Now(String),
    /// Earlier, as recorded.
    Before {
        /// In seconds since the Unix epoch.
        at: Option<u64>,
        /// The operation.
        operation: Option<String>,
    },
}
