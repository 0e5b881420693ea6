//! `reconcile import`: putting an object that is there already under the spec.

use clap::Args;
use reconcile_engine::Stop;
use reconcile_model::plan::PlanMode;
use reconcile_model::{Address, ObjectId};
use tokio::sync::watch;

use crate::args::{LockArgs, SpecArgs, StateDirArgs};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::{backend, load, progress, runtime};

/// Put an object that is there already on record, at an address of the spec; nothing of it is changed
#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// Where in the spec: one instance, such as aws_instance.web or 'aws_instance.web["a"]'
    #[arg(value_name = "ADDRESS")]
    address: Address,

    /// Which object: its id, as the type's page says
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    spec: SpecArgs,

    #[command(flatten)]
    state: StateDirArgs,

    #[command(flatten)]
    lock: LockArgs,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ImportArgs, console: &Console) -> Result<Exit, Failure> {
    if args.json {
        console.failures_as_json();
    }
    let spec = load::spec(&args.spec.spec, &args.spec.inputs, console)?;
    let schemas = load::schemas();
    let store = backend::store(&args.state, &spec.head())?;
    let (stop, stopped) = watch::channel(Stop::No);
    let sink = progress::sink(console, false);
    let imported = runtime::block_on(async {
        runtime::signals(stop.clone());
        let engine = runtime::engine(&spec, &schemas, &*store, sink, stopped)?;
        let open = runtime::stopping(args.lock.lock_timeout, stop);
        let prepared = engine.prepare(open, PlanMode::Apply).await?;
        engine.import(&prepared, &args.address, &ObjectId(args.id.clone())).await
    })?;
    console.diagnostics(&imported.warnings);
    if args.json {
        console.print_json(&serde_json::json!({
            "address": args.address.to_string(),
            "id": imported.id.as_str(),
            "assumed": imported.assumed,
        }));
        return Ok(Exit::Done);
    }
    console.print(&format!(
        "{} is {} from here on. Nothing of it was changed.\n",
        args.address, imported.id
    ));
    if !imported.assumed.is_empty() {
        let names: Vec<String> = imported.assumed.iter().map(|name| format!("`{name}`")).collect();
        console.print(&format!(
            "AWS does not tell {}: taken to be as the spec says.\n",
            names.join(", ")
        ));
    }
    console.print("`reconcile plan` shows what the spec would change of it.\n");
    Ok(Exit::Done)
}
