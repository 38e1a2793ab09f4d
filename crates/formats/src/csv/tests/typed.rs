//! Typed columns: values, and rejects that name the value.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::{Decimal128Type, Int32Type, Int64Type};
use arrow_array::{
    Array, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
};
use arrow_array::{BinaryArray, FixedSizeBinaryArray, TimestampMicrosecondArray, cast::AsArray};
use decant_core::format::Target;
use decant_core::list::ListElement;
use decant_core::reject::Reason;
use decant_core::schema::{ColumnType, DecimalBounds};

use proptest::prelude::*;

use super::{Decoded, decode_with, plain};
use crate::values::Reader;

fn decode(file: &[u8], types: &[ColumnType], exact: bool) -> Decoded {
    let targets = |column: usize| Some(Target::new(types[column], exact));
    let whole = decode_with(file, &plain(), &targets, (1 << 20, 1 << 20)).unwrap();
    let pieces = decode_with(file, &plain(), &targets, (1, 1)).unwrap();
    assert_eq!(pieces.rejects, whole.rejects);
    assert_eq!(pieces.rows_read, whole.rows_read);
    whole
}

#[test]
fn every_type_is_delivered_in_its_arrow_representation() {
    let bounds = DecimalBounds { precision: 12, scale: 2 };
    let types = [
        ColumnType::Bool,
        ColumnType::Int64,
        ColumnType::Float64,
        ColumnType::Decimal(Some(bounds)),
        ColumnType::Date,
        ColumnType::TimestampTz,
        ColumnType::Uuid,
        ColumnType::Text,
        ColumnType::Binary,
        ColumnType::Int16,
        ColumnType::Int32,
        ColumnType::Float32,
        ColumnType::Time,
        ColumnType::Timestamp,
        ColumnType::Json,
    ];
    let names: Vec<String> = types.iter().map(ToString::to_string).collect();
    let header = names.join(",").replace("decimal(12,2)", "\"decimal(12,2)\"");
    let values = "true,\"1\",1.5,1.5,1970-01-02,1970-01-01T00:00:01Z,\
        00000000-0000-0000-0000-000000000001,x,\\x00,1,1,1.5,00:00:01,1970-01-01 00:00:01,{}";
    let nulls = ",".repeat(types.len() - 1);
    let decoded = decode(format!("{header}\n{values}\n{nulls}\n").as_bytes(), &types, true);
    assert_eq!(decoded.rejects, []);
    for (array, column_type) in decoded.arrays[0].iter().zip(types) {
        assert_eq!(array.data_type(), &column_type.arrow());
        assert_eq!((array.len(), array.null_count(), array.is_null(1)), (2, 1, true));
    }
    let expected: Vec<ArrayRef> = vec![
        Arc::new(BooleanArray::from(vec![Some(true), None])),
        Arc::new(Int64Array::from(vec![Some(1), None])),
        Arc::new(Float64Array::from(vec![Some(1.5), None])),
    ];
    assert_eq!(decoded.arrays[0][..3], expected);
    let date: ArrayRef = Arc::new(Date32Array::from(vec![Some(1), None]));
    assert_eq!(&decoded.arrays[0][4], &date);
    let moment = TimestampMicrosecondArray::from(vec![Some(1_000_000), None]).with_timezone("UTC");
    assert_eq!(&decoded.arrays[0][5], &(Arc::new(moment) as ArrayRef));
    let uuid = FixedSizeBinaryArray::try_from_sparse_iter_with_size(
        [Some(1_u128.to_be_bytes()), None].into_iter(),
        16,
    );
    assert_eq!(&decoded.arrays[0][6], &(Arc::new(uuid.unwrap()) as ArrayRef));
    let binary: ArrayRef = Arc::new(BinaryArray::from(vec![Some(&b"\0"[..]), None]));
    assert_eq!(&decoded.arrays[0][8], &binary);
}

#[test]
fn a_value_that_does_not_fit_rejects_its_row_and_no_other() {
    let types = [ColumnType::Int64, ColumnType::Bool, ColumnType::Text];
    let file = b"id,ok,name\n1,true,a\n\"12,50\",perhaps,b\n\n3,maybe,c\n4,false,\xff\n5,true,e\n";
    let decoded = decode(file, &types, true);
    let places: Vec<_> = decoded
        .rejects
        .iter()
        .map(|reject| {
            let column = reject.column.as_deref().unwrap();
            (reject.ordinal, reject.line.unwrap(), reject.byte_offset.unwrap(), column)
        })
        .collect();
    assert_eq!(places, [(2, 3, 20, "id"), (3, 5, 39, "ok"), (4, 6, 49, "name")]);
    assert_eq!(decoded.rejects[0].detail, "`12,50` is not a number (int64)");
    assert_eq!(decoded.rejects[0].raw, b"\"12,50\",perhaps,b");
    assert_eq!(decoded.rejects[1].detail, "`maybe` is not true or false (bool)");
    assert_eq!(decoded.rejects[2].reason, Reason::Encoding);
    assert_eq!(decoded.arrays[0][0].as_primitive::<Int64Type>().values(), &[1, 5]);
    let names: ArrayRef = Arc::new(StringArray::from(vec!["a", "e"]));
    assert_eq!(&decoded.arrays[0][2], &names);
}

#[test]
fn a_list_is_json_whose_elements_are_checked_one_by_one() {
    let file =
        b"tags,n\n\"[1, null,\"\"2\"\"]\",a\n,b\n[],c\n\"[1,\"\"x\"\"]\",d\n\"{1,2}\",e\n[[1]],f\n";
    let types = [ColumnType::List(ListElement::Int64), ColumnType::Text];
    let decoded = decode(file, &types, false);
    let lists: ArrayRef = Arc::new(StringArray::from(vec![Some("[1,null,2]"), None, Some("[]")]));
    assert_eq!(&decoded.arrays[0][0], &lists);
    let rejects: Vec<_> = decoded
        .rejects
        .iter()
        .map(|it| {
            (it.line.unwrap(), it.column.as_deref().unwrap(), it.reason.clone(), it.detail.as_str())
        })
        .collect();
    let no_list = |value: &str| format!("`{value}` is not a JSON list of scalars (int64[])");
    assert_eq!(
        rejects,
        [
            (5, "tags", Reason::Type, "`x` is not a number (int64) in `[1,\"x\"]`"),
            (6, "tags", Reason::Type, no_list("{1,2}").as_str()),
            (7, "tags", Reason::Type, no_list("[[1]]").as_str()),
        ]
    );
}

#[test]
fn structural_and_typed_rejects_come_in_the_order_of_the_file() {
    let file = b"a,b\n1,x\n2\n3,4\nx,5\n\"6,7\n8,9\n";
    let decoded = decode(file, &[ColumnType::Int32, ColumnType::Int32], false);
    let ordinals: Vec<u64> = decoded.rejects.iter().map(|reject| reject.ordinal).collect();
    assert_eq!(ordinals, [1, 2, 4, 5]);
    assert_eq!(decoded.arrays[0][0].as_primitive::<Int32Type>().values(), &[3, 8]);
}

#[test]
fn an_empty_field_is_no_number_when_it_is_quoted() {
    let decoded = decode(b"a,b\n,1\n\"\",2\n", &[ColumnType::Int64, ColumnType::Int64], false);
    assert_eq!(decoded.rejects[0].detail, "`` is not a number (int64)");
    assert_eq!(decoded.arrays[0][0].null_count(), 1);
}

#[test]
fn decimals_without_bounds_have_the_scale_that_a_batch_needs() {
    let file = b"a\n1\n2.50\n\n-0.125\n";
    let decoded = decode(file, &[ColumnType::Decimal(None)], true);
    let array = decoded.arrays[0][0].as_primitive::<Decimal128Type>();
    assert_eq!((array.precision(), array.scale()), (38, 3));
    assert_eq!(array.iter().collect::<Vec<_>>(), [Some(1000), Some(2500), None, Some(-125)]);
}

#[test]
fn decimals_that_need_two_scales_come_in_two_batches() {
    let large = "9".repeat(38);
    let file = format!("a,b\n{large},1\n0.5,2\n1,3\n2.25,4\n");
    let types = [ColumnType::Decimal(None), ColumnType::Int64];
    let decoded = decode(file.as_bytes(), &types, true);
    assert_eq!(decoded.rejects, []);
    let values: Vec<String> = decoded
        .arrays
        .iter()
        .flat_map(|batch| {
            let array = batch[0].as_primitive::<Decimal128Type>();
            (0..array.len()).map(|row| array.value_as_string(row)).collect::<Vec<_>>()
        })
        .collect();
    let normal: Vec<&str> =
        values.iter().map(|value| value.trim_end_matches('0').trim_end_matches('.')).collect();
    assert_eq!(normal, [large.as_str(), "0.5", "1", "2.25"]);
    let wide = decode(b"a\n1.00000000000000000000000000000000000001\n", &types[..1], true);
    assert!(wide.rejects[0].detail.contains("out of range"));
}

const TYPES: [ColumnType; 5] = [
    ColumnType::Int64,
    ColumnType::Decimal(None),
    ColumnType::Date,
    ColumnType::Timestamp,
    ColumnType::Float64,
];

/// A row of these types, most values in their usual spelling.
fn row() -> impl Strategy<Value = [String; 5]> {
    let integer = prop_oneof![9 => "-?[1-9][0-9]{0,17}", 1 => "[0-9]{0,3}"];
    let decimal = prop_oneof![9 => "-?[1-9][0-9]{0,7}[.][0-9]{1,4}", 1 => "[0-9.]{1,12}"];
    let date = prop_oneof![9 => "[12][0-9]{3}-0[1-9]-[012][1-8]", 1 => "[0-9-]{9,11}"];
    let moment = "19[0-9]{2}-12-1[0-9] 1[0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?";
    let timestamp = prop_oneof![9 => moment, 1 => "[0-9-: ]{15,20}"];
    let double = prop_oneof![9 => "-?[0-9]{1,6}[.][0-9]{1,6}", 1 => "[0-9.e]{1,9}"];
    (integer, decimal, date, timestamp, double).prop_map(|(a, b, c, d, e)| [a, b, c, d, e])
}

fn readers() -> [Reader; 5] {
    TYPES.map(|it| Reader::new(&Target::new(it, true), None).unwrap())
}

fn is_good(row: &[String; 5]) -> bool {
    let [a, b, c, d, e] = readers();
    let [integer, decimal, date, timestamp, double] = row.each_ref().map(|it| it.as_bytes());
    (integer.is_empty() || a.integer::<i64>(integer).is_ok())
        && b.decimal(decimal).is_ok()
        && c.date(date).is_ok()
        && d.timestamp(timestamp).is_ok()
        && e.float::<f64>(double).is_ok()
}

/// Asserts that the columns hold what readers make of each value.
fn hold(arrays: &[ArrayRef], rows: &[&[String; 5]]) {
    let [a, b, c, d, e] = readers();
    let bytes = |column: usize| rows.iter().map(move |row| row[column].as_bytes());
    let decimals: Vec<_> = bytes(1).map(|it| b.decimal(it).unwrap()).collect();
    let scale = decimals.iter().map(|decimal| decimal.scale).max().unwrap() as i8;
    let mantissas = decimals.iter().map(|it| it.at_scale(scale, 38).unwrap());
    let mantissas = Decimal128Array::from_iter_values(mantissas);
    let expected: [ArrayRef; 5] = [
        Arc::new(Int64Array::from_iter(bytes(0).map(|it| a.integer::<i64>(it).ok()))),
        Arc::new(mantissas.with_precision_and_scale(38, scale).unwrap()),
        Arc::new(Date32Array::from_iter(bytes(2).map(|it| c.date(it).ok()))),
        Arc::new(TimestampMicrosecondArray::from_iter(bytes(3).map(|it| d.timestamp(it).ok()))),
        Arc::new(Float64Array::from_iter(bytes(4).map(|it| e.float::<f64>(it).ok()))),
    ];
    assert_eq!(arrays, expected);
}

proptest! {
    #[test]
    fn columns_hold_what_the_reader_makes_of_each_value(
        rows in prop::collection::vec((row(), any::<bool>()), 1..60),
    ) {
        let mut file = String::from("a,b,c,d,e\n");
        for ([a, b, c, d, e], quoted) in &rows {
            let quote = if *quoted { "\"" } else { "" };
            file.push_str(&format!("{a},{quote}{b}{quote},{c},{quote}{d}{quote},{e}\n"));
        }
        let good: Vec<_> = rows.iter().map(|(row, _)| row).filter(|row| is_good(row)).collect();
        let decoded = decode(file.as_bytes(), &TYPES, true);
        prop_assert_eq!(decoded.rejects.len(), rows.len() - good.len());
        if !good.is_empty() {
            hold(&decoded.arrays[0], &good);
        }
    }
}
