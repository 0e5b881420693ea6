//! `reconcile output`.

use std::path::PathBuf;

use clap::Args;
use reconcile_model::Diagnostic;
use reconcile_report::show;

use crate::args::StateDirArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::runtime;

/// Print the outputs that the last apply recorded
#[derive(Args, Debug)]
pub(crate) struct OutputArgs {
    /// The spec: a YAML file, or a folder that holds some
    #[arg(value_name = "SPEC", default_value = ".")]
    spec: PathBuf,

    /// Print only this output, text without quotes
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    state: StateDirArgs,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &OutputArgs, console: &Console) -> Result<Exit, Failure> {
    if args.json {
        console.failures_as_json();
    }
    let snapshot = runtime::snapshot(&args.state, &args.spec)?;
    let Some(name) = &args.name else {
        if args.json {
            console.print_json(&show::outputs_json(&snapshot.outputs));
        } else if snapshot.outputs.is_empty() {
            console.say(&format!("Stack {} has no recorded outputs.\n", snapshot.stack));
        } else {
            console.print(&show::outputs(&snapshot.outputs, &console.results()));
        }
        return Ok(Exit::Done);
    };
    let Some(value) = snapshot.outputs.get(name) else {
        let known: Vec<&str> = snapshot.outputs.keys().map(String::as_str).collect();
        let error =
            Diagnostic::error(format!("Stack {} has no recorded output `{name}`", snapshot.stack));
        return Err(vec![if known.is_empty() {
            error.hint("Outputs are recorded by `reconcile apply`.")
        } else {
            error.hint(format!("Recorded are: {}.", known.join(", ")))
        }]);
    };
    if value.has_sensitive() {
        return Err(vec![
            Diagnostic::error(format!("The output `{name}` is sensitive"))
                .detail(
                    "Its value is recorded as a digest only, so that the state holds no secret.",
                )
                .hint("Take it from where it comes from."),
        ]);
    }
    if args.json {
        console.print_json(&show::output_json(value));
    } else {
        console.print(&show::output(value));
    }
    Ok(Exit::Done)
}
