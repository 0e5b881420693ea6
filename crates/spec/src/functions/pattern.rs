//! Regular expressions, in the syntax of the `regex` crate.
//!
//! It has RE2's properties and nearly its syntax: time linear in the text, no look-around, no references back. So what
//! Terraform takes is taken here.

use reconcile_model::{Object, Value};
use regex::{Captures, Regex};

use super::bounds::Text;
use super::call::{Args, Function, TEXT};
use super::fault::Fault;

/// The most bytes that are searched for all matches: with some patterns, the time grows with their square.
const MAX_SEARCHED: usize = 1 << 20;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::whole(
        "regex(pattern, string)",
        "The first match: its text, or a list of its groups, or a map of its named groups.",
        &[TEXT, TEXT],
        regex,
    ),
    Function::whole(
        "regexall(pattern, string)",
        "The list of all matches, each as `regex` has it.",
        &[TEXT, TEXT],
        regex_all,
    ),
    Function::whole(
        "replace(string, substring, replacement)",
        "The string with each occurrence replaced; `/x/` is a pattern, and `$1` or `${name}` its groups.",
        &[TEXT, TEXT, TEXT],
        replace,
    ),
];

fn compile(args: &Args<'_>, index: usize, pattern: &str) -> Result<Regex, Fault> {
    let compiled = Regex::new(pattern).map_err(|error| {
        // The crate draws the pattern over several lines; what is wrong stands in the last.
        let shown = error.to_string();
        let last = shown.lines().last().unwrap_or_default();
        Fault::at(index, "must be a regular expression").detail(last.trim_start_matches("error: "))
    })?;
    let named = compiled.capture_names().flatten().count();
    // A replacement may mix groups; the result of a match has a shape for either kind only.
    if args.has(2) || named == 0 || named + 1 == compiled.captures_len() {
        return Ok(compiled);
    }
    Err(Fault::at(index, "must not mix named groups and groups without a name"))
}

/// Refuses text that is too long to be searched for all matches.
fn check_length(args: &Args<'_>, index: usize) -> Result<(), Fault> {
    if args.text(index).len() > MAX_SEARCHED {
        return Err(Fault::at(
            index,
            "must not be longer than 1 MiB to be searched with a pattern",
        ));
    }
    Ok(())
}

fn capture(pattern: &Regex, found: &Captures<'_>) -> Value {
    let group = |index: usize| Value::from(found.get(index).map(|group| group.as_str()));
    let named = |(index, name): (usize, Option<&str>)| Some((name?.to_owned(), group(index)));
    if pattern.captures_len() == 1 {
        group(0)
    } else if pattern.capture_names().flatten().next().is_some() {
        Value::Map(pattern.capture_names().enumerate().filter_map(named).collect::<Object>())
    } else {
        (1..pattern.captures_len()).map(group).collect::<Vec<_>>().into()
    }
}

fn regex(args: &Args<'_>) -> Result<Value, Fault> {
    let pattern = compile(args, 0, args.text(0))?;
    let found = pattern.captures(args.text(1));
    let found = found.ok_or_else(|| Fault::at(0, "matches nothing in the string"))?;
    Ok(capture(&pattern, &found))
}

fn regex_all(args: &Args<'_>) -> Result<Value, Fault> {
    check_length(args, 1)?;
    let pattern = compile(args, 0, args.text(0))?;
    let found = pattern.captures_iter(args.text(1));
    Ok(found.map(|found| capture(&pattern, &found)).collect::<Vec<_>>().into())
}

fn replace(args: &Args<'_>) -> Result<Value, Fault> {
    let (text, substring, replacement) = (args.text(0), args.text(1), args.text(2));
    let mut result = Text::default();
    let mut done = 0;
    let quoted = substring.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    if let Some(pattern) = quoted {
        check_length(args, 0)?;
        let pattern = compile(args, 1, pattern)?;
        for found in pattern.captures_iter(text) {
            let whole = found.get_match();
            result.push(&text[done..whole.start()])?;
            let mut expanded = String::new();
            found.expand(replacement, &mut expanded);
            result.push(&expanded)?;
            done = whole.end();
        }
    } else {
        for (start, found) in text.match_indices(substring) {
            result.push(&text[done..start])?;
            result.push(replacement)?;
            done = start + found.len();
        }
    }
    result.push(&text[done..])?;
    Ok(result.finish().into())
}

#[cfg(test)]
mod tests;
