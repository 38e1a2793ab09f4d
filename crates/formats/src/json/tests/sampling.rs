//! Samples, and that what they promise is kept.

use decant_core::format::{Format, Sample, SampleLimits, Target};
use decant_core::schema::ColumnType;

use super::super::JsonFormat;
use super::{decode_with, plain};
use crate::testing::{Chunks, types};

fn sample(file: &str, limits: SampleLimits) -> Sample {
    let format = JsonFormat::new(&plain()).unwrap();
    format.sample(&mut Chunks::new(file.as_bytes(), 1000), limits).unwrap()
}

#[test]
fn a_column_has_the_narrowest_type_that_keeps_its_values() {
    use ColumnType::*;
    for (values, expected) in [
        ("1,null,-3", Int64),
        ("1,9223372036854775808", Decimal(None)),
        ("1,2.50", Decimal(None)),
        ("1e5,2", Float64),
        ("1e400", Text),
        ("true,false", Bool),
        ("true,1", Text),
        (r#""12","13""#, Text),
        (r#""true""#, Text),
        (r#""2024-01-02""#, Date),
        (r#""2024-01-02","2024-01-02T10:00:00""#, Timestamp),
        (r#""2024-01-02T10:00:00Z""#, TimestampTz),
        (r#""01234567-89ab-cdef-0123-456789abcdef""#, Uuid),
        (r#""\u0032024-01-02""#, Date),
        (r#""","x""#, Text),
        (r#"1,"x""#, Text),
        ("null", Text),
        ("[1],{}", Json),
        (r#"[1],2,"x""#, Json),
    ] {
        let rows: Vec<String> =
            values_of(values).map(|value| format!("{{\"a\":{value}}}")).collect();
        let file = format!("[{}]", rows.join(","));
        let found = sample(&file, SampleLimits::default());
        assert_eq!(types(&found.evidence), [expected], "{values}");
        let target = Target::new(types(&found.evidence)[0], true);
        let format = JsonFormat::new(&plain()).unwrap();
        let decoded =
            decode_with(file.as_bytes(), format, &|_| Some(target.clone()), (64, 64)).unwrap();
        assert_eq!(decoded.rejects, [], "{values}");
    }
}

/// Values between commas; none of them has a comma inside.
fn values_of(values: &str) -> impl Iterator<Item = &str> {
    values.split(',')
}

#[test]
fn a_sample_says_what_it_saw() {
    let file = "{\"a\":1,\"b\":\"x\"}\n{\"a\":1,\"b\":null}\n{bad\n{\"a\":2,\"c\":{\"d\":1}}\n";
    let found = sample(file, SampleLimits::default());
    assert_eq!(found.columns.names, ["a", "b", "c"]);
    assert_eq!(found.nulls, [false, true, true]);
    assert_eq!(found.examples, [vec!["1", "2"], vec!["x"], vec!["{\"d\":1}"]]);
    assert_eq!((found.rows, found.complete), (4, true));
    assert_eq!(found.explanation, ["one JSON value a line"]);
    assert_eq!(found.columns.options.name.as_deref(), Some("jsonl"));
}

#[test]
fn a_wrapped_document_says_where_its_rows_may_be() {
    let found = sample("{\"count\":2,\"data\":[{\"a\":1},{\"a\":2}]}", SampleLimits::default());
    assert_eq!(found.columns.names, ["count", "data"]);
    assert!(found.explanation[1].contains("`records_path: /data`"), "{:?}", found.explanation);
}

#[test]
fn a_sample_says_whether_it_has_seen_everything() {
    let lines: String = (0..1000).map(|row| format!("{{\"n\":{row}}}\n")).collect();
    let array = format!("[{}]", lines.trim_end().replace('\n', ","));
    for file in [lines, array] {
        let limited = |bytes, rows| sample(&file, SampleLimits { bytes, rows });
        assert!(limited(1 << 20, 1000).complete);
        assert_eq!(limited(1 << 20, 1000).rows, 1000);
        assert!(!limited(1 << 20, 999).complete);
        assert_eq!(limited(1 << 20, 999).rows, 999);
        let bounded = limited(100, 1000);
        assert!(!bounded.complete && bounded.rows > 5 && bounded.rows < 20, "{}", bounded.rows);
        assert!(limited(usize::MAX, usize::MAX).complete);
    }
    let empty = sample("[]", SampleLimits::default());
    assert!(empty.complete && empty.columns.names.is_empty() && empty.rows == 0);
}

#[test]
fn a_sample_looks_on_until_it_has_seen_a_good_row() {
    let limits = SampleLimits { bytes: 1 << 10, rows: 100 };
    let bad = "{\"a\":1,\"a\":2}\n".repeat(50_000);
    for bad in [bad.clone(), format!("[{}", bad.replace('\n', ",\n"))] {
        let end = if bad.starts_with('[') { "{\"v\":7}]" } else { "{\"v\":7}\n" };
        let found = sample(&format!("{bad}{end}"), limits);
        assert_eq!((found.rows, found.complete), (50_001, true));
        assert_eq!(
            (found.columns.names.as_slice(), &found.examples[0][..]),
            (&["v".to_owned()][..], &["7".to_owned()][..])
        );
    }
    let found = sample(&format!("{bad}{{\"v\":7}}\n{{\"v\":8}}\n"), limits);
    assert!(!found.complete && found.rows == 50_001 && found.nulls == [false]);
    let found = sample(&bad, limits);
    assert!(found.complete && found.columns.names.is_empty() && found.rows == 50_000);
    let reject = found.first_reject.unwrap();
    assert_eq!((reject.ordinal, reject.line), (1, Some(1)));
}
