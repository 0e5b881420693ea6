//! What the evaluator says when it fails.
//!
//! **Architecture Invariant:** no message quotes a value that may be sensitive; kinds and names are told instead.

use std::sync::Arc;

use reconcile_model::{Diagnostic, Object, Span, Value};

use crate::place::Range;
use crate::suggest::{did_you_mean, list};

/// Why an expression has no value.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Something in the expression itself.
    Here(Box<Failure>),
    /// Something it mentions, which has been told already.
    Elsewhere(Arc<[Diagnostic]>),
}

/// What is wrong with a part of an expression.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) at: Range,
    pub(crate) summary: String,
    pub(crate) detail: String,
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(at: Range, summary: impl Into<String>) -> Self {
        Self { at, summary: summary.into(), detail: String::new(), hint: None }
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(crate) fn into_diagnostic(self, span: Span) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.summary).detail(self.detail).at(span);
        Diagnostic { hint: self.hint, ..diagnostic }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Here(Box::new(failure))
    }
}

/// `what` must be `wanted` and is `found`.
pub(super) fn wrong_operand(what: &str, wanted: &str, found: &str, at: Range) -> Fault {
    Failure::new(at, format!("{what} must be {wanted}")).detail(format!("This is {found}.")).into()
}

/// A value in a template that has no text.
pub(super) fn not_text(found: &str, at: Range) -> Fault {
    let hint = match found {
        "null" => "Give a value for this case, as in `${x == null ? \"\" : x}`.",
        _ => "Pick one of its parts, or write it as text with `jsonencode()` or `join()`.",
    };
    Failure::new(at, format!("Cannot put {found} into a text"))
        .detail("Between `${` and `}` in a longer text stands a string, a number, or a bool.")
        .hint(hint.to_owned())
        .into()
}

/// A template mentions a variable that it was not given.
pub(super) fn not_given(name: &str, given: Option<&Object>, at: Range) -> Fault {
    let names: Vec<&str> =
        given.into_iter().flat_map(|given| given.keys()).map(String::as_str).collect();
    Failure::new(at, format!("The template has no variable `{name}`"))
        .detail(format!("It was given {}.", list(names.iter().copied())))
        .hint(did_you_mean(name, names))
        .into()
}

/// An object without the attribute that is asked for.
pub(super) fn no_attribute(name: &str, object: &Object, sensitive: bool, at: Range) -> Fault {
    if sensitive {
        return Failure::new(at, format!("There is no attribute `{name}` here"))
            .detail("The object is sensitive, so its attributes are not listed.")
            .into();
    }
    let names: Vec<&str> = object.keys().map(String::as_str).collect();
    let has = if names.len() > 20 {
        format!("It has {} others.", names.len())
    } else {
        format!("It has {}.", list(names.iter().copied()))
    };
    Failure::new(at, format!("There is no attribute `{name}` here"))
        .detail(has)
        .hint(did_you_mean(name, names))
        .into()
}

/// A value that has no attributes.
pub(super) fn no_attributes(name: &str, value: &Value, at: Range) -> Fault {
    let failure = Failure::new(at, format!("There is no attribute `{name}` here"))
        .detail(format!("The value is {}, which has no attributes.", value.kind_name()));
    match value {
        Value::List(_) => failure.hint(format!(
            "For the attribute of each item write `[*].{name}`, for that of one item give its index, as in `[0].{name}`."
        )),
        _ => failure,
    }
    .into()
}

/// An index into what has none.
pub(super) fn not_indexed(value: &Value, at: Range) -> Fault {
    Failure::new(at, "Only lists and maps take an index")
        .detail(format!("The value is {}.", value.kind_name()))
        .into()
}

/// A key that is neither a number nor a string.
pub(super) fn wrong_key(wanted: &str, found: &str, at: Range) -> Fault {
    Failure::new(at, format!("The index must be {wanted}"))
        .detail(format!("This is {found}."))
        .into()
}

/// An index beyond the end.
pub(super) fn out_of_range(length: usize, at: Range) -> Fault {
    let detail = match length {
        0 => "The list is empty.".to_owned(),
        1 => "The list has one item, at index 0.".to_owned(),
        more => format!("The list has {more} items, at index 0 to {}.", more - 1),
    };
    Failure::new(at, "The index is beyond the end of the list").detail(detail).into()
}

/// A key that a map does not have. The key is quoted only when it is not sensitive.
pub(super) fn no_key<'a>(
    key: &str,
    sensitive: bool,
    keys: impl Iterator<Item = &'a str> + Clone,
    at: Range,
) -> Fault {
    if sensitive {
        return Failure::new(at, "The map has no such key")
            .detail("The key is sensitive and is not shown.")
            .into();
    }
    let failure = Failure::new(at, format!("The map has no key {key:?}"));
    if keys.clone().count() <= 20 {
        failure
            .detail(format!("Its keys are {}.", list(keys.clone())))
            .hint(did_you_mean(key, keys))
            .into()
    } else {
        failure.hint(did_you_mean(key, keys)).into()
    }
}
