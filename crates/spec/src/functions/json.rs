//! JSON.

use std::fmt::Write as _;

use reconcile_model::Value;

use super::call::{ANY, Function, TEXT};
use super::fault::Fault;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::whole(
        "jsondecode(string)",
        "The value that the JSON document stands for.",
        &[TEXT],
        |args| {
            let json = serde_json::from_str(args.text(0));
            let json =
                json.map_err(|error| Fault::at(0, "must be a JSON document").detail(error))?;
            Ok(Value::from_json(&json))
        },
    ),
    Function::whole(
        "jsonencode(value)",
        "The value as JSON on one line, its keys sorted; `<`, `>`, and `&` are escaped.",
        &[ANY.nullable()],
        |args| Ok(encode(args.value(0)).into()),
    ),
];

/// Writes a value that is known as JSON. Whatever HTML could mistake is escaped, as Go does.
pub(super) fn encode(value: &Value) -> String {
    let mut json = String::new();
    write(value, &mut json);
    json
}

/// Writes text as a JSON string.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    for letter in serde_json::Value::from(text).to_string().chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(letter));
            }
            _ => quoted.push(letter),
        }
    }
    quoted
}

fn write(value: &Value, json: &mut String) {
    match value.bare() {
        // A call hands on neither what is unknown nor marks.
        Value::Null | Value::Unknown | Value::Sensitive(_) | Value::Sealed(_) => {
            json.push_str("null");
        }
        Value::Bool(flag) => json.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => json.push_str(&number.to_string()),
        Value::String(text) => json.push_str(&quote(text)),
        Value::List(items) => {
            json.push('[');
            for (index, item) in items.iter().enumerate() {
                json.push_str(if index > 0 { "," } else { "" });
                write(item, json);
            }
            json.push(']');
        }
        Value::Map(members) => {
            json.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                json.push_str(if index > 0 { "," } else { "" });
                json.push_str(&quote(key));
                json.push(':');
                write(member, json);
            }
            json.push('}');
        }
    }
}

#[cfg(test)]
mod tests;
