//! Errors of a provider's calls, by what can be done about them.

use std::fmt;

use reconcile_model::ObjectId;
use thiserror::Error;

/// What can be done about an error. Retrying is decided on this alone, in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// The object itself does not exist: done for a delete, gone for a read once it is not young.
    NotFound,
    /// Something that the request refers to does not exist, or was created so lately that it is not visible everywhere:
    /// wait and retry if the object depends on something young, fail otherwise.
    MissingReference,
    /// Something with the same natural key exists: look whether it is ours.
    AlreadyExists,
    /// Something still uses the object: wait and retry, until the timeout.
    InUse,
    /// The object, or one it refers to, is not yet in a state that allows the call: wait and retry, until the timeout.
    NotReady,
    /// The rate limit was hit and the call was not executed: back off and retry.
    Throttled,
    /// The service or the network failed: back off and retry, through recovery when the call may have been executed.
    Transient,
    /// There is no capacity at present: retry slowly, until the timeout.
    Capacity,
    /// The account's quota is used up: fail.
    Quota,
    /// The credentials do not allow it, are missing, or have expired: fail.
    Denied,
    /// The request is wrong: fail.
    Invalid,
    /// The object came to be and failed, or is in a state that nothing leads out of: fail.
    Failed,
}

impl ErrorKind {
    /// Tells whether waiting may help.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::InUse | Self::NotReady | Self::Throttled | Self::Transient | Self::Capacity => {
                true
            }
            Self::NotFound
            | Self::MissingReference
            | Self::AlreadyExists
            | Self::Quota
            | Self::Denied
            | Self::Invalid
            | Self::Failed => false,
        }
    }
}

/// Whether a failed call may have been executed all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// The service said no, or the request never left.
    NotExecuted,
    /// The answer was lost, or the service failed after it took the request: only looking tells.
    Unknown,
}

/// A call that failed.
#[derive(Clone, Debug, Error)]
pub struct ProviderError {
    /// What can be done about it.
    pub kind: ErrorKind,
    /// Whether it may have been executed.
    pub execution: Execution,
    /// The API operation: `RunInstances`.
    pub operation: &'static str,
    /// The object it was about, when there is one.
    pub id: Option<ObjectId>,
    /// The service's error code, when it sent one: `InvalidGroup.Duplicate`.
    pub code: Option<String>,
    /// The service's or the client's own words.
    pub message: String,
    /// The service's request id, for support.
    pub request_id: Option<String>,
    /// What the user can do, when more can be said than the message does.
    pub hint: Option<String>,
}

impl ProviderError {
    /// Returns an error that the service did not send: of our own checks, or of a state an object is in.
    pub fn new(kind: ErrorKind, operation: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            execution: Execution::NotExecuted,
            operation,
            id: None,
            code: None,
            message: message.into(),
            request_id: None,
            hint: None,
        }
    }

    /// Adds the object it was about.
    #[must_use]
    pub fn about(mut self, id: &ObjectId) -> Self {
        self.id = Some(id.clone());
        self
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns what an error is, without its words: for a record that outlives the run.
    #[must_use]
    pub fn summary(&self) -> Self {
        Self {
            execution: self.execution,
            id: self.id.clone(),
            code: self.code.clone(),
            ..Self::new(self.kind, self.operation, "")
        }
    }

    /// Returns the error as a sentence.
    pub fn sentence(&self) -> String {
        let text = self.to_string();
        if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
    }

    /// Tells whether the service sent this code.
    pub fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation)?;
        if let Some(id) = &self.id {
            write!(f, " ({id})")?;
        }
        match &self.code {
            Some(code) => write!(f, ": {code}: {}", self.message)?,
            None => write!(f, ": {}", self.message)?,
        }
        if let Some(request_id) = &self.request_id {
            write!(f, " (request {request_id})")?;
        }
        Ok(())
    }
}
