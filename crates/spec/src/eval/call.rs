//! Function calls, and what functions may ask of the spec.

use std::borrow::Cow;

use reconcile_model::{Object, Value};

use super::message::{Failure, Fault};
use super::{Evaluator, Instance, Seen, marked, peel};
use crate::expression::{Call, Callee, Expr, parse};
use crate::functions::CallContext;
use crate::place::Range;
use crate::scope::{Held, Instances, Scope};

/// How deep templates may call each other.
const MAX_TEMPLATES: usize = 16;

impl<'e> Evaluator<'e> {
    pub(super) fn call(&mut self, call: &'e Call, at: Range) -> Result<Cow<'e, Value>, Fault> {
        let function = match call.callee {
            Callee::Try => return self.call_try(call, at),
            Callee::Can => return self.call_can(call),
            Callee::Function(function) => function,
        };
        if &*call.name == "length"
            && let [only] = call.arguments.as_slice()
            && let Some(length) = self.length_of_block(only)?
        {
            return Ok(Cow::Owned(length.into()));
        }
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(self.eval(argument)?);
        }
        let mut sensitive = false;
        if call.expand
            && let (Some(last), Some(expr)) = (arguments.pop(), call.arguments.last())
        {
            let (rest, is_sensitive) = peel(last);
            sensitive = is_sensitive;
            match rest.into_owned() {
                Value::List(items) => arguments.extend(items.into_iter().map(Cow::Owned)),
                Value::Unknown => return Ok(marked(Cow::Owned(Value::Unknown), sensitive)),
                other => {
                    return Err(super::message::wrong_operand(
                        "What stands before `...`",
                        "a list",
                        other.kind_name(),
                        expr.at,
                    ));
                }
            }
        }
        if sensitive {
            for argument in &mut arguments {
                *argument = marked(std::mem::take(argument), true);
            }
        }
        let cx = Context { scope: self.scope, templates: self.templates };
        match function.call(&cx, &arguments) {
            Ok(value) => Ok(Cow::Owned(value)),
            Err(error) => {
                let at = error.argument.and_then(|index| argument_at(call, index)).unwrap_or(at);
                Err(Failure::new(at, format!("The call of `{}` fails", call.name))
                    .detail(sentence(&error.message))
                    .into())
            }
        }
    }

    /// Counts a block's instances without copying them.
    fn length_of_block(&mut self, argument: &'e Expr) -> Result<Option<usize>, Fault> {
        Ok(match self.see(argument)? {
            Seen::Block(Held::Known(Instances::Count(items))) => Some(items.len()),
            Seen::Block(Held::Known(Instances::Each(items))) => Some(items.len()),
            Seen::Block(Held::Sample(length, _)) => *length,
            Seen::Block(Held::Pending | Held::Known(Instances::One(_))) | Seen::Value(_) => None,
        })
    }

    /// Returns the first argument that evaluates. One that is not known yet may still fail, so it decides nothing.
    fn call_try(&mut self, call: &'e Call, at: Range) -> Result<Cow<'e, Value>, Fault> {
        let mut last = None;
        for argument in &call.arguments {
            match self.eval(argument) {
                Ok(value) => return Ok(value),
                Err(fault) => last = Some(fault),
            }
        }
        let failure = Failure::new(at, "None of the arguments of `try` has a value");
        Err(match last {
            Some(Fault::Here(last)) => failure
                .detail(format!("The last one fails: {}.", lower_first(&last.summary)))
                .into(),
            Some(other @ Fault::Elsewhere(_)) => other,
            None => failure.hint("Give it at least one argument.".to_owned()).into(),
        })
    }

    fn call_can(&mut self, call: &'e Call) -> Result<Cow<'e, Value>, Fault> {
        let Some(argument) = call.arguments.first() else {
            return Ok(Cow::Owned(false.into()));
        };
        Ok(match self.eval(argument) {
            Ok(value) if !value.is_known() => Cow::Owned(Value::Unknown),
            Ok(_) => Cow::Owned(true.into()),
            Err(_) => Cow::Owned(false.into()),
        })
    }
}

fn argument_at(call: &Call, index: usize) -> Option<Range> {
    call.arguments.get(index).or(call.arguments.last()).map(|argument| argument.at)
}

/// Makes a sentence of a fragment.
fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if message.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

fn lower_first(summary: &str) -> String {
    let mut chars = summary.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_lowercase).collect();
    format!("{first}{}", chars.as_str())
}

/// What functions may ask of the spec.
struct Context<'e> {
    scope: &'e Scope<'e>,
    templates: usize,
}

impl CallContext for Context<'_> {
    fn read_file(&self, path: &str) -> Result<Vec<u8>, String> {
        self.scope.spec.reader.read(path).map(|bytes| bytes.to_vec())
    }

    fn list_files(&self, dir: &str) -> Result<Vec<String>, String> {
        self.scope.spec.reader.list(dir)
    }

    fn file_exists(&self, path: &str) -> Result<bool, String> {
        self.scope.spec.reader.exists(path)
    }

    fn absolute_path(&self, path: &str) -> Result<String, String> {
        self.scope.spec.reader.absolute(path)
    }

    fn render_template(&self, name: &str, text: &str, vars: &Object) -> Result<Value, String> {
        if self.templates >= MAX_TEMPLATES {
            return Err(format!("more than {MAX_TEMPLATES} templates call each other"));
        }
        let told = |text: &str, at: Range, summary: &str, detail: &str| {
            let before = text.get(..at.start as usize).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let space = if detail.is_empty() { "" } else { ": " };
            format!("{name}, line {line}, column {column}: {}{space}{detail}", lower_first(summary))
        };
        let expr = parse::template_of_file(text, &self.scope.spec.root).map_err(|problems| {
            problems
                .iter()
                .map(|problem| told(text, problem.at, &problem.summary, &problem.detail))
                .collect::<Vec<_>>()
                .join("; ")
        })?;
        let mut evaluator = Evaluator::new(self.scope, Instance::default());
        evaluator.given = Some(vars);
        evaluator.templates = self.templates + 1;
        match evaluator.eval(&expr) {
            Ok(value) => Ok(value.into_owned()),
            Err(Fault::Here(failure)) => {
                Err(told(text, failure.at, &failure.summary, &failure.detail))
            }
            Err(Fault::Elsewhere(others)) => Err(others
                .iter()
                .map(|other| lower_first(&other.summary))
                .collect::<Vec<_>>()
                .join("; ")),
        }
    }
}
