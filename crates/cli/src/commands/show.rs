//! `reconcile show`.

use std::fs::File;
use std::io::BufReader;
use std::io::{self, BufRead};
use std::path::PathBuf;

use clap::Args;
use reconcile_model::{Diagnostic, Event};
use reconcile_report::events::{self, Human, Read};
use reconcile_report::{Graph, Reporter as _, show};

use crate::args::StateDirArgs;
use crate::commands::plan::{self, Format};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::saved::SavedPlan;
use crate::{again, load, runtime};

/// Show a saved plan, the events of a run, or all that is recorded of a stack
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// A saved plan, or the events of a run, `-` for those on standard input; the state is shown without it
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// The spec whose state is shown
    #[arg(long, value_name = "SPEC", default_value = ".")]
    spec: PathBuf,

    #[command(flatten)]
    state: StateDirArgs,

    /// The form of a saved plan, as for `plan`
    #[arg(long, value_enum, default_value_t = Format::Text, requires = "file")]
    format: Format,

    /// Print JSON, as `terraform show -json` does; of the events of a run, one on each line
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ShowArgs, console: &Console) -> Result<Exit, Failure> {
    if args.json {
        console.failures_as_json();
    }
    let schemas = load::schemas();
    let Some(path) = &args.file else {
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
    let format = if args.json { Format::Json } else { args.format };
    if path.as_os_str() == "-" {
        return retell(io::stdin().lock(), "standard input", format, console);
    }
    let Some(saved) = SavedPlan::read(path)? else {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| vec![unreadable(&name, &error)])?;
        return retell(BufReader::new(file), &name, format, console);
    };
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

/// Tells a run again from its events, as it was told in plain lines or, where JSON is asked for, as this version writes
/// them.
fn retell(
    mut input: impl BufRead,
    name: &str,
    format: Format,
    console: &Console,
) -> Result<Exit, Failure> {
    let mut human = Human::new(Vec::new(), console.results());
    let mut told = |event: &Event| match format {
        Format::Json => events::line(event),
        Format::Text | Format::Markdown | Format::Html => {
            human.report(event);
            String::from_utf8_lossy(&std::mem::take(human.out())).into_owned()
        }
    };
    let (mut line, mut number, mut known) = (Vec::new(), 0_usize, false);
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line);
        if read.map_err(|error| vec![unreadable(name, &error)])? == 0 {
            return if known { Ok(Exit::Done) } else { Err(vec![neither(name)]) };
        }
        number += 1;
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            continue;
        }
        match events::read_line(&text) {
            Ok(Read::Event(event)) => console.print(&told(event.as_ref())),
            Ok(Read::Unknown) => {}
            Err(_) if !known => return Err(vec![neither(name)]),
            Err(_) => {
                if format == Format::Json {
                    console.failures_as_events();
                }
                return Err(vec![
                    Diagnostic::error(format!("Line {number} of `{name}` is no event"))
                        .detail("What came before it is told above.")
                        .hint("Events are written by `apply --json` and by `apply --events FILE`."),
                ]);
            }
        }
        known = true;
    }
}

fn neither(name: &str) -> Diagnostic {
    Diagnostic::error(format!("`{name}` is neither a saved plan nor the events of a run"))
        .detail("`reconcile plan --out FILE` saves a plan, `reconcile apply --events FILE` a run's events.")
        .hint("`reconcile show --spec SPEC` shows a stack's state.")
}

fn unreadable(name: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error(format!("Cannot read `{name}`")).detail(format!("{error}."))
}
