//! YAML with places: one pass over a file, into a tree in which every scalar, key, and collection knows where it stands.
//!
//! The parser gives events with their marks; this module builds the tree from them with a stack of its own, so that
//! depth, aliases, and duplicate keys are ours to bound and to explain.

mod broken;

use std::collections::BTreeMap;
use std::sync::Arc;

use reconcile_model::{Diagnostic, Number, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as Marks};

use self::broken::{Broken, unquoted};
pub(crate) use self::broken::{HCL, is_hcl};
use crate::place::{Files, Place, Style};
use crate::source::{MAX_FILE_BYTES, SourceFile};

/// How deep lists and mappings may be nested.
const MAX_DEPTH: usize = 128;

/// The longest line, in bytes. Every diagnostic and every plan shows the line that it is about.
const MAX_LINE_BYTES: usize = 32 * 1024;

/// How many nodes aliases may add to a file; anchors are for saving a few lines, not for making thousands.
const MAX_ALIASED_NODES: usize = 100_000;

/// A part of a YAML document.
#[derive(Clone, Debug)]
pub(crate) struct Yaml {
    pub(crate) place: Place,
    pub(crate) kind: YamlKind,
}

/// The kinds of node.
#[derive(Clone, Debug)]
pub(crate) enum YamlKind {
    Scalar { text: Arc<str>, style: Style, is_string: bool },
    List(Vec<Yaml>),
    Map(Vec<(YamlKey, Yaml)>),
}

/// The key of a mapping's member.
#[derive(Clone, Debug)]
pub(crate) struct YamlKey {
    pub(crate) place: Place,
    pub(crate) text: Arc<str>,
    pub(crate) style: Style,
}

impl Yaml {
    /// Returns what a scalar stands for by the YAML 1.2 core schema; `None` for lists and mappings.
    pub(crate) fn scalar(&self) -> Option<Value> {
        let YamlKind::Scalar { text, is_string, .. } = &self.kind else { return None };
        if *is_string {
            return Some(Value::from(&**text));
        }
        Some(match &**text {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            other => match number(other) {
                Some(number) => Value::Number(number),
                None => Value::from(other),
            },
        })
    }

    /// Returns the members of a mapping.
    pub(crate) fn map(&self) -> Option<&[(YamlKey, Self)]> {
        match &self.kind {
            YamlKind::Map(members) => Some(members),
            YamlKind::Scalar { .. } | YamlKind::List(_) => None,
        }
    }

    /// Returns the part at a path, or the nearest one around it.
    pub(crate) fn at(&self, path: &reconcile_model::Path) -> &Self {
        let mut node = self;
        for step in &path.0 {
            let part = match (&node.kind, step) {
                (YamlKind::List(items), reconcile_model::Step::Index(index)) => items.get(*index),
                (YamlKind::Map(members), reconcile_model::Step::Name(name)) => {
                    members.iter().find(|(key, _)| *key.text == **name).map(|(_, value)| value)
                }
                _ => None,
            };
            let Some(part) = part else { break };
            node = part;
        }
        node
    }

    /// Names what the node is, for messages.
    pub(crate) fn kind_name(&self) -> &'static str {
        match &self.kind {
            YamlKind::Scalar { .. } => self.scalar().map_or("a scalar", |value| value.kind_name()),
            YamlKind::List(_) => "a list",
            YamlKind::Map(_) => "a mapping",
        }
    }
}

/// Reads a plain scalar as a number. What begins with a zero, such as an account's id, is text.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(hexadecimal) = digits.strip_prefix("0x") {
        return whole(text, hexadecimal, 16);
    }
    if let Some(octal) = digits.strip_prefix("0o") {
        return whole(text, octal, 8);
    }
    let mut chars = digits.chars();
    let (first, second) = (chars.next()?, chars.next());
    let starts_well =
        first.is_ascii_digit() || (first == '.' && second.is_some_and(|c| c.is_ascii_digit()));
    if !starts_well || (first == '0' && second.is_some_and(|c| c.is_ascii_digit())) {
        return None;
    }
    Number::parse(text.strip_prefix('+').unwrap_or(text))
}

fn whole(text: &str, digits: &str, radix: u32) -> Option<Number> {
    if text.starts_with(['-', '+']) || digits.starts_with(['-', '+']) {
        return None;
    }
    i64::from_str_radix(digits, radix).ok().map(Number::from)
}

/// A collection that is being built.
struct Open {
    anchor: usize,
    place: Place,
    /// How large it is so far.
    size: Size,
    kind: OpenKind,
}

/// How many nodes a part of a document has, itself included, and how many levels.
#[derive(Clone, Copy)]
struct Size {
    nodes: usize,
    depth: usize,
}

enum OpenKind {
    List(Vec<Yaml>),
    Map { members: Vec<(YamlKey, Yaml)>, seen: BTreeMap<Arc<str>, Place>, key: Option<YamlKey> },
}

/// Builds the tree of one file.
struct Builder<'f> {
    files: &'f Files,
    file: u32,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Yaml, Size)>,
    aliased: usize,
    root: Option<Yaml>,
    diagnostics: Vec<Diagnostic>,
}

/// Reads a file. `None` with diagnostics when it cannot be used; a file may also be usable in part and have some.
pub(crate) fn read(source: &SourceFile, files: &mut Files) -> (Option<Yaml>, Vec<Diagnostic>) {
    let text = match text_of(source) {
        Ok(text) => text,
        Err(diagnostic) => return (None, vec![*diagnostic]),
    };
    let file = files.add(&source.name, text);
    if let Some(line) = text.lines().position(|line| line.len() > MAX_LINE_BYTES) {
        let diagnostic =
            Diagnostic::error(format!("Line {} of `{}` is too long", line + 1, source.name))
                .detail(format!("It has more than {} KiB.", MAX_LINE_BYTES / 1024))
                .hint(
                    "Break it into several; keep long texts in a file, and read it with `file()`.",
                );
        return (None, vec![diagnostic]);
    }
    let mut builder = Builder {
        files,
        file,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        aliased: 0,
        root: None,
        diagnostics: Vec::new(),
    };
    if let Err(diagnostic) = builder.run(text) {
        builder.diagnostics.push(*diagnostic);
        return (None, builder.diagnostics);
    }
    (builder.root, builder.diagnostics)
}

/// Returns the file's text, without a byte order mark.
fn text_of(source: &SourceFile) -> Result<&str, Box<Diagnostic>> {
    let name = &source.name;
    if source.bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Box::new(
            Diagnostic::error(format!("The file `{name}` is too large for a spec"))
                .detail(format!("It has more than {} MiB.", MAX_FILE_BYTES / (1024 * 1024)))
                .hint("Split it into several files of one folder, or use `count` and `for_each`."),
        ));
    }
    let text = std::str::from_utf8(&source.bytes).map_err(|error| {
        let line = source.bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        let hint = match source.bytes.as_slice() {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "It begins like UTF-16: save it as UTF-8.",
            _ => "Save it as UTF-8; if it is no text at all, name the right file.",
        };
        Box::new(
            Diagnostic::error(format!("The file `{name}` is not UTF-8"))
                .detail(format!(
                    "Byte {} (line {line}) is not part of any character.",
                    error.valid_up_to() + 1
                ))
                .hint(hint),
        )
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

type Stop = Box<Diagnostic>;

impl Builder<'_> {
    fn run(&mut self, text: &str) -> Result<(), Stop> {
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let (event, marks) = event.map_err(|error| self.broken(text, &error))?;
            let place = self.place(&event, marks);
            match event {
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(self.stop(
                            place,
                            "A spec's file holds one document",
                            "A second one begins here, after `---`.",
                            "Put it into a file of its own in the same folder.",
                        ));
                    }
                }
                Event::Alias(anchor) => self.alias(anchor, place)?,
                Event::Scalar(text, style, anchor, tag) => {
                    let is_string = style != ScalarStyle::Plain
                        || tag
                            .as_ref()
                            .is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                    let foreign =
                        tag.filter(|tag| !tag.is_yaml_core_schema() && !tag.suffix.is_empty());
                    if let Some(tag) = foreign {
                        let hint = match tag.suffix.as_str() {
                            "Ref" | "GetAtt" | "Sub" | "ImportValue" => {
                                "Mention a resource in an expression, as in `${aws_instance.web.id}`."
                            }
                            _ => "Remove it.",
                        };
                        let summary = format!("The tag `{tag}` means nothing in a spec");
                        return Err(self.stop(place, &summary, "", hint));
                    }
                    let kind = YamlKind::Scalar {
                        text: text.as_ref().into(),
                        style: style_of(style),
                        is_string,
                    };
                    self.add(Yaml { place, kind }, Size { nodes: 1, depth: 0 }, anchor)?;
                }
                Event::SequenceStart(anchor, _) => {
                    self.start(anchor, place, OpenKind::List(Vec::new()))?;
                }
                Event::MappingStart(anchor, _) => {
                    let kind =
                        OpenKind::Map { members: Vec::new(), seen: BTreeMap::new(), key: None };
                    self.start(anchor, place, kind)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.end()?,
            }
        }
        Ok(())
    }

    fn place(&self, event: &Event<'_>, marks: Marks) -> Place {
        let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let length = match event {
            Event::Scalar(..) | Event::Alias(_) if marks.start.line() == marks.end.line() => {
                let width = marks.end.col().saturating_sub(marks.start.col());
                // The parser counts the spaces after a closing quote.
                let text = self.files.line_of(self.file, marks.start.line());
                let marked = text.chars().skip(marks.start.col()).take(width).collect::<Vec<_>>();
                marked.iter().rposition(|c| !c.is_whitespace()).map_or(width, |last| last + 1)
            }
            Event::Scalar(..) => usize::MAX,
            Event::Alias(_)
            | Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd => 1,
        };
        Place {
            file: self.file,
            line: short(marks.start.line()),
            column: short(marks.start.col() + 1),
            length: short(length.max(1)),
        }
    }

    fn stop(&self, place: Place, summary: &str, detail: &str, hint: &str) -> Stop {
        let diagnostic = Diagnostic::error(summary).detail(detail).at(self.files.span(place));
        Box::new(if hint.is_empty() { diagnostic } else { diagnostic.hint(hint) })
    }

    fn start(&mut self, anchor: usize, place: Place, kind: OpenKind) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.too_deep(place));
        }
        self.open.push(Open { anchor, place, size: Size { nodes: 1, depth: 1 }, kind });
        Ok(())
    }

    fn too_deep(&self, place: Place) -> Stop {
        let detail = format!("At most {MAX_DEPTH} levels are taken.");
        self.stop(place, "The document is nested too deeply", &detail, "")
    }

    fn end(&mut self) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let kind = match open.kind {
            OpenKind::List(items) => YamlKind::List(items),
            OpenKind::Map { members, .. } => YamlKind::Map(self.merged(members)?),
        };
        self.add(Yaml { place: open.place, kind }, open.size, open.anchor)
    }

    /// Resolves `<<`: the members of the mappings that it names, where the mapping itself says nothing else.
    fn merged(&self, members: Vec<(YamlKey, Yaml)>) -> Result<Vec<(YamlKey, Yaml)>, Stop> {
        let is_merge = |key: &YamlKey| &*key.text == "<<" && key.style == Style::Plain;
        if !members.iter().any(|(key, _)| is_merge(key)) {
            return Ok(members);
        }
        let (merges, mut members): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|(key, _)| is_merge(key));
        for (key, value) in merges {
            let sources = match value.kind {
                YamlKind::List(items) => items,
                YamlKind::Map(_) | YamlKind::Scalar { .. } => vec![value],
            };
            for source in sources {
                let YamlKind::Map(more) = source.kind else {
                    return Err(self.stop(
                        key.place,
                        "`<<` takes mappings",
                        "It merges the members of an aliased mapping, or of a list of them.",
                        "",
                    ));
                };
                for (key, value) in more {
                    if !members.iter().any(|(known, _)| known.text == key.text) {
                        members.push((key, value));
                    }
                }
            }
        }
        Ok(members)
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Stop> {
        let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
            return Err(self.stop(
                place,
                "The alias stands inside its own anchor",
                "What contains itself has no end.",
                "",
            ));
        };
        if self.open.len() + size.depth > MAX_DEPTH {
            return Err(self.too_deep(place));
        }
        self.count_aliased(size, place)?;
        self.add(node, size, 0)
    }

    /// Counts the nodes that anchors and aliases copy.
    fn count_aliased(&mut self, size: Size, place: Place) -> Result<(), Stop> {
        self.aliased += size.nodes;
        if self.aliased <= MAX_ALIASED_NODES {
            return Ok(());
        }
        Err(self.stop(
            place,
            "The aliases of this file expand to too much",
            &format!("They copy more than {MAX_ALIASED_NODES} nodes."),
            "Use `locals`, `count`, and `for_each` instead of aliases.",
        ))
    }

    fn add(&mut self, node: Yaml, size: Size, anchor: usize) -> Result<(), Stop> {
        if anchor > 0 {
            self.count_aliased(size, node.place)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.size.nodes += size.nodes;
        open.size.depth = open.size.depth.max(size.depth + 1);
        match &mut open.kind {
            OpenKind::List(items) => items.push(node),
            OpenKind::Map { members, seen, key } => match key.take() {
                Some(key) => {
                    let earlier = seen.insert(key.text.clone(), key.place);
                    if let Some(earlier) = earlier {
                        let line = earlier.line;
                        self.diagnostics.push(
                            Diagnostic::error(format!("The key `{}` is given twice", key.text))
                                .detail(format!("It was given on line {line} already."))
                                .hint("Remove one of the two, or merge them.")
                                .at(self.files.span(key.place)),
                        );
                    } else {
                        members.push((key, node));
                    }
                }
                None => match node.kind {
                    YamlKind::Scalar { text, style, .. } => {
                        *key = Some(YamlKey { place: node.place, text, style });
                    }
                    YamlKind::List(_) | YamlKind::Map(_) => {
                        return Err(unquoted(self.files, node.place));
                    }
                },
            },
        }
        Ok(())
    }

    /// Tells what the YAML parser found wrong.
    fn broken(&self, text: &str, error: &ScanError) -> Stop {
        let open = self.open.iter().map(|open| open.place).collect();
        let broken = Broken { files: self.files, file: self.file, text, open };
        Box::new(broken.explain(error))
    }
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}
