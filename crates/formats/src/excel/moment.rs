//! Serial numbers as days and times of day.
//!
//! Workbooks count days from 1899-12-31, and take 1900 for a leap year, or
//! from 1904-01-01; the fraction is the time of day. Invariant: a number
//! beyond the calendar, before it or behind the year 9999, is never moved
//! into it.

use calamine::{ExcelDateTime, ExcelDateTimeType};
use chrono::{Datelike, Days, NaiveDate, NaiveTime};

use super::cells::{Value, number, text};
use crate::arrow::render;

const MILLISECONDS_PER_DAY: f64 = 86_400_000.0;
/// More days than any year before 10000 has.
const DAYS_MAX: f64 = 3_000_000.0;
/// Milliseconds that a duration may have.
const DURATION_MAX: f64 = 9e15;
/// The day that 1900 has in workbooks and nowhere else: its 29th of February.
const NO_DAY: u64 = 60;

/// What a number stands for in a cell that shows dates, times or durations.
pub(super) fn moment(value: ExcelDateTime) -> Value {
    let serial = value.as_f64();
    let found = match value.is_duration() {
        true => duration(serial),
        false => day_or_time(value),
    };
    found.unwrap_or_else(|| Value::Bad(text(&number(serial))))
}

fn duration(serial: f64) -> Option<Value> {
    let milliseconds = (serial * MILLISECONDS_PER_DAY).round();
    (milliseconds.abs() <= DURATION_MAX)
        .then(|| Value::Text(render::duration(milliseconds as i64, 1_000)))
}

fn day_or_time(value: ExcelDateTime) -> Option<Value> {
    let serial = value.as_f64();
    if !(0.0..DAYS_MAX).contains(&serial) {
        return None;
    }
    let milliseconds = (serial.fract() * MILLISECONDS_PER_DAY).round() as u64;
    let (carried, milliseconds) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
    let seconds = u32::try_from(milliseconds / 1_000).ok()?;
    let nanoseconds = u32::try_from(milliseconds % 1_000).ok()? * 1_000_000;
    let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanoseconds)?;
    let days = serial as u64 + carried;
    if days == 0 {
        return Some(Value::Time(time));
    }
    let date = date(days, value == ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, true))?;
    Some(match time {
        NaiveTime::MIN => Value::Date(date),
        time => Value::Timestamp(date.and_time(time)),
    })
}

fn date(days: u64, from_1904: bool) -> Option<NaiveDate> {
    let (year, month, day) = match from_1904 {
        true => (1904, 1, 1),
        false if days < NO_DAY => (1899, 12, 31),
        false if days == NO_DAY => return None,
        false => (1899, 12, 30),
    };
    let epoch = NaiveDate::from_ymd_opt(year, month, day)?;
    epoch.checked_add_days(Days::new(days)).filter(|date| date.year() <= 9999)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(serial: f64, from_1904: bool) -> String {
        let value = moment(ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, from_1904));
        match &value {
            Value::Bad(_) => format!("bad {}", text(&value)),
            _ => text(&value),
        }
    }

    #[test]
    fn days_are_those_of_the_calendar_or_none() {
        for (serial, from_1904, expected) in [
            (45000.0, false, "2023-03-15"),
            (43538.0, true, "2023-03-15"),
            (45000.5, false, "2023-03-15T12:00:00"),
            (45_000.999_999_999_9, false, "2023-03-16"),
            (0.25, false, "06:00:00"),
            (1.0, false, "1900-01-01"),
            (59.0, false, "1900-02-28"),
            (60.0, false, "bad 60"),
            (61.0, false, "1900-03-01"),
            (2_958_465.0, false, "9999-12-31"),
            (2_958_466.0, false, "bad 2958466"),
            (2_958_465.999_999_999_9, false, "bad 2958466"),
            (2_957_003.0, true, "9999-12-31"),
            (2_957_004.0, true, "bad 2957004"),
            (3_000_000.0, false, "bad 3000000"),
            (1e9, false, "bad 1000000000"),
            (-1.0, false, "bad -1"),
            (-100.5, false, "bad -100.5"),
            (f64::NAN, false, "bad NaN"),
        ] {
            assert_eq!(shown(serial, from_1904), expected, "{serial}");
        }
    }

    #[test]
    fn a_duration_too_long_to_be_counted_is_none() {
        let duration =
            |serial| moment(ExcelDateTime::new(serial, ExcelDateTimeType::TimeDelta, false));
        assert_eq!(duration(1.5), Value::Text("PT129600S".to_owned()));
        assert_eq!(duration(1e300), Value::Bad("1e300".to_owned()));
    }
}
