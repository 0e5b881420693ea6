//! The vocabulary that every crate of `reconcile` shares.
//!
//! Values, addresses, schemas, recorded state, plans, events, and diagnostics are defined here, so that the crates that
//! decide, carry out, and report can meet without depending on each other.
//!
//! **Architecture Invariant:** no I/O, no async, no clock, and no randomness. A type is admitted when two crates besides
//! the tests need it.

pub mod action;
pub mod address;
pub mod check;
pub mod configuration;
mod dependencies;
pub mod detach;
pub mod diagnostic;
pub mod diff;
mod encoding;
pub mod event;
pub mod iam;
pub mod normalize;
pub mod number;
pub mod object;
pub mod path;
pub mod plan;
pub mod proposed;
pub mod schema;
pub mod seal;
pub mod snapshot;
pub mod tags;
pub mod value;

pub use action::{Action, ReplaceOrder};
pub use address::{Address, InstanceKey, Mode, ModuleStep, ResourceAddress};
pub use check::{CheckResult, CheckStatus};
pub use configuration::Configuration;
pub use dependencies::Dependencies;
pub use diagnostic::{Diagnostic, Severity, Span};
pub use diff::Diff;
pub use event::{Event, EventKind};
pub use number::Number;
pub use object::{Object, ObjectId};
pub use path::{Path, Step};
pub use plan::{Change, Plan, Reason};
pub use schema::{Attribute, Kind, Presence, Schema, SchemaSet};
pub use snapshot::{ObjectState, ObjectStatus, ResourceState, Snapshot};
pub use value::Value;
