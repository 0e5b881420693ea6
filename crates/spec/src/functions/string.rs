//! Strings. Characters are counted as people see them, in grapheme clusters.

use std::collections::BTreeSet;

use reconcile_model::Value;
use unicode_segmentation::UnicodeSegmentation as _;

use super::bounds::{Text, too_much_text};
use super::call::{Args, Function, LIST, NUMBER, TEXT};
use super::fault::Fault;
use super::{MAX_TEXT_BYTES, convert};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::whole(
        "chomp(string)",
        "The string without the line ends at its end.",
        &[TEXT],
        |args| Ok(args.text(0).trim_end_matches(['\r', '\n']).into()),
    ),
    Function::whole(
        "endswith(string, suffix)",
        "Whether the string ends with the suffix.",
        &[TEXT, TEXT],
        |args| Ok(args.text(0).ends_with(args.text(1)).into()),
    ),
    Function::whole(
        "indent(spaces, string)",
        "The string with spaces in front of each line but the first.",
        &[NUMBER, TEXT],
        indent,
    ),
    Function::whole(
        "join(separator, lists...)",
        "The items of the lists in one string, with the separator between them.",
        &[TEXT, LIST.rest()],
        join,
    ),
    Function::whole("lower(string)", "The string in lower case.", &[TEXT], |args| {
        Ok(args.text(0).chars().map(lower).collect::<String>().into())
    }),
    Function::whole(
        "split(separator, string)",
        "The list of what stands between the separators.",
        &[TEXT, TEXT],
        split,
    ),
    Function::whole(
        "startswith(string, prefix)",
        "Whether the string begins with the prefix.",
        &[TEXT, TEXT],
        |args| Ok(args.text(0).starts_with(args.text(1)).into()),
    ),
    Function::whole(
        "strcontains(string, substring)",
        "Whether the substring occurs in the string.",
        &[TEXT, TEXT],
        |args| Ok(args.text(0).contains(args.text(1)).into()),
    ),
    Function::whole("strrev(string)", "The string backwards.", &[TEXT], |args| {
        Ok(args.text(0).graphemes(true).rev().collect::<String>().into())
    }),
    Function::whole(
        "substr(string, offset, length)",
        "The part at the offset, from the end if negative; length -1 is all the rest.",
        &[TEXT, NUMBER, NUMBER],
        substr,
    ),
    Function::whole(
        "title(string)",
        "The string with the first letter of each word in upper case.",
        &[TEXT],
        title,
    ),
    Function::whole(
        "trim(string, characters)",
        "The string without these characters at both ends.",
        &[TEXT, TEXT],
        trim,
    ),
    Function::whole(
        "trimprefix(string, prefix)",
        "The string without the prefix.",
        &[TEXT, TEXT],
        |args| Ok(args.text(0).strip_prefix(args.text(1)).unwrap_or(args.text(0)).into()),
    ),
    Function::whole(
        "trimspace(string)",
        "The string without white space at both ends.",
        &[TEXT],
        |args| Ok(args.text(0).trim().into()),
    ),
    Function::whole(
        "trimsuffix(string, suffix)",
        "The string without the suffix.",
        &[TEXT, TEXT],
        |args| Ok(args.text(0).strip_suffix(args.text(1)).unwrap_or(args.text(0)).into()),
    ),
    Function::whole("upper(string)", "The string in upper case.", &[TEXT], |args| {
        Ok(args.text(0).chars().map(upper).collect::<String>().into())
    }),
];

/// Maps one character to one, as Go does: `ß`, whose upper case is two letters, stays.
fn upper(letter: char) -> char {
    let mut mapped = letter.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => letter,
    }
}

/// Maps one character to one, as Go does: `İ` becomes `i` without a mark of its own.
fn lower(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

fn indent(args: &Args<'_>) -> Result<Value, Fault> {
    let (spaces, text) = (args.count(0)?, args.text(1));
    let lines = text.matches('\n').count();
    let grown = spaces.checked_mul(lines).and_then(|more| more.checked_add(text.len()));
    if grown.is_none_or(|bytes| bytes > MAX_TEXT_BYTES) {
        return Err(too_much_text());
    }
    if lines == 0 {
        return Ok(text.into());
    }
    Ok(text.replace('\n', &format!("\n{}", " ".repeat(spaces))).into())
}

fn join(args: &Args<'_>) -> Result<Value, Fault> {
    let separator = args.text(0);
    let mut joined = Text::default();
    let mut first = true;
    for (list, items) in args.from(1).enumerate() {
        for (item, value) in items.as_list().unwrap_or_default().iter().enumerate() {
            let text =
                convert::text(value).map_err(|must| Fault::at(list + 1, must).within(item))?;
            if !first {
                joined.push(separator)?;
            }
            joined.push(&text)?;
            first = false;
        }
    }
    Ok(joined.finish().into())
}

fn split(args: &Args<'_>) -> Result<Value, Fault> {
    let (separator, text) = (args.text(0), args.text(1));
    Ok(if separator.is_empty() {
        text.chars().map(String::from).collect::<Vec<_>>().into()
    } else {
        text.split(separator).collect::<Vec<_>>().into()
    })
}

fn substr(args: &Args<'_>) -> Result<Value, Fault> {
    let (text, offset, length) = (args.text(0), args.whole(1)?, args.whole(2)?);
    let clusters = text.graphemes(true);
    let skip = match usize::try_from(offset) {
        Ok(offset) => offset,
        Err(_) => {
            let back = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            clusters.clone().count().saturating_sub(back)
        }
    };
    let take = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(clusters.skip(skip).take(take).collect::<String>().into())
}

fn title(args: &Args<'_>) -> Result<Value, Fault> {
    let mut inside = false;
    let letter = |letter: char| {
        let titled = if inside { letter } else { upper(letter) };
        inside = letter.is_alphanumeric()
            || letter == '_'
            || (!letter.is_ascii() && !letter.is_whitespace());
        titled
    };
    Ok(args.text(0).chars().map(letter).collect::<String>().into())
}

fn trim(args: &Args<'_>) -> Result<Value, Fault> {
    let set: BTreeSet<char> = args.text(1).chars().collect();
    Ok(args.text(0).trim_matches(|letter| set.contains(&letter)).into())
}

#[cfg(test)]
mod tests;
