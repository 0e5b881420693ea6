//! What every call has in common: arity, conversion, nulls, unknowns, marks, bounds, and errors.

use std::borrow::Cow;
use std::fmt;

use reconcile_model::{Number, Object, Value};

use super::{CallContext, MAX_ITEMS, MAX_TEXT_BYTES, convert};

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

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// The argument at fault, counted from zero, where it is one.
    pub argument: Option<usize>,
    /// What is wrong, in one sentence without its full stop. Never holds text of a sensitive value.
    pub message: String,
}

/// A [`CallError`] in the making: what may always be said apart from what quotes the arguments.
#[derive(Debug)]
pub(super) struct Fault {
    argument: Option<usize>,
    message: Cow<'static, str>,
    detail: Option<String>,
}

impl Fault {
    /// A fault of the call as a whole. The message must not quote a value.
    pub(super) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { argument: None, message: message.into(), detail: None }
    }

    /// A fault of one argument. The message follows the argument's name ("must be …") and must not quote a value.
    pub(super) fn at(argument: usize, message: impl Into<Cow<'static, str>>) -> Self {
        Self { argument: Some(argument), message: message.into(), detail: None }
    }

    /// Adds what may hold text of the arguments; it is left out when one of them is sensitive.
    pub(super) fn detail(self, detail: impl fmt::Display) -> Self {
        let mut detail = detail.to_string();
        if let Some((end, _)) = detail.char_indices().nth(200) {
            detail.truncate(end);
            detail.push('…');
        }
        Self { detail: Some(detail), ..self }
    }

    /// Adds the text that was not understood.
    pub(super) fn quoting(self, text: &str) -> Self {
        let quoted: String = text.chars().take(60).collect();
        let more = if quoted.len() < text.len() { "…" } else { "" };
        self.detail(format_args!("got {quoted:?}{more}"))
    }

    /// Says in front of the message where in a list of values the fault lies, counted from zero.
    pub(super) fn within(self, item: usize) -> Self {
        let message = match self.argument {
            Some(_) => format!("(item {item}) {}", self.message),
            None => format!("item {item}: {}", self.message),
        };
        Self { message: message.into(), ..self }
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
    /// when the result would hold more than [`MAX_ITEMS`] items or [`MAX_TEXT_BYTES`] bytes of text.
    pub fn call(&self, cx: &dyn CallContext, args: &[Value]) -> Result<Value, CallError> {
        let outcome = self.check_count(args.len()).and_then(|()| self.run(cx, args));
        outcome.and_then(bounded).map_err(|fault| {
            let mut message = match fault.argument {
                Some(index) => format!("`{}` {}", self.parameter(index), fault.message),
                None => fault.message.into_owned(),
            };
            if let Some(detail) = fault.detail.filter(|_| !args.iter().any(Value::has_sensitive)) {
                message = format!("{message}: {detail}");
            }
            CallError { argument: fault.argument, message }
        })
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

    fn run(&self, cx: &dyn CallContext, args: &[Value]) -> Result<Value, Fault> {
        if self.mode == Mode::Raw {
            return (self.run)(&Args { cx, values: args.iter().map(Cow::Borrowed).collect() });
        }
        let (mut marked, mut waiting) = (false, false);
        let mut values = Vec::with_capacity(args.len());
        for (index, arg) in args.iter().enumerate() {
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

/// Tells whether the value itself, not something in it, is sensitive.
pub(super) fn is_marked(value: &Value) -> bool {
    matches!(value, Value::Sensitive(_) | Value::Sealed(_))
}

/// Tells whether the value itself cannot be looked at: it is not known yet, or only its digest is left.
pub(super) fn is_hidden(value: &Value) -> bool {
    matches!(value.bare(), Value::Unknown | Value::Sealed(_))
}

/// Tells whether the value, or anything in it, cannot be looked at.
pub(super) fn holds_hidden(value: &Value) -> bool {
    match value.bare() {
        Value::Unknown | Value::Sealed(_) => true,
        Value::List(items) => items.iter().any(holds_hidden),
        Value::Map(object) => object.values().any(holds_hidden),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Sensitive(_) => false,
    }
}

/// Marks a value as sensitive as a whole; marks within it go, because none is ever inside another.
pub(super) fn mark(value: Value) -> Value {
    if value.has_sensitive() { value.unmarked().sensitive() } else { value.sensitive() }
}

/// Text that may not outgrow [`MAX_TEXT_BYTES`] while it is built.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// Appends.
    pub(super) fn push(&mut self, more: &str) -> Result<(), Fault> {
        if self.0.len() + more.len() > MAX_TEXT_BYTES {
            return Err(too_much_text());
        }
        self.0.push_str(more);
        Ok(())
    }

    /// Returns the text.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// The fault of a result that would be too long.
pub(super) fn too_much_text() -> Fault {
    Fault::new(format!("the result would be longer than {} MiB of text", MAX_TEXT_BYTES >> 20))
}

/// The fault of a result that would be too large.
pub(super) fn too_many_items() -> Fault {
    Fault::new(format!("the result would hold more than {MAX_ITEMS} items"))
}

/// Refuses a result that is larger than what a spec may sensibly hold: a few calls in a row would fill the memory.
fn bounded(value: Value) -> Result<Value, Fault> {
    fn measure(value: &Value, items: &mut usize, bytes: &mut usize) {
        match value.bare() {
            Value::String(text) => *bytes += text.len(),
            Value::List(list) => {
                *items += list.len();
                list.iter().for_each(|item| measure(item, items, bytes));
            }
            Value::Map(object) => {
                *items += object.len();
                for (key, member) in object {
                    *bytes += key.len();
                    measure(member, items, bytes);
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Unknown
            | Value::Sensitive(_)
            | Value::Sealed(_) => {}
        }
    }
    let (mut items, mut bytes) = (0, 0);
    measure(&value, &mut items, &mut bytes);
    if items > MAX_ITEMS {
        return Err(too_many_items());
    }
    if bytes > MAX_TEXT_BYTES {
        return Err(too_much_text());
    }
    Ok(value)
}
