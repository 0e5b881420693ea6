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

/// The phases whose memory is bounded at 100,000 resources, and whose time for each resource must not grow on the way there.
const BOUNDED: [&str; 2] = ["first plan", "no-change plan"];

/// How many times as long a resource may take among 100,000 as among 1,000.
const GROWTH: f64 = 1.5;

/// How often each size is measured. A small one takes milliseconds, which anything else on the machine disturbs.
const REPEATS: [(u64, usize); 3] = [(1_000, 9), (10_000, 3), (100_000, 3)];

/// How much memory they may take, in millions of bytes.
const MEMORY: f64 = 1500.0;

/// What the tool measured of a phase: the medians.
struct Row {
    what: String,
    shape: String,
    size: u64,
    seconds: f64,
    each: f64,
    memory: f64,
}

/// Runs the engine's own measuring tool on all its shapes, and puts its numbers in a table.
pub(crate) fn scale(bench: &Bench<'_>, _: &BenchArgs, report: &mut Report) -> Result<()> {
    let mut tool = cargo::command(bench.root);
    tool.args(["run", "--release", "--quiet", "--package", "reconcile-engine"]);
    tool.args(["--example", "scale", "--", "--json"]);
    for (size, times) in REPEATS {
        tool.args(std::iter::repeat_n(size.to_string(), times));
    }
    let output = run::quietly(&mut tool)?;
    let lines = output.lines().filter(|line| line.starts_with('{'));
    let rows = medians(lines.map(read).collect::<Result<Vec<Row>>>()?);
    report.section(
        "The engine",
        "On the provider in memory, with the state on disk: no network, no AWS, no emulator. `count` has two blocks of instances, \
         `each` the same with `for_each`, `blocks` as many blocks as resources, `chain` blocks that each mention the one before, `fleet` \
         web sites of forty resources. Medians of nine runs of 1,000 resources and of three of more; \
         [what the engine costs](benchmarks-engine.md) has profiles.",
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
    for row in rows.iter().filter(|row| row.size == 100_000 && BOUNDED.contains(&&*row.what)) {
        let is_small = |it: &&Row| (&it.what, &it.shape, it.size) == (&row.what, &row.shape, 1_000);
        let small = rows.iter().find(is_small).context("small sizes are measured, too")?;
        let what = format!("{}, `{}`, a resource of 100000 to one of 1000", row.what, row.shape);
        report.target(&what, row.each / small.each, GROWTH, "×");
    }
    report.table(&[
        "shape",
        "what",
        "µs a resource, of 1000",
        "of 10000",
        "of 100000",
        "seconds for 100000",
        "peak memory",
    ]);
    for of_one in rows.chunk_by(|a, b| a.shape == b.shape) {
        for large in of_one.iter().filter(|row| row.size == 100_000) {
            let each = |size| {
                let mut at = of_one.iter().filter(|row| row.size == size && row.what == large.what);
                at.next().map(|row| format!("{:.1}", row.each)).unwrap_or_default()
            };
            report.row(&[
                large.shape.clone(),
                large.what.clone(),
                each(1_000),
                each(10_000),
                each(100_000),
                format!("{:.2}", large.seconds),
                format!("{:.0} MB", large.memory),
            ]);
        }
    }
    Ok(())
}

/// Brings together the measurements of the same phase at the same size, in the order in which they came.
fn medians(rows: Vec<Row>) -> Vec<Row> {
    let mut groups: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let is_same =
            |it: &Row| (&it.what, &it.shape, it.size) == (&row.what, &row.shape, row.size);
        match groups.iter_mut().find(|group| is_same(&group[0])) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    let median = |mut group: Vec<Row>| {
        group.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        group.swap_remove(group.len() / 2)
    };
    groups.into_iter().map(median).collect()
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
