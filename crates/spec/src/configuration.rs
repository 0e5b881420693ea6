//! What a spec says, unevaluated: which argument is a constant, and what the others lean on.
//!
//! Reports show where a value comes from by it, and tools made for Terraform's plans follow its references.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use reconcile_model::configuration::{
    Configuration, Expression, OutputConfiguration, ProviderConfiguration, ResourceConfiguration,
    VariableConfiguration,
};
use reconcile_model::{Attribute, Kind};

use crate::eval::{Evaluator, Instance};
use crate::expression::{Expr, ExprKind, Root, Step, StepKind};
use crate::node::{Entry, Node, NodeKind};
use crate::scope::{PROVIDER, Scope};
use crate::spec::{Block, Repeat, Spec};

impl Spec {
    /// Returns what the spec says, with the constants of sensitive arguments marked.
    pub fn configuration(&self) -> Configuration {
        let reader = Reader { spec: self, scope: Scope::new(self) };
        let providers = self.providers.iter().map(|(key, provider)| {
            let alias = key.split_once('.').map(|(_, alias)| alias.to_owned());
            let expressions = reader.body(&provider.body, PROVIDER);
            (key.clone(), ProviderConfiguration { alias, expressions })
        });
        let variables = self.variable_blocks.iter().map(|(name, variable)| {
            let variable = VariableConfiguration {
                default: variable.default.clone(),
                description: variable.description.clone(),
                sensitive: variable.sensitive,
            };
            (name.clone(), variable)
        });
        // The locals' cells come first.
        let locals = self.local_names.iter().zip(&self.cells);
        let locals = locals.map(|(name, it)| (name.clone(), reader.value(&it.node, None, false)));
        let resources = self.blocks.iter();
        let outputs = self.outputs.iter().map(|(name, output)| {
            let output = OutputConfiguration {
                expression: reader.value(&output.value, None, output.sensitive),
                description: output.description.clone(),
                sensitive: output.sensitive,
                depends_on: output.depends_on.iter().map(ToString::to_string).collect(),
            };
            (name.clone(), output)
        });
        Configuration {
            providers: providers.collect(),
            variables: variables.collect(),
            locals: locals.collect(),
            resources: resources.map(|(it, block)| (it.clone(), reader.block(block))).collect(),
            outputs: outputs.collect(),
        }
    }
}

/// Reads the bodies of one spec.
struct Reader<'s> {
    spec: &'s Spec,
    /// A scope in which nothing is known: what evaluates in it is a constant.
    scope: Scope<'s>,
}

impl<'s> Reader<'s> {
    fn block(&self, block: &'s Block) -> ResourceConfiguration {
        let (count, for_each) = match &block.repeat {
            Repeat::One => (None, None),
            Repeat::Count(node) => (Some(self.value(node, None, false)), None),
            Repeat::Each(cell) => {
                (None, Some(self.value(&self.spec.cells[*cell].node, None, false)))
            }
        };
        let depends_on = block.explicit_dependencies(self.spec);
        ResourceConfiguration {
            provider: block.provider.clone(),
            expressions: self.body(&block.body, block.schema.attributes),
            count,
            for_each,
            depends_on: depends_on.map(ToString::to_string).collect(),
        }
    }

    fn body(
        &self,
        body: &'s [Entry],
        attributes: &'static [Attribute],
    ) -> BTreeMap<String, Expression> {
        // A name of an argument is always a constant; the loader refuses all else.
        let named = body.iter().filter_map(|entry| Some((entry.key.name()?, &entry.value)));
        let read = named.map(|(name, node)| {
            let attribute = attributes.iter().find(|attribute| attribute.name == name);
            let expression = match attribute {
                Some(attribute) => self.argument(attribute, node),
                None => self.value(node, None, false),
            };
            (name.to_owned(), expression)
        });
        read.collect()
    }

    fn argument(&self, attribute: &'static Attribute, node: &'s Node) -> Expression {
        if let Kind::Blocks(blocks) = attribute.kind
            && let Some(bodies) = bodies(node)
        {
            let bodies = bodies.into_iter().map(|body| self.body(body, blocks.attributes));
            return Expression::Blocks(bodies.collect());
        }
        self.value(node, Some(&attribute.kind), attribute.sensitive)
    }

    fn value(&self, node: &'s Node, kind: Option<&Kind>, sensitive: bool) -> Expression {
        let (references, is_called) = self.mentioned(node);
        // Terraform evaluates no functions here, so neither is what they come to a constant to those who read it.
        if is_called || !references.is_empty() {
            return Expression::References(references);
        }
        let mut diagnostics = Vec::new();
        let mut evaluator = Evaluator::new(&self.scope, Instance::default());
        let value = evaluator.node(node, kind, &mut diagnostics).into_owned();
        if !diagnostics.is_empty() || !value.is_known() {
            return Expression::References(Vec::new());
        }
        Expression::Constant(if sensitive { value.sensitive() } else { value })
    }

    /// Returns what a node mentions, each once and in the order in which it is written, and whether a function is called.
    fn mentioned(&self, node: &Node) -> (Vec<String>, bool) {
        let mut found = Found::default();
        let mut waiting = vec![node];
        while let Some(node) = waiting.pop() {
            match &node.kind {
                NodeKind::Literal(_) | NodeKind::Number(..) => {}
                NodeKind::Scalar(scalar) => self.scalar(&scalar.expr, &scalar.text, &mut found),
                NodeKind::List(items) => waiting.extend(items.iter().rev()),
                NodeKind::Map(entries) => {
                    for entry in entries {
                        if let crate::node::Key::Computed(scalar) = &entry.key {
                            self.scalar(&scalar.expr, &scalar.text, &mut found);
                        }
                    }
                    waiting.extend(entries.iter().rev().map(|entry| &entry.value));
                }
            }
        }
        (found.names, found.is_called)
    }

    fn scalar(&self, expr: &Expr, text: &str, found: &mut Found) {
        let mut waiting = vec![expr];
        while let Some(expr) = waiting.pop() {
            let at = waiting.len();
            match &expr.kind {
                ExprKind::Literal(_) => {}
                ExprKind::Root(root) => self.reference(root, expr, &[], text, found),
                ExprKind::Template(parts) | ExprKind::List(parts) => waiting.extend(parts),
                ExprKind::Object(members) => {
                    waiting.extend(members.iter().flat_map(|(key, value)| [key, value]));
                }
                ExprKind::Traverse(start, steps) => {
                    if let ExprKind::Root(root) = &start.kind {
                        self.reference(root, start, steps, text, found);
                    } else {
                        waiting.push(start);
                    }
                    indexes(steps, &mut waiting);
                }
                ExprKind::Once(_, same) => waiting.push(same),
                ExprKind::Unary(_, operand) => waiting.push(operand),
                ExprKind::Binary(_, sides) => waiting.extend([&sides.0, &sides.1]),
                ExprKind::Conditional(parts) => waiting.extend([&parts.0, &parts.1, &parts.2]),
                ExprKind::Call(call) => {
                    found.is_called = true;
                    waiting.extend(&call.arguments);
                }
                ExprKind::For(body) | ExprKind::TemplateFor(body) => {
                    waiting.push(&body.collection);
                    waiting.extend(&body.key);
                    waiting.push(&body.value);
                    waiting.extend(&body.condition);
                }
            }
            // The last that waits comes next.
            waiting[at..].reverse();
        }
    }

    /// Adds a name with the steps that are constants: what follows the first other one is decided by a value.
    fn reference(&self, root: &Root, expr: &Expr, steps: &[Step], text: &str, found: &mut Found) {
        let mut name = match root {
            Root::Variable(index) => match self.spec.variable_blocks.get_index(*index) {
                Some((name, _)) => format!("var.{name}"),
                None => return,
            },
            Root::Cell(index) => match self.spec.local_names.get(*index) {
                Some(name) => format!("local.{name}"),
                None => return,
            },
            Root::Block(index) => self.spec.block_at(*index).address.to_string(),
            // The only constants with names are `path.module` and its kin.
            Root::Constant(_) => {
                let range = expr.at.start as usize..expr.at.end as usize;
                text.get(range).unwrap_or("path.module").to_owned()
            }
            Root::CountIndex => "count.index".to_owned(),
            Root::EachKey => "each.key".to_owned(),
            Root::EachValue => "each.value".to_owned(),
            Root::SelfValue => "self".to_owned(),
            Root::Bound(_) | Root::Given(_) => return,
        };
        for step in steps {
            match &step.kind {
                StepKind::Attribute(attribute) => {
                    name.push('.');
                    name.push_str(attribute);
                }
                StepKind::Index(Expr { kind: ExprKind::Literal(key), .. }) => {
                    name = format!("{name}[{}]", key.to_json());
                }
                StepKind::Index(_) | StepKind::Splat(_) => break,
            }
        }
        if !found.names.contains(&name) {
            found.names.push(name);
        }
    }
}

/// What a node mentions.
#[derive(Default)]
struct Found {
    names: Vec<String>,
    is_called: bool,
}

/// Adds the expressions that decide steps.
fn indexes<'e>(steps: &'e [Step], waiting: &mut Vec<&'e Expr>) {
    for step in steps {
        match &step.kind {
            StepKind::Attribute(_) => {}
            StepKind::Index(key) => waiting.push(key),
            StepKind::Splat(steps) => indexes(steps, waiting),
        }
    }
}

/// Returns the bodies of nested blocks that are written out: one mapping, or a list of mappings.
fn bodies(node: &Node) -> Option<Vec<&[Entry]>> {
    fn one(node: &Node) -> Option<&[Entry]> {
        match &node.kind {
            NodeKind::Map(entries) => {
                entries.iter().all(|entry| entry.key.name().is_some()).then_some(entries)
            }
            NodeKind::Literal(_)
            | NodeKind::Number(..)
            | NodeKind::Scalar(_)
            | NodeKind::List(_) => None,
        }
    }
    match &node.kind {
        NodeKind::List(items) => items.iter().map(one).collect(),
        NodeKind::Literal(_) | NodeKind::Number(..) | NodeKind::Scalar(_) | NodeKind::Map(_) => {
            one(node).map(|body| vec![body])
        }
    }
}
