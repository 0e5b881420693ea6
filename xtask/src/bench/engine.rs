//! The engine by itself, on the provider in memory: what planning costs a resource.

use anyhow::{Context, Result};
use serde_json::Value;

use super::BenchArgs;
use super::report::Report;
use super::user::Bench;
use crate::{cargo, run};

/// Runs the engine's own measuring tool, and puts its numbers in a table.
pub(crate) fn scale(bench: &Bench<'_>, _: &BenchArgs, report: &mut Report) -> Result<()> {
    let mut tool = cargo::command(bench.root);
    tool.args(["run", "--release", "--quiet", "--package", "reconcile-engine"]);
    tool.args(["--example", "scale", "--", "--json"]);
    let output = run::quietly(&mut tool)?;
    report.section("The engine", "On the provider in memory: no network, no AWS, no emulator.");
    report.table(&["what", "shape", "resources", "seconds", "µs a resource", "peak memory"]);
    for line in output.lines().filter(|line| line.starts_with('{')) {
        let row: Value = serde_json::from_str(line)?;
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let number = |name: &str| row[name].as_f64().context("the tool tells numbers");
        report.row(&[
            text("what"),
            text("shape"),
            format!("{}", number("size")?),
            format!("{:.3}", number("seconds")?),
            format!("{:.1}", number("per_resource_us")?),
            format!("{:.0} MB", number("peak_rss_mb")?),
        ]);
    }
    Ok(())
}
