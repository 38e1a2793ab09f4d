//! The texts of one column, copied out of a block.
//!
//! Values are copied in pieces of a fixed size, because almost all of them
//! are short; the bytes behind a value are copied along and overwritten by the
//! next one. What is quoted is searched for doubled quotes while it is copied.
//! Whether all of it is UTF-8 is asked once, in the end.

use std::ops::Range;

use arrow_array::StringArray;
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use decant_core::{Error, ErrorKind, Result};

use super::column::Rows;
use super::field::{Field, unescape};
use super::groups::{GROUP_BYTES, Group, Lanes, Scan};
use crate::natives::Validity;

/// Bytes of the shortest piece.
const PIECE_BYTES: usize = 16;

/// The texts of `column`; `None` when one is not UTF-8.
pub(super) fn copy(rows: &Rows<'_>, column: usize) -> Result<Option<StringArray>> {
    let fields = rows.index.fields(rows.rows.clone(), column);
    let room = fields.map(|(start, end)| end - start).sum();
    let texts = Texts::with_room(rows.rows.len(), room)?;
    Ok(Lanes::best().scan(Copying { rows, column, texts }).finish())
}

struct Copying<'c, 'b> {
    rows: &'c Rows<'b>,
    column: usize,
    texts: Texts,
}

impl Scan for Copying<'_, '_> {
    type Found = Texts;

    #[inline(always)]
    fn scan(self, find: impl Fn(&Group, u8, u8) -> u64) -> Texts {
        let Self { rows, column, mut texts } = self;
        let Rows { bytes, index, dialect, .. } = *rows;
        let is_looked_at = !dialect.null_words.is_empty();
        let doubles = dialect.escape.is_none();
        // No field begins with a line feed.
        let quote = dialect.quote.unwrap_or(b'\n');
        for (start, end) in index.fields(rows.rows.clone(), column) {
            let is_empty = start == end;
            if !is_empty && bytes[start] != quote && !is_looked_at {
                texts.push(bytes, start, end);
            } else if !is_empty && bytes[start] == quote && doubles {
                texts.push_quoted(bytes, start + 1, end - 1, |group| find(group, quote, quote));
            } else {
                texts.push_field(rows, start..end);
            }
        }
        texts
    }
}

struct Texts {
    /// Where each text begins, and where the last one ends.
    offsets: Vec<i32>,
    /// All texts, and room.
    values: Vec<u8>,
    length: usize,
    valid: Validity,
    scratch: Vec<u8>,
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
        let values = vec![0; bytes + GROUP_BYTES];
        let valid = Validity::with_capacity(count);
        Ok(Self { offsets, values, length: 0, valid, scratch: Vec::new() })
    }

    /// Adds what stands at `start..end` of `source`.
    #[inline(always)]
    fn push(&mut self, source: &[u8], start: usize, end: usize) {
        let (at, length) = (self.length, end - start);
        let room = self.values[at..].first_chunk_mut::<GROUP_BYTES>();
        match (room, source[start..].first_chunk::<GROUP_BYTES>()) {
            (Some(room), Some(value)) if length <= PIECE_BYTES => {
                room[..PIECE_BYTES].copy_from_slice(&value[..PIECE_BYTES]);
            }
            (Some(room), Some(value)) if length <= GROUP_BYTES => *room = *value,
            _ => self.values[at..at + length].copy_from_slice(&source[start..end]),
        }
        self.end(at + length);
    }

    /// Adds what stands between quotes, of two quotes one. `quotes` has a bit
    /// for each one.
    #[inline(always)]
    fn push_quoted(
        &mut self,
        source: &[u8],
        start: usize,
        end: usize,
        quotes: impl Fn(&Group) -> u64,
    ) {
        let (mut from, mut at) = (start, self.length);
        while from < end {
            let room = self.values[at..].first_chunk_mut::<GROUP_BYTES>();
            let value = source[from..].first_chunk::<GROUP_BYTES>();
            let (Some(room), Some(value)) = (room, value) else {
                at = self.copy_slowly(&source[from..end], source[start - 1], at);
                break;
            };
            *room = *value;
            let rest = (end - from).min(GROUP_BYTES);
            let first = quotes(value).trailing_zeros() as usize;
            let (copied, passed) = if first < rest { (first + 1, first + 2) } else { (rest, rest) };
            (from, at) = (from + passed, at + copied);
        }
        self.end(at);
    }

    /// Copies the rest of a quoted value to `at`; answers where it ends.
    #[inline(never)]
    fn copy_slowly(&mut self, mut rest: &[u8], quote: u8, mut at: usize) -> usize {
        while let Some((byte, behind)) = rest.split_first() {
            self.values[at] = *byte;
            at += 1;
            rest = if *byte == quote { behind.get(1..).unwrap_or_default() } else { behind };
        }
        at
    }

    /// Adds a field, whatever it is.
    #[inline(never)]
    fn push_field(&mut self, rows: &Rows<'_>, field: Range<usize>) {
        let Rows { bytes, dialect, .. } = *rows;
        match Field::read(bytes, field, dialect, dialect.empty_is_null) {
            Field::Null => {
                self.valid.push_null(self.offsets.len() - 1);
                self.end(self.length);
            }
            Field::Plain(range) => self.push(bytes, range.start, range.end),
            Field::Escaped(range) => {
                let mut scratch = std::mem::take(&mut self.scratch);
                unescape(&bytes[range], dialect, &mut scratch);
                self.push(&scratch, 0, scratch.len());
                self.scratch = scratch;
            }
        }
    }

    /// The text that was added last ends at `at`.
    #[inline(always)]
    fn end(&mut self, at: usize) {
        self.length = at;
        self.offsets.push(at as i32);
    }

    fn finish(mut self) -> Option<StringArray> {
        self.values.truncate(self.length);
        let valid = self.valid.finish(self.offsets.len() - 1);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        StringArray::try_new(offsets, Buffer::from_vec(self.values), valid).ok()
    }
}
