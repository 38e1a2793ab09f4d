//! An [`Input`] as the buffered reader that decoders want.
//!
//! Invariant: an error of the input comes back out as it went in, never as
//! the decoder's reading of it.

use std::io;
use std::ops::Range;

use bytes::{Buf, Bytes};
use decant_core::format::Input;
use decant_core::{Error, Result};

/// Compressed bytes in order, and how many of them have been taken.
pub(super) struct Source<'i> {
    input: Box<dyn Input + 'i>,
    chunk: Bytes,
    offset: u64,
    failure: Option<Error>,
    met_end: bool,
}

impl<'i> Source<'i> {
    pub(super) fn new(input: Box<dyn Input + 'i>) -> Self {
        Self { input, chunk: Bytes::new(), offset: 0, failure: None, met_end: false }
    }

    /// Bytes taken so far.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next `count` bytes without taking them, fewer at the end.
    pub(super) fn peek(&mut self, count: usize) -> Result<&[u8]> {
        while self.chunk.len() < count {
            let Some(next) = self.input.next_chunk()? else { break };
            self.chunk = match self.chunk.len() {
                0 => next,
                _ => [&self.chunk[..], &next[..]].concat().into(),
            };
        }
        Ok(&self.chunk[..count.min(self.chunk.len())])
    }

    /// The bytes at hand; none at the end.
    pub(super) fn available(&mut self) -> Result<&[u8]> {
        if self.chunk.is_empty() {
            self.chunk = self.input.next_chunk()?.unwrap_or_default();
            self.met_end |= self.chunk.is_empty();
        }
        Ok(&self.chunk)
    }

    /// Whether somebody asked for bytes behind the last one.
    pub(super) fn has_met_end(&self) -> bool {
        self.met_end
    }

    /// Begins to look out for such a question.
    pub(super) fn forget_end(&mut self) {
        self.met_end = false;
    }

    /// Takes `count` of the bytes at hand.
    pub(super) fn take(&mut self, count: usize) {
        self.chunk.advance(count.min(self.chunk.len()));
        self.offset += count as u64;
    }

    /// The rest of the chunk at hand, or the next one.
    pub(super) fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let chunk = match self.chunk.len() {
            0 => self.input.next_chunk()?,
            _ => Some(std::mem::take(&mut self.chunk)),
        };
        self.offset += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Ok(chunk)
    }

    pub(super) fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        self.input.range(range)
    }

    pub(super) fn size(&self) -> Option<u64> {
        self.input.size()
    }

    /// The input's own error, if that is why the decoder failed.
    pub(super) fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }
}

impl io::Read for Source<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let available = io::BufRead::fill_buf(self)?;
        let count = available.len().min(output.len());
        output[..count].copy_from_slice(&available[..count]);
        self.take(count);
        Ok(count)
    }
}

impl io::BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Err(failure) = self.available() {
            let message = failure.to_string();
            self.failure = Some(failure);
            return Err(io::Error::other(message));
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, count: usize) {
        self.take(count);
    }
}
