//! Diagnostics: what went wrong, with the line that it is about.

use reconcile_model::{Diagnostic, Severity, Span};
use serde_json::{Value as Json, json};

use crate::{
    TextOptions,
    line::{Line, Tone, piece, render},
    quote::{counted, plain, source_line, width, wrap},
};

/// The version of the JSON form; the same as that of `terraform validate -json`, whose form this is.
pub const FORMAT_VERSION: &str = "1.0";

/// Returns diagnostics as text: each with its place, the line itself with what is wrong marked, and what to do; when
/// there are several, how many.
pub fn text(diagnostics: &[Diagnostic], options: &TextOptions) -> String {
    let mut lines = Vec::new();
    for diagnostic in diagnostics {
        lines.extend(one(diagnostic, options.columns()));
        lines.push(Line::blank());
    }
    if diagnostics.len() > 1 {
        lines.push(Line::text(Tone::Strong, format!("{}.", total(diagnostics))));
    } else {
        lines.pop();
    }
    render(&lines, *options)
}

/// Returns diagnostics as one JSON object, in the form of `terraform validate -json`.
pub fn json(diagnostics: &[Diagnostic]) -> Json {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    json!({
        "format_version": FORMAT_VERSION,
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": diagnostics.len() - errors,
        "diagnostics": diagnostics.iter().map(json_one).collect::<Vec<_>>(),
    })
}

/// Returns one diagnostic as JSON, in Terraform's form; `hint` is ours.
pub fn json_one(diagnostic: &Diagnostic) -> Json {
    let mut out = serde_json::Map::new();
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    out.insert("severity".to_owned(), severity.into());
    out.insert("summary".to_owned(), diagnostic.summary.as_str().into());
    out.insert("detail".to_owned(), diagnostic.detail.as_str().into());
    if let Some(hint) = &diagnostic.hint {
        out.insert("hint".to_owned(), hint.as_str().into());
    }
    if let Some(address) = &diagnostic.address {
        out.insert("address".to_owned(), address.to_string().into());
    }
    if let Some(span) = &diagnostic.span {
        let (before, marked, _) = parts(span);
        out.insert(
            "range".to_owned(),
            json!({
                "filename": &*span.file,
                "start": { "line": span.line, "column": span.column },
                "end": { "line": span.line, "column": span.column + span.length },
            }),
        );
        out.insert(
            "snippet".to_owned(),
            json!({
                "context": null,
                "code": &*span.text,
                "start_line": span.line,
                "highlight_start_offset": before.len(),
                "highlight_end_offset": before.len() + marked.len(),
                "values": [],
            }),
        );
    }
    Json::Object(out)
}

/// Returns "2 errors and 1 warning".
fn total(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = diagnostics.len() - errors;
    match (errors, warnings) {
        (_, 0) => counted(errors, "error"),
        (0, _) => counted(warnings, "warning"),
        _ => format!("{} and {}", counted(errors, "error"), counted(warnings, "warning")),
    }
}

/// Returns the lines of one diagnostic.
pub(crate) fn one(diagnostic: &Diagnostic, columns: usize) -> Vec<Line> {
    let (tone, word) = match diagnostic.severity {
        Severity::Error => (Tone::Danger, "Error: "),
        Severity::Warning => (Tone::Changed, "Warning: "),
    };
    let mut lines = vec![Line {
        pieces: vec![piece(tone, word), piece(Tone::Strong, plain(&diagnostic.summary))],
        ..Line::blank()
    }];
    if let Some(span) = &diagnostic.span {
        lines.extend(place(span, tone, columns));
    }
    if let Some(address) = diagnostic.address.as_ref().map(ToString::to_string)
        && !diagnostic.summary.contains(&address)
        && !diagnostic.detail.contains(&address)
    {
        lines.push(Line::text(Tone::Quiet, format!("  in {}", plain(&address))));
    }
    if !diagnostic.detail.is_empty() {
        lines.extend(
            wrap(&diagnostic.detail, columns - 2)
                .into_iter()
                .map(|line| Line::text(Tone::Plain, format!("  {}", source_line(&line)))),
        );
    }
    if let Some(hint) = &diagnostic.hint {
        for (at, line) in wrap(hint, columns - 8).into_iter().enumerate() {
            let start = if at == 0 { "  help: " } else { "        " };
            lines.push(Line {
                pieces: vec![piece(Tone::Notice, start), piece(Tone::Plain, source_line(&line))],
                ..Line::blank()
            });
        }
    }
    lines
}

/// Returns where it is: the file, and the line with a mark under what is meant.
fn place(span: &Span, tone: Tone, columns: usize) -> Vec<Line> {
    let number = span.line.to_string();
    let gutter = " ".repeat(number.len());
    let at = Line {
        pieces: vec![
            piece(Tone::Notice, format!("{gutter}--> ")),
            piece(Tone::Plain, plain(&span.to_string())),
        ],
        ..Line::blank()
    };
    if span.text.is_empty() {
        return vec![at];
    }
    let (before, marked, after) = parts(span);
    let [before, marked, after] = [before, marked, after].map(source_line);
    // A line too long for the screen is shown around the mark.
    let room = columns.saturating_sub(number.len() + 4).max(20);
    let before = last_columns(&before, room.saturating_sub(width(&marked)).max(room / 2));
    let left = room.saturating_sub(width(&before));
    let marked = first_columns(&marked, left);
    let after = first_columns(&after, left.saturating_sub(width(&marked)));
    let carets = "^".repeat(width(&marked).max(1));
    let bar = |text: String| Line {
        pieces: vec![piece(Tone::Quiet, format!("{gutter} |")), piece(tone, text)],
        ..Line::blank()
    };
    vec![
        at,
        bar(String::new()),
        Line {
            pieces: vec![
                piece(Tone::Quiet, format!("{number} | ")),
                piece(Tone::Plain, format!("{before}{marked}{after}")),
            ],
            ..Line::blank()
        },
        bar(format!(" {}{carets}", " ".repeat(width(&before)))),
    ]
}

/// Returns the line before the mark, the mark, and the line after it.
fn parts(span: &Span) -> (&str, &str, &str) {
    let offset = |characters: usize| {
        span.text.char_indices().nth(characters).map_or(span.text.len(), |(at, _)| at)
    };
    let start = offset(span.column.saturating_sub(1));
    let end = offset(span.column.saturating_sub(1).saturating_add(span.length)).max(start);
    (&span.text[..start], &span.text[start..end], &span.text[end..])
}

/// Returns the end of a text, at most so many columns, with an ellipsis where it was cut.
fn last_columns(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut start = text.len();
    for (at, _) in text.char_indices().rev() {
        if width(&text[at..]) + 1 > columns {
            break;
        }
        start = at;
    }
    format!("…{}", &text[start..])
}

/// Returns the start of a text, at most so many columns, with an ellipsis where it was cut.
fn first_columns(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut end = 0;
    for (at, c) in text.char_indices() {
        if width(&text[..at + c.len_utf8()]) + 1 > columns {
            break;
        }
        end = at + c.len_utf8();
    }
    format!("{}…", &text[..end])
}
