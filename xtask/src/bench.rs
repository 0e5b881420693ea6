//! `cargo xtask bench`: measures the release build and writes docs/benchmarks.md.
//!
//! Counts of calls are asserted in the ordinary tests, since they do not vary; times are measured here, since they do.
//! Each measurement is a scenario of its own, with an account of its own on one emulator.

mod engine;
mod report;
mod scenarios;
mod user;

use std::path::Path;

use anyhow::{Result, ensure};

use self::report::Report;
use self::user::Bench;
use crate::emulator::Emulator;
use crate::venv::Venv;
use crate::{cargo, run};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct BenchArgs {
    /// Only the scenarios with this in their name; can be given several times. Nothing is written then
    #[arg(long)]
    only: Vec<String>,
    /// Measure the dev build, whose counts of calls are good and whose times are not. Nothing is written then
    #[arg(long)]
    dev: bool,
    /// How many of each type the table of calls is made for
    #[arg(long, value_delimiter = ',', default_value = "1,10,1000")]
    sizes: Vec<u32>,
    /// By how much AWS's rate limits are scaled in the scenario that obeys them; 1 takes nine minutes
    #[arg(long, default_value_t = 20)]
    throttle_scale: u32,
}

/// A scenario's name, and what measures it and adds to the report.
type Scenario = (&'static str, fn(&Bench<'_>, &BenchArgs, &mut Report) -> Result<()>);

const SCENARIOS: [Scenario; 8] = [
    ("start-up", scenarios::start_up),
    ("stack-251", scenarios::stack_251),
    ("latency", scenarios::latency),
    ("lab-web", scenarios::lab_web),
    ("rate-limits", scenarios::rate_limits),
    ("calls", scenarios::calls),
    ("engine", engine::scale),
    ("terraform", scenarios::terraform),
];

/// Measures, and writes what came of it into docs/benchmarks.md.
pub(crate) fn run(root: &Path, args: &BenchArgs) -> Result<()> {
    let mut build = cargo::command(root);
    build.args(["build", "--package", "reconcile-cli"]);
    if !args.dev {
        build.arg("--release");
    }
    run::must_succeed(&mut build)?;
    let venv = Venv::ready(root)?;
    let emulator = Emulator::start(root, &venv, 0)?;
    let bench = Bench::new(root, &venv, &emulator, args.dev)?;
    let mut report = Report::new();
    let wanted = |name: &str| args.only.is_empty() || args.only.iter().any(|it| name.contains(it));
    let chosen: Vec<_> = SCENARIOS.iter().filter(|(name, _)| wanted(name)).collect();
    ensure!(!chosen.is_empty(), "there is no such scenario");
    for (name, measure) in chosen {
        println!("\n== {name}");
        measure(&bench, args, &mut report)?;
    }
    println!("\n{}", report.text());
    if args.only.is_empty() && !args.dev {
        report.write(&root.join("docs/benchmarks.md"))?;
    }
    report.verdict()
}
