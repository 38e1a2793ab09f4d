//! The texts of one column, NULLs among them, as an Arrow array. Short texts,
//! as most are, are copied together with what stands behind them, since copying
//! a fixed number of bytes takes no call and no loop.
//!
//! Not here: what a text is. Whether it is UTF-8 is checked at the end, for all
//! texts at once.

use std::ops::Range;

use arrow_array::StringArray;
use arrow_buffer::OffsetBuffer;
use arrow_schema::ArrowError;
use decant_core::Result;

use crate::natives::{Validity, internal};

/// Bytes that are copied together.
const LANE_BYTES: usize = 48;

/// Texts of one column.
pub(crate) struct Strings {
    /// The texts, and room behind them.
    bytes: Vec<u8>,
    /// Behind the last text.
    end: usize,
    ends: Vec<i32>,
    valid: Validity,
}

impl Strings {
    /// Room for so many texts, of so many bytes together.
    pub(crate) fn with_capacity(count: usize, bytes: usize) -> Self {
        let mut ends = Vec::with_capacity(count + 1);
        ends.push(0);
        let bytes = vec![0; bytes + LANE_BYTES];
        Self { bytes, end: 0, ends, valid: Validity::with_capacity(count) }
    }

    /// Adds a text, or NULL.
    #[inline]
    pub(crate) fn push(&mut self, text: Option<&[u8]>) {
        match text {
            Some(text) => self.push_part(text, 0..text.len()),
            None => {
                self.valid.push_null(self.ends.len() - 1);
                self.push_end();
            }
        }
    }

    /// Adds a part of `source`; what is not in it is empty.
    #[inline]
    pub(crate) fn push_part(&mut self, source: &[u8], part: Range<usize>) {
        let length = part.len();
        let from = source.get(part.start..).and_then(<[u8]>::first_chunk::<LANE_BYTES>);
        let to = self.bytes.get_mut(self.end..).and_then(<[u8]>::first_chunk_mut::<LANE_BYTES>);
        match (from, to) {
            (Some(from), Some(to)) if length <= LANE_BYTES => {
                *to = *from;
                self.end += length;
            }
            _ => self.push_slice(source.get(part).unwrap_or_default()),
        }
        self.push_end();
    }

    fn push_slice(&mut self, text: &[u8]) {
        let end = self.end + text.len();
        if self.bytes.len() < end + LANE_BYTES {
            self.bytes.resize((end + LANE_BYTES).max(self.bytes.len() * 2), 0);
        }
        if let Some(room) = self.bytes.get_mut(self.end..end) {
            room.copy_from_slice(text);
        }
        self.end = end;
    }

    #[inline]
    fn push_end(&mut self) {
        self.ends.push(i32::try_from(self.end).unwrap_or(-1));
    }

    /// The array.
    ///
    /// Errors: `Internal` for bytes that are not UTF-8, or 2 GiB of them.
    pub(crate) fn finish(mut self) -> Result<StringArray> {
        self.bytes.truncate(self.end);
        let too_many = || ArrowError::OffsetOverflowError(self.end);
        if self.ends.iter().any(|end| *end < 0) {
            return Err(internal(too_many()));
        }
        let valid = self.valid.finish(self.ends.len() - 1);
        let offsets = OffsetBuffer::new(self.ends.into());
        StringArray::try_new(offsets, self.bytes.into(), valid).map_err(internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_come_out_as_they_went_in(
            texts in prop::collection::vec(prop::option::of("[a-zü]{0,50}"), 0..40),
            capacity in 0_usize..200,
        ) {
            let source: String = texts.iter().flatten().map(String::as_str).collect();
            let mut strings = Strings::with_capacity(texts.len(), capacity);
            let mut parts = Strings::with_capacity(texts.len(), capacity);
            let mut at = 0;
            for text in &texts {
                strings.push(text.as_deref().map(str::as_bytes));
                match text {
                    Some(text) => parts.push_part(source.as_bytes(), at..at + text.len()),
                    None => parts.push(None),
                }
                at += text.as_ref().map_or(0, String::len);
            }
            let expected = StringArray::from(texts);
            prop_assert_eq!(strings.finish().unwrap(), expected.clone());
            prop_assert_eq!(parts.finish().unwrap(), expected);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let mut strings = Strings::with_capacity(1, 0);
        strings.push(Some(b"\xff"));
        assert!(strings.finish().is_err());
    }
}
