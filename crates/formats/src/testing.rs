//! What the tests of this crate share: an input made of chunks.

use std::ops::Range;

use bytes::Bytes;
use decant_core::format::Input;
use decant_core::{Error, ErrorKind, Result};

/// Bytes in chunks of one size.
pub(crate) struct Chunks {
    rest: Bytes,
    chunk_bytes: usize,
    fails_after: Option<usize>,
}

impl Chunks {
    pub(crate) fn new(bytes: &[u8], chunk_bytes: usize) -> Self {
        let rest = Bytes::copy_from_slice(bytes);
        Self { rest, chunk_bytes: chunk_bytes.max(1), fails_after: None }
    }

    /// An input whose connection is lost after so many chunks.
    pub(crate) fn failing_after(bytes: &[u8], chunk_bytes: usize, chunks: usize) -> Self {
        Self { fails_after: Some(chunks), ..Self::new(bytes, chunk_bytes) }
    }
}

impl Input for Chunks {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        if let Some(left) = &mut self.fails_after {
            if *left == 0 {
                return Err(Error::new(ErrorKind::Unavailable, "the connection was lost"));
            }
            *left -= 1;
        }
        let count = self.chunk_bytes.min(self.rest.len());
        Ok((count > 0).then(|| self.rest.split_to(count)))
    }

    fn range(&mut self, _: Range<u64>) -> Result<Bytes> {
        Err(Error::new(ErrorKind::Unsupported, "these chunks have no ranges"))
    }

    fn size(&self) -> Option<u64> {
        None
    }
}
