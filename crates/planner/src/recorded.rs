//! The object as it is: what refresh found, laid over what was recorded.

use reconcile_model::{
    Address, Attribute, Object, ObjectState, Presence, Schema, Value,
    plan::Drift,
    proposed,
    seal::{mark_like, unseal, unseal_object},
    tags,
};

use crate::input::{Live, PlanInput};

/// One recorded object, and what has become of it.
pub(crate) struct Existing<'a> {
    /// What is recorded, sealed values opened where they are still the same.
    pub(crate) recorded: Object,
    /// The object as it is; `None` when it is gone.
    pub(crate) live: Option<Object>,
    /// The record.
    pub(crate) state: &'a ObjectState,
}

/// Brings together what is recorded and what was found.
///
/// `candidate` is where sealed values may be found again when nothing was read: the spec's arguments.
pub(crate) fn existing<'a>(
    input: &PlanInput<'_, '_>,
    address: &Address,
    state: &'a ObjectState,
    schema: &Schema,
    candidate: &Object,
    default_tags: &Object,
) -> Existing<'a> {
    let salt = &input.prior.lineage;
    let found = match input.observed.get(address, &state.id) {
        Some(Live::Gone) => {
            let recorded = unseal_object(&state.attributes, candidate, salt);
            return Existing { recorded, live: None, state };
        }
        Some(Live::Present(found)) => found,
        None => {
            let recorded = unseal_object(&state.attributes, candidate, salt);
            return Existing { live: Some(recorded.clone()), recorded, state };
        }
    };
    let mut recorded = unseal_object(&state.attributes, found, salt);
    let found = mark_like(schema, found, &state.attributes);
    // What was not read stands as recorded; what AWS never tells, too.
    let is_read = |attribute: &Attribute| {
        !attribute.local && !attribute.write_only && found.contains_key(attribute.name)
    };
    for attribute in schema.attributes.iter().filter(|it| !is_read(it)) {
        let value = recorded.value(attribute.name);
        let value = unseal(value, candidate.value(attribute.name), salt);
        if recorded.get(attribute.name) != Some(&value) {
            recorded.set(attribute.name, value);
        }
    }
    let live = laid_over(&recorded, &found, schema, is_read);
    // A secret inside a block that AWS never tells is there as its digest.
    let mut live = unseal_object(&live, candidate, salt);
    let recorded = unseal_object(&recorded, candidate, salt);
    if schema.is_taggable() {
        let mut mentioned = recorded.map("tags").cloned().unwrap_or_default();
        if let Some(tags) = candidate.map("tags").filter(|tags| **tags != mentioned) {
            mentioned.extend(tags.clone());
        }
        let is_mentioned = !recorded.value("tags").is_null() || !candidate.value("tags").is_null();
        let mentioned = if is_mentioned { Value::Map(mentioned) } else { Value::Null };
        tags::set_own(&mut live, default_tags, &mentioned);
    }
    if live == recorded {
        // One object for both, where a secret kept them apart.
        live = recorded.clone();
    }
    Existing { recorded, live: Some(live), state }
}

/// Returns the recorded object with what was read in its place. Only what differs is put in: nearly all that is recorded
/// is as it was, and then both share all there is.
fn laid_over(
    recorded: &Object,
    found: &Object,
    schema: &Schema,
    is_read: impl Fn(&Attribute) -> bool,
) -> Object {
    let mut live = recorded.clone();
    // AWS keeps one set of tags; which are the resource's own is found out from all of them.
    let is_told_by_all = schema.is_taggable() && found.map("tags_all").is_some();
    for (name, value) in found {
        let is_taken =
            schema.attribute(name).is_none_or(&is_read) && !(is_told_by_all && name == "tags");
        if is_taken && live.get(name) != Some(value) {
            live.insert(name.clone(), value.clone());
        }
    }
    // Every attribute of the schema is there by now. More are those of an older version of it.
    if live.len() > schema.attributes.len() {
        live.retain(|name, _| found.contains_key(name) || schema.attribute(name).is_some());
    }
    live
}

/// Returns what changed behind our back, in what a spec can say; `None` when nothing did.
pub(crate) fn drift(address: &Address, schema: &Schema, existing: &Existing<'_>) -> Option<Drift> {
    let drift = |after, changed| Drift {
        address: address.clone(),
        deposed: None,
        before: existing.recorded.clone(),
        after,
        changed,
        answers: Vec::new(),
    };
    let Some(live) = &existing.live else { return Some(drift(None, Vec::new())) };
    let mut changed = proposed::changed_paths(schema, &existing.recorded, live);
    changed.retain(|path| {
        path.attribute().is_some_and(|name| name != "tags_all")
            && path
                .attribute()
                .and_then(|name| schema.attribute(name))
                .is_some_and(|attribute| attribute.presence != Presence::Computed)
    });
    (!changed.is_empty()).then(|| drift(Some(live.clone()), changed))
}
