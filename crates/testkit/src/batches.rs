//! Builders with sensible defaults: file versions, plans, batches, rejects.
//!
//! Values are written and compared as canonical text, one spelling a value:
//!
//! | type | canonical text |
//! |---|---|
//! | bool | `true`, `false` |
//! | integers, decimals | digits with a sign and a point; no exponent |
//! | floats | what Rust's `{:?}` prints: `1.5`, `-0.0`, `1e300`, `NaN`, `inf` |
//! | date | `2024-01-31` |
//! | time | `10:00:00.123456`, without the zeros at the end of a fraction |
//! | timestamps | `2024-01-31 10:00:00.123456`, likewise; in UTC |
//! | uuid | 36 characters in lower case |
//! | text, json | itself |
//! | binary | lower-case hexadecimal digits |

mod parse;
mod render;
mod wider;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema};
use chrono::{DateTime, TimeDelta, Utc};
use decant_core::destination::{FileTotals, LoadFile, LoadMode, LoadPlan, TableState};
use decant_core::file::{FileId, FileVersion};
use decant_core::reject::{Reason, Reject};
use decant_core::schema::{Column, ColumnType, FILE_ID_COLUMN, TableName};

pub use parse::column;
pub use render::{render, render_row};
pub use wider::wider;

/// A file of 100 bytes at `key` in the bucket `bucket` of `aws`.
pub fn file(key: &str) -> FileVersion {
    version(key, "etag-1")
}

/// The same with an ETag of one's choice: another content under the key.
pub fn version(key: &str, etag: &str) -> FileVersion {
    FileVersion {
        source: "aws".into(),
        bucket: "bucket".into(),
        key: key.into(),
        member: String::new(),
        etag: etag.into(),
        size: 100,
        version_id: None,
        last_modified: moment(0),
    }
}

/// A moment in 2024, so many seconds (and as many microseconds) behind its
/// beginning.
pub fn moment(seconds: i64) -> DateTime<Utc> {
    let start = DateTime::from_timestamp(1_704_067_200, 0).expect("2024 is in range");
    start + TimeDelta::seconds(seconds) + TimeDelta::microseconds(seconds)
}

/// `file` as a part of a load into `table` (the qualified name), with its id,
/// displacing nothing.
pub fn load_file(table: &TableName, file: FileVersion) -> LoadFile {
    LoadFile {
        id: FileId::of(&table.to_string(), &file),
        file,
        stream: "stream".into(),
        displaces: Vec::new(),
        only_version: true,
        again: false,
        chunk: None,
    }
}

/// A plan that appends `files` to a table that exists.
pub fn plan(table: &TableState, files: Vec<LoadFile>) -> LoadPlan {
    LoadPlan {
        load_id: "load-1".into(),
        run_id: "run-1".into(),
        table: table.name.clone(),
        schema: table.schema.clone().expect("a plan is made for a table that exists"),
        mode: LoadMode::Append,
        files,
    }
}

/// What the engine would have counted of a file without rejects.
pub fn totals(id: FileId, rows_loaded: u64) -> FileTotals {
    FileTotals {
        id,
        rows_read: rows_loaded,
        rows_loaded,
        rows_rejected: 0,
        rows_checksum: 42,
        processing_seconds: 0.25,
        repairs_kept: 0,
        layout: None,
        settles: Vec::new(),
    }
}

/// Nullable columns of these names and types.
pub fn columns(columns: &[(&str, ColumnType)]) -> Vec<Column> {
    columns.iter().map(|(name, column_type)| Column::new(*name, *column_type)).collect()
}

/// The column that says which file a row came from.
pub fn file_id_column() -> Column {
    Column::new(FILE_ID_COLUMN, ColumnType::Int64)
}

/// A batch from canonical text, row by row.
pub fn batch(columns: &[(&str, ColumnType)], rows: &[&[Option<&str>]]) -> RecordBatch {
    let arrays = columns.iter().enumerate().map(|(position, (name, column_type))| {
        let values: Vec<Option<&str>> = rows.iter().map(|row| row[position]).collect();
        (*name, column(*column_type, &values))
    });
    batch_of(arrays.collect(), rows.len())
}

/// A batch from named arrays of `rows` values each.
pub fn batch_of(columns: Vec<(&str, ArrayRef)>, rows: usize) -> RecordBatch {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .expect("columns of one length")
}

/// A reject of a row, with every field filled.
pub fn reject(ordinal: u64) -> Reject {
    Reject {
        ordinal,
        line: Some(ordinal + 1),
        byte_offset: Some(ordinal * 10),
        column: Some("amount".into()),
        reason: Reason::Type,
        detail: format!("`12,5{ordinal}` is not a number"),
        raw: format!("a,12,5{ordinal}").into_bytes(),
    }
}
