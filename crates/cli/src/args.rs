//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use reconcile_model::{Diagnostic, Plan};

use crate::commands;
use crate::exit::Failure;

/// Make an AWS account look like a YAML spec, and see before what would be done
#[derive(Debug, Parser)]
#[command(name = "reconcile", version, propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// Never use color or moving progress, even on a terminal
    #[arg(long, global = true)]
    pub(crate) no_color: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Validate(commands::validate::ValidateArgs),
    Plan(commands::plan::PlanArgs),
    Apply(commands::apply::ApplyArgs),
    Destroy(commands::destroy::DestroyArgs),
    Import(commands::import::ImportArgs),
    Check(commands::check::CheckArgs),
    Show(commands::show::ShowArgs),
    Output(commands::output::OutputArgs),
    Graph(commands::graph::GraphArgs),
    State(commands::state::StateArgs),
    Unlock(commands::unlock::UnlockArgs),
    Schema(commands::schema::SchemaArgs),
    Completions(commands::completions::CompletionsArgs),
}

/// Which spec, and with which values.
#[derive(Args, Clone, Debug)]
pub(crate) struct SpecArgs {
    /// The spec: a YAML file, or a folder that holds some
    #[arg(value_name = "SPEC", default_value = ".")]
    pub(crate) spec: PathBuf,

    #[command(flatten)]
    pub(crate) inputs: InputArgs,
}

/// Values for a spec's variables, and where its functions may read.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct InputArgs {
    /// A variable's value; text, or HCL or JSON for a list, map, or object
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) vars: Vec<String>,

    /// A YAML or JSON file with values of variables
    #[arg(long = "var-file", value_name = "FILE")]
    pub(crate) var_files: Vec<PathBuf>,

    /// A further folder below which file() and templatefile() may read
    #[arg(long = "allow-path", value_name = "FOLDER")]
    pub(crate) allow_paths: Vec<PathBuf>,
}

/// Where the state is kept.
#[derive(Args, Clone, Debug)]
pub(crate) struct StateDirArgs {
    /// The folder of the local state [default: state]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) state_dir: Option<PathBuf>,
}

/// How long to wait for somebody else's run.
#[derive(Args, Clone, Debug)]
pub(crate) struct LockArgs {
    /// How long to wait for another run on the same stack, as 30s or 5m
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub(crate) lock_timeout: std::time::Duration,
}

/// What a plan is about.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PlanningArgs {
    /// Only this resource, and what it depends on; can be given several times
    #[arg(long = "target", value_name = "ADDRESS")]
    pub(crate) targets: Vec<String>,

    /// Not this resource, nor what depends on it; can be given several times
    #[arg(long = "exclude", value_name = "ADDRESS")]
    pub(crate) excludes: Vec<String>,

    /// Replace this resource, whatever its arguments say; can be given several times
    #[arg(long = "replace", value_name = "ADDRESS")]
    pub(crate) replace: Vec<String>,

    /// Trust the recorded state and read nothing from AWS but data sources
    #[arg(long)]
    pub(crate) no_refresh: bool,
}

/// What a plan may do at most.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct LimitArgs {
    /// Refuse a plan that deletes or replaces more objects than this
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max_destroy: Option<usize>,
}

impl LimitArgs {
    /// Checks a plan.
    ///
    /// # Errors
    ///
    /// When it does more than it may.
    pub(crate) fn check(self, plan: &Plan) -> Result<(), Failure> {
        let counts = plan.counts();
        let (delete, replace) = (counts.delete, counts.replace);
        match self.max_destroy {
            Some(most) if delete + replace > most => Err(vec![
                Diagnostic::error(format!(
                    "The plan deletes or replaces {}, and {most} is the most allowed",
                    delete + replace
                ))
                .detail(format!("It deletes {delete} and replaces {replace}. Nothing was changed."))
                .hint("If that is what you want, give `--max-destroy` a larger number, or leave it out."),
            ]),
            Some(_) | None => Ok(()),
        }
    }
}

/// Reads a time: a whole number with `s`, `m`, or `h`, or of seconds.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let (digits, unit) =
        text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 =
        digits.parse().map_err(|_| format!("`{text}` is no time: write it as 30s or 5m"))?;
    let seconds = match unit {
        "" | "s" => number,
        "m" => number.saturating_mul(60),
        "h" => number.saturating_mul(3600),
        other => return Err(format!("`{other}` is no unit of time: use s, m, or h")),
    };
    Ok(std::time::Duration::from_secs(seconds))
}
