//! The seam between the engine and the place where a stack's state is kept.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reconcile_model::{Diagnostic, Snapshot};
use thiserror::Error;

use crate::format::FormatError;
use crate::journal::JournalError;
use crate::{Holder, IllegalRecord, PendingOperation, Repair, Session};

mod diagnostic;

/// The place where one stack's state is kept.
#[async_trait]
pub trait Store: Send + Sync {
    /// Names the place, for messages: `state/lab-web.json`.
    fn location(&self) -> String;

    /// Reads the state. Takes no lock and writes nothing, so it may be what another process is just changing.
    ///
    /// # Errors
    ///
    /// When what is there cannot be read, or is not what was written.
    async fn peek(&self) -> Result<View, StateError>;

    /// Takes the lock, reads the state, and makes sure that it can be written.
    ///
    /// # Errors
    ///
    /// As [`Store::peek`]; when another process holds the lock for longer than `options` say; and when nothing could be
    /// written, so that no call is made whose intent cannot be recorded.
    async fn open(&self, options: OpenOptions) -> Result<Box<dyn Session>, StateError>;

    /// Tells who has the lock; `None` when nobody has.
    ///
    /// # Errors
    ///
    /// When that cannot be found out.
    async fn lock(&self) -> Result<Option<Lock>, StateError>;

    /// Takes a lock away from whoever has it. Does nothing when it has changed hands since. A run that loses it this way
    /// writes no more, as if its lock had expired.
    ///
    /// # Errors
    ///
    /// When it is one that only its process can give back, and when the place cannot be written.
    async fn unlock(&self, lock: &Lock) -> Result<(), StateError>;
}

/// A lock that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Who, if they have said.
    pub holder: Option<Holder>,
    /// What tells it from every other; `None` where it ends with its process alone.
    pub token: Option<String>,
    /// How long until others may take it, unless its holder renews it; `None` where it never expires or that is not known.
    pub left: Option<Duration>,
}

/// Tells who waits for a lock who has it.
pub type OnWait = Arc<dyn Fn(Option<&Holder>) + Send + Sync>;

/// Tells whoever holds a lock that it is lost, and why.
pub type OnLost = Arc<dyn Fn(&StateError) + Send + Sync>;

/// How a store is opened.
#[derive(Clone, Default)]
pub struct OpenOptions {
    /// Who opens it.
    pub holder: Holder,
    /// How long to wait for the lock.
    pub lock_timeout: Duration,
    /// The lineage for a state that is not there yet: a new UUID, made for each call.
    pub lineage: String,
    /// Called when waiting begins, and whenever the lock has changed hands.
    pub on_wait: Option<OnWait>,
    /// What tells this opening from every other, where a lock is no operating system's: a new UUID, made for each call.
    pub writer: String,
    /// Called when the lock is lost while the session is open. Nothing can be written from then on.
    pub on_lost: Option<OnLost>,
    /// Whether what a state left behind that was moved is opened too, to move another there.
    pub takes_moved: bool,
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { holder, lock_timeout, lineage, on_wait: _, writer, on_lost: _, takes_moved } =
            self;
        f.debug_struct("OpenOptions")
            .field("holder", holder)
            .field("lock_timeout", lock_timeout)
            .field("lineage", lineage)
            .field("writer", writer)
            .field("takes_moved", takes_moved)
            .finish_non_exhaustive()
    }
}

/// The state as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// What is recorded; empty and without lineage when nothing is there yet.
    pub snapshot: Snapshot,
    /// The operations that are not done, by id.
    pub pending: Vec<PendingOperation>,
    /// What was wrong with the files and could be made good without loss.
    pub repairs: Vec<Repair>,
}

/// Why a state cannot be read or written.
#[derive(Debug, Error)]
pub enum StateError {
    /// The stack's name cannot be a file's name.
    #[error("`{stack}` cannot be the name of a state")]
    Name {
        /// The name.
        stack: String,
    },
    /// The snapshot cannot be read or written.
    #[error("cannot use the state in {file}")]
    Snapshot {
        /// The file.
        file: String,
        /// Why.
        source: FormatError,
    },
    /// The snapshot is gone, and what is left beside it shows that it was there.
    #[error("the state in {file} is missing, but {left} is there")]
    Missing {
        /// The file that is missing.
        file: String,
        /// The file that shows it.
        left: String,
    },
    /// The journal cannot be read or written.
    #[error("cannot use the journal in {file}")]
    Journal {
        /// The file.
        file: String,
        /// Why.
        source: JournalError,
    },
    /// The journal holds records that build on another snapshot.
    #[error(
        "the journal in {journal} builds on serial {expected} of another state than {snapshot}, which has serial {found}"
    )]
    Mismatch {
        /// The journal's file.
        journal: String,
        /// The snapshot's file.
        snapshot: String,
        /// The serial that the journal builds on.
        expected: u64,
        /// The serial of the snapshot.
        found: u64,
    },
    /// A record cannot follow what was recorded before it.
    #[error("the state refuses a record")]
    Illegal {
        /// Why.
        source: IllegalRecord,
    },
    /// Reading or writing failed.
    #[error("cannot {action} {file}")]
    Io {
        /// What was being done: "write".
        action: &'static str,
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The state was moved.
    #[error("the state of this stack is not in {file} any more: it was moved to {to}")]
    Moved {
        /// Where it was.
        file: String,
        /// Where it is.
        to: String,
    },
    /// A service that keeps the state did not do what it was asked.
    #[error("cannot {action} {file}: {message}")]
    Service {
        /// What was being done: "write".
        action: &'static str,
        /// The object.
        file: String,
        /// What the service said.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// The lock was lost while it was needed.
    #[error("the lock on the state in {file} was lost: {reason}")]
    Lost {
        /// The state.
        file: String,
        /// How.
        reason: String,
    },
    /// Another process holds the lock.
    #[error("the state in {file} is locked by {}", holder.as_ref().map_or_else(|| "another process".to_owned(), ToString::to_string))]
    Locked {
        /// The file.
        file: String,
        /// Who, if they have said.
        holder: Option<Box<Holder>>,
        /// How long was waited.
        waited: Duration,
        /// How long until the lock ends by itself, if its holder is gone; `None` where it ends with its process.
        left: Option<Duration>,
    },
    /// Writing failed before, so nothing is written any more: what is on disk is whole, and nothing may follow what is not.
    #[error("the state is no longer written, because writing failed before: {reason}")]
    Stopped {
        /// Why it failed.
        reason: String,
    },
    /// The session is closed.
    #[error("the session is closed")]
    Closed,
}
