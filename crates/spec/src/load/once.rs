//! Parts of a block's expressions that are the same for all its instances.
//!
//! `element(aws_instance.web[*].id, count.index)` makes a list of all ids to take one of them. Were that done anew for each
//! instance, ten thousand of them would cost a hundred million; so the list becomes a cell, which is evaluated when it is
//! first wanted and kept until something that it mentions changes.

use std::sync::Arc;

use super::{cell, graph};
use crate::expression::{Callee, Expr, ExprKind, Root, Scalar, Step, StepKind, walk};
use crate::node::{Node, NodeKind};
use crate::place::{Place, Range, Style};
use crate::spec::Spec;

/// Makes cells of what is worth one in the blocks that have several instances. The dependencies and the order of a spec are
/// known by then, and stay as they are.
pub(super) fn share(spec: &mut Spec) {
    let mut parts = Parts { next: spec.cells.len(), found: Vec::new() };
    for block in spec.blocks.values_mut().filter(|block| block.is_repeated()) {
        for entry in &mut block.body {
            parts.node(&mut entry.value);
        }
    }
    for node in parts.found {
        let mentions = walk::mentions(&node);
        let index = spec.cells.len();
        spec.cells.push(cell(node));
        graph::wire(spec, index, &mentions);
        spec.cells[index].leads_to = graph::leads_to(&mentions, &spec.cells);
    }
}

/// The parts that were found so far, as cells will have them.
struct Parts {
    /// The index of the next cell.
    next: usize,
    found: Vec<Node>,
}

/// The scalar that an expression is part of.
struct Around {
    place: Place,
    text: Arc<str>,
    style: Style,
}

impl Parts {
    fn node(&mut self, node: &mut Node) {
        match &mut node.kind {
            NodeKind::Literal(_) | NodeKind::Number(..) => {}
            NodeKind::List(items) => items.iter_mut().for_each(|item| self.node(item)),
            NodeKind::Map(entries) => {
                entries.iter_mut().for_each(|entry| self.node(&mut entry.value));
            }
            NodeKind::Scalar(scalar) => {
                let Scalar { expr, text, style } = &mut **scalar;
                let around = Around { place: node.place, text: text.clone(), style: *style };
                if let Some(expr) = Arc::get_mut(expr) {
                    self.expr(expr, &around);
                }
            }
        }
    }

    /// Replaces the largest parts of an expression that are worth a cell.
    ///
    /// It does not look into `try` and `can`, whose messages tell the error of an argument, nor behind the names that a `for`
    /// binds.
    fn expr(&mut self, expr: &mut Expr, around: &Around) {
        if is_worth(expr) && is_same_for_all(expr) {
            let part = std::mem::replace(&mut expr.kind, ExprKind::List(Vec::new()));
            expr.kind = self.part(Expr { kind: part, at: expr.at }, around);
            return;
        }
        match &mut expr.kind {
            ExprKind::Literal(_) | ExprKind::Root(_) | ExprKind::Once(..) => {}
            ExprKind::Template(parts) | ExprKind::List(parts) => {
                parts.iter_mut().for_each(|part| self.expr(part, around));
            }
            ExprKind::Object(members) => {
                for (key, value) in members {
                    self.expr(key, around);
                    self.expr(value, around);
                }
            }
            ExprKind::Traverse(start, steps) => {
                self.traverse(start, steps, expr.at, around);
            }
            ExprKind::Unary(_, operand) => self.expr(operand, around),
            ExprKind::Binary(_, sides) => {
                self.expr(&mut sides.0, around);
                self.expr(&mut sides.1, around);
            }
            ExprKind::Conditional(parts) => {
                self.expr(&mut parts.0, around);
                self.expr(&mut parts.1, around);
                self.expr(&mut parts.2, around);
            }
            ExprKind::Call(call) => match call.callee {
                Callee::Try | Callee::Can => {}
                Callee::Function(_) => {
                    call.arguments.iter_mut().for_each(|argument| self.expr(argument, around));
                }
            },
            ExprKind::For(body) | ExprKind::TemplateFor(body) => {
                self.expr(&mut body.collection, around);
            }
        }
    }

    /// Of `a[*].b[count.index]` the first two steps are the same for all.
    fn traverse(&mut self, start: &mut Expr, steps: &mut Vec<Step>, at: Range, around: &Around) {
        let same = if is_same_for_all(start) {
            steps.iter().take_while(|step| is_same_step(step)).count()
        } else {
            0
        };
        if steps[..same].iter().any(|step| matches!(step.kind, StepKind::Splat(_))) {
            let rest = steps.split_off(same);
            let nothing = Expr { kind: ExprKind::List(Vec::new()), at: start.at };
            let part = ExprKind::Traverse(
                Box::new(std::mem::replace(start, nothing)),
                std::mem::replace(steps, rest),
            );
            start.kind = self.part(Expr { kind: part, at }, around);
            return;
        }
        self.expr(start, around);
        for step in steps {
            if let StepKind::Index(key) = &mut step.kind {
                self.expr(key, around);
            }
        }
    }

    fn part(&mut self, expr: Expr, around: &Around) -> ExprKind {
        let expr = Arc::new(expr);
        let Around { place, text, style } = around;
        let scalar = Scalar { expr: Arc::clone(&expr), text: text.clone(), style: *style };
        self.found.push(Node { place: *place, kind: NodeKind::Scalar(Box::new(scalar)) });
        self.next += 1;
        ExprKind::Once(self.next - 1, expr)
    }
}

/// Tells whether evaluating an expression may take more than a look-up: whether it calls something, or goes through items.
fn is_worth(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Root(_) | ExprKind::Once(..) => false,
        ExprKind::Call(_) | ExprKind::For(_) | ExprKind::TemplateFor(_) => true,
        ExprKind::Template(parts) | ExprKind::List(parts) => parts.iter().any(is_worth),
        ExprKind::Object(members) => {
            members.iter().any(|(key, value)| is_worth(key) || is_worth(value))
        }
        ExprKind::Traverse(start, steps) => {
            is_worth(start) || steps.iter().any(|step| matches!(step.kind, StepKind::Splat(_)))
        }
        ExprKind::Unary(_, operand) => is_worth(operand),
        ExprKind::Binary(_, sides) => is_worth(&sides.0) || is_worth(&sides.1),
        ExprKind::Conditional(parts) => [&parts.0, &parts.1, &parts.2].into_iter().any(is_worth),
    }
}

/// Tells whether an expression has the same value for every instance of its block.
fn is_same_for_all(expr: &Expr) -> bool {
    let mut is_same = true;
    walk::roots(expr, &mut |root, _| is_same &= is_same_root(root));
    is_same
}

fn is_same_step(step: &Step) -> bool {
    match &step.kind {
        StepKind::Attribute(_) => true,
        StepKind::Index(key) => is_same_for_all(key),
        StepKind::Splat(steps) => steps.iter().all(is_same_step),
    }
}

/// Names that a `for` binds count as the same: where this is asked, the `for` is within the expression.
fn is_same_root(root: &Root) -> bool {
    match root {
        Root::Variable(_) | Root::Cell(_) | Root::Block(_) | Root::Constant(_) | Root::Bound(_) => {
            true
        }
        Root::Given(_) | Root::CountIndex | Root::EachKey | Root::EachValue | Root::SelfValue => {
            false
        }
    }
}
