//! The seam between the engine and a cloud.
//!
//! A resource type is a declarative [`Schema`](reconcile_model::Schema) plus a handful of calls, [`ResourceType`]. The
//! algorithms that all types share stand here once: reading in batches, waiting in batches ([`poll`]), changing several
//! objects by one call ([`together`]), backing off ([`backoff`]), and keeping below the service's rate limits
//! ([`throttle`]).
//!
//! **Architecture Invariant:** nothing here knows any cloud.

pub mod backoff;
pub mod error;
pub mod operation;
pub mod poll;
pub mod provider;
pub mod registry;
pub mod resource_type;
pub mod settle;
pub mod throttle;
pub mod together;

pub use error::{ErrorKind, ProviderError};
pub use operation::Operation;
pub use provider::{Provider, Regions};
pub use registry::{Registered, Registry};
pub use resource_type::{
    Created, DataSource, Depth, Found, Notes, Observed, Patience, ResourceType, Status, Target,
    Update,
};
pub use settle::{Goal, SettleError, Settler};
