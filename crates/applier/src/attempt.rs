//! Making a call again when that may help, until the timeout.

use std::future::Future;
use std::time::Duration;

use reconcile_model::{Address, EventKind, event::Verb};
use reconcile_provider::{ErrorKind, ProviderError, backoff::Backoff, error::Execution};
use tokio::time::Instant;

use crate::context::{Context, Stop};
use crate::secrets::Secrets;

/// How long a reference that is not found is waited for when it was made by this run: reads are eventually consistent.
const NEW_REFERENCE: Duration = Duration::from_secs(120);

/// One change's attempts at its calls.
pub(crate) struct Attempts<'a> {
    pub(crate) cx: &'a Context,
    pub(crate) address: &'a Address,
    pub(crate) verb: Verb,
    /// What the service may repeat and nobody may see.
    pub(crate) secrets: &'a Secrets,
    pub(crate) deadline: Instant,
    /// Whether something the change depends on was made by this run.
    pub(crate) young_dependencies: bool,
    count: u32,
    started: Instant,
    extended: Duration,
}

impl<'a> Attempts<'a> {
    /// Returns attempts that end after `timeout`.
    pub(crate) fn new(
        cx: &'a Context,
        address: &'a Address,
        verb: Verb,
        secrets: &'a Secrets,
        timeout: Duration,
        young_dependencies: bool,
    ) -> Self {
        let started = Instant::now();
        Self {
            cx,
            address,
            verb,
            secrets,
            deadline: started + timeout,
            young_dependencies,
            count: 0,
            started,
            extended: Duration::ZERO,
        }
    }

    /// Gives the attempts more time: what was spent on finding out what became of one is not time for the change.
    pub(crate) fn extend(&mut self, time: Duration) {
        self.deadline += time;
        self.extended += time;
    }

    /// Returns how much time was given in addition.
    pub(crate) fn extended(&self) -> Duration {
        self.extended
    }

    /// Makes a call that may be made twice until it succeeds, fails for good, or time is up.
    ///
    /// # Errors
    ///
    /// The last error of the call.
    pub(crate) async fn run<T, F, Fut>(&mut self, call: F) -> Result<T, ProviderError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, ProviderError>>,
    {
        loop {
            match call().await {
                Ok(value) => return Ok(value),
                Err(error) => self.wait(error).await?,
            }
        }
    }

    /// Waits before another attempt, if another can help.
    ///
    /// # Errors
    ///
    /// The error itself, when another attempt cannot help or time is up.
    pub(crate) async fn wait(&mut self, error: ProviderError) -> Result<(), ProviderError> {
        let backoff = match error.kind {
            ErrorKind::InUse | ErrorKind::NotReady => Backoff::STATE,
            ErrorKind::Throttled | ErrorKind::Transient => Backoff::SERVICE,
            ErrorKind::Capacity => Backoff::CAPACITY,
            ErrorKind::MissingReference
                if self.young_dependencies && self.started.elapsed() < NEW_REFERENCE =>
            {
                Backoff::STATE
            }
            ErrorKind::NotFound
            | ErrorKind::MissingReference
            | ErrorKind::AlreadyExists
            | ErrorKind::Quota
            | ErrorKind::Denied
            | ErrorKind::Invalid
            | ErrorKind::Failed => return Err(error),
        };
        // An endpoint that refuses connections was not there to begin with: a few attempts tell.
        let unreachable = error.kind == ErrorKind::Transient
            && error.execution == Execution::NotExecuted
            && error.code.is_none();
        self.count += 1;
        let delay = backoff.delay(self.count, fastrand::f64());
        if (unreachable && self.count > 3)
            || Instant::now() + delay > self.deadline
            || *self.cx.stop.borrow() != Stop::No
        {
            return Err(error);
        }
        self.cx.emit(EventKind::RetryScheduled {
            address: self.address.clone(),
            verb: self.verb,
            error: self.secrets.hide(error.to_string()),
            delay,
        });
        tokio::time::sleep(delay).await;
        Ok(())
    }
}
