//! Values as the text that SQLite keeps: ISO 8601 dates and times, UUIDs with
//! dashes, decimals with all their digits.
//!
//! Everything is appended to a buffer that the caller reuses. `None` means
//! that the value is outside the years 1 to 9999 or, for a time, outside a
//! day.

use std::ops::RangeInclusive;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// Digits of the largest number of 128 bits.
const DIGITS_MAX: usize = 39;
const HEX: &[u8; 16] = b"0123456789abcdef";
/// The days of the years 1 to 9999, from 1970 on.
const CALENDAR: RangeInclusive<i32> = -719_162..=2_932_896;
/// Days from the first of March of the year 0 to 1970.
const MARCH_0_TO_1970: i32 = 719_468;
/// Days of four centuries, of one that is not the fourth, of four years.
const FOUR_CENTURIES: u32 = 146_097;
const CENTURY: u32 = 36_524;
const FOUR_YEARS: u32 = 1_461;

/// `2024-01-02`, from days since 1970.
pub(super) fn date(text: &mut Vec<u8>, days: i32) -> Option<()> {
    let (year, month, day) = CALENDAR.contains(&days).then(|| civil(days))?;
    let [century, year, month, day] = [year / 100, year % 100, month, day].map(two_digits);
    text.extend_from_slice(&[
        century[0], century[1], year[0], year[1], b'-', month[0], month[1], b'-', day[0], day[1],
    ]);
    Some(())
}

/// `10:00:00` or `10:00:00.500000`, from microseconds since midnight.
pub(super) fn time(text: &mut Vec<u8>, micros: i64) -> Option<()> {
    (0..=MICROS_PER_DAY).contains(&micros).then(|| push_time(text, micros))
}

/// `2024-01-02 10:00:00`, with microseconds where there are any and the zone
/// behind it, from microseconds since 1970.
pub(super) fn timestamp(text: &mut Vec<u8>, micros: i64, zone: &str) -> Option<()> {
    let days = i32::try_from(micros.div_euclid(MICROS_PER_DAY)).ok()?;
    date(text, days)?;
    text.push(b' ');
    push_time(text, micros.rem_euclid(MICROS_PER_DAY));
    text.extend_from_slice(zone.as_bytes());
    Some(())
}

/// Eight, four, four, four and twelve hexadecimal digits.
pub(super) fn uuid(text: &mut Vec<u8>, bytes: &[u8]) {
    for (position, byte) in bytes.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            text.push(b'-');
        }
        text.push(HEX[usize::from(byte >> 4)]);
        text.push(HEX[usize::from(byte & 15)]);
    }
}

/// `unscaled` with its point `scale` digits from the right.
pub(super) fn decimal(text: &mut Vec<u8>, unscaled: i128, scale: i8) {
    if unscaled < 0 {
        text.push(b'-');
    }
    let mut buffer = [0; DIGITS_MAX];
    let digits = digits(unscaled.unsigned_abs(), &mut buffer);
    let Ok(scale) = usize::try_from(scale) else {
        text.extend_from_slice(digits);
        let zeros = if unscaled == 0 { 0 } else { usize::from(scale.unsigned_abs()) };
        text.extend(std::iter::repeat_n(b'0', zeros));
        return;
    };
    let whole = digits.len().saturating_sub(scale);
    text.extend_from_slice(if whole == 0 { b"0" } else { &digits[..whole] });
    if scale > 0 {
        text.push(b'.');
        text.extend(std::iter::repeat_n(b'0', scale.saturating_sub(digits.len())));
        text.extend_from_slice(&digits[whole..]);
    }
}

/// The year, month and day of a day of the calendar. Years begin in March, so
/// that a leap day is the last of one
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn civil(days: i32) -> (u32, u32, u32) {
    let days = (days + MARCH_0_TO_1970).unsigned_abs();
    let (era, day) = (days / FOUR_CENTURIES, days % FOUR_CENTURIES);
    let leap_days = day / (FOUR_YEARS - 1) + day / (FOUR_CENTURIES - 1) - day / CENTURY;
    let year = (day - leap_days) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (400 * era + year + later, month, day)
}

fn push_time(text: &mut Vec<u8>, micros: i64) {
    let seconds = (micros / MICROS_PER_SECOND) as u32;
    let [hour, minute, second] = [seconds / 3600, seconds / 60 % 60, seconds % 60].map(two_digits);
    text.extend_from_slice(&[
        hour[0], hour[1], b':', minute[0], minute[1], b':', second[0], second[1],
    ]);
    let fraction = (micros % MICROS_PER_SECOND) as u32;
    if fraction > 0 {
        let [first, second, third] =
            [fraction / 10_000, fraction / 100 % 100, fraction % 100].map(two_digits);
        text.extend_from_slice(&[
            b'.', first[0], first[1], second[0], second[1], third[0], third[1],
        ]);
    }
}

fn two_digits(number: u32) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

/// The digits of a number, written from the end of the buffer.
fn digits(mut number: u128, buffer: &mut [u8; DIGITS_MAX]) -> &[u8] {
    let mut start = buffer.len();
    let mut push = |digit: u8| {
        start -= 1;
        buffer[start] = b'0' + digit;
    };
    while number > u128::from(u64::MAX) {
        push((number % 10) as u8);
        number /= 10;
    }
    let mut number = number as u64;
    loop {
        push((number % 10) as u8);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    &buffer[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(render: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Option<String> {
        let mut text = Vec::new();
        render(&mut text).map(|()| String::from_utf8(text).unwrap())
    }

    #[test]
    fn dates_outside_the_calendar_are_not_rendered() {
        for (days, expected) in [
            (0, Some("1970-01-01")),
            (-1, Some("1969-12-31")),
            (19_724, Some("2024-01-02")),
            (-719_162, Some("0001-01-01")),
            (-719_163, None),
            (2_932_896, Some("9999-12-31")),
            (2_932_897, None),
            (i32::MAX, None),
            (i32::MIN, None),
        ] {
            assert_eq!(rendered(|text| date(text, days)).as_deref(), expected, "{days}");
        }
    }

    #[test]
    fn every_day_of_the_calendar_is_rendered_as_chrono_has_it() {
        let mut day = chrono::NaiveDate::from_ymd_opt(1, 1, 1).unwrap();
        for days in CALENDAR {
            assert_eq!(rendered(|text| date(text, days)).unwrap(), day.to_string());
            day = day.succ_opt().unwrap();
        }
    }

    #[test]
    fn times_have_microseconds_where_there_are_any() {
        assert_eq!(rendered(|text| time(text, 0)).unwrap(), "00:00:00");
        assert_eq!(rendered(|text| time(text, 36_000_000_001)).unwrap(), "10:00:00.000001");
        assert_eq!(rendered(|text| time(text, -1)), None);
        assert_eq!(
            rendered(|text| timestamp(text, -1, "+00:00")).unwrap(),
            "1969-12-31 23:59:59.999999+00:00"
        );
        assert_eq!(rendered(|text| timestamp(text, i64::MIN, "")), None);
    }

    #[test]
    fn decimals_keep_every_digit() {
        for (unscaled, scale, expected) in [
            (1250, 2, "12.50"),
            (-5, 2, "-0.05"),
            (5, 0, "5"),
            (0, 2, "0.00"),
            (100, 2, "1.00"),
            (5, -2, "500"),
            (0, -2, "0"),
            (i128::MIN, 0, "-170141183460469231731687303715884105728"),
        ] {
            let mut text = Vec::new();
            decimal(&mut text, unscaled, scale);
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }

    #[test]
    fn uuids_have_dashes() {
        let mut text = Vec::new();
        uuid(&mut text, &[0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(String::from_utf8(text).unwrap(), "12345678-9abc-def0-0102-030405060708");
    }
}
