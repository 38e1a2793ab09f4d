//! Plain values against the parsers that they are spared.

use decant_core::format::Target;
use decant_core::schema::ColumnType;
use proptest::prelude::*;

use super::*;
use crate::values::decimal::Unscaled;
use crate::values::{Reader, Reading};

/// Reads `value` in the middle of other text, and at its very edges.
fn read<T: PartialEq + std::fmt::Debug>(
    value: &str,
    around: &str,
    read: impl Fn(&[u8], usize, usize) -> Option<T>,
) -> Option<T> {
    let text = format!("{around}{value}{around}");
    let (start, end) = (around.len(), around.len() + value.len());
    let inside = read(text.as_bytes(), start, end);
    let edge = read(value.as_bytes(), 0, value.len());
    assert!(edge.is_none() || edge == inside, "{value} at the edge: {edge:?}");
    inside
}

fn reader(column_type: ColumnType, exact: bool) -> Reader {
    Reader::new(&Target::new(column_type, exact), None).unwrap()
}

/// Asserts that every answer is the parser's.
fn agrees(value: &str, around: &str) {
    let bytes = value.as_bytes();
    for exact in [true, false] {
        let reading = if exact { Reading::Exact } else { Reading::Given };
        let decimal = read(value, around, decimal);
        if let Some(Decimal { mantissa, written, scale }) = decimal {
            let smallest = i128::from(mantissa) / 10_i128.pow(u32::from(written - scale));
            let expected = Unscaled { mantissa: smallest, scale };
            let parsed = crate::values::decimal::parse(bytes, reading);
            assert_eq!(parsed, Ok(expected), "{value:?} as a decimal");
        }
        let numbers = reader(ColumnType::Int64, exact);
        if let Some(integer) = read(value, around, integer) {
            assert_eq!(numbers.integer(bytes), Ok(integer), "{value:?} as an integer");
        }
        if let Some(double) = read(value, around, double) {
            let parsed: f64 = reader(ColumnType::Float64, exact).float(bytes).unwrap();
            assert_eq!(parsed.to_bits(), double.to_bits(), "{value:?} as a double");
        }
        if let Some(date) = read(value, around, date) {
            assert_eq!(reader(ColumnType::Date, exact).date(bytes), Ok(date), "{value:?}");
        }
        if let Some(time) = read(value, around, time) {
            assert_eq!(reader(ColumnType::Time, exact).time(bytes), Ok(time), "{value:?}");
        }
        if let Some(timestamp) = read(value, around, timestamp) {
            let parsed = reader(ColumnType::Timestamp, exact).timestamp(bytes);
            assert_eq!(parsed, Ok(timestamp), "{value:?}");
        }
        if let Some(moment) = read(value, around, moment) {
            let parsed = reader(ColumnType::TimestampTz, exact).timestamp_tz(bytes);
            assert_eq!(parsed, Ok(moment), "{value:?}");
        }
        if let Some(boolean) = read(value, around, boolean) {
            assert_eq!(reader(ColumnType::Bool, exact).boolean(bytes), Ok(boolean), "{value:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
    #[test]
    fn an_answer_is_the_parsers(
        value in prop_oneof![
            "[-+]?[0-9]{0,20}",
            "-?[0-9]{0,10}[.][0-9]{0,9}",
            "-?[0-9]{1,3}[.][0-9]{0,2}0{1,4}",
            "[-0-9.:/ ]{0,12}",
            "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9]",
            "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-6][0-9](:[0-6][0-9])?([.][0-9]{0,7})?(Z|[-+ ][0-2][0-9]:[0-6][0-9]| UTC)?",
            "[0-2][0-9]:[0-6][0-9]:[0-6][0-9]([.][0-9]{1,7})?",
            "(true|false|True|tRUE|FALSE|t|no|1)",
            "\\PC{0,20}",
        ],
        around in "[,.0-9\n]{8,12}",
    ) {
        agrees(&value, &around);
    }
}

#[test]
fn what_is_usual_is_plain() {
    let around = "12345678,";
    for value in ["0", "-0", "7", "-42", "12345678", "123456789", "-1234567890123456"] {
        let expected: i64 = value.parse().unwrap();
        assert_eq!(read(value, around, integer), Some(expected), "{value}");
        assert_eq!(read(value, around, decimal).map(|it| it.mantissa), Some(expected), "{value}");
    }
    for (value, mantissa, written, scale) in [
        ("0.05", 5, 2, 2),
        ("17.00", 1700, 2, 0),
        ("-104949.50", -10_494_950, 2, 1),
        ("12345678.1234567", 123_456_781_234_567, 7, 7),
        ("1.0000000", 10_000_000, 7, 0),
        ("-0.00", 0, 2, 0),
    ] {
        let expected = Decimal { mantissa, written, scale };
        assert_eq!(read(value, around, decimal), Some(expected), "{value}");
        assert_eq!(read(value, around, double).is_some(), value != "-0.00", "{value}");
    }
    assert_eq!(read("1970-01-02", around, date), Some(1));
    assert_eq!(read("00:00:01.25", around, time), Some(1_250_000));
    assert_eq!(read("1970-01-01 00:00:01", around, timestamp), Some(1_000_000));
    assert_eq!(read("1970-01-01T01:00:01.5+01:00", around, moment), Some(1_500_000));
    assert_eq!(read("1970-01-01T00:00:01Z", around, moment), Some(1_000_000));
    assert_eq!(read("true", around, boolean), Some(true));
}

#[test]
fn what_is_not_plain_has_no_answer() {
    for value in ["", "-", "007", "+7", " 7", "7 ", "1e5", "1,5", "0x1F", "12345678901234567"] {
        assert_eq!(read(value, "12345678,", integer), None, "{value:?}");
    }
    for value in [".", "5.", ".5", "00.5", "1.2.3", "1.-5", "--1.5", "1.12345678", "123456789.5"] {
        assert_eq!(read(value, "12345678,", decimal), None, "{value:?}");
    }
}

#[test]
fn every_day_is_the_parsers() {
    for year in (0..=9999).filter(|year| year % 100 < 5 || year % 7 == 0) {
        for month in 0..20 {
            for day in 0..35 {
                let text = format!("{year:04}-{month:02}-{day:02}");
                let parsed = crate::values::calendar::parse_date(text.as_bytes(), Reading::Exact);
                assert_eq!(date(text.as_bytes(), 0, text.len()), parsed.ok(), "{text}");
            }
        }
    }
}
