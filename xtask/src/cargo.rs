//! The cargo that runs this task, for what the task needs of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::run;

/// Returns cargo itself, in the workspace.
pub(crate) fn command(root: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    cargo
}

/// Returns what cargo knows of the workspace, without its dependencies.
pub(crate) fn metadata(root: &Path) -> Result<Value> {
    let mut cargo = command(root);
    cargo.args(["metadata", "--format-version", "1", "--no-deps"]);
    Ok(serde_json::from_str(&run::quietly(&mut cargo)?)?)
}

/// Returns where a built binary of the dev profile is, wherever the target folder was put.
pub(crate) fn dev_binary(root: &Path, name: &str) -> Result<PathBuf> {
    let metadata = metadata(root)?;
    let target =
        metadata["target_directory"].as_str().context("metadata names the target folder")?;
    Ok(Path::new(target).join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}
