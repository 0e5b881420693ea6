//! Differences as two columns: what was, and what will be.
//!
//! The same elements serve both ways of reading. Side by side, the halves of a row stand beside each other; unified, one
//! follows the other. Rows that are the same on both sides are shown once in a unified view.

use maud::{Markup, html};
use similar::{ChangeTag, TextDiff};

use crate::line::{Line, Piece, Sign, Tone};

/// How deep lines are indented at most; the style sheet has a class for each.
const DEEPEST: usize = 8;

/// How much two texts must have in common for their differing words to be marked, rather than all of them.
const ALIKE: f32 = 0.5;

/// Longer texts are marked as a whole: comparing their words would take longer than reading them.
const MOST_COMPARED: usize = 4_000;

/// Lines that belong side by side.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    form: Form,
    before: Vec<HalfLine>,
    after: Vec<HalfLine>,
}

/// What the halves of a row have to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// They are the same.
    Same,
    /// Lines that go, and lines that come.
    Run,
    /// One value, and the value that it becomes.
    Pair,
}

/// A line as one side shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HalfLine {
    symbol: &'static str,
    depth: usize,
    pieces: Vec<Marked>,
}

/// A piece of a line, and whether it is what differs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Marked {
    tone: Tone,
    text: String,
    is_marked: bool,
}

/// On which side lines stand that carry no sign of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Both,
    Before,
    After,
}

/// Returns the lines of a diff as rows of two halves.
pub(super) fn markup(lines: &[Line], side: Side) -> Markup {
    let rows = rows(lines, side);
    html! {
        @if !rows.is_empty() {
            div class="diff" {
                @for row in &rows {
                    @if row.form == Form::Same {
                        div class="row same" {
                            pre class="before" aria-hidden="true" { (half(&row.before)) }
                            pre class="after" { (half(&row.after)) }
                        }
                    } @else {
                        div class="row" {
                            (changed(&row.before, "before"))
                            (changed(&row.after, "after"))
                        }
                    }
                }
            }
        }
    }
}

fn changed(lines: &[HalfLine], side: &str) -> Markup {
    html! {
        @if lines.is_empty() {
            pre class={ (side) " empty" } aria-hidden="true" {}
        } @else {
            pre class=(side) { (half(lines)) }
        }
    }
}

fn half(lines: &[HalfLine]) -> Markup {
    html! {
        @for line in lines {
            span class={ "l i" (line.depth) } {
                span class="sign" { (line.symbol) }
                " "
                @for piece in &line.pieces { (text(piece)) }
                "\n"
            }
        }
    }
}

fn text(piece: &Marked) -> Markup {
    let class = match piece.tone {
        Tone::Danger => Some("danger"),
        Tone::Quiet => Some("quiet"),
        Tone::Strong => Some("strong"),
        Tone::Notice => Some("notice"),
        Tone::Plain | Tone::Added | Tone::Removed | Tone::Changed => None,
    };
    html! {
        @match (piece.is_marked, piece.tone, class) {
            (true, Tone::Removed, _) => { del { (piece.text) } }
            (true, _, _) => { ins { (piece.text) } }
            (false, _, Some(class)) => { span class=(class) { (piece.text) } }
            (false, _, None) => { (piece.text) }
        }
    }
}

/// Sorts lines into rows.
fn rows(lines: &[Line], default: Side) -> Vec<Row> {
    let mut sides = Sides { default, open: None };
    let mut rows: Vec<Row> = Vec::new();
    let mut lines = lines.iter().peekable();
    while let Some(line) = lines.next() {
        let second = lines.next_if(|next| is_second(line, next));
        let side = sides.of(line);
        if side == Side::Both
            && let Some((before, after)) = pair(line, second)
        {
            rows.push(Row { form: Form::Pair, before: vec![before], after: vec![after] });
            continue;
        }
        for line in std::iter::once(line).chain(second) {
            push(&mut rows, side, HalfLine::of(line, &line.pieces));
        }
    }
    rows.iter_mut().for_each(Row::mark);
    rows
}

/// Adds a line to the last row, or begins another.
fn push(rows: &mut Vec<Row>, side: Side, line: HalfLine) {
    let (form, fits) = match (side, rows.last()) {
        (Side::Both, last) => (Form::Same, last.is_some_and(|row| row.form == Form::Same)),
        // What goes comes before what comes.
        (Side::Before, last) => {
            (Form::Run, last.is_some_and(|row| row.form == Form::Run && row.after.is_empty()))
        }
        (Side::After, last) => (Form::Run, last.is_some_and(|row| row.form == Form::Run)),
    };
    if !fits {
        rows.push(Row { form, before: Vec::new(), after: Vec::new() });
    }
    let Some(row) = rows.last_mut() else { return };
    match side {
        Side::Both => {
            row.before.push(line.clone());
            row.after.push(line);
        }
        Side::Before => row.before.push(line),
        Side::After => row.after.push(line),
    }
}

/// Tells whether a line holds the new value that belongs to the old one on the line before.
fn is_second(first: &Line, second: &Line) -> bool {
    first.sign == Sign::CHANGED
        && first.pieces.iter().any(|piece| piece.tone == Tone::Removed)
        && !first.pieces.iter().any(is_arrow)
        && second.sign == Sign::NONE
        && second.pieces.iter().any(is_arrow)
}

fn is_arrow(piece: &Piece) -> bool {
    piece.tone == Tone::Quiet && piece.text.trim() == "->"
}

/// Returns the halves of a line that says what a value was and what it will be.
fn pair(line: &Line, second: Option<&Line>) -> Option<(HalfLine, HalfLine)> {
    let old = line.pieces.iter().position(|piece| piece.tone == Tone::Removed)?;
    let name = &line.pieces[..old];
    let (before, after) = match second {
        Some(second) => {
            let arrow = second.pieces.iter().position(is_arrow)?;
            (&line.pieces[..], &second.pieces[arrow + 1..])
        }
        None => {
            let arrow = line.pieces.iter().position(is_arrow)?;
            (&line.pieces[..arrow], &line.pieces[arrow + 1..])
        }
    };
    let after: Vec<Piece> = name.iter().chain(after).cloned().collect();
    let mut halves = (HalfLine::of(line, before), HalfLine::of(line, &after));
    (halves.0.symbol, halves.1.symbol) = (Sign::REMOVED.symbol, Sign::ADDED.symbol);
    Some(halves)
}

/// Knows on which side lines stand.
struct Sides {
    default: Side,
    /// What lines without a sign belong to, down to the end of what was opened at this depth.
    open: Option<(usize, Side, End)>,
}

/// How what was opened comes to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With a line of its own: a bracket.
    Bracket,
    /// With the first line that is not deeper.
    Depth,
}

impl Sides {
    /// Returns the side that a line stands on: its sign says, or what it is in.
    fn of(&mut self, line: &Line) -> Side {
        if self.default != Side::Both {
            return self.default;
        }
        let depth = line.depth.unwrap_or(0);
        let own = match line.sign.symbol {
            "+" => Some(Side::After),
            "-" => Some(Side::Before),
            _ => None,
        };
        if let Some((at, side, end)) = self.open {
            if depth > at {
                return own.unwrap_or(side);
            }
            self.open = None;
            if end == End::Bracket && own.is_none() {
                return side;
            }
        }
        if let Some(side) = own {
            self.open = Some((depth, side, end_of(line)));
        }
        own.unwrap_or(Side::Both)
    }
}

/// Tells how what a line opens ends; a line that opens nothing has nothing deeper after it.
fn end_of(line: &Line) -> End {
    let said = line.pieces.iter().rev().find(|piece| piece.tone != Tone::Danger);
    let opens = said
        .is_some_and(|piece| piece.text.ends_with(['{', '[', '(']) || piece.text.ends_with("EOT"));
    if opens { End::Bracket } else { End::Depth }
}

impl HalfLine {
    fn of(line: &Line, pieces: &[Piece]) -> Self {
        let mut pieces: Vec<Marked> = pieces
            .iter()
            .map(|piece| Marked { tone: piece.tone, text: piece.text.clone(), is_marked: false })
            .collect();
        if let Some(last) = pieces.last_mut() {
            last.text.truncate(last.text.trim_end().len());
        }
        Self { symbol: line.sign.symbol, depth: line.depth.unwrap_or(0).min(DEEPEST), pieces }
    }
}

impl Row {
    /// Marks what differs between lines that stand beside each other.
    fn mark(&mut self) {
        if self.form == Form::Same || self.before.len() != self.after.len() {
            return;
        }
        for (before, after) in self.before.iter_mut().zip(&mut self.after) {
            mark(before, after);
        }
    }
}

/// Marks what differs between two lines, where each has one value.
fn mark(before: &mut HalfLine, after: &mut HalfLine) {
    let only = |line: &HalfLine, tone: Tone| {
        let mut found = line.pieces.iter().enumerate().filter(|(_, piece)| piece.tone == tone);
        let first = found.next().map(|(at, _)| at);
        first.filter(|_| found.next().is_none())
    };
    let (Some(old), Some(new)) = (only(before, Tone::Removed), only(after, Tone::Added)) else {
        return;
    };
    let (olds, news) = words(&before.pieces[old].text, &after.pieces[new].text);
    before.pieces.splice(old..=old, marked(Tone::Removed, olds));
    after.pieces.splice(new..=new, marked(Tone::Added, news));
}

fn marked(tone: Tone, parts: Vec<(bool, String)>) -> impl Iterator<Item = Marked> {
    parts.into_iter().map(move |(is_marked, text)| Marked { tone, text, is_marked })
}

/// Parts of a text, and whether each differs from the other text.
type Parts = Vec<(bool, String)>;

/// Returns two texts in parts.
fn words(old: &str, new: &str) -> (Parts, Parts) {
    let whole = || (vec![(true, old.to_owned())], vec![(true, new.to_owned())]);
    if old.len().max(new.len()) > MOST_COMPARED {
        return whole();
    }
    let diff = TextDiff::from_unicode_words(old, new);
    if diff.ratio() < ALIKE {
        return whole();
    }
    let (mut olds, mut news) = (Parts::new(), Parts::new());
    let add = |parts: &mut Parts, differs: bool, text: &str| match parts.last_mut() {
        Some((last, said)) if *last == differs => said.push_str(text),
        Some(_) | None => parts.push((differs, text.to_owned())),
    };
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Equal => {
                add(&mut olds, false, change.value());
                add(&mut news, false, change.value());
            }
            ChangeTag::Delete => add(&mut olds, true, change.value()),
            ChangeTag::Insert => add(&mut news, true, change.value()),
        }
    }
    (olds, news)
}
