//! End to end: the binary against the emulator, as a user would run it.
//!
//! Each test has a world of its own on the one emulator: a random access key is an account of its own. `cargo xtask test`
//! starts the emulator and says where it is in `RECONCILE_TEST_ENDPOINT`.

mod support;

mod backends;
mod call_counts;
mod checks;
mod errors;
mod fault_points;
mod fingerprints;
mod graph;
mod html;
mod import;
mod interruptions;
mod kill_points;
mod lab_web;
mod lifecycle;
mod moves;
mod ownership;
mod policy;
mod progress;
mod pull_requests;
mod reviewing;
mod saved_plans;
mod secrets;
mod shared_calls;
mod types;
mod web_fleet;
