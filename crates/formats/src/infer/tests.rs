//! What inference promises: the type that it chooses keeps every value.

use chrono::{DateTime, NaiveDateTime};
use decant_core::destination::DecimalSupport;
use decant_core::evidence::Decimals;
use decant_core::format::Target;
use decant_core::schema::ColumnType;
use proptest::prelude::*;

use super::*;
use crate::values::Reader;

/// The value as its type writes it, once read.
fn trip(value: &str, column_type: ColumnType, numbers: Option<NumberFormat>) -> String {
    let reader = Reader::new(&Target::new(column_type, true), numbers).unwrap();
    let bytes = value.as_bytes();
    let micros = |read: Result<i64, Misfit>| {
        DateTime::from_timestamp_micros(read.expect(value)).unwrap().naive_utc()
    };
    match column_type {
        ColumnType::Bool => reader.boolean(bytes).expect(value).to_string(),
        ColumnType::Int64 => reader.integer::<i64>(bytes).expect(value).to_string(),
        ColumnType::Float64 => format!("{:e}", reader.float::<f64>(bytes).expect(value)),
        ColumnType::Decimal(_) => {
            let decimal = reader.decimal(bytes).expect(value);
            format!("{}e-{}", decimal.mantissa, decimal.scale)
        }
        ColumnType::Date => {
            micros(reader.date(bytes).map(|days| i64::from(days) * 86_400_000_000)).to_string()
        }
        ColumnType::Time => micros(reader.time(bytes)).to_string(),
        ColumnType::Timestamp => micros(reader.timestamp(bytes)).to_string(),
        ColumnType::TimestampTz => micros(reader.timestamp_tz(bytes)).to_string(),
        ColumnType::Uuid => {
            reader.uuid(bytes).expect(value).iter().map(|byte| format!("{byte:02x}")).collect()
        }
        _ => value.to_owned(),
    }
}

fn same_number(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|text| {
        Number::lex(text.as_bytes(), Reading::Given).unwrap_or_else(|| panic!("{text}"))
    });
    let is_zero = one.significant().count() == 0;
    one.significant().equals(&other.significant()) && (is_zero || one.negative == other.negative)
}

const SUPPORTS: [DecimalSupport; 2] = [DecimalSupport::Unbounded, DecimalSupport::None];

#[test]
fn values_are_inferred_as_the_documentation_says() {
    let rows = crate::testing::documented_rows("### Inferred");
    assert!(rows.len() > 50, "{rows:?}");
    for row in rows {
        let [value, postgres, sqlite] = row.as_slice() else { panic!("{row:?}") };
        for (support, expected) in SUPPORTS.into_iter().zip([postgres, sqlite]) {
            let column_type = evidence(value.as_bytes()).column_type(support, Decimals::Exact);
            assert_eq!(column_type.to_string(), *expected, "{value} with {support:?}");
            trip(value, column_type, None);
        }
    }
}

#[test]
fn a_decimal_comma_makes_numbers_of_commas_and_text_of_points() {
    let numbers = Some(NumberFormat { decimal: ',', thousands: Some('.') });
    let of = |value: &str| evidence_with(value.as_bytes(), numbers);
    for number in ["1,5", "1.234", "-1.234.567,89", "12", "0,05", "1,5e3", ",5"] {
        assert!(matches!(of(number), Evidence::Number(_)), "{number}");
    }
    for text in ["1.5", "0.123", "1.23,4", "01,5", "1,", "", " 1,5", "1,234,567"] {
        assert_eq!(of(text), Evidence::Text, "{text}");
    }
    assert!(matches!(of("1.234"), Evidence::Number(NumberEvidence { int64: true, scale: 0, .. })));
    assert_eq!(of("2024-01-31"), Evidence::Date);
    assert_eq!(of("true"), Evidence::Bool);
}

proptest! {
    #[test]
    fn numbers_survive_whatever_type_is_chosen(
        values in proptest::collection::vec(
            "-?(0|[1-9][0-9]{0,22})?(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", 1..5
        )
    ) {
        let joined = values
            .iter()
            .fold(Evidence::Nothing, |known, value| known.join(evidence(value.as_bytes())));
        for support in SUPPORTS {
            let column_type = joined.column_type(support, Decimals::Exact);
            for value in &values {
                let back = trip(value, column_type, None);
                let same = match column_type {
                    ColumnType::Text => back == *value,
                    _ => same_number(value, &back),
                };
                prop_assert!(same, "{} became {} as {}", value, back, column_type);
            }
        }
    }

    #[test]
    fn numbers_with_commas_survive_too(
        whole in 0_u64..10_000_000_000, fraction in "[0-9]{1,9}", negative: bool, grouped: bool
    ) {
        let numbers = Some(NumberFormat { decimal: ',', thousands: Some('.') });
        let mut digits = whole.to_string();
        if grouped {
            for at in (1..digits.len()).rev().filter(|at| (digits.len() - at) % 3 == 0).collect::<Vec<_>>() {
                digits.insert(at, '.');
            }
        }
        let sign = if negative { "-" } else { "" };
        let text = format!("{sign}{digits},{fraction}");
        for support in SUPPORTS {
            let column_type = evidence_with(text.as_bytes(), numbers).column_type(support, Decimals::Exact);
            prop_assert!(column_type == ColumnType::Text || same_number(
                &format!("{sign}{whole}.{fraction}"), &trip(&text, column_type, numbers)
            ), "{}", text);
            prop_assert!(support == DecimalSupport::None || column_type != ColumnType::Text);
        }
    }

    #[test]
    fn dates_and_times_survive_in_every_spelling(
        seconds in -62_135_596_800_i64..253_402_300_800, microseconds in 0_u32..1_000_000,
        index in 0_usize..9,
    ) {
        let written: NaiveDateTime =
            DateTime::from_timestamp(seconds, microseconds * 1000).unwrap().naive_utc();
        let day = written.date().and_time(chrono::NaiveTime::MIN);
        let clock = NaiveDateTime::default().date().and_time(written.time());
        let minute = written.format("%Y-%m-%d %H:%M").to_string();
        let to_minute = NaiveDateTime::parse_from_str(&minute, "%Y-%m-%d %H:%M").unwrap();
        let (spelling, expected, looks) = [
            ("%Y-%m-%d", day, Evidence::Date),
            ("%Y-%m-%d %H:%M", to_minute, Evidence::Timestamp),
            ("%Y-%m-%dT%H:%M:%S%.6f", written, Evidence::Timestamp),
            ("%Y-%m-%d %H:%M:%S%.9f", written, Evidence::Timestamp),
            ("%Y-%m-%dT%H:%M:%S%.fZ", written, Evidence::TimestampTz),
            ("%Y-%m-%d %H:%M:%S%.f+00", written, Evidence::TimestampTz),
            ("%Y-%m-%d %H:%M:%S%.f -00:00", written, Evidence::TimestampTz),
            ("%Y-%m-%dT%H:%M:%S%.f+0000", written, Evidence::TimestampTz),
            ("%H:%M:%S%.6f", clock, Evidence::Time),
        ][index];
        let text = written.format(spelling).to_string();
        prop_assert_eq!(evidence(text.as_bytes()), looks, "{}", &text);
        let column_type = looks.column_type(DecimalSupport::None, Decimals::Exact);
        prop_assert_eq!(trip(&text, column_type, None), expected.to_string(), "{}", text);
    }

    #[test]
    fn uuids_and_truth_values_survive(bits: u128, truth: bool, upper: bool) {
        let digits = format!("{bits:032x}");
        let dashed = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]]
            .join("-");
        let cased = if upper { dashed.to_uppercase() } else { dashed };
        prop_assert_eq!(evidence(cased.as_bytes()), Evidence::Uuid);
        prop_assert_eq!(trip(&cased, ColumnType::Uuid, None), digits);
        let word = if upper { truth.to_string().to_uppercase() } else { truth.to_string() };
        prop_assert_eq!(evidence(word.as_bytes()), Evidence::Bool);
        prop_assert_eq!(trip(&word, ColumnType::Bool, None), truth.to_string());
    }

    #[test]
    fn whatever_is_typed_is_read(value in "[0-9tfTFeE:./+ ,-]{0,30}") {
        for support in SUPPORTS {
            let column_type = evidence(value.as_bytes()).column_type(support, Decimals::Exact);
            trip(&value, column_type, None);
        }
    }
}
