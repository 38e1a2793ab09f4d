//! What one value looks like: the evidence from which a column's type is
//! chosen.
//!
//! Values are read by the parsers of [`crate::values`], exactly, so that the
//! type that is chosen from the evidence reads every one of these values.
//!
//! - Numbers are what [`crate::values::number`] says: `12.0`, `-0`, `.5`,
//!   `1e5` are numbers, whether the file quotes them or not; `007`, `+336`,
//!   `1.`, `0x1F`, `12%`, `€5`, `1,5`, `NaN` and `inf` are text.
//! - `0` and `1` are numbers, `true` and `false` truth values, `t`, `yes` and
//!   `on` text.
//! - Dates, times and timestamps are those of ISO 8601; `1:30`, `24:00`,
//!   `01/02/2024` and `20240131` (a number) are none.
//! - A value with spaces around it is text, and so is the empty string.
//!
//! Where a file's numbers have other separators, those alone are numbers:
//! under a decimal comma `1,5` is one and `1.5` is text.

use decant_core::evidence::{Evidence, NumberEvidence};
use decant_core::value_format::NumberFormat;

use crate::values::number::Number;
use crate::values::{Misfit, Reading, boolean, calendar, float, integer, separated, uuid};

/// Longest text that can be anything but text: a decimal with an exponent.
/// Longer numbers have more digits than any type keeps.
const TYPED_BYTES_MAX: usize = 400;

/// What `value` looks like. NULL is no value: its evidence is
/// [`Evidence::Nothing`].
pub fn evidence(value: &[u8]) -> Evidence {
    if value.len() > TYPED_BYTES_MAX {
        return Evidence::Text;
    }
    match value.first() {
        Some(b'0'..=b'9' | b'-' | b'.') => number(value).or_else(|| written_in_digits(value)),
        _ => written_in_letters(value),
    }
    .unwrap_or(Evidence::Text)
}

/// What `value` looks like in a file whose numbers are written as `numbers`
/// says; `None` is the usual way.
pub fn evidence_with(value: &[u8], numbers: Option<NumberFormat>) -> Evidence {
    let Some(numbers) = numbers.filter(|numbers| *numbers != NumberFormat::default()) else {
        return evidence(value);
    };
    let begins = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b',');
    if value.len() > TYPED_BYTES_MAX || !value.first().is_some_and(begins) {
        return evidence(value);
    }
    let plain = |plain: &[u8]| number(plain).ok_or(Misfit::Spelling);
    match separated::with_plain(value, numbers, plain) {
        Ok(evidence) => evidence,
        Err(_) => written_in_digits(value).unwrap_or(Evidence::Text),
    }
}

fn written_in_letters(value: &[u8]) -> Option<Evidence> {
    match value.first()? {
        b't' | b'T' | b'f' | b'F' if boolean::parse(value, Reading::Exact).is_ok() => {
            Some(Evidence::Bool)
        }
        b'a'..=b'f' | b'A'..=b'F' => identifier(value),
        _ => None,
    }
}

fn number(value: &[u8]) -> Option<Evidence> {
    let number = Number::lex(value, Reading::Exact)?;
    let significant = number.significant();
    let digits = significant.count() as i64;
    let saturated = |count: i64| u16::try_from(count).unwrap_or(u16::MAX);
    let (integer_digits, scale) = match digits {
        0 => (1, 0),
        _ => (significant.point.max(1), (digits - significant.point).max(0)),
    };
    Some(Evidence::Number(NumberEvidence {
        integer_digits: saturated(integer_digits),
        scale: saturated(scale),
        significant_digits: saturated(digits.max(1)),
        int64: number.whole && integer::parse::<i64>(value, Reading::Exact).is_ok(),
        exponent: number.scientific,
        float_exact: float::parse::<f64>(value, Reading::Exact).is_ok(),
    }))
}

fn written_in_digits(value: &[u8]) -> Option<Evidence> {
    if calendar::parse_date(value, Reading::Exact).is_ok() {
        Some(Evidence::Date)
    } else if calendar::parse_timestamp(value, Reading::Exact).is_ok() {
        Some(Evidence::Timestamp)
    } else if calendar::parse_timestamp_tz(value, Reading::Exact).is_ok() {
        Some(Evidence::TimestampTz)
    } else if calendar::parse_time(value, Reading::Exact).is_ok() {
        Some(Evidence::Time)
    } else {
        identifier(value)
    }
}

fn identifier(value: &[u8]) -> Option<Evidence> {
    uuid::parse(value, Reading::Exact).is_ok().then_some(Evidence::Uuid)
}

#[cfg(test)]
mod tests;
