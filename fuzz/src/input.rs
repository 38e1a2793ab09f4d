//! A file in memory, handed over in chunks of any size.

use std::ops::Range;

use bytes::Bytes;
use decant_core::{Error, ErrorKind, Input, Result};

/// The bytes of one file.
pub(crate) struct Memory {
    whole: Bytes,
    position: usize,
    chunk_bytes: usize,
}

impl Memory {
    pub(crate) fn new(bytes: &[u8], chunk_bytes: usize) -> Self {
        let whole = Bytes::copy_from_slice(bytes);
        Self { whole, position: 0, chunk_bytes: chunk_bytes.max(1) }
    }
}

impl Input for Memory {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let end = self.whole.len().min(self.position.saturating_add(self.chunk_bytes));
        let chunk = self.whole.slice(self.position..end);
        self.position = end;
        Ok(Some(chunk).filter(|chunk| !chunk.is_empty()))
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        let bounds = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        match bounds {
            Some((start, end)) if start <= end && end <= self.whole.len() => {
                Ok(self.whole.slice(start..end))
            }
            _ => Err(Error::new(ErrorKind::MalformedFile, "the range is not in the file")),
        }
    }

    fn size(&self) -> Option<u64> {
        Some(self.whole.len() as u64)
    }
}
