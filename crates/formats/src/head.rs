//! A file's beginning, for whoever reads a piece from elsewhere in it: what a
//! file is and how it is written is said there.

use std::ops::Range;

use bytes::Bytes;
use decant_core::Result;
use decant_core::format::Input;

/// Bytes of a chunk.
const CHUNK_BYTES: u64 = 256 << 10;

/// The file of an input from its first byte on, whatever the input's own
/// chunks are.
pub(crate) struct Head<'i> {
    input: &'i mut dyn Input,
    at: u64,
}

impl<'i> Head<'i> {
    /// The beginning of a file whose ranges `input` has.
    pub(crate) fn of(input: &'i mut dyn Input) -> Self {
        Self { input, at: 0 }
    }
}

impl Input for Head<'_> {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let size = self.input.size().unwrap_or_default();
        let range = self.at..size.min(self.at.saturating_add(CHUNK_BYTES));
        if range.is_empty() {
            return Ok(None);
        }
        self.at = range.end;
        self.input.range(range).map(Some)
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        self.input.range(range)
    }

    fn size(&self) -> Option<u64> {
        self.input.size()
    }
}
