//! One named value as lines.

use reconcile_model::{
    Value,
    diff::{Body, Label, Node, Status},
};

use super::text_value::TextLine;
use super::{View, note, sign, suffix, text_value};
use crate::{
    line::{Line, Piece, Sign, Tone, margin, piece},
    quote::{self, SENSITIVE, UNKNOWN, chunks, counted, inline, width},
};

/// How many lines a single-line string may take before its middle is left out.
const MOST_LINES: usize = 20;

/// How many entries a map has at most that stands on one line.
const MOST_ENTRIES: usize = 3;

/// How many unchanged characters are shown around the change of a long string.
const CONTEXT: usize = 24;

/// Returns the lines of a value; `widest` is the width of the widest name that its own is aligned with.
pub(crate) fn lines(node: &Node, widest: usize, depth: usize, view: View<'_>) -> Vec<Line> {
    let name = quote::label(&node.label);
    let start = if name.is_empty() {
        String::new()
    } else {
        format!("{name}{} = ", " ".repeat(widest.saturating_sub(width(&name))))
    };
    let line = Entry { node, sign: sign(node.status), start, depth, view };
    if let Some(text) = view.varying.and_then(|varying| varying.at(&node.path)) {
        return line.varying(&text);
    }
    match &node.body {
        Body::Sensitive { unknown: false } => line.one(SENSITIVE.to_owned()),
        Body::Sensitive { unknown: true } => {
            line.one("(sensitive value, known after apply)".into())
        }
        Body::Value { before, after } => line.value(before, after),
        Body::Map(entries) => line.nested(entries, ["{", "}"]),
        Body::List(items) | Body::Set(items) => line.nested(items, ["[", "]"]),
        Body::Blocks(_) => Vec::new(),
        Body::Object(members) => line.nested(members, ["{", "}"]),
    }
}

/// One entry of an object, map, or list being laid out.
struct Entry<'a> {
    node: &'a Node,
    sign: Sign,
    /// The name and equals sign, padded.
    start: String,
    depth: usize,
    view: View<'a>,
}

impl Entry<'_> {
    /// Returns the columns left for a value.
    fn room(&self) -> usize {
        self.view.columns.saturating_sub(margin(self.depth) + width(&self.start))
    }

    fn tone(&self) -> Tone {
        match self.node.status {
            Status::Unchanged => Tone::Plain,
            Status::Added => Tone::Added,
            Status::Removed => Tone::Removed,
            Status::Changed => Tone::Changed,
        }
    }

    fn first(&self, pieces: impl IntoIterator<Item = Piece>) -> Line {
        let start = piece(Tone::Plain, self.start.clone());
        Line::item(self.sign, self.depth, std::iter::once(start).chain(pieces).collect())
    }

    /// Returns the lines of a name whose value comes below it.
    fn name_alone(&self, suffix: Option<Piece>) -> Vec<Line> {
        let start = piece(Tone::Plain, self.start.trim_end());
        let suffixed = suffix.as_ref().map(|piece| width(&piece.text)).unwrap_or_default();
        if suffixed == 0 || suffixed <= self.room() {
            return vec![Line::item(
                self.sign,
                self.depth,
                std::iter::once(start).chain(suffix).collect(),
            )];
        }
        let suffix = suffix.map(|it| piece(it.tone, it.text.trim_start())).into_iter().collect();
        vec![
            Line::item(self.sign, self.depth, vec![start]),
            Line::item(Sign::NONE, self.depth, suffix),
        ]
    }

    /// Returns a value on the line of its name where it fits, and below it where it does not.
    fn one(&self, text: String) -> Vec<Line> {
        let suffix = suffix(self.node);
        let suffixed = suffix.as_ref().map(|piece| width(&piece.text)).unwrap_or_default();
        if width(&text) + suffixed <= self.room() {
            return vec![self.first(std::iter::once(piece(self.tone(), text)).chain(suffix))];
        }
        let sign = match self.node.status {
            Status::Unchanged => Sign::NONE,
            Status::Added => Sign::ADDED,
            Status::Removed => Sign::REMOVED,
            Status::Changed => Sign::CHANGED,
        };
        let mut lines = self.name_alone(suffix);
        lines.extend(self.below(Sign { tone: self.tone(), ..sign }, &text));
        lines
    }

    /// Returns the lines of what differs between instances that are shown as one.
    fn varying(&self, text: &str) -> Vec<Line> {
        let suffix = suffix(self.node);
        let suffixed = suffix.as_ref().map(|piece| width(&piece.text)).unwrap_or_default();
        if width(text) + suffixed <= self.room() {
            return vec![self.first(std::iter::once(piece(self.tone(), text)).chain(suffix))];
        }
        let room = self.view.columns.saturating_sub(margin(self.depth + 1)).max(16);
        let mut lines = self.name_alone(suffix);
        lines.extend(quote::wrap(text, room).into_iter().map(|part| {
            let sign = Sign { tone: self.tone(), ..Sign::NONE };
            Line::item(sign, self.depth + 1, vec![piece(self.tone(), part)])
        }));
        lines
    }

    /// Returns the lines of a value below its name; of a very long one, the middle is left out and counted.
    fn below(&self, sign: Sign, text: &str) -> Vec<Line> {
        let room = self.view.columns.saturating_sub(margin(self.depth + 1)).max(16);
        let mut parts = chunks(text, room);
        if parts.len() > MOST_LINES {
            let cut = parts.split_off(MOST_LINES - 1);
            let count: usize = cut.iter().map(|line| line.chars().count()).sum();
            parts.push(format!("… ({} more)", counted(count, "character")));
        }
        // Further lines belong to the same side, and have no sign of their own.
        let further = Sign { symbol: "", ..sign };
        let signs = std::iter::once(sign).chain(std::iter::repeat(further));
        signs
            .zip(parts)
            .map(|(at, part)| Line::item(at, self.depth + 1, vec![piece(sign.tone, part)]))
            .collect()
    }

    fn value(&self, before: &Value, after: &Value) -> Vec<Line> {
        match self.node.status {
            Status::Unchanged | Status::Added => self.single(after),
            Status::Removed => self.single(before),
            Status::Changed => self.pair(before, after),
        }
    }

    fn single(&self, value: &Value) -> Vec<Line> {
        if value.is_unknown() {
            return self.one(unknown(self.node, self.view));
        }
        if let Some(text) = text_value::of(self.node) {
            return self.text(text);
        }
        self.one(self.scalar(value))
    }

    fn pair(&self, before: &Value, after: &Value) -> Vec<Line> {
        if let Some(text) = text_value::of(self.node) {
            return self.text(text);
        }
        let old = self.scalar(before);
        let new =
            if after.is_unknown() { unknown(self.node, self.view) } else { self.scalar(after) };
        if let Some(line) = self.arrow(&old, &new) {
            return vec![line];
        }
        let room = self.room();
        let suffix = suffix(self.node);
        let suffixed = suffix.as_ref().map(|piece| width(&piece.text)).unwrap_or_default();
        let arrow = piece(Tone::Quiet, "-> ");
        if width(&old) <= room && width(&new) + suffixed <= room && width(&self.start) > 3 {
            // The arrow stands under the equals sign, so that the values stand one above the other.
            let blank = " ".repeat(width(&self.start) - 3);
            let pieces = [piece(Tone::Plain, blank), arrow, piece(Tone::Added, new)];
            let second = pieces.into_iter().chain(suffix).collect();
            let first = self.first([piece(Tone::Removed, old)]);
            return vec![first, Line::item(Sign::NONE, self.depth, second)];
        }
        let (old, new) = elided(&old, &new, room);
        let mut lines = self.name_alone(suffix);
        lines.extend(self.below(Sign::REMOVED, &old));
        lines.extend(self.below(Sign::ADDED, &new));
        lines
    }

    /// Returns two values with an arrow between them, when they fit on one line.
    fn arrow(&self, old: &str, new: &str) -> Option<Line> {
        let suffix = suffix(self.node);
        let suffixed = suffix.as_ref().map(|piece| width(&piece.text)).unwrap_or_default();
        (width(old) + 4 + width(new) + suffixed <= self.room()).then(|| {
            let old = piece(Tone::Removed, format!("{old} "));
            let pieces = [old, piece(Tone::Quiet, "-> "), piece(Tone::Added, new)];
            self.first(pieces.into_iter().chain(suffix))
        })
    }

    /// Returns a value on one line, decoded where it is text in base64.
    fn scalar(&self, value: &Value) -> String {
        scalar(self.node, value)
    }

    fn text(&self, text: text_value::Text) -> Vec<Line> {
        let mut head = vec![piece(Tone::Plain, text.open)];
        head.extend(suffix(self.node));
        let mut lines = vec![self.first(head)];
        let room = self.view.columns.saturating_sub(margin(self.depth + 1)).max(16);
        for (at, line) in text.lines.into_iter().enumerate() {
            let differs =
                self.view.varying.and_then(|varying| varying.at_line(&self.node.path, at));
            match line {
                TextLine::Remark(text) => lines.extend(note(&text, self.depth + 1, self.view)),
                TextLine::Line(status, text) => {
                    let (mut sign, tone) = match (status, self.node.status) {
                        (Status::Added, _) | (_, Status::Added) => (Sign::ADDED, Tone::Added),
                        (Status::Removed, _) | (_, Status::Removed) => {
                            (Sign::REMOVED, Tone::Removed)
                        }
                        (Status::Unchanged | Status::Changed, _) => (Sign::NONE, Tone::Plain),
                    };
                    let mut lead = "";
                    for part in chunks(&quote::source_line(&text), room - 2) {
                        let text = piece(tone, format!("{lead}{part}"));
                        lines.push(Line::item(sign, self.depth + 1, vec![text]));
                        (sign, lead) = (Sign { symbol: "", ..sign }, "↪ ");
                    }
                }
            }
            let said = differs.map(|text| note(&text, self.depth + 1, self.view));
            lines.extend(said.unwrap_or_default());
        }
        lines.push(Line::item(Sign::NONE, self.depth, vec![piece(Tone::Plain, text.close)]));
        lines
    }

    /// Returns the lines of a collection: on one line when all of it comes or goes, or little of it is there, and it fits.
    fn nested(&self, nodes: &[Node], [open, close]: [&str; 2]) -> Vec<Line> {
        if let Some((old, new)) = sides(self.node, self.view)
            && let Some(line) = self.arrow(&old, &new)
        {
            return vec![line];
        }
        let suffixed = suffix(self.node).map(|piece| width(&piece.text)).unwrap_or_default();
        let whole = matches!(self.node.status, Status::Added | Status::Removed);
        let varies = self.view.varying.is_some_and(|it| it.is_within(&self.node.path));
        // What a collection holds is read one below the other: a map stands on one line only inside another collection.
        let is_inner =
            !matches!(self.node.label, Label::Attribute(_)) && nodes.len() <= MOST_ENTRIES;
        if whole
            && !varies
            && (open == "[" || nodes.len() < 2 || is_inner)
            && let Some(text) = inline_of(self.node, self.view)
            && width(&text) + suffixed <= self.room()
        {
            return self.one(text);
        }
        let mut head = vec![piece(Tone::Plain, open)];
        head.extend(suffix(self.node));
        let mut lines = vec![self.first(head)];
        let shown: Vec<&Node> = nodes
            .iter()
            .filter(|node| node.status != Status::Unchanged && !node.is_absent())
            .collect();
        lines.extend(super::entries(&shown, self.depth + 1, self.view));
        let hidden = nodes
            .iter()
            .filter(|node| node.status == Status::Unchanged && !node.is_absent())
            .count();
        if hidden > 0 {
            let what = counted(hidden, "unchanged element");
            lines.extend(note(&format!("({what} hidden)"), self.depth + 1, self.view));
        }
        lines.push(Line::item(Sign::NONE, self.depth, vec![piece(Tone::Plain, close)]));
        lines
    }
}

/// The most elements that a list or set has on either side to be shown on one line when it changes.
const MOST_ELEMENTS: usize = 2;

/// Returns both sides of a list or set of which little is there and nothing stays: `["10.0.0.0/8"]` and `["0.0.0.0/0"]`.
fn sides(node: &Node, view: View<'_>) -> Option<(String, String)> {
    let (Status::Changed, Body::List(nodes) | Body::Set(nodes)) = (node.status, &node.body) else {
        return None;
    };
    let side = |status: Status| {
        let nodes: Vec<Node> = nodes.iter().filter(|it| it.status == status).cloned().collect();
        let count = nodes.len();
        let side = Node { status, body: Body::List(nodes), ..node.clone() };
        inline_of(&side, view).filter(|_| count <= MOST_ELEMENTS)
    };
    let one_sided = |it: &Node| matches!(it.status, Status::Added | Status::Removed);
    nodes.iter().all(one_sided).then_some(())?;
    Some((side(Status::Removed)?, side(Status::Added)?))
}

/// Returns the text of a value that takes one line, as it is shown: both sides of what changes.
pub(crate) fn text_of(node: &Node) -> Option<String> {
    let view = View::PLAIN;
    match (&node.body, node.status) {
        (Body::Value { before, .. }, Status::Removed) => Some(scalar(node, before)),
        (Body::Value { after, .. }, Status::Added | Status::Unchanged) => Some(scalar(node, after)),
        (Body::Value { before, after }, Status::Changed) => {
            Some(format!("{} -> {}", scalar(node, before), scalar(node, after)))
        }
        (Body::List(_) | Body::Set(_), Status::Added | Status::Removed) => inline_of(node, view),
        (Body::List(_) | Body::Set(_), Status::Changed) => {
            sides(node, view).map(|(old, new)| format!("{old} -> {new}"))
        }
        (
            Body::List(_)
            | Body::Set(_)
            | Body::Sensitive { .. }
            | Body::Map(_)
            | Body::Blocks(_)
            | Body::Object(_),
            _,
        ) => None,
    }
}

/// Returns a value on one line, decoded where it is text in base64.
fn scalar(node: &Node, value: &Value) -> String {
    match text_value::decoded(node.attribute, value) {
        Some(text) => format!("base64encode({})", quote::quoted(&text)),
        None => inline(value),
    }
}

/// Returns what stands for an unknown value: what it comes from, where the spec tells.
fn unknown(node: &Node, view: View<'_>) -> String {
    let sources = view.sources(&node.path);
    if sources.is_empty() {
        UNKNOWN.to_owned()
    } else {
        format!("(known after apply: {})", sources.join(", "))
    }
}

/// Returns a value on one line, the side after unless it is removed, or `None` for a text of several lines.
pub(crate) fn inline_of(node: &Node, view: View<'_>) -> Option<String> {
    let joined = |nodes: &[Node]| -> Option<Vec<String>> {
        // What several elements come from is told of all of them together: none of them is named.
        let view = if nodes.len() > 1 { View { origin: None, ..view } } else { view };
        nodes
            .iter()
            .filter(|node| !node.is_absent())
            .map(|node| {
                let name = quote::label(&node.label);
                let text = inline_of(node, view)?;
                Some(if name.is_empty() { text } else { format!("{name} = {text}") })
            })
            .collect()
    };
    match &node.body {
        Body::Value { before, after } => {
            let value = if node.status == Status::Removed { before } else { after };
            if value.is_unknown() {
                return Some(unknown(node, view));
            }
            let several = value.as_str().is_some_and(|text| text.contains('\n'));
            (!several).then(|| inline(value))
        }
        Body::Sensitive { .. } => Some(SENSITIVE.to_owned()),
        Body::List(nodes) | Body::Set(nodes) => Some(format!("[{}]", joined(nodes)?.join(", "))),
        Body::Map(nodes) | Body::Object(nodes) => {
            let entries = joined(nodes)?;
            Some(if entries.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", entries.join(", "))
            })
        }
        Body::Blocks(_) => None,
    }
}

/// Leaves out most of what two long texts have in common at their ends.
fn elided(old: &str, new: &str, room: usize) -> (String, String) {
    if width(old) <= room && width(new) <= room {
        return (old.to_owned(), new.to_owned());
    }
    let (a, b): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(x, y)| x == y);
    let tail = tail.count();
    let cut = |text: &[char]| -> String {
        let (from, lead) = if head > CONTEXT + 8 { (head - CONTEXT, "…") } else { (0, "") };
        let (to, end) = if tail > CONTEXT + 8 {
            (text.len() - tail + CONTEXT, "…")
        } else {
            (text.len(), "")
        };
        format!("{lead}{}{end}", text[from..to].iter().collect::<String>())
    };
    (cut(&a), cut(&b))
}
