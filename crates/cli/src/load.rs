//! From the command line to a loaded spec.

use std::path::Path;

use reconcile_model::{Diagnostic, Mode, SchemaSet};
use reconcile_spec::{Head, InputFile, Inputs, Loaded, Spec};

use crate::args::InputArgs;
use crate::console::Console;
use crate::exit::Failure;

/// The prefix of environment variables that give values to a spec's variables.
const VARIABLE_PREFIX: &str = "RECONCILE_VAR_";

/// Loads a spec and shows its warnings.
///
/// # Errors
///
/// Everything that is wrong with the spec, the variable files, or the command line's values.
pub(crate) fn spec(path: &Path, inputs: &InputArgs, console: &Console) -> Result<Spec, Failure> {
    let Loaded { spec, warnings } = quietly(path, inputs)?;
    console.diagnostics(&warnings);
    Ok(spec)
}

/// Loads a spec.
///
/// # Errors
///
/// Everything that is wrong with the spec, the variable files, or the command line's values.
pub(crate) fn quietly(path: &Path, inputs: &InputArgs) -> Result<Loaded, Failure> {
    let sources = reconcile_spec::read_sources(path, &inputs.allow_paths)?;
    reconcile_spec::load(&sources, &values(inputs)?, &schemas())
}

/// Returns what a spec says of its state, without the values that its variables would need.
///
/// # Errors
///
/// When the spec cannot be read.
pub(crate) fn head(path: &Path) -> Result<Head, Failure> {
    reconcile_spec::head(&reconcile_spec::read_sources(path, &[])?)
}

/// Returns the schemas of every type the binary knows.
pub(crate) fn schemas() -> SchemaSet {
    let mut schemas = reconcile_provider_aws::schemas();
    let http = reconcile_provider_http::schemas();
    schemas.extend([Mode::Managed, Mode::Data].into_iter().flat_map(|mode| http.all(mode)));
    schemas
}

fn values(inputs: &InputArgs) -> Result<Inputs, Failure> {
    let mut errors = Vec::new();
    let mut files = Vec::new();
    for path in &inputs.var_files {
        match std::fs::read(path) {
            Ok(bytes) => files.push(InputFile { name: path.display().to_string(), bytes }),
            Err(error) => errors.push(
                Diagnostic::error(format!("Cannot read the variable file `{}`", path.display()))
                    .detail(format!("{error}.")),
            ),
        }
    }
    let mut assignments = Vec::new();
    for text in &inputs.vars {
        match text.split_once('=') {
            Some((name, value)) => assignments.push((name.trim().to_owned(), value.to_owned())),
            // The text may hold a secret, so it is not repeated.
            None => errors.push(
                Diagnostic::error("A `--var` has no `=`")
                    .hint("Write it as `--var name=value`, in quotes if the value has spaces."),
            ),
        }
    }
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.into_string().ok()?.strip_prefix(VARIABLE_PREFIX)?.to_owned();
            Some((name, value.into_string().ok()?))
        })
        .collect();
    if errors.is_empty() { Ok(Inputs { environment, files, assignments }) } else { Err(errors) }
}
