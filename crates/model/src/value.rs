//! The one value type of specs, state, and plans.

use std::fmt;

use crate::{Number, Object, Path, Step};

/// A value of the language.
///
/// Sets are lists whose order the schema declares meaningless; objects and maps are one thing. `Sensitive` wraps the
/// smallest part that is secret and is never nested inside itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Value {
    /// No value; for an argument, the same as leaving it out.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(String),
    /// A list, tuple, or set.
    List(Vec<Self>),
    /// An object or map, in the order of its keys.
    Map(Object),
    /// Decided during apply ("known after apply"). Never found in recorded state.
    Unknown,
    /// A value that no output may show.
    Sensitive(Box<Self>),
    /// The recorded digest of a sensitive value: it can be compared and cannot be read. See [`crate::seal`].
    Sealed(String),
}

impl Value {
    /// Wraps a value as sensitive; what is already sensitive stays as it is.
    #[must_use]
    pub fn sensitive(self) -> Self {
        match self {
            Self::Sensitive(_) => self,
            Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::String(_)
            | Self::List(_)
            | Self::Map(_)
            | Self::Unknown
            | Self::Sealed(_) => Self::Sensitive(Box::new(self)),
        }
    }

    /// Returns the value without a mark at its top.
    pub fn bare(&self) -> &Self {
        if let Self::Sensitive(inner) = self { inner.bare() } else { self }
    }

    /// Returns the value without any mark, at any depth.
    #[must_use]
    pub fn unmarked(&self) -> Self {
        match self {
            Self::Sensitive(inner) => inner.unmarked(),
            Self::List(items) => Self::List(items.iter().map(Self::unmarked).collect()),
            Self::Map(object) => Self::Map(object.unmarked()),
            Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::String(_)
            | Self::Unknown
            | Self::Sealed(_) => self.clone(),
        }
    }

    /// Tells whether the value, or anything in it, is sensitive.
    pub fn has_sensitive(&self) -> bool {
        match self {
            Self::Sensitive(_) | Self::Sealed(_) => true,
            Self::List(items) => items.iter().any(Self::has_sensitive),
            Self::Map(object) => object.has_sensitive(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Unknown => false,
        }
    }

    /// Tells whether nothing in the value is unknown.
    pub fn is_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::Sensitive(inner) => inner.is_known(),
            Self::List(items) => items.iter().all(Self::is_known),
            Self::Map(object) => object.values().all(Self::is_known),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Sealed(_) => {
                true
            }
        }
    }

    /// Tells whether the value is null, marked or not.
    pub fn is_null(&self) -> bool {
        matches!(self.bare(), Self::Null)
    }

    /// Tells whether the value itself is unknown, marked or not.
    pub fn is_unknown(&self) -> bool {
        matches!(self.bare(), Self::Unknown)
    }

    /// Returns the text, when it is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self.bare() { Some(text) } else { None }
    }

    /// Returns the flag, when it is a bool.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(flag) = self.bare() { Some(*flag) } else { None }
    }

    /// Returns the number, when it is one.
    pub fn as_number(&self) -> Option<Number> {
        if let Self::Number(number) = self.bare() { Some(*number) } else { None }
    }

    /// Returns the whole number, when it is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::as_i64)
    }

    /// Returns the items, when it is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self.bare() { Some(items) } else { None }
    }

    /// Returns the members, when it is a map.
    pub fn as_map(&self) -> Option<&Object> {
        if let Self::Map(object) = self.bare() { Some(object) } else { None }
    }

    /// Returns the value at a path, looking through marks, or `None` when the path leads nowhere.
    pub fn at(&self, path: &Path) -> Option<&Self> {
        let mut current = self;
        for step in &path.0 {
            current = match (step, current.bare()) {
                (Step::Index(index), Self::List(items)) => items.get(*index)?,
                (Step::Name(name), Self::Map(object)) => object.get(name)?,
                _ => return None,
            };
        }
        Some(current)
    }

    /// Names the kind of the value, for messages: "a string", "a list".
    pub fn kind_name(&self) -> &'static str {
        match self.bare() {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Unknown => "a value known after apply",
            Self::Sensitive(_) | Self::Sealed(_) => "a sensitive value",
        }
    }

    /// Returns the value as plain JSON; sensitive values are written in full, so this is for what stays in the process.
    /// Unknown and sealed become null: callers keep their paths apart, as Terraform's plan format does.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null | Self::Unknown => serde_json::Value::Null,
            Self::Bool(flag) => (*flag).into(),
            Self::Number(number) => number.to_json(),
            Self::String(text) => text.as_str().into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(object) => object.to_json(),
            Self::Sensitive(inner) => inner.to_json(),
            Self::Sealed(_) => serde_json::Value::Null,
        }
    }

    /// Reads a value from plain JSON, the inverse of [`Value::to_json`] for values that are known and not marked.
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(flag) => Self::Bool(*flag),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => whole.into(),
                None => number.as_f64().and_then(Number::from_f64).map_or(Self::Null, Self::Number),
            },
            serde_json::Value::String(text) => text.as_str().into(),
            serde_json::Value::Array(items) => {
                Self::List(items.iter().map(Self::from_json).collect())
            }
            serde_json::Value::Object(members) => {
                Self::Map(members.iter().map(|(k, v)| (k.clone(), Self::from_json(v))).collect())
            }
        }
    }
}

/// Prints the value for a developer; sensitive values are hidden here too.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::String(text) => write!(f, "{text:?}"),
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Map(object) => fmt::Debug::fmt(object, f),
            Self::Unknown => f.write_str("(known after apply)"),
            Self::Sensitive(_) | Self::Sealed(_) => f.write_str("(sensitive value)"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number.into())
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Map(object)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_what_is_sensitive() {
        let value = Value::List(vec!["open".into(), Value::from("hunter2").sensitive()]);
        assert_eq!(format!("{value:?}"), r#"["open", (sensitive value)]"#);
    }
}
