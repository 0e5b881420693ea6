//! Places in a spec's files, kept small, and turned into spans for people when one is needed.

use std::sync::Arc;

use reconcile_model::Span;

/// Where something stands: a file, a line and column from one, and how many characters it takes on that line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: u32,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) length: u32,
}

/// How a scalar is written, as far as it matters for finding a place inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes, or built by us: text and source agree while they are on one line.
    Plain,
    /// In single quotes: only `''` differs.
    Single,
    /// In double quotes, with escapes.
    Double,
    /// A `|` block: lines agree after the indentation.
    Literal,
    /// A `>` block: lines are joined, so only its start is known.
    Folded,
}

/// A part of a scalar's text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Range {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Range {
    pub(crate) fn new(range: std::ops::Range<usize>) -> Self {
        let short = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: short(range.start), end: short(range.end) }
    }
}

/// The lines of every file, shared by all spans that show them.
#[derive(Debug, Default)]
pub(crate) struct Files {
    files: Vec<(Arc<str>, Vec<Arc<str>>)>,
}

impl Files {
    /// Adds a file and returns its number.
    pub(crate) fn add(&mut self, name: &Arc<str>, text: &str) -> u32 {
        let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line).into());
        self.files.push((name.clone(), lines.collect()));
        u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX)
    }

    /// Returns the text of a line, counted from one; empty for a line that is not there.
    pub(crate) fn line_of(&self, file: u32, line: usize) -> &str {
        let lines = self.files.get(file as usize).map(|(_, lines)| lines);
        lines.and_then(|lines| lines.get(line.checked_sub(1)?)).map_or("", |line| line)
    }

    fn line(&self, place: Place, line: u32) -> Option<&Arc<str>> {
        self.files.get(place.file as usize)?.1.get((line as usize).checked_sub(1)?)
    }

    /// Returns the span of a place, cut to its line.
    pub(crate) fn span(&self, place: Place) -> Span {
        let text = self.line(place, place.line).cloned().unwrap_or_else(|| "".into());
        let file = self.files.get(place.file as usize).map_or_else(|| "".into(), |f| f.0.clone());
        let column = place.column.max(1) as usize;
        let rest = text.chars().count().saturating_sub(column - 1).max(1);
        let length = (place.length as usize).clamp(1, rest);
        Span { file, line: place.line as usize, column, length, text }
    }

    /// Returns the span of a key, without what follows it on its line, which may be secret.
    pub(crate) fn span_of_key(&self, key: Place) -> Span {
        let span = self.span(key);
        let text: String = span.text.chars().take(span.column - 1 + span.length).collect();
        Span { text: format!("{text}: …").into(), ..span }
    }

    /// Returns the place of a part of a scalar's text, or the scalar's own place where the part cannot be told.
    pub(crate) fn within(&self, scalar: Place, style: Style, text: &str, part: Range) -> Place {
        self.locate(scalar, style, text, part).unwrap_or(scalar)
    }

    fn locate(&self, scalar: Place, style: Style, text: &str, part: Range) -> Option<Place> {
        let (start, end) = (part.start as usize, (part.end as usize).min(text.len()));
        let before = text.get(..start)?;
        let inside = text.get(start..end.max(start))?;
        if style == Style::Literal {
            return self.locate_in_block(scalar, text, before, inside);
        }
        let line = self.line(scalar, scalar.line)?;
        let mut source = line.chars().skip(scalar.column as usize - 1).peekable();
        let quoted = matches!(style, Style::Single | Style::Double);
        let mut column = scalar.column + u32::from(quoted);
        if quoted {
            source.next()?;
        }
        let mut advance = |wanted: &str| -> Option<u32> {
            let mut width = 0;
            for expected in wanted.chars() {
                width += take_char(&mut source, style, expected)?;
            }
            Some(width)
        };
        column += advance(before)?;
        let first_line = inside.split('\n').next().unwrap_or_default();
        let length = advance(first_line)?;
        Some(Place { column, length: length.max(1), ..scalar })
    }

    /// Finds a part of a `|` block. Its place is where the content begins; every line has lost the same indentation.
    fn locate_in_block(
        &self,
        scalar: Place,
        text: &str,
        before: &str,
        inside: &str,
    ) -> Option<Place> {
        // With an anchor or a tag in front, the place is theirs.
        let source = self.line(scalar, scalar.line)?;
        if source.chars().nth(scalar.column as usize - 1).is_none_or(|c| c == '&' || c == '!') {
            return None;
        }
        let blank = text.chars().take_while(|c| *c == '\n').count();
        let down = before.matches('\n').count().checked_sub(blank)?;
        let start_of_line = before.rfind('\n').map_or(0, |at| at + 1);
        let right = before[start_of_line..].chars().count();
        let width = inside.split('\n').next().unwrap_or_default().chars().count();
        let short = |number: usize| u32::try_from(number).ok();
        Some(Place {
            line: scalar.line + short(down)?,
            column: scalar.column + short(right)?,
            length: short(width)?.max(1),
            ..scalar
        })
    }
}

/// Takes the source of one character of a scalar's text and returns how many characters it took, or `None` where text
/// and source part ways, as at the end of a line.
fn take_char(
    source: &mut std::iter::Peekable<impl Iterator<Item = char>>,
    style: Style,
    expected: char,
) -> Option<u32> {
    let first = source.next()?;
    if style == Style::Single && first == '\'' {
        return (source.next()? == '\'' && expected == '\'').then_some(2);
    }
    if style == Style::Double && first == '\\' {
        let digits = match source.next()? {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        for _ in 0..digits {
            source.next()?;
        }
        return Some(2 + digits);
    }
    (first == expected).then_some(1)
}
