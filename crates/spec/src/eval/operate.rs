//! Operators, and the conversions they share with templates and conditions.

use std::borrow::Cow;

use hcl_edit::expr::{BinaryOperator, UnaryOperator};
use reconcile_model::{Number, Value};

use super::message::{Failure, Fault, wrong_operand};
use super::{Evaluator, marked, peel};
use crate::expression::Expr;
use crate::place::Range;

impl<'e> Evaluator<'e> {
    pub(super) fn unary(
        &mut self,
        operator: UnaryOperator,
        operand: &'e Expr,
    ) -> Result<Cow<'e, Value>, Fault> {
        let (value, sensitive) = peel(self.eval(operand)?);
        let result = match operator {
            UnaryOperator::Not => to_bool(&value)
                .map_err(|found| {
                    wrong_operand("The operand of `!`", "true or false", found, operand.at)
                })?
                .map(|flag| Value::from(!flag)),
            UnaryOperator::Neg => to_number(&value)
                .map_err(|found| {
                    wrong_operand("The operand of `-`", "a number", found, operand.at)
                })?
                .map(|number| {
                    subtract(Number::from(0_i64), number).ok_or_else(|| too_large(operand.at))
                })
                .transpose()?
                .map(Value::Number),
        };
        Ok(marked(Cow::Owned(result.unwrap_or(Value::Unknown)), sensitive))
    }

    pub(super) fn binary(
        &mut self,
        operator: BinaryOperator,
        left: &'e Expr,
        right: &'e Expr,
        at: Range,
    ) -> Result<Cow<'e, Value>, Fault> {
        if matches!(operator, BinaryOperator::And | BinaryOperator::Or) {
            return self.logic(operator, left, right);
        }
        let (one, sensitive_one) = self.operand(left)?;
        let (two, sensitive_two) = self.operand(right)?;
        let sensitive = sensitive_one || sensitive_two;
        let value = match operator {
            BinaryOperator::Eq => equal(&one, &two).map(Value::from),
            BinaryOperator::NotEq => equal(&one, &two).map(|same| Value::from(!same)),
            other => {
                let number = |value: &Value, expr: &Expr| {
                    to_number(value).map_err(|found| {
                        let what = format!("An operand of `{}`", other.as_str());
                        wrong_operand(&what, "a number", found, expr.at)
                    })
                };
                match (number(&one, left)?, number(&two, right)?) {
                    (Some(one), Some(two)) => Some(arithmetic(other, one, two, right.at, at)?),
                    _ => None,
                }
            }
        };
        Ok(marked(Cow::Owned(value.unwrap_or(Value::Unknown)), sensitive))
    }

    /// Evaluates an operand; a mark anywhere in it counts, since a comparison looks at all of it.
    fn operand(&mut self, expr: &'e Expr) -> Result<(Cow<'e, Value>, bool), Fault> {
        let (value, sensitive) = peel(self.eval(expr)?);
        if value.has_sensitive() {
            return Ok((Cow::Owned(value.unmarked()), true));
        }
        Ok((value, sensitive))
    }

    /// Evaluates `&&` and `||`. As in Terraform since 1.12, one side that decides is enough: the right one is not
    /// evaluated when the left one does, and an unknown left one does not matter when the right one does.
    fn logic(
        &mut self,
        operator: BinaryOperator,
        left: &'e Expr,
        right: &'e Expr,
    ) -> Result<Cow<'e, Value>, Fault> {
        let decides = operator == BinaryOperator::Or;
        let flag = |value: &Value, expr: &Expr| {
            to_bool(value).map_err(|found| {
                let what = format!("An operand of `{}`", operator.as_str());
                wrong_operand(&what, "true or false", found, expr.at)
            })
        };
        let (value, sensitive_left) = peel(self.eval(left)?);
        let one = flag(&value, left)?;
        if one == Some(decides) {
            return Ok(marked(Cow::Owned(decides.into()), sensitive_left));
        }
        let (value, sensitive_right) = peel(self.eval(right)?);
        let two = flag(&value, right)?;
        let result = match (one, two) {
            (_, Some(two)) if two == decides => Value::from(decides),
            (Some(_), Some(two)) => Value::from(two),
            _ => Value::Unknown,
        };
        Ok(marked(Cow::Owned(result), sensitive_left || sensitive_right))
    }
}

/// Returns a bool, `None` when it is unknown, or what is there instead.
pub(crate) fn to_bool(value: &Value) -> Result<Option<bool>, &'static str> {
    match value {
        Value::Bool(flag) => Ok(Some(*flag)),
        Value::String(text) if text == "true" => Ok(Some(true)),
        Value::String(text) if text == "false" => Ok(Some(false)),
        Value::Unknown => Ok(None),
        other => Err(other.kind_name()),
    }
}

/// Returns a number, `None` when it is unknown, or what is there instead.
pub(crate) fn to_number(value: &Value) -> Result<Option<Number>, &'static str> {
    match value {
        Value::Number(number) => Ok(Some(*number)),
        Value::String(text) => match Number::parse(text) {
            Some(number) => Ok(Some(number)),
            None => Err("a string that is no number"),
        },
        Value::Unknown => Ok(None),
        other => Err(other.kind_name()),
    }
}

/// Returns the text of a value that has one, `None` when it is unknown, or what is there instead.
pub(crate) fn to_text(value: &Value) -> Result<Option<Cow<'_, str>>, &'static str> {
    match value {
        Value::String(text) => Ok(Some(Cow::Borrowed(text))),
        Value::Number(number) => Ok(Some(Cow::Owned(number.to_string()))),
        Value::Bool(flag) => Ok(Some(Cow::Borrowed(if *flag { "true" } else { "false" }))),
        Value::Unknown => Ok(None),
        other => Err(other.kind_name()),
    }
}

/// Tells whether two values without marks are equal; `None` when something unknown decides.
pub(crate) fn equal(one: &Value, two: &Value) -> Option<bool> {
    match (one, two) {
        (Value::Unknown, _) | (_, Value::Unknown) => None,
        (Value::List(one), Value::List(two)) if one.len() == two.len() => {
            all_equal(one.iter().zip(two))
        }
        (Value::Map(one), Value::Map(two)) if one.keys().eq(two.keys()) => {
            all_equal(one.values().zip(two.values()))
        }
        _ => Some(one == two),
    }
}

fn all_equal<'v>(pairs: impl Iterator<Item = (&'v Value, &'v Value)>) -> Option<bool> {
    let mut result = Some(true);
    for (one, two) in pairs {
        match equal(one, two) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => result = None,
        }
    }
    result
}

fn arithmetic(
    operator: BinaryOperator,
    one: Number,
    two: Number,
    divisor: Range,
    at: Range,
) -> Result<Value, Fault> {
    let zero = Number::from(0_i64);
    let number = match operator {
        BinaryOperator::Less => return Ok((one < two).into()),
        BinaryOperator::LessEq => return Ok((one <= two).into()),
        BinaryOperator::Greater => return Ok((one > two).into()),
        BinaryOperator::GreaterEq => return Ok((one >= two).into()),
        BinaryOperator::Div | BinaryOperator::Mod if two == zero => {
            return Err(Failure::new(divisor, "Division by zero").into());
        }
        BinaryOperator::Plus => exact(one, two, i64::checked_add, |a, b| a + b),
        BinaryOperator::Minus => subtract(one, two),
        BinaryOperator::Mul => exact(one, two, i64::checked_mul, |a, b| a * b),
        BinaryOperator::Div => Number::from_f64(one.as_f64() / two.as_f64()),
        BinaryOperator::Mod => exact(one, two, i64::checked_rem, |a, b| a % b),
        BinaryOperator::Eq | BinaryOperator::NotEq | BinaryOperator::And | BinaryOperator::Or => {
            unreachable!("these four are not arithmetic and were evaluated before")
        }
    };
    number.map(Value::Number).ok_or_else(|| too_large(at))
}

fn subtract(one: Number, two: Number) -> Option<Number> {
    exact(one, two, i64::checked_sub, |a, b| a - b)
}

/// Computes with whole numbers where that works, with doubles otherwise.
fn exact(
    one: Number,
    two: Number,
    whole: fn(i64, i64) -> Option<i64>,
    double: fn(f64, f64) -> f64,
) -> Option<Number> {
    let exact = one.as_i64().zip(two.as_i64()).and_then(|(one, two)| whole(one, two));
    exact.map(Number::from).or_else(|| Number::from_f64(double(one.as_f64(), two.as_f64())))
}

fn too_large(at: Range) -> Fault {
    Failure::new(at, "The number becomes too large").into()
}
