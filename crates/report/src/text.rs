//! Plans as text, for a terminal.
//!
//! What could cost sleep comes first: what changed behind our back, then what is deleted or replaced, then changes in
//! place, then what is new. A long plan says at its end once more what it destroys, where a terminal stops scrolling.
//! Everything is readable without color.

use reconcile_model::{
    Action, Plan, SchemaSet,
    plan::{Change, PlanMode},
};

use crate::{
    Configuration, TextOptions, diagnostic, layout,
    line::{Line, Sign, Tone, fitted, piece, render},
    quote::{counted, plain, wrap},
    section::{self, Cx, Drifted, Entry, Group},
};

/// A plan of more entries than this repeats at its end what it destroys: the beginning is off the screen by then.
const MOST_IN_VIEW: usize = 6;

/// Returns a plan as text.
///
/// `configuration` tells where values come from that only apply will tell; an empty one is fine.
pub fn plan(
    plan: &Plan,
    schemas: &SchemaSet,
    configuration: &Configuration,
    options: &TextOptions,
) -> String {
    let cx = Cx::new(plan, schemas, configuration, options.columns());
    let entries = cx.entries();
    let mut lines = drift(&cx);
    lines.extend(changes(&cx, &entries));
    lines.extend(outputs(&cx));
    lines.extend(exposures(&cx));
    lines.extend(destroyed(&cx, &entries));
    lines.extend(warnings(&cx));
    let mut lines: Vec<Line> =
        lines.into_iter().flat_map(|line| fitted(line, cx.columns)).collect();
    // A fingerprint is copied, and stays whole.
    lines.extend(end(&cx));
    render(&lines, *options)
}

/// Returns the plan's summary: how much it does, or that it does nothing.
pub fn summary(plan: &Plan) -> String {
    let records = section::records(plan);
    if section::only_records(plan) {
        let told =
            records.iter().map(|(count, what)| format!("{} {what}", counted(*count, "object")));
        let told: Vec<String> = told.collect();
        return format!("Plan: {}. Nothing else changes.", told.join(", "));
    }
    if plan.is_empty() {
        return format!("No changes. Stack {} {}.", plain(&plan.stack), nothing(plan));
    }
    let counts = plan.counts();
    let mut parts = vec![
        format!("{} to add", counts.create),
        format!("{} to change", counts.update),
        format!("{} to destroy", counts.delete),
        format!("{} to replace", counts.replace),
    ];
    for (count, what) in [(counts.read, "to read"), (counts.forget, "to forget")] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    parts.extend(records.iter().map(|(count, what)| format!("{count} {what}")));
    let only_outputs = plan.changes.iter().all(Change::does_nothing);
    let end = if only_outputs { " Only outputs change." } else { "" };
    format!("Plan: {}.{end}", parts.join(", "))
}

/// Says of a plan that does nothing how the stack is.
pub(crate) fn nothing(plan: &Plan) -> &'static str {
    match plan.options.mode {
        PlanMode::Apply => "is what its spec says",
        PlanMode::Destroy => "has nothing to destroy",
        PlanMode::RefreshOnly if plan.drift.is_empty() => "is as it was recorded",
        PlanMode::RefreshOnly => "is left as it is; apply --refresh-only records how it is",
    }
}

fn changes(cx: &Cx<'_>, entries: &[Entry<'_>]) -> Vec<Line> {
    if entries.is_empty() {
        return Vec::new();
    }
    let head = format!("Stack {} would change:", plain(&cx.plan.stack));
    let mut lines = vec![Line::text(Tone::Strong, head)];
    for (sign, text) in cx.overview() {
        lines.push(Line::item(sign, 0, vec![piece(Tone::Plain, text)]));
    }
    lines.push(Line::blank());
    for entry in entries {
        lines.extend(change(cx, entry));
        lines.push(Line::blank());
    }
    lines
}

fn change(cx: &Cx<'_>, entry: &Entry<'_>) -> Vec<Line> {
    let heading = entry.heading();
    let mut lines = comments(cx, heading.tone, [heading.line()]);
    lines.extend(comments(cx, Tone::Quiet, cx.reasons(entry)));
    let Change { address, action, .. } = entry.first();
    match action {
        Action::Forget | Action::NoOp => return lines,
        Action::Create | Action::Read | Action::Update | Action::Replace(_) | Action::Delete => {}
    }
    let sign = entry.sign();
    lines.push(Line::item(sign, 0, vec![piece(sign.tone, layout::head(address))]));
    lines.extend(cx.body(entry, 1));
    lines.push(Line::item(Sign::NONE, 0, vec![piece(Tone::Plain, "}")]));
    lines
}

fn drift(cx: &Cx<'_>) -> Vec<Line> {
    if cx.plan.drift.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::text(Tone::Strong, "Changed outside of reconcile:"), Line::blank()];
    for drift in cx.drift() {
        lines.extend(drifted(cx, &drift));
        lines.push(Line::blank());
    }
    lines
}

fn drifted(cx: &Cx<'_>, drift: &Drifted<'_>) -> Vec<Line> {
    let heading = drift.heading();
    let mut lines = comments(cx, heading.tone, [heading.line()]);
    lines.extend(comments(cx, Tone::Quiet, drift.lines()));
    let body = cx.drift_body(drift, 1);
    if !body.is_empty() {
        let head = piece(Tone::Changed, layout::head(&drift.first().address));
        lines.push(Line::item(Sign::CHANGED, 0, vec![head]));
        lines.extend(body);
        lines.push(Line::item(Sign::NONE, 0, vec![piece(Tone::Plain, "}")]));
    }
    lines
}

fn outputs(cx: &Cx<'_>) -> Vec<Line> {
    let outputs = cx.outputs();
    if outputs.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::text(Tone::Strong, "Changes to outputs:")];
    lines.extend(outputs);
    lines.push(Line::blank());
    lines
}

fn exposures(cx: &Cx<'_>) -> Vec<Line> {
    let exposures = cx.exposures();
    if exposures.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::text(Tone::Danger, "Newly exposed:")];
    lines.extend(exposures.iter().flat_map(|text| marked(cx, "!", text)));
    lines.push(Line::blank());
    lines
}

/// Returns once more what a long plan destroys.
fn destroyed(cx: &Cx<'_>, entries: &[Entry<'_>]) -> Vec<Line> {
    let mut gone = entries.iter().filter(|entry| entry.group == Group::Destroy).peekable();
    if entries.len() <= MOST_IN_VIEW || gone.peek().is_none() {
        return Vec::new();
    }
    let mut lines = vec![Line::text(Tone::Danger, "Destroyed or replaced, as told above:")];
    lines.extend(gone.flat_map(|entry| marked(cx, entry.sign().symbol, &entry.name())));
    lines.push(Line::blank());
    lines
}

/// Returns a text with a mark before its first line.
fn marked(cx: &Cx<'_>, mark: &str, text: &str) -> Vec<Line> {
    let lead = format!("  {mark} ");
    let parts = wrap(text, cx.columns - lead.len()).into_iter().enumerate();
    let line = |(at, text): (usize, String)| {
        let lead = if at == 0 { lead.clone() } else { " ".repeat(lead.len()) };
        let pieces = vec![piece(Tone::Danger, lead), piece(Tone::Plain, text)];
        Line { pieces, ..Line::blank() }
    };
    parts.map(line).collect()
}

fn warnings(cx: &Cx<'_>) -> Vec<Line> {
    let one = |warning| diagnostic::one(warning, cx.columns).into_iter().chain([Line::blank()]);
    cx.plan.warnings.iter().flat_map(one).collect()
}

fn end(cx: &Cx<'_>) -> Vec<Line> {
    let summary = wrap(&summary(cx.plan), cx.columns).into_iter();
    let mut lines: Vec<Line> = summary.map(|line| Line::text(Tone::Strong, line)).collect();
    if section::does_something(cx.plan) {
        let text = format!("Fingerprint: {}", cx.plan.fingerprint());
        lines.push(Line::text(Tone::Quiet, text));
    }
    lines
}

fn comments(cx: &Cx<'_>, tone: Tone, texts: impl IntoIterator<Item = String>) -> Vec<Line> {
    let room = cx.columns - 6;
    texts
        .into_iter()
        .flat_map(|text| wrap(&text, room).into_iter().enumerate())
        .map(|(at, text)| {
            let lead = if at == 0 { "  # " } else { "  #   " };
            Line::text(tone, format!("{lead}{text}"))
        })
        .collect()
}
