//! State errors as a person should read them.

use std::error::Error;
use std::io::ErrorKind;
use std::path::Path;

use super::*;

impl From<&StateError> for Diagnostic {
    fn from(error: &StateError) -> Self {
        let diagnostic = Self::error(capitalized(&error.to_string())).detail(causes(error));
        match hint(error) {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        }
    }
}

/// Returns what to do about an error.
fn hint(error: &StateError) -> Option<String> {
    match error {
        StateError::Name { .. } => Some(
            "Name the stack with letters, digits, `.`, `_`, and `-`, at most 100 of them, beginning with a letter, a \
             digit, or `_`."
                .to_owned(),
        ),
        StateError::Snapshot { file, source } => match source {
            FormatError::Damaged { .. } => Some(format!(
                "The file was left as it is, and what is beside it does not prove what was in it. Put a good copy back in \
                 its place; {file}.backup is what it was before the last write."
            )),
            FormatError::Newer { .. } => newer(),
            FormatError::OtherStack { found, .. } => other_stack(found),
            FormatError::Unwritable { .. } | FormatError::TooDeep => Some(
                "The state was left as it is. This is a fault of reconcile itself; please report it.".to_owned(),
            ),
        },
        StateError::Missing { file, left } => Some(format!(
            "Put {file} back in its place. To begin with no state, although objects of this stack may exist, move {left} \
             and the other files of the stack away."
        )),
        StateError::Journal { file, source } => match source {
            JournalError::Damaged { .. } => Some(format!(
                "The file was left as it is. Put a good copy back in its place. Without one, move {file} away, look in AWS \
                 for objects tagged with this stack that the state does not know, and run `reconcile plan`."
            )),
            JournalError::Newer { .. } => newer(),
            JournalError::OtherStack { found, .. } => other_stack(found),
            JournalError::Unwritable { .. } | JournalError::TooDeep => Some(
                "Nothing was written. This is a fault of reconcile itself; please report it.".to_owned(),
            ),
        },
        StateError::Mismatch { journal, snapshot, .. } => Some(format!(
            "One of the two was put there by hand. Put back the {snapshot} that belongs to {journal}. To go on with \
             {snapshot} as it is, and without what the journal holds, move {journal} away."
        )),
        StateError::Illegal { .. } => Some(
            "Nothing was written. This is a fault of reconcile itself; please report it.".to_owned(),
        ),
        StateError::Io { file, source, .. } => io_hint(file, source.kind()),
        StateError::Moved { to, .. } => {
            let folder = Path::new(to).parent().map(|folder| folder.display().to_string());
            let place = match folder {
                Some(folder) if !to.starts_with("s3://") => format!("local:{folder}"),
                Some(_) | None => to.clone(),
            };
            Some(format!(
                "Write into the spec where the state is now. To move it back here: `reconcile state migrate --from {place}`."
            ))
        }
        StateError::Service { hint, .. } => (!hint.is_empty()).then(|| hint.clone()),
        StateError::Lost { .. } => Some(
            "Nothing was written after that. Run the command again: it waits its turn, and settles what this run left open."
                .to_owned(),
        ),
        StateError::Locked { waited, left, .. } => {
            let how = if waited.is_zero() {
                "pass --lock-timeout to wait for it"
            } else {
                "pass a longer --lock-timeout"
            };
            let ends = left.map_or_else(String::new, |left| {
                let seconds = left.as_secs() + 1;
                format!(" If it was killed, its lock ends by itself in {seconds} s; nobody has to unlock anything.")
            });
            Some(format!("Wait until it is done, or {how}.{ends}"))
        }
        StateError::Stopped { .. } => {
            Some("Cure that, and run the command again: it goes on from what is recorded.".to_owned())
        }
        StateError::Closed => None,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of other kinds there is nothing to say")]
fn io_hint(file: &str, kind: ErrorKind) -> Option<String> {
    let hint = match kind {
        ErrorKind::PermissionDenied => {
            format!("Let the user who runs reconcile read and write {file} and its folder.")
        }
        ErrorKind::ReadOnlyFilesystem => {
            format!(
                "{file} is on a read-only file system. Pass --state-dir with a folder that can be written."
            )
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "Make room on the disk, and run the command again: it goes on from what is recorded."
                .to_owned()
        }
        ErrorKind::Unsupported => {
            "The file system cannot lock files. Pass --state-dir with a folder on a local disk."
                .to_owned()
        }
        _ => return None,
    };
    Some(hint)
}

fn newer() -> Option<String> {
    Some("Use the version of reconcile that wrote it, or a newer one.".to_owned())
}

fn other_stack(found: &str) -> Option<String> {
    Some(format!("Pass another --state-dir, or put the file of `{found}` back where it belongs."))
}

/// Returns what stands behind an error, one sentence a cause.
fn causes(error: &StateError) -> String {
    let first = error.source();
    let chain = std::iter::successors(first, |&cause| cause.source());
    chain.map(|cause| format!("{}.", capitalized(&cause.to_string()))).collect::<Vec<_>>().join(" ")
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
