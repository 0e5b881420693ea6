//! The pipeline: recover, refresh, read data, plan, apply, record.
//!
//! A front end hands it a loaded spec, a store, and what makes providers; it gets plans and events back.
//!
//! **Architecture Invariant:** nothing here prints, asks, or knows which cloud or store it works with.

mod adopt;
mod checks;
mod import;
mod imports;
mod pipeline;
mod planning;
mod providers;
mod record;
mod refresh;

pub use checks::Checked;
pub use import::Imported;
pub use pipeline::{Engine, Failure, Prepared};
pub use planning::Request;
pub use providers::Providers;
pub use reconcile_applier::{Clock, Ids, Report, Sink, Stop};
