//! Telling people and tools what would be done, what is being done, and what went wrong.
//!
//! Plans, events, diagnostics, and recorded state go in; text, Markdown, HTML, JSON, and graphs come out. Text is made in
//! two layers: a [`reconcile_model::Diff`] says what differs, the layout turns it into lines of signed, toned pieces, and
//! only the last step knows colors and columns.
//!
//! **Architecture Invariant:** nothing here reads a clock, an environment, or a terminal, or decides what happens: the
//! same input gives the same bytes. No sensitive value is in any output.

mod alike;
pub mod checks;
mod colors;
pub mod compare;
pub mod diagnostic;
pub mod events;
pub mod exposure;
pub mod graph;
pub mod html;
pub mod json;
mod layout;
mod line;
pub mod markdown;
pub mod options;
mod quote;
mod reason;
mod redact;
pub mod reference;
mod section;
pub mod show;
pub mod text;
mod usage;

pub use events::Reporter;
pub use graph::Graph;
pub use options::{Style, TextOptions};
pub use reconcile_model::{Configuration, configuration};
