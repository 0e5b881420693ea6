//! Carrying out a plan.
//!
//! [`apply`] runs every step that is ready at once, up to a limit. Before a call that changes something, what is about to
//! be done is in the journal; after it, what came of it is, before anything uses it. One failure stops only what depends
//! on it.
//!
//! **Architecture Invariant:** it decides nothing. What to do and in which order is in the plan; a value that was not
//! known when the plan was made comes from the spec's own expression.

mod attempt;
mod check;
mod context;
mod journal;
mod recover;
mod resolve;
mod run;
mod schedule;
mod secrets;
mod slots;
mod step;

pub use check::merged;
pub use context::{Clock, Context, Ids, Providers, Sink, Stop};
pub use recover::{Purpose, Recovery, recover};
pub use run::{Job, Report, apply};
pub use secrets::Secrets;
