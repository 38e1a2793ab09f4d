//! Days, times of day and moments, as ISO 8601 writes them, of the years 1 to
//! 9999.
//!
//! - date: `2024-02-29`
//! - time: `10:30`, `10:30:05`, `10:30:05.25`
//! - timestamp: a date, or a date, `T` or a space, and a time
//! - timestamptz: a date, a time and `Z`, `+02`, `+0200`, `+02:00` or `UTC`,
//!   with or without a space before it; delivered in UTC
//!
//! Times have microseconds; further digits must be zeros. The 24th hour and
//! the 60th second are not times. Where the type was given, a timestamp at
//! midnight is a date.

use super::{Fit, Misfit, Reading};

pub(super) const MICROSECONDS_PER_SECOND: i64 = 1_000_000;
const MICROSECONDS_PER_MINUTE: i64 = 60 * MICROSECONDS_PER_SECOND;
const MICROSECONDS_PER_HOUR: i64 = 60 * MICROSECONDS_PER_MINUTE;
pub(super) const MICROSECONDS_PER_DAY: i64 = 24 * MICROSECONDS_PER_HOUR;
const FIRST_DAY: i64 = days_since_1970(1, 1, 1);
const LAST_DAY: i64 = days_since_1970(9999, 12, 31);
const DATE_LENGTH: usize = "YYYY-MM-DD".len();
const FRACTION_DIGITS: usize = 6;

/// Reads a day, in days since 1970-01-01.
pub fn parse_date(value: &[u8], reading: Reading) -> Fit<i32> {
    let value = reading.trim(value);
    if reading == Reading::Given && value.len() > DATE_LENGTH {
        return midnight(parse_timestamp(value, reading)?);
    }
    i32::try_from(day(value)?).map_err(|_| Misfit::Range)
}

/// Reads a time of day, in microseconds since midnight.
pub fn parse_time(value: &[u8], reading: Reading) -> Fit<i64> {
    clock(reading.trim(value))
}

/// Reads a timestamp without a zone, in microseconds since 1970-01-01.
pub fn parse_timestamp(value: &[u8], reading: Reading) -> Fit<i64> {
    let value = reading.trim(value);
    if value.len() == DATE_LENGTH {
        return Ok(day(value)? * MICROSECONDS_PER_DAY);
    }
    let (day, rest) = split_day(value)?;
    Ok(day * MICROSECONDS_PER_DAY + clock(rest)?)
}

/// Reads a moment, in microseconds since 1970-01-01 UTC.
pub fn parse_timestamp_tz(value: &[u8], reading: Reading) -> Fit<i64> {
    let (day, rest) = split_day(reading.trim(value))?;
    let is_clock = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.');
    let end = rest.iter().position(|byte| !is_clock(byte)).ok_or(Misfit::Spelling)?;
    let local = day * MICROSECONDS_PER_DAY + clock(&rest[..end])?;
    in_range(local - offset(&rest[end..])?)
}

/// The microseconds, if they are within the years 1 to 9999.
pub(super) fn in_range(microseconds: i64) -> Fit<i64> {
    let range = FIRST_DAY * MICROSECONDS_PER_DAY..(LAST_DAY + 1) * MICROSECONDS_PER_DAY;
    if range.contains(&microseconds) { Ok(microseconds) } else { Err(Misfit::Range) }
}

/// The day of a timestamp that is the day's first moment.
pub(super) fn midnight(microseconds: i64) -> Fit<i32> {
    if microseconds.rem_euclid(MICROSECONDS_PER_DAY) != 0 {
        return Err(Misfit::Precision);
    }
    i32::try_from(microseconds.div_euclid(MICROSECONDS_PER_DAY)).map_err(|_| Misfit::Range)
}

/// The day of a year, month and day of the month, in days since 1970-01-01.
pub(super) fn civil_day(year: i64, month: i64, day: i64) -> Fit<i64> {
    if !(1..=9999).contains(&year) {
        return Err(Misfit::Range);
    }
    if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return Err(Misfit::Spelling);
    }
    Ok(days_since_1970(year, month, day))
}

/// The day of a year by its number, from 1, in days since 1970-01-01.
pub(super) fn ordinal_day(year: i64, ordinal: i64) -> Fit<i64> {
    let first = civil_day(year, 1, 1)?;
    let length = days_since_1970(year + 1, 1, 1) - first;
    if (1..=length).contains(&ordinal) { Ok(first + ordinal - 1) } else { Err(Misfit::Spelling) }
}

/// The microseconds of an hour, a minute and a second.
pub(super) fn clock_time(hour: i64, minute: i64, second: i64, microsecond: i64) -> Fit<i64> {
    if hour > 23 || minute > 59 || second > 59 {
        return Err(Misfit::Spelling);
    }
    Ok(hour * MICROSECONDS_PER_HOUR
        + minute * MICROSECONDS_PER_MINUTE
        + second * MICROSECONDS_PER_SECOND
        + microsecond)
}

/// Days of a year before each month: of an ordinary year and of a leap year.
/// A month that is none has no days.
const DAYS_BEFORE: [[u16; 17]; 2] = {
    let mut days = [[0; 17]; 2];
    let mut month = 2;
    while month < 17 {
        let last = month as i64 - 1;
        let (ordinary, leap) = match last {
            1..=12 => (days_in_month(1, last), days_in_month(4, last)),
            _ => (0, 0),
        };
        days[0][month] = days[0][month - 1] + ordinary as u16;
        days[1][month] = days[1][month - 1] + leap as u16;
        month += 1;
    }
    days
};

/// The day of a year that is given by its first and last two digits, a month
/// and a day of the month, in days since 1970-01-01; `None` for those that
/// are none, or are out of range.
#[inline(always)]
pub(super) fn civil_day_in_century(century: u32, year: u32, month: u32, day: u32) -> Option<i32> {
    const DAYS_BEFORE_1970: u32 = 719_528;
    const DAYS_OF_CENTURY: u32 = 36_524;
    let is_leap_century = century.is_multiple_of(4);
    let is_leap = year.is_multiple_of(4) && (year != 0 || is_leap_century);
    let (days, at) = (&DAYS_BEFORE[usize::from(is_leap)], month as usize & 15);
    let (before, behind) = (u32::from(days[at]), u32::from(days[at + 1]));
    let is_day = month < 16 && day.wrapping_sub(1) < behind - before;
    if !is_day || century | year == 0 {
        return None;
    }
    let of_centuries = century * DAYS_OF_CENTURY + century.div_ceil(4);
    let skipped = u32::from(year != 0 && !is_leap_century);
    let of_years = year * 365 + year.div_ceil(4) - skipped;
    let days = of_centuries + of_years + before + day - 1;
    Some(days.wrapping_sub(DAYS_BEFORE_1970) as i32)
}

fn split_day(value: &[u8]) -> Fit<(i64, &[u8])> {
    match value.split_at_checked(DATE_LENGTH) {
        Some((date, [b'T' | b' ', rest @ ..])) => Ok((day(date)?, rest)),
        _ => Err(Misfit::Spelling),
    }
}

fn day(value: &[u8]) -> Fit<i64> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = value else {
        return Err(Misfit::Spelling);
    };
    let year = two_digits(y1, y2)? * 100 + two_digits(y3, y4)?;
    civil_day(year, two_digits(m1, m2)?, two_digits(d1, d2)?)
}

fn clock(value: &[u8]) -> Fit<i64> {
    let (h1, h2, m1, m2, rest) = match value {
        &[h1, h2, b':', m1, m2, ref rest @ ..] => (h1, h2, m1, m2, rest),
        _ => return Err(Misfit::Spelling),
    };
    let (hour, minute) = (two_digits(h1, h2)?, two_digits(m1, m2)?);
    let (second, microsecond) = match rest {
        [] => (0, 0),
        &[b':', s1, s2] => (two_digits(s1, s2)?, 0),
        &[b':', s1, s2, b'.', ref digits @ ..] => (two_digits(s1, s2)?, fraction(digits)?),
        _ => return Err(Misfit::Spelling),
    };
    clock_time(hour, minute, second, microsecond)
}

/// The microseconds that digits behind a second's point mean.
pub(super) fn fraction(digits: &[u8]) -> Fit<i64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Misfit::Spelling);
    }
    let (kept, beyond) = digits.split_at(digits.len().min(FRACTION_DIGITS));
    if beyond.iter().any(|digit| *digit != b'0') {
        return Err(Misfit::Precision);
    }
    let padded = kept.iter().copied().chain(std::iter::repeat(b'0')).take(FRACTION_DIGITS);
    Ok(padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

/// The microseconds that an offset from UTC stands for.
pub(super) fn offset(zone: &[u8]) -> Fit<i64> {
    let zone = zone.strip_prefix(b" ").unwrap_or(zone);
    let (sign, digits) = match zone {
        b"Z" | b"z" | b"UTC" => return Ok(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return Err(Misfit::Spelling),
    };
    let (hour, minute) = match digits {
        &[h1, h2] => (two_digits(h1, h2)?, 0),
        &[h1, h2, m1, m2] | &[h1, h2, b':', m1, m2] => (two_digits(h1, h2)?, two_digits(m1, m2)?),
        _ => return Err(Misfit::Spelling),
    };
    if hour > 23 || minute > 59 {
        return Err(Misfit::Spelling);
    }
    Ok(sign * (hour * MICROSECONDS_PER_HOUR + minute * MICROSECONDS_PER_MINUTE))
}

fn two_digits(tens: u8, ones: u8) -> Fit<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens > 9 || ones > 9 { Err(Misfit::Spelling) } else { Ok(i64::from(tens * 10 + ones)) }
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of a year:
/// <https://howardhinnant.github.io/date_algorithms.html#days_from_civil>.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use Misfit::{Precision, Range, Spelling};
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn dates_are_days_of_the_real_calendar() {
        for (text, expected) in [
            ("1970-01-01", Ok(0)),
            ("2024-02-29", Ok(19782)),
            ("0001-01-01", Ok(-719162)),
            ("9999-12-31", Ok(2932896)),
            ("2023-02-29", Err(Spelling)),
            ("1900-02-29", Err(Spelling)),
            ("2000-02-29", Ok(11016)),
            ("2024-04-31", Err(Spelling)),
            ("2024-13-01", Err(Spelling)),
            ("2024-00-10", Err(Spelling)),
            ("0000-01-01", Err(Range)),
            ("2024-1-1", Err(Spelling)),
            ("24-01-01", Err(Spelling)),
            ("2024/01/01", Err(Spelling)),
            ("01.02.2024", Err(Spelling)),
            ("2024-01-01 ", Err(Spelling)),
            ("10000-01-01", Err(Spelling)),
            ("", Err(Spelling)),
        ] {
            assert_eq!(parse_date(text.as_bytes(), Reading::Exact), expected, "{text:?}");
        }
        assert_eq!(parse_date(b" 1970-01-02 ", Reading::Given), Ok(1));
        assert_eq!(parse_date(b"1970-01-02 00:00:00", Reading::Given), Ok(1));
        assert_eq!(parse_date(b"1970-01-02T00:00:01", Reading::Given), Err(Precision));
        assert_eq!(parse_date(b"1970-01-02 00:00:00", Reading::Exact), Err(Spelling));
    }

    #[test]
    fn every_day_of_four_centuries_agrees_with_chrono() {
        let mut date = NaiveDate::from_ymd_opt(1899, 12, 31).unwrap();
        while date.year() < 2301 {
            let text = date.format("%Y-%m-%d").to_string();
            let expected = date.num_days_from_ce() - 719_163;
            assert_eq!(parse_date(text.as_bytes(), Reading::Exact), Ok(expected), "{text}");
            date = date.succ_opt().unwrap();
        }
    }

    #[test]
    fn times_have_microseconds() {
        for (text, expected) in [
            ("00:00", Ok(0)),
            ("10:30", Ok(37_800_000_000)),
            ("23:59:59.999999", Ok(86_399_999_999)),
            ("00:00:01.5", Ok(1_500_000)),
            ("00:00:01.50000000", Ok(1_500_000)),
            ("00:00:01.0000001", Err(Precision)),
            ("24:00", Err(Spelling)),
            ("10:60", Err(Spelling)),
            ("10:30:60", Err(Spelling)),
            ("1:30", Err(Spelling)),
            ("10:30:", Err(Spelling)),
            ("10:30:05.", Err(Spelling)),
            ("10:30:05.x", Err(Spelling)),
            ("10", Err(Spelling)),
        ] {
            assert_eq!(parse_time(text.as_bytes(), Reading::Exact), expected, "{text:?}");
        }
    }

    #[test]
    fn timestamps_have_no_zone() {
        const DAY: i64 = 19_724 * MICROSECONDS_PER_DAY;
        for (text, expected) in [
            ("2024-01-02T10:00:00", Ok(DAY + 10 * MICROSECONDS_PER_HOUR)),
            ("2024-01-02 10:00", Ok(DAY + 10 * MICROSECONDS_PER_HOUR)),
            ("2024-01-02 00:00:00.25", Ok(DAY + 250_000)),
            ("2024-01-02", Ok(DAY)),
            ("1969-12-31 23:59:59.999999", Ok(-1)),
            ("2024-01-02 00:00:00.1234567", Err(Precision)),
            ("2024-01-02T10:00:00Z", Err(Spelling)),
            ("2024-01-02T10:00:00+01:00", Err(Spelling)),
            ("2024-01-02T", Err(Spelling)),
            ("2024-01-02_10:00", Err(Spelling)),
            ("0000-01-02 10:00", Err(Range)),
        ] {
            assert_eq!(parse_timestamp(text.as_bytes(), Reading::Exact), expected, "{text:?}");
        }
    }

    #[test]
    fn moments_are_delivered_in_utc() {
        const TEN: i64 = 19_724 * MICROSECONDS_PER_DAY + 10 * MICROSECONDS_PER_HOUR;
        for (text, expected) in [
            ("2024-01-02T10:00:00Z", Ok(TEN)),
            ("2024-01-02 10:00z", Ok(TEN)),
            ("2024-01-02 10:00:00 UTC", Ok(TEN)),
            ("2024-01-02 12:00:00+02", Ok(TEN)),
            ("2024-01-02 12:00:00+0200", Ok(TEN)),
            ("2024-01-02 12:00:00+02:00", Ok(TEN)),
            ("2024-01-02 12:00:00 +02:00", Ok(TEN)),
            ("2024-01-02 04:30:00.5-05:30", Ok(TEN + 500_000)),
            ("2024-01-02 10:00:00", Err(Spelling)),
            ("2024-01-02", Err(Spelling)),
            ("2024-01-02 10:00:00 CET", Err(Spelling)),
            ("2024-01-02 10:00:00+2", Err(Spelling)),
            ("2024-01-02 10:00:00+24:00", Err(Spelling)),
            ("2024-01-02 10:00:00.1234567Z", Err(Precision)),
            ("0001-01-01 00:00:00+01", Err(Range)),
            ("9999-12-31 23:59:59-01", Err(Range)),
        ] {
            assert_eq!(parse_timestamp_tz(text.as_bytes(), Reading::Exact), expected, "{text:?}");
        }
    }
}
