//! The verbs of a format specification.

use reconcile_model::{Number, Value};
use unicode_segmentation::UnicodeSegmentation as _;

use super::super::fault::Fault;
use super::super::{convert, json};
use super::float;

/// The largest width or precision.
const MAX_WIDTH: usize = u16::MAX as usize;

/// A part of a specification.
pub(super) enum Piece<'a> {
    /// Text that stands for itself.
    Literal(&'a str),
    /// A verb, which stands for a value.
    Verb(Verb),
}

/// A verb with all that modifies it.
#[derive(Default)]
pub(super) struct Verb {
    letter: char,
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
    /// The argument it asks for by number, counted from zero.
    pub(super) argument: Option<usize>,
}

/// Splits a specification into its parts.
pub(super) fn parse(spec: &str) -> Result<Vec<Piece<'_>>, Fault> {
    let mut pieces = Vec::new();
    let mut rest = spec;
    while let Some((literal, after)) = rest.split_once('%') {
        pieces.push(Piece::Literal(literal));
        if let Some(after) = after.strip_prefix('%') {
            pieces.push(Piece::Literal("%"));
            rest = after;
        } else {
            let (verb, after) = parse_verb(after).map_err(|problem| {
                let place = spec.len() - after.len() - 1;
                Fault::at(0, format!("has a verb that is not understood at byte {place}"))
                    .detail(problem)
            })?;
            pieces.push(Piece::Verb(verb));
            rest = after;
        }
    }
    pieces.push(Piece::Literal(rest));
    Ok(pieces)
}

fn parse_verb(text: &str) -> Result<(Verb, &str), String> {
    let mut verb = Verb::default();
    let flags = text.find(|flag| !"-+ 0#".contains(flag)).unwrap_or(text.len());
    let (flags, mut rest) = text.split_at(flags);
    for flag in flags.chars() {
        match flag {
            '-' => verb.left = true,
            '+' => verb.plus = true,
            ' ' => verb.space = true,
            '0' => verb.zero = true,
            _ => verb.sharp = true,
        }
    }
    verb.width = digits(&mut rest)?.unwrap_or(0);
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        verb.precision = Some(digits(&mut rest)?.unwrap_or(0));
    }
    if let Some(after) = rest.strip_prefix('[') {
        rest = after;
        let number = digits(&mut rest)?.and_then(|number| number.checked_sub(1));
        rest = rest.strip_prefix(']').ok_or("`[` needs the number of an argument and `]`")?;
        verb.argument = Some(number.ok_or("arguments are counted from 1")?);
    }
    let letter = rest.chars().next().ok_or("the verb's letter is missing")?;
    if letter == '*' {
        return Err("`*` is not supported; write the width as a number".to_owned());
    }
    if !"vtbdoxXeEfgGsq".contains(letter) {
        return Err(format!(
            "there is no verb `{letter}`; there are v, t, b, d, o, x, X, e, E, f, g, G, s, q, and %"
        ));
    }
    verb.letter = letter;
    Ok((verb, &rest[letter.len_utf8()..]))
}

/// Takes a decimal number off the front, if one is there.
fn digits(rest: &mut &str) -> Result<Option<usize>, String> {
    let end = rest.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(rest.len());
    let (number, after) = rest.split_at(end);
    *rest = after;
    match number.parse() {
        _ if number.is_empty() => Ok(None),
        Ok(number) if number <= MAX_WIDTH => Ok(Some(number)),
        _ => Err(format!("a width or precision is at most {MAX_WIDTH}")),
    }
}

impl Verb {
    /// Renders a value; the error follows the value's name.
    pub(super) fn render(&self, value: &Value) -> Result<String, &'static str> {
        let letter = match (self.letter, value) {
            ('v', _) if self.sharp => 'j',
            ('v', Value::String(_)) => 's',
            ('v', Value::Number(_)) => 'g',
            ('v', Value::Bool(_)) => 't',
            ('v', _) => 'j',
            (letter, _) => letter,
        };
        match letter {
            'j' => Ok(self.pad(json::encode(value))),
            't' => Ok(self.pad(convert::flag(value)?.to_string())),
            's' => Ok(self.pad(self.cut(convert::text(value)?))),
            'q' => Ok(self.pad(json::quote(&self.cut(convert::text(value)?)))),
            'b' | 'd' | 'o' | 'x' | 'X' => self.integer(letter, convert::number(value)?),
            _ => Ok(self.float(letter, convert::number(value)?)),
        }
    }

    fn cut(&self, text: String) -> String {
        match self.precision {
            Some(precision) => text.graphemes(true).take(precision).collect(),
            None => text,
        }
    }

    fn pad(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.graphemes(true).take(self.width).count());
        let padding = " ".repeat(missing);
        if self.left { text + &padding } else { padding + &text }
    }

    /// Puts a number together: zeros fill the width between its sign and its digits.
    fn number(&self, negative: bool, prefix: &str, digits: String, zeros: bool) -> String {
        let sign = match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        };
        let taken = sign.len() + prefix.len() + digits.len();
        let fill =
            if zeros && self.zero && !self.left { self.width.saturating_sub(taken) } else { 0 };
        self.pad(format!("{sign}{prefix}{}{digits}", "0".repeat(fill)))
    }

    fn integer(&self, letter: char, number: Number) -> Result<String, &'static str> {
        let double = number.as_f64();
        let magnitude = match number.as_i64() {
            Some(whole) => u128::from(whole.unsigned_abs()),
            // Beyond 2⁵³ every double is whole; beyond 2¹²⁷ no verb but `%f` is of use.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
            None if double.fract() == 0.0 && double.abs() < 1.7e38 => double.abs() as u128,
            None if double.fract() == 0.0 => return Err("is too large for this verb; use %f"),
            None => return Err("must be a whole number"),
        };
        let (prefix, digits) = match letter {
            'b' => ("0b", format!("{magnitude:b}")),
            'o' => ("0", format!("{magnitude:o}")),
            'x' => ("0x", format!("{magnitude:x}")),
            'X' => ("0X", format!("{magnitude:X}")),
            _ => ("", magnitude.to_string()),
        };
        let least = self.precision.unwrap_or(0);
        let digits = "0".repeat(least.saturating_sub(digits.len())) + &digits;
        let prefix = if self.sharp { prefix } else { "" };
        Ok(self.number(double < 0.0, prefix, digits, self.precision.is_none()))
    }

    fn float(&self, letter: char, number: Number) -> String {
        let magnitude = number.as_f64().abs();
        let digits = match letter.to_ascii_lowercase() {
            'e' => float::scientific(magnitude, self.precision.unwrap_or(6)),
            'f' => format!("{magnitude:.*}", self.precision.unwrap_or(6)),
            _ => float::general(magnitude, self.precision),
        };
        let digits = if letter.is_ascii_uppercase() { digits.to_uppercase() } else { digits };
        self.number(number.as_f64() < 0.0, "", digits, true)
    }
}
