//! Values that cannot be looked at, and values that may not be shown.

use reconcile_model::Value;

/// Tells whether the value itself, not something in it, is sensitive.
pub(super) fn is_marked(value: &Value) -> bool {
    matches!(value, Value::Sensitive(_) | Value::Sealed(_))
}

/// Tells whether the value itself cannot be looked at: it is not known yet, or only its digest is left.
pub(super) fn is_hidden(value: &Value) -> bool {
    matches!(value.bare(), Value::Unknown | Value::Sealed(_))
}

/// Tells whether the value, or anything in it, cannot be looked at.
pub(super) fn holds_hidden(value: &Value) -> bool {
    match value.bare() {
        Value::Unknown | Value::Sealed(_) => true,
        Value::List(items) => items.iter().any(holds_hidden),
        Value::Map(object) => object.values().any(holds_hidden),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Sensitive(_) => false,
    }
}

/// Marks a value as sensitive as a whole; marks within it go, because none is ever inside another.
pub(super) fn mark(value: Value) -> Value {
    if value.has_sensitive() { value.unmarked().sensitive() } else { value.sensitive() }
}
