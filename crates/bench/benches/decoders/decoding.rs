//! One decoding of a file that lies in memory.

use std::ops::Range;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use decant_bench::lineitem;
use decant_core::format::{DecodedBatch, FileColumns, Input, Piece, Receiver, Target, Wishes};
use decant_core::schema::ColumnType;
use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Result};

const CHUNK_BYTES: usize = 256 << 10;

/// A file's bytes, delivered as the network would.
struct Memory {
    file: Bytes,
    rest: Bytes,
}

impl Input for Memory {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let count = CHUNK_BYTES.min(self.rest.len());
        Ok((count > 0).then(|| self.rest.split_to(count)))
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        let (start, end) = (range.start as usize, range.end as usize);
        match start <= end && end <= self.file.len() {
            true => Ok(self.file.slice(start..end)),
            false => Err(Error::new(ErrorKind::Internal, "the file has no such range")),
        }
    }

    fn size(&self) -> Option<u64> {
        Some(self.file.len() as u64)
    }
}

/// Counts what is decoded into columns of these types.
struct Counter<'t> {
    types: &'t [ColumnType],
    rows: u64,
    rejects: usize,
}

impl Receiver for Counter<'_> {
    fn columns(&mut self, columns: &FileColumns) -> Result<Wishes> {
        assert_eq!(columns.names.len(), self.types.len());
        let targets = self.types.iter().map(|it| Some(Target::new(*it, true))).collect();
        Ok(Wishes { targets, ..Wishes::default() })
    }

    fn batch(&mut self, batch: DecodedBatch) -> Result<()> {
        self.rows += batch.batch.num_rows() as u64;
        self.rejects += batch.rejects.len();
        Ok(())
    }
}

/// Decodes `file`, which is named `name`; answers rows and rejects.
pub(crate) fn decode(name: &str, file: &Bytes, types: &[ColumnType]) -> (u64, usize) {
    let format = decant_formats::for_file(name, &FormatOptions::default()).expect("a format");
    let mut input = Memory { file: file.clone(), rest: file.clone() };
    let mut counter = Counter { types, rows: 0, rejects: 0 };
    let piece = Piece::whole(file.len() as u64);
    format.decode(&piece, &mut input, &mut counter).expect("a good file");
    (counter.rows, counter.rejects)
}

/// The types that inference finds for lineitem's columns.
pub(crate) fn lineitem_types() -> Vec<ColumnType> {
    let mut types = vec![ColumnType::Int64; 4];
    types.extend([ColumnType::Decimal(None); 4]);
    types.extend([ColumnType::Text; 2]);
    types.extend([ColumnType::Date; 3]);
    types.extend([ColumnType::Text; 3]);
    types
}

/// The same for Arrow's own readers, with decimals of two digits behind the
/// point.
pub(crate) fn lineitem_schema() -> SchemaRef {
    schema(&lineitem::COLUMNS, &lineitem_types())
}

/// A schema of these columns for Arrow's own readers.
pub(crate) fn schema(names: &[&str], types: &[ColumnType]) -> SchemaRef {
    let arrow_type = |column_type: &ColumnType| match column_type {
        ColumnType::Int64 => DataType::Int64,
        ColumnType::Decimal(_) => DataType::Decimal128(15, 2),
        ColumnType::Date => DataType::Date32,
        _ => DataType::Utf8,
    };
    let fields = names.iter().zip(types);
    let fields = fields.map(|(name, held)| Field::new(*name, arrow_type(held), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
