//! Steps into values: attributes, indexes, and splats.

use std::borrow::Cow;

use reconcile_model::{Object, Value};

use super::message::{self, Failure, Fault};
use super::{Evaluator, Seen, marked, operate, peel};
use crate::expression::{Step, StepKind};
use crate::place::Range;
use crate::scope::{Held, Instances};

impl<'e> Evaluator<'e> {
    pub(super) fn steps(&mut self, start: Seen<'e>, steps: &'e [Step]) -> Result<Seen<'e>, Fault> {
        let mut seen = start;
        for step in steps {
            seen = Seen::Value(match seen {
                Seen::Value(value) => self.step(value, step)?,
                Seen::Block(held) => self.step_of_block(held, step)?,
            });
        }
        Ok(seen)
    }

    fn values(&mut self, value: Cow<'e, Value>, steps: &'e [Step]) -> Result<Value, Fault> {
        Ok(self.steps(Seen::Value(value), steps)?.into_value().into_owned())
    }

    fn step_of_block(&mut self, held: &'e Held, step: &'e Step) -> Result<Cow<'e, Value>, Fault> {
        let instances = match held {
            Held::Pending => return Ok(Cow::Owned(Value::Unknown)),
            Held::Sample(length, sample) => return self.step_of_sample(*length, sample, step),
            Held::Known(instances) => instances,
        };
        match (&step.kind, instances) {
            (_, Instances::One(value)) => self.step(Cow::Borrowed(value), step),
            (StepKind::Index(key), Instances::Count(items)) => {
                let (key_value, sensitive) = peel(self.eval(key)?);
                match position(&key_value, key.at)? {
                    Some(index) => match items.get(index) {
                        Some(value) => Ok(marked(Cow::Borrowed(value), sensitive)),
                        None => Err(message::out_of_range(items.len(), key.at)),
                    },
                    None => Ok(Cow::Owned(Value::Unknown)),
                }
            }
            (StepKind::Index(key), Instances::Each(items)) => {
                let (key_value, sensitive) = peel(self.eval(key)?);
                let name = operate::to_text(&key_value)
                    .map_err(|found| message::wrong_key("a string", found, key.at))?;
                let Some(name) = name else { return Ok(Cow::Owned(Value::Unknown)) };
                match items.get(&*name) {
                    Some(value) => Ok(marked(Cow::Borrowed(value), sensitive)),
                    None => {
                        Err(message::no_key(&name, sensitive, items.keys().map(|k| &**k), key.at))
                    }
                }
            }
            (StepKind::Splat(steps), Instances::Count(items)) => {
                let each = items.iter().map(|item| self.values(Cow::Borrowed(item), steps));
                Ok(Cow::Owned(Value::List(each.collect::<Result<_, _>>()?)))
            }
            (StepKind::Splat(_), Instances::Each(_)) => Err(splat_of_map(step.at)),
            (StepKind::Attribute(name), Instances::Count(_) | Instances::Each(_)) => {
                Err(Failure::new(step.at, format!("There is no attribute `{name}` here"))
                    .detail("The block has several instances.")
                    .hint("Say which instance is meant, as in `[0]` or `[\"key\"]`.".to_owned())
                    .into())
            }
        }
    }

    /// Takes a step into a block whose instances are not known yet, so that what follows can be checked.
    fn step_of_sample(
        &mut self,
        length: Option<usize>,
        sample: &'e Value,
        step: &'e Step,
    ) -> Result<Cow<'e, Value>, Fault> {
        match &step.kind {
            StepKind::Index(key) => {
                let (key_value, sensitive) = peel(self.eval(key)?);
                if let (Some(length), Value::Number(index)) = (length, &*key_value)
                    && index.as_usize().is_none_or(|index| index >= length)
                {
                    return Err(message::out_of_range(length, key.at));
                }
                Ok(marked(Cow::Borrowed(sample), sensitive))
            }
            StepKind::Splat(steps) => {
                let value = self.values(Cow::Borrowed(sample), steps)?;
                Ok(marked(Cow::Owned(Value::Unknown), value.has_sensitive()))
            }
            StepKind::Attribute(_) => Ok(Cow::Owned(Value::Unknown)),
        }
    }

    fn step(&mut self, value: Cow<'e, Value>, step: &'e Step) -> Result<Cow<'e, Value>, Fault> {
        let (value, sensitive) = peel(value);
        let result = match &step.kind {
            StepKind::Attribute(name) => attribute(value, name, sensitive, step.at)?,
            StepKind::Index(key) => {
                let (key_value, sensitive_key) = peel(self.eval(key)?);
                let found = index(value, &key_value, sensitive || sensitive_key, key.at, step.at)?;
                return Ok(marked(found, sensitive || sensitive_key));
            }
            StepKind::Splat(steps) => self.splat(value, steps, step.at)?,
        };
        Ok(marked(result, sensitive))
    }

    fn splat(
        &mut self,
        value: Cow<'e, Value>,
        steps: &'e [Step],
        at: Range,
    ) -> Result<Cow<'e, Value>, Fault> {
        let items = match value {
            Cow::Borrowed(Value::List(items)) => items
                .iter()
                .map(|item| self.values(Cow::Borrowed(item), steps))
                .collect::<Result<Vec<_>, _>>()?,
            Cow::Owned(Value::List(items)) => items
                .into_iter()
                .map(|item| self.values(Cow::Owned(item), steps))
                .collect::<Result<Vec<_>, _>>()?,
            // A splat of what is no list makes one of at most one item: null is none.
            other => match &*other {
                Value::Unknown => return Ok(Cow::Owned(Value::Unknown)),
                Value::Null => Vec::new(),
                Value::Map(object) if is_map_of_objects(object, steps) => {
                    return Err(splat_of_map(at));
                }
                _ => vec![self.values(other, steps)?],
            },
        };
        Ok(Cow::Owned(Value::List(items)))
    }
}

/// Tells whether a splat was written over a map of objects, where it would look for the attribute in the map itself.
fn is_map_of_objects(object: &Object, steps: &[Step]) -> bool {
    let Some(Step { kind: StepKind::Attribute(name), .. }) = steps.first() else { return false };
    !object.contains_key(&**name)
        && !object.is_empty()
        && object.values().all(|member| member.as_map().is_some_and(|m| m.contains_key(&**name)))
}

fn splat_of_map(at: Range) -> Fault {
    Failure::new(at, "A splat works on lists")
        .detail("This is a map: what `for_each` makes has keys, not positions.")
        .hint("Take its values first, as in `values(aws_instance.web)[*].id`.".to_owned())
        .into()
}

fn attribute<'e>(
    value: Cow<'e, Value>,
    name: &str,
    sensitive: bool,
    at: Range,
) -> Result<Cow<'e, Value>, Fault> {
    match value {
        Cow::Borrowed(Value::Map(object)) => match object.get(name) {
            Some(found) => Ok(Cow::Borrowed(found)),
            None => Err(message::no_attribute(name, object, sensitive, at)),
        },
        Cow::Owned(Value::Map(mut object)) => match object.remove(name) {
            Some(found) => Ok(Cow::Owned(found)),
            None => Err(message::no_attribute(name, &object, sensitive, at)),
        },
        other => match &*other {
            Value::Unknown => Ok(Cow::Owned(Value::Unknown)),
            found => Err(message::no_attributes(name, found, at)),
        },
    }
}

fn index<'e>(
    value: Cow<'e, Value>,
    key: &Value,
    sensitive: bool,
    key_at: Range,
    at: Range,
) -> Result<Cow<'e, Value>, Fault> {
    match &*value {
        Value::Unknown => return Ok(Cow::Owned(Value::Unknown)),
        Value::List(_) | Value::Map(_) => {}
        found => return Err(message::not_indexed(found, at)),
    }
    match value {
        Cow::Borrowed(Value::List(items)) => match position(key, key_at)? {
            Some(index) => match items.get(index) {
                Some(item) => Ok(Cow::Borrowed(item)),
                None => Err(message::out_of_range(items.len(), key_at)),
            },
            None => Ok(Cow::Owned(Value::Unknown)),
        },
        Cow::Owned(Value::List(mut items)) => match position(key, key_at)? {
            Some(index) if index < items.len() => Ok(Cow::Owned(items.swap_remove(index))),
            Some(_) => Err(message::out_of_range(items.len(), key_at)),
            None => Ok(Cow::Owned(Value::Unknown)),
        },
        other => {
            let text = operate::to_text(key)
                .map_err(|found| message::wrong_key("a string", found, key_at))?;
            let Some(text) = text else { return Ok(Cow::Owned(Value::Unknown)) };
            let missing = |object: &Object| {
                message::no_key(&text, sensitive, object.keys().map(String::as_str), key_at)
            };
            match other {
                Cow::Borrowed(Value::Map(object)) => {
                    object.get(&*text).map(Cow::Borrowed).ok_or_else(|| missing(object))
                }
                Cow::Owned(Value::Map(mut object)) => {
                    object.remove(&*text).map(Cow::Owned).ok_or_else(|| missing(&object))
                }
                _ => Ok(Cow::Owned(Value::Unknown)),
            }
        }
    }
}

/// Returns a position in a list, `None` when it is unknown.
fn position(key: &Value, at: Range) -> Result<Option<usize>, Fault> {
    let number = operate::to_number(key)
        .map_err(|found| message::wrong_key("a whole number from zero up", found, at))?;
    match number.map(reconcile_model::Number::as_usize) {
        None => Ok(None),
        Some(Some(index)) => Ok(Some(index)),
        Some(None) => Err(message::wrong_key("a whole number from zero up", "another number", at)),
    }
}
