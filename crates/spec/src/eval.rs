//! The evaluator: from an expression to its value.
//!
//! Values are borrowed where they stand and copied only when something is made of them, so that one reference into a
//! hundred thousand instances costs one look-up. An unknown operand makes a result unknown, a sensitive one marks it.
//!
//! **Architecture Invariant:** recursion follows the nesting of one scalar and of one body alone, both of which are
//! bounded when they are parsed; chains of locals and blocks are walked by their owners, with a stack of their own.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a value that an operation does not take is refused whatever it is, a new kind too"
)]

mod call;
mod collection;
mod message;
mod operate;
mod step;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use reconcile_model::{Attribute, Diagnostic, InstanceKey, Kind, Object, Value};

pub(crate) use message::{Failure, Fault};
pub(crate) use operate::{to_bool, to_number, to_text};

use crate::expression::{Expr, ExprKind, Root, Scalar};
use crate::node::{Entry, Key, Node, NodeKind};
use crate::place::Range;
use crate::scope::{Held, Instances, Scope};
use crate::spec::Condition;

/// How large a value may become: enough for every attribute of a hundred thousand instances.
pub(crate) const MAX_SIZE: usize = 1 << 23;

/// What a name or step leads to: a value, or the instances of a block, which are copied only where they must be.
pub(crate) enum Seen<'e> {
    Value(Cow<'e, Value>),
    Block(&'e Held),
}

/// What `count.index`, `each.key`, `each.value`, and `self` stand for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Instance<'e> {
    pub(crate) key: Option<InstanceKey>,
    pub(crate) each_value: Option<Cow<'e, Value>>,
    pub(crate) self_value: Option<&'e Value>,
}

/// Evaluates expressions of one place of a spec.
pub(crate) struct Evaluator<'e> {
    scope: &'e Scope<'e>,
    instance: Instance<'e>,
    /// The names bound by enclosing `for`s, outermost first.
    bound: Vec<Cow<'e, Value>>,
    /// The variables of a template that is rendered.
    given: Option<&'e Object>,
    /// How many templates call each other above this one.
    templates: usize,
    /// How many turns `for`s have taken.
    turns: usize,
    /// How much has been put into lists and objects.
    size: usize,
}

impl<'e> Evaluator<'e> {
    pub(crate) fn new(scope: &'e Scope<'_>, instance: Instance<'e>) -> Self {
        Self { scope, instance, bound: Vec::new(), given: None, templates: 0, turns: 0, size: 0 }
    }

    /// Evaluates a part of a body. What fails is told and counts as unknown, so that one run tells all.
    ///
    /// `kind` is what the value is for, where it is known: a number is taken as it was written where a string is wanted.
    pub(crate) fn node(
        &mut self,
        node: &'e Node,
        kind: Option<&Kind>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Cow<'e, Value> {
        match &node.kind {
            NodeKind::Literal(value) => Cow::Borrowed(value),
            NodeKind::Number(_, text) if matches!(kind, Some(Kind::String)) => {
                Cow::Owned(Value::from(&**text))
            }
            NodeKind::Number(value, _) => Cow::Borrowed(value),
            NodeKind::Scalar(scalar) => match self.eval(&scalar.expr) {
                Ok(value) => value,
                Err(fault) => {
                    self.tell(fault, node, diagnostics);
                    Cow::Owned(Value::Unknown)
                }
            },
            NodeKind::List(items) => {
                let kind = match kind {
                    Some(Kind::List(item) | Kind::Set(item)) => Some(*item),
                    other => other,
                };
                let values = items
                    .iter()
                    .map(|item| self.node(item, kind, diagnostics).into_owned())
                    .collect();
                Cow::Owned(Value::List(values))
            }
            NodeKind::Map(entries) => {
                let members = self.entries(
                    entries,
                    &|name| match kind? {
                        Kind::Map(item) => Some(*item),
                        Kind::Blocks(blocks) => kind_of(blocks.attributes, name),
                        Kind::String
                        | Kind::Int
                        | Kind::Number
                        | Kind::Bool
                        | Kind::List(_)
                        | Kind::Set(_) => None,
                    },
                    diagnostics,
                );
                Cow::Owned(Value::Map(members))
            }
        }
    }

    /// Evaluates the body of a block.
    pub(crate) fn body(
        &mut self,
        body: &'e [Entry],
        attributes: &[Attribute],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Object {
        self.entries(body, &|name| kind_of(attributes, name), diagnostics)
    }

    /// Evaluates the entries of a mapping. `kind` is what the value of a name is for.
    fn entries<'k>(
        &mut self,
        entries: &'e [Entry],
        kind: &dyn Fn(&str) -> Option<&'k Kind>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Object {
        let mut object = Object::new();
        for entry in entries {
            let Some(name) = self.key(entry, diagnostics) else { continue };
            let value = self.node(&entry.value, kind(&name), diagnostics).into_owned();
            object.insert(name.into_owned(), value);
        }
        object
    }

    fn key(&mut self, entry: &'e Entry, diagnostics: &mut Vec<Diagnostic>) -> Option<Cow<'e, str>> {
        let scalar = match &entry.key {
            Key::Name(name) => return Some(Cow::Borrowed(name)),
            Key::Computed(scalar) => scalar,
        };
        let result =
            self.eval(&scalar.expr).and_then(|value| collection::object_key(&value, &scalar.expr));
        match result {
            Ok(key) => Some(Cow::Owned(key)),
            Err(fault) => {
                self.tell_at(fault, entry.place, scalar, diagnostics);
                None
            }
        }
    }

    /// Adds what went wrong in a node's scalar.
    fn tell(&self, fault: Fault, node: &Node, diagnostics: &mut Vec<Diagnostic>) {
        if let NodeKind::Scalar(scalar) = &node.kind {
            self.tell_at(fault, node.place, scalar, diagnostics);
        }
    }

    fn tell_at(
        &self,
        fault: Fault,
        place: crate::place::Place,
        scalar: &Scalar,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        match fault {
            Fault::Here(failure) => {
                let files = &self.scope.spec.files;
                let place = files.within(place, scalar.style, &scalar.text, failure.at);
                diagnostics.push(failure.into_diagnostic(files.span(place)));
            }
            // The same diagnostic is met wherever the failed local is used; it is told once.
            Fault::Elsewhere(others) => {
                for other in others.iter() {
                    if !diagnostics.contains(other) {
                        diagnostics.push(other.clone());
                    }
                }
            }
        }
    }

    /// Evaluates an expression.
    pub(crate) fn eval(&mut self, expr: &'e Expr) -> Result<Cow<'e, Value>, Fault> {
        match &expr.kind {
            ExprKind::Literal(value) => Ok(Cow::Borrowed(value)),
            ExprKind::Root(_) | ExprKind::Traverse(..) => Ok(self.see(expr)?.into_value()),
            ExprKind::Template(parts) => self.template(parts),
            ExprKind::TemplateFor(body) => self.template_for(body),
            ExprKind::List(items) => self.list(items),
            ExprKind::Object(members) => self.object(members),
            ExprKind::Unary(operator, operand) => self.unary(*operator, operand),
            ExprKind::Binary(operator, sides) => {
                self.binary(*operator, &sides.0, &sides.1, expr.at)
            }
            ExprKind::Conditional(parts) => self.conditional(&parts.0, &parts.1, &parts.2),
            ExprKind::Call(call) => self.call(call, expr.at),
            ExprKind::For(body) => self.for_each(body),
            ExprKind::Once(cell, _) => self.cell(*cell),
        }
    }

    /// Evaluates an expression as far as it can be without copying a block's instances.
    pub(crate) fn see(&mut self, expr: &'e Expr) -> Result<Seen<'e>, Fault> {
        match &expr.kind {
            ExprKind::Root(root) => self.root(root, expr.at),
            ExprKind::Traverse(start, steps) => {
                let start = self.see(start)?;
                self.steps(start, steps)
            }
            _ => self.eval(expr).map(Seen::Value),
        }
    }

    /// Counts what is put into a list or object. Values are copied, so a few lines could fill the memory.
    fn charge(&mut self, value: &Value, at: Range) -> Result<(), Fault> {
        self.size = self.size.saturating_add(size_of(value));
        if self.size <= MAX_SIZE {
            return Ok(());
        }
        Err(Failure::new(at, "The value becomes too large")
            .detail(format!("It has more than {MAX_SIZE} parts."))
            .into())
    }

    fn root(&mut self, root: &'e Root, at: Range) -> Result<Seen<'e>, Fault> {
        let scope = self.scope;
        let value = match root {
            Root::Block(index) => return Ok(Seen::Block(scope.held(*index))),
            Root::Variable(index) => Cow::Borrowed(&scope.spec.variable_values[*index]),
            Root::Cell(index) => self.cell(*index)?,
            Root::Bound(index) => self.bound[*index].clone(),
            Root::Constant(value) => Cow::Borrowed(value),
            Root::Given(name) => match self.given.and_then(|given| given.get(&**name)) {
                Some(value) => Cow::Borrowed(value),
                None => return Err(message::not_given(name, self.given, at)),
            },
            Root::CountIndex => match &self.instance.key {
                Some(InstanceKey::Index(index)) => Cow::Owned(Value::from(*index)),
                Some(InstanceKey::Name(_)) | None => Cow::Owned(Value::Unknown),
            },
            Root::EachKey => match &self.instance.key {
                Some(InstanceKey::Name(name)) => Cow::Owned(Value::from(&**name)),
                Some(InstanceKey::Index(_)) | None => Cow::Owned(Value::Unknown),
            },
            Root::EachValue => {
                self.instance.each_value.clone().unwrap_or(Cow::Owned(Value::Unknown))
            }
            Root::SelfValue => match self.instance.self_value {
                Some(value) => Cow::Borrowed(value),
                None => Cow::Owned(Value::Unknown),
            },
        };
        Ok(Seen::Value(value))
    }

    fn cell(&self, index: usize) -> Result<Cow<'e, Value>, Fault> {
        match self.scope.cell(index) {
            Ok(value) => Ok(Cow::Borrowed(value)),
            Err(diagnostics) => Err(Fault::Elsewhere(diagnostics.clone())),
        }
    }

    fn conditional(
        &mut self,
        condition: &'e Expr,
        then: &'e Expr,
        otherwise: &'e Expr,
    ) -> Result<Cow<'e, Value>, Fault> {
        let (value, sensitive) = peel(self.eval(condition)?);
        let chosen = match operate::to_bool(&value) {
            Ok(Some(true)) => self.eval(then)?,
            Ok(Some(false)) => self.eval(otherwise)?,
            // Which it will be is not known; that the value is secret in either case is.
            Ok(None) => {
                let secret = [then, otherwise]
                    .into_iter()
                    .any(|side| self.eval(side).is_ok_and(|value| value.has_sensitive()));
                return Ok(marked(Cow::Owned(Value::Unknown), sensitive || secret));
            }
            Err(found) => {
                return Err(message::wrong_operand(
                    "The condition",
                    "true or false",
                    found,
                    condition.at,
                ));
            }
        };
        Ok(marked(chosen, sensitive))
    }

    fn template(&mut self, parts: &'e [Expr]) -> Result<Cow<'e, Value>, Fault> {
        let (mut text, mut known, mut sensitive) = (String::new(), true, false);
        for part in parts {
            let (value, is_sensitive) = peel(self.eval(part)?);
            sensitive |= is_sensitive;
            match operate::to_text(&value) {
                Ok(Some(part)) => text.push_str(&part),
                Ok(None) => known = false,
                Err(found) => return Err(message::not_text(found, part.at)),
            }
            if text.len() > crate::functions::MAX_TEXT_BYTES {
                return Err(Failure::new(part.at, "The text becomes too long").into());
            }
        }
        let value = if known { Value::String(text) } else { Value::Unknown };
        Ok(marked(Cow::Owned(value), sensitive))
    }

    /// Adds the conditions that do not hold. What is not known yet counts as holding.
    pub(crate) fn check_conditions(
        &mut self,
        conditions: &'e [Condition],
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        for condition in conditions {
            if self.holds(condition, diagnostics) == Some(false) {
                let text = self.error_message(condition, diagnostics);
                let span = self.scope.spec.files.span(condition.condition.place);
                diagnostics
                    .push(Diagnostic::error("A condition does not hold").detail(text).at(span));
            }
        }
    }

    /// Tells whether a condition holds. `None` when that is not known, or when it cannot be told, which adds why.
    pub(crate) fn holds(
        &mut self,
        condition: &'e Condition,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<bool> {
        let before = diagnostics.len();
        let value = self.node(&condition.condition, None, diagnostics);
        if diagnostics.len() > before {
            return None;
        }
        operate::to_bool(value.bare()).unwrap_or_else(|found| {
            let span = self.scope.spec.files.span(condition.condition.place);
            diagnostics.push(
                Diagnostic::error("A condition must be true or false")
                    .detail(format!("This one is {found}."))
                    .at(span),
            );
            None
        })
    }

    /// Returns what the spec says of a condition that does not hold, unless that is a secret.
    pub(crate) fn error_message(
        &mut self,
        condition: &'e Condition,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> String {
        let message = self.node(&condition.message, None, diagnostics);
        match &*message {
            Value::Sensitive(_) | Value::Sealed(_) => {
                "The error message is sensitive and is not shown.".to_owned()
            }
            other => operate::to_text(other)
                .ok()
                .flatten()
                .map_or_else(|| "The error message is not known yet.".to_owned(), Cow::into_owned),
        }
    }
}

impl<'e> Seen<'e> {
    /// Returns the value; the instances of a block with `count` are copied into a list, those with `for_each` into a map.
    pub(crate) fn into_value(self) -> Cow<'e, Value> {
        match self {
            Self::Value(value) => value,
            Self::Block(Held::Known(Instances::One(value))) => Cow::Borrowed(value),
            Self::Block(Held::Known(Instances::Count(items))) => {
                Cow::Owned(Value::List(items.clone()))
            }
            Self::Block(Held::Known(Instances::Each(items))) => Cow::Owned(Value::Map(
                items.iter().map(|(key, value)| (key.to_string(), value.clone())).collect(),
            )),
            Self::Block(Held::Pending | Held::Sample(..)) => Cow::Owned(Value::Unknown),
        }
    }
}

fn kind_of<'k>(attributes: &'k [Attribute], name: &str) -> Option<&'k Kind> {
    attributes.iter().find(|attribute| attribute.name == name).map(|attribute| &attribute.kind)
}

/// Takes the mark off the top of a value and tells whether there was one. A recorded digest cannot be computed with: it
/// counts as unknown.
pub(crate) fn peel(value: Cow<'_, Value>) -> (Cow<'_, Value>, bool) {
    match value {
        Cow::Borrowed(Value::Sensitive(inner)) => (peel(Cow::Borrowed(&**inner)).0, true),
        Cow::Owned(Value::Sensitive(inner)) => (peel(Cow::Owned(*inner)).0, true),
        Cow::Borrowed(Value::Sealed(_)) | Cow::Owned(Value::Sealed(_)) => {
            (Cow::Owned(Value::Unknown), true)
        }
        plain => (plain, false),
    }
}

/// Marks a value as sensitive when it was made from one that is.
pub(crate) fn marked(value: Cow<'_, Value>, sensitive: bool) -> Cow<'_, Value> {
    if !sensitive || matches!(&*value, Value::Sensitive(_) | Value::Sealed(_)) {
        return value;
    }
    let value = if value.has_sensitive() { value.unmarked() } else { value.into_owned() };
    Cow::Owned(value.sensitive())
}

/// Returns how much memory a value takes, in parts: one for each value in it, and more for long texts.
pub(crate) fn size_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Unknown => 1,
        Value::String(text) | Value::Sealed(text) => 1 + text.len() / 64,
        Value::List(items) => 1 + items.iter().map(size_of).sum::<usize>(),
        Value::Map(members) => {
            1 + members
                .iter()
                .map(|(key, value)| 1 + key.len() / 64 + size_of(value))
                .sum::<usize>()
        }
        Value::Sensitive(inner) => size_of(inner),
    }
}

/// Returns a text as it can be shared.
pub(crate) fn shared(text: &str) -> Arc<str> {
    text.into()
}
