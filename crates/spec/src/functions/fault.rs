//! Errors of calls: what may always be said, apart from what quotes the arguments.

use std::borrow::Cow;
use std::fmt;

use reconcile_model::Value;

use super::Function;

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

    /// Completes the error of a call with these arguments.
    pub(super) fn of(self, function: &Function, args: &[&Value]) -> CallError {
        let mut message = match self.argument {
            Some(index) => format!("`{}` {}", function.parameter(index), self.message),
            None => self.message.into_owned(),
        };
        if let Some(detail) = self.detail.filter(|_| !args.iter().any(|arg| arg.has_sensitive())) {
            message = format!("{message}: {detail}");
        }
        CallError { argument: self.argument, message }
    }
}
