//! Strings of several lines: scripts, documents, and what is encoded, as line diffs.

use base64::Engine as _;
use reconcile_model::{
    Attribute, Value,
    diff::{Body, Node, Status},
    normalize::Normalize,
};
use similar::{Algorithm, ChangeTag, DiffOp, capture_diff_slices, group_diff_ops};

use crate::quote::counted;

/// How many unchanged lines are shown around a changed one.
const CONTEXT: usize = 3;

/// A text laid out as lines between an opening and a closing.
pub(crate) struct Text {
    pub(crate) open: &'static str,
    pub(crate) lines: Vec<TextLine>,
    pub(crate) close: &'static str,
}

/// One line of a text, or a remark between two.
pub(crate) enum TextLine {
    /// A line of the text.
    Line(Status, String),
    /// What is said about the lines here.
    Remark(String),
}

/// How a string reads best.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// On one line.
    Line(String),
    /// On several lines, as it is.
    Lines(String),
    /// A JSON document, spread over lines.
    Json(String),
    /// Text in base64, decoded.
    Base64(String),
}

impl Form {
    fn of(attribute: Option<&Attribute>, value: &Value) -> Option<Self> {
        let Value::String(text) = value else { return None };
        if let Some(text) = decoded(attribute, value) {
            return Some(Self::Base64(text));
        }
        let is_json = text.trim_start().starts_with(['{', '[']);
        if is_json && let Ok(mut json) = serde_json::from_str::<serde_json::Value>(text) {
            // Where the order of keys means nothing, it must not look like a change.
            if attribute.is_some_and(|it| matches!(it.normalize, Normalize::Json)) {
                json.sort_all_objects();
            }
            let pretty = format!("{json:#}");
            return Some(if pretty.contains('\n') {
                Self::Json(pretty)
            } else {
                Self::Line(text.clone())
            });
        }
        Some(if text.contains('\n') { Self::Lines(text.clone()) } else { Self::Line(text.clone()) })
    }

    fn text(&self) -> &str {
        match self {
            Self::Line(text) | Self::Lines(text) | Self::Json(text) | Self::Base64(text) => text,
        }
    }

    fn spans_lines(&self) -> bool {
        match self {
            Self::Line(_) => false,
            Self::Lines(_) | Self::Json(_) => true,
            Self::Base64(text) => text.contains('\n'),
        }
    }

    fn around(&self) -> (&'static str, &'static str) {
        match self {
            Self::Line(_) | Self::Lines(_) => ("<<-EOT", "EOT"),
            Self::Json(_) => ("jsonencode(", ")"),
            Self::Base64(_) => ("base64encode(<<-EOT", "EOT)"),
        }
    }
}

/// Returns the text that a value of a base64 attribute stands for, when it is text.
pub(crate) fn decoded(attribute: Option<&Attribute>, value: &Value) -> Option<String> {
    if !matches!(attribute?.normalize, Normalize::Base64) {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(value.as_str()?.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars().all(is_text).then_some(text)
}

/// Returns the text of several lines that a node is shown as: a diff where both sides are there; `None` for what is shown
/// on one line.
pub(crate) fn of(node: &Node) -> Option<Text> {
    let Body::Value { before, after } = &node.body else { return None };
    match node.status {
        Status::Unchanged | Status::Added => whole(node.attribute, after),
        Status::Removed => whole(node.attribute, before),
        Status::Changed => diff(node.attribute, before, after),
    }
}

/// Returns a string of several lines, whole; `None` for what reads better on one.
fn whole(attribute: Option<&Attribute>, value: &Value) -> Option<Text> {
    let form = Form::of(attribute, value).filter(Form::spans_lines)?;
    let (open, close) = form.around();
    let text = form.text();
    let line = |text: &str| TextLine::Line(Status::Unchanged, text.to_owned());
    let lines = text.strip_suffix('\n').unwrap_or(text).split('\n').map(line).collect();
    Some(Text { open, lines, close })
}

/// Returns the line diff of two strings; `None` when both read better on one line, or are no strings.
fn diff(attribute: Option<&Attribute>, before: &Value, after: &Value) -> Option<Text> {
    let (mut old, mut new) = (Form::of(attribute, before)?, Form::of(attribute, after)?);
    let is_one_form = std::mem::discriminant(&old) == std::mem::discriminant(&new);
    let only_space = is_one_form && old == new;
    if only_space || !is_one_form {
        // As they are: what differs is how they are written, or what they are.
        let plain = |value: &Value| Form::Lines(value.as_str().unwrap_or_default().to_owned());
        (old, new) = (plain(before), plain(after));
        if !old.text().contains('\n') && !new.text().contains('\n') {
            return None;
        }
    }
    if !old.spans_lines() && !new.spans_lines() {
        return None;
    }
    let (open, close) = new.around();
    Some(Text { open, lines: line_diff(old.text(), new.text(), only_space), close })
}

fn line_diff(old: &str, new: &str, only_space: bool) -> Vec<TextLine> {
    let ends = (old.ends_with('\n'), new.ends_with('\n'));
    let split = |text: &'_ str| -> Vec<String> {
        text.strip_suffix('\n').unwrap_or(text).split('\n').map(str::to_owned).collect()
    };
    let (a, b) = (split(old), split(new));
    let groups = group_diff_ops(capture_diff_slices(Algorithm::Patience, &a, &b), CONTEXT);
    let mut lines = Vec::new();
    let mut shown = 0;
    for group in &groups {
        let start = group.first().map(|op| op.old_range().start).unwrap_or_default();
        lines.extend(unchanged(&a[shown..start]));
        for op in group {
            lines.extend(changes(op, &a, &b));
            shown = op.old_range().end;
        }
    }
    lines.extend(unchanged(&a[shown..]));
    let remark = match ends {
        (true, false) => Some("the line end at the end is removed"),
        (false, true) => Some("a line end at the end is added"),
        (true, true) | (false, false) => only_space.then_some("only spaces and line ends differ"),
    };
    lines.extend(remark.map(|remark| TextLine::Remark(remark.to_owned())));
    lines
}

/// Stands for unchanged lines far from any change; a single one takes no more room than saying so.
fn unchanged(lines: &[String]) -> Option<TextLine> {
    match lines {
        [] => None,
        [line] => Some(TextLine::Line(Status::Unchanged, line.clone())),
        lines => {
            let what = counted(lines.len(), "unchanged line");
            Some(TextLine::Remark(format!("({what} hidden)")))
        }
    }
}

fn changes(op: &DiffOp, before: &[String], after: &[String]) -> Vec<TextLine> {
    op.iter_changes(before, after)
        .map(|change| {
            let status = match change.tag() {
                ChangeTag::Equal => Status::Unchanged,
                ChangeTag::Delete => Status::Removed,
                ChangeTag::Insert => Status::Added,
            };
            TextLine::Line(status, change.value())
        })
        .collect()
}
