//! Sealing: how a sensitive value is recorded without being written down.
//!
//! State, journal, and saved plans hold a salted digest in its place. A digest can be compared with a value at hand, so
//! a change is seen; it cannot be read. The salt is the state's lineage, so equal secrets of two stacks do not show.

use sha2::{Digest as _, Sha256};

use crate::{Kind, Object, Schema, Value, schema::Nesting};

/// Returns the value with every sensitive part replaced by its digest.
pub fn seal(value: &Value, salt: &str) -> Value {
    match value {
        // A digest is sealed already; a digest of it would be another value.
        Value::Sensitive(inner) if matches!(**inner, Value::Sealed(_)) => (**inner).clone(),
        Value::Sensitive(inner) if inner.is_known() && !inner.is_null() => {
            Value::Sealed(digest(inner, salt))
        }
        Value::Sensitive(inner) => seal(inner, salt),
        Value::List(items) => Value::List(items.iter().map(|item| seal(item, salt)).collect()),
        Value::Map(object) => Value::Map(seal_object(object, salt)),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Unknown
        | Value::Sealed(_) => value.clone(),
    }
}

/// Returns the object with every sensitive part replaced by its digest.
pub fn seal_object(object: &Object, salt: &str) -> Object {
    // Most objects have nothing to seal, and a clone shares all there is.
    if !object.has_sensitive() {
        return object.clone();
    }
    object.iter().map(|(k, v)| (k.clone(), seal(v, salt))).collect()
}

/// Returns `recorded` with each digest replaced by the value at the same place of `candidate`, marked sensitive, where
/// that value is the one sealed. Other digests stay, equal to nothing else.
pub fn unseal(recorded: &Value, candidate: &Value, salt: &str) -> Value {
    match (recorded, candidate.bare()) {
        (Value::Sensitive(inner), _) => unseal(inner, candidate, salt).sensitive(),
        (Value::Sealed(_), found) if is_sealed_form_of(recorded, found, salt) => {
            found.unmarked().sensitive()
        }
        (Value::List(items), Value::List(found)) => Value::List(
            items
                .iter()
                .enumerate()
                // A set's items may have moved: an item that is a digest itself looks at every candidate.
                .map(|(at, item)| {
                    let moved = found.iter().find(|value| is_sealed_form_of(item, value, salt));
                    match moved {
                        Some(value) => value.unmarked().sensitive(),
                        None => {
                            found.get(at).map_or_else(|| item.clone(), |v| unseal(item, v, salt))
                        }
                    }
                })
                .collect(),
        ),
        (Value::Map(object), Value::Map(found)) => Value::Map(unseal_object(object, found, salt)),
        _ => recorded.clone(),
    }
}

/// Returns the recorded object with its digests opened by a candidate; see [`unseal`].
pub fn unseal_object(recorded: &Object, candidate: &Object, salt: &str) -> Object {
    if !recorded.has_sensitive() {
        return recorded.clone();
    }
    recorded.iter().map(|(k, v)| (k.clone(), unseal(v, candidate.value(k), salt))).collect()
}

/// Returns `value` with the sensitive marks of `like` at the same places, for what a provider returned unmarked.
///
/// A set's items have no places: where an item of a set is sensitive, all of the set is.
pub fn mark_like(schema: &Schema, value: &Object, like: &Object) -> Object {
    let is_marked = like.has_sensitive();
    let mut marked = value.clone();
    for (name, value) in value {
        let attribute = schema.attribute(name);
        let like = like.value(name);
        let mark = match attribute.map(|a| a.kind) {
            _ if attribute.is_some_and(|a| a.sensitive) => value.clone().sensitive(),
            // Only what changes is copied: hardly anything is sensitive.
            _ if !is_marked || !like.has_sensitive() => continue,
            Some(kind) if is_unordered(kind) => value.clone().sensitive(),
            _ => mark_value_like(value, like),
        };
        marked.insert(name.clone(), mark);
    }
    marked
}

fn is_unordered(kind: Kind) -> bool {
    match kind {
        Kind::Set(_) => true,
        Kind::Blocks(blocks) => blocks.nesting == Nesting::Set,
        Kind::String | Kind::Int | Kind::Number | Kind::Bool | Kind::List(_) | Kind::Map(_) => {
            false
        }
    }
}

fn mark_value_like(value: &Value, like: &Value) -> Value {
    match (value, like) {
        (Value::Null, _) => Value::Null,
        (_, Value::Sensitive(_) | Value::Sealed(_)) => value.unmarked().sensitive(),
        (Value::List(items), Value::List(likes)) => Value::List(
            items
                .iter()
                .enumerate()
                .map(|(at, item)| {
                    likes.get(at).map_or_else(|| item.clone(), |like| mark_value_like(item, like))
                })
                .collect(),
        ),
        (Value::Map(object), Value::Map(likes)) => Value::Map(
            object.iter().map(|(k, v)| (k.clone(), mark_value_like(v, likes.value(k)))).collect(),
        ),
        _ => value.clone(),
    }
}

fn is_sealed_form_of(sealed: &Value, value: &Value, salt: &str) -> bool {
    matches!(sealed, Value::Sealed(recorded) if *recorded == digest(value, salt))
}

fn digest(value: &Value, salt: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(salt.as_bytes());
    hash.update([0]);
    hash.update(value.to_json().to_string().as_bytes());
    let bytes = hash.finalize();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_with_itself_alone() {
        let object =
            Object::new().with("password", Value::from("hunter2").sensitive()).with("a", 1_i64);
        let sealed = seal_object(&object, "salt");
        assert!(!sealed.to_json().to_string().contains("hunter2"));
        assert_eq!(unseal_object(&sealed, &object.unmarked(), "salt"), object);
        let other = Object::new().with("password", "hunter3");
        assert_eq!(unseal_object(&sealed, &other, "salt"), sealed);
        assert_eq!(unseal_object(&sealed, &object, "another salt"), sealed);
    }

    #[test]
    fn a_digest_is_not_sealed_again_and_opens_under_its_mark() {
        let secret = Value::from("hunter2").sensitive();
        let sealed = seal(&secret, "salt");
        let marked = sealed.clone().sensitive();
        assert_eq!(seal(&marked, "salt"), sealed);
        assert_eq!(unseal(&marked, &secret, "salt"), secret);
        assert_eq!(unseal(&marked, &Value::from("hunter3"), "salt"), marked);
    }
}
