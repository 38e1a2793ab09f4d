//! Tuples written column by column are those written value by value.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
    Float32Array, Float64Array, Int16Array, Int32Array, Int64Array, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use bytes::{BufMut as _, BytesMut};
use decant_core::list::ListElement;
use decant_core::schema::ColumnType;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::super::encode::{put_bytes, put_i64};
use super::super::numeric;
use super::super::type_table::{Encoding, JSONB_VERSION};
use super::*;

/// Writes one value as the documentation of each type says.
fn write_value(column: &ColumnValues<'_>, row: usize, buffer: &mut BytesMut) {
    match column {
        ColumnValues::Bool(array) => put_bytes(buffer, &[u8::from(array.value(row))]).unwrap(),
        ColumnValues::Int16(array) => {
            put_bytes(buffer, &array.value(row).to_be_bytes()).unwrap();
        }
        ColumnValues::Int32(array) => {
            put_bytes(buffer, &array.value(row).to_be_bytes()).unwrap();
        }
        ColumnValues::Int64(array) => put_i64(buffer, array.value(row)),
        ColumnValues::Float32(array) => {
            put_bytes(buffer, &array.value(row).to_be_bytes()).unwrap();
        }
        ColumnValues::Float64(array) => {
            put_bytes(buffer, &array.value(row).to_be_bytes()).unwrap();
        }
        ColumnValues::Decimal(array, scale) => numeric::write(buffer, array.value(row), *scale),
        ColumnValues::Date(array) => {
            buffer.put_i32(4);
            buffer.put_i32(array.value(row) - EPOCH_DAYS);
        }
        ColumnValues::Time(array) => put_i64(buffer, array.value(row)),
        ColumnValues::Timestamp(array) => put_i64(buffer, array.value(row) - EPOCH_MICROSECONDS),
        ColumnValues::Uuid(array) => put_bytes(buffer, array.value(row)).unwrap(),
        ColumnValues::Text(array) => put_bytes(buffer, array.value(row).as_bytes()).unwrap(),
        ColumnValues::Jsonb(array) => {
            let text = array.value(row).as_bytes();
            put_bytes(buffer, &[&[JSONB_VERSION], text].concat()).unwrap();
        }
        ColumnValues::Binary(array) => put_bytes(buffer, array.value(row)).unwrap(),
        ColumnValues::Array(_, encoded) => put_bytes(buffer, encoded.value(row)).unwrap(),
    }
}

fn by_value(columns: &[ColumnValues<'_>], rows: usize) -> Vec<u8> {
    let mut buffer = BytesMut::new();
    for row in 0..rows {
        buffer.put_i16(columns.len() as i16);
        for column in columns {
            if column.array().is_null(row) {
                buffer.put_i32(-1);
            } else {
                write_value(column, row, &mut buffer);
            }
        }
    }
    buffer.to_vec()
}

fn by_column(columns: &[ColumnValues<'_>], rows: usize) -> Vec<u8> {
    let mut writer = TupleWriter::default();
    let mut output = Output::default();
    let mut row = 0;
    while row < rows {
        row += writer.write(columns, row..rows, &mut output).unwrap();
    }
    assert_eq!(row, rows);
    output.written().to_vec()
}

fn check(columns: &[(ColumnType, ArrayRef)], first: usize) {
    let columns: Vec<(Encoding, ArrayRef)> = columns
        .iter()
        .map(|(column_type, array)| {
            let encoding = Encoding {
                column_type: *column_type,
                is_jsonb: *column_type == ColumnType::Json,
                element_oid: 20,
            };
            (encoding, array.slice(first, array.len() - first))
        })
        .collect();
    let rows = columns.first().map_or(0, |(_, array)| array.len());
    let values: Vec<ColumnValues<'_>> = columns
        .iter()
        .map(|(encoding, array)| ColumnValues::new("c", *encoding, array).unwrap())
        .collect();
    assert_eq!(by_column(&values, rows), by_value(&values, rows));
}

#[derive(Clone, Debug)]
struct Row {
    bits: Option<u64>,
    wide: Option<i128>,
    text: Option<String>,
    day: Option<i32>,
}

prop_compose! {
    fn row()(
        bits in option::weighted(0.9, any::<u64>()),
        wide in option::weighted(0.9, (-(10i128.pow(38) - 1)..10i128.pow(38), 0u32..38)
            .prop_map(|(value, shift)| value / 10i128.pow(shift))),
        text in option::weighted(0.9, prop_oneof!["[a-z]{0,12}", "[a-zü]{0,60}"]),
        day in option::weighted(0.9, -700_000i32..2_900_000),
    ) -> Row {
        Row { bits, wide, text, day }
    }
}

/// A column of each type, from the same rows.
fn columns(rows: &[Row], scale: i8) -> Vec<(ColumnType, ArrayRef)> {
    let bits = || rows.iter().map(|row| row.bits);
    let texts = || rows.iter().map(|row| row.text.clone());
    let days = || rows.iter().map(|row| row.day);
    let micros = || days().map(|day| day.map(|day| i64::from(day) * 86_400_000_000 + 7));
    let decimals: Decimal128Array = rows.iter().map(|row| row.wide).collect();
    let lists = || bits().map(|it| it.map(|it| format!("[{},null]", it as i32)));
    let uuids: Vec<Option<[u8; 16]>> =
        rows.iter().map(|row| row.wide.map(|wide| wide.to_be_bytes())).collect();
    let array = |array: Arc<dyn arrow_array::Array>| array;
    vec![
        (
            ColumnType::Bool,
            array(Arc::new(bits().map(|it| it.map(|it| it % 2 == 0)).collect::<BooleanArray>())),
        ),
        (
            ColumnType::Int16,
            array(Arc::new(bits().map(|it| it.map(|it| it as i16)).collect::<Int16Array>())),
        ),
        (
            ColumnType::Int32,
            array(Arc::new(bits().map(|it| it.map(|it| it as i32)).collect::<Int32Array>())),
        ),
        (
            ColumnType::Int64,
            array(Arc::new(bits().map(|it| it.map(|it| it as i64)).collect::<Int64Array>())),
        ),
        (
            ColumnType::Float32,
            array(Arc::new(days().map(|it| it.map(|it| it as f32)).collect::<Float32Array>())),
        ),
        (
            ColumnType::Float64,
            array(Arc::new(days().map(|it| it.map(f64::from)).collect::<Float64Array>())),
        ),
        (
            ColumnType::Decimal(None),
            array(Arc::new(decimals.with_precision_and_scale(38, scale).unwrap())),
        ),
        (ColumnType::Date, array(Arc::new(days().collect::<Date32Array>()))),
        (
            ColumnType::Time,
            array(Arc::new(
                bits()
                    .map(|it| it.map(|it| (it % 86_400) as i64))
                    .collect::<Time64MicrosecondArray>(),
            )),
        ),
        (ColumnType::Timestamp, array(Arc::new(micros().collect::<TimestampMicrosecondArray>()))),
        (
            ColumnType::Uuid,
            array(Arc::new(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids.into_iter(), 16)
                    .unwrap(),
            )),
        ),
        (ColumnType::Text, array(Arc::new(texts().collect::<StringArray>()))),
        (ColumnType::Json, array(Arc::new(texts().collect::<StringArray>()))),
        (
            ColumnType::Binary,
            array(Arc::new(
                rows.iter()
                    .map(|row| row.text.as_ref().map(String::as_bytes))
                    .collect::<BinaryArray>(),
            )),
        ),
        (ColumnType::List(ListElement::Int64), array(Arc::new(lists().collect::<StringArray>()))),
    ]
}

proptest! {
    #[test]
    fn columns_write_what_values_do(
        rows in vec(row(), 1..40),
        scale in 0i8..=38,
        repeats in prop_oneof![Just(1usize), Just(30)],
        first in 0usize..5,
    ) {
        let rows: Vec<Row> = std::iter::repeat_n(rows, repeats).flatten().collect();
        check(&columns(&rows, scale), first.min(rows.len() - 1));
    }

    #[test]
    fn usual_decimals_are_written_as_any_other(values in vec(-200_000i64..2_000_000_000, 1..50), scale in 0i8..=5) {
        let decimals: Decimal128Array = values.iter().map(|value| Some(i128::from(*value))).collect();
        let decimals = decimals.with_precision_and_scale(38, scale).unwrap();
        check(&[(ColumnType::Decimal(None), Arc::new(decimals))], 0);
    }
}

#[test]
fn long_rows_are_written_a_few_at_a_time() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(GROUP_BYTES / 3); 10]));
    let encoding = Encoding { column_type: ColumnType::Text, is_jsonb: false, element_oid: 0 };
    let values = [ColumnValues::new("c", encoding, &texts).unwrap()];
    let mut output = Output::default();
    assert_eq!(TupleWriter::default().write(&values, 0..10, &mut output).unwrap(), 2);
    assert_eq!(by_column(&values, 10), by_value(&values, 10));
    let huge: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(GROUP_BYTES * 3); 2]));
    let values = [ColumnValues::new("c", encoding, &huge).unwrap()];
    assert_eq!(by_column(&values, 2), by_value(&values, 2));
}
