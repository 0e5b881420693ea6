//! Dates and times that the spec states. What the time is now, no function tells.

mod timestamp;

use reconcile_model::Value;

use super::bounds::Text;
use super::call::{Args, Function, TEXT};
use super::fault::Fault;
use timestamp::Timestamp;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::whole(
        "formatdate(spec, timestamp)",
        "The time in another format, as `YYYY-MM-DD hh:mm:ss ZZZZ`.",
        &[TEXT, TEXT],
        format_date,
    ),
    Function::whole(
        "timeadd(timestamp, duration)",
        "The time that is later, or earlier, by a duration like `1h30m` or `-10m`.",
        &[TEXT, TEXT],
        |args| {
            let time = parse(args, 0)?;
            let wants = "must be a duration: numbers with the units h, m, s, ms, us, ns";
            let duration = timestamp::duration(args.text(1));
            let duration = duration.ok_or_else(|| Fault::at(1, wants).quoting(args.text(1)))?;
            let later = time.add(duration);
            Ok(later
                .ok_or_else(|| Fault::new("the result is not in the years 0 to 9999"))?
                .to_string()
                .into())
        },
    ),
    Function::whole(
        "timecmp(first, second)",
        "-1, 0, or 1, as the first time is before, at, or after the second.",
        &[TEXT, TEXT],
        |args| {
            let (first, second) = (parse(args, 0)?, parse(args, 1)?);
            Ok(Value::from(first.instant().cmp(&second.instant()) as i64))
        },
    ),
];

fn parse(args: &Args<'_>, index: usize) -> Result<Timestamp, Fault> {
    let wants = "must be a time as RFC 3339 has it: `2006-01-02T15:04:05Z`";
    let text = args.text(index);
    Timestamp::parse(text).ok_or_else(|| Fault::at(index, wants).quoting(text))
}

fn format_date(args: &Args<'_>) -> Result<Value, Fault> {
    let time = parse(args, 1)?;
    let mut formatted = Text::default();
    let mut rest = args.text(0);
    while let Some(letter) = rest.chars().next() {
        if letter == '\'' {
            let (literal, after) = quoted(&rest[1..])?;
            formatted.push(&literal)?;
            rest = after;
            continue;
        }
        let length = rest.find(|other| other != letter).unwrap_or(rest.len());
        let (verb, after) = rest.split_at(length);
        if letter.is_ascii_alphabetic() {
            let shown = time.show(verb).ok_or_else(|| {
                Fault::at(
                    0,
                    "has a verb that is not understood; put plain letters between single quotes",
                )
                .quoting(verb)
            })?;
            formatted.push(&shown)?;
        } else {
            formatted.push(verb)?;
        }
        rest = after;
    }
    Ok(formatted.finish().into())
}

/// Reads literal text up to the quote that ends it; two quotes stand for one.
fn quoted(text: &str) -> Result<(String, &str), Fault> {
    // Outside of literal text, too, two quotes stand for one.
    if let Some(after) = text.strip_prefix('\'') {
        return Ok(("'".to_owned(), after));
    }
    let mut literal = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest
            .split_once('\'')
            .ok_or_else(|| Fault::at(0, "has a single quote that is not closed"))?;
        literal.push_str(part);
        match after.strip_prefix('\'') {
            Some(after) => {
                literal.push('\'');
                rest = after;
            }
            None => return Ok((literal, after)),
        }
    }
}

#[cfg(test)]
mod tests;
