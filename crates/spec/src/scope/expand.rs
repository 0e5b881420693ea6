//! Which instances a block has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reconcile_model::{Diagnostic, Value};

use super::{Expansion, Scope};
use crate::eval::{Evaluator, Instance, peel, to_number};
use crate::expression::walk;
use crate::node::Node;
use crate::spec::{Block, Repeat};

/// The most instances of one block. A million is ten times what one stack is made for.
pub(super) const MAX_INSTANCES: usize = 1_000_000;

/// What `count` or `for_each` comes to.
pub(crate) enum Extent {
    /// It is known.
    Known(Expansion),
    /// It is known after apply only.
    Unknown,
}

/// What to do when the number or the keys of instances come from a secret.
const NOT_SECRET: &str =
    "If the number or the keys give nothing away, wrap the expression in `nonsensitive()`.";

impl Scope<'_> {
    /// Returns which instances a block has.
    ///
    /// # Errors
    ///
    /// When `count` or `for_each` fails, is of the wrong kind, or is not known yet; the diagnostic then names what has to
    /// be applied first.
    pub fn expand(&self, block: &Block) -> Result<Expansion, Vec<Diagnostic>> {
        match self.extent(block)? {
            Extent::Known(expansion) => Ok(expansion),
            Extent::Unknown => Err(vec![self.unknown_extent(block)]),
        }
    }

    /// Returns which instances a block has, as far as it is known.
    pub(crate) fn extent(&self, block: &Block) -> Result<Extent, Vec<Diagnostic>> {
        match &block.repeat {
            Repeat::One => Ok(Extent::Known(Expansion::One)),
            Repeat::Count(_) => self.count_of(block),
            Repeat::Each(cell) => {
                let node = &self.spec.cells[*cell].node;
                match self.cell(*cell) {
                    Err(diagnostics) => Err(diagnostics.to_vec()),
                    Ok(value) => self
                        .each_of(value, node)
                        .map_err(|it| vec![it.about(&block.address.instance(None))]),
                }
            }
        }
    }

    fn count_of(&self, block: &Block) -> Result<Extent, Vec<Diagnostic>> {
        // The block is the spec's own, which lives as long as the scope's borrow of it.
        let Repeat::Count(node) = &self.spec.block_at(block.index).repeat else {
            return Ok(Extent::Known(Expansion::One));
        };
        let mut diagnostics = Vec::new();
        let value = Evaluator::new(self, Instance::default()).node(node, None, &mut diagnostics);
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
        let error = |summary: &str, detail: String| {
            let span = self.spec.files.span(node.place);
            Diagnostic::error(summary).detail(detail).at(span).about(&block.address.instance(None))
        };
        let (value, sensitive) = peel(value);
        if sensitive {
            return Err(vec![
                error(
                    "`count` must not be sensitive",
                    "The addresses of the instances would give it away.".to_owned(),
                )
                .hint(NOT_SECRET),
            ]);
        }
        match to_number(&value) {
            Ok(None) => Ok(Extent::Unknown),
            Ok(Some(number)) => match number.as_usize() {
                Some(count) if count <= MAX_INSTANCES => Ok(Extent::Known(Expansion::Count(count))),
                Some(count) => Err(vec![error(
                    "`count` is too large",
                    format!("It is {count}; at most {MAX_INSTANCES} are possible."),
                )]),
                None => Err(vec![error(
                    "`count` must be a whole number from zero up",
                    format!("It is {number}."),
                )]),
            },
            Err(found) => Err(vec![error(
                "`count` must be a whole number from zero up",
                format!("It is {found}."),
            )]),
        }
    }

    fn each_of(&self, value: &Value, node: &Node) -> Result<Extent, Diagnostic> {
        let error = |summary: &str, detail: &str| {
            Diagnostic::error(summary).detail(detail).at(self.spec.files.span(node.place))
        };
        match value {
            Value::Unknown => Ok(Extent::Unknown),
            Value::Map(members) => {
                if members.len() > MAX_INSTANCES {
                    return Err(error("`for_each` has too many members", ""));
                }
                let each =
                    members.iter().map(|(key, value)| (Arc::from(key.as_str()), value.clone()));
                Ok(Extent::Known(Expansion::Each(each.collect())))
            }
            Value::List(items) => self.each_of_list(items, node),
            Value::Sensitive(_) | Value::Sealed(_) => Err(error(
                "`for_each` must not be sensitive",
                "The addresses of the instances would give it away.",
            )
            .hint(NOT_SECRET)),
            Value::Null => Err(error("`for_each` must not be null", "")
                .hint("For no instances, give an empty map.")),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                let hint = if matches!(value, Value::Number(_)) {
                    "For so many instances, use `count`."
                } else {
                    "Put it in brackets, as in `[web]`."
                };
                let summary = "`for_each` must be a map, or a list of strings";
                Err(error(summary, &format!("It is {}.", value.kind_name())).hint(hint))
            }
        }
    }

    fn each_of_list(&self, items: &[Value], node: &Node) -> Result<Extent, Diagnostic> {
        let error = |summary: &str, detail: String| {
            Diagnostic::error(summary).detail(detail).at(self.spec.files.span(node.place))
        };
        let mut each = BTreeMap::new();
        for item in items {
            match item {
                Value::String(text) => {
                    let earlier = each.insert(Arc::from(text.as_str()), item.clone());
                    if earlier.is_some() {
                        return Err(error(
                            "`for_each` has a key twice",
                            format!("It is {text:?}."),
                        )
                        .hint("Remove duplicates with `toset()`."));
                    }
                }
                Value::Unknown => return Ok(Extent::Unknown),
                Value::Sensitive(_) | Value::Sealed(_) => {
                    return Err(error(
                        "`for_each` must not be sensitive",
                        "The addresses of the instances would give it away.".to_owned(),
                    )
                    .hint(NOT_SECRET));
                }
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::List(_)
                | Value::Map(_) => {
                    return Err(error("`for_each` must be a map, or a list of strings", format!("The list has {} in it.", item.kind_name()))
                        .hint("Give each item a key of its own, as in `${{ for item in list : item.name => item }}`."));
                }
            }
        }
        Ok(Extent::Known(Expansion::Each(each)))
    }

    /// Tells what has to be applied before a block's instances are known.
    fn unknown_extent(&self, block: &Block) -> Diagnostic {
        let (what, node, mut found) = match &block.repeat {
            Repeat::Count(node) => ("count", Some(node), BTreeSet::new()),
            Repeat::Each(cell) => ("for_each", Some(&self.spec.cells[*cell].node), BTreeSet::new()),
            Repeat::One => ("count", None, BTreeSet::new()),
        };
        if let Some(node) = node {
            walk::blocks_of_node(node, &self.spec.cells, &mut found);
        }
        let names: Vec<String> =
            found.iter().map(|&index| self.spec.block_at(index).address.to_string()).collect();
        let targets: Vec<String> = names.iter().map(|name| format!("--target {name}")).collect();
        let diagnostic =
            Diagnostic::error(format!("`{what}` of `{}` is known only after apply", block.address))
                .detail(format!(
                    "It depends on {}, and the instances must be known to plan them.",
                    crate::suggest::list(names.iter().map(String::as_str))
                ))
                .about(&block.address.instance(None));
        let diagnostic = match node {
            Some(node) => diagnostic.at(self.spec.files.span(node.place)),
            None => diagnostic,
        };
        if what == "for_each" {
            return diagnostic.hint(format!(
                "Use keys that the spec knows, with what is unknown in the values; or apply with `{}` first.",
                targets.join(" ")
            ));
        }
        diagnostic.hint(format!("Apply with `{}` first.", targets.join(" ")))
    }
}
