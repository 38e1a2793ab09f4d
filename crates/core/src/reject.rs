//! Rows that could not be loaded.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Position};

/// Why a row was rejected, in words that users script against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The row has fewer or more fields than the file has columns.
    FieldCount,
    /// A quote where none may be, or one that is never closed.
    Quote,
    /// A value that does not fit its column's type.
    Type,
    /// Bytes that are not valid in the file's encoding.
    Encoding,
    /// A row longer than `record_bytes_max`.
    TooLong,
    /// The database refused the row.
    Database,
}

impl Reason {
    /// The word in `rejected_rows.reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FieldCount => "field_count",
            Self::Quote => "quote",
            Self::Type => "type",
            Self::Encoding => "encoding",
            Self::TooLong => "too_long",
            Self::Database => "database",
        }
    }
}

/// One row that could not be loaded, with all that is needed to find, mend
/// and replay it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Number of the row in the file, from 1; the header is not a row.
    pub ordinal: u64,
    /// Line of the row's first byte, from 1.
    pub line: Option<u64>,
    /// Offset of the row's first byte, from 0, after decompression.
    pub byte_offset: Option<u64>,
    /// The column's name in the file, where one value is to blame.
    pub column: Option<String>,
    /// Why, as one word.
    pub reason: Reason,
    /// Why, as a sentence that quotes the value.
    pub detail: String,
    /// The row as it stands in the file, without its line end.
    pub raw: Vec<u8>,
}

impl Reject {
    /// The error that this row is under `on_error: fail`.
    pub fn to_error(&self, file: &str) -> Error {
        Error::new(ErrorKind::MalformedFile, self.detail.clone()).at(Position {
            file: file.to_owned(),
            line: self.line,
            byte: self.byte_offset,
            column: self.column.clone(),
        })
    }
}
