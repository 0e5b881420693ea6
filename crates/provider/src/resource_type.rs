//! What a resource type and a data source have to provide.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use reconcile_model::{Object, ObjectId, Schema, schema::Recovery, tags::Ownership};

use crate::{Operation, ProviderError};

/// A resource type: a schema and a handful of calls.
///
/// `Cx` is what the calls are made with: the service's clients.
///
/// Every call may be made twice, with a crash between, and must then end as if made once. The engine waits, retries, and
/// journals around the calls; they do neither, but where one change needs several steps with a wait between them.
///
/// After `create` the engine waits until the object is ready, reads it, and calls `update` if it is not yet what was
/// planned. So `create` makes the one call that brings the object into being, and `update` finishes it: whichever step
/// a crash lost, the next run does it.
#[async_trait]
pub trait ResourceType<Cx: Sync>: Send + Sync {
    /// Returns the schema.
    fn schema(&self) -> &'static Schema;

    /// Makes the call that brings the object into being, with the tags of `operation` in that same call.
    ///
    /// `planned` has every argument known; what is [`Unknown`](reconcile_model::Value::Unknown) in it is for AWS to decide.
    ///
    /// # Errors
    ///
    /// As the service answers. `AlreadyExists` makes the engine ask [`ResourceType::find`] whether it is ours.
    async fn create(
        &self,
        cx: &Cx,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError>;

    /// Reads any number of objects, in as few calls as the service allows.
    ///
    /// What does not exist is absent from the answer; it is not an error. An attribute that was not read, because
    /// nothing makes it matter or `depth` does not ask for it, is absent from its object: the recorded value stands.
    ///
    /// Where the status of an object cannot be told without reading nearly all of it, the rest may be read as well: at
    /// [`Depth::Status`] an object that is not empty has everything that [`Depth::Full`] asks for.
    ///
    /// # Errors
    ///
    /// When a call fails; never because an object is missing.
    async fn read(
        &self,
        cx: &Cx,
        targets: &[Target<'_>],
        depth: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError>;

    /// Makes the object what was planned, changing only what differs between `live` and `planned`.
    ///
    /// # Errors
    ///
    /// As the service answers.
    async fn update(&self, cx: &Cx, update: &Update<'_>) -> Result<Notes, ProviderError>;

    /// Deletes the object. What is gone already counts as deleted.
    ///
    /// # Errors
    ///
    /// As the service answers; `InUse` is retried until the timeout.
    async fn delete(
        &self,
        cx: &Cx,
        operation: &Operation,
        id: &ObjectId,
        recorded: &Object,
    ) -> Result<Notes, ProviderError>;

    /// Looks for the object that `operation` may have created before its answer was lost: by client token, natural key,
    /// or operation tag, as [`Schema::recovery`] says.
    ///
    /// # Errors
    ///
    /// When a call fails; never because nothing is found.
    async fn find(
        &self,
        cx: &Cx,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Found, ProviderError>;

    /// Returns how an interrupted create of this very object is found again: as the schema says, unless the object's
    /// arguments tell it more surely.
    fn recovery(&self, planned: &Object) -> Recovery {
        let _ = planned;
        self.schema().recovery
    }
}

/// A data source: a schema and one read.
#[async_trait]
pub trait DataSource<Cx: Sync>: Send + Sync {
    /// Returns the schema.
    fn schema(&self) -> &'static Schema;

    /// Reads what `config` asks for.
    ///
    /// # Errors
    ///
    /// As the service answers; `NotFound` when nothing matches and something has to, `Invalid` when several do and one
    /// has to. The message tells what was looked for.
    async fn read(&self, cx: &Cx, config: &Object) -> Result<Object, ProviderError>;

    /// Returns how often a check looks until its assertions hold.
    fn patience(&self, _config: &Object) -> Patience {
        Patience::ONCE
    }

    /// Makes one of the attempts that [`DataSource::patience`] speaks of.
    ///
    /// # Errors
    ///
    /// As [`DataSource::read`].
    async fn look(&self, cx: &Cx, config: &Object) -> Result<Object, ProviderError> {
        self.read(cx, config).await
    }
}

/// How often something is looked at until it is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often at most, at least once.
    pub attempts: u32,
    /// How long to wait in between.
    pub interval: Duration,
}

impl Patience {
    /// A single look.
    pub const ONCE: Self = Self { attempts: 1, interval: Duration::ZERO };
}

/// What the user should know about a change: a file that was written, one that was left. Whole sentences.
pub type Notes = Vec<String>;

/// An object that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: ObjectId,
    /// What the user should know.
    pub notes: Notes,
}

impl Created {
    /// Returns a created object that needs no note.
    pub fn new(id: impl Into<ObjectId>) -> Self {
        Self { id: id.into(), notes: Notes::new() }
    }
}

/// An object to read.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its id.
    pub id: &'a ObjectId,
    /// What is recorded or planned of it, for ids that are composed and for reading less when nothing can have changed.
    pub recorded: &'a Object,
    /// The arguments that the spec gives: what is expensive to read is read only if it is among them or recorded.
    pub arguments: &'a BTreeSet<String>,
}

impl Target<'_> {
    /// Tells whether an attribute matters: the spec gives it, or a value of it is recorded.
    pub fn wants(&self, attribute: &str) -> bool {
        self.arguments.contains(attribute) || !self.recorded.value(attribute).is_null()
    }
}

/// How much to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Whether it is there and ready; for waiting. Objects may be left empty.
    Status,
    /// Everything that matters.
    Full,
}

/// An object as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Its attributes.
    pub object: Object,
    /// Whether it is ready.
    pub status: Status,
    /// What its ownership tags say; empty for what cannot be tagged.
    pub ownership: Ownership,
}

impl Observed {
    /// Returns an object that is ready.
    pub fn ready(object: Object) -> Self {
        Self { object, status: Status::Ready, ownership: Ownership::default() }
    }
}

/// Whether an object is ready for use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is.
    Ready,
    /// Not yet; the service's own name for the state it is in.
    Pending(String),
    /// It never will be; the service's own names for the state and, if it tells, the reason.
    Failed(String),
}

/// A change to an object.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// The object.
    pub id: &'a ObjectId,
    /// The object as it is now.
    pub live: &'a Object,
    /// The object as it is to be; what is unknown in it is for AWS to decide.
    pub planned: &'a Object,
    /// Whether the plan says that the change needs a stop: then it ends with a start, even if a crash came between.
    pub restart: bool,
}

impl Update<'_> {
    /// Tells whether an attribute is to be changed: it is planned with a known value that does not mean what is there.
    /// What was not read stands as it was sent.
    pub fn changes(&self, schema: &Schema, name: &str) -> bool {
        let planned = self.planned.value(name);
        let (Some(attribute), Some(live)) = (schema.attribute(name), self.live.get(name)) else {
            return false;
        };
        planned.is_known() && !reconcile_model::proposed::is_same(attribute, live, planned)
    }
}

/// What looking for a lost create found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The object that the operation created.
    Ours(ObjectId),
    /// An object with the same natural key that the operation did not create; a sentence that names it.
    Foreign {
        /// Its id.
        id: ObjectId,
        /// What it is, for the error: "a load balancer named `web` exists already".
        description: String,
    },
    /// Nothing.
    Nothing,
}
