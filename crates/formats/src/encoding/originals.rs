//! A stretch of a file's own bytes, kept beside the text that they became.

use std::ops::Range;

/// Bytes of the file from `start` on.
pub(super) struct Originals {
    start: u64,
    bytes: Vec<u8>,
}

impl Originals {
    pub(super) fn new(start: u64) -> Self {
        Self { start, bytes: Vec::new() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn forget_before(&mut self, offset: u64) {
        let passed = usize::try_from(offset.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let passed = passed.min(self.bytes.len());
        self.bytes.drain(..passed);
        self.start += passed as u64;
    }

    pub(super) fn slice(&self, range: Range<u64>) -> Option<Vec<u8>> {
        let at = |offset: u64| usize::try_from(offset.checked_sub(self.start)?).ok();
        self.bytes.get(at(range.start)?..at(range.end)?).map(<[u8]>::to_vec)
    }
}
