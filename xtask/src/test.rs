//! `cargo xtask test`: everything that must pass, in the order in which failures come cheapest.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::emulator::Emulator;
use crate::venv::Venv;
use crate::{run, tidy};

/// Runs all checks; the first that fails ends the task.
pub(crate) fn run(root: &Path) -> Result<()> {
    println!("\n$ cargo xtask tidy");
    tidy::run(root)?;
    run::must_succeed(cargo(root).args(["fmt", "--all", "--check"]))?;
    run::must_succeed(cargo(root).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;

    let venv = Venv::ready(root)?;
    let emulator = Emulator::start(root, &venv, 0)?;
    let mut selftest = venv.python();
    selftest.args(["-m", "selftest", &emulator.endpoint()]).current_dir(root);
    run::must_succeed(&mut selftest)?;
    run::must_succeed(
        cargo(root)
            .args(["test", "--workspace"])
            .env("RECONCILE_TEST_ENDPOINT", emulator.endpoint()),
    )?;
    drop(emulator);

    run::must_succeed(
        cargo(root).args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    println!("\nAll checks passed.");
    Ok(())
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}
