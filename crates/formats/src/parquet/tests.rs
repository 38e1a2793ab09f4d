//! Parquet files as written by the crate itself: whole, and read in parts.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, TimestampNanosecondBuilder};
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{
    Array as _, ArrayRef, Decimal128Array, DictionaryArray, Int64Array, ListArray, RecordBatch,
    StringArray, TimestampNanosecondArray,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::Field;
use decant_core::format::Target;
use decant_core::list::ListElement;
use decant_core::schema::ColumnType;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;

use super::*;
use crate::testing::{Collected, Ranges, pieces_of};

mod corpus;
mod hostile;

fn load_with(bytes: &[u8], options: &FormatOptions) -> Result<Collected> {
    let format = ParquetFormat::new(options);
    let mut collected = Collected::default();
    collected.know(&format.sample(&mut Ranges::new(bytes), SampleLimits::default())?);
    let mut input = Ranges::new(bytes);
    let piece = Piece::whole(bytes.len() as u64);
    format.decode(&piece, &mut input, &mut collected).map(|()| collected)
}

fn load(bytes: &[u8]) -> Result<Collected> {
    load_with(bytes, &FormatOptions::default())
}

fn write(batch: &RecordBatch, properties: WriterProperties) -> Vec<u8> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn an_empty_object_has_no_columns_and_other_bytes_are_no_parquet() {
    assert_eq!(load(b"").unwrap().names, [""; 0]);
    for bytes in [&b"PAR1"[..], b"a,b\n1,2\n1,2\n", b"PAR1\xff\xff\xff\xffPAR1"] {
        assert_eq!(load(bytes).err().unwrap().kind(), ErrorKind::MalformedFile);
    }
}

#[test]
fn row_groups_are_pieces_that_together_are_the_file() {
    let numbers = Arc::new(Int64Array::from_iter_values(0..1_000)) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(100)).build();
    let bytes = write(&batch, properties);
    let whole = load(&bytes).unwrap();
    let format = ParquetFormat::new(&FormatOptions::default());
    for (piece_bytes, expected) in [(1, 10), (bytes.len() as u64 / 2, 2), (1 << 30, 1)] {
        let pieces = pieces_of(&format, &bytes, piece_bytes);
        assert_eq!(pieces.len(), expected, "{pieces:?}");
        let mut rows = Vec::new();
        for piece in &pieces {
            assert_eq!(piece.rows_before, rows.len() as u64);
            let mut one = Collected::default();
            one.know(&format.sample(&mut Ranges::new(&bytes), SampleLimits::default()).unwrap());
            format.decode(piece, &mut Ranges::new(&bytes), &mut one).unwrap();
            rows.extend(one.rows);
        }
        assert_eq!(rows, whole.rows, "{pieces:?}");
    }
}

#[test]
fn values_finer_than_a_microsecond_make_a_column_text() {
    let column = |values: Vec<i64>| {
        let array = Arc::new(TimestampNanosecondArray::from(values)) as ArrayRef;
        let batch = RecordBatch::try_from_iter([("at", array)]).unwrap();
        load(&write(&batch, WriterProperties::default())).unwrap()
    };
    assert_eq!(column(vec![1_000, -1_000]).types(), "at timestamp");
    let fine = column(vec![1_000, 1_001]);
    assert_eq!(fine.types(), "at text");
    assert_eq!(fine.rows[1], r#"{"at":"1970-01-01T00:00:00.000001001"}"#);
}

#[test]
fn values_that_do_not_fit_a_given_type_are_rejects_with_their_row() {
    let array = Arc::new(Int64Array::from(vec![1, 70_000, 3])) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("n", array)]).unwrap();
    let bytes = write(&batch, WriterProperties::default());
    let target = Target::new(ColumnType::Int16, false);
    let mut collected = Collected { targets: Some(vec![Some(target)]), ..Collected::default() };
    let format = ParquetFormat::new(&FormatOptions::default());
    format
        .decode(&Piece::whole(bytes.len() as u64), &mut Ranges::new(&bytes), &mut collected)
        .unwrap();
    assert_eq!(collected.rows, [r#"{"n":1}"#, r#"{"n":3}"#]);
    let reject = &collected.rejects[0];
    assert_eq!((reject.ordinal, reject.column.as_deref()), (2, Some("n")));
    assert_eq!(reject.detail, "`70000` is out of range (int16)");
    assert_eq!(reject.raw, br#"{"n":70000}"#);
}

/// Lists of moments: of the microsecond, and the nanosecond after it.
fn moments(finest: i64) -> ListArray {
    let mut lists = ListBuilder::new(TimestampNanosecondBuilder::new());
    lists.append_value([Some(1_000), None, Some(finest)]);
    lists.append_null();
    lists.append_value([]);
    lists.finish()
}

#[test]
fn lists_of_scalars_are_lists_and_all_others_are_json() {
    let list = |value| vec![Some(vec![Some(value), None]), None, Some(vec![])];
    let numbers = ListArray::from_iter_primitive::<Float64Type, _, _>(list(0.5));
    let nested = OffsetBuffer::from_lengths([1, 1, 1]);
    let field = Arc::new(Field::new_list_field(numbers.data_type().clone(), true));
    let nested = ListArray::new(field, nested, Arc::new(numbers.clone()), None);
    let batch = RecordBatch::try_from_iter([
        ("numbers", Arc::new(numbers) as ArrayRef),
        ("moments", Arc::new(moments(2_000))),
        ("fine", Arc::new(moments(1_001))),
        ("nested", Arc::new(nested)),
    ]);
    let loaded = load(&write(&batch.unwrap(), WriterProperties::default())).unwrap();
    assert_eq!(loaded.types(), "numbers float64[], moments timestamp[], fine json, nested json");
    let first = r#"{"numbers":"[0.5,null]","moments":"[\"1970-01-01T00:00:00.000001\",null,\"1970-01-01T00:00:00.000002\"]","fine":"[\"1970-01-01T00:00:00.000001\",null,\"1970-01-01T00:00:00.000001001\"]","nested":"[[0.5,null]]"}"#;
    assert_eq!(loaded.rows[0], first);
    assert_eq!(
        loaded.rows[1..],
        [
            r#"{"numbers":null,"moments":null,"fine":null,"nested":"[null]"}"#,
            r#"{"numbers":"[]","moments":"[]","fine":"[]","nested":"[[]]"}"#,
        ]
    );
}

#[test]
fn an_element_that_does_not_fit_a_given_type_rejects_its_row() {
    let numbers = ListArray::from_iter_primitive::<Int64Type, _, _>([
        Some(vec![Some(1)]),
        Some(vec![Some(2), Some(70_000)]),
    ]);
    let batch = RecordBatch::try_from_iter([("n", Arc::new(numbers) as ArrayRef)]).unwrap();
    let bytes = write(&batch, WriterProperties::default());
    let list = ColumnType::List(ListElement::Int16);
    let targets = Some(vec![Some(Target::new(list, false))]);
    let mut collected = Collected { targets, ..Collected::default() };
    let format = ParquetFormat::new(&FormatOptions::default());
    format
        .decode(&Piece::whole(bytes.len() as u64), &mut Ranges::new(&bytes), &mut collected)
        .unwrap();
    assert_eq!(collected.rows, [r#"{"n":"[1]"}"#]);
    let reject = &collected.rejects[0];
    assert_eq!((reject.ordinal, reject.column.as_deref()), (2, Some("n")));
    assert_eq!(reject.detail, "`70000` is out of range (int16) in `[2,70000]`");
    assert_eq!(reject.raw, br#"{"n":[2,70000]}"#);
}

#[test]
fn a_few_large_values_among_many_small_ones_stay_within_memory() {
    let large = "x".repeat(1 << 20);
    let values: Vec<&str> =
        (0..3_000).map(|row| if row < 60 { large.as_str() } else { "small" }).collect();
    let batch =
        RecordBatch::try_from_iter([("text", Arc::new(StringArray::from(values)) as ArrayRef)]);
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_data_page_size_limit(1 << 20)
        .set_write_batch_size(1)
        .build();
    let bytes = write(&batch.unwrap(), properties);
    let options = FormatOptions { memory_bytes: Some(16 << 20), ..FormatOptions::default() };
    let loaded = load_with(&bytes, &options).unwrap();
    assert_eq!(loaded.rows.len(), 3_000);
    assert!(loaded.rows[59].len() > 1 << 20 && loaded.rows[60].len() < 100);

    let options = FormatOptions { memory_bytes: Some(1 << 20), ..FormatOptions::default() };
    let error = load_with(&bytes, &options).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.hint().unwrap().contains("memory_bytes"));
}

#[test]
fn a_dictionary_of_large_values_is_not_repeated_in_memory() {
    let large = "y".repeat(1 << 20);
    let values: DictionaryArray<Int32Type> = (0..40).map(|_| Some(large.as_str())).collect();
    let batch = RecordBatch::try_from_iter([("text", Arc::new(values) as ArrayRef)]).unwrap();
    let bytes = write(&batch, WriterProperties::default());
    let options = FormatOptions { memory_bytes: Some(8 << 20), ..FormatOptions::default() };
    assert_eq!(load_with(&bytes, &options).unwrap().rows.len(), 40);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_table_that_was_written_is_read_as_it_was(
        rows in prop::collection::vec(
            (any::<Option<i64>>(), prop::option::of(".{0,12}"), -999_999_i128..999_999),
            1..400,
        ),
        group_rows in 1_usize..200,
        page_rows in 1_usize..100,
        dictionary: bool,
        version_2: bool,
        codec in 0..4,
    ) {
        let decimals = rows.iter().map(|row| row.2).collect::<Decimal128Array>();
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("n", Arc::new(rows.iter().map(|r| r.0).collect::<Int64Array>()) as ArrayRef, true),
            ("text", Arc::new(rows.iter().map(|r| r.1.clone()).collect::<StringArray>()), true),
            ("amount", Arc::new(decimals.with_precision_and_scale(12, 2).unwrap()), false),
        ]).unwrap();
        let version = if version_2 {
            parquet::file::properties::WriterVersion::PARQUET_2_0
        } else {
            parquet::file::properties::WriterVersion::PARQUET_1_0
        };
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(group_rows))
            .set_data_page_row_count_limit(page_rows)
            .set_write_batch_size(page_rows)
            .set_dictionary_enabled(dictionary)
            .set_writer_version(version)
            .set_compression(match codec {
                0 => Compression::UNCOMPRESSED,
                1 => Compression::SNAPPY,
                2 => Compression::LZ4_RAW,
                _ => Compression::ZSTD(ZstdLevel::default()),
            })
            .build();
        let loaded = load(&write(&batch, properties)).unwrap();
        let expected: Vec<String> = rows.iter().map(|(n, text, amount)| {
            let n = n.map_or("null".to_owned(), |n| n.to_string());
            let text = text.as_ref().map_or(serde_json::Value::Null, |text| text.as_str().into());
            let sign = if *amount < 0 { "-" } else { "" };
            let (whole, cents) = (amount.abs() / 100, amount.abs() % 100);
            format!(r#"{{"n":{n},"text":{text},"amount":{sign}{whole}.{cents:02}}}"#)
        }).collect();
        let plain = |rows: &[String]| -> Vec<serde_json::Value> {
            rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
        };
        prop_assert_eq!(plain(&loaded.rows), plain(&expected));
        prop_assert_eq!(loaded.types(), "n int64, text text, amount decimal(12,2)");
    }
}
