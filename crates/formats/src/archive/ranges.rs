//! A stretch of an input, in order: fetched by ranges that grow.
//!
//! Invariant: never more than one window in memory, and never a byte beyond
//! the stretch.

use std::ops::Range;

use bytes::Bytes;
use decant_core::format::Input;
use decant_core::{Error, ErrorKind, Result};

/// Bytes of the first range that is asked for.
pub(super) const WINDOW_BYTES_FIRST: u64 = 128 << 10;
/// Bytes of the largest one.
pub(super) const WINDOW_BYTES_MAX: u64 = 1 << 20;

/// The bytes of `input` from `next` to `end`.
pub(super) struct Stretch<'i> {
    input: &'i mut dyn Input,
    /// Bytes that were fetched before, and come first.
    ahead: Bytes,
    next: u64,
    end: u64,
    window: u64,
}

impl<'i> Stretch<'i> {
    /// `range` of `input`, of which `ahead` are the first bytes.
    pub(super) fn new(input: &'i mut dyn Input, range: Range<u64>, ahead: Bytes) -> Self {
        let ahead_bytes = (range.end.saturating_sub(range.start)).min(ahead.len() as u64);
        Self {
            input,
            ahead: ahead.slice(..ahead_bytes as usize),
            next: range.start + ahead_bytes,
            end: range.end,
            window: WINDOW_BYTES_FIRST,
        }
    }
}

impl Input for Stretch<'_> {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        if !self.ahead.is_empty() {
            return Ok(Some(std::mem::take(&mut self.ahead)));
        }
        if self.next >= self.end {
            return Ok(None);
        }
        let window_end = self.next.saturating_add(self.window).min(self.end);
        let chunk = self.input.range(self.next..window_end)?;
        self.next = window_end;
        self.window = (self.window * 2).min(WINDOW_BYTES_MAX);
        Ok(Some(chunk))
    }

    fn range(&mut self, _: Range<u64>) -> Result<Bytes> {
        Err(no_ranges())
    }

    fn size(&self) -> Option<u64> {
        None
    }
}

/// Members are read in order; who wants ranges of one keeps it first.
pub(super) fn no_ranges() -> Error {
    Error::new(ErrorKind::Unsupported, "a member of an archive has no ranges of its own")
}
