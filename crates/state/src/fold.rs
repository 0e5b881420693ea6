//! Folding: what a snapshot and the records after it amount to.
//!
//! Pure, and the only place that knows what a record means. The journal is checked with it when it is read, and each
//! record before it is written, so an order of events that makes no sense is an error and never a wrong state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reconcile_model::{
    Address, Mode, ObjectId, ObjectState, ResourceAddress, Snapshot, event::Verb,
};
use thiserror::Error;

use crate::record::{Executed, Intent, PendingOperation, PendingStatus, Record, StateChange};

mod apply;
#[cfg(test)]
mod tests;

/// A record that cannot follow what was recorded before it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}{what}", subject(.operation.as_deref(), .address.as_ref()))]
pub struct IllegalRecord {
    /// The operation it is about.
    pub operation: Option<String>,
    /// The instance it is about.
    pub address: Option<Address>,
    /// What is wrong with it.
    pub what: String,
}

fn subject(operation: Option<&str>, address: Option<&Address>) -> String {
    match (operation, address) {
        (Some(operation), Some(address)) => format!("operation {operation} on {address}: "),
        (Some(operation), None) => format!("operation {operation}: "),
        (None, Some(address)) => format!("{address}: "),
        (None, None) => String::new(),
    }
}

/// Returns what a snapshot and the records after it amount to: the state, and the operations that are not done, by id.
///
/// # Errors
///
/// When a record cannot follow those before it.
pub fn fold<'a>(
    snapshot: Snapshot,
    records: impl IntoIterator<Item = &'a Record>,
) -> Result<(Snapshot, Vec<PendingOperation>), IllegalRecord> {
    let mut ledger = Ledger::new(snapshot);
    for record in records {
        ledger.apply(record)?;
    }
    let pending = ledger.pending().cloned().collect();
    Ok((Arc::unwrap_or_clone(ledger.snapshot), pending))
}

/// The state as it is after all records so far, to which one more can be applied at the cost of that record alone.
#[derive(Clone, Debug)]
pub struct Ledger {
    snapshot: Arc<Snapshot>,
    pending: BTreeMap<String, PendingOperation>,
    /// The pending operations of each instance, so that a record looks at those of its own address alone.
    by_address: BTreeMap<Address, BTreeSet<String>>,
    /// The blocks between which the last record moved an instance, if it did: all that depends on the first depends on the
    /// second by now.
    redirected: Option<(ResourceAddress, ResourceAddress)>,
}

impl Ledger {
    /// Returns the ledger of a snapshot with no record after it.
    pub fn new(snapshot: Snapshot) -> Self {
        let (pending, by_address) = (BTreeMap::new(), BTreeMap::new());
        Self { snapshot: Arc::new(snapshot), pending, by_address, redirected: None }
    }

    /// Returns the state.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Returns the operations that are not done, by id.
    pub fn pending(&self) -> impl Iterator<Item = &PendingOperation> {
        self.pending.values()
    }

    /// Applies one record; each but a carried one raises the serial by one.
    ///
    /// # Errors
    ///
    /// When the record cannot follow those before it. Then nothing has changed.
    pub fn apply(&mut self, record: &Record) -> Result<(), IllegalRecord> {
        if !matches!(record, Record::Commit { change: StateChange::Move { .. }, .. }) {
            self.redirected = None;
        }
        match record {
            Record::Intent(intent) => self.intend(intent)?,
            Record::Outcome { operation, id, at } => self.answer(operation, id, *at)?,
            Record::Commit { operation: None, change } => self.change(change, None)?,
            Record::Commit { operation: Some(operation), change } => {
                self.commit(operation, change)?;
            }
            Record::Failed { operation, executed, message } => {
                self.step(operation, &Step::Fail(*executed, message))?;
            }
            Record::Abandon { operation } => self.step(operation, &Step::Abandon)?,
            Record::Expire { operation } => self.step(operation, &Step::Expire)?,
            Record::Carried(operation) => return self.carry(operation),
        }
        Arc::make_mut(&mut self.snapshot).serial += 1;
        Ok(())
    }

    /// Looks up a pending operation and returns it with its next status, `None` when it is then done.
    fn next(
        &self,
        operation: &str,
        step: &Step<'_>,
    ) -> Result<(&Intent, Option<PendingStatus>), IllegalRecord> {
        let Some(pending) = self.pending.get(operation) else {
            let what = "no such operation is pending".to_owned();
            return Err(IllegalRecord {
                operation: Some(operation.to_owned()),
                address: None,
                what,
            });
        };
        match next_status(pending.intent.verb, &pending.status, step) {
            Ok(status) => Ok((&pending.intent, status)),
            Err(what) => Err(illegal(&pending.intent, what)),
        }
    }

    /// Moves an operation on, where that is all a record does.
    fn step(&mut self, operation: &str, step: &Step<'_>) -> Result<(), IllegalRecord> {
        let (_, status) = self.next(operation, step)?;
        self.settle(operation, status);
        Ok(())
    }

    /// Gives a pending operation its next status, or drops it when it is done.
    fn settle(&mut self, operation: &str, status: Option<PendingStatus>) {
        match status {
            Some(status) => {
                if let Some(pending) = self.pending.get_mut(operation) {
                    pending.status = status;
                }
            }
            None => self.drop_pending(operation),
        }
    }

    fn add_pending(&mut self, pending: PendingOperation) {
        let operation = pending.intent.operation.clone();
        self.by_address
            .entry(pending.intent.address.clone())
            .or_default()
            .insert(operation.clone());
        self.pending.insert(operation, pending);
    }

    fn drop_pending(&mut self, operation: &str) {
        let Some(pending) = self.pending.remove(operation) else { return };
        if let Some(operations) = self.by_address.get_mut(&pending.intent.address) {
            operations.remove(operation);
            if operations.is_empty() {
                self.by_address.remove(&pending.intent.address);
            }
        }
    }

    /// Returns the pending operations of one instance.
    fn pending_at(&self, address: &Address) -> impl Iterator<Item = &PendingOperation> {
        let operations = self.by_address.get(address).into_iter().flatten();
        #[cfg(test)]
        let operations = operations.inspect(|_| tests::visit());
        operations.filter_map(|operation| self.pending.get(operation))
    }
}

/// What a record does to an operation that is pending.
enum Step<'a> {
    Answer(&'a ObjectId),
    Commit,
    Fail(Executed, &'a str),
    Abandon,
    Expire,
}

/// Lists the legal transitions of an operation; `None` when it is then done. Every other one is an error.
fn next_status(
    verb: Verb,
    status: &PendingStatus,
    step: &Step<'_>,
) -> Result<Option<PendingStatus>, &'static str> {
    use PendingStatus::{Abandoned, Answered, Intended, Unclear};
    match (status, step) {
        (Intended | Unclear { .. }, Step::Answer(id)) => Ok(Some(Answered { id: (*id).clone() })),
        // Recovery may look again.
        (Answered { id: known }, Step::Answer(id)) if known == *id => {
            Ok(Some(Answered { id: known.clone() }))
        }
        (Answered { .. }, Step::Answer(_)) => Err("it was answered with another object before"),
        // It turned up after all; the object is on record from here on.
        (Abandoned, Step::Answer(_)) => Ok(None),

        (Intended | Unclear { .. }, Step::Commit) if verb == Verb::Create => {
            Err("a create is committed after its outcome only")
        }
        (Intended | Unclear { .. } | Answered { .. }, Step::Commit) => Ok(None),
        (Abandoned, Step::Commit) => Err("it was abandoned"),

        (Intended | Unclear { .. }, Step::Fail(Executed::No, _)) => Ok(None),
        (Intended | Unclear { .. }, Step::Fail(Executed::Unknown, message)) => {
            Ok(Some(Unclear { message: (*message).to_owned() }))
        }
        (Intended | Unclear { .. }, Step::Fail(Executed::Yes, _)) if verb == Verb::Create => {
            Err("a create that was executed has an outcome")
        }
        (Intended | Unclear { .. }, Step::Fail(Executed::Yes, _)) => Ok(None),
        // What failed came after the call: the object is on record, and the next plan sees what it lacks.
        (Answered { .. }, Step::Fail(..)) => Ok(None),
        (Abandoned, Step::Fail(..)) => Err("it was abandoned"),

        (Intended | Unclear { .. }, Step::Abandon) if verb == Verb::Create => Ok(Some(Abandoned)),
        (Intended | Unclear { .. }, Step::Abandon) => Err("only a create can be abandoned"),
        (Answered { .. }, Step::Abandon) => Err("it was answered"),
        (Abandoned, Step::Abandon) => Err("it was abandoned before"),

        (Abandoned, Step::Expire) => Ok(None),
        (Intended | Unclear { .. } | Answered { .. }, Step::Expire) => {
            Err("only an abandoned operation expires")
        }
    }
}

fn illegal(intent: &Intent, what: impl Into<String>) -> IllegalRecord {
    IllegalRecord {
        operation: Some(intent.operation.clone()),
        address: Some(intent.address.clone()),
        what: what.into(),
    }
}

fn illegal_at(address: &Address, what: impl Into<String>) -> IllegalRecord {
    IllegalRecord { operation: None, address: Some(address.clone()), what: what.into() }
}
