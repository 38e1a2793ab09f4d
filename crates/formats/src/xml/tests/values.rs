//! What a value is: NULL, text, or what its column's type makes of it.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use decant_core::format::{OnMisfit, Target};
use decant_core::list::ListElement;
use decant_core::reject::Reason;
use decant_core::schema::ColumnType;
use decant_core::stream::FormatOptions;

use super::{check, format, plain};
use crate::json::tests::{Decoded, collect};

fn column(values: &[&str], options: &FormatOptions, target: Target) -> Decoded {
    let rows: Vec<String> = values.iter().map(|value| format!("<r>{value}<k/></r>")).collect();
    let file = format!("<d>{}</d>", rows.concat());
    let target = |name: &str| (name == "a").then(|| target.clone());
    collect(file.as_bytes(), &format(options, 1 << 20), &target, 10).unwrap()
}

fn null_values(words: &[&str]) -> FormatOptions {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    FormatOptions { null_values: Some(words), ..plain() }
}

#[test]
fn an_empty_element_is_null_as_an_empty_field_is() {
    let file = "<d><r><a/><b></b><c>NA</c></r><r><a>x</a><c xsi:nil='true'/></r></d>";
    check(file, &plain(), "a|b|c", &["~|~|NA", "x|~|~"]);
    check(file, &null_values(&["NA"]), "a|b|c", &["||~", "x|~|~"]);
    check(file, &null_values(&["NA", ""]), "a|b|c", &["~|~|~", "x|~|~"]);
    let integers = Target::new(ColumnType::Int64, true);
    let decoded = column(&["<a/>", "<a>1</a>", "<a>NA</a>"], &null_values(&["NA"]), integers);
    let array = decoded.batches[0][0].as_primitive::<Int64Type>();
    assert_eq!(array.iter().collect::<Vec<_>>(), [None, Some(1), None]);
}

#[test]
fn a_trimmed_column_loses_the_white_space_around_its_values() {
    let trimmed = |column_type| Target { trim: true, ..Target::new(column_type, true) };
    let values = ["<a> 1 </a>", "<a>  </a>", "<a>\nNA\n</a>"];
    let options = null_values(&["NA", ""]);
    let decoded = column(&values, &options, trimmed(ColumnType::Int64));
    let array = decoded.batches[0][0].as_primitive::<Int64Type>();
    assert_eq!(array.iter().collect::<Vec<_>>(), [Some(1), None, None]);
    let decoded = column(&values, &options, trimmed(ColumnType::Text));
    assert_eq!(decoded.rows, [vec![Some("1".to_owned())], vec![None], vec![None]]);
    check("<d><r><a> 1 </a></r><r><a>  </a></r></d>", &plain(), "a", &[" 1 ", "  "]);
}

#[test]
fn a_value_that_does_not_fit_is_a_reject_that_quotes_it() {
    let integers = Target::new(ColumnType::Int64, true);
    let values = ["<a>1</a>", "<a>x&lt;y</a>", "<a>2</a>"];
    let decoded = column(&values, &plain(), integers.clone());
    assert_eq!((decoded.rows_read, decoded.rejects.len()), (3, 1));
    let reject = &decoded.rejects[0];
    assert_eq!((reject.ordinal, reject.line, reject.byte_offset), (2, Some(1), Some(22)));
    assert_eq!((&reject.reason, reject.column.as_deref()), (&Reason::Type, Some("a")));
    assert_eq!(reject.detail, "`x<y` is not a number (int64)");
    assert_eq!(reject.raw, b"<r><a>x&lt;y</a><k/></r>");
    let rescued = Target { misfit: OnMisfit::Rescue, ..integers };
    let decoded = column(&values, &plain(), rescued);
    assert_eq!(decoded.rejects, []);
    assert_eq!((decoded.rescued[0].row, decoded.rescued[0].value.as_str()), (1, "\"x<y\""));
}

#[test]
fn text_in_a_column_of_json_is_a_string_unless_somebody_made_it_for_documents() {
    let values = ["<a>1</a>", "<a><b>2</b></a>", "<a>[1, 2]</a>", "<a>[1,</a>"];
    let json = |exact| {
        let decoded = column(&values, &plain(), Target::new(ColumnType::Json, exact));
        let values = decoded.rows.into_iter().map(|row| row[0].clone().unwrap());
        values.collect::<Vec<_>>()
    };
    assert_eq!(json(true), [r#""1""#, r#"{"b":"2"}"#, r#""[1, 2]""#, r#""[1,""#]);
    assert_eq!(json(false), [r#""1""#, r#"{"b":"2"}"#, "[1, 2]", r#""[1,""#]);
}

#[test]
fn a_nested_value_in_a_typed_column_is_a_misfit() {
    let decoded = column(&["<a><b>1</b></a>"], &plain(), Target::new(ColumnType::Int64, true));
    assert_eq!(decoded.rejects[0].detail, "`{\"b\":\"1\"}` is not a number (int64)");
}

#[test]
fn a_column_of_lists_takes_one_element_alone_as_a_list() {
    let values = ["<a>1</a>", "<a>1</a><a>2</a>", "<a>[3, 4]</a>", "<a>x</a>"];
    let lists = Target::new(ColumnType::List(ListElement::Int64), true);
    let decoded = column(&values, &plain(), lists);
    let rows: Vec<_> = decoded.rows.into_iter().map(|row| row[0].clone().unwrap()).collect();
    assert_eq!(rows, ["[1]", "[1,2]", "[3,4]"]);
    assert_eq!(decoded.rejects[0].detail, "`x` is not a JSON list of scalars (int64[])");
}
