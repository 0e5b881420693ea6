//! Numbers.

use reconcile_model::{Number, Value};

use super::call::{Args, Function, NUMBER, TEXT};
use super::fault::Fault;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::whole("abs(number)", "The number without its sign.", &[NUMBER], |args| {
        let number = args.number(0);
        match number.as_i64().and_then(i64::checked_abs) {
            Some(whole) => Ok(whole.into()),
            None => finite(number.as_f64().abs()),
        }
    }),
    Function::whole(
        "ceil(number)",
        "The least whole number that is not less.",
        &[NUMBER],
        |args| round(args, f64::ceil),
    ),
    Function::whole(
        "floor(number)",
        "The greatest whole number that is not greater.",
        &[NUMBER],
        |args| round(args, f64::floor),
    ),
    Function::whole(
        "log(number, base)",
        "The logarithm of the number.",
        &[NUMBER, NUMBER],
        |args| finite(args.number(0).as_f64().ln() / args.number(1).as_f64().ln()),
    ),
    Function::whole(
        "max(numbers...)",
        "The greatest of the numbers.",
        &[NUMBER, NUMBER.rest()],
        |args| {
            Ok(Value::Number(
                args.from(1).filter_map(Value::as_number).fold(args.number(0), Number::max),
            ))
        },
    ),
    Function::whole(
        "min(numbers...)",
        "The least of the numbers.",
        &[NUMBER, NUMBER.rest()],
        |args| {
            Ok(Value::Number(
                args.from(1).filter_map(Value::as_number).fold(args.number(0), Number::min),
            ))
        },
    ),
    Function::whole(
        "parseint(string, base)",
        "The whole number that the string denotes in a base from 2 to 62.",
        &[TEXT, NUMBER],
        parse_int,
    ),
    Function::whole(
        "pow(number, exponent)",
        "The number to the power of the exponent.",
        &[NUMBER, NUMBER],
        pow,
    ),
    Function::whole(
        "signum(number)",
        "-1, 0, or 1, as the sign of the number is.",
        &[NUMBER],
        |args| {
            Ok(match args.number(0).cmp(&Number::from(0_i64)) {
                std::cmp::Ordering::Less => (-1_i64).into(),
                std::cmp::Ordering::Equal => 0_i64.into(),
                std::cmp::Ordering::Greater => 1_i64.into(),
            })
        },
    ),
];

/// Returns a result that must be finite.
pub(super) fn finite(result: f64) -> Result<Value, Fault> {
    let number =
        Number::from_f64(result).ok_or_else(|| Fault::new("the result is not a finite number"))?;
    Ok(Value::Number(number))
}

fn round(args: &Args<'_>, how: fn(f64) -> f64) -> Result<Value, Fault> {
    let number = args.number(0);
    if number.as_i64().is_some() { Ok(Value::Number(number)) } else { finite(how(number.as_f64())) }
}

fn pow(args: &Args<'_>) -> Result<Value, Fault> {
    let (number, exponent) = (args.number(0), args.number(1));
    let exact = match (number.as_i64(), exponent.as_i64().map(u32::try_from)) {
        (Some(number), Some(Ok(exponent))) => number.checked_pow(exponent),
        _ => None,
    };
    match exact {
        Some(whole) => Ok(whole.into()),
        None => finite(number.as_f64().powf(exponent.as_f64())),
    }
}

fn parse_int(args: &Args<'_>) -> Result<Value, Fault> {
    let (text, base) = (args.text(0), args.whole(1)?);
    if !(2..=62).contains(&base) {
        return Err(Fault::at(1, "must be a whole number from 2 to 62"));
    }
    let base = i128::from(base);
    let bad = || Fault::at(0, "must be a whole number in the given base").quoting(text);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() {
        return Err(bad());
    }
    let mut whole = 0_i128;
    for digit in digits.chars() {
        // Up to base 36 letters count the same in either case, as in Go.
        let value = match digit {
            '0'..='9' => u32::from(digit) - u32::from('0'),
            'a'..='z' => u32::from(digit) - u32::from('a') + 10,
            'A'..='Z' if base <= 36 => u32::from(digit) - u32::from('A') + 10,
            'A'..='Z' => u32::from(digit) - u32::from('A') + 36,
            _ => return Err(bad()),
        };
        if i128::from(value) >= base {
            return Err(bad());
        }
        whole = whole * base + sign * i128::from(value);
        if i64::try_from(whole).is_err() {
            return Err(Fault::at(0, "is beyond what 64 bits hold").quoting(text));
        }
    }
    i64::try_from(whole).map(Value::from).map_err(|_| bad())
}

#[cfg(test)]
mod tests;
