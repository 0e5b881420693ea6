//! The seam to S3: the four calls that a store needs, and what can come of them.

use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

/// A bucket. Every write has a condition, which the service checks in the same instant in which it writes.
#[async_trait]
pub trait Bucket: Send + Sync + 'static {
    /// Names an object for messages: `s3://bucket/key`.
    fn name(&self, key: &str) -> String;

    /// Reads an object; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When that cannot be found out.
    async fn get(&self, key: &str) -> Result<Option<Object>, BucketError>;

    /// Writes an object if the condition holds, and returns its new `ETag`.
    ///
    /// # Errors
    ///
    /// When the condition does not hold, and when it cannot be written, or that cannot be found out.
    async fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        condition: &Condition,
    ) -> Result<String, BucketError>;

    /// Lists the keys that begin with `prefix`, in their order.
    ///
    /// # Errors
    ///
    /// When they cannot be listed.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, BucketError>;

    /// Deletes an object, which need not be there.
    ///
    /// # Errors
    ///
    /// When it may still be there.
    async fn delete(&self, key: &str) -> Result<(), BucketError>;
}

/// An object as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// What changes whenever its content does.
    pub etag: String,
    /// How long ago it was written, by the service's own clock at both ends. Exact to a second or two; `None` when the
    /// service does not say.
    pub age: Option<Duration>,
}

/// What must hold for an object to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// There is no object: `If-None-Match: *`.
    Absent,
    /// The object has this `ETag`: `If-Match`.
    Matches(String),
}

impl Condition {
    /// Returns the condition that an object is still as it was found.
    pub fn unchanged(etag: Option<&str>) -> Self {
        etag.map_or(Self::Absent, |etag| Self::Matches(etag.to_owned()))
    }
}

/// Why a call to a bucket came to nothing.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BucketError {
    /// The condition does not hold.
    #[error("the object is not what it was")]
    Condition,
    /// Another write to the object was under way, and this one was not carried out.
    #[error("another write to the object was under way")]
    Conflict,
    /// There is no knowing whether it was carried out: no answer, or one that says that the service failed.
    #[error("{message}")]
    Unclear {
        /// What happened.
        message: String,
    },
    /// The service will not do it, however often it is asked.
    #[error("{message}")]
    Refused {
        /// What it says.
        message: String,
        /// What to do about it.
        hint: String,
    },
}
