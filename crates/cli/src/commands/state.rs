//! `reconcile state`: looking at what is recorded, and correcting it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reconcile_model::event::Verb;
use reconcile_model::{Address, Diagnostic, Snapshot};
use reconcile_report::show;
use reconcile_state::{PendingOperation, PendingStatus, Record, StateChange, edit};

use crate::args::{LockArgs, StateDirArgs};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::{backend, load, runtime};

/// Look at the recorded state, and correct it
#[derive(Args, Debug)]
pub(crate) struct StateArgs {
    #[command(subcommand)]
    command: StateCommand,
}

#[derive(Debug, Subcommand)]
enum StateCommand {
    List(ListArgs),
    Show(ShowArgs),
    Mv(MvArgs),
    Rm(RmArgs),
    Pull(transfer::PullArgs),
    Push(transfer::PushArgs),
    Migrate(transfer::MigrateArgs),
}

/// Whose state.
#[derive(Args, Debug)]
struct Whose {
    /// The spec whose state it is
    #[arg(long, value_name = "SPEC", default_value = ".")]
    spec: PathBuf,

    #[command(flatten)]
    state: StateDirArgs,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// List the recorded addresses
#[derive(Args, Debug)]
struct ListArgs {
    /// Only these: a block lists all its instances
    #[arg(value_name = "ADDRESS")]
    addresses: Vec<Address>,

    #[command(flatten)]
    whose: Whose,
}

/// Show what is recorded of an address
#[derive(Args, Debug)]
struct ShowArgs {
    /// The addresses
    #[arg(value_name = "ADDRESS", required = true)]
    addresses: Vec<Address>,

    #[command(flatten)]
    whose: Whose,
}

/// Record an object under another address; the object itself is left alone
#[derive(Args, Debug)]
struct MvArgs {
    /// Where it is
    #[arg(value_name = "FROM")]
    from: Address,

    /// Where it will be
    #[arg(value_name = "TO")]
    to: Address,

    #[command(flatten)]
    whose: Whose,

    #[command(flatten)]
    lock: LockArgs,
}

/// Forget objects; they stay where they are, and are no longer managed
#[derive(Args, Debug)]
struct RmArgs {
    /// The addresses
    #[arg(value_name = "ADDRESS", required = true)]
    addresses: Vec<Address>,

    #[command(flatten)]
    whose: Whose,

    #[command(flatten)]
    lock: LockArgs,
}

mod transfer;

pub(crate) fn run(args: StateArgs, console: &Console) -> Result<Exit, Failure> {
    match args.command {
        StateCommand::List(args) => list(&args, console),
        StateCommand::Show(args) => show_resources(&args, console),
        StateCommand::Mv(args) => {
            let edit = |snapshot: &Snapshot| {
                edit::mv(snapshot, &args.from, &args.to)
                    .map_err(|error| vec![Diagnostic::from(&error)])
            };
            change(&args.whose, &args.lock, console, "moved", edit)
        }
        StateCommand::Rm(args) => {
            let edit = |snapshot: &Snapshot| {
                let mut changes = Vec::new();
                let mut errors = Vec::new();
                for address in &args.addresses {
                    match edit::rm(snapshot, address) {
                        Ok(more) => changes.extend(more),
                        Err(error) => errors.push(Diagnostic::from(&error)),
                    }
                }
                if errors.is_empty() { Ok(changes) } else { Err(errors) }
            };
            change(&args.whose, &args.lock, console, "forgotten", edit)
        }
        StateCommand::Pull(args) => transfer::pull(&args, console),
        StateCommand::Push(args) => transfer::push(&args, console),
        StateCommand::Migrate(args) => transfer::migrate(&args, console),
    }
}

fn list(args: &ListArgs, console: &Console) -> Result<Exit, Failure> {
    let mut snapshot = read(&args.whose, console)?;
    if !args.addresses.is_empty() {
        snapshot.resources.retain(|address, _| args.addresses.iter().any(|it| covers(it, address)));
    }
    if args.whose.json {
        console.print_json(&show::list_json(&snapshot));
    } else {
        console.print(&show::list(&snapshot));
    }
    Ok(Exit::Done)
}

fn show_resources(args: &ShowArgs, console: &Console) -> Result<Exit, Failure> {
    let snapshot = read(&args.whose, console)?;
    let schemas = load::schemas();
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for address in &args.addresses {
        let before = found.len();
        found.extend(snapshot.resources.iter().filter(|(it, _)| covers(address, it)));
        if found.len() == before {
            errors.push(
                Diagnostic::error(format!("Nothing is recorded at {address}"))
                    .hint("`reconcile state list` shows what is."),
            );
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    if args.whose.json {
        let all: serde_json::Value = found
            .iter()
            .map(|(address, resource)| show::resource_json(address, resource, &schemas))
            .collect();
        console.print_json(&all);
    } else {
        for (address, resource) in found {
            console.print(&show::resource(address, resource, &schemas, &console.results()));
        }
    }
    Ok(Exit::Done)
}

fn read(whose: &Whose, console: &Console) -> Result<Snapshot, Failure> {
    if whose.json {
        console.failures_as_json();
    }
    let view = runtime::view(&whose.state, &whose.spec)?;
    let repairs: Vec<Diagnostic> = view.repairs.iter().map(Diagnostic::from).collect();
    console.diagnostics(&repairs);
    console.diagnostics(&open_operations(&view.pending));
    Ok(view.snapshot)
}

/// Returns a warning for each operation that an earlier run left open.
fn open_operations(pending: &[PendingOperation]) -> Vec<Diagnostic> {
    let open = pending.iter().filter(|operation| operation.is_open());
    let describe = |operation: &PendingOperation| {
        let PendingOperation { intent, status } = operation;
        let verb = match intent.verb {
            Verb::Create => "create",
            Verb::Read => "read",
            Verb::Update => "update",
            Verb::Delete => "delete",
            Verb::Forget => "forget",
        };
        let known = match status {
            PendingStatus::Intended => "the call may have been made, or not".to_owned(),
            PendingStatus::Unclear { message } => {
                format!("the call may have been carried out although it failed: {message}")
            }
            PendingStatus::Answered { id } => {
                format!("the call was made, on {id}, and what follows it may be missing")
            }
            PendingStatus::Abandoned => "it was given up".to_owned(),
        };
        Diagnostic::warning(format!("An operation is open: {verb} {}", intent.address))
            .detail(format!("Of operation {}, {known}.", intent.operation))
            .hint("The next apply settles it before anything else.")
    };
    open.map(describe).collect()
}

/// Tells whether an address is, or is an instance of, what the user named.
fn covers(named: &Address, address: &Address) -> bool {
    named == address || (named.key.is_none() && named.resource == address.resource)
}

/// Changes the state under its lock.
fn change(
    whose: &Whose,
    lock: &LockArgs,
    console: &Console,
    done: &str,
    edit: impl Fn(&Snapshot) -> Result<Vec<StateChange>, Failure>,
) -> Result<Exit, Failure> {
    if whose.json {
        console.failures_as_json();
    }
    let store = backend::store(&whose.state, &load::head(&whose.spec)?)?;
    let count = runtime::block_on(async {
        let failure = |error| vec![Diagnostic::from(&error)];
        let session =
            store.open(runtime::open_options(lock.lock_timeout)).await.map_err(failure)?;
        let changes = edit(&session.snapshot())?;
        let count = changes.len();
        let commit = |change| Record::Commit { operation: None, change };
        session.append_all(changes.into_iter().map(commit).collect()).await.map_err(failure)?;
        session.checkpoint().await.map_err(failure)?;
        session.close().await.map_err(failure)?;
        Ok(count)
    })?;
    if whose.json {
        console.print_json(&serde_json::json!({ "changed": count }));
    } else {
        let what = if count == 1 { "1 instance was" } else { &format!("{count} instances were") };
        console.print(&format!("{what} {done}. The objects themselves were left alone.\n"));
    }
    Ok(Exit::Done)
}
