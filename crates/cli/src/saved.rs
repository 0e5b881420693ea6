//! Saved plans: what was approved, and how to make it again.
//!
//! A saved plan is not carried out from the file. Applying it plans anew, from the same spec, variables, and options, and
//! goes on only if that comes to the very same plan. So it is applied just as shown or not at all, a file that was
//! tampered with applies nothing, and no sensitive value has to be in it.

use std::path::{Path, PathBuf};

use reconcile_model::{Diagnostic, Plan, Value};
use serde::{Deserialize, Serialize};

use crate::args::InputArgs;
use crate::exit::Failure;

/// The version of the file; raised when a field is added.
const FORMAT_VERSION: u32 = 1;

/// A plan in a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedPlan {
    /// Says what the file is.
    reconcile_plan: u32,
    /// The plan's fingerprint.
    pub(crate) fingerprint: String,
    /// The spec, as it was named.
    pub(crate) spec: PathBuf,
    /// Further folders that its functions may read.
    pub(crate) allow_paths: Vec<PathBuf>,
    /// Whether it was made without reading the live state.
    pub(crate) no_refresh: bool,
    /// The plan, sensitive values sealed.
    pub(crate) plan: Plan,
}

impl SavedPlan {
    /// Returns the file of a plan.
    pub(crate) fn new(plan: &Plan, spec: &Path, inputs: &InputArgs, no_refresh: bool) -> Self {
        Self {
            reconcile_plan: FORMAT_VERSION,
            fingerprint: plan.fingerprint(),
            spec: spec.to_owned(),
            allow_paths: inputs.allow_paths.clone(),
            no_refresh,
            plan: plan.sealed(),
        }
    }

    /// Writes the file, for its owner alone.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let write = || {
            let bytes = serde_json::to_vec_pretty(self)?;
            let mut options = std::fs::File::options();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            std::io::Write::write_all(&mut options.open(path)?, &bytes)
        };
        write().map_err(|error| {
            vec![
                Diagnostic::error(format!("Cannot write the plan to `{}`", path.display()))
                    .detail(format!("{error}.")),
            ]
        })
    }

    /// Reads a path as a saved plan; `None` when it is something else, such as a spec.
    ///
    /// # Errors
    ///
    /// When it is a saved plan that cannot be used.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let Ok(bytes) = std::fs::read(path) else { return Ok(None) };
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(&bytes) else { return Ok(None) };
        let Some(version) = json.get("reconcile_plan") else { return Ok(None) };
        let name = path.display();
        if version.as_u64() != Some(u64::from(FORMAT_VERSION)) {
            return Err(vec![
                Diagnostic::error(format!(
                    "The plan in `{name}` was made by another version of reconcile"
                ))
                .hint("Plan again with this one."),
            ]);
        }
        // From the text, not from the value: a plan is read as strictly as it was written.
        let saved: Self = serde_json::from_slice(&bytes).map_err(|error| {
            vec![
                Diagnostic::error(format!("The plan in `{name}` is damaged"))
                    .detail(format!("{error}."))
                    .hint("Plan again."),
            ]
        })?;
        if saved.plan.fingerprint() != saved.fingerprint {
            return Err(vec![
                Diagnostic::error(format!("The plan in `{name}` was changed after it was made"))
                    .detail("Its content does not have the fingerprint that it carries.")
                    .hint("Plan again, and find out who wrote to the file."),
            ]);
        }
        Ok(Some(saved))
    }

    /// Returns the arguments that give the spec's variables the values they had. Sensitive ones are not in the file and
    /// have to be given again.
    pub(crate) fn inputs(&self, given: &InputArgs) -> InputArgs {
        let recorded = self.plan.variables.iter().filter_map(|(name, value)| match value {
            Value::Sealed(_) | Value::Sensitive(_) | Value::Null | Value::Unknown => None,
            Value::String(text) => Some(format!("{name}={text}")),
            Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => {
                (!value.has_sensitive()).then(|| format!("{name}={}", value.to_json()))
            }
        });
        let mut inputs = given.clone();
        inputs.vars.extend(recorded);
        inputs.allow_paths.extend(self.allow_paths.iter().cloned());
        inputs
    }
}
