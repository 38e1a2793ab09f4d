//! What is read here is what was written, and what the crate would read.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{Field, Schema};
use arrow_select::concat::concat_batches;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};
use proptest::prelude::*;

use super::dictionary::{DICTIONARY_BYTES_MAX, check_dictionary};
use super::*;
use crate::parquet::{footer, produce};
use crate::testing::Ranges;

const MEMORY_BYTES: u64 = 64 << 20;

/// All batches of a file.
fn read(bytes: &[u8]) -> Vec<RecordBatch> {
    let mut input = Ranges::new(bytes);
    let file = footer::read(&mut input, bytes.len() as u64, MEMORY_BYTES).unwrap();
    let columns: Vec<usize> = (0..file.columns.len()).collect();
    let groups = 0..file.metadata.num_row_groups();
    let mut batches = Vec::new();
    let take = |batch: &RecordBatch, _| {
        batches.push(batch.clone());
        Ok(true)
    };
    assert!(produce::batches((&file, groups), &columns, MEMORY_BYTES, &mut input, take).unwrap());
    batches
}

fn written(batch: &RecordBatch, properties: WriterProperties) -> Vec<u8> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

type Row = (Option<String>, Option<i128>);

/// A text, a number and a decimal, of which only the number is for the crate.
fn batch(rows: &[Row], precision: u8) -> RecordBatch {
    let texts: StringArray = rows.iter().map(|(text, _)| text.as_deref()).collect();
    let numbers: Int64Array = rows.iter().map(|(_, value)| value.map(|it| it as i64)).collect();
    let limit = 10_i128.pow(precision.into());
    let decimals: Decimal128Array =
        rows.iter().map(|(_, value)| value.map(|it| it % limit)).collect();
    let decimals = decimals.with_precision_and_scale(precision, 2).unwrap();
    let is_nullable = |array: &dyn arrow_array::Array| array.null_count() > 0;
    let fields = vec![
        Field::new("t", DataType::Utf8, is_nullable(&texts)),
        Field::new("n", DataType::Int64, true),
        Field::new("d", decimals.data_type().clone(), is_nullable(&decimals)),
    ];
    let columns: Vec<ArrayRef> = vec![Arc::new(texts), Arc::new(numbers), Arc::new(decimals)];
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn properties() -> impl Strategy<Value = WriterProperties> {
    (any::<bool>(), any::<bool>(), any::<bool>(), 1_usize..40, 1_usize..300, 1_usize..80).prop_map(
        |(has_dictionary, is_second, is_packed, page_rows, dictionary_bytes, group_rows)| {
            let version = match is_second {
                true => WriterVersion::PARQUET_2_0,
                false => WriterVersion::PARQUET_1_0,
            };
            let compression =
                if is_packed { Compression::SNAPPY } else { Compression::UNCOMPRESSED };
            WriterProperties::builder()
                .set_dictionary_enabled(has_dictionary)
                .set_writer_version(version)
                .set_compression(compression)
                .set_data_page_row_count_limit(page_rows)
                .set_write_batch_size(7)
                .set_dictionary_page_size_limit(dictionary_bytes)
                .set_max_row_group_row_count(Some(group_rows))
                // What follows a dictionary that is full would be deltas.
                .set_encoding(Encoding::PLAIN)
                .build()
        },
    )
}

/// The rows of a file as text, read by two or by the crate alone; nothing where
/// it is refused, or where the crate panics, which ends a file as well.
fn rows_of(bytes: &[u8], by_two: bool) -> Option<Vec<String>> {
    let read = || {
        let mut input = Ranges::new(bytes);
        let file = footer::read(&mut input, bytes.len() as u64, MEMORY_BYTES).ok()?;
        let columns: Vec<usize> = (0..file.columns.len()).collect();
        let groups = 0..file.metadata.num_row_groups();
        let split = produce::Split::of(&file, &columns).ok()?.filter(|_| by_two);
        let mut rows = Vec::new();
        let take = |batch: &RecordBatch, _| {
            rows.extend((0..batch.num_rows()).map(|row| shown(batch, row)));
            Ok(true)
        };
        let place = (&file, groups);
        let ended =
            produce::split_batches(place, &columns, split, MEMORY_BYTES, &mut input, take).ok()?;
        assert!(ended);
        Some(rows)
    };
    catch_unwind(AssertUnwindSafe(read)).ok().flatten()
}

fn shown(batch: &RecordBatch, row: usize) -> String {
    let cells = batch.columns().iter().map(|column| match column.data_type() {
        _ if column.is_null(row) => "NULL".to_owned(),
        DataType::Utf8 => format!("{:?}", column.as_string::<i32>().value(row)),
        DataType::Utf8View => format!("{:?}", column.as_string_view().value(row)),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        _ => column.as_primitive::<Decimal128Type>().value(row).to_string(),
    });
    cells.collect::<Vec<_>>().join(",")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What is read here of a damaged file is what the crate reads of it, or
    /// both refuse it.
    #[test]
    fn damage_is_judged_by_the_crate(
        rows in prop::collection::vec(
            (prop::option::weighted(0.9, "[abcü]{0,4}"), prop::option::weighted(0.9, any::<i128>())),
            1..60,
        ),
        properties in properties(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..4),
    ) {
        let mut bytes = written(&batch(&rows, 20), properties);
        for (at, flip) in damage {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        prop_assert_eq!(rows_of(&bytes, true), rows_of(&bytes, false));
    }
}

proptest! {
    #[test]
    fn columns_are_read_as_they_were_written(
        rows in prop::collection::vec(
            (
                prop::option::weighted(0.9, prop_oneof!["[abc]{1,2}", "[a-zü]{0,60}"]),
                prop::option::weighted(0.9, any::<i128>()),
            ),
            1..120,
        ),
        without_nulls in any::<bool>(),
        precision in 19_u8..=38,
        properties in properties(),
    ) {
        let mut rows: Vec<Row> = rows;
        if without_nulls {
            rows.retain(|(text, value)| text.is_some() && value.is_some());
            rows.push((Some(String::new()), Some(-1)));
        }
        let expected = batch(&rows, precision);
        let batches = read(&written(&expected, properties));
        let schema = batches[0].schema();
        prop_assert_eq!(schema.field(0).data_type(), &DataType::Utf8, "it was read here");
        let read = concat_batches(&schema, &batches).unwrap();
        for column in 0..3 {
            prop_assert_eq!(read.column(column), expected.column(column));
        }
    }
}

#[test]
fn an_entry_of_a_dictionary_is_not_repeated_beyond_measure() {
    let text = "x".repeat(1 << 20);
    let rows: Vec<Row> = vec![(Some(text.clone()), Some(7)); 50];
    let properties = WriterProperties::builder().set_dictionary_page_size_limit(4 << 20).build();
    let batches = read(&written(&batch(&rows, 20), properties));
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 50);
    for batch in batches {
        let texts = batch.column(0).as_string::<i32>();
        assert!(texts.len() == 1 || texts.get_array_memory_size() <= 2 * TEXT_BYTES_MAX);
        assert!(texts.iter().all(|it| it == Some(text.as_str())));
    }
}

#[test]
fn a_dictionary_that_would_take_far_more_than_its_page_is_left_to_the_crate() {
    let most = DICTIONARY_BYTES_MAX / size_of::<i128>();
    assert!(check_dictionary::<i128>(most).is_ok());
    assert!(check_dictionary::<i128>(most + 1).is_err());
    let rows: Vec<Row> = (0..=most).map(|row| (None, Some(row as i128))).collect();
    let properties = WriterProperties::builder().set_dictionary_page_size_limit(64 << 20).build();
    let batches = read(&written(&batch(&rows, 20), properties));
    let read = batches.iter().flat_map(|batch| {
        batch.column(2).as_primitive::<Decimal128Type>().values().iter().copied()
    });
    assert!(read.eq(0..=most as i128));
}

#[test]
fn what_is_not_expected_is_left_to_the_crate() {
    let expected = batch(&[(Some("some".to_owned()), Some(1)), (None, None)], 20);
    let deltas = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::DELTA_BYTE_ARRAY);
    let deltas = deltas.set_column_encoding("n".into(), Encoding::PLAIN).build();
    let batches = read(&written(&expected.project(&[0, 1]).unwrap(), deltas));
    assert_eq!(batches[0].column(0).data_type(), &DataType::Utf8View);
    assert_eq!(batches[0].column(0).as_string_view().value(0), "some");
}

#[test]
fn decimals_have_their_sign_in_the_first_byte() {
    for (bytes, expected) in [
        (&[0x7f][..], 127),
        (&[0xff], -1),
        (&[0x80, 0], -32768),
        (&[0, 0x80, 0], 32768),
        (&[0xff; 16], -1),
        (&i128::MAX.to_be_bytes(), i128::MAX),
    ] {
        assert_eq!(decimal(bytes), expected);
    }
}
