//! Numbers of a spec: whole numbers are exact, others are IEEE doubles.

use std::cmp::Ordering;
use std::fmt;

/// A number with one canonical form: a whole number within ±2⁵³ is always held as an integer, so `1.0` and `1` are equal.
///
/// Terraform computes with 512-bit floats; AWS arguments need neither more than 64-bit integers nor more than doubles.
#[derive(Clone, Copy, Debug)]
pub struct Number(Repr);

#[derive(Clone, Copy, Debug)]
enum Repr {
    Int(i64),
    Float(f64),
}

/// The largest magnitude up to which every whole number is exact in a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Number {
    /// Returns the number for a double, or `None` when it is not finite.
    pub fn from_f64(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        if value.fract() == 0.0 && value.abs() <= EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within ±2^53")]
            return Some(Self(Repr::Int(value as i64)));
        }
        Some(Self(Repr::Float(value)))
    }

    /// Returns the value as a double, rounded when it is a whole number beyond 2⁵³.
    pub fn as_f64(self) -> f64 {
        match self.0 {
            #[expect(clippy::cast_precision_loss, reason = "documented")]
            Repr::Int(value) => value as f64,
            Repr::Float(value) => value,
        }
    }

    /// Returns the value when it is a whole number that fits.
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Repr::Int(value) => Some(value),
            Repr::Float(_) => None,
        }
    }

    /// Returns the value when it is a whole number from zero up.
    pub fn as_usize(self) -> Option<usize> {
        self.as_i64().and_then(|value| usize::try_from(value).ok())
    }

    /// Reads a decimal number, in the notation of JSON.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(value) = text.parse::<i64>() {
            return Some(Self(Repr::Int(value)));
        }
        let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
        if !text.chars().all(numeric) || !text.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        text.parse::<f64>().ok().and_then(Self::from_f64)
    }

    /// Returns the number as JSON has it.
    pub fn to_json(self) -> serde_json::Value {
        match self.0 {
            Repr::Int(value) => serde_json::Value::from(value),
            Repr::Float(value) => serde_json::Value::from(value),
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Repr::Int(value))
    }
}

impl From<i32> for Number {
    fn from(value: i32) -> Self {
        Self(Repr::Int(i64::from(value)))
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Self(Repr::Int(i64::try_from(value).unwrap_or(i64::MAX)))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0, other.0) {
            (Repr::Int(left), Repr::Int(right)) => left.cmp(&right),
            _ => self.as_f64().total_cmp(&other.as_f64()),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Int(value) => write!(f, "{value}"),
            Repr::Float(value) => write!(f, "{value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_doubles_are_integers() {
        assert_eq!(Number::from_f64(3.0), Some(Number::from(3_i64)));
        assert_eq!(Number::from_f64(3.0).map(|n| n.to_string()).as_deref(), Some("3"));
        assert_eq!(Number::from_f64(f64::NAN), None);
    }

    #[test]
    fn parses_what_json_has_and_nothing_else() {
        assert_eq!(Number::parse("1e3"), Some(Number::from(1000_i64)));
        assert_eq!(Number::parse("0.5").map(Number::as_f64), Some(0.5));
        for bad in ["", "inf", "NaN", "0x10", "1 ", "e"] {
            assert_eq!(Number::parse(bad), None, "{bad}");
        }
    }
}
