//! Maps and objects, which are one thing. Their members are always in the order of their keys.

use std::collections::{BTreeMap, BTreeSet};

use reconcile_model::{Object, Value};

use super::call::{ANY, Args, Function, LIST, MAP, TEXT};
use super::convert;
use super::fault::Fault;
use super::marks::{holds_hidden, is_hidden, is_marked, mark};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::shallow("keys(map)", "The keys, sorted.", &[MAP], |args| {
        Ok(args.map(0).keys().cloned().collect::<Vec<_>>().into())
    }),
    Function::raw(
        "lookup(map, key, [default])",
        "The value of the key, or the default where there is none.",
        &[MAP, TEXT, ANY.optional()],
        lookup,
    ),
    Function::whole(
        "matchkeys(values, keys, searchset)",
        "The values whose key, at the same place in the second list, is in the third.",
        &[LIST, LIST, LIST],
        match_keys,
    ),
    Function::shallow(
        "merge(maps...)",
        "All members in one map; later maps win, null is an empty one.",
        &[MAP.nullable().rest()],
        merge,
    ),
    Function::whole(
        "transpose(map)",
        "From lists of strings by key to lists of keys by string.",
        &[MAP],
        transpose,
    ),
    Function::shallow("values(map)", "The values, in the order of their keys.", &[MAP], |args| {
        Ok(args.map(0).values().cloned().collect::<Vec<_>>().into())
    }),
    Function::shallow(
        "zipmap(keys, values)",
        "A map of the keys to the values at the same places.",
        &[LIST, LIST],
        zip_map,
    ),
];

fn lookup(args: &Args<'_>) -> Result<Value, Fault> {
    let (map, key) = (args.value(0), args.value(1));
    for (index, arg) in [map, key].into_iter().enumerate() {
        if arg.is_null() {
            return Err(Fault::at(index, "must not be null"));
        }
    }
    let marked = is_marked(map) || is_marked(key);
    let result = match map.bare() {
        Value::Map(_) if is_hidden(key) => Value::Unknown,
        Value::Map(members) => {
            let key = convert::text(key).map_err(|must| Fault::at(1, must))?;
            match members.get(&key) {
                Some(value) => value.clone(),
                None if args.has(2) => args.value(2).clone(),
                None => {
                    let message = "names no member of the map, and there is no default";
                    return Err(Fault::at(1, message).quoting(&key));
                }
            }
        }
        Value::Unknown | Value::Sealed(_) => Value::Unknown,
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Sensitive(_) => return Err(Fault::at(0, "must be a map")),
    };
    Ok(if marked { mark(result) } else { result })
}

fn match_keys(args: &Args<'_>) -> Result<Value, Fault> {
    let (values, keys) = (args.list(0), args.list(1));
    if values.len() != keys.len() {
        return Err(Fault::at(1, "must be as long as the list of values"));
    }
    let unify = convert::Unify::of(keys.iter().chain(args.list(2)));
    let unify = unify.map_err(|_| Fault::at(2, "must hold values of the same type as the keys"))?;
    let wanted: BTreeSet<Value> = args.list(2).iter().map(|key| unify.apply(key)).collect();
    let pairs = values.iter().zip(keys);
    let matching = pairs.filter(|(_, key)| wanted.contains(&unify.apply(key)));
    Ok(matching.map(|(value, _)| value.clone()).collect::<Vec<_>>().into())
}

fn merge(args: &Args<'_>) -> Result<Value, Fault> {
    let mut merged = Object::new();
    for members in args.from(0).filter_map(Value::as_map) {
        merged.extend(members.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    Ok(merged.into())
}

fn transpose(args: &Args<'_>) -> Result<Value, Fault> {
    let mut transposed = BTreeMap::<String, Vec<String>>::new();
    for (key, items) in args.map(0) {
        let items = items.as_list().ok_or_else(|| Fault::at(0, "must hold lists of strings"))?;
        for item in items {
            let item =
                convert::text(item).map_err(|_| Fault::at(0, "must hold lists of strings"))?;
            transposed.entry(item).or_default().push(key.clone());
        }
    }
    // The keys come sorted; only one that stands twice in a list is there twice.
    transposed.values_mut().for_each(Vec::dedup);
    Ok(transposed.into_iter().map(|(item, keys)| (item, keys.into())).collect::<Object>().into())
}

fn zip_map(args: &Args<'_>) -> Result<Value, Fault> {
    let (keys, values) = (args.list(0), args.list(1));
    if keys.len() != values.len() {
        let message =
            format!("must be as long as the list of keys: {} is not {}", values.len(), keys.len());
        return Err(Fault::at(1, message));
    }
    let marked = keys.iter().any(Value::has_sensitive);
    let mut zipped = Object::new();
    let hidden = keys.iter().any(holds_hidden);
    if !hidden {
        for (item, (key, value)) in keys.iter().zip(values).enumerate() {
            let key = convert::text(key).map_err(|must| Fault::at(0, must).within(item))?;
            zipped.insert(key, value.clone());
        }
    }
    let result = if hidden { Value::Unknown } else { zipped.into() };
    Ok(if marked { mark(result) } else { result })
}

#[cfg(test)]
mod tests;
