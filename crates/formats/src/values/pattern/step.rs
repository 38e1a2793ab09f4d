//! One conversion of a compiled pattern: what it reads and where it puts it.

use crate::values::{Fit, Misfit, calendar};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] =
    ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const SHORT_NAME: usize = 3;
/// First year of the century that two digits from 69 on mean, as in POSIX.
const LATE_CENTURY: i64 = 1900;
const EARLY_CENTURY: i64 = 2000;
const LATE_YEAR_FIRST: i64 = 69;
const FRACTION_DIGITS_MAX: usize = 9;
const EPOCH_DIGITS_MAX: usize = 12;

/// A step of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// These bytes.
    Literal(Vec<u8>),
    /// A number of `least` to `most` digits, with spaces before it if
    /// `spaced`.
    Number { part: Part, least: usize, most: usize, spaced: bool },
    /// A month's English name: short, or also long.
    Month { long: bool },
    /// A weekday's English name: short, or also long.
    Weekday { long: bool },
    /// AM or PM.
    HalfDay,
    /// Digits of a second's fraction: so many, or one to nine.
    Fraction(Option<usize>),
    /// A point and digits, or nothing.
    PointFraction,
    /// An offset from UTC.
    Offset,
    /// Seconds since 1970-01-01 UTC.
    Epoch,
}

/// What a number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Year,
    ShortYear,
    Month,
    Day,
    DayOfYear,
    Hour,
    HalfDayHour,
    Minute,
    Second,
}

/// What a value said.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) day_of_year: Option<i64>,
    pub(super) weekday: Option<i64>,
    pub(super) hour: i64,
    pub(super) afternoon: Option<bool>,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) microsecond: i64,
    pub(super) offset: Option<i64>,
    pub(super) epoch_seconds: Option<i64>,
    pub(super) before_1970: bool,
}

impl Step {
    /// Reads this step at the beginning of `text`; what is behind it.
    pub(super) fn read<'a>(&self, text: &'a [u8], parts: &mut Parts) -> Fit<&'a [u8]> {
        match self {
            Self::Literal(bytes) => text.strip_prefix(bytes.as_slice()).ok_or(Misfit::Spelling),
            Self::Number { part, least, most, spaced } => {
                let text = if *spaced { text.trim_ascii_start() } else { text };
                let (digits, rest) = split_digits(text, *most);
                if digits.len() < *least {
                    return Err(Misfit::Spelling);
                }
                parts.set(*part, sum(digits));
                Ok(rest)
            }
            Self::Month { long } => {
                let (index, rest) = read_name(text, &MONTHS, *long)?;
                parts.month = index + 1;
                Ok(rest)
            }
            Self::Weekday { long } => {
                let (index, rest) = read_name(text, &WEEKDAYS, *long)?;
                parts.weekday = Some(index);
                Ok(rest)
            }
            Self::HalfDay => {
                let (half, rest) = text.split_at_checked(2).ok_or(Misfit::Spelling)?;
                parts.afternoon = Some(read_half_day(half)?);
                Ok(rest)
            }
            Self::Fraction(digits) => read_fraction(text, *digits, parts),
            Self::PointFraction => match text {
                [b'.', digits @ ..] => read_fraction(digits, None, parts),
                rest => Ok(rest),
            },
            Self::Offset => {
                let (offset, rest) = split_offset(text)?;
                parts.offset = Some(calendar::offset(offset)?);
                Ok(rest)
            }
            Self::Epoch => read_epoch(text, parts),
        }
    }

    /// Whether nobody could say how many digits it reads.
    pub(super) fn is_open_ended(&self) -> bool {
        matches!(self, Self::Fraction(None) | Self::Epoch)
    }

    /// Whether it reads digits and nothing before or behind them.
    pub(super) fn is_digits(&self) -> bool {
        matches!(self, Self::Number { spaced: false, .. } | Self::Fraction(_) | Self::Epoch)
    }
}

impl Parts {
    fn set(&mut self, part: Part, number: i64) {
        match part {
            Part::Year => self.year = number,
            Part::ShortYear if number >= LATE_YEAR_FIRST => self.year = LATE_CENTURY + number,
            Part::ShortYear => self.year = EARLY_CENTURY + number,
            Part::Month => self.month = number,
            Part::Day => self.day = number,
            Part::DayOfYear => self.day_of_year = Some(number),
            Part::Hour | Part::HalfDayHour => self.hour = number,
            Part::Minute => self.minute = number,
            Part::Second => self.second = number,
        }
    }
}

fn split_digits(text: &[u8], most: usize) -> (&[u8], &[u8]) {
    let count = text.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at(count)
}

fn sum(digits: &[u8]) -> i64 {
    digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
}

fn read_name<'a>(text: &'a [u8], names: &[&str], long: bool) -> Fit<(i64, &'a [u8])> {
    let starts = |name: &str| {
        text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
    };
    for (index, name) in (0..).zip(names) {
        let length = match () {
            () if long && starts(name) => name.len(),
            () if starts(&name[..SHORT_NAME]) => SHORT_NAME,
            () => continue,
        };
        return Ok((index, &text[length..]));
    }
    Err(Misfit::Spelling)
}

fn read_half_day(half: &[u8]) -> Fit<bool> {
    match half {
        half if half.eq_ignore_ascii_case(b"am") => Ok(false),
        half if half.eq_ignore_ascii_case(b"pm") => Ok(true),
        _ => Err(Misfit::Spelling),
    }
}

fn read_fraction<'a>(text: &'a [u8], count: Option<usize>, parts: &mut Parts) -> Fit<&'a [u8]> {
    let (digits, rest) = split_digits(text, count.unwrap_or(FRACTION_DIGITS_MAX));
    if count.is_some_and(|count| digits.len() != count) {
        return Err(Misfit::Spelling);
    }
    parts.microsecond = calendar::fraction(digits)?;
    Ok(rest)
}

/// The offset at the beginning of `text`, whose end the digits decide.
fn split_offset(text: &[u8]) -> Fit<(&[u8], &[u8])> {
    let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    let length = match text.first() {
        Some(b'Z' | b'z') => 1,
        Some(b'+' | b'-') if text.get(3) == Some(&b':') && is_digit(4) => 6,
        Some(b'+' | b'-') if is_digit(3) => 5,
        Some(b'+' | b'-') => 3,
        _ => return Err(Misfit::Spelling),
    };
    text.split_at_checked(length).ok_or(Misfit::Spelling)
}

fn read_epoch<'a>(text: &'a [u8], parts: &mut Parts) -> Fit<&'a [u8]> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let (digits, rest) = split_digits(digits, EPOCH_DIGITS_MAX);
    if digits.is_empty() {
        return Err(Misfit::Spelling);
    }
    parts.epoch_seconds = Some(sum(digits));
    parts.before_1970 = negative;
    Ok(rest)
}
