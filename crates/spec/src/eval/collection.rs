//! Lists, objects, and `for`.

use std::borrow::Cow;

use reconcile_model::{Object, Value};

use super::message::{Failure, Fault, wrong_operand};
use super::{Evaluator, Seen, marked, operate, peel};
use crate::expression::{Expr, ForLoop};
use crate::functions::{MAX_ITEMS, MAX_TEXT_BYTES};
use crate::scope::{Held, Instances};

/// The most turns that nested `for`s may take together; beyond it a spec is a mistake or an attack.
const MAX_TURNS: usize = MAX_ITEMS * 4;

/// The key and value of one turn of a `for`.
type Turn<'e> = (Value, Cow<'e, Value>);

/// What a `for` runs over.
enum Turns<'e> {
    Unknown,
    Known(Vec<Turn<'e>>),
}

impl<'e> Evaluator<'e> {
    pub(super) fn list(&mut self, items: &'e [Expr]) -> Result<Cow<'e, Value>, Fault> {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let value = self.eval(item)?;
            self.charge(&value, item.at)?;
            values.push(value.into_owned());
        }
        Ok(Cow::Owned(Value::List(values)))
    }

    pub(super) fn object(&mut self, members: &'e [(Expr, Expr)]) -> Result<Cow<'e, Value>, Fault> {
        let (mut object, mut known, mut sensitive) = (Object::new(), true, false);
        for (key, value) in members {
            let (key_value, is_sensitive) = peel(self.eval(key)?);
            sensitive |= is_sensitive;
            let member = self.eval(value)?;
            self.charge(&member, value.at)?;
            let value = member.into_owned();
            if key_value.is_unknown() {
                known = false;
            } else {
                object.insert(object_key(&key_value, key)?, value);
            }
        }
        let value = if known { Value::Map(object) } else { Value::Unknown };
        Ok(marked(Cow::Owned(value), sensitive))
    }

    /// Returns what a `for` runs over, and whether it is sensitive as a whole.
    fn turns(&mut self, collection: &'e Expr) -> Result<(Turns<'e>, bool), Fault> {
        let numbered = |(index, item)| (Value::from(index), item);
        let value = match self.see(collection)? {
            Seen::Block(Held::Known(Instances::Count(items))) => {
                let turns = items.iter().map(Cow::Borrowed).enumerate().map(numbered).collect();
                return Ok((Turns::Known(turns), false));
            }
            Seen::Block(Held::Known(Instances::Each(items))) => {
                let turns =
                    items.iter().map(|(key, item)| (Value::from(&**key), Cow::Borrowed(item)));
                return Ok((Turns::Known(turns.collect()), false));
            }
            other => other.into_value(),
        };
        let (value, sensitive) = peel(value);
        let turns = match value {
            Cow::Borrowed(Value::List(items)) => {
                items.iter().map(Cow::Borrowed).enumerate().map(numbered).collect()
            }
            Cow::Owned(Value::List(items)) => {
                items.into_iter().map(Cow::Owned).enumerate().map(numbered).collect()
            }
            Cow::Borrowed(Value::Map(object)) => {
                object.iter().map(|(k, v)| (Value::from(k.as_str()), Cow::Borrowed(v))).collect()
            }
            Cow::Owned(Value::Map(object)) => {
                object.into_iter().map(|(k, v)| (Value::from(k), Cow::Owned(v))).collect()
            }
            other => match &*other {
                Value::Unknown => return Ok((Turns::Unknown, sensitive)),
                found => {
                    let kind = found.kind_name();
                    return Err(wrong_operand(
                        "What `for` runs over",
                        "a list or a map",
                        kind,
                        collection.at,
                    ));
                }
            },
        };
        Ok((Turns::Known(turns), sensitive))
    }

    /// Evaluates something with the names of a `for` bound.
    fn with_turn<T>(
        &mut self,
        body: &ForLoop,
        (key, value): Turn<'e>,
        run: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.turns += 1;
        if self.turns > MAX_TURNS {
            return Err(Failure::new(body.collection.at, "The loops take too many turns")
                .detail(format!("Together they take more than {MAX_TURNS}."))
                .into());
        }
        let depth = self.bound.len();
        if body.binds_key {
            self.bound.push(Cow::Owned(key));
        }
        self.bound.push(value);
        let result = run(self);
        self.bound.truncate(depth);
        result
    }

    /// Tells whether a turn counts: `None` when that is not known yet.
    fn is_wanted(
        &mut self,
        body: &'e ForLoop,
        sensitive: &mut bool,
    ) -> Result<Option<bool>, Fault> {
        let Some(condition) = &body.condition else { return Ok(Some(true)) };
        let (value, is_sensitive) = peel(self.eval(condition)?);
        *sensitive |= is_sensitive;
        operate::to_bool(&value).map_err(|found| {
            wrong_operand("The condition of `for`", "true or false", found, condition.at)
        })
    }

    pub(super) fn for_each(&mut self, body: &'e ForLoop) -> Result<Cow<'e, Value>, Fault> {
        let (turns, mut sensitive) = self.turns(&body.collection)?;
        let Turns::Known(turns) = turns else {
            return Ok(marked(Cow::Owned(Value::Unknown), sensitive));
        };
        let mut known = true;
        let (mut items, mut members) = (Vec::new(), Object::new());
        for turn in turns {
            let made = self.with_turn(body, turn, |this| {
                match this.is_wanted(body, &mut sensitive)? {
                    Some(true) => {}
                    Some(false) => return Ok(None),
                    None => return Ok(Some((Value::Unknown, Value::Unknown))),
                }
                let key = match &body.key {
                    Some(key) => peel(this.eval(key)?),
                    None => (Cow::Owned(Value::Null), false),
                };
                sensitive |= key.1;
                let value = this.eval(&body.value)?;
                this.charge(&value, body.value.at)?;
                Ok(Some((key.0.into_owned(), value.into_owned())))
            })?;
            let Some((key, value)) = made else { continue };
            let Some(key_expr) = &body.key else {
                // Whether the item is in the list at all is not known: neither is the list's length then.
                known &= body.condition.is_none() || !key.is_unknown();
                items.push(value);
                continue;
            };
            if key.is_unknown() {
                known = false;
                continue;
            }
            let name = object_key(&key, key_expr)?;
            if body.grouping {
                match members.get_mut(&name) {
                    Some(Value::List(group)) => group.push(value),
                    _ => {
                        members.insert(name, Value::List(vec![value]));
                    }
                }
            } else if let Some(_earlier) = members.insert(name, value) {
                return Err(same_key(&key, sensitive, key_expr));
            }
        }
        let value = match (&body.key, known) {
            (_, false) => Value::Unknown,
            (Some(_), true) => Value::Map(members),
            (None, true) => Value::List(items),
        };
        Ok(marked(Cow::Owned(value), sensitive))
    }

    pub(super) fn template_for(&mut self, body: &'e ForLoop) -> Result<Cow<'e, Value>, Fault> {
        let (turns, mut sensitive) = self.turns(&body.collection)?;
        let Turns::Known(turns) = turns else {
            return Ok(marked(Cow::Owned(Value::Unknown), sensitive));
        };
        let (mut text, mut known) = (String::new(), true);
        for turn in turns {
            let part = self.with_turn(body, turn, |this| this.eval(&body.value))?;
            let (part, is_sensitive) = peel(part);
            sensitive |= is_sensitive;
            match part.as_str() {
                Some(part) => text.push_str(part),
                None => known = false,
            }
            if text.len() > MAX_TEXT_BYTES {
                return Err(Failure::new(body.collection.at, "The text becomes too long").into());
            }
        }
        let value = if known { Value::String(text) } else { Value::Unknown };
        Ok(marked(Cow::Owned(value), sensitive))
    }
}

/// Returns the key of a member.
pub(super) fn object_key(value: &Value, expr: &Expr) -> Result<String, Fault> {
    match operate::to_text(value) {
        Ok(Some(text)) => Ok(text.into_owned()),
        Ok(None) => Err(Failure::new(expr.at, "The key is known only after apply").into()),
        Err(found) => Err(wrong_operand("A key", "a string", found, expr.at)),
    }
}

fn same_key(key: &Value, sensitive: bool, expr: &Expr) -> Fault {
    let summary = match (sensitive, key.as_str()) {
        (false, Some(key)) => format!("The key {key:?} comes out twice"),
        _ => "A key comes out twice".to_owned(),
    };
    Failure::new(expr.at, summary)
        .hint("Add `...` after the value to gather the values of one key in a list.".to_owned())
        .into()
}
