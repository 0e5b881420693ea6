//! What every call has in common: arity, conversion, nulls, unknowns, and marks.

use std::borrow::{Borrow, Cow};

use reconcile_model::{Number, Object, Value};

use super::bounds::bounded;
use super::fault::{CallError, Fault};
use super::marks::{holds_hidden, is_hidden, is_marked, mark};
use super::{CallContext, convert};

/// A function of the language.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// The name, as Terraform has it.
    pub name: &'static str,
    /// The name with its parameters: `[x]` may be left out, `x...` may be given any number of times.
    pub signature: &'static str,
    /// What it returns, in one line of Markdown.
    pub doc: &'static str,
    /// Whether the evaluator must evaluate the arguments itself, one by one, because one that fails is no error.
    pub lazy: bool,
    takes: &'static [Take],
    mode: Mode,
    run: Run,
}

/// The body of a function.
pub(super) type Run = fn(&Args<'_>) -> Result<Value, Fault>;

/// How a function stands to unknown values and sensitive marks in its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// An unknown value anywhere makes the result unknown, a mark anywhere marks the result.
    Whole,
    /// A mark anywhere marks the result; unknown values within a collection are the function's own affair.
    Partial,
    /// What is unknown or marked within a collection stays there; only an argument's own top counts.
    Shallow,
    /// Arguments come as they are, unconverted.
    Raw,
}

/// What one parameter takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Take {
    kind: Kind,
    nullable: bool,
    optional: bool,
    rest: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Any,
    Flag,
    List,
    Map,
    Number,
    Text,
}

/// A value of any kind.
pub(super) const ANY: Take = Take::new(Kind::Any);
/// A bool, or what converts to one.
pub(super) const FLAG: Take = Take::new(Kind::Flag);
/// A list or set.
pub(super) const LIST: Take = Take::new(Kind::List);
/// A map or object.
pub(super) const MAP: Take = Take::new(Kind::Map);
/// A number, or what converts to one.
pub(super) const NUMBER: Take = Take::new(Kind::Number);
/// A string, or what converts to one.
pub(super) const TEXT: Take = Take::new(Kind::Text);

impl Take {
    const fn new(kind: Kind) -> Self {
        Self { kind, nullable: false, optional: false, rest: false }
    }

    /// Takes null, too.
    pub(super) const fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// May be left out.
    pub(super) const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// May be given any number of times, or not at all. Only the last parameter can be so.
    pub(super) const fn rest(self) -> Self {
        Self { rest: true, ..self }
    }
}

/// The arguments of one call, converted to what the function takes.
pub(super) struct Args<'a> {
    /// The spec that calls.
    pub(super) cx: &'a dyn CallContext,
    values: Vec<Cow<'a, Value>>,
}

impl Args<'_> {
    /// Returns an argument.
    pub(super) fn value(&self, index: usize) -> &Value {
        &self.values[index]
    }

    /// Tells whether an optional argument was given.
    pub(super) fn has(&self, index: usize) -> bool {
        index < self.values.len()
    }

    /// Returns all arguments from one on.
    pub(super) fn from(&self, index: usize) -> impl ExactSizeIterator<Item = &Value> {
        self.values[index.min(self.values.len())..].iter().map(AsRef::as_ref)
    }

    /// Returns a `TEXT` argument.
    pub(super) fn text(&self, index: usize) -> &str {
        self.value(index).as_str().expect("the call converted it to a string")
    }

    /// Returns a `NUMBER` argument.
    pub(super) fn number(&self, index: usize) -> Number {
        self.value(index).as_number().expect("the call converted it to a number")
    }

    /// Returns a `NUMBER` argument that must be whole.
    pub(super) fn whole(&self, index: usize) -> Result<i64, Fault> {
        self.number(index).as_i64().ok_or_else(|| Fault::at(index, "must be a whole number"))
    }

    /// Returns a `NUMBER` argument that must be whole and not negative.
    pub(super) fn count(&self, index: usize) -> Result<usize, Fault> {
        let message = "must be a whole number that is not negative";
        usize::try_from(self.whole(index)?).map_err(|_| Fault::at(index, message))
    }

    /// Returns a `LIST` argument.
    pub(super) fn list(&self, index: usize) -> &[Value] {
        self.value(index).as_list().expect("the call checked that it is a list")
    }

    /// Returns a `MAP` argument.
    pub(super) fn map(&self, index: usize) -> &Object {
        self.value(index).as_map().expect("the call checked that it is a map")
    }

    /// Returns the items of a `LIST` argument as strings; null is a fault.
    pub(super) fn texts(&self, index: usize) -> Result<Vec<String>, Fault> {
        let text = |(item, value): (usize, &Value)| {
            convert::text(value).map_err(|must| Fault::at(index, must).within(item))
        };
        self.list(index).iter().enumerate().map(text).collect()
    }
}

impl Function {
    const fn new(
        signature: &'static str,
        doc: &'static str,
        takes: &'static [Take],
        mode: Mode,
        run: Run,
    ) -> Self {
        let mut end = 0;
        while signature.as_bytes()[end] != b'(' {
            end += 1;
        }
        Self { name: signature.split_at(end).0, signature, doc, lazy: false, takes, mode, run }
    }

    /// A function of wholly known values, whose result is sensitive as soon as anything in its arguments is.
    pub(super) const fn whole(
        signature: &'static str,
        doc: &'static str,
        takes: &'static [Take],
        run: Run,
    ) -> Self {
        Self::new(signature, doc, takes, Mode::Whole, run)
    }

    /// A function that copes with unknown items, and whose result is sensitive as soon as anything in its arguments is.
    pub(super) const fn partial(
        signature: &'static str,
        doc: &'static str,
        takes: &'static [Take],
        run: Run,
    ) -> Self {
        Self::new(signature, doc, takes, Mode::Partial, run)
    }

    /// A function that moves the items of collections about without looking into them.
    pub(super) const fn shallow(
        signature: &'static str,
        doc: &'static str,
        takes: &'static [Take],
        run: Run,
    ) -> Self {
        Self::new(signature, doc, takes, Mode::Shallow, run)
    }

    /// A function that sees to unknowns, marks, and nulls itself.
    pub(super) const fn raw(
        signature: &'static str,
        doc: &'static str,
        takes: &'static [Take],
        run: Run,
    ) -> Self {
        Self::new(signature, doc, takes, Mode::Raw, run)
    }

    /// The same function with arguments that the evaluator evaluates one by one.
    pub(super) const fn lazy(self) -> Self {
        Self { lazy: true, ..self }
    }

    /// Calls the function.
    ///
    /// A lazy function called so takes its arguments as evaluated without an error.
    ///
    /// # Errors
    ///
    /// When there are too few or too many arguments, when one is of the wrong kind or null, when the function fails, and
    /// when the result would hold more than [`MAX_ITEMS`](super::MAX_ITEMS) items or [`MAX_TEXT_BYTES`](super::MAX_TEXT_BYTES) bytes of text.
    pub fn call<V: Borrow<Value>>(
        &self,
        cx: &dyn CallContext,
        args: &[V],
    ) -> Result<Value, CallError> {
        let args: Vec<&Value> = args.iter().map(Borrow::borrow).collect();
        let outcome = self.check_count(args.len()).and_then(|()| self.run(cx, &args));
        outcome.and_then(bounded).map_err(|fault| fault.of(self, &args))
    }

    /// Returns the name of the parameter that takes an argument, counted from zero.
    pub fn parameter(&self, argument: usize) -> &'static str {
        let names = self.parameters();
        names.get(argument.min(names.len().saturating_sub(1))).copied().unwrap_or("argument")
    }

    /// Returns the names of the parameters.
    fn parameters(&self) -> Vec<&'static str> {
        let list = &self.signature[self.name.len()..];
        let bare = |name: &'static str| name.trim_matches(['(', ')', '[', ']', '.', ' ']);
        list.split(',').map(bare).filter(|name| !name.is_empty()).collect()
    }

    fn take(&self, argument: usize) -> Take {
        self.takes[argument.min(self.takes.len() - 1)]
    }

    fn check_count(&self, given: usize) -> Result<(), Fault> {
        let least = self.takes.iter().filter(|take| !take.optional && !take.rest).count();
        let most =
            if self.takes.iter().any(|take| take.rest) { None } else { Some(self.takes.len()) };
        if given >= least && most.is_none_or(|most| given <= most) {
            return Ok(());
        }
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let wants = match most {
            None => format!("at least {least} argument{}", plural(least)),
            Some(most) if most == least => format!("{least} argument{}", plural(least)),
            Some(most) => format!("{least} to {most} arguments"),
        };
        Err(Fault::new(format!("`{}` takes {wants}, not {given}", self.signature)))
    }

    fn run(&self, cx: &dyn CallContext, args: &[&Value]) -> Result<Value, Fault> {
        if self.mode == Mode::Raw {
            let values = args.iter().map(|value| Cow::Borrowed(*value)).collect();
            return (self.run)(&Args { cx, values });
        }
        let (mut marked, mut waiting) = (false, false);
        let mut values = Vec::with_capacity(args.len());
        for (index, &arg) in args.iter().enumerate() {
            let take = self.take(index);
            let deep = self.mode != Mode::Shallow;
            let value = if deep && arg.has_sensitive() {
                marked = true;
                Cow::Owned(arg.unmarked())
            } else {
                marked |= is_marked(arg);
                Cow::Borrowed(arg.bare())
            };
            if value.is_null() {
                if !take.nullable {
                    return Err(Fault::at(index, "must not be null"));
                }
            } else if !is_hidden(&value) {
                values.push(take.kind.convert(value).map_err(|must| Fault::at(index, must))?);
                waiting |= self.mode == Mode::Whole && holds_hidden(arg);
                continue;
            }
            waiting |= is_hidden(&value);
            values.push(value);
        }
        let result = if waiting { Value::Unknown } else { (self.run)(&Args { cx, values })? };
        Ok(if marked { mark(result) } else { result })
    }

    /// Returns an empty value of the kind that an argument must have, or null when it may have any.
    #[cfg(test)]
    pub(super) fn empty(&self, argument: usize) -> Value {
        match self.take(argument).kind {
            Kind::Any => Value::Null,
            Kind::Flag => false.into(),
            Kind::List => Value::List(Vec::new()),
            Kind::Map => Object::new().into(),
            Kind::Number => 0.into(),
            Kind::Text => "".into(),
        }
    }

    /// Returns how many parameters are stated, for the test that the signature says the same.
    #[cfg(test)]
    pub(super) fn shape(&self) -> (usize, usize, bool, usize) {
        let count = |test: fn(&Take) -> bool| self.takes.iter().filter(|take| test(take)).count();
        let rest = self.takes.iter().any(|take| take.rest);
        (self.takes.len(), count(|take| take.optional), rest, self.parameters().len())
    }
}

impl Kind {
    /// Converts a value that is known and not null, as Terraform does for parameters.
    fn convert(self, value: Cow<'_, Value>) -> Result<Cow<'_, Value>, &'static str> {
        Ok(match (self, value.as_ref()) {
            (Self::Any, _)
            | (Self::Flag, Value::Bool(_))
            | (Self::List, Value::List(_))
            | (Self::Map, Value::Map(_))
            | (Self::Number, Value::Number(_))
            | (Self::Text, Value::String(_)) => value,
            (Self::Flag, other) => Cow::Owned(convert::flag(other)?.into()),
            (Self::List, _) => return Err("must be a list"),
            (Self::Map, _) => return Err("must be a map"),
            (Self::Number, other) => Cow::Owned(Value::Number(convert::number(other)?)),
            (Self::Text, other) => Cow::Owned(convert::text(other)?.into()),
        })
    }
}
