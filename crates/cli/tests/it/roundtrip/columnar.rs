//! Tables as Parquet, with row groups and pages of several sizes.

use std::sync::Arc;

use arrow_array::types::Decimal128Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Int64Array, PrimitiveArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};

use super::Written;
use super::random::Random;
use super::table::{Kind, Table, Value};

pub(super) fn parquet(random: &mut Random, table: &Table) -> Written {
    let columns = table.names.iter().enumerate().map(|(column, name)| (name, array(table, column)));
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let compressions = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ];
    let version = random.one_of(&[WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0]);
    let properties = WriterProperties::builder()
        .set_compression(random.one_of(&compressions))
        .set_writer_version(version)
        .set_dictionary_enabled(random.once_in(2))
        .set_max_row_group_row_count(Some(1 + random.below(50) as usize))
        .set_data_page_row_count_limit(1 + random.below(20) as usize)
        .set_write_batch_size(4)
        .build();
    let how = format!("Parquet, {properties:?}");
    let mut writer =
        ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("the rows");
    let bytes = writer.into_inner().expect("the file");
    Written { name: "data.parquet".into(), bytes, format: "type: parquet".into(), how }
}

fn array(table: &Table, column: usize) -> ArrayRef {
    let values = table.rows.iter().map(|row| &row[column]);
    match table.kinds[column] {
        Kind::Integer => Arc::new(Int64Array::from_iter(values.map(|value| match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        }))),
        Kind::Decimal => {
            let hundredths = values.map(|value| match value {
                Value::Decimal(hundredths) => Some(i128::from(*hundredths)),
                _ => None,
            });
            let array = PrimitiveArray::<Decimal128Type>::from_iter(hundredths);
            Arc::new(array.with_precision_and_scale(18, 2).expect("a decimal"))
        }
        Kind::Bool => Arc::new(BooleanArray::from_iter(values.map(|value| match value {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }))),
        Kind::Date => Arc::new(Date32Array::from_iter(values.map(|value| match value {
            Value::Date(days) => Some(*days),
            _ => None,
        }))),
        Kind::Timestamp => {
            Arc::new(TimestampMicrosecondArray::from_iter(values.map(|value| match value {
                Value::Timestamp(seconds) => Some(seconds * 1_000_000),
                _ => None,
            })))
        }
        Kind::Text => Arc::new(StringArray::from_iter(values.map(Value::text))),
    }
}
