//! Rows that could not be loaded.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Position};

/// Why a row was rejected, in words that users script against.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The row has fewer or more fields than the file has columns.
    FieldCount,
    /// A quote where none may be, or one that is never closed.
    Quote,
    /// The row breaks the rules of its format (JSON, XML).
    Syntax,
    /// A value that does not fit its column's type.
    Type,
    /// A value in a column that the table does not have.
    NewColumn,
    /// A cell of a workbook without a value: an error of a formula, or a day
    /// that is in no calendar.
    BadCell,
    /// Bytes that are not valid in the file's encoding.
    Encoding,
    /// A row longer than `record_bytes_max`.
    TooLong,
    /// The database refused the row and named no constraint.
    Database,
    /// The database refused the row for the constraint of this name.
    Constraint(String),
    /// The row was loaded, repaired: what was cut off is kept here.
    Repaired,
}

impl Reason {
    /// The word in `rejected_rows.reason`: for a constraint its name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::FieldCount => "field_count",
            Self::Quote => "quote",
            Self::Syntax => "syntax",
            Self::Type => "type",
            Self::NewColumn => "new_column",
            Self::BadCell => "bad_cell",
            Self::Encoding => "encoding",
            Self::TooLong => "too_long",
            Self::Database => "database",
            Self::Constraint(name) => name,
            Self::Repaired => "repaired",
        }
    }

    /// Reads the word back. What is none of ours is a constraint's name.
    pub fn parse(word: &str) -> Self {
        [
            Self::FieldCount,
            Self::Quote,
            Self::Syntax,
            Self::Type,
            Self::NewColumn,
            Self::BadCell,
            Self::Encoding,
            Self::TooLong,
            Self::Database,
            Self::Repaired,
        ]
        .into_iter()
        .find(|reason| reason.as_str() == word)
        .unwrap_or_else(|| Self::Constraint(word.to_owned()))
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
    /// The row as it stands in the file, without its line end. Text is UTF-8,
    /// whatever the file's encoding, but for rows of delimited text with bytes
    /// that have no meaning in it: they have reason `encoding`, and are left
    /// in the file's encoding.
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
