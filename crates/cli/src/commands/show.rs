//! `reconcile show`.

use std::path::PathBuf;

use clap::Args;
use reconcile_report::{Configuration, json, show, text};

use crate::args::StateDirArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::saved::SavedPlan;
use crate::{load, runtime};

/// Show a saved plan, or all that is recorded of a stack
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// A saved plan; the state is shown without it
    #[arg(value_name = "PLAN")]
    plan: Option<PathBuf>,

    /// The spec whose state is shown
    #[arg(long, value_name = "SPEC", default_value = ".")]
    spec: PathBuf,

    #[command(flatten)]
    state: StateDirArgs,

    /// Print JSON, as `terraform show -json` does
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ShowArgs, console: &Console) -> Result<Exit, Failure> {
    if args.json {
        console.failures_as_json();
    }
    let schemas = load::schemas();
    let Some(path) = &args.plan else {
        let snapshot = runtime::snapshot(&args.state, &args.spec)?;
        if args.json {
            console.print_json(&show::state_json(&snapshot, &schemas));
        } else if snapshot.is_empty() {
            console.say(&format!("Nothing is recorded of stack {}.\n", snapshot.stack));
        } else {
            console.print(&show::state(&snapshot, &schemas, &console.results()));
        }
        return Ok(Exit::Done);
    };
    let saved = SavedPlan::read(path)?.ok_or_else(|| {
        vec![
            reconcile_model::Diagnostic::error(format!("`{}` is no saved plan", path.display()))
                .hint(
                    "`reconcile plan --out FILE` saves one; `--spec SPEC` shows a stack's state.",
                ),
        ]
    })?;
    let configuration = Configuration::default();
    if args.json {
        console.print(&json::document(&json::plan(&saved.plan, &schemas, &configuration)));
    } else {
        console.print(&text::plan(&saved.plan, &schemas, &configuration, &console.results()));
    }
    Ok(Exit::Done)
}
