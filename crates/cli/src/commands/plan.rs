//! `reconcile plan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use reconcile_engine::{Request, Stop};
use reconcile_model::{
    Action, Address, Configuration, Diagnostic, Plan, SchemaSet,
    plan::{PlanMode, PlanOptions},
};
use reconcile_report::{
    Graph, checks,
    html::{self, HtmlOptions},
    json,
    markdown::{self, MarkdownOptions},
    text,
};
use tokio::sync::watch;

use crate::args::{LimitArgs, PlanningArgs, SpecArgs, StateDirArgs};
use crate::commands::graph;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::saved::SavedPlan;
use crate::{again, backend, load, progress, runtime};

/// Show what would be done, and change nothing
#[derive(Args, Debug)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    spec: SpecArgs,

    #[command(flatten)]
    state: StateDirArgs,

    #[command(flatten)]
    planning: PlanningArgs,

    /// Plan to destroy everything
    #[arg(long, conflicts_with = "refresh_only")]
    destroy: bool,

    /// Only show what changed behind our back
    #[arg(long, conflicts_with = "no_refresh")]
    refresh_only: bool,

    #[command(flatten)]
    limit: LimitArgs,

    /// Save the plan, to apply just that: `reconcile apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// The plan's form
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// The same as --format json
    #[arg(long)]
    json: bool,

    /// Exit with 2 when there are changes, and 0 when there are none
    #[arg(long)]
    detailed_exitcode: bool,
}

/// What a plan is printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For a comment on a pull request
    Markdown,
    /// One page for a browser, which needs no network
    Html,
    /// Terraform's JSON plan representation
    Json,
}

pub(crate) fn run(args: PlanArgs, console: &Console) -> Result<Exit, Failure> {
    let format = if args.json { Format::Json } else { args.format };
    let as_json = format == Format::Json;
    if as_json {
        console.failures_as_json();
    }
    let spec = load::spec(&args.spec.spec, &args.spec.inputs, console)?;
    let mode = match (args.destroy, args.refresh_only) {
        (true, _) => PlanMode::Destroy,
        (false, true) => PlanMode::RefreshOnly,
        (false, false) => PlanMode::Apply,
    };
    let request = request(&args.planning, mode)?;
    let schemas = load::schemas();
    let store = backend::store(&args.state, &spec.head())?;
    let (_stop, stopped) = watch::channel(Stop::No);
    // The plan is the result; what is told on the way goes to standard error, and not at all where JSON was asked for.
    let sink: reconcile_engine::Sink =
        if as_json { std::sync::Arc::new(|_| {}) } else { progress::sink(console, false) };
    runtime::block_on(async {
        let engine = runtime::engine(&spec, &schemas, &*store, sink, stopped)?;
        let (prior, pending) = engine.peek().await?;
        console.diagnostics(&open_operations(&pending));
        let planned = engine.plan(&prior, &request).await?;
        let plan = &planned.plan;
        let configuration = spec.configuration();
        if let Err(refused) = args.limit.check(plan) {
            if !as_json {
                console.print(&text::plan(plan, &schemas, &configuration, &console.results()));
            }
            return Err(refused);
        }
        if let Some(path) = &args.out {
            let (spec, inputs) = (&args.spec.spec, &args.spec.inputs);
            SavedPlan::new(plan, &configuration, spec, inputs, request.no_refresh).write(path)?;
        }
        let graph = || graph::of_spec(&spec);
        let again = again::apply(&args.spec, &args.state, &args.planning, mode, &spec.variables);
        print(format, plan, &schemas, &configuration, again, graph, console);
        if let (Format::Text, Some(path)) = (format, &args.out) {
            console.say(&format!(
                "\nSaved. To apply just this plan: reconcile apply {}\n",
                path.display()
            ));
        }
        Ok(if args.detailed_exitcode && has_changes(plan) { Exit::Changes } else { Exit::Done })
    })
}

/// Prints a plan in one of its forms. `again` is the command that applies it, `graph` what depends on what.
pub(crate) fn print(
    format: Format,
    plan: &Plan,
    schemas: &SchemaSet,
    configuration: &Configuration,
    again: again::Command,
    graph: impl FnOnce() -> Graph,
    console: &Console,
) {
    let text = match format {
        Format::Json => return console.print_json(&json::plan(plan, schemas, configuration)),
        Format::Text => {
            let options = console.results();
            text::plan(plan, schemas, configuration, &options)
                + &checks::summary(&plan.checks, &options)
        }
        Format::Markdown => {
            let again::Command { words, withheld } = again;
            let options = MarkdownOptions { apply: words, withheld, ..MarkdownOptions::default() };
            markdown::plan(plan, schemas, configuration, &options)
        }
        Format::Html => {
            let again::Command { words, withheld } = again;
            let options = HtmlOptions { apply: words, withheld };
            html::plan(plan, schemas, configuration, &graph(), &options)
        }
    };
    console.print(&text);
}

/// Returns the request that the arguments make.
///
/// # Errors
///
/// When `--replace` names no address.
pub(crate) fn request(args: &PlanningArgs, mode: PlanMode) -> Result<Request, Failure> {
    let mut replace: Vec<Address> = Vec::new();
    let mut errors = Vec::new();
    for text in &args.replace {
        match text.parse() {
            Ok(address) => replace.push(address),
            Err(error) => errors.push(Diagnostic::error(format!("{error}"))),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let options = PlanOptions {
        mode,
        targets: args.targets.clone(),
        excludes: args.excludes.clone(),
        replace,
    };
    Ok(Request { options, no_refresh: args.no_refresh })
}

/// Tells whether there is something to do, or, when only that was asked for, something to record.
fn has_changes(plan: &Plan) -> bool {
    !plan.is_empty() || (plan.options.mode == PlanMode::RefreshOnly && !plan.drift.is_empty())
}

/// Returns a warning about what an earlier run left open.
fn open_operations(pending: &[reconcile_state::PendingOperation]) -> Vec<Diagnostic> {
    let open: Vec<String> = pending
        .iter()
        .filter(|operation| operation.is_open())
        .map(|operation| operation.intent.address.to_string())
        .collect();
    if open.is_empty() {
        return Vec::new();
    }
    vec![
        Diagnostic::warning("An earlier run was interrupted")
            .detail(format!("What became of these is not settled yet: {}.", open.join(", ")))
            .hint(
                "The next apply settles it before anything else; the plan below does not know yet.",
            ),
    ]
}

/// Returns the exit of a plan that was shown and has nothing to apply.
pub(crate) fn is_noop(plan: &Plan) -> bool {
    plan.changes.iter().all(|change| change.action == Action::NoOp) && !has_changes(plan)
}
