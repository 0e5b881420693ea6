//! Conversion between types, sensitive marks, and the two functions that are evaluated lazily.

use reconcile_model::{Number, Object, Value};

use super::call::{ANY, Args, FLAG, Function, NUMBER, TEXT};
use super::fault::Fault;
use super::marks::{holds_hidden, is_hidden, is_marked, mark};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::raw(
        "can(expression)",
        "Whether the expression evaluates without an error.",
        &[ANY],
        |_| Ok(true.into()),
    )
    .lazy(),
    Function::raw(
        "issensitive(value)",
        "Whether the value itself is sensitive.",
        &[ANY],
        is_sensitive,
    ),
    Function::raw(
        "nonsensitive(value)",
        "The value, shown from here on. Marks on its items stay.",
        &[ANY],
        |args| Ok(args.value(0).bare().clone()),
    ),
    Function::raw(
        "sensitive(value)",
        "The value, hidden in all output from here on.",
        &[ANY],
        |args| Ok(mark(args.value(0).clone())),
    ),
    Function::whole(
        "tobool(value)",
        "A bool, from `\"true\"` and `\"false\"` too.",
        &[FLAG.nullable()],
        same,
    ),
    Function::shallow(
        "tolist(value)",
        "A list with items of one type; a set is a list already.",
        &[ANY.nullable()],
        to_list,
    ),
    Function::shallow("tomap(value)", "A map with values of one type.", &[ANY.nullable()], to_map),
    Function::whole(
        "tonumber(value)",
        "A number, from its decimal notation too.",
        &[NUMBER.nullable()],
        same,
    ),
    Function::raw(
        "toset(value)",
        "A set: the items sorted, each once, of one type.",
        &[ANY],
        to_set,
    ),
    Function::whole(
        "tostring(value)",
        "A string, from a number or bool too.",
        &[TEXT.nullable()],
        same,
    ),
    Function::raw(
        "try(expressions...)",
        "The first expression that evaluates without an error.",
        &[ANY, ANY.rest()],
        |args| Ok(args.value(0).clone()),
    )
    .lazy(),
    Function::shallow(
        "type(value)",
        "The value's type, as a type constraint.",
        &[ANY.nullable()],
        |args| Ok(type_of(args.value(0)).into()),
    ),
];

/// Converts to a string; the error follows the name of what was converted.
pub(super) fn text(value: &Value) -> Result<String, &'static str> {
    match value.bare() {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null => Err("must not be null"),
        Value::List(_) | Value::Map(_) => Err("must be a string, not a collection"),
        Value::Unknown | Value::Sensitive(_) | Value::Sealed(_) => Err("must be known"),
    }
}

/// Converts to a number; the error follows the name of what was converted.
pub(super) fn number(value: &Value) -> Result<Number, &'static str> {
    match value.bare() {
        Value::Number(number) => Ok(*number),
        Value::String(text) => Number::parse(text).ok_or("must be a number, and this text is none"),
        Value::Null => Err("must not be null"),
        Value::Bool(_) | Value::List(_) | Value::Map(_) => Err("must be a number"),
        Value::Unknown | Value::Sensitive(_) | Value::Sealed(_) => Err("must be known"),
    }
}

/// Converts to a bool; the error follows the name of what was converted.
pub(super) fn flag(value: &Value) -> Result<bool, &'static str> {
    match value.bare() {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) => match text.as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err("must be a bool: `true` or `false`, in lower case"),
        },
        Value::Null => Err("must not be null"),
        Value::Number(_) | Value::List(_) | Value::Map(_) => Err("must be a bool"),
        Value::Unknown | Value::Sensitive(_) | Value::Sealed(_) => Err("must be known"),
    }
}

/// What has to be done so that values have one type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unify {
    /// Nothing: they have.
    Keep,
    /// Some are strings and others convert to strings.
    Text,
}

impl Unify {
    /// Finds how values get one type; unknown values and nulls fit any.
    pub(super) fn of<'a>(values: impl Iterator<Item = &'a Value>) -> Result<Self, &'static str> {
        let [mut texts, mut numbers, mut flags, mut lists, mut maps] = [false; 5];
        for value in values {
            match value.bare() {
                Value::String(_) => texts = true,
                Value::Number(_) => numbers = true,
                Value::Bool(_) => flags = true,
                Value::List(_) => lists = true,
                Value::Map(_) => maps = true,
                Value::Null | Value::Unknown | Value::Sensitive(_) | Value::Sealed(_) => {}
            }
        }
        let scalars = texts || numbers || flags;
        match () {
            () if (lists && maps)
                || (scalars && (lists || maps))
                || (numbers && flags && !texts) =>
            {
                Err("must hold values of one type")
            }
            () if texts && (numbers || flags) => Ok(Self::Text),
            () => Ok(Self::Keep),
        }
    }

    /// Converts one of the values; its mark stays.
    pub(super) fn apply(self, value: &Value) -> Value {
        match (self, text(value)) {
            (Self::Text, Ok(text)) if is_marked(value) => Value::from(text).sensitive(),
            (Self::Text, Ok(text)) => text.into(),
            (Self::Keep | Self::Text, _) => value.clone(),
        }
    }
}

/// Returns the items as a set: of one type, sorted, each once.
pub(super) fn set(items: &[Value]) -> Result<Vec<Value>, &'static str> {
    let unify = Unify::of(items.iter())?;
    let mut set: Vec<Value> = items.iter().map(|item| unify.apply(item)).collect();
    set.sort();
    set.dedup();
    Ok(set)
}

fn same(args: &Args<'_>) -> Result<Value, Fault> {
    Ok(args.value(0).clone())
}

fn is_sensitive(args: &Args<'_>) -> Result<Value, Fault> {
    Ok(match args.value(0) {
        Value::Sensitive(_) | Value::Sealed(_) => true.into(),
        // What is not known yet may still turn out to be sensitive.
        Value::Unknown => Value::Unknown,
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Map(_) => false.into(),
    })
}

fn to_list(args: &Args<'_>) -> Result<Value, Fault> {
    let Value::List(items) = args.value(0) else { return null_or(args, "must be a list or set") };
    let unify = Unify::of(items.iter()).map_err(|must| Fault::at(0, must))?;
    Ok(Value::List(items.iter().map(|item| unify.apply(item)).collect()))
}

fn to_map(args: &Args<'_>) -> Result<Value, Fault> {
    let Value::Map(members) = args.value(0) else {
        return null_or(args, "must be a map or object");
    };
    let unify = Unify::of(members.values()).map_err(|must| Fault::at(0, must))?;
    Ok(Value::Map(members.iter().map(|(k, v)| (k.clone(), unify.apply(v))).collect::<Object>()))
}

/// A set has no room for marks on single items, since its order would tell about them; and while one of several items is
/// unknown, so is how many there are.
fn to_set(args: &Args<'_>) -> Result<Value, Fault> {
    let value = args.value(0);
    let result = match value.bare() {
        Value::List(items) if items.len() > 1 && holds_hidden(value) => Value::Unknown,
        Value::List(items) if items.iter().any(is_hidden) => value.clone(),
        Value::List(_) => {
            let plain = value.unmarked();
            set(plain.as_list().unwrap_or_default()).map_err(|must| Fault::at(0, must))?.into()
        }
        Value::Null | Value::Unknown => value.clone(),
        Value::Sealed(_) => Value::Unknown,
        Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Map(_)
        | Value::Sensitive(_) => {
            return Err(Fault::at(0, "must be a list or set"));
        }
    };
    Ok(if value.has_sensitive() { mark(result) } else { result })
}

fn null_or(args: &Args<'_>, must: &'static str) -> Result<Value, Fault> {
    if args.value(0).is_null() { Ok(Value::Null) } else { Err(Fault::at(0, must)) }
}

fn type_of(value: &Value) -> String {
    match value.bare() {
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::List(items) => {
            format!("tuple([{}])", items.iter().map(type_of).collect::<Vec<_>>().join(", "))
        }
        Value::Map(members) => {
            let member = |(name, value): (&String, &Value)| format!("{name} = {}", type_of(value));
            format!("object({{{}}})", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Unknown | Value::Sensitive(_) | Value::Sealed(_) => "any".to_owned(),
    }
}

#[cfg(test)]
mod tests;
