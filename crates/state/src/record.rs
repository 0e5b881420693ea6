//! Records: what the journal says, in order.
//!
//! The life of an operation is an [`Intent`], then an outcome, then a commit or a failure; [`fold`](mod@crate::fold) says which
//! order is legal and what each record does to the state.

use std::collections::BTreeMap;

use reconcile_model::{
    Address, Dependencies, Object, ObjectId, ObjectState, Snapshot, event::Verb,
};
use serde::{Deserialize, Serialize};

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// A mutating call is about to be made.
    Intent(Box<Intent>),
    /// The call was answered. After a create, the object is there and becomes current as incomplete; after a delete, it
    /// is going and becomes deleting.
    Outcome {
        /// The operation.
        operation: String,
        /// The object.
        id: ObjectId,
        /// When, in seconds since the Unix epoch. Becomes the creation time of a created object.
        at: u64,
    },
    /// The recorded state changes. With an operation, the operation is done.
    Commit {
        /// The operation; absent for what needed no call, such as a refresh.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operation: Option<String>,
        /// How the state changes.
        change: StateChange,
    },
    /// The operation failed.
    Failed {
        /// The operation.
        operation: String,
        /// Whether it was executed all the same; the operation stays pending when nobody knows.
        executed: Executed,
        /// Why, for people. Must not hold anything sensitive.
        message: String,
    },
    /// A create was looked for after a crash, was not found, and will be made anew under another operation. It stays on
    /// record, since the request may still land: an object that turns up with its tag is ours, and one too many.
    Abandon {
        /// The operation.
        operation: String,
    },
    /// An abandoned create can land no more: nothing turned up while it could have.
    Expire {
        /// The operation.
        operation: String,
    },
    /// An operation that was pending when the journal was folded, carried over into the next one. Only a checkpoint
    /// writes it.
    Carried(Box<PendingOperation>),
}

/// What is about to be done: enough to do it again after a crash just as it was, without the spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// The operation's id: random, unique for each attempt. Client tokens and tags derive from it.
    pub operation: String,
    /// The instance.
    pub address: Address,
    /// What is being done. Forgetting makes no call and has no intent.
    pub verb: Verb,
    /// The provider configuration: `aws`, or `aws.<alias>`.
    pub provider: String,
    /// The Region the call goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The object; absent for a create.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ObjectId>,
    /// The object as planned, sensitive values sealed; what is unknown in it is for AWS to decide.
    pub request: Object,
    /// The schema version of `request`.
    pub schema_version: u32,
    /// Whether an update stops the object, and so has to end with a start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restart: bool,
    /// The blocks that the instance depends on, to be recorded with it.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub dependencies: Dependencies,
    /// Whether a create replaces an object that stays until the new one is there: the old one is deposed by the outcome.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create_before_destroy: bool,
    /// The block's own `timeouts`, in seconds by operation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub timeouts: BTreeMap<String, u64>,
    /// Which attempt this is at what the plan asked for, from one.
    pub attempt: u32,
    /// When, in seconds since the Unix epoch.
    pub at: u64,
}

impl Intent {
    /// Returns the resource type's name.
    pub fn type_name(&self) -> &str {
        self.address.type_name()
    }
}

/// Whether a call that failed was executed all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Executed {
    /// The service said no, or the request never left.
    No,
    /// It was, or a part of it was: what is recorded may not be what is there.
    Yes,
    /// Only looking tells.
    Unknown,
}

/// How the recorded state changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StateChange {
    /// This is the current object of the address now.
    SetCurrent {
        /// The instance.
        address: Address,
        /// The object, sensitive values sealed.
        object: Box<ObjectState>,
    },
    /// The current object is deposed: another takes its place, and it is to be deleted.
    Depose {
        /// The instance.
        address: Address,
    },
    /// A deposed object is current again, because nothing took its place.
    Restore {
        /// The instance.
        address: Address,
        /// The deposed object.
        id: ObjectId,
    },
    /// The current object is gone.
    RemoveCurrent {
        /// The instance.
        address: Address,
    },
    /// A deposed object is gone.
    RemoveDeposed {
        /// The instance.
        address: Address,
        /// The deposed object.
        id: ObjectId,
    },
    /// These are the outputs, all of them.
    SetOutputs {
        /// Every output by name, sensitive values sealed.
        outputs: Object,
    },
    /// The instance is recorded under another address.
    Move {
        /// Where it is.
        from: Address,
        /// Where it will be; nothing may be there.
        to: Address,
    },
    /// The instance is left alone and no longer recorded: its objects, and its pending operations.
    Forget {
        /// The instance.
        address: Address,
    },
    /// Another snapshot of the same stack takes the place of all that is recorded.
    Replace {
        /// The snapshot.
        snapshot: Box<Snapshot>,
    },
}

/// An operation that is not done: an intent, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingOperation {
    /// What was about to be done.
    pub intent: Intent,
    /// How far it has come.
    pub status: PendingStatus,
}

impl PendingOperation {
    /// Returns the object it is about, once that is known.
    pub fn id(&self) -> Option<&ObjectId> {
        match &self.status {
            PendingStatus::Answered { id } => Some(id),
            PendingStatus::Intended | PendingStatus::Unclear { .. } | PendingStatus::Abandoned => {
                self.intent.id.as_ref()
            }
        }
    }

    /// Tells whether it has to be settled before the address can be worked on. An abandoned create has not.
    pub fn is_open(&self) -> bool {
        self.status != PendingStatus::Abandoned
    }
}

/// How far a pending operation has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PendingStatus {
    /// The call may or may not have been made.
    Intended,
    /// The call failed, and may have been executed all the same.
    Unclear {
        /// Why, for people.
        message: String,
    },
    /// The call was answered; what follows it may not have happened.
    Answered {
        /// The object.
        id: ObjectId,
    },
    /// A create that was not found and will not be waited for.
    Abandoned,
}
