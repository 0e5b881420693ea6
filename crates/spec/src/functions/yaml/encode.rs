//! Writing YAML as Terraform does: block style, keys and strings in double quotes, text of several lines as a literal.

use std::fmt::Write as _;

use reconcile_model::Value;

use super::super::fault::Fault;

/// The longest key that YAML takes without a mark of its own (YAML 1.2, 7.4.2).
const MAX_KEY: usize = 1024;

/// Writes a value that is known.
pub(super) fn encode(value: &Value) -> Result<String, Fault> {
    let mut yaml = String::new();
    match value {
        Value::List(_) | Value::Map(_) | Value::String(_) => write(value, 0, true, &mut yaml)?,
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Unknown
        | Value::Sensitive(_)
        | Value::Sealed(_) => {
            // A bare scalar needs the end of the document, or more could follow it.
            write(value, 0, true, &mut yaml)?;
            yaml.push_str("...\n");
        }
    }
    Ok(yaml)
}

/// Writes a value whose lines but the first are indented so deep. `open` says whether a collection may begin where the
/// text stands, at the start of a line or after the `- ` of a list.
fn write(value: &Value, indent: usize, open: bool, yaml: &mut String) -> Result<(), Fault> {
    match value {
        Value::List(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 || !open {
                    line(indent, yaml);
                }
                yaml.push_str("- ");
                write(item, indent + 2, true, yaml)?;
            }
        }
        Value::Map(members) if !members.is_empty() => {
            for (index, (key, member)) in members.iter().enumerate() {
                if index > 0 || !open {
                    line(indent, yaml);
                }
                let key = quote(key);
                if key.len() > MAX_KEY {
                    return Err(Fault::at(0, "has a key that is too long for YAML"));
                }
                yaml.push_str(&key);
                yaml.push(':');
                let deeper = match member {
                    // The items of a list stand as deep as its key.
                    Value::List(items) if !items.is_empty() => Some(indent),
                    Value::Map(members) if !members.is_empty() => Some(indent + 2),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::String(_)
                    | Value::List(_)
                    | Value::Map(_)
                    | Value::Unknown
                    | Value::Sensitive(_)
                    | Value::Sealed(_) => None,
                };
                yaml.push(if deeper.is_some() { '\n' } else { ' ' });
                write(member, deeper.unwrap_or(indent + 2), deeper.is_none(), yaml)?;
            }
        }
        Value::List(_) => yaml.push_str("[]\n"),
        Value::Map(_) => yaml.push_str("{}\n"),
        Value::String(text) if is_literal(text) => literal(text, indent.max(2), yaml),
        Value::String(text) => {
            yaml.push_str(&quote(text));
            yaml.push('\n');
        }
        Value::Bool(flag) => yaml.push_str(if *flag { "true\n" } else { "false\n" }),
        Value::Number(number) => {
            yaml.push_str(&number.to_string());
            yaml.push('\n');
        }
        // A call hands on neither what is unknown nor marks.
        Value::Null | Value::Unknown | Value::Sensitive(_) | Value::Sealed(_) => {
            yaml.push_str("null\n");
        }
    }
    Ok(())
}

/// Indents a line that begins here.
fn line(indent: usize, yaml: &mut String) {
    yaml.extend(std::iter::repeat_n(' ', indent));
}

/// Tells whether text can stand as a literal and be read back the same.
fn is_literal(text: &str) -> bool {
    let plain = |letter: char| {
        letter == '\n' || letter == '\t' || !must_escape(letter) && !letter.is_control()
    };
    text.contains('\n')
        && !text.starts_with(['\n', ' ', '\t'])
        && text.chars().all(plain)
        && text.lines().all(|line| line.trim_end_matches([' ', '\t']).len() == line.len())
}

fn literal(text: &str, indent: usize, yaml: &mut String) {
    let ends = text.len() - text.trim_end_matches('\n').len();
    yaml.push_str(match ends {
        0 => "|-\n",
        1 => "|\n",
        _ => "|+\n",
    });
    for content in text.lines() {
        if !content.is_empty() {
            line(indent, yaml);
        }
        yaml.push_str(content);
        yaml.push('\n');
    }
}

/// Tells whether YAML counts a character that JSON does not escape as not printable.
fn must_escape(letter: char) -> bool {
    matches!(
        letter,
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    for letter in serde_json::Value::from(text).to_string().chars() {
        if must_escape(letter) {
            let _ = write!(quoted, "\\u{:04x}", u32::from(letter));
        } else {
            quoted.push(letter);
        }
    }
    quoted
}
