//! Saved plans: what was approved, and how to make it again.
//!
//! A saved plan is not carried out from the file. Applying it plans anew, from the same spec, variables, and options, and
//! goes on only if that comes to the very same plan. So it is applied just as shown or not at all, a file that was
//! tampered with applies nothing, and no sensitive value has to be in it.

use std::path::{Path, PathBuf};

use reconcile_model::{Configuration, Diagnostic, Plan, Value};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::args::InputArgs;
use crate::exit::Failure;

/// The version of the file; raised when a field is added.
const FORMAT_VERSION: u32 = 2;

/// A plan in a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedPlan {
    /// Says what the file is.
    reconcile_plan: u32,
    /// SHA-256 over the file with nothing in this place, in lower-case hexadecimal.
    sha256: String,
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
    /// What the spec says, for tools that read plans; sensitive values sealed.
    pub(crate) configuration: Configuration,
}

impl SavedPlan {
    /// Returns the file of a plan.
    pub(crate) fn new(
        plan: &Plan,
        configuration: &Configuration,
        spec: &Path,
        inputs: &InputArgs,
        no_refresh: bool,
    ) -> Self {
        Self {
            reconcile_plan: FORMAT_VERSION,
            sha256: String::new(),
            fingerprint: plan.fingerprint(),
            spec: spec.to_owned(),
            allow_paths: inputs.allow_paths.clone(),
            no_refresh,
            plan: plan.sealed(),
            configuration: configuration.sealed(plan.salt()),
        }
    }

    /// Returns the file's content, with the digest over all else in it.
    fn bytes(&self) -> serde_json::Result<Vec<u8>> {
        let mut file = Self { sha256: String::new(), ..self.clone() };
        let digest = Sha256::digest(serde_json::to_vec_pretty(&file)?);
        file.sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut bytes = serde_json::to_vec_pretty(&file)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Writes the file, for its owner alone.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let write = || {
            let bytes = self.bytes()?;
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
        if !is_plan(&bytes) {
            return Ok(None);
        }
        let name = path.display();
        let damaged = |detail: String| {
            vec![
                Diagnostic::error(format!("The plan in `{name}` is damaged"))
                    .detail(detail)
                    .hint("Plan again."),
            ]
        };
        let json: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| damaged(format!("{error}.")))?;
        let version = json.get("reconcile_plan").and_then(serde_json::Value::as_u64);
        if version.is_some_and(|version| version != u64::from(FORMAT_VERSION)) {
            return Err(vec![
                Diagnostic::error(format!(
                    "The plan in `{name}` was made by another version of reconcile"
                ))
                .hint("Plan again with this one."),
            ]);
        }
        // From the text, not from the value: a plan is read as strictly as it was written.
        let saved: Self =
            serde_json::from_slice(&bytes).map_err(|error| damaged(format!("{error}.")))?;
        // Written again it is the same file, to the byte; and the plan is the one that the fingerprint is of.
        let is_same = saved.bytes().is_ok_and(|again| again == bytes);
        if !is_same || saved.plan.fingerprint() != saved.fingerprint {
            return Err(vec![
                Diagnostic::error(format!("The plan in `{name}` was changed after it was made"))
                    .detail(
                        "Its content does not have the digest and the fingerprint that it carries.",
                    )
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

/// Tells whether a file is meant to be a saved plan, damaged or not: no spec has these in it.
fn is_plan(bytes: &[u8]) -> bool {
    let has = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    // One of the two is enough, so that no single damaged byte makes a spec of a plan.
    has(b"\"reconcile_plan\":") || has(b"\"spec_digest\":")
}

#[cfg(test)]
mod tests {
    use reconcile_model::Action;
    use reconcile_model::plan::OutputChange;

    use super::*;

    fn saved() -> SavedPlan {
        let output = OutputChange {
            action: Action::Create,
            before: Value::Null,
            after: vec![Value::from("서울"), Value::from("hunter2").sensitive()].into(),
            sensitive: false,
        };
        let mut plan: Plan = serde_json::from_value(serde_json::json!({
            "format_version": 1, "stack": "lab", "lineage": "0b9a", "serial": 7,
            "spec_digest": "5e1f", "options": {}, "variables": { "size": 3 },
            "changes": [], "steps": [], "outputs": {}, "drift": [], "warnings": [],
        }))
        .unwrap();
        plan.outputs.insert("url".to_owned(), output);
        let inputs = InputArgs::default();
        SavedPlan::new(&plan, &Configuration::default(), Path::new("specs/lab"), &inputs, false)
    }

    #[test]
    fn a_plan_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan");
        saved().write(&path).unwrap();
        let read = SavedPlan::read(&path).unwrap().unwrap();
        assert_eq!(read.plan, saved().plan);
        assert!(!String::from_utf8(std::fs::read(&path).unwrap()).unwrap().contains("hunter2"));
    }

    #[test]
    fn any_flipped_byte_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan");
        saved().write(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            std::fs::write(&path, &flipped).unwrap();
            assert!(SavedPlan::read(&path).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_shorter_or_longer_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan");
        saved().write(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        // Of less than its head nothing says that it was a plan.
        for length in 30..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(SavedPlan::read(&path).is_err(), "{length} bytes");
        }
        std::fs::write(&path, [&whole[..], b" "].concat()).unwrap();
        assert!(SavedPlan::read(&path).is_err());
    }
}
