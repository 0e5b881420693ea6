//! Plans as Markdown, for a comment on a pull request.
//!
//! Differences stand in `diff` fences with the sign in the first column, so that they are colored where the comment is
//! shown. What destroys is in view, everything else folds. A plan that is too long for a comment is shortened where that
//! costs least: first differences are left out, then names become counts. A fence is never cut.
//!
//! Nothing from a spec or from AWS is Markdown here: it stands in code or in a fence, where nothing in it opens, closes,
//! links, or mentions.

mod escape;
mod fit;

use std::collections::BTreeSet;

use reconcile_model::{Diagnostic, Path, Plan, SchemaSet};

use crate::{
    Configuration, Style, TextOptions, checks, diagnostic,
    line::{Line, render},
    reason::{self, Heading},
    section::{self, Cx, Drifted, Entry, Group},
    text,
};

pub(crate) use escape::shell;
use escape::{code, fence, html};
use fit::{Fitted, Item};

/// The most bytes that a plan's Markdown takes by default.
///
/// GitHub takes 65,536 characters, and counts them differently in different places: as code points, or as bytes of four to
/// a character. A text of fewer bytes than characters are allowed is short enough however it is counted; the rest is for
/// what a workflow writes around it.
pub const LIMIT: usize = 60_000;

/// The most bytes for exposures, for warnings, and for what checks found.
const MOST_LISTED: usize = 6_000;

/// The most bytes for one warning among them, and for the names of the checks that ended in one way.
const MOST_OF_ONE: usize = 1_500;

/// How many columns a line of a fence takes before it is broken.
const COLUMNS: usize = 100;

/// What is said besides the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkdownOptions {
    /// The words of the command that applies the plan, without `--expect` and the fingerprint; none when empty.
    pub apply: Vec<String>,
    /// The names of variables whose values the command leaves out, because they are sensitive.
    pub withheld: Vec<String>,
    /// The most bytes that the text may take. Below a few thousand, there is room for counts only.
    pub limit: usize,
}

impl Default for MarkdownOptions {
    /// Returns options without a command, and with [`LIMIT`].
    fn default() -> Self {
        Self { apply: Vec::new(), withheld: Vec::new(), limit: LIMIT }
    }
}

/// Returns a plan as Markdown.
///
/// `configuration` tells where values come from that only apply will tell; an empty one is fine.
pub fn plan(
    plan: &Plan,
    schemas: &SchemaSet,
    configuration: &Configuration,
    options: &MarkdownOptions,
) -> String {
    let cx = Cx::new(plan, schemas, configuration, COLUMNS);
    let mut items: Vec<Item> = cx.entries().iter().map(|entry| change(&cx, entry)).collect();
    items.extend(outputs(&cx));
    items.extend(cx.drift().iter().map(|drift| drifted(&cx, drift)));
    let head = format!("{}{}", title(plan), exposures(&cx));
    let tail = format!("{}{}{}", warnings(&cx), checked(&cx), end(plan, options));
    let room = options.limit.saturating_sub(head.len() + tail.len() + fit::NOTE);
    let Fitted { body, note } = fit::fit(&items, room);
    format!("{head}{note}{body}{tail}")
}

/// Returns the title: what the plan does, the worst first.
fn title(plan: &Plan) -> String {
    let stack = code(&plan.stack);
    if plan.is_empty() {
        return format!("## No changes: {stack} {}\n\n", text::nothing(plan));
    }
    let counts = plan.counts();
    let parts = [
        (counts.replace, "to replace"),
        (counts.delete, "to destroy"),
        (counts.update, "to change"),
        (counts.create, "to add"),
        (counts.read, "to read"),
        (counts.forget, "to forget"),
    ];
    let mut parts: Vec<String> = parts
        .into_iter()
        .chain(section::records(plan))
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if parts.is_empty() {
        parts.push("only outputs change".to_owned());
    }
    format!("## Plan for {stack}: {}\n\n", parts.join(", "))
}

/// Returns the part of a change.
fn change(cx: &Cx<'_>, entry: &Entry<'_>) -> Item {
    let heading = entry.heading();
    let (section, rank, folds) = match entry.group {
        Group::Destroy => ("Destroyed or replaced", 0, false),
        Group::Update => ("Changed in place", 1, true),
        Group::Create => ("Created", 3, true),
        Group::Read => ("Read during apply", 5, true),
        Group::Import => ("Imported", 6, true),
        Group::Move => ("Moved or forgotten", 7, true),
    };
    let first = entry.first();
    let paths: Vec<&Path> = match entry.group {
        Group::Destroy | Group::Update => first.changed.iter().collect(),
        Group::Create | Group::Read | Group::Import | Group::Move => Vec::new(),
    };
    // What a replacement is for, rather than everything that AWS decides anew.
    let paths = if first.replace.is_empty() { paths } else { first.replace.iter().collect() };
    let mut lines = reasons(cx.reasons(entry));
    lines.push_str(&diff(&cx.body(entry, 0)));
    let what = Said { heading: &heading, about: top(&paths), outcome: String::new() };
    Item {
        section,
        rank,
        kind: first.address.type_name().to_owned(),
        count: entry.changes.len(),
        full: what.full(&fence("diff", &lines), folds),
        named: what.named(),
    }
}

/// Returns the part of what changed behind our back in one object.
fn drifted(cx: &Cx<'_>, drift: &Drifted<'_>) -> Item {
    let (heading, first) = (drift.heading(), drift.first());
    let outcome = drift.consequence.join("; ");
    let mut lines = reasons(drift.lines());
    lines.push_str(&diff(&cx.drift_body(drift, 0)));
    let paths: Vec<&Path> = first.changed.iter().collect();
    let what = Said { heading: &heading, about: top(&paths), outcome };
    Item {
        section: "Changed outside of reconcile",
        rank: 2,
        kind: first.address.type_name().to_owned(),
        count: drift.drift.len(),
        full: what.full(&fence("diff", &lines), true),
        named: what.named(),
    }
}

/// Returns the part of the outputs that change.
fn outputs(cx: &Cx<'_>) -> Option<Item> {
    let lines = cx.outputs();
    if lines.is_empty() {
        return None;
    }
    let changed = cx.plan.outputs.values();
    let count = changed.filter(|it| it.action != reconcile_model::Action::NoOp).count();
    let what = crate::quote::counted(count, "output");
    Some(Item {
        section: "Outputs",
        rank: 4,
        kind: "output".to_owned(),
        count,
        full: fold(&format!("{what} to change"), &fence("diff", &diff(&lines))),
        named: format!("- {what} to change\n"),
    })
}

/// What is said of one change, however much of it is shown.
struct Said<'a> {
    heading: &'a Heading,
    /// The attributes that it is about; may be empty.
    about: String,
    /// What comes of it, in words of ours and names of schemas; may be empty.
    outcome: String,
}

impl Said<'_> {
    /// Returns it with its differences, in a fold or in view.
    fn full(&self, fence: &str, folds: bool) -> String {
        if !folds {
            return format!("#### {}\n\n{fence}\n", self.line(code));
        }
        fold(&self.line(|text| format!("<code>{}</code>", html(text))), fence)
    }

    /// Returns it without its differences.
    fn named(&self) -> String {
        format!("- {}\n", self.line(code))
    }

    fn line(&self, code: impl Fn(&str) -> String) -> String {
        let Heading { name, count, what, .. } = self.heading;
        let mut line = format!("{}{count} {what}", code(name));
        if !self.about.is_empty() {
            line.extend([": ", &code(&self.about)]);
        }
        if !self.outcome.is_empty() {
            line.extend(["; ", &self.outcome]);
        }
        line
    }
}

/// Returns a section that opens with a click. The empty line lets Markdown begin inside it.
fn fold(summary: &str, content: &str) -> String {
    format!("<details><summary>{summary}</summary>\n\n{content}\n</details>\n\n")
}

/// Returns the attributes that paths lead into, each once.
fn top(paths: &[&Path]) -> String {
    let mut seen = BTreeSet::new();
    let names = paths.iter().filter_map(|path| path.attribute());
    let roots: Vec<Path> = names.filter(|name| seen.insert(*name)).map(Path::root).collect();
    reason::names(&roots.iter().collect::<Vec<_>>())
}

/// Returns reasons as comments of a diff.
fn reasons(reasons: Vec<String>) -> String {
    let line = |text: String| {
        let parts = crate::quote::wrap(&text, COLUMNS - 4).into_iter().enumerate();
        let lead =
            |(at, part)| if at == 0 { format!("# {part}\n") } else { format!("#   {part}\n") };
        parts.map(lead).collect::<String>()
    };
    reasons.into_iter().map(line).collect()
}

/// Returns lines with their signs in the first column.
fn diff(lines: &[Line]) -> String {
    use crate::line::Tone;
    let mut out = String::new();
    for line in lines {
        let start = out.len();
        out.push(match (line.sign.symbol, line.sign.tone) {
            ("", Tone::Added) => '+',
            ("", Tone::Removed) => '-',
            ("", Tone::Changed) | ("~", _) => '!',
            (symbol, _) => symbol.chars().next().unwrap_or(' '),
        });
        out.push(' ');
        out.extend(std::iter::repeat_n("  ", line.depth.unwrap_or_default()));
        out.extend(line.pieces.iter().map(|piece| piece.text.as_str()));
        out.truncate(start + out[start..].trim_end().len());
        out.push('\n');
    }
    out
}

/// Returns what is newly open to the world.
fn exposures(cx: &Cx<'_>) -> String {
    let exposures = cx.exposures();
    if exposures.is_empty() {
        return String::new();
    }
    let lines = exposures.iter().map(|text| format!("! {text}\n"));
    format!("### Newly exposed\n\n{}\n", fence("diff", &shortened(lines)))
}

fn warnings(cx: &Cx<'_>) -> String {
    if cx.plan.warnings.is_empty() {
        return String::new();
    }
    format!("### Warnings\n\n{}\n", diagnostics(&cx.plan.warnings))
}

/// Returns what the checks came to: why some do not hold, in view, and how each ended.
fn checked(cx: &Cx<'_>) -> String {
    let results = &cx.plan.checks;
    if results.is_empty() {
        return String::new();
    }
    let mut out = String::from("### Checks\n\n");
    let problems: Vec<Diagnostic> = checks::problems(results).collect();
    if !problems.is_empty() {
        out.extend([&diagnostics(&problems), "\n"]);
    }
    for (_, what, names) in checks::tally(results) {
        out.extend(["- ", &names.len().to_string(), " ", what, ": ", &listed(&names), "\n"]);
    }
    out.push('\n');
    out
}

/// Returns diagnostics in a fence, as many as there is room for, each as far as there is room for it.
fn diagnostics(diagnostics: &[Diagnostic]) -> String {
    let options = TextOptions { width: COLUMNS, style: Style::Plain };
    let text = |(at, it)| {
        let lead = if at == 0 { "" } else { "\n" };
        format!("{lead}{}", cut(render(&diagnostic::one(it, COLUMNS), options)))
    };
    fence("text", &shortened(diagnostics.iter().enumerate().map(text)))
}

/// Cuts a text after a line where it gets too long to leave room for others.
fn cut(mut text: String) -> String {
    if text.len() > MOST_OF_ONE {
        let start = text.floor_char_boundary(MOST_OF_ONE);
        text.truncate(text[..start].rfind('\n').unwrap_or(start));
        text.push_str("\n  …\n");
    }
    text
}

/// Returns names as code, as many as there is room for, and how many more there are.
fn listed(names: &[String]) -> String {
    let mut out = String::new();
    for (at, name) in names.iter().enumerate() {
        let lead = if at == 0 { "" } else { ", " };
        let name = code(name);
        if out.len() + lead.len() + name.len() > MOST_OF_ONE {
            out.extend([", and ", &(names.len() - at).to_string(), " more"]);
            break;
        }
        out.extend([lead, &name]);
    }
    out
}

/// Returns as many texts as there is room for, and how many more there are.
fn shortened(texts: impl Iterator<Item = String>) -> String {
    let mut out = String::new();
    let mut left = 0_usize;
    for text in texts {
        if left > 0 || out.len() + text.len() > MOST_LISTED {
            left += 1;
        } else {
            out.push_str(&text);
        }
    }
    if left > 0 {
        out.extend(["# and ", &left.to_string(), " more, which are in the plan's other formats\n"]);
    }
    out
}

/// Returns how to apply the plan.
fn end(plan: &Plan, options: &MarkdownOptions) -> String {
    if !section::does_something(plan) {
        return String::new();
    }
    let fingerprint = plan.fingerprint();
    let mut out = String::from("---\n\n");
    if !options.apply.is_empty() {
        let words = options.apply.iter().map(|word| shell(word));
        let words: Vec<String> =
            words.chain(["--expect".to_owned(), shell(&fingerprint)]).collect();
        out.push_str("To apply this plan and no other:\n\n");
        out.push_str(&fence("sh", &format!("{}\n", words.join(" "))));
        out.push('\n');
    }
    if !options.withheld.is_empty() {
        let names: Vec<String> = options.withheld.iter().map(|name| code(name)).collect();
        let names = names.join(", ");
        out.extend(["Sensitive variables have to be given again: ", &names, ".\n\n"]);
    }
    out.extend(["Fingerprint: ", &code(&fingerprint), "\n"]);
    out
}
