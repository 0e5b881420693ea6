//! How the program ends.

use std::process::ExitCode;

use reconcile_model::Diagnostic;

/// How a command ended, when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or nothing to do: 0.
    Done,
    /// There are changes, and `--detailed-exitcode` asks to tell: 2.
    Changes,
    /// Stopped by a signal, with a state that can be resumed: 130.
    Interrupted,
    /// Some of it failed, and that was told already: 1.
    Failed,
}

/// Why a command failed: diagnostics still to be shown.
pub(crate) type Failure = Vec<Diagnostic>;

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::from(1),
            Exit::Changes => Self::from(2),
            Exit::Interrupted => Self::from(130),
        }
    }
}

/// Shows help or an error in the arguments. Clap ends with 2 for errors, which here says that there are changes: it is 1.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // A broken pipe here leaves nobody to tell.
    let _shown = error.print().is_ok();
    if error.use_stderr() { ExitCode::from(1) } else { ExitCode::SUCCESS }
}
