//! The project's tasks: `cargo xtask <task>`.
//!
//! They need Rust and Python 3 and nothing else: what they use from PyPI goes into a virtual
//! environment below `target/`, made on first use. Tests that need a browser or a web server are
//! skipped where there is none.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tasks are for people who watch them"
)]

mod bench;
mod cargo;
mod demo;
mod emulator;
mod http;
mod packages;
mod policy;
mod run;
mod test;
mod tidy;
mod venv;
mod walk;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

/// The project's tasks.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Takes specs/lab-web through its whole life on the emulator.
    Demo,
    /// Runs everything that must pass before a change is merged.
    Test,
    /// Runs the emulator in the foreground and prints how to talk to it.
    Emulator {
        /// The port on 127.0.0.1; a free one by default.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Measures the release build, and writes docs/benchmarks.md.
    Bench(bench::BenchArgs),
    /// Runs checkov over plans of the ready-made stacks, and compares with what it says of Terraform.
    Policy {
        /// Writes down what checkov says instead of comparing with what is written down.
        #[arg(long)]
        update: bool,
    },
    /// Checks what no compiler checks: who may depend on whom, file sizes, and leftovers.
    Tidy,
    /// Kills the binary at every instant of its runs, and checks what one run later is left. Takes long.
    Walk {
        /// Instead of killing, let every call fail in every way.
        #[arg(long)]
        faults: bool,
        /// Only the points whose name begins so, such as "lab-web, apply" or "every type, destroy, after the call 3".
        #[arg(long)]
        only: Option<String>,
        /// Only every Nth point.
        #[arg(long, default_value_t = 1)]
        every: usize,
        /// How many worlds are walked on side by side. Most of the time they wait.
        #[arg(long, default_value_t = 40)]
        workers: usize,
    },
}

fn main() -> ExitCode {
    match perform(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    let root = workspace_root()?;
    match task {
        Task::Demo => demo::run(&root),
        Task::Test => test::run(&root),
        Task::Emulator { port } => emulator::run_in_foreground(&root, port),
        Task::Bench(args) => bench::run(&root, &args),
        Task::Policy { update } => policy::run(&root, update),
        Task::Tidy => tidy::run(&root),
        Task::Walk { faults, only, every, workers } => {
            let what = if faults { "fault_points" } else { "kill_points" };
            walk::run(&root, what, only.as_deref(), every, workers)
        }
    }
}

/// The folder that holds the workspace, whatever folder the task was called from.
fn workspace_root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map(Path::to_path_buf).context("xtask is a folder of the workspace")
}
