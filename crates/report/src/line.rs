//! Lines: signed, toned pieces of text, and the one place that turns them into bytes.
//!
//! A sign stands apart from the text, so that a format with signs in its first column can be made from the same lines.

use unicode_width::UnicodeWidthChar as _;

use crate::{Style, TextOptions, quote::width};

/// What a piece of text is, for whoever chooses its color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing special.
    Plain,
    /// Headings.
    Strong,
    /// What is added.
    Added,
    /// What is removed.
    Removed,
    /// What changes.
    Changed,
    /// What destroys or exposes.
    Danger,
    /// What may be skipped.
    Quiet,
    /// What helps.
    Notice,
}

impl Tone {
    /// Returns the parameters of the ANSI sequence "select graphic rendition" (ECMA-48, 8.3.117).
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("1"),
            Self::Added => Some("32"),
            Self::Removed => Some("31"),
            Self::Changed => Some("33"),
            Self::Danger => Some("1;31"),
            Self::Quiet => Some("2"),
            Self::Notice => Some("36"),
        }
    }
}

/// Some text of one tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

/// Returns a piece.
pub(crate) fn piece(tone: Tone, text: impl Into<String>) -> Piece {
    Piece { tone, text: text.into() }
}

/// What a line says of the value on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sign {
    pub(crate) tone: Tone,
    pub(crate) symbol: &'static str,
}

impl Sign {
    pub(crate) const NONE: Self = Self { tone: Tone::Plain, symbol: "" };
    pub(crate) const ADDED: Self = Self { tone: Tone::Added, symbol: "+" };
    pub(crate) const REMOVED: Self = Self { tone: Tone::Removed, symbol: "-" };
    pub(crate) const CHANGED: Self = Self { tone: Tone::Changed, symbol: "~" };
}

/// One line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) sign: Sign,
    /// How deep it is nested; `None` for text in the left margin, which has no sign.
    pub(crate) depth: Option<usize>,
    pub(crate) pieces: Vec<Piece>,
}

impl Line {
    /// Returns a line of text in the margin.
    pub(crate) fn text(tone: Tone, text: impl Into<String>) -> Self {
        Self { sign: Sign::NONE, depth: None, pieces: vec![piece(tone, text)] }
    }

    /// Returns an empty line.
    pub(crate) const fn blank() -> Self {
        Self { sign: Sign::NONE, depth: None, pieces: Vec::new() }
    }

    /// Returns a line of a diff.
    pub(crate) const fn item(sign: Sign, depth: usize, pieces: Vec<Piece>) -> Self {
        Self { sign, depth: Some(depth), pieces }
    }
}

/// Returns the columns before the text of a line this deep.
pub(crate) const fn margin(depth: usize) -> usize {
    4 * depth + 4
}

/// Breaks a line that is too long. Where it breaks at a space, what follows is indented; where a word is too long by itself,
/// what follows stands behind an arrow, so that it is not taken for another word.
pub(crate) fn fitted(line: Line, columns: usize) -> Vec<Line> {
    let start = line.depth.map_or(0, margin);
    let long = line.pieces.iter().map(|piece| width(&piece.text)).sum::<usize>();
    if start + long <= columns {
        return vec![line];
    }
    let toned = |piece: &Piece| piece.text.chars().map(|c| (piece.tone, c)).collect::<Vec<_>>();
    let mut rest: Vec<(Tone, char)> = line.pieces.iter().flat_map(toned).collect();
    // All lines of a comment are comments.
    let spaces = rest.iter().take_while(|(_, c)| *c == ' ').count();
    let is_comment = matches!(rest[spaces..], [(_, '#'), (_, ' '), ..]);
    let lead: Vec<(Tone, char)> =
        rest.drain(..if is_comment { spaces + 2 } else { spaces }).collect();
    let (mut lines, mut further) = (Vec::new(), "");
    while !rest.is_empty() {
        let room = columns.saturating_sub(start + lead.len() + width(further)).max(FEWEST_COLUMNS);
        let fits = fitting(&rest, room);
        let space = rest[..fits].iter().rposition(|(_, c)| *c == ' ');
        let space = space.filter(|at| *at > 0 && fits < rest.len());
        let end = space.unwrap_or(fits);
        let further_toned = further.chars().map(|c| (Tone::Quiet, c));
        let taken = lead.iter().copied().chain(further_toned).chain(rest.drain(..end));
        let sign = if lines.is_empty() { line.sign } else { Sign::NONE };
        lines.push(Line { sign, depth: line.depth, pieces: joined(taken) });
        further = if space.is_some() { "  " } else { "↪ " };
        rest.drain(..usize::from(space.is_some()));
    }
    lines
}

/// However little room there is, so many columns of a broken line are on each of its lines.
const FEWEST_COLUMNS: usize = 8;

/// Returns how many characters fit, at least one.
fn fitting(text: &[(Tone, char)], columns: usize) -> usize {
    let mut taken = 0;
    let fits = text.iter().take_while(|(_, c)| {
        taken += c.width().unwrap_or(0);
        taken <= columns
    });
    fits.count().max(1)
}

/// Returns characters as pieces, neighbors of one tone together.
fn joined(characters: impl Iterator<Item = (Tone, char)>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (tone, c) in characters {
        match pieces.last_mut() {
            Some(last) if last.tone == tone => last.text.push(c),
            Some(_) | None => pieces.push(piece(tone, c)),
        }
    }
    pieces
}

/// Turns lines into text.
pub(crate) fn render(lines: &[Line], options: TextOptions) -> String {
    let mut out = String::new();
    for line in lines {
        let start = out.len();
        if let Some(depth) = line.depth {
            let blank = 4 * depth + 3 - line.sign.symbol.len();
            out.extend(std::iter::repeat_n(' ', blank));
            paint(&mut out, line.sign.tone, line.sign.symbol, options.style);
            out.push(' ');
        }
        for piece in &line.pieces {
            paint(&mut out, piece.tone, &piece.text, options.style);
        }
        out.truncate(start + out[start..].trim_end_matches(' ').len());
        out.push('\n');
    }
    out
}

/// Appends text in a tone.
pub(crate) fn paint(out: &mut String, tone: Tone, text: &str, style: Style) {
    match (style, tone.code()) {
        (Style::Ansi, Some(code)) if !text.is_empty() => {
            out.extend(["\u{1b}[", code, "m", text, "\u{1b}[0m"]);
        }
        (Style::Plain | Style::Ansi, _) => out.push_str(text),
    }
}
