//! Patterns for paths, which are turned into regular expressions.

use std::fmt::Write as _;

use regex::Regex;

/// Compiles a pattern. The error says what is wrong with it.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    let mut regex = String::from("(?s)^");
    let mut rest = pattern;
    let mut depth = 0_usize;
    while let Some(letter) = rest.chars().next() {
        let (part, length) = match letter {
            // `a/**/b` matches `a/b` too, and `**` at the end a whole tree.
            '*' if rest.starts_with("**/") => ("(?:.*/)?".to_owned(), 3),
            '*' if rest.starts_with("**") => (".*".to_owned(), 2),
            '*' => ("[^/]*".to_owned(), 1),
            '?' => ("[^/]".to_owned(), 1),
            '[' => class(rest)?,
            '{' => {
                depth += 1;
                ("(?:".to_owned(), 1)
            }
            ',' if depth > 0 => ("|".to_owned(), 1),
            '}' if depth > 0 => {
                depth -= 1;
                (")".to_owned(), 1)
            }
            '\\' => {
                let escaped = rest[1..].chars().next().ok_or("`\\` at the end escapes nothing")?;
                (regex::escape(escaped.encode_utf8(&mut [0; 4])), 1 + escaped.len_utf8())
            }
            _ => (regex::escape(letter.encode_utf8(&mut [0; 4])), letter.len_utf8()),
        };
        regex.push_str(&part);
        rest = &rest[length..];
    }
    if depth > 0 {
        return Err("`{` has no `}`".to_owned());
    }
    regex.push('$');
    Regex::new(&regex).map_err(|_| "it is too large, or a range in `[ ]` runs backwards".to_owned())
}

/// Turns `[a-z]`, `[^a-z]`, or `[!a-z]` into a class that never matches a slash, and returns how long it was.
fn class(text: &str) -> Result<(String, usize), String> {
    let inner = text.get(1..).unwrap_or_default();
    let end = inner.find(']').filter(|end| *end > 0).ok_or("`[` has no `]`, or nothing in it")?;
    let inside = &inner[..end];
    let (not, members) = match inside.strip_prefix(['^', '!']) {
        Some(members) => ("^/", members),
        None => ("", inside),
    };
    if members.is_empty() {
        return Err("`[ ]` has nothing in it".to_owned());
    }
    let mut class = format!("[{not}");
    for letter in members.chars() {
        match letter {
            '-' => class.push('-'),
            letter if letter.is_alphanumeric() => class.push(letter),
            letter => {
                let _ = write!(class, "\\x{{{:x}}}", u32::from(letter));
            }
        }
    }
    class.push(']');
    Ok((class, end + 2))
}
