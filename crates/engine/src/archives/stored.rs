//! A stored object as the blocking reader of an archive sees it.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use decant_core::{ByteStream, Content, Error, ErrorKind, Input, Result};
use futures::StreamExt;
use tokio::runtime::Handle;

/// A content, pulled by a blocking thread.
pub(super) struct StoredInput {
    content: Arc<dyn Content>,
    stream: Option<ByteStream>,
    runtime: Handle,
    size: u64,
}

impl StoredInput {
    /// `content` of `size` bytes. Fetches nothing before somebody asks.
    pub(super) fn new(content: Arc<dyn Content>, size: u64, runtime: Handle) -> Self {
        Self { content, stream: None, runtime, size }
    }
}

impl Input for StoredInput {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(self.runtime.block_on(self.content.stream(0))?),
        };
        loop {
            match self.runtime.block_on(stream.next()).transpose()? {
                Some(chunk) if chunk.is_empty() => {}
                chunk => return Ok(chunk),
            }
        }
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        if range.start > range.end || range.end > self.size {
            return Err(Error::new(ErrorKind::MalformedFile, "the archive ends too early"));
        }
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        self.runtime.block_on(self.content.range(range))
    }

    fn size(&self) -> Option<u64> {
        Some(self.size)
    }
}
