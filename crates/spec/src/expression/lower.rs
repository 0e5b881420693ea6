//! Lowering: from the parser's tree to ours, with every name looked up, so that a wrong name is found before anything is
//! evaluated.

use std::path::Path as FilePath;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::{self, Expression, ObjectKey, TraversalOperator};
use hcl_edit::template::{Directive, Element, Template};
use reconcile_model::{Number, Value};

use super::parse::broken;
use super::{Call, Callee, Expr, ExprKind, ForLoop, Root, Step, StepKind};
use crate::eval::{Failure, shared};
use crate::functions;
use crate::place::Range;
use crate::suggest::{did_you_mean, nearest};

/// What names mean at one place of a spec.
pub(crate) trait Names {
    /// Returns what a name and the attributes that follow it stand for, and how many of the attributes belong to it.
    fn resolve(&self, name: &Name<'_>, attributes: &[Name<'_>]) -> Result<(Root, usize), Failure>;

    /// Tells what is wrong with the steps taken into what a name stands for.
    fn check(&self, root: &Root, steps: &[Step], at: Range, failures: &mut Vec<Failure>);
}

/// A name with its place.
pub(crate) struct Name<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: Range,
}

/// The names of a template file: the variables it is given, and `path`.
pub(crate) struct GivenNames<'a> {
    pub(crate) root: &'a FilePath,
}

impl Names for GivenNames<'_> {
    fn resolve(&self, name: &Name<'_>, attributes: &[Name<'_>]) -> Result<(Root, usize), Failure> {
        match name.text {
            "path" => path(name, attributes, self.root),
            other => Ok((Root::Given(other.into()), 0)),
        }
    }

    fn check(&self, _: &Root, _: &[Step], _: Range, _: &mut Vec<Failure>) {}
}

/// Returns what `path.module` and its kin stand for. Relative paths start from the spec's folder, so that is `.`.
pub(crate) fn path(
    name: &Name<'_>,
    attributes: &[Name<'_>],
    root: &FilePath,
) -> Result<(Root, usize), Failure> {
    match attributes.first() {
        Some(Name { text: "module" | "root", .. }) => Ok((Root::Constant(".".into()), 1)),
        Some(Name { text: "cwd", .. }) => {
            let full = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
            Ok((Root::Constant(full.to_string_lossy().into_owned().into()), 1))
        }
        Some(other) => Err(Failure::new(other.at, format!("There is no `path.{}`", other.text))
            .detail("There are `path.module`, `path.root`, and `path.cwd`.")
            .hint(
                nearest(other.text, ["module", "root", "cwd"])
                    .map(|near| format!("Did you mean `path.{near}`?")),
            )),
        None => Err(Failure::new(name.at, "`path` alone is no value")
            .hint("Write `path.module`, `path.root`, or `path.cwd`.".to_owned())),
    }
}

/// Lowers one scalar.
pub(crate) struct Lowering<'a> {
    names: &'a dyn Names,
    /// The names bound by enclosing `for`s, outermost first.
    bound: Vec<Arc<str>>,
    failures: Vec<Failure>,
}

impl<'a> Lowering<'a> {
    pub(crate) fn new(names: &'a dyn Names) -> Self {
        Self { names, bound: Vec::new(), failures: Vec::new() }
    }

    /// Returns the expression, or everything that is wrong with it.
    pub(crate) fn finish(self, expr: Expr) -> Result<Expr, Vec<Failure>> {
        if self.failures.is_empty() { Ok(expr) } else { Err(self.failures) }
    }

    /// Lowers an expression.
    pub(crate) fn expression(&mut self, expr: &Expression) -> Expr {
        let at = range(expr);
        let kind = match expr {
            Expression::Null(_) => ExprKind::Literal(Value::Null),
            Expression::Bool(flag) => ExprKind::Literal((*flag.value()).into()),
            Expression::Number(number) => self.number(number.value(), at),
            Expression::String(text) => ExprKind::Literal(text.value().as_str().into()),
            Expression::StringTemplate(template) => {
                return self.elements_at(template.iter(), at);
            }
            Expression::HeredocTemplate(heredoc) => {
                return self.elements_at(heredoc.template.iter(), at);
            }
            Expression::Array(items) => {
                ExprKind::List(items.iter().map(|item| self.expression(item)).collect())
            }
            Expression::Object(members) => ExprKind::Object(
                members
                    .iter()
                    .map(|(key, value)| (self.key(key), self.expression(value.expr())))
                    .collect(),
            ),
            Expression::Parenthesis(inner) => return self.expression(inner.inner()),
            Expression::Variable(name) => return self.traversal(name, at, &[], at),
            Expression::Traversal(traversal) => {
                let operators: Vec<&TraversalOperator> =
                    traversal.operators.iter().map(|operator| operator.value()).collect();
                if let Expression::Variable(name) = &traversal.expr {
                    return self.traversal(name, range(&traversal.expr), &operators, at);
                }
                let start = self.expression(&traversal.expr);
                let steps = self.steps(&operators, at);
                ExprKind::Traverse(Box::new(start), steps)
            }
            Expression::Conditional(parts) => ExprKind::Conditional(Box::new((
                self.expression(&parts.cond_expr),
                self.expression(&parts.true_expr),
                self.expression(&parts.false_expr),
            ))),
            Expression::UnaryOp(unary) => {
                ExprKind::Unary(*unary.operator.value(), Box::new(self.expression(&unary.expr)))
            }
            Expression::BinaryOp(binary) => ExprKind::Binary(
                *binary.operator.value(),
                Box::new((self.expression(&binary.lhs_expr), self.expression(&binary.rhs_expr))),
            ),
            Expression::FuncCall(call) => return self.call(call, at),
            Expression::ForExpr(body) => self.for_loop(body),
        };
        Expr { kind, at }
    }

    /// Lowers a template; with `keep`, one that is a single `${…}` is its expression.
    pub(crate) fn template(&mut self, template: &Template, keep: bool) -> Expr {
        let elements: Vec<&Element> = template.iter().collect();
        let at = Range::new(template.span().unwrap_or_default());
        self.elements(&elements, (false, false), keep, at)
    }

    fn elements_at<'t>(&mut self, elements: impl Iterator<Item = &'t Element>, at: Range) -> Expr {
        let elements: Vec<&Element> = elements.collect();
        self.elements(&elements, (false, false), true, at)
    }

    /// Lowers the elements of a template. `strip` tells whether what surrounds them takes spaces off their start and end.
    fn elements(
        &mut self,
        elements: &[&Element],
        strip: (bool, bool),
        keep: bool,
        at: Range,
    ) -> Expr {
        if let ([Element::Interpolation(only)], true) = (elements, keep) {
            return self.expression(&only.expr);
        }
        let mut parts = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let kind = match element {
                Element::Literal(text) => {
                    let before = index.checked_sub(1).map(|index| elements[index]);
                    let after = elements.get(index + 1).copied();
                    let mut text = text.as_str();
                    if before.map_or(strip.0, |before| strips(before).1) {
                        text = text.trim_start();
                    }
                    if after.map_or(strip.1, |after| strips(after).0) {
                        text = text.trim_end();
                    }
                    ExprKind::Literal(text.into())
                }
                Element::Interpolation(interpolation) => {
                    let expr = self.expression(&interpolation.expr);
                    parts.push(expr);
                    continue;
                }
                Element::Directive(directive) => self.directive(directive),
            };
            parts.push(Expr { kind, at: Range::new(element.span().unwrap_or_default()) });
        }
        match parts.as_slice() {
            [] => Expr { kind: ExprKind::Literal("".into()), at },
            [Expr { kind: ExprKind::Literal(Value::String(text)), .. }] => {
                Expr { kind: ExprKind::Literal(text.as_str().into()), at }
            }
            _ => Expr { kind: ExprKind::Template(parts), at },
        }
    }

    fn directive(&mut self, directive: &Directive) -> ExprKind {
        match directive {
            Directive::If(directive) => {
                let (then, end) = (&directive.if_expr, &directive.endif_expr);
                let condition = self.expression(&then.cond_expr);
                let otherwise = directive.else_expr.as_ref();
                let then_end =
                    otherwise.map_or(end.strip, |otherwise| otherwise.strip).strip_start();
                let then = self.inner(&then.template, (then.strip.strip_end(), then_end));
                let otherwise = match otherwise {
                    Some(otherwise) => self.inner(
                        &otherwise.template,
                        (otherwise.strip.strip_end(), end.strip.strip_start()),
                    ),
                    None => Expr { kind: ExprKind::Literal("".into()), at: condition.at },
                };
                ExprKind::Conditional(Box::new((condition, then, otherwise)))
            }
            Directive::For(directive) => {
                let (each, end) = (&directive.for_expr, &directive.endfor_expr);
                let collection = self.expression(&each.collection_expr);
                let depth = self.bound.len();
                self.bound.extend(each.key_var.iter().map(|name| shared(name.as_str())));
                self.bound.push(shared(each.value_var.as_str()));
                let value =
                    self.inner(&each.template, (each.strip.strip_end(), end.strip.strip_start()));
                self.bound.truncate(depth);
                ExprKind::TemplateFor(Box::new(ForLoop {
                    binds_key: each.key_var.is_some(),
                    collection,
                    key: None,
                    value,
                    condition: None,
                    grouping: false,
                }))
            }
        }
    }

    /// Lowers the template inside a directive, which is text even if it is a single `${…}`.
    fn inner(&mut self, template: &Template, strip: (bool, bool)) -> Expr {
        let elements: Vec<&Element> = template.iter().collect();
        let at = Range::new(template.span().unwrap_or_default());
        self.elements(&elements, strip, false, at)
    }

    fn number(&mut self, number: &hcl_edit::Number, at: Range) -> ExprKind {
        let value = match number.as_i64() {
            Some(whole) => Some(Number::from(whole)),
            None => number.as_f64().and_then(Number::from_f64),
        };
        match value {
            Some(value) => ExprKind::Literal(Value::Number(value)),
            None => {
                self.failures.push(Failure::new(at, "The number is too large"));
                ExprKind::Literal(Value::Unknown)
            }
        }
    }

    fn key(&mut self, key: &ObjectKey) -> Expr {
        match key {
            ObjectKey::Ident(name) => {
                Expr { kind: ExprKind::Literal(name.as_str().into()), at: range(key) }
            }
            ObjectKey::Expression(expr) => self.expression(expr),
        }
    }

    fn for_loop(&mut self, body: &expr::ForExpr) -> ExprKind {
        let collection = self.expression(&body.intro.collection_expr);
        let depth = self.bound.len();
        self.bound.extend(body.intro.key_var.iter().map(|name| shared(name.as_str())));
        self.bound.push(shared(body.intro.value_var.as_str()));
        let lowered = ForLoop {
            binds_key: body.intro.key_var.is_some(),
            collection,
            key: body.key_expr.as_ref().map(|key| self.expression(key)),
            value: self.expression(&body.value_expr),
            condition: body.cond.as_ref().map(|condition| self.expression(&condition.expr)),
            grouping: body.grouping,
        };
        self.bound.truncate(depth);
        ExprKind::For(Box::new(lowered))
    }

    fn call(&mut self, call: &expr::FuncCall, at: Range) -> Expr {
        let name = call.name.name.as_str();
        let name_at = range(&call.name.name);
        let callee = match self.callee(&call.name, name, name_at) {
            Ok(callee) => Some(callee),
            Err(failure) => {
                self.failures.push(failure);
                None
            }
        };
        let arguments: Vec<Expr> =
            call.args.iter().map(|argument| self.expression(argument)).collect();
        let Some(callee) = callee else { return broken(at) };
        if matches!(callee, Callee::Can) && arguments.len() != 1 {
            self.failures.push(Failure::new(at, "`can` takes one argument"));
        }
        let expand = call.args.expand_final();
        if expand && !matches!(callee, Callee::Function(_)) {
            self.failures.push(Failure::new(at, format!("`{name}` does not take `...`")));
        }
        let call = Call { name: shared(name), callee, arguments, expand };
        Expr { kind: ExprKind::Call(Box::new(call)), at }
    }

    fn callee(&self, full: &expr::FuncName, name: &str, at: Range) -> Result<Callee, Failure> {
        if full.is_namespaced() {
            return Err(Failure::new(at, "Functions of providers are not supported").hint(
                "Use one of the built-in functions, which have no `::` in their names.".to_owned(),
            ));
        }
        match name {
            "try" => return Ok(Callee::Try),
            "can" => return Ok(Callee::Can),
            _ => {}
        }
        if let Some(function) = functions::find(name) {
            return Ok(Callee::Function(function));
        }
        Err(match functions::refused(name) {
            Some(why) => Failure::new(at, format!("`{name}` cannot be called in a spec"))
                .detail(format!("The reason: {why}.")),
            None => Failure::new(at, format!("There is no function `{name}`")).hint(
                did_you_mean(name, functions::names())
                    .unwrap_or_else(|| "Functions carry Terraform's names.".to_owned()),
            ),
        })
    }

    fn traversal(
        &mut self,
        name: &str,
        name_at: Range,
        operators: &[&TraversalOperator],
        at: Range,
    ) -> Expr {
        let bound = self.bound.iter().rposition(|bound| **bound == *name);
        let (root, used) = match bound {
            Some(index) => (Root::Bound(index), 0),
            None => {
                let attributes: Vec<Name<'_>> = operators
                    .iter()
                    .map_while(|operator| match operator {
                        TraversalOperator::GetAttr(attribute) => {
                            Some(Name { text: attribute.as_str(), at: range(attribute) })
                        }
                        TraversalOperator::Index(_)
                        | TraversalOperator::LegacyIndex(_)
                        | TraversalOperator::AttrSplat(_)
                        | TraversalOperator::FullSplat(_) => None,
                    })
                    .collect();
                match self.names.resolve(&Name { text: name, at: name_at }, &attributes) {
                    Ok(found) => found,
                    Err(failure) => {
                        self.failures.push(failure);
                        // Names inside the indexes may be wrong, too.
                        self.steps(operators, at);
                        return broken(at);
                    }
                }
            }
        };
        let root_end = match used {
            0 => name_at.end,
            used => range(operators[used - 1]).end,
        };
        let root_at = Range { start: name_at.start, end: root_end };
        let steps = self.steps(&operators[used..], at);
        self.names.check(&root, &steps, root_at, &mut self.failures);
        let start = Expr { kind: ExprKind::Root(root), at: root_at };
        if steps.is_empty() {
            return start;
        }
        Expr { kind: ExprKind::Traverse(Box::new(start), steps), at }
    }

    /// Lowers the operators after a value. A full splat takes all that follow into each item, an attribute-only splat
    /// the attributes.
    fn steps(&mut self, operators: &[&TraversalOperator], at: Range) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut rest = operators;
        while let Some((operator, after)) = rest.split_first() {
            rest = after;
            let operator_at = operator.span().map_or(at, Range::new);
            let kind = match operator {
                TraversalOperator::GetAttr(name) => StepKind::Attribute(shared(name.as_str())),
                TraversalOperator::Index(key) => StepKind::Index(self.expression(key)),
                TraversalOperator::LegacyIndex(index) => {
                    let value = i64::try_from(*index.value()).unwrap_or(i64::MAX).into();
                    StepKind::Index(Expr { kind: ExprKind::Literal(value), at: operator_at })
                }
                TraversalOperator::FullSplat(_) => {
                    let inner = self.steps(rest, at);
                    rest = &[];
                    StepKind::Splat(inner)
                }
                TraversalOperator::AttrSplat(_) => {
                    let is_attribute = |operator: &&TraversalOperator| {
                        matches!(operator, TraversalOperator::GetAttr(_))
                    };
                    let count = rest.iter().take_while(|operator| is_attribute(operator)).count();
                    let (inside, outside) = rest.split_at(count);
                    rest = outside;
                    StepKind::Splat(self.steps(inside, at))
                }
            };
            steps.push(Step { kind, at: operator_at });
        }
        steps
    }
}

/// Tells whether an element takes spaces off the text before and after it.
fn strips(element: &Element) -> (bool, bool) {
    match element {
        Element::Literal(_) => (false, false),
        Element::Interpolation(it) => (it.strip.strip_start(), it.strip.strip_end()),
        Element::Directive(directive) => match &**directive {
            Directive::If(it) => (it.if_expr.strip.strip_start(), it.endif_expr.strip.strip_end()),
            Directive::For(it) => {
                (it.for_expr.strip.strip_start(), it.endfor_expr.strip.strip_end())
            }
        },
    }
}

fn range(node: &impl hcl_edit::Span) -> Range {
    Range::new(node.span().unwrap_or_default())
}
