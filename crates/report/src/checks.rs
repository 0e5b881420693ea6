//! What the checks came to: after a plan, after an apply, and as the result of `reconcile check`.

use reconcile_model::{CheckResult, CheckStatus, Diagnostic};
use serde_json::{Value as Json, json};

use crate::{
    TextOptions, diagnostic,
    line::{Line, Tone, piece, render},
    quote::counted,
};

/// Returns what the checks of a plan came to: how many, and for each that does not hold, why. Empty when there are none.
pub fn summary(results: &[CheckResult], options: &TextOptions) -> String {
    if results.is_empty() {
        return String::new();
    }
    let mut lines = vec![Line::blank(), totals(results), Line::blank()];
    for problem in problems(results) {
        lines.extend(diagnostic::one(&problem, options.columns()));
        lines.push(Line::blank());
    }
    lines.pop();
    render(&lines, *options)
}

/// Returns what every check came to, one after the other, and then how many.
pub fn list(results: &[CheckResult], options: &TextOptions) -> String {
    let mut lines = Vec::new();
    for result in results {
        let (word, tone) = word(result.status);
        lines.push(Line {
            pieces: vec![piece(tone, format!("{word:<8}")), piece(Tone::Strong, result.address())],
            ..Line::blank()
        });
    }
    lines.push(Line::blank());
    for result in results {
        for problem in &result.problems {
            lines.extend(diagnostic::one(&titled(result, problem), options.columns()));
            lines.push(Line::blank());
        }
    }
    lines.push(totals(results));
    render(&lines, *options)
}

/// Returns the checks in the form of the member `checks` of Terraform's JSON.
pub fn json(results: &[CheckResult]) -> Json {
    results.iter().map(one_json).collect()
}

/// Returns one check in that form.
pub(crate) fn one_json(result: &CheckResult) -> Json {
    let status = status(result.status);
    let address = json!({
        "kind": "check",
        "name": result.name,
        "to_display": result.address(),
    });
    let problems: Vec<Json> =
        result.problems.iter().map(|problem| json!({ "message": words(problem) })).collect();
    let mut instance = json!({ "address": { "to_display": result.address() }, "status": status });
    if matches!(result.status, CheckStatus::Fail | CheckStatus::Error) && !problems.is_empty() {
        instance["problems"] = problems.into();
    }
    json!({ "address": address, "status": status, "instances": [instance] })
}

/// Returns why checks do not hold or could not be told, each problem under the name of its check.
pub(crate) fn problems(results: &[CheckResult]) -> impl Iterator<Item = Diagnostic> {
    let fails = |it: &&CheckResult| matches!(it.status, CheckStatus::Fail | CheckStatus::Error);
    results
        .iter()
        .filter(fails)
        .flat_map(|it| it.problems.iter().map(|problem| titled(it, problem)))
}

/// Returns how each check ended: for each end that there is, its words and the checks' addresses.
pub(crate) fn tally(results: &[CheckResult]) -> Vec<(CheckStatus, &'static str, Vec<String>)> {
    let ends = [
        (CheckStatus::Pass, "passed"),
        (CheckStatus::Fail, "failed"),
        (CheckStatus::Error, "could not be told"),
        (CheckStatus::Unknown, "known after apply only"),
    ];
    let named = |status| {
        let names = results.iter().filter(|result| result.status == status);
        names.map(CheckResult::address).collect::<Vec<_>>()
    };
    let ends = ends.into_iter().map(|(status, what)| (status, what, named(status)));
    ends.filter(|(_, _, names)| !names.is_empty()).collect()
}

/// Returns a problem under the name of its check.
pub(crate) fn titled(result: &CheckResult, problem: &Diagnostic) -> Diagnostic {
    let mut summary = problem.summary.clone();
    if let Some(first) = summary.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    Diagnostic { summary: format!("{}: {summary}", result.address()), ..problem.clone() }
}

/// Returns the words for a status, and their tone.
pub(crate) fn word(status: CheckStatus) -> (&'static str, Tone) {
    match status {
        CheckStatus::Pass => ("passed", Tone::Added),
        CheckStatus::Fail => ("failed", Tone::Danger),
        CheckStatus::Error => ("error", Tone::Danger),
        CheckStatus::Unknown => ("unknown", Tone::Changed),
    }
}

fn status(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Pass => "pass",
        CheckStatus::Fail => "fail",
        CheckStatus::Error => "error",
        CheckStatus::Unknown => "unknown",
    }
}

/// Returns what a problem says on one line: the spec's own words, where there are some.
fn words(problem: &Diagnostic) -> String {
    if problem.detail.is_empty() { problem.summary.clone() } else { problem.detail.clone() }
}

fn totals(results: &[CheckResult]) -> Line {
    let part = |(status, what, names): (_, &str, Vec<String>)| match status {
        CheckStatus::Unknown => format!("{} {what} ({})", names.len(), names.join(", ")),
        CheckStatus::Pass | CheckStatus::Fail | CheckStatus::Error => {
            format!("{} {what}", names.len())
        }
    };
    let parts: Vec<String> = tally(results).into_iter().map(part).collect();
    let (_, tone) = word(worst(results));
    let head = format!("{}: ", counted(results.len(), "check"));
    Line {
        pieces: vec![piece(Tone::Plain, head), piece(tone, format!("{}.", parts.join(", ")))],
        ..Line::blank()
    }
}

/// Returns the worst that any of the checks came to.
fn worst(results: &[CheckResult]) -> CheckStatus {
    [CheckStatus::Error, CheckStatus::Fail, CheckStatus::Unknown]
        .into_iter()
        .find(|wanted| results.iter().any(|result| result.status == *wanted))
        .unwrap_or(CheckStatus::Pass)
}
