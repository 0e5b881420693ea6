//! Plans: what would be done, as data.
//!
//! A plan is made by the planner, read by reporters, and carried out by the applier. It leaves no choices: what can be
//! known is in it, in the order in which it has to happen; what cannot is an unknown value, and the spec's own
//! expression gives it during apply.

mod fingerprint;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

pub use self::fingerprint::{Fingerprint, Input, NoFingerprint};
use crate::{
    Action, Address, CheckResult, Dependencies, Diagnostic, Object, ObjectId, Path,
    ResourceAddress, Span, Value, seal, snapshot::ObjectStatus,
};

/// The version of the serialized form; raised when a field is added.
pub const FORMAT_VERSION: u32 = 4;

/// What would be done to a stack.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// See [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The stack's name.
    pub stack: String,
    /// The state's lineage; empty while there is no state.
    pub lineage: String,
    /// The state's serial.
    pub serial: u64,
    /// SHA-256 of the spec's files, lower-case hexadecimal.
    pub spec_digest: String,
    /// What was asked for besides the spec.
    pub options: PlanOptions,
    /// The variables as given, sensitive ones marked.
    pub variables: Object,
    /// Every instance of the spec and of the state, unchanged ones too, by address.
    pub changes: Vec<Change>,
    /// What to do in which order; empty for a plan without changes.
    pub steps: Vec<PlanStep>,
    /// Every output, by name.
    pub outputs: BTreeMap<String, OutputChange>,
    /// What changed behind our back, by address.
    pub drift: Vec<Drift>,
    /// Warnings about this plan.
    pub warnings: Vec<Diagnostic>,
    /// What the spec's checks say of things as they are, as far as they could be looked at before apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckResult>,
}

/// What was asked for besides the spec. Part of the plan, so that another choice is another fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlanOptions {
    /// What kind of plan.
    pub mode: PlanMode,
    /// Only these, and what they depend on; all when empty.
    pub targets: Vec<String>,
    /// Not these, nor what depends on them.
    pub excludes: Vec<String>,
    /// Replace these, whatever their arguments say.
    pub replace: Vec<Address>,
}

/// What kind of plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanMode {
    /// Make the world look like the spec.
    #[default]
    Apply,
    /// Delete everything: planning against an empty spec.
    Destroy,
    /// Only record what is there.
    RefreshOnly,
}

/// What would be done to one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The instance.
    pub address: Address,
    /// Where it was recorded before, when it moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_address: Option<Address>,
    /// Whether the object was made elsewhere and is recorded from here on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
    /// The object that is there, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ObjectId>,
    /// Whether `id` is a deposed object, which this change deletes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deposed: bool,
    /// What is done.
    pub action: Action,
    /// The object as it is; absent for a create.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Object>,
    /// The object as it will be, unknown where only apply will tell; absent for a delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Object>,
    /// Where `after` differs from `before` in what it means.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<Path>,
    /// The differences that force replacement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replace: Vec<Path>,
    /// The differences that need a stop and a start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restart: Vec<Path>,
    /// Why this action. For people: nothing branches on it.
    pub reason: Reason,
    /// Why each of `changed` differs, in the same order. For people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
    /// The blocks that the instance depends on, to be recorded with it.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub dependencies: Dependencies,
    /// The provider configuration: `aws`, or `aws.<alias>`.
    pub provider: String,
    /// Whether the block has, or must take over, `create_before_destroy`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create_before_destroy: bool,
    /// The block's own `timeouts`, in seconds by operation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub timeouts: BTreeMap<String, u64>,
    /// The recorded status of the object that is there.
    #[serde(default)]
    pub status: ObjectStatus,
    /// Where the block stands in the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
}

impl Change {
    /// Tells whether nothing is done, not even recording the object, or recording it under another address.
    pub fn does_nothing(&self) -> bool {
        self.action == Action::NoOp && self.previous_address.is_none() && !self.imported
    }
}

/// Why an action was chosen. For people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nothing is to be done.
    Unchanged,
    /// The spec has it and the state does not.
    New,
    /// The state has it and AWS does not: somebody deleted it.
    Missing,
    /// The spec's arguments differ from what was last applied.
    SpecChanged,
    /// The object differs from what was last applied.
    Drifted,
    /// A change that cannot be made in place.
    CannotUpdate,
    /// The object was created and failed to become usable.
    Tainted,
    /// An earlier create did not come to its end.
    Interrupted,
    /// The user asked for a replacement.
    Requested,
    /// `replace_triggered_by` names something that changes.
    TriggeredBy(String),
    /// The block is no longer in the spec.
    NotInSpec,
    /// The block is in the spec, with a `count` or `for_each` that no longer has this key.
    KeyGone,
    /// The user asked to destroy the stack.
    Destroy,
    /// A replaced object is still to be deleted.
    Deposed,
    /// A data source whose arguments are known after apply only.
    ArgumentsUnknown,
    /// A data source that depends on something that changes.
    DependencyChanges,
    /// The state has it and is to forget it.
    Forgotten,
}

/// Why one attribute changes. For people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Which kind of cause.
    pub kind: CauseKind,
    /// Where the spec gives the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// The value last recorded, when the object drifted away from it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub recorded: Option<Value>,
}

/// Reads a member that is there: a null is a value, and not the absence of one.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// The kinds of cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// The spec says something else than what was last applied.
    Spec,
    /// The object was changed behind our back.
    Drift,
    /// A value comes from another resource that changes.
    Upstream(Vec<ResourceAddress>),
    /// AWS decides it anew because of another change to the object.
    Computed,
}

/// One node of the order in which a plan is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanStep {
    /// What to do.
    pub kind: StepKind,
    /// The steps, by index, that must have succeeded before. All are smaller than this step's own index.
    pub waits_for: Vec<usize>,
}

/// What one step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Creates the object of the change with this index.
    Create(usize),
    /// Updates it.
    Update(usize),
    /// Deletes it; after a create-then-delete replacement, the object it replaced.
    Delete(usize),
    /// Updates it for the time being: it lets go of what is about to be deleted and made anew (see [`crate::detach`]).
    /// Its own update follows.
    Detach {
        /// The change of the object that lets go.
        change: usize,
        /// The changes of the objects that it lets go of.
        of: Vec<usize>,
    },
    /// Reads the data source.
    Read(usize),
    /// Drops it from the state.
    Forget(usize),
    /// Does nothing: all instances of a block have come to this point. It keeps the number of edges linear.
    Barrier,
}

impl StepKind {
    /// Returns the index of the change that the step belongs to.
    pub fn change(&self) -> Option<usize> {
        match *self {
            Self::Create(index)
            | Self::Update(index)
            | Self::Delete(index)
            | Self::Detach { change: index, .. }
            | Self::Read(index)
            | Self::Forget(index) => Some(index),
            Self::Barrier => None,
        }
    }
}

/// What becomes of an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputChange {
    /// What is done.
    pub action: Action,
    /// The recorded value; null when there is none.
    pub before: Value,
    /// The value after apply, unknown where only apply will tell.
    pub after: Value,
    /// Whether it is declared sensitive.
    pub sensitive: bool,
}

/// What changed behind our back in one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// The instance.
    pub address: Address,
    /// The deposed object that it happened to; absent for the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposed: Option<ObjectId>,
    /// The object as recorded.
    pub before: Object,
    /// The object as it is; absent when it is gone.
    pub after: Option<Object>,
    /// Where they differ.
    pub changed: Vec<Path>,
    /// What the spec says of each of `changed`, in the same order; empty where it does not say anything of the object, as
    /// when its block is gone or was not selected. For people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<DriftAnswer>,
}

/// What the spec says of an attribute that drifted, and what comes of it. For people: nothing branches on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftAnswer {
    /// What an apply that is not `--refresh-only` does about it.
    pub outcome: DriftOutcome,
    /// What the spec says; absent when it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub spec: Option<Value>,
    /// Where the spec says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
}

/// What an apply does about an attribute that drifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftOutcome {
    /// It sets what was recorded again.
    Undone,
    /// It sets something else: the spec changed, too.
    Overwritten,
    /// Nothing, for the spec says by now what is there.
    Agreed,
    /// Nothing, for the block's `ignore_changes` says so.
    Ignored,
    /// Nothing, for the spec leaves it open.
    Left,
}

/// How many objects a plan touches, for the summary line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Objects created, not counting replacements.
    pub create: usize,
    /// Objects changed in place.
    pub update: usize,
    /// Objects replaced.
    pub replace: usize,
    /// Objects deleted, not counting replacements.
    pub delete: usize,
    /// Data sources read during apply.
    pub read: usize,
    /// Objects dropped from the state.
    pub forget: usize,
}

impl Plan {
    /// Tells whether applying the plan would do nothing, outputs and what is only recorded included.
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(Change::does_nothing)
            && self.outputs.values().all(|output| output.action == Action::NoOp)
    }

    /// Returns where each instance that moves was recorded before, by where it is from here on.
    pub fn moves(&self) -> BTreeMap<&Address, &Address> {
        let changes = self.changes.iter();
        changes.filter_map(|it| Some((&it.address, it.previous_address.as_ref()?))).collect()
    }

    /// Returns how many objects the plan touches.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in &self.changes {
            match change.action {
                Action::NoOp => {}
                Action::Read => counts.read += 1,
                Action::Create => counts.create += 1,
                Action::Update => counts.update += 1,
                Action::Replace(_) => counts.replace += 1,
                Action::Delete => counts.delete += 1,
                Action::Forget => counts.forget += 1,
            }
        }
        counts
    }

    /// Returns what its sensitive values are sealed with.
    pub fn salt(&self) -> &str {
        if self.lineage.is_empty() { &self.stack } else { &self.lineage }
    }

    /// Returns the plan with every sensitive value sealed, as it may be written to a file.
    pub fn sealed(&self) -> Self {
        let salt = self.salt();
        let outputs = self.outputs.iter();
        Self {
            format_version: self.format_version,
            stack: self.stack.clone(),
            lineage: self.lineage.clone(),
            serial: self.serial,
            spec_digest: self.spec_digest.clone(),
            options: self.options.clone(),
            variables: seal::seal_object(&self.variables, salt),
            changes: self.changes.iter().map(|it| it.sealed(salt).into_owned()).collect(),
            steps: self.steps.clone(),
            outputs: outputs.map(|(name, it)| (name.clone(), it.sealed(salt))).collect(),
            drift: self.drift.iter().map(|it| it.sealed(salt)).collect(),
            warnings: self.warnings.clone(),
            checks: self.checks.clone(),
        }
    }
}

impl Change {
    /// Returns the change with every sensitive value sealed; itself where there is none, as nearly everywhere.
    fn sealed(&self, salt: &str) -> Cow<'_, Self> {
        let objects = self.before.iter().chain(&self.after);
        let mut recorded = self.causes.iter().filter_map(|cause| cause.recorded.as_ref());
        if !objects.into_iter().any(Object::has_sensitive) && !recorded.any(Value::has_sensitive) {
            return Cow::Borrowed(self);
        }
        let seal_side = |side: &Option<Object>| side.as_ref().map(|it| seal::seal_object(it, salt));
        let seal_cause = |cause: &Cause| Cause {
            recorded: cause.recorded.as_ref().map(|value| seal::seal(value, salt)),
            ..cause.clone()
        };
        Cow::Owned(Self {
            before: seal_side(&self.before),
            after: seal_side(&self.after),
            causes: self.causes.iter().map(seal_cause).collect(),
            ..self.clone()
        })
    }
}

impl OutputChange {
    fn sealed(&self, salt: &str) -> Self {
        let before = seal::seal(&self.before, salt);
        Self { before, after: seal::seal(&self.after, salt), ..self.clone() }
    }
}

impl Drift {
    fn sealed(&self, salt: &str) -> Self {
        let seal_answer = |answer: &DriftAnswer| DriftAnswer {
            spec: answer.spec.as_ref().map(|value| seal::seal(value, salt)),
            ..answer.clone()
        };
        Self {
            before: seal::seal_object(&self.before, salt),
            after: self.after.as_ref().map(|after| seal::seal_object(after, salt)),
            answers: self.answers.iter().map(seal_answer).collect(),
            ..self.clone()
        }
    }
}
