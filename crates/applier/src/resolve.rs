//! What a step will do, now that the values it waited for are known.

use reconcile_model::{
    Change, Diagnostic, Object, Schema, Value,
    detach::{self, Detached, Reference},
    proposed::{Renewal, propose},
};
use reconcile_spec::{Block, Scope, When};

/// Returns the object a change is to come to: as planned, with the spec's own expressions in place of what was unknown.
/// What is still unknown is for AWS to decide.
///
/// # Errors
///
/// Expressions and conditions that fail, and arguments that are unknown even now.
pub(crate) fn planned(
    scope: &Scope<'_>,
    block: &Block,
    change: &Change,
) -> Result<Object, Vec<Diagnostic>> {
    let after = change.after.as_ref().expect("a change that is applied has an after");
    let key = change.address.key.as_ref();
    // Also where all of the object is known: a condition may be about something else that was not.
    let failed = scope.conditions(block, key, When::Before, None);
    if !failed.is_empty() {
        return Err(failed);
    }
    if after.is_known() {
        return Ok(after.clone());
    }
    let config = scope.configure(block, key)?;
    let provider = scope.provider(&block.provider)?;
    let default_tags = provider.map("default_tags").cloned().unwrap_or_default();
    let fresh = propose(block.schema, &config, None, &default_tags, Renewal::IfForced).after;
    let mut object = after.clone();
    for attribute in block.schema.attributes {
        let name = attribute.name;
        if object.value(name).is_known() {
            continue;
        }
        if !config.value(name).is_known() {
            return Err(vec![
                Diagnostic::error(format!("`{name}` of {} is still unknown", change.address))
                    .detail("It comes from something that was not applied in this run.")
                    .hint("Apply again; leave out `--target` and `--exclude` if they were given.")
                    .at(scope.span_of(block, &reconcile_model::Path::root(name)))
                    .about(&change.address),
            ]);
        }
        if !config.value(name).is_null() || name == "tags_all" {
            object.set(name, fresh.value(name).clone());
        }
    }
    Ok(object)
}

/// Returns the object a change begins with, without its references to objects that are about to be deleted.
pub(crate) fn detached<'a>(
    schema: &Schema,
    change: &Change,
    gone: impl Iterator<Item = &'a Change>,
) -> Object {
    let before = change.before.as_ref().expect("an update has a before");
    let gone: Vec<(&str, &Object)> =
        gone.filter_map(|it| Some((it.address.type_name(), it.before.as_ref()?))).collect();
    let is_gone = |reference: &Reference<'_>| {
        gone.iter().any(|(type_name, object)| reference.is_to(type_name, object))
    };
    match detach::detached(schema, before, &is_gone) {
        Detached::Without(object) => object,
        Detached::Unused | Detached::Never(_) => before.clone(),
    }
}

/// Returns the arguments of a data source, now that they are known.
///
/// # Errors
///
/// Expressions and conditions that fail, and arguments that are unknown even now.
pub(crate) fn arguments(
    scope: &Scope<'_>,
    block: &Block,
    change: &Change,
) -> Result<Object, Vec<Diagnostic>> {
    let key = change.address.key.as_ref();
    let failed = scope.conditions(block, key, When::Before, None);
    if !failed.is_empty() {
        return Err(failed);
    }
    let config = scope.configure(block, key)?;
    match config.iter().find(|(_, value)| !value.is_known()) {
        None => Ok(config),
        Some((name, _)) => Err(vec![
            Diagnostic::error(format!("`{name}` of {} is still unknown", change.address))
                .detail("It comes from something that was not applied in this run.")
                .hint("Apply again; leave out `--target` and `--exclude` if they were given.")
                .about(&change.address),
        ]),
    }
}

/// Checks what must hold of the result.
///
/// # Errors
///
/// Every postcondition that does not hold.
pub(crate) fn check_result(
    scope: &Scope<'_>,
    block: &Block,
    change: &Change,
    object: &Object,
) -> Result<(), Vec<Diagnostic>> {
    let value = Value::Map(object.clone());
    let failed = scope.conditions(block, change.address.key.as_ref(), When::After, Some(&value));
    if failed.is_empty() { Ok(()) } else { Err(failed) }
}
