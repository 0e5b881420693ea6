//! Editing a state by hand: what `state mv`, `state rm`, and `state push` come to, as changes to be journaled.
//!
//! An address without a key means every instance of its block.

use reconcile_model::{Address, Diagnostic, Mode, Snapshot};
use thiserror::Error;

use crate::StateChange;

/// Why a state cannot be edited as asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EditError {
    /// Nothing is recorded under the address.
    #[error("{0} is not in the state")]
    NotRecorded(Address),
    /// Something is recorded under the address to move to.
    #[error("{0} is in the state already")]
    Taken(Address),
    /// The two addresses are of different types, or one is a data source.
    #[error("{from} cannot become {to}")]
    OtherType {
        /// Where it is.
        from: Address,
        /// Where it should be.
        to: Address,
    },
    /// Several instances would come to the same address.
    #[error("{from} has {count} instances, and {to} is one")]
    Several {
        /// The block.
        from: Address,
        /// Where it should be.
        to: Address,
        /// How many instances the block has.
        count: usize,
    },
    /// The pushed state is of another stack.
    #[error("the pushed state is of the stack `{pushed}`, not of `{current}`")]
    OtherStack {
        /// The stack it is of.
        pushed: String,
        /// The stack it is pushed to.
        current: String,
    },
    /// The pushed state has nothing to do with the one that is there.
    #[error("the pushed state has the lineage {pushed}, and the one that is there has {current}")]
    OtherLineage {
        /// Its lineage.
        pushed: String,
        /// The lineage of the one that is there.
        current: String,
    },
    /// The pushed state is older than the one that is there.
    #[error("the pushed state has the serial {pushed}, and the one that is there has {current}")]
    Older {
        /// Its serial.
        pushed: u64,
        /// The serial of the one that is there.
        current: u64,
    },
}

impl From<&EditError> for Diagnostic {
    fn from(error: &EditError) -> Self {
        let diagnostic = Self::error(error.to_string());
        match error {
            EditError::NotRecorded(address) => {
                diagnostic.hint("`reconcile state list` shows what is.").about(address)
            }
            EditError::Taken(address) => diagnostic
                .hint("Move that elsewhere first, or drop it with `reconcile state rm`.")
                .about(address),
            EditError::OtherType { from, .. } => diagnostic
                .hint("Only a resource can move, and only to an address of the same type.")
                .about(from),
            EditError::Several { from, .. } => {
                diagnostic.hint("Name one instance, with its key, or a block to move to.").about(from)
            }
            EditError::OtherStack { .. } => {
                diagnostic.hint("Push it to the stack it belongs to, or correct its `stack`.")
            }
            EditError::OtherLineage { .. } => diagnostic.hint(
                "They are states of different things. With --force, the pushed one takes the place of the other.",
            ),
            EditError::Older { .. } => diagnostic.hint(
                "It was pulled before the last change. Pull again and edit that; with --force, the change since is lost.",
            ),
        }
    }
}

/// What a pushed state is checked for, besides its stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushCheck {
    /// It must be a later edit of the state that is there.
    Successor,
    /// It may take the place of anything.
    Forced,
}

/// Returns the changes that drop what an address means from the state and leave the objects alone.
///
/// # Errors
///
/// When nothing is recorded there.
pub fn rm(snapshot: &Snapshot, address: &Address) -> Result<Vec<StateChange>, EditError> {
    let forget = |address: &Address| StateChange::Forget { address: address.clone() };
    Ok(instances(snapshot, address)?.into_iter().map(forget).collect())
}

/// Returns the changes that record what one address means under another. Instances of a block keep their keys.
///
/// # Errors
///
/// When nothing is recorded at `from`, something is at `to`, or the two cannot be the same thing.
pub fn mv(
    snapshot: &Snapshot,
    from: &Address,
    to: &Address,
) -> Result<Vec<StateChange>, EditError> {
    let managed = |address: &Address| address.resource.mode == Mode::Managed;
    if !managed(from) || !managed(to) || from.type_name() != to.type_name() {
        return Err(EditError::OtherType { from: from.clone(), to: to.clone() });
    }
    let moved = instances(snapshot, from)?;
    let count = moved.len();
    let is_block = from.key.is_none() && to.key.is_none();
    if !is_block && count > 1 {
        return Err(EditError::Several { from: from.clone(), to: to.clone(), count });
    }
    let target = |address: &Address| match is_block {
        true => to.resource.instance(address.key.clone()),
        false => to.clone(),
    };
    let change = |from: &Address| {
        let to = target(from);
        if snapshot.resources.contains_key(&to) {
            return Err(EditError::Taken(to));
        }
        Ok(StateChange::Move { from: from.clone(), to })
    };
    moved.into_iter().map(change).collect()
}

/// Returns the change that puts a pushed state in the place of the one that is there; `None` when they hold the same.
///
/// # Errors
///
/// When it is of another stack, or is not what `check` asks.
pub fn push(
    current: &Snapshot,
    pushed: Snapshot,
    check: PushCheck,
) -> Result<Option<StateChange>, EditError> {
    if pushed.stack != current.stack {
        let (pushed, current) = (pushed.stack, current.stack.clone());
        return Err(EditError::OtherStack { pushed, current });
    }
    let is_first = current.serial == 0 && current.is_empty();
    if check == PushCheck::Successor && !is_first {
        if pushed.lineage != current.lineage {
            let (pushed, current) = (pushed.lineage, current.lineage.clone());
            return Err(EditError::OtherLineage { pushed, current });
        }
        if pushed.serial < current.serial {
            return Err(EditError::Older { pushed: pushed.serial, current: current.serial });
        }
    }
    let is_same = pushed.lineage == current.lineage
        && pushed.resources == current.resources
        && pushed.outputs == current.outputs;
    Ok((!is_same).then(|| StateChange::Replace { snapshot: Box::new(pushed) }))
}

/// Returns what is recorded under an address: the instance, or every instance of the block.
fn instances<'a>(snapshot: &'a Snapshot, address: &Address) -> Result<Vec<&'a Address>, EditError> {
    let is_meant = |recorded: &&Address| match &address.key {
        Some(_) => *recorded == address,
        None => recorded.resource == address.resource,
    };
    let found: Vec<_> = snapshot.resources.keys().filter(is_meant).collect();
    if found.is_empty() { Err(EditError::NotRecorded(address.clone())) } else { Ok(found) }
}
