//! The rows of `lineitem` as columns of Parquet, with the types that a data
//! engineer would give them.

use std::io::{self, Write};
use std::sync::Arc;

use crate::lineitem::{COLUMNS, Row, Rows};
use arrow_array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

const BATCH_ROWS: u64 = 100_000;
const ROW_GROUP_ROWS: usize = 500_000;
const PRICE: (u8, i8) = (15, 2);

#[derive(Default)]
struct Columns {
    keys: [Vec<i64>; 4],
    amounts: [Vec<i128>; 4],
    flags: [Vec<&'static str>; 2],
    days: [Vec<i32>; 3],
    shipping: [Vec<&'static str>; 2],
    comments: Vec<String>,
}

/// Writes the first `rows` rows as one Parquet file, compressed by Snappy.
///
/// # Errors
///
/// What writing to `file` fails with.
pub fn write(rows: u64, file: &mut (dyn Write + Send)) -> io::Result<()> {
    let schema = Arc::new(schema());
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))?;
    let mut source = Rows::default();
    let mut left = rows;
    while left > 0 {
        let mut columns = Columns::default();
        for _ in 0..left.min(BATCH_ROWS) {
            columns.push(&source.next_row())?;
        }
        left -= left.min(BATCH_ROWS);
        let arrays = columns.arrays().map_err(io::Error::other)?;
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(io::Error::other)?;
        writer.write(&batch)?;
    }
    writer.close()?;
    Ok(())
}

fn schema() -> Schema {
    let price = DataType::Decimal128(PRICE.0, PRICE.1);
    let types = std::iter::repeat_n(DataType::Int64, 4)
        .chain(std::iter::repeat_n(price, 4))
        .chain(std::iter::repeat_n(DataType::Utf8, 2))
        .chain(std::iter::repeat_n(DataType::Date32, 3))
        .chain(std::iter::repeat_n(DataType::Utf8, 3));
    let fields = COLUMNS.iter().zip(types).map(|(name, kind)| Field::new(*name, kind, true));
    Schema::new(fields.collect::<Vec<_>>())
}

impl Columns {
    fn push(&mut self, row: &Row<'_>) -> io::Result<()> {
        for (column, key) in self.keys.iter_mut().zip(row.keys) {
            column.push(i64::try_from(key).map_err(io::Error::other)?);
        }
        for (column, amount) in self.amounts.iter_mut().zip(row.amounts) {
            column.push(i128::from(amount));
        }
        for (column, day) in self.days.iter_mut().zip(row.days) {
            column.push(i32::try_from(day).map_err(io::Error::other)?);
        }
        for (column, word) in self.flags.iter_mut().zip(row.flags) {
            column.push(word);
        }
        for (column, word) in self.shipping.iter_mut().zip(row.shipping) {
            column.push(word);
        }
        self.comments.push(row.comment.to_owned());
        Ok(())
    }

    fn arrays(self) -> Result<Vec<ArrayRef>, arrow_schema::ArrowError> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(COLUMNS.len());
        for keys in self.keys {
            arrays.push(Arc::new(Int64Array::from(keys)));
        }
        for amounts in self.amounts {
            let amounts = Decimal128Array::from(amounts);
            arrays.push(Arc::new(amounts.with_precision_and_scale(PRICE.0, PRICE.1)?));
        }
        for words in self.flags {
            arrays.push(Arc::new(StringArray::from(words)));
        }
        for days in self.days {
            arrays.push(Arc::new(Date32Array::from(days)));
        }
        for words in self.shipping {
            arrays.push(Arc::new(StringArray::from(words)));
        }
        arrays.push(Arc::new(StringArray::from(self.comments)));
        Ok(arrays)
    }
}
