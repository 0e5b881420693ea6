//! Checks what a provider returned against what was planned: a value that was known in the plan may not change.

use reconcile_model::{Object, Schema, Value, proposed::is_as_planned};

/// Returns the arguments that are not what was planned.
///
/// Where the plan left something unknown inside a value, any value will do in its place.
pub(crate) fn deviations(schema: &Schema, planned: &Object, live: &Object) -> Vec<&'static str> {
    schema
        .attributes
        .iter()
        .filter(|attribute| !attribute.write_only && !attribute.local)
        // What was not read stands as planned.
        .filter(|attribute| live.contains_key(attribute.name))
        .filter(|attribute| {
            !is_as_planned(attribute, planned.value(attribute.name), live.value(attribute.name))
        })
        .map(|attribute| attribute.name)
        .collect()
}

/// Returns the object as it is to be recorded: what was read, and what was planned where nothing was read.
pub fn merged(schema: &Schema, planned: &Object, live: &Object) -> Object {
    schema
        .attributes
        .iter()
        .map(|attribute| {
            let unread =
                attribute.write_only || attribute.local || !live.contains_key(attribute.name);
            let source = if unread { planned } else { live };
            let value = source.value(attribute.name);
            // AWS was to decide and did not tell.
            let value = if value.is_known() { value.clone() } else { Value::Null };
            (attribute.name.to_owned(), value)
        })
        .collect()
}
