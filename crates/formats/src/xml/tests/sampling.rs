//! Samples, and that what they promise is kept.

use decant_core::format::{Format, Sample, SampleLimits, Target};
use decant_core::schema::ColumnType;
use decant_core::stream::FormatOptions;

use super::{format, plain};
use crate::json::tests::collect;
use crate::testing::{Chunks, types};

fn sample(file: &str, options: &FormatOptions, limits: SampleLimits) -> Sample {
    let mut input = Chunks::new(file.as_bytes(), 1000);
    format(options, 1 << 20).sample(&mut input, limits).unwrap()
}

#[test]
fn values_look_like_those_of_csv() {
    use ColumnType::*;
    for (values, expected, trimmed) in [
        ("1,,-3", Int64, Int64),
        ("1,9223372036854775808", Decimal(None), Decimal(None)),
        ("1,2.50", Decimal(None), Decimal(None)),
        ("true,FALSE", Bool, Bool),
        ("007,1", Text, Text),
        ("2024-01-02", Date, Date),
        ("2024-01-02T10:00:00Z", TimestampTz, TimestampTz),
        (" 1 ,2", Text, Int64),
        (" ,2", Text, Int64),
        ("<b/>,1", Json, Json),
        ("<b>1</b>", Json, Json),
        (",", Text, Text),
        ("&#49;,2", Int64, Int64),
    ] {
        let rows: Vec<String> =
            values.split(',').map(|value| format!("<r><a>{value}</a></r>")).collect();
        let file = format!("<d>{}<r><k/></r></d>", rows.concat());
        let found = sample(&file, &plain(), SampleLimits::default());
        assert_eq!(types(&found.evidence)[0], expected, "{values}");
        assert_eq!(types(&found.trimmed_evidence)[0], trimmed, "{values}");
        for (column_type, trim) in [(expected, false), (trimmed, true)] {
            let target = Target { trim, ..Target::new(column_type, true) };
            let target = |name: &str| (name == "a").then(|| target.clone());
            let decoded = collect(file.as_bytes(), &format(&plain(), 64), &target, 64).unwrap();
            assert_eq!(decoded.rejects, [], "{values}");
        }
    }
}

#[test]
fn a_sample_says_what_it_saw() {
    let file = "<?xml version='1.0' encoding='latin1'?><d><m/>\
        <r id='1'><b>x</b></r><r id='1'><b/></r><r>&bad;</r>\
        <r id='2'><c><d>1</d></c></r></d>";
    let found = sample(file, &plain(), SampleLimits::default());
    assert_eq!(found.columns.names, ["id", "b", "c"]);
    assert_eq!(found.nulls, [false, true, true]);
    assert_eq!(found.examples, [vec!["1", "2"], vec!["x"], vec!["{\"d\":\"1\"}"]]);
    assert_eq!((found.rows, found.complete), (4, true));
    assert_eq!(
        found.explanation,
        [
            "the text is windows-1252, as the document declares",
            "a row is an element `r`, the first child of `d` that is repeated",
        ]
    );
    let options = &found.columns.options;
    assert_eq!(options.row_element.as_deref(), Some("d/r"));
    assert_eq!(options.name.as_deref(), Some("xml"));
    let again = sample(file, options, SampleLimits::default());
    assert_eq!((again.columns, again.rows), (found.columns, found.rows));
}

#[test]
fn a_sample_says_whether_it_has_seen_everything() {
    let rows: String = (0..1000).map(|row| format!("<r n='{row}'/>\n")).collect();
    let file = format!("<d>{rows}</d>");
    let limited = |bytes, rows| sample(&file, &plain(), SampleLimits { bytes, rows });
    assert!(limited(1 << 20, 1000).complete);
    assert_eq!(limited(1 << 20, 1000).rows, 1000);
    assert!(!limited(1 << 20, 999).complete);
    assert_eq!(limited(1 << 20, 999).rows, 999);
    let bounded = limited(100, 1000);
    assert!(!bounded.complete && bounded.rows > 4 && bounded.rows < 20, "{}", bounded.rows);
    assert!(limited(usize::MAX, usize::MAX).complete);
    let empty = sample("<d/>", &plain(), SampleLimits::default());
    assert!(empty.complete && empty.columns.names.is_empty() && empty.rows == 0);
}
