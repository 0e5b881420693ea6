//! Text that is not ours, made safe to stand in Markdown.

use crate::quote::plain;

/// Returns the longest run of backticks in a text.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// Returns a text as inline code. Nothing in code is a link, a mention, or markup.
pub(super) fn code(text: &str) -> String {
    let text = plain(text);
    let ticks = "`".repeat(longest_run(&text) + 1);
    // One space on either side is not part of the code, and keeps backticks of the text apart from ours.
    let needs_room = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) || text.is_empty();
    let room = if needs_room { " " } else { "" };
    format!("{ticks}{room}{text}{room}{ticks}")
}

/// Returns lines in a fence that no line of them can close.
pub(super) fn fence(language: &str, lines: &str) -> String {
    let ticks = "`".repeat(longest_run(lines).max(2) + 1);
    format!("{ticks}{language}\n{lines}{ticks}\n")
}

/// Returns one line of text as it stands in HTML.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Returns a word as a shell takes it for one.
pub(crate) fn shell(word: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(is_bare) {
        return word.to_owned();
    }
    format!("'{}'", plain(word).replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_fences_outlast_backticks() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a``"), "``` `a`` ```");
        assert_eq!(code("a\nb"), "`a\\nb`");
        assert_eq!(fence("diff", "+ ````\n"), "`````diff\n+ ````\n`````\n");
    }

    #[test]
    fn words_are_quoted_for_the_shell() {
        assert_eq!(shell("specs/lab-web"), "specs/lab-web");
        assert_eq!(shell("aws_instance.web[\"a\"]"), "'aws_instance.web[\"a\"]'");
        assert_eq!(shell("it's; rm -rf $HOME"), r"'it'\''s; rm -rf $HOME'");
        assert_eq!(shell(""), "''");
    }
}
