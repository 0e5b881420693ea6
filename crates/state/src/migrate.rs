//! Moving a state from one place to another, such that a crash at any instant loses nothing and leaves it in one place.
//!
//! Both places are locked. The state is written whole to where it goes; only then is what it leaves behind written where it
//! was, which says where it went. A crash in between leaves it in both; moving again finds the two alike and goes on.

use reconcile_model::Diagnostic;
use thiserror::Error;

use crate::{OpenOptions, PendingOperation, Session, StateError, Store};

/// Why a state cannot be moved.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// One of the two places cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// Both are the same place.
    #[error("the state is to be moved from {place} to the same place")]
    SamePlace {
        /// The place.
        place: String,
    },
    /// There is nothing to move.
    #[error("there is no state in {from}")]
    Nothing {
        /// The place.
        from: String,
    },
    /// The other place holds another state.
    #[error(
        "in {to} is another state: its lineage is {theirs}, and that of the one in {from} is {ours}"
    )]
    OtherLineage {
        /// Where it is to be moved from.
        from: String,
        /// Where it is to be moved to.
        to: String,
        /// The lineage of the state to be moved.
        ours: String,
        /// The lineage of the state that is there.
        theirs: String,
    },
    /// The other place holds a later version of the same state, or one that is as late and not the same.
    #[error("in {to} is the same state with serial {theirs}, and in {from} with serial {ours}")]
    NotOlder {
        /// Where it is to be moved from.
        from: String,
        /// Where it is to be moved to.
        to: String,
        /// The serial of the state to be moved.
        ours: u64,
        /// The serial of the state that is there.
        theirs: u64,
    },
    /// The other place holds operations that are open.
    #[error("in {to} operations are open that the state in {from} may not know of")]
    Open {
        /// Where it is to be moved from.
        from: String,
        /// Where it is to be moved to.
        to: String,
    },
}

impl From<&MigrateError> for Diagnostic {
    fn from(error: &MigrateError) -> Self {
        if let MigrateError::State(error) = error {
            return Self::from(error);
        }
        let mut text = error.to_string();
        text[..1].make_ascii_uppercase();
        let diagnostic = Self::error(text);
        match error {
            MigrateError::State(_) => diagnostic,
            MigrateError::SamePlace { .. } => {
                diagnostic.hint("Name the other place with --from or --to.")
            }
            MigrateError::Nothing { .. } => {
                diagnostic.hint("Check the place, and that the spec is that of the stack.")
            }
            MigrateError::OtherLineage { to, .. } => diagnostic.hint(format!(
                "They are states of different things, and neither was changed. If the one in {to} is of no use, move its \
                 files or objects away first."
            )),
            MigrateError::NotOlder { from, to, .. } => diagnostic.hint(format!(
                "Neither was changed. If the one in {to} is right, it is where it should be: move what is in {from} away. If \
                 the other is, move away what is in {to}, and try again."
            )),
            MigrateError::Open { .. } => diagnostic.hint(
                "Neither was changed. Settle them with an apply there, or move what is there away, and try again.",
            ),
        }
    }
}

/// What moving came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrated {
    /// The state is in the other place now.
    Moved {
        /// How many instances it records.
        resources: usize,
        /// How many pending operations went along.
        pending: usize,
    },
    /// It was moved there before.
    Before,
}

/// Moves a state. `options` are made for each place.
///
/// # Errors
///
/// When a place cannot be locked, read, or written; when there is no state; and when the other place holds one that is not
/// an older version of it.
pub async fn migrate(
    from: &dyn Store,
    to: &dyn Store,
    options: impl Fn() -> OpenOptions,
) -> Result<Migrated, MigrateError> {
    let (here, there) = (from.location(), to.location());
    if here == there {
        return Err(MigrateError::SamePlace { place: here });
    }
    let open = || OpenOptions { takes_moved: true, ..options() };
    let source = from.open(open()).await?;
    let result = match leave(&*source, &here, &there) {
        Some(result) => result,
        None => match to.open(open()).await {
            Ok(target) => {
                let result = carry_over(&*source, &*target, &here, &there).await;
                let closed = target.close().await;
                result.and_then(|moved| closed.map(|()| moved).map_err(MigrateError::from))
            }
            Err(error) => Err(error.into()),
        },
    };
    let closed = source.close().await;
    let moved = result?;
    closed?;
    Ok(moved)
}

/// Returns what is decided by what is in the place to be left; `None` when there is something to move.
fn leave(source: &dyn Session, here: &str, there: &str) -> Option<Result<Migrated, MigrateError>> {
    match source.moved_to() {
        Some(to) if to == there => Some(Ok(Migrated::Before)),
        Some(to) => Some(Err(StateError::Moved { file: here.to_owned(), to }.into())),
        None if source.is_new() => Some(Err(MigrateError::Nothing { from: here.to_owned() })),
        None => None,
    }
}

async fn carry_over(
    source: &dyn Session,
    target: &dyn Session,
    here: &str,
    there: &str,
) -> Result<Migrated, MigrateError> {
    let (ours, pending) = (source.snapshot(), source.pending());
    let theirs = target.snapshot();
    let (from, to) = (here.to_owned(), there.to_owned());
    let is_there = !target.is_new();
    if is_there && theirs.lineage != ours.lineage {
        let (ours, theirs) = (ours.lineage.clone(), theirs.lineage.clone());
        return Err(MigrateError::OtherLineage { from, to, ours, theirs });
    }
    // A crash after the state was written there, and before that was written here.
    let is_same = is_there && theirs == ours && target.pending() == pending;
    let was_left = target.moved_to().is_some();
    if !is_same {
        if is_there && !was_left && theirs.serial >= ours.serial {
            let (ours, theirs) = (ours.serial, theirs.serial);
            return Err(MigrateError::NotOlder { from, to, ours, theirs });
        }
        if target.pending().iter().any(PendingOperation::is_open) {
            return Err(MigrateError::Open { from, to });
        }
        target.import((*ours).clone(), pending.clone()).await?;
    }
    source.retire(there).await?;
    Ok(Migrated::Moved { resources: ours.resources.len(), pending: pending.len() })
}
