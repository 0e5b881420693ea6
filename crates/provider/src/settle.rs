//! Waiting until an object is ready, or gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reconcile_model::{Object, ObjectId};
use thiserror::Error;
use tokio::time::Instant;

use crate::{
    Depth, Observed, Provider, ProviderError, Status, Target,
    poll::{Poller, Watch},
};

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Goal {
    /// The object is there and ready.
    Ready,
    /// The object is no longer there.
    Gone,
}

/// Why waiting ended without its goal.
#[derive(Debug, Error)]
pub enum SettleError {
    /// The object reached a state that nothing leads out of.
    #[error("it is in state `{0}` and will not become ready")]
    Failed(String),
    /// The object did not appear.
    #[error("it was created and cannot be found after {}", display(.0))]
    Vanished(Duration),
    /// Time is up.
    #[error("it was still in state `{state}` after {}", display(.after))]
    Timeout {
        /// The state it was last seen in.
        state: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// Reading failed, in a way that waiting does not mend.
    #[error("{0}")]
    Call(Arc<ProviderError>),
}

fn display(duration: &Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds / 60) }
}

/// How long a new object may stay invisible: reads are eventually consistent.
///
/// Five minutes is what the Terraform AWS provider allows EC2 for it (`ec2PropagationTimeout`).
pub const CONSISTENCY: Duration = Duration::from_secs(5 * 60);

/// An object as the poll loop knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    depth: Depth,
    id: ObjectId,
    recorded: Arc<Object>,
    arguments: Arc<BTreeSet<String>>,
}

/// Waits for the objects of one provider, those of one type together.
pub struct Settler {
    provider: Arc<dyn Provider>,
    pollers: Mutex<BTreeMap<String, Poller<Key, Observed>>>,
}

impl Settler {
    /// Returns a settler for a provider.
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        Self { provider, pollers: Mutex::new(BTreeMap::new()) }
    }

    /// Returns the provider whose objects it waits for.
    pub fn provider(&self) -> Arc<dyn Provider> {
        Arc::clone(&self.provider)
    }

    /// Waits until the object is what `goal` says; calls `progress` with its state after each poll that it is not.
    ///
    /// Returns the object as the last poll found it, `None` when it is gone. Its attributes are either all read or not
    /// at all, and then [`Settler::read`] does.
    ///
    /// # Errors
    ///
    /// See [`SettleError`]. Errors of single polls that may pass are waited out.
    pub async fn settle(
        &self,
        type_name: &str,
        target: Target<'_>,
        goal: Goal,
        timeout: Duration,
        mut progress: impl FnMut(&str) + Send,
    ) -> Result<Option<Observed>, SettleError> {
        let start = Instant::now();
        let mut watch = self.watch(type_name, target, Depth::Status);
        let mut state = String::from("unknown");
        loop {
            let Ok(answer) = tokio::time::timeout_at(start + timeout, watch.next()).await else {
                return Err(SettleError::Timeout { state, after: timeout });
            };
            let observed = match answer {
                Ok(observed) => observed,
                Err(error) if error.kind.is_retryable() => {
                    error.to_string().clone_into(&mut state);
                    progress(&state);
                    continue;
                }
                Err(error) => return Err(SettleError::Call(error)),
            };
            let Some(observed) = observed else {
                match goal {
                    Goal::Gone => return Ok(None),
                    Goal::Ready if start.elapsed() > CONSISTENCY => {
                        return Err(SettleError::Vanished(start.elapsed()));
                    }
                    Goal::Ready => "not yet visible".clone_into(&mut state),
                }
                progress(&state);
                continue;
            };
            match (goal, &observed.status) {
                (Goal::Ready, Status::Ready) => return Ok(Some(observed)),
                (Goal::Ready, Status::Failed(reason)) => {
                    return Err(SettleError::Failed(reason.clone()));
                }
                (_, Status::Pending(pending) | Status::Failed(pending)) => {
                    state.clone_from(pending);
                }
                (Goal::Gone, Status::Ready) => "still there".clone_into(&mut state),
            }
            progress(&state);
        }
    }

    /// Reads an object in full, together with whoever reads objects of the type at the moment.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub async fn read(
        &self,
        type_name: &str,
        target: Target<'_>,
    ) -> Result<Option<Observed>, Arc<ProviderError>> {
        self.watch(type_name, target, Depth::Full).next().await
    }

    fn watch(&self, type_name: &str, target: Target<'_>, depth: Depth) -> Watch<Observed> {
        let key = Key {
            depth,
            id: target.id.clone(),
            recorded: Arc::new(target.recorded.clone()),
            arguments: Arc::new(target.arguments.clone()),
        };
        // One loop for each depth: a status poll must not become a full read for everyone.
        let name = format!("{type_name}/{depth:?}");
        let mut pollers = self.pollers.lock().expect("no panic while the lock is held");
        let poller = pollers.entry(name).or_insert_with(|| {
            let provider = Arc::clone(&self.provider);
            let type_name = type_name.to_owned();
            Poller::new(move |keys: Vec<Key>| {
                let provider = Arc::clone(&provider);
                let type_name = type_name.clone();
                async move {
                    let targets: Vec<Target<'_>> = keys
                        .iter()
                        .map(|key| Target {
                            id: &key.id,
                            recorded: &key.recorded,
                            arguments: &key.arguments,
                        })
                        .collect();
                    let found =
                        provider.read(&type_name, &targets, depth).await.map_err(Arc::new)?;
                    Ok(keys
                        .iter()
                        .filter_map(|key| Some((key.clone(), found.get(&key.id)?.clone())))
                        .collect())
                }
            })
        });
        poller.watch(key)
    }
}
