//! Events: what happens during a run, told as it happens.
//!
//! The engine emits them, reporters consume them and can do nothing else. They are owned data and serializable, and the
//! emitter puts in the times, so a recorded run can be shown again, byte for byte.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Address, CheckResult, Diagnostic, ObjectId, plan::Counts};

/// The version of the serialized form; raised when a field or kind is added.
pub const FORMAT_VERSION: u32 = 2;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What is being done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Creating it.
    Create,
    /// Updating it.
    Update,
    /// Deleting it.
    Delete,
    /// Reading a data source.
    Read,
    /// Dropping it from the state.
    Forget,
}

/// How a change ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It failed.
    Failed {
        /// Why.
        diagnostic: Box<Diagnostic>,
    },
    /// It was not started, because what it depends on failed or the run was stopped.
    Skipped {
        /// What failed; absent when the run was stopped.
        because_of: Option<Address>,
    },
}

/// The kinds of event. They come in pairs, in the past tense. Only those of progress may be dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// A run began.
    RunStarted {
        /// See [`FORMAT_VERSION`].
        format_version: u32,
        /// The version of `reconcile`.
        version: String,
        /// The stack's name.
        stack: String,
    },
    /// Reading the live state began.
    RefreshStarted {
        /// How many objects will be read.
        objects: usize,
    },
    /// The live state was read.
    RefreshFinished {
        /// How long it took.
        #[serde(with = "millis")]
        elapsed: Duration,
        /// How many calls it took.
        calls: u64,
    },
    /// A plan was made.
    PlanFinished {
        /// What it would do.
        changes: Counts,
        /// Its fingerprint.
        fingerprint: String,
    },
    /// Applying began.
    ApplyStarted {
        /// How many steps there are, barriers aside.
        steps: usize,
    },
    /// Work on an object began.
    ChangeStarted {
        /// The instance.
        address: Address,
        /// What is being done.
        verb: Verb,
        /// The object, when it exists.
        id: Option<ObjectId>,
    },
    /// Work on an object goes on.
    ChangeProgress {
        /// The instance.
        address: Address,
        /// What is being done.
        verb: Verb,
        /// The object, once it is known.
        id: Option<ObjectId>,
        /// What it waits for: "state `pending`, waiting for `running`".
        waiting_for: String,
        /// How long it has taken so far.
        #[serde(with = "millis")]
        elapsed: Duration,
        /// How many calls the run has made so far.
        #[serde(default)]
        calls: u64,
    },
    /// A call will be made again.
    RetryScheduled {
        /// The instance.
        address: Address,
        /// What is being done.
        verb: Verb,
        /// Why: the error's code and message.
        error: String,
        /// In how long.
        #[serde(with = "millis")]
        delay: Duration,
    },
    /// Work on an object ended.
    ChangeFinished {
        /// The instance.
        address: Address,
        /// What was done.
        verb: Verb,
        /// The object, if one is known.
        id: Option<ObjectId>,
        /// How long it took.
        #[serde(with = "millis")]
        elapsed: Duration,
        /// How it ended.
        #[serde(flatten)]
        outcome: Outcome,
        /// What the user should know: a file that was written, one that was left.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<String>,
        /// How many calls the run has made so far.
        #[serde(default)]
        calls: u64,
    },
    /// What an earlier run had left open was settled.
    Recovered {
        /// The instance, and what became of it.
        what: String,
    },
    /// Looking whether a check holds began.
    CheckStarted {
        /// The check's name.
        name: String,
    },
    /// A check does not hold yet, and will be looked at again.
    CheckProgress {
        /// The check's name.
        name: String,
        /// How often it was looked at.
        attempt: u32,
        /// How often it will be at most.
        attempts: u32,
        /// What does not hold.
        problem: String,
        /// How long it has taken so far.
        #[serde(with = "millis")]
        elapsed: Duration,
    },
    /// A check came to its end.
    CheckFinished {
        /// What it came to.
        result: CheckResult,
        /// How long it took.
        #[serde(with = "millis")]
        elapsed: Duration,
    },
    /// Stopping was asked for: what is in flight finishes, nothing new starts.
    RunStopping {
        /// How many changes are in flight.
        in_flight: usize,
    },
    /// Something to tell apart from any one change.
    Message {
        /// What.
        diagnostic: Diagnostic,
    },
    /// Applying ended.
    ApplyFinished {
        /// What was done.
        done: Counts,
        /// How many changes failed.
        failed: usize,
        /// How many were not started.
        skipped: usize,
        /// How long it took.
        #[serde(with = "millis")]
        elapsed: Duration,
        /// How many calls it took.
        calls: u64,
    },
}

/// Durations as whole milliseconds.
mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}
