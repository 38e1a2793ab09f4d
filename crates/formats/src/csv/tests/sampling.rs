//! Samples, and that what they promise is kept.

use decant_core::destination::DecimalSupport;
use decant_core::evidence::Decimals;
use decant_core::format::{Format, Sample, SampleLimits, Target};
use decant_core::schema::ColumnType;
use proptest::prelude::*;

use super::super::CsvFormat;
use super::{decode_with, plain};
use crate::testing::{self, Chunks};

fn sample(file: &[u8], limits: SampleLimits) -> Sample {
    let format = CsvFormat::new(b',', &plain()).unwrap();
    format.sample(&mut Chunks::new(file, 1000), limits).unwrap()
}

fn types(file: &[u8]) -> Vec<ColumnType> {
    testing::types(&sample(file, SampleLimits::default()).evidence)
}

#[test]
fn a_column_has_the_narrowest_type_that_keeps_its_values() {
    use ColumnType::*;
    for (values, expected) in [
        (&["1", "", "-3"][..], Int64),
        (&["0", "1"], Int64),
        (&["\"12\"", "13"], Int64),
        (&["1", "9223372036854775808"], Decimal(None)),
        (&["12.0"], Decimal(None)),
        (&["1", "2.50"], Decimal(None)),
        (&["-0.0", ".5"], Decimal(None)),
        (&["1", "1e5"], Float64),
        (&["TRUE", "false"], Bool),
        (&["2024-01-02"], Date),
        (&["2024-01-02", "2024-01-02T10:00:00"], Timestamp),
        (&["2024-01-02 10:00:00+02"], TimestampTz),
        (&["10:30:00", "23:59"], Time),
        (&["01234567-89ab-cdef-0123-456789abcdef"], Uuid),
        (&["a1234567-89AB-cdef-0123-456789abcdef"], Uuid),
        (&["007"], Text),
        (&["+33612345678"], Text),
        (&["0x1F"], Text),
        (&["12%"], Text),
        (&["€5"], Text),
        (&["NaN"], Text),
        (&["inf"], Text),
        (&["yes", "no"], Text),
        (&["t", "f"], Text),
        (&["1."], Text),
        (&[" 1"], Text),
        (&["1e400"], Text),
        (&["2024-01-02 00:00:00.1234567"], Text),
        (&["24:00", "10:30:00"], Text),
        (&["1", "\"\""], Text),
        (&[""], Text),
        (&["true", "1"], Text),
    ] {
        let rows: String = values.iter().map(|value| format!("{value},x\n")).collect();
        assert_eq!(types(format!("a,b\n{rows}").as_bytes())[0], expected, "{values:?}");
    }
}

#[test]
fn malformed_rows_say_nothing() {
    let found = sample(b"a,b\n1,2\nx\n\"y,3\n4,5\n", SampleLimits::default());
    assert!(found.complete);
    assert_eq!(found.rows, 4);
    assert_eq!(testing::types(&found.evidence), [ColumnType::Int64, ColumnType::Int64]);
}

#[test]
fn a_sample_says_whether_it_has_seen_everything() {
    let file: String = (0..1000).map(|row| format!("{row}\n")).collect();
    let file = format!("n\n{file}");
    let limited = |bytes, rows| sample(file.as_bytes(), SampleLimits { bytes, rows });
    assert!(limited(1 << 20, 1000).complete);
    assert_eq!(limited(1 << 20, 1000).rows, 1000);
    assert!(!limited(1 << 20, 999).complete);
    assert_eq!(limited(1 << 20, 999).rows, 999);
    let bounded = limited(100, 1000);
    assert!(!bounded.complete && bounded.rows > 20 && bounded.rows < 60, "{}", bounded.rows);
    let empty = sample(b"", SampleLimits::default());
    assert!(empty.complete && empty.columns.names.is_empty() && empty.rows == 0);
    let header = sample(b"a,b\n", SampleLimits::default());
    assert!(header.complete && header.columns.names == ["a", "b"]);
}

#[test]
fn a_sample_does_not_chase_an_unclosed_quote() {
    let mut file = b"a,b\n1,2\n3,\"".to_vec();
    file.resize(50 << 20, b'x');
    let found = sample(&file, SampleLimits::default());
    assert_eq!((found.rows, found.complete), (1, false));
}

#[test]
fn samples_are_taken_through_compression() {
    let compressed = zstd::encode_all(&b"a,b\n1,x\n"[..], 3).unwrap();
    assert_eq!(types(&compressed), [ColumnType::Int64, ColumnType::Text]);
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        (-1000_i32..1000).prop_map(|number| number.to_string()),
        "-?[0-9]{1,25}(\\.[0-9]{1,25})?",
        "-?[0-9]{1,3}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
        any::<f64>().prop_map(|number| format!("{number:e}")),
        any::<f64>().prop_map(|number| number.to_string()),
        "(true|FALSE|t|0|1|yes)",
        "[0-9]{4}-[01][0-9]-[0-3][0-9]",
        "[0-9]{4}-0[1-9]-[0-2][0-9][T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,8})?)?",
        "[0-9]{4}-0[1-9]-[0-2][0-9] [0-2][0-9]:[0-5][0-9]( ?[+-][0-9]{2}(:?[0-9]{2})?|Z| UTC)",
        "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        Just(String::new()),
        "[-+0-9.eE:a-z ]{0,12}",
    ]
}

proptest! {
    #[test]
    fn a_type_chosen_from_a_sample_keeps_every_value_of_it(
        rows in prop_oneof![
            prop::collection::vec(value(), 1..3),
            prop::collection::vec("-?[1-9][0-9]{0,20}(\\.[0-9]{1,20})?", 1..30),
            prop::collection::vec("-?[1-9]{1,3}(\\.[0-9]{1,3})?(e[0-9]{1,2})?", 1..30),
            prop::collection::vec("2024-0[1-9]-0[1-9]([T ]10:00)?", 1..30),
        ],
        unbounded: bool,
    ) {
        let support = if unbounded { DecimalSupport::Unbounded } else { DecimalSupport::None };
        let lines: String = rows.iter().map(|row| format!("\"{row}\"\n")).collect();
        let file = format!("a\n{lines}");
        let found = sample(file.as_bytes(), SampleLimits::default());
        let column_type = found.evidence[0].column_type(support, Decimals::Exact);
        let target = Target::new(column_type, true);
        let decoded = decode_with(file.as_bytes(), &plain(), &|_| Some(target.clone()), (64, 64)).unwrap();
        prop_assert_eq!(decoded.rejects, vec![], "{:?}", column_type);
        prop_assert_eq!(decoded.rows_read, rows.len() as u64);
    }
}
