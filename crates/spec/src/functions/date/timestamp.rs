//! RFC 3339 times with the offset they were written with, and durations as Go writes them.

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};

/// A time on the clock of one offset from UTC.
pub(super) struct Timestamp {
    local: DateTime,
    offset_minutes: i32,
}

impl Timestamp {
    /// Reads a time strictly as RFC 3339 has it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('T')?;
        let [year, month, day] = fields(date, '-', [4, 2, 2])?;
        let zone = time.find(['Z', '+', '-'])?;
        let (clock, zone) = time.split_at(zone);
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
        let [hour, minute, second] = fields(clock, ':', [2, 2, 2])?;
        if fraction.is_empty() || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let nanosecond = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
        let offset_minutes = match zone.split_at_checked(1)? {
            ("Z", "") => 0,
            (sign, clock) => {
                let [hours, minutes] = fields(clock, ':', [2, 2])?;
                let minutes = (hours <= 23 && minutes <= 59).then_some(hours * 60 + minutes)?;
                if sign == "-" { -minutes } else { minutes }
            }
        };
        let small = |number: i32| i8::try_from(number).ok();
        let date = Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
        let time = jiff::civil::Time::new(small(hour)?, small(minute)?, small(second)?, nanosecond);
        Some(Self { local: date.to_datetime(time.ok()?), offset_minutes })
    }

    /// Returns the same time in UTC, by which times of different offsets compare.
    pub(super) fn instant(&self) -> DateTime {
        let offset = SignedDuration::from_mins(i64::from(self.offset_minutes));
        self.local.saturating_sub(offset)
    }

    /// Returns a later time, on the same clock, unless it is beyond what RFC 3339 can write.
    pub(super) fn add(&self, duration: SignedDuration) -> Option<Self> {
        let local = self.local.checked_add(duration).ok()?;
        let local = (0..=9999).contains(&local.year()).then_some(local)?;
        Some(Self { local, ..*self })
    }

    /// Shows a part of the time as a verb of `formatdate` wants it.
    pub(super) fn show(&self, verb: &str) -> Option<String> {
        const DAYS: [&str; 7] =
            ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let local = self.local;
        let day = || DAYS.get(usize::try_from(local.weekday().to_monday_zero_offset()).ok()?);
        let month = || MONTHS.get(usize::try_from(local.month()).ok()?.checked_sub(1)?);
        let half = (local.hour() + 11) % 12 + 1;
        let noon = if local.hour() < 12 { "AM" } else { "PM" };
        Some(match verb {
            "YYYY" => format!("{:04}", local.year()),
            "YY" => format!("{:02}", local.year() % 100),
            "MMMM" => (*month()?).to_owned(),
            "MMM" => month()?[..3].to_owned(),
            "MM" => format!("{:02}", local.month()),
            "M" => local.month().to_string(),
            "DD" => format!("{:02}", local.day()),
            "D" => local.day().to_string(),
            "EEEE" => (*day()?).to_owned(),
            "EEE" => day()?[..3].to_owned(),
            "hh" => format!("{:02}", local.hour()),
            "h" => local.hour().to_string(),
            "HH" => format!("{half:02}"),
            "H" => half.to_string(),
            "AA" => noon.to_owned(),
            "aa" => noon.to_lowercase(),
            "mm" => format!("{:02}", local.minute()),
            "m" => local.minute().to_string(),
            "ss" => format!("{:02}", local.second()),
            "s" => local.second().to_string(),
            "ZZZZZ" => self.zone(":"),
            "ZZZZ" => self.zone(""),
            "ZZZ" if self.offset_minutes == 0 => "UTC".to_owned(),
            "ZZZ" => self.zone(""),
            "Z" if self.offset_minutes == 0 => "Z".to_owned(),
            "Z" => self.zone(":"),
            _ => return None,
        })
    }

    fn zone(&self, separator: &str) -> String {
        let minutes = self.offset_minutes.unsigned_abs();
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
    }
}

impl fmt::Display for Timestamp {
    /// Writes the time as RFC 3339 has it, to the second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verbs = ["YYYY", "-", "MM", "-", "DD", "T", "hh", ":", "mm", ":", "ss", "Z"];
        verbs.iter().try_for_each(|verb| f.write_str(self.show(verb).as_deref().unwrap_or(verb)))
    }
}

/// Reads numbers of fixed widths between separators.
fn fields<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[i32; N]> {
    let parts: Vec<&str> = text.split(separator).collect();
    let parts: [&str; N] = parts.try_into().ok()?;
    let mut numbers = [0; N];
    for ((number, part), width) in numbers.iter_mut().zip(parts).zip(widths) {
        let digits = part.len() == width && part.bytes().all(|digit| digit.is_ascii_digit());
        *number = digits.then(|| part.parse().ok()).flatten()?;
    }
    Some(numbers)
}

/// Reads a duration: `1h30m`, `-1.5h`, `300ms`, `0`.
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    let mut nanoseconds = (!rest.is_empty()).then_some(0_i128)?;
    while !rest.is_empty() {
        let unit = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = rest.split_at(unit);
        let end = after.find(|letter: char| letter.is_ascii_digit() || letter == '.');
        let (unit, after) = after.split_at(end.unwrap_or(after.len()));
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60 * 1_000_000_000,
            "h" => 3_600 * 1_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        nanoseconds = nanoseconds.checked_add(i128::from(whole).checked_mul(unit)?)?;
        // Digits beyond the eighteenth are less than a nanosecond of anything.
        let mut scale = 1_i128;
        let mut part = 0_i128;
        for digit in fraction.bytes().take(18) {
            part = part * 10 + i128::from(digit - b'0');
            scale *= 10;
        }
        nanoseconds = nanoseconds.checked_add(part * unit / scale)?;
        rest = after;
    }
    let nanoseconds = if negative { -nanoseconds } else { nanoseconds };
    let seconds = i64::try_from(nanoseconds / 1_000_000_000).ok()?;
    Some(SignedDuration::new(seconds, i32::try_from(nanoseconds % 1_000_000_000).ok()?))
}
