//! A cloud in memory, for tests and benchmarks.
//!
//! [`Cloud`] keeps objects of a few invented types, each with a real schema and one of the ways in which real services
//! behave: a group that cannot be deleted while it is used, a server that takes a client token and needs a restart for
//! some changes, a link whose id is composed, a blob that only its operation's tag finds again. States take time, calls
//! are counted, and [`Fault`]s make them fail on demand. Time is Tokio's, so that tests can pause it.
//!
//! Every call costs the logarithm of the number of objects, so that a hundred thousand of them are no trouble.

mod cloud;
mod fault;
mod resources;
mod store;

pub use cloud::{Cloud, Timing};
pub use fault::{Call, Failure, Fault};
pub use resources::REGISTRY;
