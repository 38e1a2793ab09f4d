//! The texts of one column, copied out of a block.
//!
//! Values are copied in pieces of a fixed size, because almost all of them
//! are short; the bytes behind a value are copied along and overwritten by the
//! next one. Whether all of it is UTF-8 is asked once, in the end.

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
    let mut scratch = Vec::new();
    for (start, end) in index.fields(rows.rows.clone(), column) {
        let first = bytes.get(start).copied().filter(|_| start < end);
        if first.is_some() && first != dialect.quote && !has_null_words {
            texts.push(bytes, start, end);
            continue;
        }
        match Field::read(bytes, start..end, dialect, dialect.empty_is_null) {
            Field::Null => texts.push_null(),
            Field::Plain(range) => texts.push(bytes, range.start, range.end),
            Field::Escaped(range) => {
                unescape(&bytes[range], dialect, &mut scratch);
                texts.push(&scratch, 0, scratch.len());
            }
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
        let length = end - start;
        let is_short = length <= SHORT_BYTES && start + SHORT_BYTES <= source.len();
        match self.values.get_mut(self.length..self.length + SHORT_BYTES) {
            Some(room) if is_short => {
                let mut at = 0;
                while at < length {
                    room[at..at + PIECE_BYTES]
                        .copy_from_slice(&source[start + at..start + at + PIECE_BYTES]);
                    at += PIECE_BYTES;
                }
            }
            _ => {
                self.values[self.length..self.length + length].copy_from_slice(&source[start..end])
            }
        }
        self.length += length;
        self.offsets.push(self.length as i32);
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
