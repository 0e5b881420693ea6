//! Running other programs, each shown before it runs.

use std::ffi::OsStr;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The command as a user would type it, without the folder its program is in.
pub(crate) fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./=:@,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Shows a command, runs it, and returns its exit code.
pub(crate) fn exit_code(command: &mut Command) -> Result<i32> {
    println!("\n$ {}", shown(command));
    let status = command.status().with_context(|| format!("cannot run {}", shown(command)))?;
    status.code().with_context(|| format!("{} was killed: {status}", shown(command)))
}

/// Shows a command and runs it; anything but success is an error.
pub(crate) fn must_succeed(command: &mut Command) -> Result<()> {
    must_exit_with(command, 0)
}

/// Shows a command and runs it; any other exit code is an error.
pub(crate) fn must_exit_with(command: &mut Command, expected: i32) -> Result<()> {
    let code = exit_code(command)?;
    if code != expected {
        bail!("`{}` exited with {code} instead of {expected}", shown(command));
    }
    Ok(())
}

/// Runs a command quietly; its output is shown only if it fails.
pub(crate) fn quietly(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {}", shown(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` failed ({})\n{}{}",
            shown(command),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_typed() {
        let mut command = Command::new("/a/b/reconcile");
        command.args(["plan", "lab-web", "--var", "name=it's"]);
        assert_eq!(shown(&command), r"reconcile plan lab-web --var 'name=it'\''s'");
    }
}
