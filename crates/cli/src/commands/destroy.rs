//! `reconcile destroy`: `apply --destroy`.

use clap::Args;
use reconcile_model::plan::PlanMode;

use crate::args::{PlanningArgs, SpecArgs};
use crate::commands::apply::{self, Job, RunArgs};
use crate::commands::plan;
use crate::console::Console;
use crate::exit::{Exit, Failure};

/// Destroy everything in the stack, after asking
#[derive(Args, Debug)]
pub(crate) struct DestroyArgs {
    #[command(flatten)]
    spec: SpecArgs,

    #[command(flatten)]
    planning: PlanningArgs,

    #[command(flatten)]
    run: RunArgs,
}

pub(crate) fn run(args: DestroyArgs, console: &Console) -> Result<Exit, Failure> {
    if args.run.json {
        console.failures_as_events();
    }
    let job = Job {
        request: plan::request(&args.planning, PlanMode::Destroy)?,
        spec: args.spec.spec,
        inputs: args.spec.inputs,
        approved: None,
    };
    apply::carry_out(&job, &args.run, console)
}
