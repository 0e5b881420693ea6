//! `reconcile completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::args::Arguments;
use crate::exit::{Exit, Failure};

/// Print a script that completes reconcile's commands in your shell
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

#[expect(clippy::unnecessary_wraps, reason = "every command has the same shape")]
pub(crate) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    clap_complete::generate(
        args.shell,
        &mut Arguments::command(),
        "reconcile",
        &mut std::io::stdout(),
    );
    Ok(Exit::Done)
}
