//! What differs between the plan that was approved and the plan that would be carried out now.

use std::collections::BTreeMap;

use reconcile_model::{
    Action, Address, Object, Plan, ReplaceOrder, SchemaSet, Value,
    plan::{Change, Drift, OutputChange},
};

use crate::layout::short;
use crate::quote::counted;
use crate::redact;

/// How much of a value is shown.
const VALUE_COLUMNS: usize = 60;

/// How many lines are shown: whoever sees more than that reads the plan itself.
const MOST_LINES: usize = 60;

/// Returns the differences as text, a line for each; empty when the plans are the same.
pub fn plans(approved: &Plan, now: &Plan, schemas: &SchemaSet) -> String {
    // Secrets are compared by their digests: those of the approved plan are all that is left of them.
    let (approved, now) = (approved.sealed(), now.sealed());
    let mut lines = Vec::new();
    inputs(&approved, &now, &mut lines);
    changes(&approved, &now, schemas, &mut lines);
    outputs(&approved, &now, &mut lines);
    drift(&approved, &now, schemas, &mut lines);
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    if more > 0 {
        lines.push(format!("and {} more", counted(more, "difference")));
    }
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

fn inputs(approved: &Plan, now: &Plan, lines: &mut Vec<String>) {
    if approved.stack != now.stack {
        lines.push(format!("the stack: approved {}, now {}", approved.stack, now.stack));
    }
    if approved.spec_digest != now.spec_digest {
        lines.push("the spec's files were changed".to_owned());
    }
    if approved.options != now.options {
        lines.push("the options are others".to_owned());
    }
    members("the variable", &approved.variables, &now.variables, lines);
    if approved.lineage != now.lineage {
        lines.push("the state is another one".to_owned());
    } else if approved.serial != now.serial {
        let (then, serial) = (approved.serial, now.serial);
        lines.push(format!("the state's serial: approved {then}, now {serial}"));
    }
}

fn changes(approved: &Plan, now: &Plan, schemas: &SchemaSet, lines: &mut Vec<String>) {
    let by_key = |plan: &'_ Plan| -> BTreeMap<(Address, Option<String>), Change> {
        let changes = plan.changes.iter();
        let keyed = changes.map(|change| {
            let deposed = change.id.as_ref().filter(|_| change.deposed).map(ToString::to_string);
            ((change.address.clone(), deposed), change.clone())
        });
        keyed.collect()
    };
    let (then, now) = (by_key(approved), by_key(now));
    let keys: std::collections::BTreeSet<_> = then.keys().chain(now.keys()).collect();
    for key in keys {
        let (old, new) = (then.get(key), now.get(key));
        let action = |change: Option<&Change>| change.map_or(Action::NoOp, |change| change.action);
        let (was, is) = (action(old), action(new));
        if was != is {
            let (was, is) = (words(was), words(is));
            lines.push(format!("{}: approved to {was}, now to {is}", key.0));
        }
        if was == Action::NoOp && is == Action::NoOp {
            continue;
        }
        let (Some(old), Some(new)) = (old, new) else { continue };
        let schema = schemas.get(key.0.resource.mode, key.0.type_name());
        let side = |object: &Option<Object>| {
            object.as_ref().map(|object| redact::marked(schema, object)).unwrap_or_default()
        };
        let of = |what: &str| format!("{}{what}", key.0);
        // The same attribute of the same live object, before and after, is told once.
        let mut seen = Vec::new();
        members(&of(" is there with"), &side(&old.before), &side(&new.before), &mut seen);
        if was == is || seen.is_empty() {
            members(&of(" becomes"), &side(&old.after), &side(&new.after), &mut seen);
        }
        if old.id != new.id {
            seen.push(format!("{} is another object", key.0));
        }
        lines.append(&mut seen);
    }
}

fn outputs(approved: &Plan, now: &Plan, lines: &mut Vec<String>) {
    let values = |plan: &Plan, side: fn(&OutputChange) -> &Value| -> Object {
        let outputs = plan.outputs.iter();
        let shown = outputs.map(|(name, output)| {
            let value = side(output).clone();
            let hide = output.sensitive && !value.is_null() && !matches!(value, Value::Sealed(_));
            (name.clone(), if hide { value.sensitive() } else { value })
        });
        shown.collect()
    };
    members("the output", &values(approved, |it| &it.after), &values(now, |it| &it.after), lines);
}

fn drift(approved: &Plan, now: &Plan, schemas: &SchemaSet, lines: &mut Vec<String>) {
    let by_address = |plan: &Plan| -> BTreeMap<Address, Drift> {
        plan.drift.iter().map(|drift| (drift.address.clone(), drift.clone())).collect()
    };
    let (then, now) = (by_address(approved), by_address(now));
    let addresses: std::collections::BTreeSet<_> = then.keys().chain(now.keys()).collect();
    for address in addresses {
        match (then.get(address), now.get(address)) {
            (None, Some(drift)) => {
                let schema = schemas.get(address.resource.mode, address.type_name());
                let what = if drift.after.is_none() { "deleted" } else { "changed" };
                lines.push(format!("{address} was {what} outside of reconcile"));
                let Some(after) = &drift.after else { continue };
                let (before, after) =
                    (redact::marked(schema, &drift.before), redact::marked(schema, after));
                members(&format!("{address} has"), &before, &after, lines);
            }
            (Some(_), None) => lines.push(format!("{address} is no longer changed outside")),
            (Some(old), Some(new)) if old.after != new.after => {
                lines.push(format!("{address} was changed outside of reconcile once more"));
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
}

/// Adds a line for each member that differs.
fn members(what: &str, then: &Object, now: &Object, lines: &mut Vec<String>) {
    let names: std::collections::BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    for name in names {
        let (old, new) = (then.value(name), now.value(name));
        if old != new {
            let (old, new) = (short(old, VALUE_COLUMNS), short(new, VALUE_COLUMNS));
            lines.push(format!("{what} {name}: approved {old}, now {new}"));
        }
    }
}

fn words(action: Action) -> &'static str {
    match action {
        Action::NoOp => "be left as it is",
        Action::Read => "be read",
        Action::Create => "be created",
        Action::Update => "be updated in place",
        Action::Replace(ReplaceOrder::DeleteThenCreate) => "be replaced",
        Action::Replace(ReplaceOrder::CreateThenDelete) => "be replaced, the new one first",
        Action::Delete => "be destroyed",
        Action::Forget => "be forgotten",
    }
}
