//! Tags: the user's, the provider's defaults, and the three that mark an object as ours.

use std::collections::BTreeMap;

use crate::{Object, Value};

/// The key of the tag that names the stack.
pub const STACK: &str = "reconcile:stack";
/// The key of the tag that holds the address.
pub const ADDRESS: &str = "reconcile:address";
/// The key of the tag that holds the operation that created the object.
pub const OPERATION: &str = "reconcile:operation";

/// What the ownership tags of an object say.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Ownership {
    /// The stack that created the object.
    pub stack: Option<String>,
    /// The address it was created for.
    pub address: Option<String>,
    /// The id of the operation that created it.
    pub operation: Option<String>,
}

impl Ownership {
    /// Reads the ownership tags out of all the tags of an object.
    pub fn of(tags: &BTreeMap<String, String>) -> Self {
        let get = |key: &str| tags.get(key).cloned();
        Self { stack: get(STACK), address: get(ADDRESS), operation: get(OPERATION) }
    }

    /// Returns the ownership tags.
    ///
    /// A tag's value takes 256 characters (EC2 API, `Tag`), an address may be longer: it is cut, since it is for
    /// people; recovery goes by the operation.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let pairs = [(STACK, &self.stack), (ADDRESS, &self.address), (OPERATION, &self.operation)];
        pairs
            .into_iter()
            .filter_map(|(key, value)| {
                value.as_ref().map(|value| (key.to_owned(), value.chars().take(256).collect()))
            })
            .collect()
    }
}

/// Tells whether a tag is the user's: neither one of ours nor one of AWS's own (`aws:`, which nobody may write).
pub fn is_users(key: &str) -> bool {
    !key.starts_with("reconcile:") && !key.starts_with("aws:")
}

/// Returns the user's tags among all the tags of an object.
pub fn users(tags: &BTreeMap<String, String>) -> Object {
    tags.iter()
        .filter(|(key, _)| is_users(key))
        .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
        .collect()
}

/// Returns `tags_all`: the provider's default tags overlaid with the resource's own.
pub fn merge(default_tags: &Object, tags: &Value) -> Value {
    match tags {
        Value::Sensitive(inner) => merge(default_tags, inner).sensitive(),
        Value::Unknown => Value::Unknown,
        Value::Map(own) => {
            let mut all = if default_tags.is_empty() { own } else { default_tags }.clone();
            if !default_tags.is_empty() {
                all.extend(own.iter().map(|(k, v)| (k.clone(), v.clone())));
            }
            // A null tag is one left out.
            if all.values().any(Value::is_null) {
                all.retain(|_, value| !value.is_null());
            }
            Value::Map(all)
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Sealed(_) => Value::Map(default_tags.clone()),
    }
}

/// Returns the part of `tags_all` that a resource's own `tags` would have to say: everything but what the default tags
/// give already and the resource's recorded or configured tags do not repeat.
pub fn own(all: &Object, default_tags: &Object, mentioned: &Object) -> Object {
    let is_own = |key: &String, value: &Value| {
        mentioned.contains_key(key) || default_tags.get(key).map(Value::bare) != Some(value.bare())
    };
    let mut own = all.clone();
    if !all.iter().all(|(key, value)| is_own(key, value)) {
        own.retain(|key, value| is_own(key, value));
    }
    own
}

/// Sets `tags` of an object that was read to the part of `tags_all` that the resource itself has to say, null when it says
/// nothing and there is nothing to say. AWS keeps one set of tags for both.
pub fn set_own(live: &mut Object, default_tags: &Object, mentioned: &Value) {
    let Some(all) = live.map("tags_all") else { return };
    let none = Object::new();
    let own = own(all, default_tags, mentioned.as_map().unwrap_or(&none));
    let nothing = own.is_empty() && mentioned.is_null();
    let own = if nothing { Value::Null } else { Value::Map(own) };
    if live.get("tags") != Some(&own) {
        live.set("tags", own);
    }
}
