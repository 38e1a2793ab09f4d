//! Readers of every type and way against values, and their complaints.

use std::sync::Arc;

use super::*;

fn reader(column_type: ColumnType, format: Option<ValueFormat>, trim: bool) -> Reader {
    let format = format.map(Arc::new);
    let target = Target { format, trim, ..Target::new(column_type, false) };
    Reader::new(&target, None).unwrap()
}

fn comma() -> ValueFormat {
    ValueFormat::Number(NumberFormat { decimal: ',', thousands: Some('.') })
}

#[test]
fn numbers_are_read_with_their_separators() {
    let reader = reader(ColumnType::Int64, Some(comma()), false);
    assert_eq!(reader.integer::<i64>(b" 1.234 "), Ok(1234));
    assert_eq!(reader.integer::<i64>(b"1.234,00"), Ok(1234));
    assert_eq!(reader.integer::<i16>(b"99.999"), Err(Misfit::Range));
    assert_eq!(reader.float::<f64>(b"-1.234,5"), Ok(-1234.5));
    assert_eq!(reader.float::<f64>(b"-inf"), Ok(f64::NEG_INFINITY));
    assert_eq!(reader.decimal(b"1,50"), Ok(Unscaled { mantissa: 15, scale: 1 }));
    let bounds = DecimalBounds { precision: 12, scale: 2 };
    assert_eq!(reader.bounded_decimal(b"1.234,50", bounds), Ok(123_450));
    assert_eq!(reader.bounded_decimal(b"1.23,4", bounds), Err(Misfit::Spelling));
    assert_eq!(reader.bounded_decimal(b"1.50", bounds), Err(Misfit::Spelling));
}

#[test]
fn the_files_numbers_hold_where_a_column_has_no_format() {
    let numbers = Some(NumberFormat { decimal: ',', thousands: None });
    let target = Target::new(ColumnType::Float64, true);
    assert_eq!(Reader::new(&target, numbers).unwrap().float(b"1,5"), Ok(1.5));
    assert_eq!(Reader::new(&target, numbers).unwrap().float::<f64>(b"01,5"), Err(Misfit::Spelling));
    let point = ValueFormat::Number(NumberFormat::default());
    let target = Target { format: Some(Arc::new(point)), ..target };
    assert_eq!(Reader::new(&target, numbers).unwrap().float(b"1.5"), Ok(1.5));
    let date = Target::new(ColumnType::Date, true);
    assert_eq!(Reader::new(&date, numbers).unwrap().date(b"1970-01-02"), Ok(1));
}

#[test]
fn zones_hold_where_a_value_has_no_offset() {
    let zone = ValueFormat::Zone("Europe/Paris".into());
    let reader = reader(ColumnType::TimestampTz, Some(zone), false);
    let noon = calendar::parse_timestamp_tz(b"2024-01-31 12:00Z", Reading::Exact);
    assert_eq!(reader.timestamp_tz(b"2024-01-31 13:00"), noon);
    assert_eq!(reader.timestamp_tz(b"2024-01-31 12:00Z"), noon);
    assert_eq!(reader.timestamp_tz(b"2024-10-27 02:30"), Err(Misfit::ShownTwice));
    assert_eq!(reader.timestamp_tz(b"2024-01-31 13:00:00.1234567"), Err(Misfit::Precision));
    assert_eq!(reader.timestamp_tz(b"noon"), Err(Misfit::Spelling));
}

#[test]
fn trimmed_columns_overlook_white_space_and_no_break_spaces() {
    let padded = "\u{a0} \t12\u{a0}";
    let target = Target { trim: true, ..Target::new(ColumnType::Int64, true) };
    assert_eq!(Reader::new(&target, None).unwrap().integer(padded.as_bytes()), Ok(12));
    assert_eq!(reader(ColumnType::Text, None, true).text(padded), "12");
    assert_eq!(reader(ColumnType::Text, None, false).text(padded), padded);
    assert_eq!(trimmed("\u{a0} \u{a0}".as_bytes()), b"");
    assert_eq!(trimmed("a\u{a0}b".as_bytes()), "a\u{a0}b".as_bytes());
}

#[test]
fn text_keeps_its_values_whatever_format_was_given() {
    let reader = reader(ColumnType::Text, Some(comma()), false);
    assert_eq!(reader.text("1.234,50"), "1.234,50");
}

#[test]
fn sentences_say_how_a_value_should_have_been_written() {
    let words = ValueFormat::Words { yes: vec!["Oui".into()], no: vec!["non".into()] };
    let pattern = |pattern: &str, zone: Option<&str>| ValueFormat::Pattern {
        pattern: pattern.into(),
        zone: zone.map(Into::into),
    };
    for (column_type, format, misfit, sentence) in [
        (ColumnType::Int64, None, Misfit::Spelling, "`x` is not a number (int64)"),
        (ColumnType::Int64, None, Misfit::Range, "`x` is out of range (int64)"),
        (
            ColumnType::Int64,
            Some(comma()),
            Misfit::Spelling,
            "`x` is not a number with `,` as point and `.` between thousands (int64)",
        ),
        (ColumnType::Bool, Some(words), Misfit::Spelling, "`x` is not one of `oui`, `non` (bool)"),
        (
            ColumnType::Date,
            Some(pattern("%d/%m/%Y", None)),
            Misfit::Spelling,
            "`x` is not a date like `%d/%m/%Y` (date)",
        ),
        (
            ColumnType::TimestampTz,
            Some(pattern("%F %T", Some("Europe/Paris"))),
            Misfit::ShownTwice,
            "`x` is ambiguous in Europe/Paris, where clocks were set back (timestamptz)",
        ),
        (
            ColumnType::TimestampTz,
            Some(ValueFormat::Zone("UTC".into())),
            Misfit::NeverShown,
            "`x` does not exist in UTC, where clocks were set forward (timestamptz)",
        ),
        (
            ColumnType::Timestamp,
            Some(ValueFormat::Epoch(EpochUnit::Milliseconds)),
            Misfit::Spelling,
            "`x` is not a number of milliseconds since 1970 (timestamp)",
        ),
    ] {
        assert_eq!(reader(column_type, format, false).complaint(misfit, b"x"), sentence);
    }
}

#[test]
fn formats_are_refused_where_a_type_has_none() {
    let pattern = ValueFormat::Pattern { pattern: "%F".into(), zone: None };
    for (column_type, format, cure) in [
        (ColumnType::Text, pattern.clone(), "patterns are for dates"),
        (ColumnType::Int64, pattern, "patterns are for dates"),
        (ColumnType::Timestamp, ValueFormat::Zone("UTC".into()), "zones are for timestamptz"),
        (ColumnType::Date, ValueFormat::Epoch(EpochUnit::Seconds), "epochs are for"),
        (ColumnType::Bool, comma(), "separators are for numbers"),
    ] {
        let refusal = check_format(&GivenType { column_type, format: Some(format) }).unwrap_err();
        assert_eq!(refusal.kind(), ErrorKind::InvalidConfig);
        assert!(refusal.hint().unwrap().contains(cure), "{column_type}: {refusal}");
    }
    assert!(check_format(&ColumnType::Text.into()).is_ok());
}
