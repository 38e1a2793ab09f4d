//! Values as the text that SQLite keeps: ISO 8601 dates and times, UUIDs with
//! dashes, decimals with all their digits.
//!
//! Everything is appended to a buffer that the caller reuses. `None` means
//! that the value is outside the years 1 to 9999 or, for a time, outside a
//! day.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// `2024-01-02`, from days since 1970.
pub(super) fn date(text: &mut String, days: i32) -> Option<()> {
    let days = TimeDelta::days(days.into());
    push_date(text, DateTime::UNIX_EPOCH.date_naive().checked_add_signed(days)?)
}

/// `10:00:00` or `10:00:00.500000`, from microseconds since midnight.
pub(super) fn time(text: &mut String, micros: i64) -> Option<()> {
    (0..=MICROS_PER_DAY).contains(&micros).then(|| push_time(text, micros))
}

/// `2024-01-02 10:00:00`, with microseconds where there are any, from
/// microseconds since 1970.
pub(super) fn timestamp(text: &mut String, micros: i64) -> Option<()> {
    let days = i32::try_from(micros.div_euclid(MICROS_PER_DAY)).ok()?;
    date(text, days)?;
    text.push(' ');
    push_time(text, micros.rem_euclid(MICROS_PER_DAY));
    Some(())
}

/// Eight, four, four, four and twelve hexadecimal digits.
pub(super) fn uuid(text: &mut String, bytes: &[u8]) {
    for (position, byte) in bytes.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(HEX[usize::from(byte >> 4)].into());
        text.push(HEX[usize::from(byte & 15)].into());
    }
}

/// `unscaled` with its point `scale` digits from the right.
pub(super) fn decimal(text: &mut String, unscaled: i128, scale: i8) {
    if unscaled < 0 {
        text.push('-');
    }
    let digits = unscaled.unsigned_abs().to_string();
    let Ok(scale) = usize::try_from(scale) else {
        text.push_str(&digits);
        let zeros = if unscaled == 0 { 0 } else { usize::from(scale.unsigned_abs()) };
        text.extend(std::iter::repeat_n('0', zeros));
        return;
    };
    let whole = digits.len().saturating_sub(scale);
    text.push_str(if whole == 0 { "0" } else { &digits[..whole] });
    if scale > 0 {
        text.push('.');
        text.extend(std::iter::repeat_n('0', scale.saturating_sub(digits.len())));
        text.push_str(&digits[whole..]);
    }
}

fn push_date(text: &mut String, date: NaiveDate) -> Option<()> {
    if !(1..=9999).contains(&date.year()) {
        return None;
    }
    push_digits(text, date.year().unsigned_abs(), 4);
    text.push('-');
    push_digits(text, date.month(), 2);
    text.push('-');
    push_digits(text, date.day(), 2);
    Some(())
}

fn push_time(text: &mut String, micros: i64) {
    let seconds = (micros / MICROS_PER_SECOND) as u32;
    push_digits(text, seconds / 3600, 2);
    text.push(':');
    push_digits(text, seconds / 60 % 60, 2);
    text.push(':');
    push_digits(text, seconds % 60, 2);
    let fraction = (micros % MICROS_PER_SECOND) as u32;
    if fraction > 0 {
        text.push('.');
        push_digits(text, fraction, 6);
    }
}

fn push_digits(text: &mut String, number: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        text.push(char::from(b'0' + digit as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(render: impl FnOnce(&mut String) -> Option<()>) -> Option<String> {
        let mut text = String::new();
        render(&mut text).map(|()| text)
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
    fn times_have_microseconds_where_there_are_any() {
        assert_eq!(rendered(|text| time(text, 0)).unwrap(), "00:00:00");
        assert_eq!(rendered(|text| time(text, 36_000_000_001)).unwrap(), "10:00:00.000001");
        assert_eq!(rendered(|text| time(text, -1)), None);
        assert_eq!(rendered(|text| timestamp(text, -1)).unwrap(), "1969-12-31 23:59:59.999999");
        assert_eq!(rendered(|text| timestamp(text, i64::MIN)), None);
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
            let mut text = String::new();
            decimal(&mut text, unscaled, scale);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn uuids_have_dashes() {
        let mut text = String::new();
        uuid(&mut text, &[0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(text, "12345678-9abc-def0-0102-030405060708");
    }
}
