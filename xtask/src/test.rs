//! `cargo xtask test`: everything that must pass, in the order in which failures come cheapest.

use std::path::Path;

use anyhow::Result;

use crate::emulator::Emulator;
use crate::packages::Programs;
use crate::venv::Venv;
use crate::{cargo, run, tidy};

/// Runs all checks; the first that fails ends the task.
pub(crate) fn run(root: &Path) -> Result<()> {
    println!("\n$ cargo xtask tidy");
    tidy::run(root)?;
    run::must_succeed(cargo::command(root).args(["fmt", "--all", "--check"]))?;
    run::must_succeed(cargo::command(root).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;

    let venv = Venv::ready(root)?;
    let programs = Programs::ready();
    let emulator = Emulator::start(root, &venv, 0)?;
    let mut selftest = venv.python();
    selftest.args(["-m", "selftest", &emulator.endpoint()]).current_dir(root);
    run::must_succeed(&mut selftest)?;
    run::must_succeed(
        cargo::command(root)
            .args(["test", "--workspace"])
            .env("RECONCILE_TEST_ENDPOINT", emulator.endpoint())
            .envs(programs.environment()),
    )?;
    drop(emulator);

    run::must_succeed(
        cargo::command(root)
            .args(["doc", "--workspace", "--no-deps"])
            // These pages are for whoever works on the house, who can follow a link to a private item.
            .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"),
    )?;
    println!("\nAll checks passed.");
    if let Some(skipped) = programs.skipped() {
        println!("\n{skipped}");
    }
    Ok(())
}
