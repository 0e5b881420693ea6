//! Taking out of a value what nobody may see.

use crate::{Kind, Object, Value, schema::Blocks};

/// Returns the value without what is sensitive in it: there, the mark stays around nothing.
pub(super) fn redacted(kind: Option<Kind>, value: &Value) -> Value {
    match (kind, value) {
        (_, Value::Sensitive(_) | Value::Sealed(_)) => Value::Null.sensitive(),
        (Some(Kind::Blocks(shape)), Value::Map(object)) => Value::Map(block(shape, object)),
        (_, Value::Map(object)) => {
            Value::Map(object.iter().map(|(k, v)| (k.clone(), redacted(None, v))).collect())
        }
        (_, Value::List(items)) => {
            items.iter().map(|item| redacted(kind, item)).collect::<Vec<_>>().into()
        }
        (_, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => value.clone(),
        (_, Value::Unknown) => Value::Unknown,
    }
}

fn block(shape: &'static Blocks, object: &Object) -> Object {
    let member = |(name, value): (&String, &Value)| {
        let attribute = shape.attributes.iter().find(|attribute| attribute.name == name);
        let hide = attribute.is_some_and(|attribute| attribute.sensitive) && !value.is_null();
        let value = if hide {
            Value::Null.sensitive()
        } else {
            redacted(attribute.map(|attribute| attribute.kind), value)
        };
        (name.clone(), value)
    };
    object.iter().map(member).collect()
}
