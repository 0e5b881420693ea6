//! `cargo xtask tidy`: rules about the sources that no compiler holds.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{cargo, run};

/// Each crate of the house and the crates of the house it may use. The direction of these arrows
/// is the architecture: ARCHITECTURE.md draws it.
const MAY_USE: [(&str, &[&str]); 13] = [
    ("model", &[]),
    ("spec", &["model"]),
    ("planner", &["model", "spec"]),
    ("report", &["model"]),
    ("provider", &["model"]),
    ("provider-aws", &["model", "provider"]),
    ("provider-http", &["model", "provider"]),
    ("provider-fake", &["model", "provider"]),
    ("state", &["model"]),
    ("state-s3", &["model", "state"]),
    ("applier", &["model", "spec", "state", "provider"]),
    ("engine", &["model", "spec", "planner", "report", "provider", "state", "applier"]),
    (
        "cli",
        &[
            "model",
            "spec",
            "planner",
            "report",
            "provider",
            "provider-aws",
            "provider-http",
            "state",
            "state-s3",
            "applier",
            "engine",
        ],
    ),
];

/// What tests of a crate may use beyond that: the provider that needs no cloud, and the state
/// in memory.
const TESTS_MAY_USE: [&str; 2] = ["provider-fake", "state"];

/// The only crates that know an AWS SDK: it takes minutes to compile and gigabytes to link.
const KNOW_AWS: [&str; 2] = ["provider-aws", "state-s3"];

/// A file longer than this needs an entry in `LONG_FILES`.
const MAX_LINES: usize = 800;

/// Files that may be longer, each with the reason.
const LONG_FILES: [(&str, &str); 0] = [];

const TEXT: [&str; 9] = ["rs", "py", "md", "toml", "yaml", "yml", "json", "txt", "sh"];

/// Checks all rules and reports every breach at once.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut breaches = crate_graph(root)?;
    for file in files(root)? {
        let Ok(text) = fs::read_to_string(root.join(&file)) else { continue };
        breaches.extend(file_rules(root, &file, &text));
    }
    if breaches.is_empty() {
        return Ok(());
    }
    bail!("{} breaches:\n  {}", breaches.len(), breaches.join("\n  "))
}

fn crate_graph(root: &Path) -> Result<Vec<String>> {
    let metadata = cargo::metadata(root)?;
    let packages = metadata["packages"].as_array().context("metadata lists packages")?;
    let mut breaches = Vec::new();
    for package in packages {
        let Some(name) = package["name"].as_str().and_then(|name| name.strip_prefix("reconcile-"))
        else {
            continue;
        };
        let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| *known == name) else {
            breaches.push(format!("crate {name} has no row in the table of xtask/src/tidy.rs"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let in_tests = dependency["kind"] == "dev";
            breaches.extend(check_dependency(name, allowed, used, in_tests));
        }
    }
    Ok(breaches)
}

fn check_dependency(name: &str, allowed: &[&str], used: &str, in_tests: bool) -> Option<String> {
    if used.starts_with("aws-") && !KNOW_AWS.contains(&name) {
        return Some(format!(
            "crate {name} may not use {used}: only {} may",
            KNOW_AWS.join(" and ")
        ));
    }
    let used = used.strip_prefix("reconcile-")?;
    let fine = allowed.contains(&used) || (in_tests && TESTS_MAY_USE.contains(&used));
    (!fine).then(|| format!("crate {name} may not use {used}"))
}

/// The files git knows or would know, relative to the root.
fn files(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let listed = run::quietly(&mut git)?;
    let text = |file: &&str| {
        let extension = Path::new(file).extension().and_then(|e| e.to_str());
        extension.is_some_and(|extension| TEXT.contains(&extension))
    };
    Ok(listed.lines().filter(text).map(str::to_owned).collect())
}

fn file_rules(root: &Path, file: &str, text: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    let lines = text.lines().count();
    if file.ends_with(".rs") {
        if lines > MAX_LINES && !LONG_FILES.iter().any(|(known, _)| *known == file) {
            breaches.push(format!("{file}: {lines} lines; more than {MAX_LINES} need a reason"));
        }
        if !text.starts_with("//!") {
            breaches.push(format!("{file}:1: does not open with `//!` and what it is for"));
        }
    }
    let home = std::env::var_os("HOME").unwrap_or_default();
    let machine = [format!("{}/", root.display()), format!("{}/", home.to_string_lossy())];
    for (number, line) in text.lines().enumerate() {
        // Spelled in two parts, so that this file does not breach its own rule.
        for leftover in [concat!("TO", "DO"), concat!("FIX", "ME")] {
            if line.contains(leftover) {
                breaches.push(format!("{file}:{}: {leftover}", number + 1));
            }
        }
        for place in machine.iter().filter(|place| place.len() > 2) {
            if line.contains(place.as_str()) {
                breaches
                    .push(format!("{file}:{}: {place} exists on this machine only", number + 1));
            }
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_go_one_way() {
        let cases = [
            ("planner", "reconcile-model", false, true),
            ("planner", "reconcile-provider", false, false),
            ("planner", "aws-sdk-ec2", false, false),
            ("engine", "reconcile-provider-fake", false, false),
            ("engine", "reconcile-provider-fake", true, true),
            ("provider-aws", "aws-sdk-ec2", false, true),
            ("model", "serde", false, true),
        ];
        for (name, used, in_tests, fine) in cases {
            let (_, allowed) = MAY_USE.iter().find(|(known, _)| *known == name).unwrap();
            let breach = check_dependency(name, allowed, used, in_tests);
            assert_eq!(breach.is_none(), fine, "{name} using {used}: {breach:?}");
        }
    }

    #[test]
    fn leftovers_and_headers_are_found() {
        let root = Path::new("/somewhere");
        let text = format!("fn main() {{}} // {}: later\n", concat!("TO", "DO"));
        let breaches = file_rules(root, "a.rs", &text);
        assert_eq!(breaches.len(), 2, "{breaches:?}");
        assert!(file_rules(root, "a.rs", "//! Does a thing.\n").is_empty());
        assert_eq!(file_rules(root, "a.md", "see /somewhere/else\n").len(), 1);
    }
}
