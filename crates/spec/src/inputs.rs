//! The values a user gives to a spec's variables.

/// Values for variables, as the user gave them. Where several give one variable, the last wins: first the environment,
/// then the files in order, then the assignments in order, as in Terraform.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// `RECONCILE_VAR_name` pairs, as (name without the prefix, text). Names that the spec does not declare are ignored.
    pub environment: Vec<(String, String)>,
    /// `--var-file` files.
    pub files: Vec<InputFile>,
    /// `--var name=value` pairs.
    pub assignments: Vec<(String, String)>,
}

/// A file with values of variables: one mapping, in YAML or JSON.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// The file as the user named it.
    pub name: String,
    /// Its content, not checked yet.
    pub bytes: Vec<u8>,
}
