//! `reconcile show`.

use std::path::PathBuf;

use clap::Args;
use reconcile_report::{Graph, show};

use crate::args::StateDirArgs;
use crate::commands::plan::{self, Format};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::saved::SavedPlan;
use crate::{again, load, runtime};

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

    /// The form of a saved plan, as for `plan`
    #[arg(long, value_enum, default_value_t = Format::Text, requires = "plan")]
    format: Format,

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
    let format = if args.json { Format::Json } else { args.format };
    let variables = saved.plan.variables.iter();
    let again = again::Command {
        words: vec!["reconcile".to_owned(), "apply".to_owned(), path.display().to_string()],
        // The file has only their digests.
        withheld: variables.filter(|(_, it)| it.has_sensitive()).map(|(k, _)| k.clone()).collect(),
    };
    let graph = || Graph::of_plan(&saved.plan);
    plan::print(format, &saved.plan, &schemas, &saved.configuration, again, graph, console);
    Ok(Exit::Done)
}
