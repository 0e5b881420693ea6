//! The command that makes a plan again, to apply it.

use reconcile_model::{Object, Value, plan::PlanMode};

use crate::args::{InputArgs, PlanningArgs, SpecArgs, StateDirArgs};

/// A command, as far as it may be shown.
pub(crate) struct Command {
    /// The words.
    pub(crate) words: Vec<String>,
    /// The names of sensitive variables whose values are not among the words.
    pub(crate) withheld: Vec<String>,
}

/// Returns the command that applies what was planned with these arguments. `variables` are the spec's, sensitive ones
/// marked.
pub(crate) fn apply(
    spec: &SpecArgs,
    state: &StateDirArgs,
    planning: &PlanningArgs,
    mode: PlanMode,
    variables: &Object,
) -> Command {
    let mut words = vec!["reconcile".to_owned(), "apply".to_owned()];
    words.push(spec.spec.display().to_string());
    match mode {
        PlanMode::Apply => {}
        PlanMode::Destroy => words.push("--destroy".to_owned()),
        PlanMode::RefreshOnly => words.push("--refresh-only".to_owned()),
    }
    if planning.no_refresh {
        words.push("--no-refresh".to_owned());
    }
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
    planning.targets.iter().for_each(|it| option("--target", it.clone()));
    planning.excludes.iter().for_each(|it| option("--exclude", it.clone()));
    planning.replace.iter().for_each(|it| option("--replace", it.clone()));
    let InputArgs { vars, var_files, allow_paths } = &spec.inputs;
    var_files.iter().for_each(|it| option("--var-file", it.display().to_string()));
    let mut withheld = Vec::new();
    for text in vars {
        let name = text.split('=').next().unwrap_or_default().trim();
        if variables.value(name).has_sensitive()
            || matches!(variables.value(name), Value::Sealed(_))
        {
            withheld.push(name.to_owned());
        } else {
            option("--var", text.clone());
        }
    }
    allow_paths.iter().for_each(|it| option("--allow-path", it.display().to_string()));
    if let Some(folder) = &state.state_dir {
        option("--state-dir", folder.display().to_string());
    }
    Command { words, withheld }
}
