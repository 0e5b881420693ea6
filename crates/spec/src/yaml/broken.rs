//! What is no YAML, told in the user's terms: the parser says where it gave up, which is often not where the slip is.

use reconcile_model::{Diagnostic, Span};
use saphyr_parser::ScanError;

use crate::place::{Files, Place};
use crate::suggest::nearest;

/// What the parser had read when it gave up.
pub(super) struct Broken<'a> {
    pub(super) files: &'a Files,
    pub(super) file: u32,
    pub(super) text: &'a str,
    /// Where the lists and mappings begin that were open, outermost first.
    pub(super) open: Vec<Place>,
}

impl Broken<'_> {
    /// Tells what is wrong.
    pub(super) fn explain(&self, error: &ScanError) -> Diagnostic {
        let place = self.place_of(error);
        let span = self.files.span(place);
        let info = error.info();
        if is_hcl(self.text) {
            return Diagnostic::error("This is HCL, not YAML")
                .detail("A spec says the same in YAML.")
                .hint(HCL)
                .at(span);
        }
        if info.contains("recursion limit") {
            return Diagnostic::error("The document is nested too deeply").at(span);
        }
        let has_expression = span.text.contains("${") || span.text.contains("%{");
        if has_expression && info.contains("flow") {
            return *unquoted(self.files, place);
        }
        let told = if info.contains("tab") {
            self.tab(place)
        } else if info.contains("unknown anchor") {
            Some(self.unknown_anchor(&span))
        } else if info.contains("trailing content after") {
            Some(
                not_yaml("the quotes end, and something follows")
                    .hint("Inside double quotes, write `\\\"` for `\"`; or put the whole in single quotes.")
                    .at(span.clone()),
            )
        } else if info.contains("quoted scalar") {
            quote(info, &span)
        } else if info.contains("unexpected character") {
            let first: String = span.text.chars().skip(span.column - 1).take(1).collect();
            let detail = format!("a text without quotes cannot begin with `{first}`");
            Some(not_yaml(&detail).hint("Put the value in quotes.").at(span.clone()))
        } else if info.contains("mapping values") {
            self.mapping_values(place, &span)
        } else if info.contains("expected key") || info.contains("expected '-' indicator") {
            Some(self.indentation(place, &span))
        } else {
            self.unquoted_key(&span).or_else(|| self.open_bracket(info, place))
        };
        told.unwrap_or_else(|| {
            let diagnostic = not_yaml(info).at(span);
            if info.contains("scalar") || has_expression {
                return diagnostic.hint("Put the value in quotes.");
            }
            diagnostic
        })
    }

    /// Returns where the parser gave up; at the end of the file, the last character there is.
    fn place_of(&self, error: &ScanError) -> Place {
        let mark = error.marker();
        let (mut line, mut column) = (mark.line(), mark.col() + 1);
        let lines = self.text.lines().count();
        let width = |line: usize| self.line(line).chars().count();
        if line == 0 || line > lines || column > width(line) {
            line = (1..=lines.min(line.max(1))).rev().find(|&line| width(line) > 0).unwrap_or(1);
            column = width(line).max(1);
        }
        self.at(line, column, 1)
    }

    fn line(&self, line: usize) -> &str {
        self.files.line_of(self.file, line)
    }

    fn at(&self, line: usize, column: usize, length: usize) -> Place {
        let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Place { file: self.file, line: short(line), column: short(column), length: short(length) }
    }

    /// A tab in the indentation, on the line of a place or on the next that has anything.
    fn tab(&self, place: Place) -> Option<Diagnostic> {
        let first = place.line as usize;
        let (line, column) = (first..first + 2).find_map(|line| {
            let text = self.line(line);
            let indent = text.len() - text.trim_start_matches([' ', '\t']).len();
            text[..indent].find('\t').map(|at| (line, at + 1))
        })?;
        Some(
            Diagnostic::error("Not YAML")
                .detail("A tab stands in the indentation.")
                .hint("Indent with spaces: YAML takes no tabs there.")
                .at(self.files.span(self.at(line, column, 1))),
        )
    }

    fn unknown_anchor(&self, span: &Span) -> Diagnostic {
        let is_end = |c: char| c.is_whitespace() || ",[]{}".contains(c);
        let name: String =
            span.text.chars().skip(span.column).take_while(|c| !is_end(*c)).collect();
        let anchors: Vec<&str> = self
            .text
            .split_whitespace()
            .filter_map(|word| word.trim_start_matches(['[', '{']).strip_prefix('&'))
            .collect();
        let hint = nearest(&name, anchors)
            .map(|near| format!("Did you mean `*{near}`?"))
            .unwrap_or_else(|| format!("Mark what it stands for with `&{name}`; for a text that begins with `*`, use quotes."));
        let length = name.chars().count() + 1;
        Diagnostic::error(format!("There is no anchor `{name}`"))
            .detail("An alias stands for what an anchor before it in the same file marks.")
            .hint(hint)
            .at(Span { length, ..span.clone() })
    }

    /// A `: ` where none can be: inside a text without quotes, or below a line that lacks its own.
    fn mapping_values(&self, place: Place, span: &Span) -> Option<Diagnostic> {
        let column = place.column as usize;
        let before: String = span.text.chars().take(column - 1).collect();
        let value_at = before.find(": ").map(|at| at + 2);
        if let Some(at) = value_at {
            let value = span.text[at..].trim();
            let why = if value.contains("${") {
                "`: ` and ` #` mean something to YAML, inside an expression too."
            } else {
                "A value without quotes cannot hold `: `."
            };
            return Some(
                Diagnostic::error("Not YAML")
                    .detail(why)
                    .hint(format!("Put the value in quotes: `{}`.", quoted(value)))
                    .at(span.clone()),
            );
        }
        // Without a `:` of its own, the line before goes on here.
        let line = (1..place.line as usize).rev().find(|&line| {
            let text = self.line(line).trim();
            !text.is_empty() && !text.starts_with('#')
        })?;
        let text = self.line(line);
        let start = text.chars().take_while(|c| c.is_whitespace()).count();
        let length = text.trim().chars().count();
        let span = self.files.span(self.at(line, start + 1, length));
        let diagnostic = Diagnostic::error("Not YAML").at(span);
        Some(match text.trim().split_once(':') {
            Some((key, value)) if !value.is_empty() && !value.starts_with(' ') => diagnostic
                .detail("There is no space after the `:`, so the line is a text.")
                .hint(format!("Write `{key}: {value}`.")),
            _ => diagnostic
                .detail("There is no `:` on this line, and the next one is a mapping.")
                .hint(format!("Write `{}:`.", text.trim())),
        })
    }

    /// A line that is indented like none of its neighbors.
    fn indentation(&self, place: Place, span: &Span) -> Diagnostic {
        let indent = span.text.chars().take_while(|c| *c == ' ').count();
        if place.column as usize > indent + 1 {
            return not_yaml("what stands here belongs to nothing")
                .hint("Put the value in quotes, or this on a line of its own.")
                .at(span.clone());
        }
        let spaces = if indent == 1 { "1 space".to_owned() } else { format!("{indent} spaces") };
        let detail = format!("Nothing that this line could belong to is indented by {spaces}.");
        Diagnostic::error("Not YAML")
            .detail(detail)
            .hint("Indent it like the lines it belongs with.")
            .at(span.clone())
    }

    /// An address with a key, as `aws_instance.web[0]`, where `[` begins a list.
    fn unquoted_key(&self, span: &Span) -> Option<Diagnostic> {
        self.open.last()?;
        let chars: Vec<char> = span.text.chars().collect();
        let bracket = span.column.checked_sub(1).filter(|at| chars.get(*at) == Some(&'['))?;
        let is_name = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        let start = (0..bracket).rev().take_while(|at| is_name(chars[*at])).last()?;
        let end = (bracket..chars.len()).find(|at| chars[*at] == ']')? + 1;
        let token: String = chars[start..end].iter().collect();
        token.split_once('[').filter(|(address, _)| address.contains('.'))?;
        let diagnostic =
            Diagnostic::error("An address with a key must be quoted inside `[ ]` or `{ }`")
                .detail("There, YAML reads the `[` as the start of a list.")
                .hint(format!("Put it in quotes: `{}`.", quoted(&token)))
                .at(Span { column: start + 1, length: end - start, ..span.clone() });
        Some(diagnostic)
    }

    /// A `[` or `{` without its end.
    fn open_bracket(&self, info: &str, place: Place) -> Option<Diagnostic> {
        let about = ["flow", "indentation", "node content", "eof", "bracket"];
        if !about.iter().any(|it| info.contains(it)) {
            return None;
        }
        let open = *self.open.last()?;
        let bracket = self.line(open.line as usize).chars().nth(open.column as usize - 1)?;
        let end = match bracket {
            '[' => ']',
            '{' => '}',
            _ => return None,
        };
        let span = self.files.span(Place { length: 1, ..open });
        let here = (place.line, place.column);
        let at_end = self.text.lines().count() <= place.line as usize
            && self.line(place.line as usize).chars().count() <= place.column as usize
            && !info.contains("flow");
        let detail = if here == (open.line, open.column) || at_end {
            format!("The `{bracket}` is not closed.")
        } else {
            format!(
                "The `{bracket}` is not closed where the next thing begins, at line {}, column {}.",
                place.line, place.column
            )
        };
        let hint = format!("Close it with `{end}`, and put `,` between what stands inside.");
        Some(Diagnostic::error("Not YAML").detail(detail).hint(hint).at(span))
    }
}

fn not_yaml(info: &str) -> Diagnostic {
    let mut info = info.to_owned();
    if let Some(first) = info.get(..1).map(str::to_uppercase) {
        info.replace_range(..1, &first);
    }
    Diagnostic::error("Not YAML").detail(format!("{info}."))
}

/// A text in quotes that has no end, or a backslash in it.
fn quote(info: &str, span: &Span) -> Option<Diagnostic> {
    let diagnostic = Diagnostic::error("Not YAML").at(span.clone());
    if info.contains("escape") || info.contains("hexadecimal") {
        return Some(
            diagnostic
                .detail("In double quotes, a backslash begins an escape, and this is none.")
                .hint("Write `\\\\` for a backslash, or use single quotes."),
        );
    }
    let is_open = ["indentation", "end of stream", "document indicator"];
    is_open.iter().any(|it| info.contains(it)).then(|| {
        diagnostic.detail("The quotes are not closed.").hint("Close them at the end of the text.")
    })
}

/// Puts a value in the quotes that need no escapes.
fn quoted(value: &str) -> String {
    if value.contains('"') { format!("'{value}'") } else { format!("\"{value}\"") }
}

/// What to do about HCL.
pub(crate) const HCL: &str = "Write `resource: { aws_instance: { web: { … } } }`, or convert the file with a tool such as `hcl2json`: JSON is YAML, too.";

/// Tells whether a text is Terraform's own language.
pub(crate) fn is_hcl(text: &str) -> bool {
    const BLOCKS: [&str; 12] = [
        "resource",
        "data",
        "variable",
        "output",
        "provider",
        "locals",
        "terraform",
        "module",
        "check",
        "moved",
        "removed",
        "import",
    ];
    text.lines().any(|line| {
        let first = line.split([' ', '{']).next().unwrap_or_default();
        let head = line.split_once('{').map_or(":", |(head, _)| head);
        BLOCKS.contains(&first) && !head.contains(':')
    })
}

/// Names the commonest slip of all.
pub(super) fn unquoted(files: &Files, place: Place) -> Box<Diagnostic> {
    let span = files.span(place);
    let is_expression = span.text.contains("${") || span.text.contains("%{");
    if !is_expression {
        let diagnostic = Diagnostic::error("A key must be a text");
        return Box::new(diagnostic.detail("This one is a list or a mapping.").at(span));
    }
    let diagnostic = Diagnostic::error("An expression inside `[ ]` or `{ }` must be quoted")
        .detail("There, YAML reads the `{` of `${` as the start of a mapping.");
    Box::new(match token(&span) {
        Some((start, token)) => diagnostic
            .hint(format!("Put it in quotes: `{}`.", quoted(&token)))
            .at(Span { column: start + 1, length: token.chars().count(), ..span }),
        None => {
            diagnostic.hint("Put it in double quotes, as in `[\"${aws_subnet.a.id}\"]`.").at(span)
        }
    })
}

/// Returns the text that holds the expression at a span, and at which character it begins.
fn token(span: &Span) -> Option<(usize, String)> {
    let chars: Vec<char> = span.text.chars().collect();
    let opens = |at: usize| chars[at] == '{' && at > 0 && matches!(chars[at - 1], '$' | '%');
    let here = (span.column - 1).min(chars.len().checked_sub(1)?);
    let brace = (0..=here).rev().find(|&at| opens(at))?;
    let mut depth = 0_usize;
    let close = (brace..chars.len()).find(|&at| {
        match chars[at] {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth == 0
    })?;
    let start = (0..brace - 1).rev().find(|&at| " ,[{:".contains(chars[at])).map_or(0, |at| at + 1);
    let end = (close + 1..chars.len()).find(|&at| " ,]}".contains(chars[at]));
    let token = chars[start..end.unwrap_or(chars.len())].iter().collect();
    Some((start, token))
}
