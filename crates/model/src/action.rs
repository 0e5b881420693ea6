//! What a plan does to one object.

use serde::{Deserialize, Serialize};

/// In which order a replacement works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplaceOrder {
    /// The default: the old object goes first.
    DeleteThenCreate,
    /// With `create_before_destroy`: the new object comes first.
    CreateThenDelete,
}

/// What is done to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    NoOp,
    /// A data source is read during apply, because its arguments are not known before.
    Read,
    /// A new object.
    Create,
    /// The object is changed where it stands.
    Update,
    /// The object is deleted and another is created.
    Replace(ReplaceOrder),
    /// The object is deleted.
    Delete,
    /// The object is left alone and dropped from the state.
    Forget,
}

impl Action {
    /// Returns the symbol users know: `+ ~ - -/+ +/- <=`.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::NoOp => " ",
            Self::Read => "<=",
            Self::Create => "+",
            Self::Update => "~",
            Self::Replace(ReplaceOrder::DeleteThenCreate) => "-/+",
            Self::Replace(ReplaceOrder::CreateThenDelete) => "+/-",
            Self::Delete => "-",
            Self::Forget => ".",
        }
    }

    /// Returns the action as Terraform's JSON plan format has it (`change.actions`).
    pub fn terraform(self) -> &'static [&'static str] {
        match self {
            Self::NoOp => &["no-op"],
            Self::Read => &["read"],
            Self::Create => &["create"],
            Self::Update => &["update"],
            Self::Replace(ReplaceOrder::DeleteThenCreate) => &["delete", "create"],
            Self::Replace(ReplaceOrder::CreateThenDelete) => &["create", "delete"],
            Self::Delete => &["delete"],
            Self::Forget => &["forget"],
        }
    }

    /// Tells whether an object that exists is deleted.
    pub fn is_destructive(self) -> bool {
        matches!(self, Self::Replace(_) | Self::Delete)
    }
}
