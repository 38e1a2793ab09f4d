//! The texts of one column, copied out of a block.
//!
//! Values are copied in pieces of a fixed size, because almost all of them
//! are short; the bytes behind a value are copied along and overwritten by the
//! next one. Whether all of it is UTF-8 is asked once, in the end.

use std::ops::Range;

use arrow_array::StringArray;
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use decant_core::{Error, ErrorKind, Result};

use super::column::Rows;
use super::field::{Field, unescape};
use crate::natives::Validity;

/// Bytes that are copied at once.
const PIECE_BYTES: usize = 16;
/// Bytes of a value that is copied in pieces.
const SHORT_BYTES: usize = 4 * PIECE_BYTES;

/// The texts of `column`; `None` when one is not UTF-8.
pub(super) fn copy(rows: &Rows<'_>, column: usize) -> Result<Option<StringArray>> {
    let Rows { bytes, index, dialect, .. } = *rows;
    let lengths = index.fields(rows.rows.clone(), column).map(|(start, end)| end - start);
    let mut texts = Texts::with_room(rows.rows.len(), lengths.sum())?;
    let has_null_words = !dialect.null_words.is_empty();
    let quote = dialect.quote.unwrap_or(b'\n');
    let mut scratch = Vec::new();
    for (start, end) in index.fields(rows.rows.clone(), column) {
        if start < end && bytes[start] != quote && !has_null_words {
            texts.push(bytes, start, end);
        } else {
            texts.push_field(rows, start..end, &mut scratch);
        }
    }
    Ok(texts.finish())
}

struct Texts {
    /// Where each text begins, and where the last one ends.
    offsets: Vec<i32>,
    /// All texts, and room.
    values: Vec<u8>,
    length: usize,
    valid: Validity,
}

impl Texts {
    /// Room for so many texts of so many bytes together.
    ///
    /// Errors: `Internal` for more than a column of Arrow's can hold.
    fn with_room(count: usize, bytes: usize) -> Result<Self> {
        if i32::try_from(bytes).is_err() {
            let message = format!("{bytes} bytes of one column in one block");
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let mut offsets = Vec::with_capacity(count + 1);
        offsets.push(0);
        let values = vec![0; bytes + SHORT_BYTES];
        Ok(Self { offsets, values, length: 0, valid: Validity::with_capacity(count) })
    }

    /// Adds what stands at `start..end` of `source`.
    #[inline(always)]
    fn push(&mut self, source: &[u8], start: usize, end: usize) {
        let (at, length) = (self.length, end - start);
        let room = &mut self.values[at..];
        match (room.first_chunk_mut::<SHORT_BYTES>(), source[start..].first_chunk::<SHORT_BYTES>())
        {
            (Some(room), Some(value)) if length <= SHORT_BYTES => {
                room[..PIECE_BYTES].copy_from_slice(&value[..PIECE_BYTES]);
                if length > PIECE_BYTES {
                    room[PIECE_BYTES..].copy_from_slice(&value[PIECE_BYTES..]);
                }
            }
            _ => self.values[at..at + length].copy_from_slice(&source[start..end]),
        }
        self.length += length;
        self.offsets.push(self.length as i32);
    }

    /// Adds a field that is quoted, or may be NULL.
    #[inline(never)]
    fn push_field(&mut self, rows: &Rows<'_>, field: Range<usize>, scratch: &mut Vec<u8>) {
        let Rows { bytes, dialect, .. } = *rows;
        match Field::read(bytes, field, dialect, dialect.empty_is_null) {
            Field::Null => self.push_null(),
            Field::Plain(range) => self.push(bytes, range.start, range.end),
            Field::Escaped(range) => {
                unescape(&bytes[range], dialect, scratch);
                self.push(scratch, 0, scratch.len());
            }
        }
    }

    fn push_null(&mut self) {
        self.valid.push_null(self.offsets.len() - 1);
        self.offsets.push(self.length as i32);
    }

    fn finish(mut self) -> Option<StringArray> {
        self.values.truncate(self.length);
        let valid = self.valid.finish(self.offsets.len() - 1);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        StringArray::try_new(offsets, Buffer::from_vec(self.values), valid).ok()
    }
}
