//! `cargo xtask policy`: tools made for Terraform's plans read ours.
//!
//! It is a task of its own since checkov is large: its ninety packages take a minute to install.

use std::path::Path;

use anyhow::Result;

use crate::emulator::{self, Emulator};
use crate::venv::Venv;
use crate::{cargo, run};

/// Compares what checkov says of our plans with what it says of the same stacks in Terraform's language, and holds the
/// plans against `docs/plan.schema.json`.
pub(crate) fn run(root: &Path, update: bool) -> Result<()> {
    run::must_succeed(cargo::command(root).args(["build", "--package", "reconcile-cli"]))?;
    let emulator = Emulator::start(root, &Venv::ready(root)?, 0)?;
    let mut check = Venv::of(root, "policy")?.python();
    check.args(["-m", "policy"]).arg(cargo::dev_binary(root, "reconcile")?).current_dir(root);
    if update {
        check.arg("--update");
    }
    // Policies are looked up nowhere: the ones that come with the package are all.
    check
        .envs(emulator::environment(&emulator.endpoint()))
        .env("CHECKOV_RUN_SCA_PACKAGE_SCAN_V2", "false");
    run::must_succeed(&mut check)
}
