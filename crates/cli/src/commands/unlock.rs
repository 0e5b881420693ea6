//! `reconcile unlock`.

use std::path::PathBuf;

use clap::Args;
use reconcile_model::Diagnostic;
use reconcile_state::Lock;

use crate::args::StateDirArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::{backend, load, runtime};

/// Say who holds the lock on a state, and take it away from them
#[derive(Args, Debug)]
pub(crate) struct UnlockArgs {
    /// The spec: a YAML file, or a folder that holds some
    #[arg(value_name = "SPEC", default_value = ".")]
    spec: PathBuf,

    #[command(flatten)]
    state: StateDirArgs,

    /// Do not ask
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &UnlockArgs, console: &Console) -> Result<Exit, Failure> {
    let store = backend::store(&args.state, &load::head(&args.spec)?)?;
    let failure = |error| vec![Diagnostic::from(&error)];
    runtime::block_on(async {
        let file = store.location();
        let Some(lock) = store.lock().await.map_err(failure)? else {
            console.print(&format!("Nobody holds the lock on the state in {file}.\n"));
            return Ok(Exit::Done);
        };
        let who = lock
            .holder
            .as_ref()
            .map_or_else(|| "somebody who has not said who".to_owned(), ToString::to_string);
        if lock.token.is_none() {
            return Err(vec![
                Diagnostic::error(format!("The state in {file} is locked by {who}"))
                    .detail("The lock is the operating system's: it ends with that process, and nothing else ends it.")
                    .hint("Wait for the process, or end it. After a kill or a crash there is nothing to unlock."),
            ]);
        }
        console.say(&format!("The state in {file} is locked by {who}.\n{}", ends(&lock)));
        if !args.force {
            if !Console::can_ask() {
                return Err(vec![
                    Diagnostic::error("There is nobody to ask")
                        .detail("Taking a lock away stops the run that has it, and standard input is no terminal.")
                        .hint("Add `--force` if that run is to be stopped."),
                ]);
            }
            if !console.confirm("\nTake the lock away? If that run is still at work, it stops, and what it left open is settled by the next one.") {
                console.say("The lock was left alone.\n");
                return Ok(Exit::Failed);
            }
        }
        store.unlock(&lock).await.map_err(failure)?;
        console.print("The lock is free.\n");
        Ok(Exit::Done)
    })
}

/// Says when a lock ends by itself.
fn ends(lock: &Lock) -> String {
    match lock.left {
        Some(left) => format!(
            "It ends by itself in {} s unless it is renewed, as it is while that run is alive.\n",
            left.as_secs() + 1
        ),
        None => "Nothing says when it ends.\n".to_owned(),
    }
}
