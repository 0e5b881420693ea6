//! Lists, and what counts for lists and maps alike.

use std::collections::BTreeSet;

use reconcile_model::{Number, Value};
use unicode_segmentation::UnicodeSegmentation as _;

use super::call::{ANY, Args, Function, LIST, NUMBER};
use super::fault::Fault;
use super::marks::{holds_hidden, is_hidden, is_marked, mark};
use super::{convert, number};

/// The most items that `range` makes: Terraform's own limit.
const MAX_RANGE: usize = 1024;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::partial(
        "alltrue(list)",
        "Whether all items are true; so it is of an empty list.",
        &[LIST],
        |args| all_are(args, true),
    ),
    Function::partial("anytrue(list)", "Whether any item is true.", &[LIST], |args| {
        all_are(args, false)
    }),
    Function::shallow(
        "chunklist(list, size)",
        "The list in lists of this size; size 0 is all in one.",
        &[LIST, NUMBER],
        chunk,
    ),
    Function::raw(
        "coalesce(values...)",
        "The first value that is neither null nor an empty string.",
        &[ANY, ANY.rest()],
        coalesce,
    ),
    Function::raw(
        "coalescelist(lists...)",
        "The first list that is not empty.",
        &[LIST, LIST.rest()],
        coalesce_list,
    ),
    Function::whole("compact(list)", "The strings without nulls and empty ones.", &[LIST], compact),
    Function::shallow(
        "concat(lists...)",
        "The items of all lists in one.",
        &[LIST, LIST.rest()],
        |args| {
            Ok(Value::List(args.from(0).filter_map(Value::as_list).flatten().cloned().collect()))
        },
    ),
    Function::partial(
        "contains(list, value)",
        "Whether the value is one of the items.",
        &[LIST, ANY.nullable()],
        contains,
    ),
    Function::whole(
        "distinct(list)",
        "The list with each item once, where it came first.",
        &[LIST],
        distinct,
    ),
    Function::shallow(
        "element(list, index)",
        "The item at the index, which wraps around in both directions.",
        &[LIST, NUMBER],
        element,
    ),
    Function::shallow(
        "flatten(list)",
        "The list with the items of lists in it, at any depth, in their place.",
        &[LIST],
        flatten,
    ),
    Function::whole(
        "index(list, value)",
        "The first place of the value, counted from 0.",
        &[LIST, ANY.nullable()],
        index,
    ),
    Function::shallow(
        "length(value)",
        "How many items a list, members a map, or characters a string has.",
        &[ANY],
        length,
    ),
    Function::shallow(
        "one(list)",
        "The only item of a list, or null of an empty one.",
        &[LIST],
        one,
    ),
    Function::whole(
        "range([start], limit, [step])",
        "The numbers from start up to the limit, without it; at most 1,024.",
        &[NUMBER, NUMBER.optional(), NUMBER.optional()],
        range,
    ),
    Function::shallow("reverse(list)", "The items, last first.", &[LIST], |args| {
        Ok(Value::List(args.list(0).iter().rev().cloned().collect()))
    }),
    Function::shallow(
        "slice(list, start, end)",
        "The items from start up to end, without the one at end.",
        &[LIST, NUMBER, NUMBER],
        slice,
    ),
    Function::whole("sort(list)", "The strings, sorted by code point.", &[LIST], |args| {
        let mut texts = args.texts(0)?;
        texts.sort();
        Ok(texts.into())
    }),
    Function::whole("sum(list)", "The sum of the numbers.", &[LIST], sum),
];

/// Tells whether all items are as wanted, negated when false is wanted: that is `anytrue`.
fn all_are(args: &Args<'_>, wanted: bool) -> Result<Value, Fault> {
    let mut waiting = false;
    for (item, value) in args.list(0).iter().enumerate() {
        if is_hidden(value) {
            waiting = true;
        } else {
            let flag = if value.is_null() { Ok(false) } else { convert::flag(value) };
            if flag.map_err(|must| Fault::at(0, must).within(item))? != wanted {
                return Ok((!wanted).into());
            }
        }
    }
    Ok(if waiting { Value::Unknown } else { wanted.into() })
}

fn chunk(args: &Args<'_>) -> Result<Value, Fault> {
    let (list, size) = (args.list(0), args.count(1)?);
    let size = if size == 0 { list.len().max(1) } else { size };
    Ok(list.chunks(size).map(<[Value]>::to_vec).collect::<Vec<_>>().into())
}

fn coalesce(args: &Args<'_>) -> Result<Value, Fault> {
    let unify = convert::Unify::of(args.from(0))
        .map_err(|_| Fault::new("all arguments must have one type"))?;
    let mut marked = false;
    for value in args.from(0) {
        marked |= is_marked(value);
        let skip = match value.bare() {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Bool(_)
            | Value::Number(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Unknown
            | Value::Sensitive(_)
            | Value::Sealed(_) => false,
        };
        if !skip {
            let value = if is_hidden(value) { Value::Unknown } else { unify.apply(value) };
            return Ok(if marked { mark(value) } else { value });
        }
    }
    Err(Fault::new("all arguments are null or an empty string"))
}

fn coalesce_list(args: &Args<'_>) -> Result<Value, Fault> {
    let mut marked = false;
    for (index, value) in args.from(0).enumerate() {
        marked |= is_marked(value);
        let result = match value.bare() {
            Value::Null => continue,
            Value::List(items) if items.is_empty() => continue,
            Value::List(_) => value.clone(),
            Value::Unknown | Value::Sealed(_) => Value::Unknown,
            Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Map(_)
            | Value::Sensitive(_) => return Err(Fault::at(index, "must be a list")),
        };
        return Ok(if marked { mark(result) } else { result });
    }
    Err(Fault::new("all lists are empty"))
}

fn compact(args: &Args<'_>) -> Result<Value, Fault> {
    let mut texts = Vec::new();
    for (item, value) in args.list(0).iter().enumerate() {
        if !value.is_null() {
            texts.push(convert::text(value).map_err(|must| Fault::at(0, must).within(item))?);
        }
    }
    texts.retain(|text| !text.is_empty());
    Ok(texts.into())
}

fn contains(args: &Args<'_>) -> Result<Value, Fault> {
    let (list, value) = (args.list(0), args.value(1));
    let hidden = holds_hidden(value);
    if !hidden && list.contains(value) {
        return Ok(true.into());
    }
    let waiting = hidden || list.iter().any(holds_hidden);
    Ok(if waiting { Value::Unknown } else { false.into() })
}

fn distinct(args: &Args<'_>) -> Result<Value, Fault> {
    let mut seen = BTreeSet::new();
    let list = args.list(0).iter().filter(|value| seen.insert(*value));
    Ok(Value::List(list.cloned().collect()))
}

fn element(args: &Args<'_>) -> Result<Value, Fault> {
    let (list, index) = (args.list(0), args.whole(1)?);
    let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
    let wrapped = index.checked_rem_euclid(length).and_then(|index| usize::try_from(index).ok());
    let found = wrapped.and_then(|index| list.get(index));
    found.cloned().ok_or_else(|| Fault::at(0, "must not be empty"))
}

/// Flattens. What an unknown item of the list will be cannot be told: most likely a list, so how long the result is, is
/// unknown. An unknown item further down is taken for a single one.
fn flatten(args: &Args<'_>) -> Result<Value, Fault> {
    fn spread(items: &[Value], flat: &mut Vec<Value>, marked: &mut bool) {
        for item in items {
            match item.bare() {
                Value::List(nested) => {
                    *marked |= is_marked(item);
                    spread(nested, flat, marked);
                }
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Map(_)
                | Value::Unknown
                | Value::Sensitive(_)
                | Value::Sealed(_) => flat.push(item.clone()),
            }
        }
    }
    let list = args.list(0);
    if list.iter().any(is_hidden) {
        let marked = list.iter().any(|item| is_hidden(item) && is_marked(item));
        return Ok(if marked { Value::Unknown.sensitive() } else { Value::Unknown });
    }
    let (mut flat, mut marked) = (Vec::new(), false);
    spread(list, &mut flat, &mut marked);
    Ok(if marked { mark(flat.into()) } else { flat.into() })
}

fn index(args: &Args<'_>) -> Result<Value, Fault> {
    let place = args.list(0).iter().position(|item| item == args.value(1));
    place.map(Value::from).ok_or_else(|| Fault::at(1, "is not in the list"))
}

fn length(args: &Args<'_>) -> Result<Value, Fault> {
    Ok(match args.value(0) {
        Value::String(text) => text.graphemes(true).count().into(),
        Value::List(items) => items.len().into(),
        Value::Map(members) => members.len().into(),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Unknown
        | Value::Sensitive(_)
        | Value::Sealed(_) => return Err(Fault::at(0, "must be a list, a map, or a string")),
    })
}

fn one(args: &Args<'_>) -> Result<Value, Fault> {
    match args.list(0) {
        [] => Ok(Value::Null),
        [only] => Ok(only.clone()),
        more => Err(Fault::at(0, format!("must hold one item or none, not {}", more.len()))),
    }
}

fn range(args: &Args<'_>) -> Result<Value, Fault> {
    let zero = Number::from(0_i64);
    let (start, limit) =
        if args.has(1) { (args.number(0), args.number(1)) } else { (zero, args.number(0)) };
    let step = match args.has(2) {
        true => args.number(2),
        false => Number::from(if limit < start { -1_i64 } else { 1 }),
    };
    if step == zero {
        return Err(Fault::at(2, "must not be zero"));
    }
    let down = step < zero;
    if (down && limit > start) || (!down && limit < start) {
        return Err(Fault::at(2, "must lead from the start to the limit"));
    }
    let mut numbers = Vec::new();
    for index in 0_i64.. {
        let whole = || start.as_i64()?.checked_add(step.as_i64()?.checked_mul(index)?);
        let number = match whole() {
            Some(whole) => Some(Number::from(whole)),
            #[expect(clippy::cast_precision_loss, reason = "an index is at most 1,024")]
            None => Number::from_f64(step.as_f64().mul_add(index as f64, start.as_f64())),
        };
        match number {
            Some(number) if (down && number > limit) || (!down && number < limit) => {
                numbers.push(Value::Number(number));
            }
            _ => break,
        }
        if numbers.len() > MAX_RANGE {
            return Err(Fault::new(format!("the range would hold more than {MAX_RANGE} numbers")));
        }
    }
    Ok(numbers.into())
}

fn slice(args: &Args<'_>) -> Result<Value, Fault> {
    let (list, start, end) = (args.list(0), args.count(1)?, args.count(2)?);
    if end > list.len() {
        return Err(Fault::at(2, format!("must not be beyond the list's length, {}", list.len())));
    }
    if start > end {
        return Err(Fault::at(1, "must not be greater than the end"));
    }
    Ok(Value::List(list[start..end].to_vec()))
}

fn sum(args: &Args<'_>) -> Result<Value, Fault> {
    let mut total: Option<Number> = None;
    for (item, value) in args.list(0).iter().enumerate() {
        let next = convert::number(value).map_err(|must| Fault::at(0, must).within(item))?;
        let Some(sum) = total else {
            total = Some(next);
            continue;
        };
        let whole = || sum.as_i64()?.checked_add(next.as_i64()?);
        total = match whole() {
            Some(whole) => Some(whole.into()),
            None => number::finite(sum.as_f64() + next.as_f64())?.as_number(),
        };
    }
    total.map(Value::Number).ok_or_else(|| Fault::at(0, "must not be empty"))
}

#[cfg(test)]
mod tests;
