//! What a run is given: providers, a journal, a clock, somewhere to tell what happens, and a way to be stopped.

use std::sync::Arc;

use reconcile_model::{Event, EventKind};
use reconcile_provider::{Provider, Settler};
use reconcile_state::Session;
use tokio::sync::watch;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Returns the time in milliseconds since the Unix epoch.
    fn now(&self) -> u64;
}

/// Makes ids that no other run has made.
pub trait Ids: Send + Sync {
    /// Returns a new id: at most 40 characters of `[a-z0-9-]`.
    fn next(&self) -> String;
}

/// Takes in events. It cannot affect the run.
pub type Sink = Arc<dyn Fn(&Event) + Send + Sync>;

/// Finds the provider of an object.
pub trait Providers: Send + Sync {
    /// Returns the settler, and through it the provider, for a configuration and the Region an object is recorded in.
    fn settler(&self, configuration: &str, region: Option<&str>) -> Arc<Settler>;

    /// Returns how many calls were made so far.
    fn calls(&self) -> u64;
}

/// Whether a run is to stop: from no, over finishing what is in flight, to at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Go on.
    No,
    /// Finish what is in flight, start nothing new.
    Gently,
    /// Stop now. What is in flight is settled by the next run, as after a crash.
    Now,
}

/// What a run is given.
#[derive(Clone)]
pub struct Context {
    /// The providers.
    pub providers: Arc<dyn Providers>,
    /// The state, locked.
    pub session: Arc<dyn Session>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids of operations.
    pub ids: Arc<dyn Ids>,
    /// Where events go.
    pub sink: Sink,
    /// Whether to stop.
    pub stop: watch::Receiver<Stop>,
}

impl Context {
    /// Tells what happened.
    pub(crate) fn emit(&self, kind: EventKind) {
        (self.sink)(&Event { at: self.clock.now(), kind });
    }

    pub(crate) fn provider(&self, configuration: &str, region: Option<&str>) -> Arc<dyn Provider> {
        self.providers.settler(configuration, region).provider()
    }
}
