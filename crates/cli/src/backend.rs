//! Where a stack's state is kept: what the spec and the command line say, as a store.

use std::path::{Path, PathBuf};

use reconcile_model::{Diagnostic, Object};
use reconcile_spec::Head;
use reconcile_state::{LocalStore, Store};
use reconcile_state_s3::{S3Config, S3Store};

use crate::args::StateDirArgs;
use crate::exit::Failure;

/// The folder of local states where nothing says otherwise, in the current folder.
const FOLDER: &str = "state";

/// Returns the store of a stack, as its spec and the command line say.
///
/// # Errors
///
/// When the stack's name cannot name a state, or `--state-dir` is given for a state that is in no folder.
pub(crate) fn store(state: &StateDirArgs, head: &Head) -> Result<Box<dyn Store>, Failure> {
    let backend = head.backend.as_ref().and_then(|backend| backend.iter().next());
    let arguments = |value: &reconcile_model::Value| value.as_map().cloned().unwrap_or_default();
    match backend {
        Some((kind, value)) if &**kind == "s3" => {
            if state.state_dir.is_some() {
                return Err(vec![
                    Diagnostic::error("`--state-dir` is for a state in a folder")
                        .detail("The spec keeps the state of this stack in S3.")
                        .hint("Leave it out; or leave `backend` out of the spec, after `reconcile state migrate`."),
                ]);
            }
            Ok(Box::new(S3Store::new(s3(&arguments(value)), &head.stack)))
        }
        local => {
            let path = local.and_then(|(_, value)| arguments(value).string("path"));
            let folder = match (&state.state_dir, path) {
                (Some(folder), _) => folder.clone(),
                (None, Some(path)) => head.root.join(path),
                (None, None) => PathBuf::from(FOLDER),
            };
            self::local(&folder, &head.stack)
        }
    }
}

/// Returns the store of a stack in a place that is written on the command line: `local`, `local:FOLDER`, or
/// `s3://BUCKET/KEY?region=…`.
///
/// # Errors
///
/// When it is no such place.
pub(crate) fn place(
    text: &str,
    state: &StateDirArgs,
    stack: &str,
) -> Result<Box<dyn Store>, Failure> {
    let bad = |detail: &str| {
        vec![
            Diagnostic::error(format!("`{text}` is no place for a state"))
                .detail(detail)
                .hint("Write `local`, `local:FOLDER`, or `s3://BUCKET/KEY?region=REGION`."),
        ]
    };
    if text == "local" {
        let folder = state.state_dir.clone().unwrap_or_else(|| PathBuf::from(FOLDER));
        return local(&folder, stack);
    }
    if let Some(folder) = text.strip_prefix("local:").filter(|folder| !folder.is_empty()) {
        return local(Path::new(folder), stack);
    }
    let Some(rest) = text.strip_prefix("s3://") else {
        return Err(bad("It begins with neither `local` nor `s3://`."));
    };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    if bucket.is_empty() || key.is_empty() || key.ends_with('/') {
        return Err(bad("It names no object."));
    }
    let mut config = S3Config::new(bucket, key);
    for argument in query.split('&').filter(|argument| !argument.is_empty()) {
        let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
        if matches!(name, "bucket" | "key") || value.is_empty() || !config.set(name, value) {
            return Err(bad(&format!(
                "`{argument}` is none of `region=`, `endpoint=`, `profile=`, `kms_key_id=`, and `lease_seconds=`."
            )));
        }
    }
    Ok(Box::new(S3Store::new(config, stack)))
}

fn local(folder: &Path, stack: &str) -> Result<Box<dyn Store>, Failure> {
    let store = LocalStore::new(folder, stack).map_err(|error| vec![Diagnostic::from(&error)])?;
    Ok(Box::new(store))
}

fn s3(arguments: &Object) -> S3Config {
    let mut config = S3Config::new("", "");
    for name in arguments.keys() {
        let value = arguments.string(name).unwrap_or_default();
        // Loading the spec has checked them.
        let is_known = config.set(name, &value);
        debug_assert!(is_known, "{name}");
    }
    config
}
