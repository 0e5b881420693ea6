//! What reports look like, byte for byte.
//!
//! Plans are made by `reconcile_model::proposed::propose` from a spec's arguments and a live object, as the planner makes
//! them; no diff is written by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod checks;
mod diagnostic;
mod events;
mod graph;
mod html;
mod json;
mod markdown;
mod paths;
mod plans;
mod schema;
mod secrets;
mod show;
mod support;
mod text;
mod values;
