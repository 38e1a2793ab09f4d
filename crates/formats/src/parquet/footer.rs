//! The file's metadata, read from its end and checked against its size before
//! anything believes it.

use std::ops::Range;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, TimeUnit};
use bytes::Bytes;
use decant_core::format::{Input, Piece};
use decant_core::{Error, ErrorKind, Result};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::basic::{ConvertedType, LogicalType, Type as PhysicalType};
use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader,
    ParquetStatisticsPolicy,
};
use parquet::schema::types::Type;

use super::compact::{Compact, Flaw, Parsed, Wire};
use super::{MAGIC, essentials};
use crate::arrow::source::{Meaning, SourceColumns};

/// A footer's length and the magic bytes behind it.
const TAIL_BYTES: u64 = 8;
/// What is fetched of a file's end at first.
const END_BYTES: u64 = 64 << 10;
/// Levels of a schema.
const SCHEMA_DEPTH_MAX: usize = 64;
const ENCRYPTED_MAGIC: &[u8] = b"PARE";

/// A file whose metadata is known.
pub(super) struct ParquetFile {
    /// The file's size.
    pub(super) bytes: u64,
    pub(super) metadata: Arc<ParquetMetaData>,
    /// The Arrow types as which columns are read.
    pub(super) fields: Fields,
    pub(super) columns: SourceColumns,
}

impl ParquetFile {
    /// Where each row group begins; `None` where they do not ascend.
    pub(super) fn row_group_starts(&self) -> Option<Vec<u64>> {
        let groups = self.metadata.row_groups().iter();
        let starts: Vec<u64> = groups
            .map(|group| {
                let starts = group.columns().iter().map(chunk_start);
                starts.min().unwrap_or_default()
            })
            .collect();
        starts.is_sorted_by(|one, next| one < next).then_some(starts)
    }

    /// The row groups that begin in a piece; what stands before the first is
    /// of the first piece.
    pub(super) fn row_groups_of(&self, piece: &Piece) -> Range<usize> {
        let starts = self.row_group_starts().unwrap_or_default();
        let before = |byte| starts.partition_point(|start| *start < byte);
        let first = if piece.is_later() { before(piece.bytes.start) } else { 0 };
        first..before(piece.bytes.end)
    }
}

fn chunk_start(column: &ColumnChunkMetaData) -> u64 {
    chunk(column, u64::MAX).map_or(0, |chunk| chunk.start)
}

/// Reads the metadata of a file of `size` bytes; a footer may take half of
/// `memory_bytes`.
pub(super) fn read(input: &mut dyn Input, size: u64, memory_bytes: u64) -> Result<ParquetFile> {
    let footer = footer(input, size, memory_bytes / 2)?;
    check(&footer)?;
    let footer = essentials::of(&footer).map_err(|_| damaged("its footer"))?;
    let options = ParquetMetaDataOptions::new()
        .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll);
    let metadata = ParquetMetaDataReader::decode_metadata_with_options(&footer, Some(&options));
    let metadata = metadata.map_err(|error| damaged("its footer").caused_by(error))?;
    for (row_group, metadata) in metadata.row_groups().iter().enumerate() {
        if metadata.num_rows() < 0 {
            return Err(damaged(&format!("the number of rows of row group {}", row_group + 1)));
        }
        for column in metadata.columns() {
            chunk(column, size)?;
        }
    }
    described(metadata, size)
}

fn footer(input: &mut dyn Input, size: u64, bytes_max: u64) -> Result<Bytes> {
    if size < TAIL_BYTES + MAGIC.len() as u64 {
        return Err(not_parquet());
    }
    let start = size.saturating_sub(END_BYTES);
    let end = input.range(start..size)?;
    let Some((rest, tail)) = end.split_last_chunk::<{ TAIL_BYTES as usize }>() else {
        return Err(not_parquet());
    };
    let [b0, b1, b2, b3, magic @ ..] = tail;
    if magic == ENCRYPTED_MAGIC {
        return Err(encrypted());
    }
    if magic != MAGIC {
        return Err(not_parquet());
    }
    let length = u64::from(u32::from_le_bytes([*b0, *b1, *b2, *b3]));
    if length > size - TAIL_BYTES - MAGIC.len() as u64 {
        return Err(damaged("its footer's length"));
    }
    if length > bytes_max {
        let message = format!("the file's footer of {length} bytes is beyond its memory bound");
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with_hint("allow more with the format's `memory_bytes`"));
    }
    match rest.len().checked_sub(length as usize) {
        Some(before) => Ok(end.slice(before..rest.len())),
        None => input.range(size - TAIL_BYTES - length..size - TAIL_BYTES),
    }
}

/// Walks the footer without building anything: its containers hold what they
/// say, and its schema is a tree of some levels.
fn check(footer: &[u8]) -> Result<()> {
    let mut encryption = false;
    let walked = Compact::new(footer).structure(|compact, id, wire| match (id, wire) {
        (2, Wire::List) => check_schema(compact).map(|()| true),
        (8, _) => {
            encryption = true;
            Ok(false)
        }
        _ => Ok(false),
    });
    match walked {
        Ok(()) if encryption => Err(encrypted()),
        Ok(()) => Ok(()),
        Err(Flaw::Short | Flaw::Broken) => Err(damaged("its footer")),
    }
}

fn check_schema(compact: &mut Compact<'_>) -> Parsed<()> {
    let (element, count) = compact.list()?;
    if element != Wire::Struct || count == 0 {
        return Err(Flaw::Broken);
    }
    // Children that are still to come, by level.
    let mut open: Vec<i64> = Vec::new();
    for nth in 0..count {
        let mut children = 0;
        compact.structure(|compact, id, wire| match (id, wire) {
            (5, Wire::Integer) => {
                children = compact.integer()?;
                Ok(true)
            }
            _ => Ok(false),
        })?;
        while open.last() == Some(&0) {
            open.pop();
        }
        match open.last_mut() {
            Some(left) => *left -= 1,
            None if nth > 0 => return Err(Flaw::Broken),
            None => {}
        }
        if children < 0 || children > count as i64 {
            return Err(Flaw::Broken);
        }
        if children > 0 {
            open.push(children);
        }
        if open.len() > SCHEMA_DEPTH_MAX {
            return Err(Flaw::Broken);
        }
    }
    if open.iter().any(|left| *left > 0) { Err(Flaw::Broken) } else { Ok(()) }
}

/// Where a column's chunk begins and ends in the file.
pub(super) fn chunk(column: &ColumnChunkMetaData, file_bytes: u64) -> Result<std::ops::Range<u64>> {
    let data = column.data_page_offset();
    // Some writers say 0 where there is no dictionary.
    let dictionary = column.dictionary_page_offset().filter(|offset| (4..data).contains(offset));
    let start = u64::try_from(dictionary.unwrap_or(data));
    let bytes = u64::try_from(column.compressed_size());
    let range = start.ok().zip(bytes.ok()).and_then(|(start, bytes)| {
        start.checked_add(bytes).filter(|end| *end <= file_bytes).map(|end| start..end)
    });
    let is_sound = column.num_values() >= 0 && column.uncompressed_size() >= 0;
    range
        .filter(|_| is_sound)
        .ok_or_else(|| damaged(&format!("the place of column `{}`", column.column_path().string())))
}

fn described(metadata: ParquetMetaData, bytes: u64) -> Result<ParquetFile> {
    let schema = metadata.file_metadata().schema_descr();
    let fields = parquet_to_arrow_schema(schema, None)
        .map_err(|error| damaged("its schema").caused_by(error))?;
    let roots = schema.root_schema().get_fields();
    if roots.len() != fields.fields().len() {
        return Err(damaged("its schema"));
    }
    let typed = fields.fields().iter().zip(roots);
    let fields: Fields = typed.map(|(field, root)| read_as(field, has_int96(root))).collect();
    let meanings: Vec<Meaning> = roots.iter().map(|root| meaning(root)).collect();
    let columns = SourceColumns::with_meanings(&fields, meanings)?;
    Ok(ParquetFile { bytes, metadata: Arc::new(metadata), fields, columns })
}

fn meaning(root: &Type) -> Meaning {
    let info = root.get_basic_info();
    match (info.logical_type_ref(), info.converted_type()) {
        _ if !root.is_primitive() => Meaning::Plain,
        (Some(LogicalType::Uuid), _) => Meaning::Uuid,
        (Some(LogicalType::Json), _) | (_, ConvertedType::JSON) => Meaning::Json,
        _ => Meaning::Plain,
    }
}

fn has_int96(root: &Type) -> bool {
    match root {
        Type::PrimitiveType { physical_type, .. } => *physical_type == PhysicalType::INT96,
        Type::GroupType { fields, .. } => fields.iter().any(|field| has_int96(field)),
    }
}

/// The Arrow type as which a field is read: text and bytes as views into
/// their pages, so that a dictionary's entries are not repeated; INT96 in
/// microseconds, in which it does not overflow.
fn read_as(field: &FieldRef, int96: bool) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Utf8 => DataType::Utf8View,
        DataType::Binary => DataType::BinaryView,
        DataType::Timestamp(TimeUnit::Nanosecond, None) if int96 => {
            DataType::Timestamp(TimeUnit::Microsecond, None)
        }
        DataType::List(element) => DataType::List(read_as(element, int96)),
        DataType::Map(entries, sorted) => DataType::Map(read_as(entries, int96), *sorted),
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|field| read_as(field, int96)).collect())
        }
        other => other.clone(),
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}

/// A file that contradicts itself.
pub(super) fn damaged(what: &str) -> Error {
    Error::new(
        ErrorKind::MalformedFile,
        format!("the Parquet file is damaged: {what} is not right"),
    )
}

fn not_parquet() -> Error {
    let message = "this is not a Parquet file: it does not end in `PAR1`";
    Error::new(ErrorKind::MalformedFile, message)
        .with_hint("was the file cut off, or is it of another format?")
}

fn encrypted() -> Error {
    let message = "the Parquet file is encrypted, which decant cannot read";
    Error::new(ErrorKind::Unsupported, message).with_hint("write it again without encryption")
}
