//! Patterns against values: what is read, what is refused, and why.

use chrono::{DateTime, NaiveDateTime};
use proptest::prelude::*;

use super::*;
use Misfit::{Precision, Range, Spelling};

fn timestamp(pattern: &str, value: &str) -> Fit<i64> {
    Pattern::new(pattern, None, ColumnType::Timestamp).expect(pattern).timestamp(value.as_bytes())
}

fn iso(value: &str) -> Fit<i64> {
    calendar::parse_timestamp(value.as_bytes(), super::super::Reading::Exact)
}

#[test]
fn each_conversion_reads_what_it_says() {
    for (pattern, value, expected) in [
        ("%d/%m/%Y", "31/01/2024", "2024-01-31"),
        ("%d/%m/%Y", "1/2/2024", "2024-02-01"),
        ("%m/%d/%y", "01/31/69", "1969-01-31"),
        ("%m/%d/%y", "01/31/68", "2068-01-31"),
        ("%D", "01/31/24", "2024-01-31"),
        ("%Y%m%d", "20240131", "2024-01-31"),
        ("%Y%j", "2024366", "2024-12-31"),
        ("%Y.%j", "2024.60", "2024-02-29"),
        ("%e %b %Y", " 1 Feb 2024", "2024-02-01"),
        ("%e %b %Y", "1 FEB 2024", "2024-02-01"),
        ("%B %-d, %Y", "September 5, 2024", "2024-09-05"),
        ("%B %d, %Y", "Sep 05, 2024", "2024-09-05"),
        ("%d %b %Y", "05 May 2024", "2024-05-05"),
        ("%A %d.%m.%Y", "Wednesday 31.01.2024", "2024-01-31"),
        ("%a %d.%m.%Y", "wed 31.01.2024", "2024-01-31"),
        ("%F %T", "2024-01-31 23:59:58", "2024-01-31 23:59:58"),
        ("%F %R", "2024-01-31 23:59", "2024-01-31 23:59"),
        ("%F %H", "2024-01-31 7", "2024-01-31 07:00"),
        ("%F %I:%M %p", "2024-01-31 12:05 AM", "2024-01-31 00:05"),
        ("%F %I:%M %p", "2024-01-31 12:05 pm", "2024-01-31 12:05"),
        ("%F %I:%M%P", "2024-01-31 1:05pm", "2024-01-31 13:05"),
        ("%F %T,%f", "2024-01-31 10:00:00,5", "2024-01-31 10:00:00.5"),
        ("%F %T.%3f", "2024-01-31 10:00:00.123", "2024-01-31 10:00:00.123"),
        ("%F %T%.f", "2024-01-31 10:00:00.123456", "2024-01-31 10:00:00.123456"),
        ("%F %T%.f", "2024-01-31 10:00:00", "2024-01-31 10:00"),
        ("%F %T%.3f", "2024-01-31 10:00:00.123", "2024-01-31 10:00:00.123"),
        ("%Y%m%d%H%M%S%f", "20240131100000250", "2024-01-31 10:00:00.25"),
        ("%FT%TZ", "2024-01-31T10:00:00Z", "2024-01-31 10:00"),
        ("100%% on %F", "100% on 2024-01-31", "2024-01-31"),
        ("%s", "1706659200", "2024-01-31"),
        ("%s%.f", "-0.5", "1969-12-31 23:59:59.5"),
    ] {
        assert_eq!(timestamp(pattern, value), iso(expected), "{value} as {pattern}");
    }
}

#[test]
fn what_a_pattern_does_not_say_is_a_misfit() {
    for (pattern, value, misfit) in [
        ("%d/%m/%Y", "31/02/2024", Spelling),
        ("%d/%m/%Y", "12/31/2024", Spelling),
        ("%d/%m/%Y", "31-01-2024", Spelling),
        ("%d/%m/%Y", "31/01/24", Spelling),
        ("%d/%m/%Y", "31/01/2024 ", Spelling),
        ("%d/%m/%Y", "31/01/0000", Range),
        ("%Y%m%d", "2024111", Spelling),
        ("%A %F", "Monday 2024-01-31", Spelling),
        ("%F %I:%M %p", "2024-01-31 13:05 PM", Spelling),
        ("%F %I:%M %p", "2024-01-31 00:05 AM", Spelling),
        ("%F %T", "2024-01-31 24:00:00", Spelling),
        ("%F %T", "2024-01-31 23:59:60", Spelling),
        ("%F %T.%f", "2024-01-31 10:00:00.1234567", Precision),
        ("%F %T.%3f", "2024-01-31 10:00:00.12", Spelling),
        ("%Y-%j", "2023-366", Spelling),
        ("%b %d %Y", "September 05 2024", Spelling),
        ("%s", "999999999999", Range),
        ("%s", "9999999999999", Spelling),
        ("%d/%m/%Y", "", Spelling),
    ] {
        assert_eq!(timestamp(pattern, value), Err(misfit), "{value} as {pattern}");
    }
}

#[test]
fn a_date_may_have_a_time_that_is_midnight() {
    let pattern = Pattern::new("%d/%m/%Y %H:%M", None, ColumnType::Date).unwrap();
    assert_eq!(pattern.date(b"02/01/1970 00:00"), Ok(1));
    assert_eq!(pattern.date(b"02/01/1970 00:01"), Err(Precision));
}

#[test]
fn moments_have_an_offset_or_a_zone() {
    let moment = |pattern, zone, value: &str| {
        let pattern = Pattern::new(pattern, zone, ColumnType::TimestampTz).unwrap();
        pattern.timestamp_tz(value.as_bytes())
    };
    let paris = Some("Europe/Paris");
    for (pattern, zone, value, expected) in [
        ("%d/%m/%Y %H:%M %z", None, "31/01/2024 10:00 +0200", iso("2024-01-31 08:00")),
        ("%d/%m/%Y %H:%M%z", None, "31/01/2024 10:00-02:30", iso("2024-01-31 12:30")),
        ("%d/%m/%Y %H:%M%:z", None, "31/01/2024 10:00Z", iso("2024-01-31 10:00")),
        ("%H:%M%z %F", None, "10:00+02 2024-01-31", iso("2024-01-31 08:00")),
        ("%d/%m/%Y %H:%M", paris, "31/01/2024 10:00", iso("2024-01-31 09:00")),
        ("%d/%m/%Y %H:%M", paris, "27/10/2024 02:30", Err(Misfit::ShownTwice)),
        ("%d/%m/%Y %H:%M", paris, "31/03/2024 02:30", Err(Misfit::NeverShown)),
        ("%s", None, "1706659200", iso("2024-01-31")),
        ("%s", paris, "1706659200", iso("2024-01-31")),
        ("%F %T%z", None, "2024-01-31 10:00:00", Err(Spelling)),
        ("%F %T%z", None, "9999-12-31 23:59:59-01", Err(Range)),
    ] {
        assert_eq!(moment(pattern, zone, value), expected, "{value} as {pattern}");
    }
}

#[test]
fn times_stand_alone() {
    let pattern = Pattern::new("%I.%M %p", None, ColumnType::Time).unwrap();
    assert_eq!(pattern.time(b"1.30 PM"), Ok(48_600_000_000));
}

#[test]
fn patterns_that_say_too_little_or_too_much_are_refused_with_a_cure() {
    use ColumnType::{Date, Time, Timestamp, TimestampTz};
    for (pattern, zone, column_type, expected) in [
        ("%d/%Q/%Y", None, Date, "`%Q`"),
        ("%d/%m/%", None, Date, "`%`"),
        ("%F %T %Z", None, TimestampTz, "abbreviations"),
        ("DD/MM/YYYY", None, Date, "no conversion"),
        ("%d/%m", None, Date, "does not say a year (%Y)"),
        ("%Y", None, Date, "does not say a month (%m)"),
        ("%F %M", None, Timestamp, "does not say an hour (%H)"),
        ("%F %I:%M", None, Timestamp, "does not say AM or PM (%p)"),
        ("%F %H:%M %p", None, Timestamp, "an hour of 24 (%H) and one of twelve"),
        ("%F %H %S", None, Timestamp, "does not say minutes (%M)"),
        ("%F %d", None, Date, "says a day (%d) twice"),
        ("%F %j", None, Date, "besides the day of the year"),
        ("%F %T", None, TimestampTz, "says no offset from UTC"),
        ("%F %T%z", None, Timestamp, "which a timestamp does not keep"),
        ("%F %T", Some("UTC"), Timestamp, "says a zone"),
        ("%F %T", Some("Mars/Base"), TimestampTz, "`Mars/Base` is not a time zone"),
        ("%F %T", None, Time, "says a year (%Y)"),
        ("%s", None, Time, "which a time does not keep"),
        ("%s %H", None, Timestamp, "which a timestamp does not keep"),
        ("%s%f", None, Timestamp, "digits behind digits"),
        ("%é", None, Date, "`%é`"),
    ] {
        let refusal = Pattern::new(pattern, zone, column_type).expect_err(pattern);
        assert!(refusal.message().contains(expected), "{pattern}: {refusal}");
        assert!(refusal.hint().is_some(), "{pattern}");
    }
}

proptest! {
    #[test]
    fn reading_agrees_with_chrono(
        seconds in -62_135_596_800_i64..253_402_300_800, microseconds in 0_u32..1_000_000,
        index in 0_usize..8,
    ) {
        let pattern = [
            "%d/%m/%Y %H:%M:%S%.6f",
            "%Y%m%d%H%M%S.%6f",
            "%A, %d %B %Y %I:%M:%S%.6f %p",
            "%a %b %e %T%.6f %Y",
            "%Y-%j %R:%S%.6f",
            "%-d.%-m.%Y %-H:%M:%S%.f",
            "%FT%T%.6f",
            "%T%.6f %F",
        ][index];
        let written: NaiveDateTime =
            DateTime::from_timestamp(seconds, microseconds * 1000).unwrap().naive_utc();
        let text = written.format(pattern).to_string();
        let expected = written.and_utc().timestamp_micros();
        prop_assert_eq!(timestamp(pattern, &text), Ok(expected), "{} as {}", text, pattern);
    }

    #[test]
    fn whatever_is_read_is_what_chrono_reads(text in "[0-9]{1,2}[/.][0-9]{1,2}[/.][0-9]{4}") {
        let ours = timestamp("%d/%m/%Y", &text).ok();
        let theirs = chrono::NaiveDate::parse_from_str(&text, "%d/%m/%Y").ok();
        let theirs = theirs.filter(|date| *date >= chrono::NaiveDate::from_ymd_opt(1, 1, 1).unwrap());
        let theirs = theirs.map(|date| date.and_time(chrono::NaiveTime::MIN).and_utc());
        prop_assert_eq!(ours, theirs.map(|date| date.timestamp_micros()), "{}", text);
    }

    #[test]
    fn no_pattern_and_no_value_is_too_strange(pattern in ".{0,12}", value in ".{0,12}") {
        for column_type in [ColumnType::Date, ColumnType::Time, ColumnType::Timestamp] {
            if let Ok(pattern) = Pattern::new(&pattern, None, column_type) {
                let _ = pattern.timestamp(value.as_bytes());
            }
        }
    }
}
