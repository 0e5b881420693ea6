//! Values as text: quoting, escaping, measuring, and breaking.

use reconcile_model::{Value, diff::Label};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Stands for a value that no output may show.
pub(crate) const SENSITIVE: &str = "(sensitive value)";
/// Stands for a value that only apply will tell.
pub(crate) const UNKNOWN: &str = "(known after apply)";

/// Returns how many columns the text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Tells whether a character could make the text look like another on a screen: control characters, which may be
/// terminal sequences, and those that turn the direction of writing or take no space. (Unicode Technical Report 36.)
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Returns one line of text, safe to show: what could deceive is escaped.
pub(crate) fn plain(text: &str) -> String {
    escape(text, |_| false)
}

/// Returns a string in quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// Returns a string as it stands between quotes.
pub(crate) fn escaped(text: &str) -> String {
    escape(text, |c| matches!(c, '"' | '\\'))
}

fn escape(text: &str, also: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_deceptive(c) => out.extend(c.escape_unicode()),
            c if also(c) => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Returns one line of a longer text, safe to show; tabs stay as they are in scripts, as four spaces.
pub(crate) fn source_line(text: &str) -> String {
    text.split('\t').map(plain).collect::<Vec<_>>().join("    ")
}

/// Returns a value on one line.
pub(crate) fn inline(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::List(items) => {
            format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Map(object) if object.is_empty() => "{}".to_owned(),
        Value::Map(object) => {
            let entry = |(k, v): (&String, &Value)| format!("{} = {}", quoted(k), inline(v));
            format!("{{ {} }}", object.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Value::Unknown => UNKNOWN.to_owned(),
        Value::Sensitive(_) | Value::Sealed(_) => SENSITIVE.to_owned(),
    }
}

/// Returns the name that stands before a value; none for an element.
pub(crate) fn label(label: &Label) -> String {
    match label {
        Label::Attribute(name) => plain(name),
        Label::Key(key) => quoted(key),
        Label::Element => String::new(),
    }
}

/// Breaks text at spaces into lines of at most `columns`; a longer word stays whole. Its own line ends are kept.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut words = paragraph.split(' ');
        let mut line = words.next().unwrap_or_default().to_owned();
        for word in words {
            if width(&line) + 1 + width(word) > columns && !line.trim().is_empty() {
                lines.push(std::mem::replace(&mut line, word.to_owned()));
            } else {
                line.push(' ');
                line.push_str(word);
            }
        }
        lines.push(line);
    }
    lines
}

/// Cuts text into pieces of at most `columns`, wherever that falls; at least one character each.
pub(crate) fn chunks(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut taken = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if taken + wide > columns && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            taken = 0;
        }
        line.push(c);
        taken += wide;
    }
    lines.push(line);
    lines
}

/// Returns a count with its noun: "1 attribute", "2 attributes".
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_is_escaped() {
        assert_eq!(quoted("a\"b\\\n\t\u{1b}[31m\u{202e}"), r#""a\"b\\\n\t\u{1b}[31m\u{202e}""#);
        assert_eq!(quoted("서울 é 👩‍💻"), "\"서울 é 👩‍💻\"");
    }

    #[test]
    fn text_breaks_at_spaces_and_wide_characters_count_twice() {
        assert_eq!(wrap("ab cd ef\nlong-word x", 5), ["ab cd", "ef", "long-word", "x"]);
        assert_eq!(wrap("  indented", 40), ["  indented"]);
        assert_eq!(wrap("서울 서울", 5), ["서울", "서울"]);
        assert_eq!(chunks("서울서울", 5), ["서울", "서울"]);
        assert_eq!(chunks("", 5), [""]);
    }
}
