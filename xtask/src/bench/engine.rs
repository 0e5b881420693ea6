//! The engine by itself, on the provider in memory: what planning costs a resource.

use anyhow::{Context, Result};
use serde_json::Value;

use super::BenchArgs;
use super::report::Report;
use super::user::Bench;
use crate::{cargo, run};

/// What the engine costs must hold for: a phase, at a size, its most seconds.
const TARGETS: [(&str, u64, f64); 5] = [
    ("first plan", 10_000, 1.0),
    ("no-change plan", 10_000, 1.0),
    ("first plan", 100_000, 10.0),
    ("no-change plan", 100_000, 10.0),
    // 5,000 changes a second.
    ("apply", 100_000, 20.0),
];

/// The phases whose memory is bounded at 100,000 resources.
const BOUNDED: [&str; 2] = ["first plan", "no-change plan"];

/// How much memory they may take, in millions of bytes.
const MEMORY: f64 = 1500.0;

/// One measurement of the tool's.
struct Row {
    what: String,
    shape: String,
    size: u64,
    seconds: f64,
    each: f64,
    memory: f64,
}

/// Runs the engine's own measuring tool on two of its shapes, and puts its numbers in a table.
pub(crate) fn scale(bench: &Bench<'_>, _: &BenchArgs, report: &mut Report) -> Result<()> {
    let mut tool = cargo::command(bench.root);
    tool.args(["run", "--release", "--quiet", "--package", "reconcile-engine"]);
    tool.args(["--example", "scale", "--", "--json", "--shape", "count", "--shape", "blocks"]);
    let output = run::quietly(&mut tool)?;
    let lines = output.lines().filter(|line| line.starts_with('{'));
    let rows = lines.map(read).collect::<Result<Vec<Row>>>()?;
    report.section(
        "The engine",
        "On the provider in memory, with the state on disk: no network, no AWS, no emulator. `count` has two blocks of instances, \
         `blocks` as many blocks as resources; [what the engine costs](benchmarks-engine.md) has more shapes, and profiles.",
    );
    report.targets();
    for (what, size, limit) in TARGETS {
        for row in rows.iter().filter(|row| (row.what.as_str(), row.size) == (what, size)) {
            report.target(&format!("{what} of {size}, `{}`", row.shape), row.seconds, limit, " s");
        }
    }
    for row in rows.iter().filter(|row| row.size == 100_000 && BOUNDED.contains(&&*row.what)) {
        let what = format!("{} of {}, `{}`, peak memory", row.what, row.size, row.shape);
        report.target(&what, row.memory, MEMORY, " MB");
    }
    report.table(&["what", "shape", "resources", "seconds", "µs a resource", "peak memory"]);
    for Row { what, shape, size, seconds, each, memory } in rows {
        let [size, seconds, each, memory] = [
            size.to_string(),
            format!("{seconds:.3}"),
            format!("{each:.1}"),
            format!("{memory:.0} MB"),
        ];
        report.row(&[what, shape, size, seconds, each, memory]);
    }
    Ok(())
}

fn read(line: &str) -> Result<Row> {
    let row: Value = serde_json::from_str(line)?;
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| row[name].as_f64().context("the tool tells numbers");
    Ok(Row {
        what: text("what"),
        shape: text("shape"),
        size: row["size"].as_u64().context("the tool tells numbers")?,
        seconds: number("seconds")?,
        each: number("per_resource_us")?,
        memory: number("peak_rss_mb")?,
    })
}
