//! Objects: named values, as a spec, a provider, and the state exchange them.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Path, Step, Value};

/// The provider's own id of a remote object: `i-0ab1`, an ARN, a composed id for what AWS gives none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectId(pub String);

impl ObjectId {
    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ObjectId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl From<String> for ObjectId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The attributes of one object, or the members of a map, by name.
///
/// The typed getters return `None` for what is absent, null, or unknown, and look through sensitive marks.
///
/// A clone shares its members with the original until one of the two is changed, and two that share their members compare
/// equal at once: most objects of a run are copies of others, in state, observation, plan, and scope.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Object(Arc<BTreeMap<String, Value>>);

impl Object {
    /// Returns an object without members.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells whether the two are clones of one object that neither has changed since. They are equal then; two that share
    /// nothing may be equal as well.
    pub fn shares_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Sets a member; `Option`s set null when they are `None`.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.insert(name.to_owned(), value.into());
    }

    /// Sets a member and returns the object, for building one in an expression.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Returns a member, null when it is absent.
    pub fn value(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    /// Returns a string member.
    pub fn str(&self, name: &str) -> Option<&str> {
        self.value(name).as_str()
    }

    /// Returns a string member as an owned string, as SDK builders take it.
    pub fn string(&self, name: &str) -> Option<String> {
        self.str(name).map(str::to_owned)
    }

    /// Returns a bool member.
    pub fn bool(&self, name: &str) -> Option<bool> {
        self.value(name).as_bool()
    }

    /// Returns a whole-number member.
    pub fn i64(&self, name: &str) -> Option<i64> {
        self.value(name).as_i64()
    }

    /// Returns a whole-number member that fits 32 bits, as most SDK builders take it.
    pub fn i32(&self, name: &str) -> Option<i32> {
        self.i64(name).and_then(|number| i32::try_from(number).ok())
    }

    /// Returns a number member as a double.
    pub fn f64(&self, name: &str) -> Option<f64> {
        self.value(name).as_number().map(crate::Number::as_f64)
    }

    /// Returns a list member's items; none when it is absent.
    pub fn list(&self, name: &str) -> &[Value] {
        self.value(name).as_list().unwrap_or(&[])
    }

    /// Returns the strings of a list member; items that are not known strings are left out.
    pub fn strings(&self, name: &str) -> Vec<String> {
        self.list(name).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Returns the objects of a member that holds blocks; none when it is absent.
    pub fn blocks(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.list(name).iter().filter_map(Value::as_map)
    }

    /// Returns the only object of a member that holds at most one block.
    pub fn block(&self, name: &str) -> Option<&Self> {
        self.blocks(name).next()
    }

    /// Returns a map member.
    pub fn map(&self, name: &str) -> Option<&Self> {
        self.value(name).as_map()
    }

    /// Returns a map member's entries with string values; others are left out.
    pub fn string_map(&self, name: &str) -> BTreeMap<String, String> {
        self.map(name).map(Self::to_string_map).unwrap_or_default()
    }

    /// Returns the entries whose values are known strings.
    pub fn to_string_map(&self) -> BTreeMap<String, String> {
        let entry = |(k, v): (&String, &Value)| v.as_str().map(|v| (k.clone(), v.to_owned()));
        self.0.iter().filter_map(entry).collect()
    }

    /// Returns the value at a path, looking through marks.
    pub fn at(&self, path: &Path) -> Option<&Value> {
        let (first, rest) = path.0.split_first()?;
        let Step::Name(name) = first else { return None };
        self.0.get(name)?.at(&Path(rest.to_vec()))
    }

    /// Tells whether anything in the object is sensitive.
    pub fn has_sensitive(&self) -> bool {
        self.0.values().any(Value::has_sensitive)
    }

    /// Returns the object without any sensitive mark.
    #[must_use]
    pub fn unmarked(&self) -> Self {
        if !self.has_sensitive() {
            return self.clone();
        }
        self.0.iter().map(|(k, v)| (k.clone(), v.unmarked())).collect()
    }

    /// Tells whether nothing in the object is unknown.
    pub fn is_known(&self) -> bool {
        self.0.values().all(Value::is_known)
    }

    /// Returns the object as JSON; see [`Value::to_json`].
    pub fn to_json(&self) -> serde_json::Value {
        self.0.iter().map(|(k, v)| (k.clone(), v.to_json())).collect()
    }

    /// Reads an object from JSON; anything but a JSON object gives `None`.
    pub fn from_json(json: &serde_json::Value) -> Option<Self> {
        if let Value::Map(object) = Value::from_json(json) { Some(object) } else { None }
    }
}

impl Deref for Object {
    type Target = BTreeMap<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Object {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.0)
    }
}

impl FromIterator<(String, Value)> for Object {
    fn from_iter<T: IntoIterator<Item = (String, Value)>>(members: T) -> Self {
        Self(Arc::new(members.into_iter().collect()))
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = std::collections::btree_map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.0).into_iter()
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = (&'a String, &'a Value);
    type IntoIter = std::collections::btree_map::Iter<'a, String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&*self.0).finish()
    }
}
