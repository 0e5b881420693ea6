//! Diffs: two objects of a schema side by side, attribute by attribute.
//!
//! A diff is computed once, here; what shows it only formats. Sets are matched by what their elements say, maps by key,
//! and lists by position, so that one edited rule among many is one changed element.
//!
//! **Architecture Invariant:** a node whose value is sensitive does not hold the value. What shows a diff cannot leak.

mod align;
mod redact;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::{
    Attribute, Kind, Object, Path, Schema, Value,
    normalize::{canonical, canonical_value},
    plan::{Change, Drift},
    proposed::is_same,
    schema::{Blocks, Nesting},
};

use align::{Pair, align_list, align_set};
use redact::redacted;

/// The difference between two objects, one node for each attribute, in the schema's order.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    /// The attributes, unchanged and absent ones too.
    pub attributes: Vec<Node>,
}

/// One value on both sides.
#[derive(Clone, Debug)]
pub struct Node {
    /// What the value is called among its siblings.
    pub label: Label,
    /// Where it is: in the object after the change, or, for what is removed, in the object before it.
    pub path: Path,
    /// The attribute that it is, or is an element of; absent for what no schema describes.
    pub attribute: Option<&'static Attribute>,
    /// What becomes of it.
    pub status: Status,
    /// What the change of it costs.
    pub mark: Option<Mark>,
    /// The values or parts themselves.
    pub body: Body,
}

/// What a value is called among its siblings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// An attribute or nested block.
    Attribute(String),
    /// A key of a map.
    Key(String),
    /// An element of a list or set, which has no name.
    Element,
}

/// What becomes of a value. Null and absent are one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Both sides mean the same.
    Unchanged,
    /// Only the side after has it.
    Added,
    /// Only the side before has it.
    Removed,
    /// Both have it, and it differs.
    Changed,
}

/// What a change of a value costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The object is replaced for it.
    Replace,
    /// The instance is stopped and started for it.
    Restart,
}

/// The values or parts of a node.
#[derive(Clone, Debug)]
pub enum Body {
    /// A value shown as a whole: a scalar, an unknown, or anything unchanged. Null where a side has none.
    Value {
        /// The value before.
        before: Value,
        /// The value after; unknown where only apply will tell.
        after: Value,
    },
    /// A sensitive value, which is not here.
    Sensitive {
        /// Whether the value after is decided during apply.
        unknown: bool,
    },
    /// The entries of a map, by key.
    Map(Vec<Node>),
    /// The elements of a list, in order.
    List(Vec<Node>),
    /// The elements of a set: removed ones first, then in the order of the side after.
    Set(Vec<Node>),
    /// Nested blocks, each with an [`Body::Object`].
    Blocks(Vec<Node>),
    /// The attributes of one nested block.
    Object(Vec<Node>),
}

/// The paths whose change costs more than an update.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    replace: BTreeSet<Path>,
    restart: BTreeSet<Path>,
}

impl Marks {
    /// Returns the marks of a change.
    pub fn of(change: &Change) -> Self {
        Self {
            replace: change.replace.iter().cloned().collect(),
            restart: change.restart.iter().cloned().collect(),
        }
    }

    fn at(&self, path: &Path) -> Option<Mark> {
        match (self.replace.contains(path), self.restart.contains(path)) {
            (true, _) => Some(Mark::Replace),
            (false, true) => Some(Mark::Restart),
            (false, false) => None,
        }
    }

    /// Returns the mark of a path or of anything in it.
    fn within(&self, path: &Path) -> Option<Mark> {
        let any = |paths: &BTreeSet<Path>| paths.iter().any(|it| it.0.starts_with(&path.0));
        match (any(&self.replace), any(&self.restart)) {
            (true, _) => Some(Mark::Replace),
            (false, true) => Some(Mark::Restart),
            (false, false) => None,
        }
    }
}

impl Diff {
    /// Compares two objects; `None` stands for an object that is not there.
    ///
    /// Without a schema every member is compared as it is.
    pub fn of_objects(
        schema: Option<&Schema>,
        before: Option<&Object>,
        after: Option<&Object>,
        marks: &Marks,
    ) -> Self {
        let empty = Object::new();
        let (before, after) = (before.unwrap_or(&empty), after.unwrap_or(&empty));
        let attributes = match schema {
            Some(schema) => members(schema.attributes, before, after, &Path::default(), marks),
            None => union(before, after)
                .map(|name| {
                    let label = Label::Attribute(name.clone());
                    let place = Place { label, path: Path::root(name), attribute: None };
                    compare(place, None, before.value(name), after.value(name), marks)
                })
                .collect(),
        };
        Self { attributes }
    }

    /// Compares the two sides of a change.
    pub fn of_change(schema: Option<&Schema>, change: &Change) -> Self {
        let (before, after) = (change.before.as_ref(), change.after.as_ref());
        Self::of_objects(schema, before, after, &Marks::of(change))
    }

    /// Compares what was recorded of an object with what is there.
    pub fn of_drift(schema: Option<&Schema>, drift: &Drift) -> Self {
        Self::of_objects(schema, Some(&drift.before), drift.after.as_ref(), &Marks::default())
    }

    /// Tells whether both sides mean the same.
    pub fn is_unchanged(&self) -> bool {
        self.attributes.iter().all(|node| node.status == Status::Unchanged)
    }
}

impl Node {
    /// Compares two values that no schema describes, as those of an output.
    pub fn of_values(name: &str, before: &Value, after: &Value) -> Self {
        let place = Place {
            label: Label::Attribute(name.to_owned()),
            path: Path::root(name),
            attribute: None,
        };
        compare(place, None, before, after, &Marks::default())
    }

    /// Tells whether neither side has the value.
    pub fn is_absent(&self) -> bool {
        match &self.body {
            Body::Value { before, after } => [before, after].into_iter().all(|value| {
                value.is_null() || (self.is_block() && value.as_list().is_some_and(<[_]>::is_empty))
            }),
            Body::Sensitive { .. }
            | Body::Map(_)
            | Body::List(_)
            | Body::Set(_)
            | Body::Blocks(_)
            | Body::Object(_) => false,
        }
    }

    /// Tells whether only apply will tell the value.
    pub fn is_unknown_after(&self) -> bool {
        match &self.body {
            Body::Value { after, .. } => after.is_unknown(),
            Body::Sensitive { unknown } => *unknown,
            Body::Map(_) | Body::List(_) | Body::Set(_) | Body::Blocks(_) | Body::Object(_) => {
                false
            }
        }
    }

    /// Tells whether the node stands for nested blocks.
    pub fn is_block(&self) -> bool {
        match &self.body {
            Body::Blocks(_) | Body::Object(_) => true,
            Body::Value { .. } | Body::Sensitive { .. } => {
                self.label != Label::Element
                    && matches!(self.attribute.map(|a| a.kind), Some(Kind::Blocks(_)))
            }
            Body::Map(_) | Body::List(_) | Body::Set(_) => false,
        }
    }
}

/// Where a value stands.
struct Place {
    label: Label,
    path: Path,
    attribute: Option<&'static Attribute>,
}

fn members(
    attributes: &'static [Attribute],
    before: &Object,
    after: &Object,
    at: &Path,
    marks: &Marks,
) -> Vec<Node> {
    attributes
        .iter()
        .map(|attribute| {
            let place = Place {
                label: Label::Attribute(attribute.name.to_owned()),
                path: at.name(attribute.name),
                attribute: Some(attribute),
            };
            let (old, new) = (before.value(attribute.name), after.value(attribute.name));
            compare(place, Some(attribute.kind), old, new, marks)
        })
        .collect()
}

fn compare(place: Place, kind: Option<Kind>, before: &Value, after: &Value, marks: &Marks) -> Node {
    let status = if same(place.attribute, kind, before, after) {
        Status::Unchanged
    } else {
        match (is_nothing(kind, before), is_nothing(kind, after)) {
            (true, _) => Status::Added,
            (_, true) => Status::Removed,
            (false, false) => Status::Changed,
        }
    };
    let body = body(&place, kind, before, after, status, marks);
    let mark = match (&status, &body) {
        (Status::Unchanged, _) => None,
        (_, Body::Value { .. } | Body::Sensitive { .. }) => marks.within(&place.path),
        (_, Body::Map(_) | Body::List(_) | Body::Set(_) | Body::Blocks(_) | Body::Object(_)) => {
            marks.at(&place.path)
        }
    };
    let Place { label, path, attribute } = place;
    Node { label, path, attribute, status, mark, body }
}

fn body(
    place: &Place,
    kind: Option<Kind>,
    before: &Value,
    after: &Value,
    status: Status,
    marks: &Marks,
) -> Body {
    let hidden = |value: &Value| matches!(value, Value::Sensitive(_) | Value::Sealed(_));
    let nothing = before.is_null() && after.is_null();
    if !nothing
        && (hidden(before)
            || hidden(after)
            || place.attribute.is_some_and(|attribute| attribute.sensitive))
    {
        return Body::Sensitive { unknown: after.is_unknown() };
    }
    let whole = || Body::Value { before: redacted(kind, before), after: redacted(kind, after) };
    if status == Status::Unchanged || before.is_unknown() || after.is_unknown() {
        return whole();
    }
    match kind {
        Some(Kind::String | Kind::Int | Kind::Number | Kind::Bool) => whole(),
        Some(Kind::Blocks(shape)) => match (items(before), items(after)) {
            (Some(old), Some(new)) => Body::Blocks(blocks(place, shape, old, new, marks)),
            _ => whole(),
        },
        Some(Kind::Map(item)) => entries(place, Some(*item), before, after, marks, whole),
        Some(Kind::List(item)) => match (items(before), items(after)) {
            (Some(old), Some(new)) => Body::List(list(place, Some(*item), old, new, marks)),
            _ => whole(),
        },
        Some(Kind::Set(item)) => match (items(before), items(after)) {
            (Some(old), Some(new)) => Body::Set(set(place, *item, old, new, marks)),
            _ => whole(),
        },
        None => match (before.bare(), after.bare()) {
            (Value::Map(_), Value::Map(_) | Value::Null) | (Value::Null, Value::Map(_)) => {
                entries(place, None, before, after, marks, whole)
            }
            (Value::List(_), Value::List(_) | Value::Null) | (Value::Null, Value::List(_)) => {
                let (old, new) = (before.as_list().unwrap_or(&[]), after.as_list().unwrap_or(&[]));
                Body::List(list(place, None, old, new, marks))
            }
            _ => whole(),
        },
    }
}

fn entries(
    place: &Place,
    item: Option<Kind>,
    before: &Value,
    after: &Value,
    marks: &Marks,
    whole: impl Fn() -> Body,
) -> Body {
    let side = |value: &Value| {
        if value.is_null() { Some(Object::new()) } else { value.as_map().cloned() }
    };
    let (Some(old), Some(new)) = (side(before), side(after)) else { return whole() };
    let entry = |key: &String| {
        let place = Place {
            label: Label::Key(key.clone()),
            path: place.path.name(key),
            attribute: place.attribute,
        };
        compare(place, item, old.value(key), new.value(key), marks)
    };
    Body::Map(union(&old, &new).map(entry).collect())
}

fn list(
    place: &Place,
    item: Option<Kind>,
    before: &[Value],
    after: &[Value],
    marks: &Marks,
) -> Vec<Node> {
    let equal = |i: usize, j: usize| same(place.attribute, item, &before[i], &after[j]);
    let partner = |i: usize, j: usize| before[i].as_map().is_some() && after[j].as_map().is_some();
    align_list(before.len(), after.len(), equal, partner)
        .into_iter()
        .map(|pair| element(place, item, before, after, pair, marks))
        .collect()
}

fn set(place: &Place, item: Kind, before: &[Value], after: &[Value], marks: &Marks) -> Vec<Node> {
    let keys = |values: &[Value]| -> Vec<Value> {
        values.iter().map(|value| key(place.attribute, Some(item), value)).collect()
    };
    align_set(&keys(before), &keys(after), |_, _| None)
        .into_iter()
        .map(|pair| element(place, Some(item), before, after, pair, marks))
        .collect()
}

fn element(
    place: &Place,
    item: Option<Kind>,
    before: &[Value],
    after: &[Value],
    pair: Pair,
    marks: &Marks,
) -> Node {
    let at = |values: &[Value], index: Option<usize>| {
        index.and_then(|index| values.get(index).cloned()).unwrap_or_default()
    };
    let place = Place {
        label: Label::Element,
        path: place.path.index(pair.after.or(pair.before).unwrap_or_default()),
        attribute: place.attribute,
    };
    compare(place, item, &at(before, pair.before), &at(after, pair.after), marks)
}

fn blocks(
    place: &Place,
    shape: &'static Blocks,
    before: &[Value],
    after: &[Value],
    marks: &Marks,
) -> Vec<Node> {
    let canonical_of = |value: &Value| match value.as_map() {
        Some(object) => Value::Map(canonical(shape.attributes, object).unmarked()),
        None => value.unmarked(),
    };
    let old: Vec<Value> = before.iter().map(canonical_of).collect();
    let new: Vec<Value> = after.iter().map(canonical_of).collect();
    let pairs = match shape.nesting {
        // Planning compares lists of one length by position, and its paths say so.
        Nesting::List if old.len() == new.len() => {
            (0..old.len()).map(|at| Pair { before: Some(at), after: Some(at) }).collect()
        }
        Nesting::List => align_list(old.len(), new.len(), |i, j| old[i] == new[j], |_, _| true),
        Nesting::Set => align_set(&old, &new, |i, j| likeness(shape, &old[i], &new[j])),
    };
    let whole = marks.at(&place.path);
    let empty = Object::new();
    pairs
        .into_iter()
        .map(|pair| {
            let side = |values: &'_ [Value], index: Option<usize>| {
                index.and_then(|index| values.get(index)).cloned()
            };
            let (was, is) = (side(before, pair.before), side(after, pair.after));
            let status = match (pair.before, pair.after) {
                (Some(i), Some(j)) if old[i] == new[j] => Status::Unchanged,
                (Some(_), Some(_)) => Status::Changed,
                (None, _) => Status::Added,
                (Some(_), None) => Status::Removed,
            };
            let path = place.path.index(pair.after.or(pair.before).unwrap_or_default());
            let hidden = |value: &Option<Value>| {
                matches!(value, Some(Value::Sensitive(_) | Value::Sealed(_)))
            };
            let object = |value: &Option<Value>| {
                value.as_ref().and_then(Value::as_map).cloned().unwrap_or_else(|| empty.clone())
            };
            let body = if hidden(&was) || hidden(&is) {
                Body::Sensitive { unknown: false }
            } else if is.as_ref().is_some_and(Value::is_unknown) {
                Body::Value { before: was.unwrap_or_default(), after: Value::Unknown }
            } else {
                Body::Object(members(shape.attributes, &object(&was), &object(&is), &path, marks))
            };
            let mark = if status == Status::Unchanged { None } else { marks.at(&path).or(whole) };
            Node {
                label: place.label.clone(),
                path,
                attribute: place.attribute,
                status,
                mark,
                body,
            }
        })
        .collect()
}

/// Tells how much two blocks of a set have in common, in thousandths of what they say; `None` when that is less than
/// half, so that they are two blocks and not one that changed.
fn likeness(shape: &Blocks, before: &Value, after: &Value) -> Option<usize> {
    let (before, after) = (before.as_map()?, after.as_map()?);
    let blank = |value: &Value| match value.bare() {
        Value::Null | Value::Bool(false) => true,
        Value::List(items) => items.is_empty(),
        Value::Map(object) => object.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(true)
        | Value::Number(_)
        | Value::Unknown
        | Value::Sensitive(_)
        | Value::Sealed(_) => false,
    };
    let said: Vec<bool> = shape
        .attributes
        .iter()
        .map(|attribute| (before.value(attribute.name), after.value(attribute.name)))
        .filter(|(old, new)| !(new.is_unknown() || blank(old) && blank(new)))
        .map(|(old, new)| old == new)
        .collect();
    let equal = said.iter().filter(|same| **same).count();
    (!said.is_empty() && equal * 2 >= said.len()).then(|| equal * 1000 / said.len())
}

/// Returns the items of a list, none for null, or `None` for what is no list.
fn items(value: &Value) -> Option<&[Value]> {
    if value.is_null() { Some(&[]) } else { value.as_list() }
}

/// Tells whether a side has no value: null, or for blocks none of them.
fn is_nothing(kind: Option<Kind>, value: &Value) -> bool {
    match kind {
        Some(Kind::Blocks(_)) => value.is_null() || value.as_list().is_some_and(<[_]>::is_empty),
        _ => value.is_null(),
    }
}

fn same(
    attribute: Option<&'static Attribute>,
    kind: Option<Kind>,
    before: &Value,
    after: &Value,
) -> bool {
    match (attribute, kind) {
        (Some(attribute), Some(kind)) => is_same(&Attribute { kind, ..*attribute }, before, after),
        _ => before == after || before.unmarked() == after.unmarked(),
    }
}

/// Returns the form of a value that is the same for all values that mean the same.
fn key(attribute: Option<&'static Attribute>, kind: Option<Kind>, value: &Value) -> Value {
    match (attribute, kind) {
        (Some(attribute), Some(kind)) => {
            canonical_value(&Attribute { kind, ..*attribute }, value).unmarked()
        }
        _ => value.unmarked(),
    }
}

/// Returns the keys of both objects, each once, in order.
fn union<'a>(before: &'a Object, after: &'a Object) -> impl Iterator<Item = &'a String> {
    before.keys().chain(after.keys()).collect::<BTreeSet<_>>().into_iter()
}
