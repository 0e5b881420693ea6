//! The values of a spec's expressions, over what is known so far of its resources.

mod assertions;
mod configure;
mod expand;
mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

pub use self::assertions::Assertion;
pub(crate) use self::configure::PROVIDER;
pub(crate) use self::expand::Extent;

use reconcile_model::{Address, Diagnostic, InstanceKey, Path, ResourceAddress, Span, Value};

use crate::eval::{Evaluator, Instance, MAX_SIZE, size_of};
use crate::expression::walk;
use crate::node::{self, Node, Part};
use crate::spec::{Block, Output, Spec};

/// How deep a value may be nested. Deeper ones come only from locals that wrap each other; they would overflow the stack
/// of whoever walks them.
const MAX_VALUE_DEPTH: usize = 256;

/// The objects of one block, each a [`Value::Map`] of its attributes that may hold unknown values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instances {
    /// The only one of a block without `count` and `for_each`.
    One(Value),
    /// Those of a block with `count`, by index.
    Count(Vec<Value>),
    /// Those of a block with `for_each`, by key.
    Each(BTreeMap<Arc<str>, Value>),
}

/// Which instances a block has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expansion {
    /// One, without a key.
    One,
    /// So many, by index.
    Count(usize),
    /// One for each key, with the value of `each.value`.
    Each(BTreeMap<Arc<str>, Value>),
}

/// Which of a block's conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Those that must hold before anything is done (`precondition`).
    Before,
    /// Those that must hold of the result (`postcondition`).
    After,
}

/// What is known of a block.
#[derive(Clone, Debug)]
pub(crate) enum Held {
    /// Nothing yet.
    Pending,
    /// Its instances.
    Known(Instances),
    /// What each of its instances looks like before any key is known; how many there are, if that is known.
    Sample(Option<usize>, Value),
}

/// What a cell came to.
pub(crate) type CellResult = Result<Value, Arc<[Diagnostic]>>;

/// The values of everything evaluated so far.
///
/// Values of blocks are set from outside, in the order of [`Spec::order`]; expressions are evaluated over them. Locals
/// are evaluated once and again only after a block they mention has changed.
#[derive(Debug)]
pub struct Scope<'s> {
    pub(crate) spec: &'s Spec,
    held: Vec<Held>,
    cells: Vec<OnceLock<CellResult>>,
    /// How much the cells hold together, where that is bounded: a spec alone must not fill the memory.
    size: Option<AtomicUsize>,
}

impl<'s> Scope<'s> {
    /// Returns a scope in which nothing is known of any block: references to them are unknown.
    pub fn new(spec: &'s Spec) -> Self {
        Self {
            spec,
            held: vec![Held::Pending; spec.blocks.len()],
            cells: spec.cells.iter().map(|_| OnceLock::new()).collect(),
            size: None,
        }
    }

    /// Returns a scope for static checks, in which the cells together may not become too large.
    pub(crate) fn bounded(spec: &'s Spec) -> Self {
        Self { size: Some(AtomicUsize::new(0)), ..Self::new(spec) }
    }

    /// Returns the spec whose expressions the scope evaluates.
    pub fn spec(&self) -> &'s Spec {
        self.spec
    }

    /// Sets the objects of a block of the spec.
    pub fn set(&mut self, block: &Block, instances: Instances) {
        self.hold(block.index, Held::Known(instances));
    }

    /// Sets the object of one instance. The other instances stay as they are; an address that is not in the spec is
    /// ignored.
    pub fn set_instance(&mut self, address: &Address, value: Value) {
        let Some(index) = self.spec.blocks.get_index_of(&address.resource) else { return };
        let held = &mut self.held[index];
        match (&address.key, held) {
            (None, held) => *held = Held::Known(Instances::One(value)),
            (Some(InstanceKey::Index(at)), Held::Known(Instances::Count(items))) => {
                if items.len() <= *at {
                    items.resize(at + 1, Value::Unknown);
                }
                items[*at] = value;
            }
            (Some(InstanceKey::Name(name)), Held::Known(Instances::Each(items))) => {
                items.insert(name.clone(), value);
            }
            (Some(InstanceKey::Index(at)), held) => {
                let mut items = vec![Value::Unknown; at + 1];
                items[*at] = value;
                *held = Held::Known(Instances::Count(items));
            }
            (Some(InstanceKey::Name(name)), held) => {
                *held = Held::Known(Instances::Each([(name.clone(), value)].into()));
            }
        }
        self.forget_cells_of(index);
    }

    pub(crate) fn hold(&mut self, index: usize, held: Held) {
        self.held[index] = held;
        self.forget_cells_of(index);
    }

    pub(crate) fn held(&self, index: usize) -> &Held {
        &self.held[index]
    }

    /// Drops the values of the cells that mention a block, directly or through others.
    ///
    /// A cell without a value needs no look at its dependents: theirs cannot have been made from it.
    fn forget_cells_of(&mut self, block: usize) {
        let mut waiting: Vec<usize> = self.spec.cells_of_block[block].clone();
        while let Some(cell) = waiting.pop() {
            if self.cells[cell].take().is_some() {
                waiting.extend(&self.spec.cells[cell].dependents);
            }
        }
    }

    /// Returns the value of a cell, evaluating it, and first what it mentions, when that has not been done.
    ///
    /// The walk keeps its own stack: locals may form chains as long as a spec.
    pub(crate) fn cell(&self, index: usize) -> &CellResult {
        let mut waiting = vec![index];
        while let Some(&top) = waiting.last() {
            if self.cells[top].get().is_some() {
                waiting.pop();
                continue;
            }
            let cell = &self.spec.cells[top];
            let before = waiting.len();
            waiting.extend(cell.cells.iter().filter(|it| self.cells[**it].get().is_none()));
            if waiting.len() == before {
                waiting.pop();
                let result = self.evaluate_cell(&cell.node);
                // Another thread may have been faster; the values are the same.
                self.cells[top].get_or_init(|| result);
            }
        }
        self.cells[index].get().expect("the loop ends when the cell has its value")
    }

    fn evaluate_cell(&self, node: &'s Node) -> CellResult {
        let mut diagnostics = Vec::new();
        let value = Evaluator::new(self, Instance::default()).node(node, None, &mut diagnostics);
        if !diagnostics.is_empty() {
            return Err(diagnostics.into());
        }
        if let Some(total) = &self.size {
            let size = size_of(&value);
            if total.fetch_add(size, Ordering::Relaxed) + size > MAX_SIZE {
                return Err([Diagnostic::error("The locals of this spec hold too much")
                    .detail(format!("Together they have more than {MAX_SIZE} parts."))
                    .at(self.spec.files.span(node.place))]
                .into());
            }
        }
        let value = value.into_owned();
        if is_deeper_than(&value, MAX_VALUE_DEPTH) {
            return Err([Diagnostic::error("The value is nested too deeply")
                .detail(format!("It has more than {MAX_VALUE_DEPTH} levels."))
                .at(self.spec.files.span(node.place))]
            .into());
        }
        Ok(value)
    }

    /// Returns the blocks that the expressions of one of a block's arguments lead to, through locals too, sorted.
    pub fn references(&self, block: &Block, argument: &str) -> Vec<ResourceAddress> {
        let entries = block.body.iter().filter(|entry| entry.key.name() == Some(argument));
        let mut found = BTreeSet::new();
        for entry in entries {
            walk::blocks_of_node(&entry.value, &self.spec.cells, &mut found);
        }
        let mut addresses: Vec<_> =
            found.into_iter().map(|index| self.spec.block_at(index).address.clone()).collect();
        addresses.sort();
        addresses
    }

    /// Returns where the spec gives the argument at a path of a block, or the nearest place around it. `None` when the
    /// block's body does not mention it.
    pub fn span_of(&self, block: &Block, path: &Path) -> Option<Span> {
        node::place_at(&block.body, path, Part::Value).map(|place| self.spec.files.span(place))
    }

    /// Returns the value of an output.
    ///
    /// # Errors
    ///
    /// When its expression fails, one of its preconditions does not hold, or its value is sensitive and the output does
    /// not say so.
    pub fn output(&self, output: &Output) -> Result<Value, Vec<Diagnostic>> {
        let mut diagnostics = Vec::new();
        let mut evaluator = Evaluator::new(self, Instance::default());
        evaluator.check_conditions(&output.preconditions, &mut diagnostics);
        let value = evaluator.node(&output.value, None, &mut diagnostics).into_owned();
        if !output.sensitive && value.has_sensitive() {
            diagnostics.push(
                Diagnostic::error(format!("The output `{}` is made from a sensitive value", output.name))
                    .detail("An output is printed and recorded, and its value must not be.")
                    .hint("Add `sensitive: true` to the output; or, if the result gives nothing away, wrap the expression in `nonsensitive()`.")
                    .at(self.spec.files.span(output.value.place)),
            );
        }
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
        // A mark on a part would seal that part alone; a sensitive output is sensitive as a whole.
        Ok(if output.sensitive && !value.is_null() { value.unmarked().sensitive() } else { value })
    }
}

/// Tells whether a value has more than `limit` levels, without going deeper than that.
fn is_deeper_than(value: &Value, limit: usize) -> bool {
    match value {
        Value::Sensitive(inner) => is_deeper_than(inner, limit),
        Value::List(items) => {
            limit == 0 || items.iter().any(|item| is_deeper_than(item, limit - 1))
        }
        Value::Map(members) => {
            limit == 0 || members.values().any(|member| is_deeper_than(member, limit - 1))
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Unknown
        | Value::Sealed(_) => false,
    }
}
