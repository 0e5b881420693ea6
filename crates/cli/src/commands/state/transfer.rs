//! Carrying a whole state from one place to another: `pull`, `push`, and `migrate`.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;
use reconcile_model::Diagnostic;
use reconcile_spec::Head;
use reconcile_state::edit::{self, PushCheck};
use reconcile_state::migrate::{Migrated, migrate as move_state};
use reconcile_state::{PendingOperation, Record, StateError, Store, format};

use crate::args::{LockArgs, StateDirArgs};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::{backend, load, runtime};

/// Print the recorded state, as it can be edited and pushed back
#[derive(Args, Debug)]
pub(super) struct PullArgs {
    /// The spec whose state it is
    #[arg(long, value_name = "SPEC", default_value = ".")]
    spec: PathBuf,

    #[command(flatten)]
    state: StateDirArgs,
}

/// Make a file the recorded state
#[derive(Args, Debug)]
pub(super) struct PushArgs {
    /// A state as `state pull` prints it, edited without its `checksum`; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The spec whose state it is
    #[arg(long, value_name = "SPEC", default_value = ".")]
    spec: PathBuf,

    #[command(flatten)]
    state: StateDirArgs,

    #[command(flatten)]
    lock: LockArgs,

    /// Take it even if it is older than what is recorded, or another state altogether
    #[arg(long)]
    force: bool,
}

/// Move the state to another place; the objects themselves are left alone
#[derive(Args, Debug)]
pub(super) struct MigrateArgs {
    /// The spec: a YAML file, or a folder that holds some
    #[arg(value_name = "SPEC", default_value = ".")]
    spec: PathBuf,

    /// Where it is: local, local:FOLDER, or s3://BUCKET/KEY?region=REGION; without it, where the spec says
    #[arg(long, value_name = "PLACE", required_unless_present = "to")]
    from: Option<String>,

    /// Where it goes; without it, where the spec says
    #[arg(long, value_name = "PLACE")]
    to: Option<String>,

    #[command(flatten)]
    state: StateDirArgs,

    #[command(flatten)]
    lock: LockArgs,
}

/// Prints the state as bytes of its format. What is pending is not part of it.
pub(super) fn pull(args: &PullArgs, console: &Console) -> Result<Exit, Failure> {
    let view = runtime::view(&args.state, &args.spec)?;
    if view.snapshot.lineage.is_empty() {
        let location = backend::store(&args.state, &load::head(&args.spec)?)?.location();
        return Err(vec![
            Diagnostic::error(format!("There is no state in {location}"))
                .hint("The first apply makes one."),
        ]);
    }
    console.diagnostics(&super::open_operations(&view.pending));
    let encoded = format::encode(&view.snapshot).map_err(|source| {
        vec![Diagnostic::from(&StateError::Snapshot { file: "the state".to_owned(), source })]
    })?;
    console.print(&String::from_utf8_lossy(&encoded.bytes));
    Ok(Exit::Done)
}

/// Puts a file in the place of what is recorded.
pub(super) fn push(args: &PushArgs, console: &Console) -> Result<Exit, Failure> {
    let head = load::head(&args.spec)?;
    let store = backend::store(&args.state, &head)?;
    let name = args.file.display().to_string();
    let bytes = read(&args.file).map_err(|error| {
        vec![Diagnostic::error(format!("Cannot read `{name}`")).detail(format!("{error}."))]
    })?;
    let pushed = format::decode_pushed(&bytes, &head.stack).map_err(|source| {
        vec![
            Diagnostic::from(&StateError::Snapshot { file: name.clone(), source })
                .hint("Nothing was changed. A state that was edited must not have its `checksum` line any more."),
        ]
    })?;
    let check = if args.force { PushCheck::Forced } else { PushCheck::Successor };
    let failure = |error| vec![Diagnostic::from(&error)];
    let serial = runtime::block_on(async {
        let options = runtime::open_options(args.lock.lock_timeout);
        let session = store.open(options).await.map_err(failure)?;
        let result = async {
            if let Some(open) = session.pending().iter().find(|it| it.is_open()) {
                return Err(pending(open));
            }
            let change = edit::push(&session.snapshot(), pushed, check)
                .map_err(|error| vec![Diagnostic::from(&error)])?;
            if let Some(change) = change {
                let record = Record::Commit { operation: None, change };
                session.append(record).await.map_err(failure)?;
                session.checkpoint().await.map_err(failure)?;
                return Ok(Some(session.snapshot().serial));
            }
            Ok(None)
        };
        let result = result.await;
        let closed = session.close().await.map_err(failure);
        let serial = result?;
        closed.map(|()| serial)
    })?;
    console.print(&match serial {
        Some(serial) => {
            format!("{} has what was pushed, with serial {serial}.\n", store.location())
        }
        None => format!("{} has just that already. Nothing was changed.\n", store.location()),
    });
    Ok(Exit::Done)
}

/// Moves the state.
pub(super) fn migrate(args: &MigrateArgs, console: &Console) -> Result<Exit, Failure> {
    let head = load::head(&args.spec)?;
    let place = |text: &Option<String>| -> Result<Box<dyn Store>, Failure> {
        match text {
            Some(text) => backend::place(text, &args.state, &head.stack),
            None => backend::store(&of_spec(&args.state, &head), &head),
        }
    };
    let (from, to) = (place(&args.from)?, place(&args.to)?);
    let options = || runtime::open_options(args.lock.lock_timeout);
    let moved = runtime::block_on(async {
        move_state(&*from, &*to, options).await.map_err(|error| vec![Diagnostic::from(&error)])
    })?;
    let (here, there) = (from.location(), to.location());
    console.print(&match moved {
        Migrated::Moved { resources, pending } => {
            let open = match pending {
                0 => String::new(),
                1 => ", and 1 operation that is not settled".to_owned(),
                more => format!(", and {more} operations that are not settled"),
            };
            let s = if resources == 1 { "" } else { "s" };
            format!("The state is in {there} now: {resources} instance{s}{open}. In {here} is left where it went.\n")
        }
        Migrated::Before => format!("The state was moved to {there} before. Nothing was changed.\n"),
    });
    if args.to.is_some() {
        console.say(&format!(
            "Before the next run, write into the spec that the state is in {there}.\n"
        ));
    }
    Ok(Exit::Done)
}

/// Returns the folder only if the spec's own place is one; otherwise it is the other place's.
fn of_spec(state: &StateDirArgs, head: &Head) -> StateDirArgs {
    let is_s3 = head.backend.iter().flat_map(|it| it.keys()).any(|kind| &**kind == "s3");
    StateDirArgs { state_dir: state.state_dir.clone().filter(|_| !is_s3) }
}

fn pending(open: &PendingOperation) -> Failure {
    vec![
        Diagnostic::error("Operations are open that a pushed state does not know of")
            .detail(format!("Of {}, what became of it is not settled yet.", open.intent.address))
            .hint("Run `reconcile apply` first, which settles them; then pull, edit, and push."),
    ]
}

fn read(file: &std::path::Path) -> std::io::Result<Vec<u8>> {
    if file.as_os_str() != "-" {
        return std::fs::read(file);
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}
