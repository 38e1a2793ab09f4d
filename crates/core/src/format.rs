//! Formats: bytes to batches.
//!
//! A format holds no I/O. It runs on a thread of its own and pulls bytes from
//! an [`Input`]; what it makes of them it pushes into a [`Receiver`].

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::evidence::Evidence;
use crate::reject::{Reason, Reject};
use crate::schema::ColumnType;
use crate::stream::FormatOptions;
use crate::value_format::ValueFormat;

/// The bytes of one file as a format sees them: the blocking side of
/// [`Content`](crate::Content).
pub trait Input: Send {
    /// The next bytes in order; `None` at the end. A chunk is never empty.
    fn next_chunk(&mut self) -> Result<Option<Bytes>>;

    /// Exactly the bytes of `range` of the file as it is stored. Formats that
    /// read ranges never ask for the next chunk.
    fn range(&mut self, range: Range<u64>) -> Result<Bytes>;

    /// Bytes of the file as it is stored; unknown for what is made on the way
    /// (decompressed).
    fn size(&self) -> Option<u64>;
}

impl<I: Input + ?Sized> Input for &mut I {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        (**self).next_chunk()
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        (**self).range(range)
    }

    fn size(&self) -> Option<u64> {
        (**self).size()
    }
}

impl<I: Input + ?Sized> Input for Box<I> {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        (**self).next_chunk()
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        (**self).range(range)
    }

    fn size(&self) -> Option<u64> {
        (**self).size()
    }
}

/// A range of a file that decodes on its own: behind the end of a row, up to
/// the end of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of the file, as stored. The whole file for formats that cannot
    /// be split.
    pub bytes: Range<u64>,
    /// Rows of the file that stand before it, good and bad.
    pub rows_before: u64,
    /// Lines of the file that end before it; 0 for binary formats.
    pub lines_before: u64,
}

impl Piece {
    /// A file of so many bytes.
    pub fn whole(size: u64) -> Self {
        Self { bytes: 0..size, rows_before: 0, lines_before: 0 }
    }

    /// Whether the file begins elsewhere.
    pub fn is_later(&self) -> bool {
        self.bytes.start > 0
    }

    /// Whether the file that `input` has is larger, as far as that is known.
    pub fn is_part_of(&self, input: &dyn Input) -> bool {
        self.is_later() || input.size().is_some_and(|size| self.bytes.end < size)
    }
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
    /// The types that the file itself says, in the columns' order; empty where
    /// values are text until somebody reads them.
    pub types: Vec<Option<ColumnType>>,
    /// When decoding: the options under which the raw text of this file's
    /// rejects is read again, every detected one filled in; no header, nothing
    /// to pass over, and UTF-8 where the raw text was transcribed. In a
    /// sample: what detection found. A binary format, whose rejects are
    /// rendered as JSON, says `json`.
    pub options: FormatOptions,
    /// The file's encoding, where it is not UTF-8 and the raw text of rejects
    /// with bytes that have no meaning in it (reason `encoding`) is left as it
    /// stands in the file.
    pub encoding: Option<String>,
    /// Those options that the file's own content shows beyond doubt; all
    /// others were given, expected of the stream's files, or are defaults.
    pub shown: FormatOptions,
}

impl FileColumns {
    /// Whether other rows of the file may bring more columns.
    pub fn may_grow(&self) -> bool {
        let name = self.options.name.as_deref();
        self.types.is_empty() && name.is_some_and(|name| name.starts_with("json") || name == "xml")
    }
}

/// What a bounded look at a file found.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The file's columns.
    pub columns: FileColumns,
    /// What the values of each column look like, in the columns' order.
    pub evidence: Vec<Evidence>,
    /// The same once white space around values is dropped, for columns that
    /// are trimmed; empty where a format has no such values.
    pub trimmed_evidence: Vec<Evidence>,
    /// Rows looked at.
    pub rows: u64,
    /// The first row that could not be read, for files of which none could.
    pub first_reject: Option<Reject>,
    /// Whether these rows are all that the file has.
    pub complete: bool,
    /// Whether a NULL was among the values, in the columns' order.
    pub nulls: Vec<bool>,
    /// The first few values of each column, as text.
    pub examples: Vec<Vec<String>>,
    /// Why the file is read as it is: a sentence for each thing that was
    /// detected.
    pub explanation: Vec<String>,
}

impl Sample {
    /// What the values of a column look like, trimmed or as they are.
    pub fn column_evidence(&self, column: usize, trim: bool) -> Evidence {
        let trimmed = self.trimmed_evidence.get(column).filter(|_| trim);
        trimmed.or_else(|| self.evidence.get(column)).copied().unwrap_or_default()
    }
}

/// What to make of one column of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The type to deliver, in its Arrow representation.
    pub column_type: ColumnType,
    /// Whether a value must survive the trip into the type and back by value:
    /// so for types that were inferred. A type that somebody gave may round
    /// (a float), but never overflows, is cut or becomes NULL.
    pub exact: bool,
    /// How its values are written, where somebody said so.
    pub format: Option<Arc<ValueFormat>>,
    /// Whether white space around a value is dropped before it is read.
    pub trim: bool,
    /// What happens to a value that does not fit.
    pub misfit: OnMisfit,
}

impl Target {
    /// A value of this type, written as usual; a misfit is a bad row.
    pub fn new(column_type: ColumnType, exact: bool) -> Self {
        Self { column_type, exact, format: None, trim: false, misfit: OnMisfit::Reject }
    }
}

/// What happens to a value that does not fit its column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnMisfit {
    /// Its row is rejected.
    #[default]
    Reject,
    /// It is NULL in the batch and delivered besides, as [`Rescued`].
    Rescue,
}

/// What a receiver wants of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// What to make of each column, in the file's order; `None` leaves it
    /// out.
    pub targets: Vec<Option<Target>>,
    /// What to say of each good row besides its values.
    pub places: PlacesWanted,
}

/// What a receiver wants to know of each good row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlacesWanted {
    /// Nothing.
    #[default]
    None,
    /// Ordinals, lines and byte offsets.
    Positions,
    /// These and the raw rows, so that a row can still become a reject.
    Raw,
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
    /// Values that did not fit and were to be rescued.
    pub rescued: Vec<Rescued>,
    /// Good rows that are good only after a repair.
    pub repairs: Vec<Repair>,
    /// Where the good rows stand in the file, in their order; empty where the
    /// receiver did not want to know.
    pub places: RowPlaces,
}

impl DecodedBatch {
    /// Good rows and the bad ones between them, with nothing else to say.
    pub fn new(
        batch: RecordBatch,
        rejects: Vec<Reject>,
        rows_read: u64,
        bytes_decoded: u64,
    ) -> Self {
        Self {
            batch,
            rejects,
            rows_read,
            bytes_decoded,
            rescued: Vec::new(),
            repairs: Vec::new(),
            places: RowPlaces::default(),
        }
    }
}

/// A value that did not fit its column and is NULL there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescued {
    /// The row's position in the batch.
    pub row: usize,
    /// The column's position in the file.
    pub column: usize,
    /// The value as JSON: a string for text formats, the value itself for
    /// JSON.
    pub value: String,
}

/// What lenient reading did to one good row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// What was done.
    pub kind: RepairKind,
    /// The row's position in the batch.
    pub row: usize,
    /// Fields that were cut off, as text.
    pub cut: Vec<String>,
    /// The row as it was, with reason `repaired`, where something was cut
    /// off.
    pub kept: Option<Box<Reject>>,
}

/// A kind of repair, in words that users script against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepairKind {
    /// A short row was padded with NULLs.
    Padded,
    /// A long row was cut.
    Cut,
    /// A stray quote was kept as data.
    StrayQuote,
    /// A quote that was never closed was closed at the line's end.
    ClosedQuote,
    /// Bytes that are not valid in the file's encoding became U+FFFD.
    Replaced,
}

impl RepairKind {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 5] =
        [Self::Padded, Self::Cut, Self::StrayQuote, Self::ClosedQuote, Self::Replaced];

    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Padded => "padded",
            Self::Cut => "cut",
            Self::StrayQuote => "stray_quote",
            Self::ClosedQuote => "closed_quote",
            Self::Replaced => "replaced",
        }
    }
}

/// Where the good rows of a batch stand in their file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowPlaces {
    /// Numbers of the rows in the file, from 1.
    pub ordinals: Vec<u64>,
    /// Lines of the rows' first bytes, from 1; empty for binary formats.
    pub lines: Vec<u64>,
    /// Offsets of the rows' first bytes, from 0, after decompression; empty
    /// for binary formats.
    pub byte_offsets: Vec<u64>,
    /// The bytes that hold the raw rows.
    pub bytes: Bytes,
    /// Where each raw row stands in `bytes`; empty where they were not wanted.
    pub raw: Vec<Range<usize>>,
}

impl RowPlaces {
    /// Forgets the rows for which `keep` says no.
    pub fn retain(&mut self, keep: &[bool]) {
        fn retained<T: Clone>(values: &mut Vec<T>, keep: &[bool]) {
            let kept = values.iter().zip(keep).filter(|(_, keep)| **keep);
            *values = kept.map(|(value, _)| value.clone()).collect();
        }
        retained(&mut self.ordinals, keep);
        retained(&mut self.lines, keep);
        retained(&mut self.byte_offsets, keep);
        retained(&mut self.raw, keep);
    }

    /// The row at `row` of the batch as a reject.
    pub fn reject(&self, row: usize, reason: Reason, detail: String) -> Reject {
        let raw = self.raw.get(row).and_then(|range| self.bytes.get(range.clone()));
        Reject {
            ordinal: self.ordinals.get(row).copied().unwrap_or_default(),
            line: self.lines.get(row).copied(),
            byte_offset: self.byte_offsets.get(row).copied(),
            column: None,
            reason,
            detail,
            raw: raw.unwrap_or_default().to_vec(),
        }
    }
}

/// What decoding hands its results to.
pub trait Receiver {
    /// Called before any batch, with the file's columns. Answers what to make
    /// of each. Not called for a file that has no columns at all (0 bytes).
    ///
    /// A format that cannot know its columns beforehand (JSON) calls it again
    /// when a later row brings new ones: the list only grows at its end, and
    /// the answer to what was asked before must stay the same.
    fn columns(&mut self, columns: &FileColumns) -> Result<Wishes>;

    /// Takes the next rows. An error ends the decoding and is handed back.
    fn batch(&mut self, batch: DecodedBatch) -> Result<()>;

    /// Takes a sentence about the file that a user should know: what was left
    /// out as no row of it, or guessed. At any time.
    fn note(&mut self, note: String) {
        let _ = note;
    }
}

/// A kind of file, with its options already in it.
///
/// Bad rows are data (rejects); an `Err` means that the file as a whole
/// cannot be read, and nothing of it may be kept: truncation, a broken
/// container, or an error of the input or the receiver, handed on unchanged.
pub trait Format: Send + Sync {
    /// Cuts a file into pieces of at least `piece_bytes` (but the last) that
    /// decode on their own, and hands each to `found`, in order and as soon as
    /// its end is known, until that answers that no more are wanted. Together
    /// they are the file. It is one piece where the format, or its compression,
    /// cannot be split; why not, then, is the answer.
    ///
    /// Which rows a file has does not depend on how it was cut: all pieces
    /// together give the rows, the rejects and the positions of the whole.
    fn pieces(
        &self,
        input: &mut dyn Input,
        piece_bytes: u64,
        found: &mut dyn FnMut(Piece) -> bool,
    ) -> Result<Option<&'static str>> {
        let _ = piece_bytes;
        found(Piece::whole(input.size().unwrap_or_default()));
        Ok(Some("its format cannot be split"))
    }

    /// Looks at the file's beginning within `limits`.
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample>;

    /// Decodes `piece` from `input`, whose chunks are the piece's bytes alone,
    /// and whose ranges are the whole file's. Ordinals, lines and bytes are
    /// those of the file.
    fn decode(
        &self,
        piece: &Piece,
        input: &mut dyn Input,
        receiver: &mut dyn Receiver,
    ) -> Result<()>;
}
