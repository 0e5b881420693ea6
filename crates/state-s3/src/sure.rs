//! Calls until their outcome is known.
//!
//! A write that is not answered may have been carried out, or may be later. It is made again with the same condition and the
//! same content: only one of the two can hold. Where the condition fails, the object is read: no two writers ever write the
//! same content to the same key, so if it is ours, it is there.

use std::time::Duration;

use reconcile_state::StateError;
use tokio::time::Instant;

use crate::{Bucket, BucketError, Condition, bucket::Object};

/// The longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// How long reads are tried again.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What came of a conditional write.
#[derive(Debug)]
pub(crate) enum Put {
    /// It is there, with this `ETag`.
    Done(String),
    /// Something else is there, or, where something should be, nothing.
    Taken(Option<Object>),
}

/// Writes an object if the condition holds.
///
/// # Errors
///
/// When it is refused, or is still not known to be written at the deadline.
pub(crate) async fn put(
    bucket: &dyn Bucket,
    key: &str,
    body: &[u8],
    condition: &Condition,
    deadline: Instant,
) -> Result<Put, StateError> {
    let mut attempts = Attempts::until(deadline);
    loop {
        let error = match bucket.put(key, body.to_vec(), condition).await {
            Ok(etag) => return Ok(Put::Done(etag)),
            Err(error) => error,
        };
        if error == BucketError::Condition {
            let found = get_until(bucket, key, deadline).await?;
            return Ok(match found {
                Some(found) if found.bytes == body => Put::Done(found.etag),
                found => Put::Taken(found),
            });
        }
        attempts.again(error).await.map_err(|error| failed("write", bucket, key, error))?;
    }
}

/// Reads an object.
///
/// # Errors
///
/// When it is refused, or cannot be read for too long.
pub(crate) async fn get(bucket: &dyn Bucket, key: &str) -> Result<Option<Object>, StateError> {
    get_until(bucket, key, Instant::now() + PATIENCE).await
}

async fn get_until(
    bucket: &dyn Bucket,
    key: &str,
    deadline: Instant,
) -> Result<Option<Object>, StateError> {
    let mut attempts = Attempts::until(deadline);
    loop {
        match bucket.get(key).await {
            Ok(found) => return Ok(found),
            Err(error) => {
                attempts.again(error).await.map_err(|error| failed("read", bucket, key, error))?;
            }
        }
    }
}

/// Lists keys.
///
/// # Errors
///
/// When it is refused, or cannot be done for too long.
pub(crate) async fn list(bucket: &dyn Bucket, prefix: &str) -> Result<Vec<String>, StateError> {
    let mut attempts = Attempts::until(Instant::now() + PATIENCE);
    loop {
        match bucket.list(prefix).await {
            Ok(keys) => return Ok(keys),
            Err(error) => {
                let result = attempts.again(error).await;
                result.map_err(|error| failed("list", bucket, prefix, error))?;
            }
        }
    }
}

/// The attempts at one call.
struct Attempts {
    deadline: Instant,
    pause: Duration,
}

impl Attempts {
    fn until(deadline: Instant) -> Self {
        Self { deadline, pause: Duration::from_millis(100) }
    }

    /// Waits before the next attempt, or returns the error where there is to be none.
    async fn again(&mut self, error: BucketError) -> Result<(), BucketError> {
        match error {
            BucketError::Conflict | BucketError::Unclear { .. } => {}
            BucketError::Condition | BucketError::Refused { .. } => return Err(error),
        }
        let pause = self.pause.mul_f64(0.5 + fastrand::f64() / 2.0);
        if Instant::now() + pause >= self.deadline {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        self.pause = (self.pause * 2).min(MAX_PAUSE);
        Ok(())
    }
}

fn failed(action: &'static str, bucket: &dyn Bucket, key: &str, error: BucketError) -> StateError {
    let file = bucket.name(key);
    let (message, hint) = match error {
        BucketError::Refused { message, hint } => (message, hint),
        BucketError::Unclear { message } => {
            let hint = "Check the network, and `endpoint` and `region` of the backend. Run the command again: it goes on from \
                        what is recorded.";
            (message, hint.to_owned())
        }
        BucketError::Condition | BucketError::Conflict => (error.to_string(), String::new()),
    };
    StateError::Service { action, file, message, hint }
}
