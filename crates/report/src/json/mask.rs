//! A value, and where in it something is sensitive or unknown, as Terraform's plan representation has them.

use reconcile_model::Value;
use serde_json::{Map, Value as Json, json};

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

/// Returns the kind of a value as Terraform serializes types: `"string"`, `["tuple", ["number"]]`.
pub(crate) fn kind(value: &Value) -> Json {
    match value {
        Value::Sensitive(inner) => kind(inner),
        // A digest is all that is left of it, and a null has any kind.
        Value::Sealed(_) | Value::Null | Value::Unknown => "dynamic".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
        Value::List(items) => json!(["tuple", items.iter().map(kind).collect::<Json>()]),
        Value::Map(object) => {
            let members = object.iter().map(|(key, item)| (key.clone(), kind(item)));
            json!(["object", members.collect::<Json>()])
        }
    }
}

fn open(value: Json) -> Masked {
    Masked { value, sensitive: false.into(), unknown: false.into() }
}
