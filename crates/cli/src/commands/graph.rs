//! `reconcile graph`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use reconcile_engine::{Request, Stop};
use reconcile_model::{Diagnostic, Plan, plan::PlanOptions};
use reconcile_report::{Graph, graph};
use reconcile_spec::Spec;
use tokio::sync::watch;

use crate::args::{SpecArgs, StateDirArgs};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::saved::SavedPlan;
use crate::{backend, load, progress, runtime};

/// Draw what depends on what; without --plan, without credentials or network
#[derive(Args, Debug)]
pub(crate) struct GraphArgs {
    #[command(flatten)]
    spec: SpecArgs,

    #[command(flatten)]
    state: StateDirArgs,

    /// The graph's form
    #[arg(long, value_enum, default_value_t = Format::Dot)]
    format: Format,

    /// Plan first, or take a saved plan, and color what changes by what is done to it
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    plan: Option<Option<PathBuf>>,
}

/// What a graph is printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Graphviz's language
    Dot,
    /// Mermaid's language, which GitHub draws
    Mermaid,
    /// A picture
    Svg,
}

pub(crate) fn run(args: &GraphArgs, console: &Console) -> Result<Exit, Failure> {
    let spec = load::spec(&args.spec.spec, &args.spec.inputs, console)?;
    let mut graph = of_spec(&spec);
    match &args.plan {
        None => {}
        Some(Some(path)) => graph.color(&saved(path)?),
        Some(None) => graph.color(&planned(args, &spec, console)?),
    }
    console.print(&match args.format {
        Format::Dot => graph::dot(&graph),
        Format::Mermaid => graph::mermaid(&graph),
        Format::Svg => graph::svg(&graph),
    });
    Ok(Exit::Done)
}

/// Returns the graph of a spec: its blocks and outputs.
pub(crate) fn of_spec(spec: &Spec) -> Graph {
    let mut graph = Graph::new();
    for address in spec.blocks.keys() {
        graph.block(address, spec.dependencies(address));
    }
    for (name, output) in &spec.outputs {
        graph.output(name, &output.dependencies);
    }
    graph
}

fn saved(path: &std::path::Path) -> Result<Plan, Failure> {
    let saved = SavedPlan::read(path)?.ok_or_else(|| {
        vec![
            Diagnostic::error(format!("`{}` is no saved plan", path.display()))
                .hint("`reconcile plan --out FILE` saves one; `--plan` without a file plans now."),
        ]
    })?;
    Ok(saved.plan)
}

fn planned(args: &GraphArgs, spec: &Spec, console: &Console) -> Result<Plan, Failure> {
    let schemas = load::schemas();
    let store = backend::store(&args.state, &spec.head())?;
    let (_stop, stopped) = watch::channel(Stop::No);
    runtime::block_on(async {
        let sink = progress::sink(console, false);
        let engine = runtime::engine(spec, &schemas, &*store, sink, stopped)?;
        let (prior, _pending) = engine.peek().await?;
        let request = Request { options: PlanOptions::default(), no_refresh: false };
        Ok(engine.plan(&prior, &request).await?.plan)
    })
}
