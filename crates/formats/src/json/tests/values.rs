//! Values in columns of all types.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use decant_core::format::{OnMisfit, Target};
use decant_core::list::ListElement;
use decant_core::schema::{ColumnType, DecimalBounds};

use super::super::JsonFormat;
use super::{Decoded, check, decode_with, plain};

fn typed(file: &str, column_type: ColumnType) -> Decoded {
    let target = Target::new(column_type, true);
    let format = JsonFormat::new(&plain()).unwrap();
    decode_with(file.as_bytes(), format, &|_| Some(target.clone()), (1 << 20, 11)).unwrap()
}

fn only(decoded: &Decoded) -> &ArrayRef {
    &decoded.batches[0][0]
}

#[test]
fn numbers_are_read_from_their_digits() {
    let decoded = typed("[9007199254740993,-9223372036854775808,null,\"7\"]", ColumnType::Int64);
    let array = only(&decoded).as_primitive::<Int64Type>();
    let values: Vec<Option<i64>> = array.iter().collect();
    assert_eq!(values, [Some(9007199254740993), Some(i64::MIN), None, Some(7)]);

    let digits = "12345678901234567890.123456789012345678";
    let decoded = typed(&format!("[{digits},1.50]"), ColumnType::Decimal(None));
    let array = only(&decoded).as_primitive::<Decimal128Type>();
    assert_eq!(array.value_as_string(0), digits);
    assert_eq!(array.value_as_string(1), "1.500000000000000000");

    let bounds = DecimalBounds { precision: 12, scale: 2 };
    let decoded = typed("[12.5,-0.01,1e2,0.001]", ColumnType::Decimal(Some(bounds)));
    let array = only(&decoded).as_primitive::<Decimal128Type>();
    assert_eq!(array.values(), &[1250, -1, 10000]);
    assert_eq!(decoded.rejects[0].detail, "`0.001` has more digits than decimal(12,2) keeps");

    let decoded = typed("[1e400,0.1,-1.5E3]", ColumnType::Float64);
    assert_eq!(only(&decoded).as_primitive::<Float64Type>().values(), &[0.1, -1500.0]);
    assert_eq!(decoded.rejects.len(), 1);
}

#[test]
fn values_that_do_not_fit_are_rejected_with_their_column() {
    let decoded = typed("{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":\"x\"}\n{\"b\":4}", ColumnType::Int64);
    let [reject] = decoded.rejects.as_slice() else { panic!("{decoded:?}") };
    assert_eq!((reject.ordinal, reject.line, reject.column.as_deref()), (2, Some(2), Some("b")));
    assert_eq!(reject.detail, "`x` is not a number (int64)");
    assert_eq!(reject.raw, b"{\"a\":3,\"b\":\"x\"}");
    let array = decoded.batches[0][0].as_primitive::<Int64Type>();
    assert_eq!(array.iter().collect::<Vec<_>>(), [Some(1), None]);
    assert_eq!(decoded.places.ordinals, [1, 3]);
    let nested = typed("[{\"a\":[1, 2]}]", ColumnType::Int64);
    assert_eq!(nested.rejects[0].detail, "`[1,2]` is not a number (int64)");
}

#[test]
fn values_that_do_not_fit_can_be_rescued_as_they_are() {
    let target = Target { misfit: OnMisfit::Rescue, ..Target::new(ColumnType::Int64, true) };
    let format = JsonFormat::new(&plain()).unwrap();
    let file = b"[{\"a\":1,\"b\":1},{\"a\":\"x\",\"b\":{\"c\": [ ]}},{\"a\":true}]";
    let decoded = decode_with(file, format, &|_| Some(target.clone()), (1 << 20, 64)).unwrap();
    assert!(decoded.rejects.is_empty());
    let rescued: Vec<(usize, usize, &str)> = decoded
        .rescued
        .iter()
        .map(|rescued| (rescued.row, rescued.column, rescued.value.as_str()))
        .collect();
    assert_eq!(rescued, [(1, 0, "\"x\""), (2, 0, "true"), (1, 1, "{\"c\":[]}")]);
    assert_eq!(decoded.batches[0][0].null_count(), 2);
}

#[test]
fn text_is_what_strings_mean_and_json_is_what_stands_there() {
    let file = r#"[{"a":"\u00e9\n"},{"a": {"b" : [ 1, "x y" ]}},{"a":1.50},{"a":true},{"a":null}]"#;
    check(file, &plain(), "a", &["é\n", r#"{"b":[1,"x y"]}"#, "1.50", "true", "~"]);
    let decoded = typed(file, ColumnType::Json);
    let array = only(&decoded).as_string::<i32>();
    let values: Vec<Option<&str>> = array.iter().collect();
    let expected =
        [Some(r#""\u00e9\n""#), Some(r#"{"b":[1,"x y"]}"#), Some("1.50"), Some("true"), None];
    assert_eq!(values, expected);
}

#[test]
fn arrays_are_lists_where_these_are_wanted() {
    let file = r#"[{"a":[1, null,"2"]},{"a":null},{},{"a":[]},{"a":"[3]"},{"a":{"b":1}},{"a":[1.5]},{"a":[[1]]},{"a":1}]"#;
    let decoded = typed(file, ColumnType::List(ListElement::Int64));
    let lists: Vec<Option<&str>> =
        decoded.batches.iter().flat_map(|batch| batch[0].as_string::<i32>()).collect();
    assert_eq!(lists, [Some("[1,null,2]"), None, None, Some("[]"), Some("[3]")]);
    let details: Vec<&str> = decoded.rejects.iter().map(|it| it.detail.as_str()).collect();
    let no_list = |value: &str| format!("`{value}` is not a JSON list of scalars (int64[])");
    assert_eq!(
        details,
        [
            no_list(r#"{"b":1}"#).as_str(),
            "`1.5` is not a number (int64) in `[1.5]`",
            no_list("[[1]]").as_str(),
            no_list("1").as_str(),
        ]
    );
    let decoded = typed(r#"[{"a":["x\u0000",1.50,true]}]"#, ColumnType::List(ListElement::Text));
    assert_eq!(only(&decoded).as_string::<i32>().value(0), r#"["x\u0000","1.50","true"]"#);
}

#[test]
fn strings_are_dates_bytes_and_truth_values_where_these_are_wanted() {
    let decoded = typed(r#"["2024-02-29",null,"2024-02-30"]"#, ColumnType::Date);
    assert_eq!(only(&decoded).as_primitive::<Date32Type>().value(0), 19782);
    assert_eq!(decoded.rejects.len(), 1);
    let decoded = typed(r#"[{"a":"\\x00ff"},{"a":"é"},{"a":[1, 2]}]"#, ColumnType::Binary);
    let array = only(&decoded).as_binary::<i32>();
    assert_eq!(
        [array.value(0), array.value(1), array.value(2)],
        [b"\x00\xff".as_slice(), "é".as_bytes(), b"[1,2]"]
    );
    let decoded = typed(r#"[true,false,"TRUE",1]"#, ColumnType::Bool);
    assert_eq!(only(&decoded).as_boolean().true_count(), 2);
    assert_eq!(decoded.rejects.len(), 1);
    let decoded = typed(r#"["2024-01-02T10:00:00+02:00"]"#, ColumnType::TimestampTz);
    assert!(decoded.rejects.is_empty());
    let decoded = typed(r#"["01234567-89ab-cdef-0123-456789abcdef", 5]"#, ColumnType::Uuid);
    assert_eq!((only(&decoded).len(), decoded.rejects.len()), (1, 1));
}

#[test]
fn decimals_that_share_no_scale_come_in_several_batches() {
    let file = format!("[{}, 0.{}1]", "9".repeat(38), "0".repeat(37));
    let decoded = typed(&file, ColumnType::Decimal(None));
    assert_eq!(decoded.batches.len(), 2);
    assert_eq!(decoded.places.ordinals, [1, 2]);
}
