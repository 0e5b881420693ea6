//! A value, and where in it something is sensitive or unknown, as Terraform's plan representation has them.

use reconcile_model::Value;
use serde_json::{Map, Value as Json};

use crate::quote::SENSITIVE;

/// A value as JSON with its masks.
pub(crate) struct Masked {
    /// The value: what is sensitive replaced, what is unknown left out of objects and null in lists.
    pub(crate) value: Json,
    /// True where it is sensitive; collections keep their shape, what is known and open is left out of objects.
    pub(crate) sensitive: Json,
    /// True where it is unknown; the same shape.
    pub(crate) unknown: Json,
}

/// Returns a value with its masks.
pub(crate) fn masked(value: &Value) -> Masked {
    match value {
        Value::Sensitive(inner) if inner.is_null() => open(Json::Null),
        Value::Sensitive(inner) if inner.is_unknown() => {
            Masked { value: Json::Null, sensitive: true.into(), unknown: true.into() }
        }
        Value::Sensitive(_) | Value::Sealed(_) => {
            Masked { value: SENSITIVE.into(), sensitive: true.into(), unknown: false.into() }
        }
        Value::Unknown => {
            Masked { value: Json::Null, sensitive: false.into(), unknown: true.into() }
        }
        Value::Null => open(Json::Null),
        Value::Bool(flag) => open((*flag).into()),
        Value::Number(number) => open(number.to_json()),
        Value::String(text) => open(text.as_str().into()),
        Value::List(items) => {
            let mut out = (Vec::new(), Vec::new(), Vec::new());
            for item in items {
                let Masked { value, sensitive, unknown } = masked(item);
                out.0.push(value);
                out.1.push(sensitive);
                out.2.push(unknown);
            }
            Masked { value: out.0.into(), sensitive: out.1.into(), unknown: out.2.into() }
        }
        Value::Map(object) => {
            let mut out = (Map::new(), Map::new(), Map::new());
            for (key, item) in object {
                let Masked { value, sensitive, unknown } = masked(item);
                if unknown != Json::Bool(true) {
                    out.0.insert(key.clone(), value);
                }
                if sensitive != Json::Bool(false) {
                    out.1.insert(key.clone(), sensitive);
                }
                if unknown != Json::Bool(false) {
                    out.2.insert(key.clone(), unknown);
                }
            }
            Masked { value: out.0.into(), sensitive: out.1.into(), unknown: out.2.into() }
        }
    }
}

fn open(value: Json) -> Masked {
    Masked { value, sensitive: false.into(), unknown: false.into() }
}
