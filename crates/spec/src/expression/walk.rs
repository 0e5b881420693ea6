//! Finding what an expression mentions.

use std::collections::BTreeSet;

use super::{Expr, ExprKind, Root, Step, StepKind};
use crate::node::Node;
use crate::spec::Cell;

/// Calls `found` with every name of an expression and the part that is the name, at any depth.
pub(crate) fn roots<'a>(expr: &'a Expr, found: &mut dyn FnMut(&'a Root, &'a Expr)) {
    let mut waiting = vec![expr];
    while let Some(expr) = waiting.pop() {
        match &expr.kind {
            ExprKind::Literal(_) => {}
            ExprKind::Root(root) => found(root, expr),
            ExprKind::Template(parts) | ExprKind::List(parts) => waiting.extend(parts),
            ExprKind::Object(members) => {
                waiting.extend(members.iter().flat_map(|(key, value)| [key, value]));
            }
            ExprKind::Traverse(start, steps) => {
                waiting.push(start);
                indexes(steps, &mut waiting);
            }
            ExprKind::Unary(_, operand) => waiting.push(operand),
            ExprKind::Once(_, expr) => waiting.push(expr),
            ExprKind::Binary(_, sides) => waiting.extend([&sides.0, &sides.1]),
            ExprKind::Conditional(parts) => waiting.extend([&parts.0, &parts.1, &parts.2]),
            ExprKind::Call(call) => waiting.extend(&call.arguments),
            ExprKind::For(body) | ExprKind::TemplateFor(body) => {
                waiting.extend([&body.collection, &body.value]);
                waiting.extend(body.key.iter().chain(&body.condition));
            }
        }
    }
}

fn indexes<'a>(steps: &'a [Step], waiting: &mut Vec<&'a Expr>) {
    for step in steps {
        match &step.kind {
            StepKind::Attribute(_) => {}
            StepKind::Index(key) => waiting.push(key),
            StepKind::Splat(steps) => indexes(steps, waiting),
        }
    }
}

/// What a node mentions directly.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    pub(crate) blocks: BTreeSet<usize>,
    pub(crate) cells: BTreeSet<usize>,
}

/// Returns the blocks and cells that a node mentions directly.
pub(crate) fn mentions(node: &Node) -> Mentions {
    let mut mentions = Mentions::default();
    for expr in node.expressions() {
        add_mentions(expr, &mut mentions);
    }
    mentions
}

/// Returns the blocks and cells that an expression mentions.
pub(crate) fn mentions_of_expr(expr: &Expr) -> Mentions {
    let mut mentions = Mentions::default();
    add_mentions(expr, &mut mentions);
    mentions
}

fn add_mentions(expr: &Expr, mentions: &mut Mentions) {
    roots(expr, &mut |root, _| match root {
        Root::Block(index) => {
            mentions.blocks.insert(*index);
        }
        Root::Cell(index) => {
            mentions.cells.insert(*index);
        }
        Root::Variable(_)
        | Root::Bound(_)
        | Root::Constant(_)
        | Root::Given(_)
        | Root::CountIndex
        | Root::EachKey
        | Root::EachValue
        | Root::SelfValue => {}
    });
}

/// Adds the blocks that a node leads to, through cells too.
pub(crate) fn blocks_of_node(node: &Node, cells: &[Cell], found: &mut BTreeSet<usize>) {
    let Mentions { blocks, cells: first } = mentions(node);
    found.extend(blocks);
    blocks_of_cells(first, cells, found);
}

/// Adds the blocks that some cells lead to.
pub(crate) fn blocks_of_cells(
    first: impl IntoIterator<Item = usize>,
    cells: &[Cell],
    found: &mut BTreeSet<usize>,
) {
    for index in first {
        found.extend(cells[index].leads_to.iter());
    }
}
