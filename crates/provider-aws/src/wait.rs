//! Waiting inside one change, where a later step needs an earlier one to have taken effect.
//!
//! The engine waits after each change, for all objects together. This is for what lies between two calls of one change:
//! an instance that has to be stopped before its type can be modified.

use std::future::Future;
use std::time::Duration;

use reconcile_provider::{ErrorKind, ProviderError};
use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(500);
const SLOWEST: Duration = Duration::from_secs(5);

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Look<T> {
    /// What was waited for.
    Done(T),
    /// Not yet; the state it is in, for the error when time is up.
    NotYet(String),
}

/// Looks again and again, at once first, then every 0.5 s, growing with the time waited to every 5 s.
///
/// # Errors
///
/// When a look fails, and `NotReady` when `limit` has passed: the change can be tried again and goes on from there.
pub(crate) async fn until<T, F, Fut>(
    operation: &'static str,
    limit: Duration,
    mut look: F,
) -> Result<T, ProviderError>
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Result<Look<T>, ProviderError>> + Send,
    T: Send,
{
    let start = Instant::now();
    loop {
        let state = match look().await? {
            Look::Done(found) => return Ok(found),
            Look::NotYet(state) => state,
        };
        let waited = start.elapsed();
        if waited >= limit {
            let message = format!("still in state `{state}` after {} s", waited.as_secs());
            return Err(ProviderError::new(ErrorKind::NotReady, operation, message));
        }
        tokio::time::sleep((waited / 4).clamp(FIRST, SLOWEST)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn looks_until_done_and_no_longer_than_the_limit() {
        let start = Instant::now();
        let look = |after: u64| {
            move || async move {
                let elapsed = start.elapsed();
                Ok(if elapsed >= Duration::from_secs(after) {
                    Look::Done(elapsed)
                } else {
                    Look::NotYet("stopping".to_owned())
                })
            }
        };
        let found = until("Look", Duration::from_secs(60), look(20)).await.unwrap();
        assert!(found < Duration::from_secs(26), "{found:?}");
        let error = until("Look", Duration::from_secs(60), look(1000)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotReady);
        assert!(error.message.contains("`stopping`"), "{error}");
    }
}
