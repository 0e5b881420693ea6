//! Marking what a schema calls sensitive, wherever the value came from.

use reconcile_model::{Attribute, Kind, Object, Path, Schema, Step, Value};

/// Returns the object with a mark on every value that the schema calls sensitive, besides the marks it has.
pub(crate) fn marked(schema: Option<&Schema>, object: &Object) -> Object {
    schema.map_or_else(|| object.clone(), |schema| marked_members(schema.attributes, object))
}

fn marked_members(attributes: &[Attribute], object: &Object) -> Object {
    object
        .iter()
        .map(|(name, value)| {
            let attribute = attributes.iter().find(|attribute| attribute.name == name);
            (name.clone(), attribute.map_or_else(|| value.clone(), |it| marked_value(it, value)))
        })
        .collect()
}

fn marked_value(attribute: &Attribute, value: &Value) -> Value {
    if attribute.sensitive && !value.is_null() {
        return value.unmarked().sensitive();
    }
    match (attribute.kind, value) {
        (Kind::Blocks(blocks), Value::List(items)) => items
            .iter()
            .map(|item| match item.as_map() {
                Some(object) if !matches!(item, Value::Sensitive(_)) => {
                    Value::Map(marked_members(blocks.attributes, object))
                }
                Some(_) | None => item.clone(),
            })
            .collect::<Vec<_>>()
            .into(),
        _ => value.clone(),
    }
}

/// Tells whether the schema calls the value at a path sensitive, or anything that holds it.
pub(crate) fn is_sensitive(schema: Option<&Schema>, path: &Path) -> bool {
    along(schema, path).any(|attribute| attribute.sensitive)
}

/// Returns the value at a path with a mark on what the schema calls sensitive in it.
pub(crate) fn value(schema: Option<&Schema>, path: &Path, value: &Value) -> Value {
    along(schema, path).last().map_or_else(|| value.clone(), |it| marked_value(it, value))
}

/// Returns the attributes that a path leads through.
fn along<'a>(
    schema: Option<&Schema>,
    path: &'a Path,
) -> impl Iterator<Item = &'static Attribute> + 'a {
    let mut attributes = schema.map_or(&[][..], |schema| schema.attributes);
    path.0.iter().filter_map(move |step| {
        let Step::Name(name) = step else { return None };
        let found = attributes.iter().find(|attribute| attribute.name == name)?;
        attributes = found.nested();
        Some(found)
    })
}
