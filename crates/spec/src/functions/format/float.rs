//! `%e` and `%g` as Go writes them, on numbers without a sign.

/// Writes a number with an exponent of at least two digits: `1.500000e+03`.
pub(super) fn scientific(magnitude: f64, precision: usize) -> String {
    let (digits, exponent) = decimal(&format!("{magnitude:.precision$e}"));
    exponential(&digits, exponent)
}

/// Writes a number in whichever of `%e` and `%f` suits its size, without zeros at the end. Without a precision, the
/// digits are the fewest that denote this number and no other.
pub(super) fn general(magnitude: f64, precision: Option<usize>) -> String {
    let rounded = match precision {
        Some(precision) => format!("{magnitude:.*e}", precision.max(1) - 1),
        None => format!("{magnitude:e}"),
    };
    let (mut digits, exponent) = decimal(&rounded);
    while digits.len() > 1 && digits.ends_with('0') {
        digits.pop();
    }
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let limit = match precision.map(|precision| i32::try_from(precision.max(1)).unwrap_or(i32::MAX))
    {
        Some(precision) if precision > count && count > exponent => count,
        Some(precision) => precision,
        None => 6,
    };
    if exponent < -4 || exponent >= limit {
        return exponential(&digits, exponent);
    }
    match usize::try_from(exponent) {
        Ok(exponent) if exponent + 1 >= digits.len() => {
            digits + &"0".repeat((exponent + 1).saturating_sub(usize::try_from(count).unwrap_or(0)))
        }
        Ok(exponent) => format!("{}.{}", &digits[..=exponent], &digits[exponent + 1..]),
        Err(_) => {
            let zeros = usize::try_from(exponent.unsigned_abs()).unwrap_or(0).saturating_sub(1);
            format!("0.{}{digits}", "0".repeat(zeros))
        }
    }
}

/// Splits Rust's scientific notation into its digits and its exponent.
fn decimal(text: &str) -> (String, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

fn exponential(digits: &str, exponent: i32) -> String {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{point}{rest}e{sign}{:02}", exponent.unsigned_abs())
}
