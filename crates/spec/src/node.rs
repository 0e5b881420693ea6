//! The body of a block: constants, expressions, lists, and mappings, each with its place.

use std::sync::Arc;

use reconcile_model::{Path, Step, Value};

use crate::expression::{Expr, Scalar};
use crate::place::{Files, Place, Range};

/// A part of a body.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) kind: NodeKind,
}

/// The kinds of node.
#[derive(Debug)]
pub(crate) enum NodeKind {
    /// A constant.
    Literal(Value),
    /// A number as it was written, for arguments that are strings: `1.10` is not `1.1`.
    Number(Value, Arc<str>),
    /// A scalar with an expression in it.
    Scalar(Box<Scalar>),
    /// A list.
    List(Vec<Node>),
    /// A mapping.
    Map(Vec<Entry>),
}

/// One entry of a mapping.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    /// Where the key stands.
    pub(crate) place: Place,
    pub(crate) value: Node,
}

/// The key of an entry.
#[derive(Debug)]
pub(crate) enum Key {
    /// A constant.
    Name(Arc<str>),
    /// An expression that gives the key.
    Computed(Box<Scalar>),
}

impl Key {
    /// Returns the key when it is a constant.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Computed(_) => None,
        }
    }
}

impl Node {
    /// Returns the place of a part of the node's scalar.
    pub(crate) fn place_of(&self, files: &Files, part: Range) -> Place {
        match &self.kind {
            NodeKind::Scalar(scalar) => files.within(self.place, scalar.style, &scalar.text, part),
            NodeKind::Literal(_) | NodeKind::Number(..) | NodeKind::List(_) | NodeKind::Map(_) => {
                self.place
            }
        }
    }

    /// Returns every expression of the node, at any depth, keys included.
    pub(crate) fn expressions(&self) -> Vec<&Expr> {
        let (mut found, mut waiting) = (Vec::new(), vec![self]);
        while let Some(node) = waiting.pop() {
            match &node.kind {
                NodeKind::Literal(_) | NodeKind::Number(..) => {}
                NodeKind::Scalar(scalar) => found.push(&*scalar.expr),
                NodeKind::List(items) => waiting.extend(items),
                NodeKind::Map(entries) => {
                    for entry in entries {
                        if let Key::Computed(scalar) = &entry.key {
                            found.push(&*scalar.expr);
                        }
                        waiting.push(&entry.value);
                    }
                }
            }
        }
        found
    }
}

/// Which part of an entry a place is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Name,
    Value,
}

/// Returns the place where a body gives the value at a path, or the nearest place around it.
pub(crate) fn place_at(body: &[Entry], path: &Path, part: Part) -> Option<Place> {
    let (first, mut rest) = path.0.split_first()?;
    let mut entry = entry(body, first)?;
    let mut best = entry_place(entry, part);
    let mut node = &entry.value;
    while let Some((step, tail)) = rest.split_first() {
        match (&node.kind, step) {
            (NodeKind::Map(entries), Step::Name(_)) => {
                let Some(found) = self::entry(entries, step) else { break };
                entry = found;
                best = entry_place(entry, part);
                node = &entry.value;
            }
            // One mapping stands for a list of one.
            (NodeKind::Map(_), Step::Index(0)) => {}
            (NodeKind::List(items), Step::Index(index)) => {
                let Some(item) = items.get(*index) else { break };
                best = item.place;
                node = item;
            }
            _ => break,
        }
        rest = tail;
    }
    Some(best)
}

fn entry<'a>(entries: &'a [Entry], step: &Step) -> Option<&'a Entry> {
    let Step::Name(name) = step else { return None };
    entries.iter().find(|entry| entry.key.name() == Some(name))
}

/// Returns where an entry's value stands, or its key when the value spreads over lines.
fn entry_place(entry: &Entry, part: Part) -> Place {
    match entry.value.kind {
        _ if part == Part::Name => entry.place,
        NodeKind::Literal(_) | NodeKind::Number(..) | NodeKind::Scalar(_) => entry.value.place,
        NodeKind::List(_) | NodeKind::Map(_) => entry.place,
    }
}
