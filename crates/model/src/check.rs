//! Checks: what a `check` block of a spec came to.

use serde::{Deserialize, Serialize};

use crate::{Diagnostic, Span};

/// How a check ended. The names are those of Terraform's JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Every assertion holds.
    Pass,
    /// An assertion does not hold.
    Fail,
    /// It could not be told: a data source could not be read, or an expression failed.
    Error,
    /// It is known after apply only.
    Unknown,
}

/// What one check came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's name.
    pub name: String,
    /// How it ended.
    pub status: CheckStatus,
    /// What does not hold, what went wrong, or what is not known: a warning for each. None when it passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Diagnostic>,
    /// Where the check stands in the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
}

impl CheckResult {
    /// Returns the check's address: `check.page`.
    pub fn address(&self) -> String {
        address(&self.name)
    }
}

/// Returns the address of the check with a name: `check.page`.
pub fn address(name: &str) -> String {
    format!("check.{name}")
}
