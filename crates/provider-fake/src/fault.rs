//! Faults: what goes wrong, when.

use std::time::Duration;

use reconcile_provider::{ErrorKind, ProviderError, error::Execution};

/// The calls of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// Creating an object.
    Create,
    /// Reading objects.
    Read,
    /// Updating one.
    Update,
    /// Deleting one.
    Delete,
    /// Looking for a lost one.
    Find,
    /// Reading a data source.
    ReadData,
}

impl Call {
    /// Returns the operation's name in errors.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Read => "Describe",
            Self::Update => "Modify",
            Self::Delete => "Delete",
            Self::Find => "Find",
            Self::ReadData => "Lookup",
        }
    }
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The service says no.
    Refused(ErrorKind),
    /// The connection is lost before the service has done anything, and the caller cannot know that.
    LostBefore,
    /// The service does what was asked, and its answer is lost.
    LostAfter,
    /// The connection is lost, and the request lands only after so long. Only for creates.
    LandsAfter(Duration),
    /// The call is answered well, and the object ends up in a state that nothing leads out of. Only for creates.
    Breaks,
}

impl Failure {
    /// Returns the error that the caller gets.
    pub(crate) fn error(self, call: Call) -> ProviderError {
        match self {
            Self::Refused(kind) => {
                let mut error = ProviderError::new(kind, call.name(), "the test said so");
                error.code = Some(format!("{kind:?}"));
                error
            }
            Self::LostBefore | Self::LostAfter | Self::LandsAfter(_) | Self::Breaks => {
                let error =
                    ProviderError::new(ErrorKind::Transient, call.name(), "the answer was lost");
                ProviderError { execution: Execution::Unknown, ..error }
            }
        }
    }
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In which calls.
    pub call: Call,
    /// Of which type; of any when absent.
    pub type_name: Option<&'static str>,
    /// How many such calls go well before.
    pub skip: u64,
    /// How many fail then.
    pub times: u64,
    /// How they fail.
    pub failure: Failure,
}

impl Fault {
    /// Returns a fault of the next call of a kind.
    pub fn next(call: Call, failure: Failure) -> Self {
        Self { call, type_name: None, skip: 0, times: 1, failure }
    }

    /// Makes it a fault of one type.
    #[must_use]
    pub fn of(mut self, type_name: &'static str) -> Self {
        self.type_name = Some(type_name);
        self
    }

    /// Lets some calls go well before.
    #[must_use]
    pub fn after(mut self, calls: u64) -> Self {
        self.skip = calls;
        self
    }

    /// Makes several calls fail, one after the other.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    /// Takes in a call; tells how it fails, if it does.
    pub(crate) fn meet(&mut self, call: Call, type_name: &str) -> Option<Failure> {
        if self.call != call || self.times == 0 || self.type_name.is_some_and(|it| it != type_name)
        {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times -= 1;
        Some(self.failure)
    }
}
