//! Sets: lists that are sorted and hold each item once.

use std::collections::BTreeSet;

use reconcile_model::Value;

use super::MAX_ITEMS;
use super::bounds::too_many_items;
use super::call::{Args, Function, LIST};
use super::convert::Unify;
use super::fault::Fault;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::whole(
        "setintersection(first, sets...)",
        "What is in all of the sets.",
        &[LIST, LIST.rest()],
        |args| combine(args, |all, next| all.retain(|item| next.contains(item))),
    ),
    Function::shallow(
        "setproduct(sets...)",
        "All combinations of one item of each set or list, each combination a list.",
        &[LIST, LIST, LIST.rest()],
        product,
    ),
    Function::whole(
        "setsubtract(first, second)",
        "What is in the first set and not in the second.",
        &[LIST, LIST],
        |args| combine(args, |all, next| all.retain(|item| !next.contains(item))),
    ),
    Function::whole(
        "setunion(first, sets...)",
        "What is in any of the sets.",
        &[LIST, LIST.rest()],
        |args| combine(args, |all, next| all.append(next)),
    ),
];

/// Combines the arguments one after the other, after they got one type of items.
fn combine(
    args: &Args<'_>,
    step: fn(&mut BTreeSet<Value>, &mut BTreeSet<Value>),
) -> Result<Value, Fault> {
    let items = |list: &Value| list.as_list().unwrap_or_default().to_vec();
    let all: Vec<Value> = args.from(0).flat_map(items).collect();
    let unify = Unify::of(all.iter())
        .map_err(|_| Fault::new("the sets must hold values of one type, all of them the same"))?;
    let set = |list: &Value| -> BTreeSet<Value> {
        list.as_list().unwrap_or_default().iter().map(|item| unify.apply(item)).collect()
    };
    let mut combined = set(args.value(0));
    for next in args.from(1) {
        step(&mut combined, &mut set(next));
    }
    Ok(Value::List(combined.into_iter().collect()))
}

fn product(args: &Args<'_>) -> Result<Value, Fault> {
    let lists: Vec<&[Value]> =
        args.from(0).map(|list| list.as_list().unwrap_or_default()).collect();
    let total = lists.iter().try_fold(1_usize, |total, list| total.checked_mul(list.len()));
    // A combination counts with what it holds.
    let items = total.and_then(|total| total.checked_mul(lists.len() + 1));
    // An empty factor empties the product, however large the others are.
    if lists.iter().any(|list| list.is_empty()) {
        return Ok(Value::List(Vec::new()));
    }
    if items.is_none_or(|items| items > MAX_ITEMS) {
        return Err(too_many_items());
    }
    let mut combinations: Vec<Vec<Value>> = vec![Vec::new()];
    for (index, list) in lists.iter().enumerate() {
        let unify = Unify::of(list.iter()).map_err(|must| Fault::at(index, must))?;
        let list: Vec<Value> = list.iter().map(|item| unify.apply(item)).collect();
        let mut longer = Vec::with_capacity(combinations.len() * list.len());
        for combination in &combinations {
            longer.extend(
                list.iter()
                    .map(|item| [combination.as_slice(), std::slice::from_ref(item)].concat()),
            );
        }
        combinations = longer;
    }
    Ok(combinations.into())
}

#[cfg(test)]
mod tests;
