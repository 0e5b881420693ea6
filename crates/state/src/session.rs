//! Sessions: ordered, checked, batched writing to a stack's state, whatever it is kept in.
//!
//! Whoever appends waits until the record is on stable storage. Records that are appended meanwhile wait together and are
//! written together, so the number of writes is bound by how long one takes and not by how many records there are.

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use reconcile_model::Snapshot;
use tokio::sync::Notify;

use crate::format::FormatError;
use crate::journal::{self, Chain, Header, JournalError};
use crate::load::{self, Loaded, Names};
use crate::{IllegalRecord, Ledger, PendingOperation, Record, Repair, StateError, format};

/// The right to write one stack's state, and nobody else's until it is closed or dropped.
#[async_trait]
pub trait Session: Send + Sync {
    /// Returns the state as it is after everything appended so far.
    ///
    /// Hold it no longer than needed: while it is held, the next record costs a copy of all of it.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// Returns the operations that are not done, by id.
    fn pending(&self) -> Vec<PendingOperation>;

    /// Tells whether nothing was ever written: the state was not there, and nothing has been appended yet. Its lineage, on
    /// which sealing depends, is decided all the same.
    fn is_new(&self) -> bool;

    /// Returns where the state was moved to, if that is all that is here.
    fn moved_to(&self) -> Option<String>;

    /// Returns what was wrong with the state when it was opened, and was made good.
    fn repairs(&self) -> &[Repair];

    /// Appends records, in their order, and returns once they are on stable storage.
    ///
    /// When it is not awaited to its end, the records may or may not be written.
    ///
    /// # Errors
    ///
    /// When a record cannot follow what is recorded, or holds a sensitive value that is not sealed: then it and the records
    /// after it are not written. When writing fails: then what was being written may or may not be on record, as after a
    /// crash, and the session writes no more.
    async fn append_all(&self, records: Vec<Record>) -> Result<(), StateError>;

    /// Appends one record, and returns once it is on stable storage.
    ///
    /// # Errors
    ///
    /// As [`Session::append_all`].
    async fn append(&self, record: Record) -> Result<(), StateError> {
        self.append_all(vec![record]).await
    }

    /// Folds the journal into a new snapshot and begins a new journal, which keeps the operations that are pending. Does
    /// nothing when there is nothing to fold.
    ///
    /// # Errors
    ///
    /// When writing fails: then the state is whole, in the old snapshot and its journal or in the new, and the session
    /// writes no more.
    async fn checkpoint(&self) -> Result<(), StateError>;

    /// Puts a state from another place, with its pending operations, in the place of all that is here, as one checkpoint.
    ///
    /// # Errors
    ///
    /// When it is of another stack, and as [`Session::checkpoint`].
    async fn import(
        &self,
        snapshot: Snapshot,
        pending: Vec<PendingOperation>,
    ) -> Result<(), StateError>;

    /// Leaves nothing here but that the state is now at `to`. Whoever opens it afterwards is told.
    ///
    /// # Errors
    ///
    /// As [`Session::checkpoint`].
    async fn retire(&self, to: &str) -> Result<(), StateError>;

    /// Gives the lock back. What is in the journal stays there until the next checkpoint.
    ///
    /// # Errors
    ///
    /// When the lock cannot be given back. It expires or dies with the process then.
    async fn close(&self) -> Result<(), StateError>;
}

/// Where the bytes of one stack's state go, while its lock is held. Dropping it gives the lock back.
#[async_trait]
pub trait Medium: Send + 'static {
    /// Adds bytes to the end of the journal, or begins it with them, and returns once they are on stable storage.
    ///
    /// # Errors
    ///
    /// When they may not be, or the lock is lost.
    async fn append(&mut self, lines: Vec<u8>) -> Result<(), StateError>;

    /// Puts a new snapshot in the place of the one that is there, then a new journal in the place of the one that led to it,
    /// keeping the two it replaces. A crash may leave the new snapshot with the old journal, and nothing else in between.
    ///
    /// # Errors
    ///
    /// When either may not be on stable storage, or the lock is lost.
    async fn rotate(&mut self, snapshot: Vec<u8>, journal: Vec<u8>) -> Result<(), StateError>;

    /// Gives the lock back.
    ///
    /// # Errors
    ///
    /// When that fails.
    async fn release(&mut self) -> Result<(), StateError>;
}

/// Returns a session that writes to `medium`, which has been healed as `loaded` asks.
pub fn start(medium: Box<dyn Medium>, names: Names, loaded: Loaded) -> Box<dyn Session> {
    let is_new = loaded.is_new();
    let Loaded { ledger, header, chain, records, heal: _, repairs, moved_to } = loaded;
    let front = Front {
        ledger,
        queue: Vec::new(),
        queued: 0,
        durable: 0,
        is_flushing: false,
        records,
        is_new,
        moved_to,
        stopped: None,
        is_closed: false,
    };
    let writer = Writer { medium, names: names.clone(), header, chain };
    let (front, writer) = (Mutex::new(front), tokio::sync::Mutex::new(writer));
    let shared = Arc::new(Shared { front, writer, flushed: Notify::new() });
    Box::new(Journaled { shared, names, repairs })
}

struct Journaled {
    shared: Arc<Shared>,
    names: Names,
    repairs: Vec<Repair>,
}

/// Locked in this order: the writer, then the front. Nothing awaits while it holds the front.
struct Shared {
    front: Mutex<Front>,
    writer: tokio::sync::Mutex<Writer>,
    /// Told after each flush.
    flushed: Notify,
}

/// A flush under way: there is one at a time, and all who append meanwhile wait for its end.
struct Flush(Arc<Shared>);

impl Drop for Flush {
    fn drop(&mut self) {
        self.0.front().is_flushing = false;
        self.0.flushed.notify_waiters();
    }
}

/// What is decided in memory, at once.
struct Front {
    ledger: Ledger,
    /// The records, as JSON, that wait to be written.
    queue: Vec<Vec<u8>>,
    /// How many records were ever queued.
    queued: u64,
    /// How many of them are on stable storage.
    durable: u64,
    is_flushing: bool,
    /// How many records a checkpoint would fold.
    records: u64,
    is_new: bool,
    moved_to: Option<String>,
    stopped: Option<String>,
    is_closed: bool,
}

/// What is written, one batch after the other.
struct Writer {
    medium: Box<dyn Medium>,
    names: Names,
    /// What the journal builds on.
    header: Header,
    /// The chain after the last line written; `None` until the journal is begun.
    chain: Option<Chain>,
}

impl Front {
    /// Applies a record and queues it.
    fn queue(&mut self, record: &Record, json: Vec<u8>) -> Result<(), IllegalRecord> {
        if matches!(record, Record::Carried(_)) {
            let what = "only a checkpoint carries operations over".to_owned();
            return Err(IllegalRecord { operation: None, address: None, what });
        }
        self.ledger.apply(record)?;
        self.queue.push(json);
        self.queued += 1;
        self.records += 1;
        self.is_new = false;
        Ok(())
    }

    /// Fails when nothing may be written any more.
    fn check(&self) -> Result<(), StateError> {
        match &self.stopped {
            _ if self.is_closed => Err(StateError::Closed),
            Some(reason) => Err(StateError::Stopped { reason: reason.clone() }),
            None => Ok(()),
        }
    }
}

impl Shared {
    fn front(&self) -> MutexGuard<'_, Front> {
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once the first `count` records ever queued are on stable storage: written by a flush that somebody else began,
    /// or by one that this call begins.
    async fn until_durable(self: &Arc<Self>, count: u64) -> Result<(), StateError> {
        loop {
            let flushed = self.flushed.notified();
            let is_mine = {
                let mut front = self.front();
                if front.durable >= count {
                    return Ok(());
                }
                front.check()?;
                !std::mem::replace(&mut front.is_flushing, true)
            };
            if is_mine {
                // On a task of its own, so that a caller who goes away does not leave a batch half written.
                let flush = Flush(Arc::clone(self));
                let task = tokio::spawn(async move { flush.0.flush(count).await });
                return task.await.map_err(cut_short)?;
            }
            flushed.await;
        }
    }

    /// Writes all that is queued by now, unless the first `count` records ever queued have been written meanwhile.
    async fn flush(&self, count: u64) -> Result<(), StateError> {
        let mut writer = self.writer.lock().await;
        let (batch, queued) = {
            let mut front = self.front();
            if front.durable >= count {
                return Ok(());
            }
            front.check()?;
            (std::mem::take(&mut front.queue), front.queued)
        };
        let result = writer.write(&batch).await;
        self.written(queued, result)
    }

    async fn checkpoint(&self) -> Result<(), StateError> {
        let mut writer = self.writer.lock().await;
        // All of it at one instant: what is queued from now on belongs to the next journal.
        let (batch, queued, records, snapshot, pending) = {
            let mut front = self.front();
            front.check()?;
            if front.records == 0 {
                return Ok(());
            }
            let records = std::mem::take(&mut front.records);
            let pending: Vec<PendingOperation> = front.ledger.pending().cloned().collect();
            let snapshot = Arc::clone(front.ledger.snapshot());
            (std::mem::take(&mut front.queue), front.queued, records, snapshot, pending)
        };
        let result = async {
            writer.write(&batch).await?;
            writer.rotate(snapshot, &pending, None).await
        };
        let result = result.await;
        if result.is_err() {
            self.front().records += records;
        }
        self.written(queued, result)
    }

    /// Makes `ledger` all that is recorded, or leaves behind only where it went.
    async fn install(
        &self,
        ledger: Option<Ledger>,
        moved_to: Option<String>,
    ) -> Result<(), StateError> {
        let mut writer = self.writer.lock().await;
        let (queued, snapshot, pending) = {
            let mut front = self.front();
            front.check()?;
            if let Some(ledger) = ledger {
                front.ledger = ledger;
            }
            front.queue.clear();
            (front.records, front.is_new) = (0, false);
            front.moved_to.clone_from(&moved_to);
            let pending: Vec<PendingOperation> = match &moved_to {
                None => front.ledger.pending().cloned().collect(),
                // They went along.
                Some(_) => Vec::new(),
            };
            (front.queued, Arc::clone(front.ledger.snapshot()), pending)
        };
        let result = writer.rotate(snapshot, &pending, moved_to).await;
        self.written(queued, result)
    }

    async fn close(&self) -> Result<(), StateError> {
        let mut writer = self.writer.lock().await;
        let (batch, queued, stopped) = {
            let mut front = self.front();
            if std::mem::replace(&mut front.is_closed, true) {
                return Ok(());
            }
            (std::mem::take(&mut front.queue), front.queued, front.stopped.is_some())
        };
        let result = if stopped { Ok(()) } else { writer.write(&batch).await };
        let released = writer.medium.release().await;
        if !stopped {
            self.written(queued, result)?;
        }
        released
    }

    /// Notes what became of everything queued up to `queued`. Nothing is written after a write that failed.
    fn written(&self, queued: u64, result: Result<(), StateError>) -> Result<(), StateError> {
        let mut front = self.front();
        match &result {
            Ok(()) => front.durable = queued,
            Err(error) => front.stopped = Some(describe(error)),
        }
        result
    }
}

impl Writer {
    async fn write(&mut self, batch: &[Vec<u8>]) -> Result<(), StateError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        let mut chain = self.chain.unwrap_or_default();
        if self.chain.is_none() {
            chain.push(
                &journal::encode_header(&self.header).map_err(|e| self.unwritable(e))?,
                &mut lines,
            );
        }
        for json in batch {
            chain.push(json, &mut lines);
        }
        self.medium.append(lines).await?;
        self.chain = Some(chain);
        Ok(())
    }

    async fn rotate(
        &mut self,
        snapshot: Arc<Snapshot>,
        pending: &[PendingOperation],
        moved_to: Option<String>,
    ) -> Result<(), StateError> {
        // Encoding a large state takes a second or so, which the runtime should have for others.
        let encode = move || match moved_to {
            None => (format::encode(&snapshot), snapshot),
            Some(to) => (format::encode_moved(&snapshot, &to), snapshot),
        };
        let (encoded, snapshot) = tokio::task::spawn_blocking(encode).await.map_err(cut_short)?;
        let encoded = encoded
            .map_err(|source| StateError::Snapshot { file: self.names.snapshot.clone(), source })?;
        let header = Header::of(&snapshot, Some(encoded.checksum));
        drop(snapshot);
        let (bytes, chain) =
            load::begin(&header, pending).map_err(|source| self.unwritable(source))?;
        self.medium.rotate(encoded.bytes, bytes).await?;
        (self.header, self.chain) = (header, Some(chain));
        Ok(())
    }

    fn unwritable(&self, source: JournalError) -> StateError {
        StateError::Journal { file: self.names.journal.clone(), source }
    }
}

#[async_trait]
impl Session for Journaled {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(self.shared.front().ledger.snapshot())
    }

    fn pending(&self) -> Vec<PendingOperation> {
        self.shared.front().ledger.pending().cloned().collect()
    }

    fn is_new(&self) -> bool {
        self.shared.front().is_new
    }

    fn moved_to(&self) -> Option<String> {
        self.shared.front().moved_to.clone()
    }

    fn repairs(&self) -> &[Repair] {
        &self.repairs
    }

    async fn append_all(&self, records: Vec<Record>) -> Result<(), StateError> {
        let lines = records.iter().map(journal::encode).collect::<Result<Vec<_>, _>>();
        let lines = lines
            .map_err(|source| StateError::Journal { file: self.names.journal.clone(), source })?;
        let (queued, refused) = {
            let mut front = self.shared.front();
            front.check()?;
            let refused = records
                .iter()
                .zip(lines)
                .find_map(|(record, json)| front.queue(record, json).err());
            (front.queued, refused)
        };
        self.shared.until_durable(queued).await?;
        refused.map_or(Ok(()), |source| Err(StateError::Illegal { source }))
    }

    async fn checkpoint(&self) -> Result<(), StateError> {
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move { shared.checkpoint().await }).await.map_err(cut_short)?
    }

    async fn import(
        &self,
        snapshot: Snapshot,
        pending: Vec<PendingOperation>,
    ) -> Result<(), StateError> {
        let stack = self.shared.front().ledger.snapshot().stack.clone();
        if snapshot.stack != stack {
            let source = FormatError::OtherStack { found: snapshot.stack, expected: stack };
            return Err(StateError::Snapshot { file: self.names.snapshot.clone(), source });
        }
        let mut ledger = Ledger::new(snapshot);
        for operation in pending {
            let carried = Record::Carried(Box::new(operation));
            ledger.apply(&carried).map_err(|source| StateError::Illegal { source })?;
        }
        let shared = Arc::clone(&self.shared);
        let install = async move { shared.install(Some(ledger), None).await };
        tokio::spawn(install).await.map_err(cut_short)?
    }

    async fn retire(&self, to: &str) -> Result<(), StateError> {
        let (shared, to) = (Arc::clone(&self.shared), to.to_owned());
        let install = async move { shared.install(None, Some(to)).await };
        tokio::spawn(install).await.map_err(cut_short)?
    }

    async fn close(&self) -> Result<(), StateError> {
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move { shared.close().await }).await.map_err(cut_short)?
    }
}

fn cut_short(error: tokio::task::JoinError) -> StateError {
    StateError::Stopped { reason: error.to_string() }
}

/// Returns an error with all that stands behind it, on one line.
fn describe(error: &StateError) -> String {
    let chain = std::iter::successors(Some(error as &dyn Error), |&error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
