//! `reconcile check`.

use std::sync::Arc;

use clap::Args;
use reconcile_engine::{Sink, Stop};
use reconcile_model::{CheckResult, CheckStatus, Diagnostic, Event, EventKind};
use reconcile_report::checks;
use serde_json::json;
use tokio::sync::watch;

use crate::args::{SpecArgs, StateDirArgs};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::{backend, load, progress, runtime};

/// Look whether the spec's checks hold
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    spec: SpecArgs,

    #[command(flatten)]
    state: StateDirArgs,

    /// Look only at this check
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Trust the recorded state and read nothing from AWS but data sources
    #[arg(long)]
    no_refresh: bool,

    /// Print JSON, as the member `checks` of a plan's
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &CheckArgs, console: &Console) -> Result<Exit, Failure> {
    if args.json {
        console.failures_as_json();
    }
    let spec = load::spec(&args.spec.spec, &args.spec.inputs, console)?;
    let only = args.name.as_deref().map(|name| name.strip_prefix("check.").unwrap_or(name));
    if let Some(name) = only
        && !spec.checks.contains_key(name)
    {
        return Err(vec![unknown(name, spec.checks.keys())]);
    }
    let schemas = load::schemas();
    let store = backend::store(&args.state, &spec.head())?;
    let (stop, stopped) = watch::channel(Stop::No);
    let sink = if args.json { Arc::new(|_: &Event| {}) as Sink } else { in_short(console) };
    let checked = runtime::block_on(async {
        runtime::signals(stop);
        let engine = runtime::engine(&spec, &schemas, &*store, sink, stopped)?;
        let (prior, _) = engine.peek().await?;
        engine.check(&prior, args.no_refresh, only).await
    })?;
    if args.json {
        console.print_json(&json!({ "checks": checks::json(&checked.results) }));
    } else if checked.results.is_empty() {
        console.say(&format!("Stack {} has no checks.\n", spec.stack));
    } else {
        console.print(&checks::list(&checked.results, &console.results()));
    }
    let is_good = |result: &CheckResult| result.status == CheckStatus::Pass;
    Ok(if checked.interrupted {
        Exit::Interrupted
    } else if checked.results.iter().all(is_good) {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// Returns a sink that tells how each check ended and not why: that is the command's result.
fn in_short(console: &Console) -> Sink {
    let told = progress::sink(console, false);
    Arc::new(move |event: &Event| {
        let mut event = event.clone();
        if let EventKind::CheckFinished { result, .. } = &mut event.kind {
            result.problems.clear();
        }
        told(&event);
    })
}

fn unknown<'n>(name: &str, known: impl Iterator<Item = &'n String>) -> Diagnostic {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let error = Diagnostic::error(format!("There is no check `{name}` in the spec"));
    if known.is_empty() {
        error.hint("Checks are written under `check`.")
    } else {
        error.hint(format!("There are: {}.", known.join(", ")))
    }
}
