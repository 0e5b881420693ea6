//! `cargo xtask walk`: the whole walks over the instants and the faults of a run, which take too long for `cargo xtask test`.

use std::path::Path;

use anyhow::Result;

use crate::emulator::Emulator;
use crate::venv::Venv;
use crate::{cargo, run};

/// Walks over every point of `what`, a module of the end-to-end tests, or over those whose name begins with `only`, each or
/// each `every`th, with as many worlds side by side as `workers` says, and prints the table.
pub(crate) fn run(
    root: &Path,
    what: &str,
    only: Option<&str>,
    every: usize,
    workers: usize,
) -> Result<()> {
    let venv = Venv::ready(root)?;
    let emulator = Emulator::start(root, &venv, 0)?;
    run::must_succeed(
        cargo::command(root)
            .args([
                "test",
                "-p",
                "reconcile-cli",
                "--test",
                "e2e",
                &format!("{what}::one_plain_run"),
            ])
            .args(["--", "--nocapture"])
            .env("RECONCILE_TEST_ENDPOINT", emulator.endpoint())
            .env("RECONCILE_WALK", "whole")
            .env("RECONCILE_WALK_ONLY", only.unwrap_or_default())
            .env("RECONCILE_WALK_EVERY", every.to_string())
            .env("RECONCILE_WALK_WORKERS", workers.to_string()),
    )
}
