//! Formats: bytes to batches.
//!
//! A format holds no I/O. It runs on a thread of its own and pulls bytes from
//! an [`Input`]; what it makes of them it pushes into a [`Receiver`].

use std::ops::Range;

use arrow_array::RecordBatch;
use bytes::Bytes;

use crate::error::Result;
use crate::evidence::Evidence;
use crate::reject::Reject;
use crate::schema::ColumnType;

/// The bytes of one file as a format sees them: the blocking side of
/// [`Content`](crate::Content).
pub trait Input: Send {
    /// The next bytes in order; `None` at the end. A chunk is never empty.
    fn next_chunk(&mut self) -> Result<Option<Bytes>>;

    /// Exactly the bytes of `range` of the file as it is stored.
    fn range(&mut self, range: Range<u64>) -> Result<Bytes>;
}

/// A file inside a file: an archive has several, a plain file one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Path inside the archive; empty for a plain file.
    pub path: String,
    /// Bytes of the member as stored.
    pub size: u64,
}

/// A range of a file that decodes on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of the file, as stored. The whole file for formats that cannot
    /// be split.
    pub bytes: Range<u64>,
}

/// How much of a file a sample may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleLimits {
    /// Bytes after decompression.
    pub bytes: usize,
    /// Rows.
    pub rows: usize,
}

impl Default for SampleLimits {
    fn default() -> Self {
        Self { bytes: 1 << 20, rows: 20_000 }
    }
}

/// The columns of one file, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileColumns {
    /// Names as the file has them; `column_1`, `column_2`, … where it has none.
    pub names: Vec<String>,
    /// Whether the names stand in the file. Columns without names are matched
    /// by position.
    pub named: bool,
}

/// What a bounded look at a file found.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The file's columns.
    pub columns: FileColumns,
    /// What the values of each column look like, in the columns' order.
    pub evidence: Vec<Evidence>,
    /// Rows looked at.
    pub rows: u64,
    /// Whether these rows are all that the file has.
    pub complete: bool,
}

/// What to make of one column of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The type to deliver, in its Arrow representation.
    pub column_type: ColumnType,
    /// Whether a value must survive the trip into the type and back by value:
    /// so for types that were inferred. A type that somebody gave may round
    /// (a float), but never overflows, is cut or becomes NULL.
    pub exact: bool,
}

/// Rows as they come out of a file.
#[derive(Clone, Debug)]
pub struct DecodedBatch {
    /// The good rows: the wanted columns, in the file's order.
    pub batch: RecordBatch,
    /// The bad rows between them.
    pub rejects: Vec<Reject>,
    /// Rows that were read to make this batch: good and bad.
    pub rows_read: u64,
    /// Bytes that were read to make this batch, after decompression.
    pub bytes_decoded: u64,
}

/// What decoding hands its results to.
pub trait Receiver {
    /// Called once, before any batch, with the file's columns. Answers what
    /// to make of each, in the same order; `None` leaves a column out.
    /// Not called for a file that has no columns at all (0 bytes).
    fn columns(&mut self, columns: &FileColumns) -> Result<Vec<Option<Target>>>;

    /// Takes the next rows. An error ends the decoding and is handed back.
    fn batch(&mut self, batch: DecodedBatch) -> Result<()>;
}

/// A kind of file, with its options already in it.
///
/// Bad rows are data (rejects); an `Err` means that the file as a whole
/// cannot be read, and nothing of it may be kept: truncation, a broken
/// container, or an error of the input or the receiver, handed on unchanged.
pub trait Format: Send + Sync {
    /// The files inside `input`; one with an empty path for a plain file.
    fn members(&self, input: &mut dyn Input, size: u64) -> Result<Vec<Member>> {
        let _ = input;
        Ok(vec![Member { path: String::new(), size }])
    }

    /// Ranges of about `piece_bytes` that decode on their own; one for the
    /// whole file where the format, or its compression, cannot be split.
    fn pieces(&self, input: &mut dyn Input, size: u64, piece_bytes: u64) -> Result<Vec<Piece>> {
        let _ = (input, piece_bytes);
        Ok(vec![Piece { bytes: 0..size }])
    }

    /// Looks at the file's beginning within `limits`.
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample>;

    /// Decodes `piece` from `input`, which starts at the piece's first byte.
    /// Ordinals count from the piece's own start.
    fn decode(
        &self,
        piece: &Piece,
        input: &mut dyn Input,
        receiver: &mut dyn Receiver,
    ) -> Result<()>;
}
