//! `reconcile apply`.

use std::path::PathBuf;

use clap::Args;
use reconcile_engine::{Engine, Prepared, Report, Request, Stop};
use reconcile_model::{
    Configuration, Diagnostic, Plan, SchemaSet, Snapshot,
    plan::{Fingerprint, Input, PlanMode},
};
use reconcile_report::{compare, show, text};
use reconcile_state::Store;
use tokio::sync::watch;

use crate::args::{InputArgs, LimitArgs, LockArgs, PlanningArgs, SpecArgs, StateDirArgs};
use crate::commands::plan;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::saved::SavedPlan;
use crate::{backend, load, progress, runtime};

/// Do what the plan shows, after asking
#[derive(Args, Debug)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    spec: SpecArgs,

    #[command(flatten)]
    planning: PlanningArgs,

    /// Destroy everything
    #[arg(long, conflicts_with = "refresh_only")]
    destroy: bool,

    /// Only record what changed behind our back
    #[arg(long, conflicts_with = "no_refresh")]
    refresh_only: bool,

    #[command(flatten)]
    run: RunArgs,
}

/// How a plan is carried out.
#[derive(Args, Clone, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) state: StateDirArgs,

    #[command(flatten)]
    pub(crate) lock: LockArgs,

    /// Do not ask
    #[arg(long)]
    pub(crate) auto_approve: bool,

    /// Apply only if the plan has this fingerprint, which was approved
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) expect: Option<String>,

    #[command(flatten)]
    pub(crate) limit: LimitArgs,

    /// How many changes may be at work at once; those that only wait for an object do not count
    #[arg(long, value_name = "NUMBER", default_value_t = 16)]
    pub(crate) parallelism: usize,

    /// Tell what happens as JSON, one event on each line
    #[arg(long)]
    pub(crate) json: bool,

    /// Record what happens in a file as well, one event on each line: `reconcile show FILE` tells it again
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
}

/// What is applied.
pub(crate) struct Job {
    /// The spec.
    pub(crate) spec: PathBuf,
    /// Its values.
    pub(crate) inputs: InputArgs,
    /// What to plan.
    pub(crate) request: Request,
    /// The plan that was approved, if one was.
    pub(crate) approved: Option<SavedPlan>,
}

pub(crate) fn run(args: ApplyArgs, console: &Console) -> Result<Exit, Failure> {
    if args.run.json {
        console.failures_as_events();
    }
    let job = match SavedPlan::read(&args.spec.spec)? {
        Some(saved) => {
            let planning = &args.planning;
            let given = !planning.targets.is_empty()
                || !planning.excludes.is_empty()
                || !planning.replace.is_empty();
            if given || args.destroy || args.refresh_only {
                return Err(vec![
                    Diagnostic::error("A saved plan says itself what is planned")
                        .hint("Leave out the options that choose; or plan again with them."),
                ]);
            }
            Job {
                spec: saved.spec.clone(),
                inputs: saved.inputs(&args.spec.inputs),
                request: Request {
                    options: saved.plan.options.clone(),
                    no_refresh: saved.no_refresh,
                },
                approved: Some(saved),
            }
        }
        None => {
            let mode = match (args.destroy, args.refresh_only) {
                (true, _) => PlanMode::Destroy,
                (false, true) => PlanMode::RefreshOnly,
                (false, false) => PlanMode::Apply,
            };
            Job {
                request: plan::request(&args.planning, mode)?,
                spec: args.spec.spec,
                inputs: args.spec.inputs,
                approved: None,
            }
        }
    };
    carry_out(&job, &args.run, console)
}

/// Plans, asks, and applies.
pub(crate) fn carry_out(job: &Job, args: &RunArgs, console: &Console) -> Result<Exit, Failure> {
    let expected = args.expect.as_deref().map(expected).transpose()?;
    if let (Some(expected), Some(approved)) = (&expected, &job.approved)
        && expected.as_str() != approved.fingerprint
    {
        return Err(vec![
            Diagnostic::error("The saved plan is not the one that was approved")
                .detail(format!("Approved was {expected}; the file's is {}.", approved.fingerprint))
                .hint("Take the file that was approved, or review this one."),
        ]);
    }
    let spec = load::spec(&job.spec, &job.inputs, console)?;
    if let Some(approved) = &job.approved
        && approved.plan.spec_digest != spec.digest
    {
        return Err(stale("the spec was changed"));
    }
    let configuration = spec.configuration();
    let schemas = load::schemas();
    let store = backend::store(&args.state, &spec.head())?;
    let (stop, stopped) = watch::channel(Stop::No);
    let sink = progress::recording(console, args.json, args.events.as_deref())?;
    runtime::block_on(async {
        runtime::signals(stop.clone());
        let engine = runtime::engine(&spec, &schemas, &*store, sink, stopped)?;
        let open = runtime::stopping(args.lock.lock_timeout, stop);
        let prepared = engine.prepare(open, job.request.options.mode).await?;
        let run = Run {
            engine: &engine,
            prepared: &prepared,
            schemas: &schemas,
            configuration: &configuration,
            expected,
            args,
            console,
        };
        run.go(job, &*store).await
    })
}

/// One run, with the lock held.
struct Run<'a> {
    engine: &'a Engine<'a>,
    prepared: &'a Prepared,
    schemas: &'a SchemaSet,
    configuration: &'a Configuration,
    /// The fingerprint that was approved, if one was given.
    expected: Option<Fingerprint>,
    args: &'a RunArgs,
    console: &'a Console,
}

impl Run<'_> {
    async fn go(&self, job: &Job, store: &dyn Store) -> Result<Exit, Failure> {
        let planned = match self.engine.plan_prepared(self.prepared, &job.request).await {
            Ok(planned) => planned,
            Err(errors) => {
                self.engine.abandon(self.prepared).await?;
                return Err(errors);
            }
        };
        let plan = &planned.plan;
        let refused = self.compare(plan, job.approved.as_ref());
        let refused = refused.or_else(|| self.args.limit.check(plan).err());
        // What was refused is shown even where it was approved before, and never in between JSON.
        if !self.args.json && (refused.is_some() || job.approved.is_none()) {
            let options = self.console.results();
            self.console.print(&text::plan(plan, self.schemas, self.configuration, &options));
        }
        if let Some(refused) = refused {
            self.engine.abandon(self.prepared).await?;
            return Err(refused);
        }
        if !plan::is_noop(plan) && !self.is_approved(plan, job.approved.is_some()).await? {
            self.engine.abandon(self.prepared).await?;
            self.console.say("Not approved; nothing was changed.\n");
            return Ok(Exit::Failed);
        }
        let report = self.engine.apply(self.prepared, planned, self.args.parallelism).await?;
        if !self.args.json {
            let view = store.peek().await.map_err(|error| vec![Diagnostic::from(&error)])?;
            self.outputs(&view.snapshot);
        }
        Ok(exit(&report))
    }

    /// Returns why the plan is not the one that was approved.
    fn compare(&self, plan: &Plan, approved: Option<&SavedPlan>) -> Option<Failure> {
        let fingerprint = plan.fingerprint();
        if let Some(saved) = approved {
            if saved.fingerprint == fingerprint {
                return None;
            }
            let why = if saved.plan.lineage != plan.lineage {
                "the state is another one"
            } else if saved.plan.serial != plan.serial {
                "the state was changed by another run"
            } else {
                "what is there, or a variable, has changed"
            };
            let differences = compare::plans(&saved.plan, plan, self.schemas);
            return Some(stale_with(why, &differences));
        }
        let expected = self.expected.as_ref()?;
        let found: Fingerprint = fingerprint.parse().ok()?;
        (*expected != found).then(|| vec![not_approved(expected, &found)])
    }

    async fn is_approved(&self, plan: &Plan, saved: bool) -> Result<bool, Failure> {
        if self.args.auto_approve || self.args.expect.is_some() || saved {
            return Ok(true);
        }
        if !Console::can_ask() || self.args.json {
            self.engine.abandon(self.prepared).await?;
            return Err(runtime::cannot_ask("--auto-approve"));
        }
        let question = match plan.options.mode {
            PlanMode::Apply => format!("\nMake these changes to stack {}?", plan.stack),
            PlanMode::Destroy => {
                format!("\nDestroy all of stack {}? There is no undo.", plan.stack)
            }
            PlanMode::RefreshOnly => {
                format!("\nRecord what was found in the state of stack {}?", plan.stack)
            }
        };
        Ok(self.console.confirm(&question))
    }

    fn outputs(&self, snapshot: &Snapshot) {
        if !snapshot.outputs.is_empty() {
            self.console.print("\nOutputs:\n\n");
            self.console.print(&show::outputs(&snapshot.outputs, &self.console.results()));
        }
    }
}

/// Reads the fingerprint that was approved.
fn expected(text: &str) -> Result<Fingerprint, Failure> {
    let bare = text.strip_prefix("sha256:").unwrap_or(text);
    bare.parse().map_err(|error| {
        vec![
            Diagnostic::error(format!("`--expect {text}` names no fingerprint"))
                .detail(format!("It is wrong since {error}."))
                .hint("`reconcile plan` prints it in its last line."),
        ]
    })
}

/// Returns the error for a plan with another fingerprint, with what moved.
fn not_approved(expected: &Fingerprint, found: &Fingerprint) -> Diagnostic {
    let moved: Vec<&str> = expected.moved(found).into_iter().map(words).collect();
    let moved = if moved.is_empty() {
        "The spec, the options, and the state are the same: AWS decided something else, data sources found something else, or another version of reconcile planned.".to_owned()
    } else {
        format!("Moved since: {}.", moved.join("; "))
    };
    Diagnostic::error("The plan is not the one that was approved")
        .detail(format!("Approved was {expected}; the plan above is {found}. {moved} Nothing was changed."))
        .hint("Review the plan above, and approve its fingerprint if it is right. A saved plan (`plan --out`) tells what differs in each resource.")
}

fn words(moved: Input) -> &'static str {
    match moved {
        Input::Spec => "the spec's files",
        Input::Request => "the stack's name, the options, or the variables",
        Input::State => "the state, by another run",
        Input::Live => "live objects, outside of reconcile",
    }
}

/// Returns the error for a saved plan that no longer fits.
fn stale(why: &str) -> Failure {
    stale_with(why, "")
}

fn stale_with(why: &str, differences: &str) -> Failure {
    let mut detail =
        "It is applied just as it was approved, or not at all. Nothing was changed.".to_owned();
    if !differences.is_empty() {
        detail =
            format!("{detail} What differs from what was approved:\n{}", differences.trim_end());
    }
    vec![
        Diagnostic::error(format!("The saved plan is stale: {why}"))
            .detail(detail)
            .hint("Plan again, review, and apply the new plan."),
    ]
}

fn exit(report: &Report) -> Exit {
    if report.interrupted {
        Exit::Interrupted
    } else if report.failed > 0 || !report.errors.is_empty() {
        Exit::Failed
    } else {
        Exit::Done
    }
}
