//! Formatting after a specification, as C and Go have it.
//!
//! A verb is `%`, flags out of `-+ 0#`, a width, a `.` and a precision, the number of an argument in brackets, and a
//! letter: `%-10s`, `%05.2f`, `%[2]d`. Widths and precisions of strings count characters as people see them.

mod float;
mod verb;

use reconcile_model::Value;

use super::MAX_ITEMS;
use super::bounds::{Text, too_many_items};
use super::call::{ANY, Args, Function, TEXT};
use super::fault::Fault;
use super::marks::holds_hidden;
use verb::{Piece, parse};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::whole(
        "format(spec, values...)",
        "The specification with its verbs replaced by the values.",
        &[TEXT, ANY.nullable().rest()],
        |args| {
            let values: Vec<&Value> = args.from(1).collect();
            Ok(format(args.text(0), &values)?.into())
        },
    ),
    Function::shallow(
        "formatlist(spec, values...)",
        "`format` for each item of the lists among the values; other values stay the same.",
        &[TEXT, ANY.nullable().rest()],
        format_list,
    ),
];

/// Formats values that are known and not marked.
fn format(spec: &str, values: &[&Value]) -> Result<String, Fault> {
    let mut text = Text::default();
    let (mut next, mut used) = (0, 0);
    for piece in parse(spec)? {
        match piece {
            Piece::Literal(literal) => text.push(literal)?,
            Piece::Verb(verb) => {
                let index = verb.argument.unwrap_or(next);
                let value = values.get(index).ok_or_else(|| {
                    Fault::new(format!(
                        "the specification needs at least {} values, and there are {}",
                        index + 1,
                        values.len()
                    ))
                })?;
                text.push(&verb.render(value).map_err(|must| Fault::at(index + 1, must))?)?;
                next = index + 1;
                used = used.max(next);
            }
        }
    }
    if used < values.len() {
        return Err(Fault::new(format!(
            "the specification uses {used} values, and there are {}",
            values.len()
        )));
    }
    Ok(text.finish())
}

fn format_list(args: &Args<'_>) -> Result<Value, Fault> {
    let mut length = None;
    for (index, value) in args.from(1).enumerate() {
        if let Value::List(items) = value {
            if length.is_some_and(|length| length != items.len()) {
                return Err(Fault::at(index + 1, "must be as long as the other lists"));
            }
            length = Some(items.len());
        }
    }
    let length = length.unwrap_or(1);
    let total = length.checked_mul(args.from(1).len() + 1);
    if total.is_none_or(|total| total > MAX_ITEMS) {
        return Err(too_many_items());
    }
    let mut formatted = Vec::with_capacity(length);
    let mut bytes = 0;
    for item in 0..length {
        let values: Vec<&Value> = args.from(1).map(|value| at(value, item)).collect();
        let marked = values.iter().any(|value| value.has_sensitive());
        let result = if values.iter().any(|value| holds_hidden(value)) {
            Value::Unknown
        } else {
            let plain: Vec<Value> = values.into_iter().map(Value::unmarked).collect();
            let plain: Vec<&Value> = plain.iter().collect();
            Value::from(format(args.text(0), &plain).map_err(|fault| fault.within(item))?)
        };
        bytes += result.as_str().map_or(0, str::len);
        if bytes > super::MAX_TEXT_BYTES {
            return Err(super::bounds::too_much_text());
        }
        formatted.push(if marked { result.sensitive() } else { result });
    }
    Ok(formatted.into())
}

/// Returns an item of a list; any other value is the same for all items.
fn at(value: &Value, item: usize) -> &Value {
    if let Value::List(items) = value { &items[item] } else { value }
}

#[cfg(test)]
mod tests;
