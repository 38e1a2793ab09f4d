//! A content whose bytes are in memory.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use decant_core::content::ByteStream;
use decant_core::{Content, Error, ErrorKind, Result};
use futures::StreamExt as _;

/// All bytes of one file.
#[derive(Clone)]
pub(crate) struct Held(pub(crate) Bytes);

#[async_trait]
impl Content for Held {
    async fn stream(&self, offset: u64) -> Result<ByteStream> {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
        let rest = self.0.slice(offset..);
        Ok(futures::stream::iter((!rest.is_empty()).then_some(Ok(rest))).boxed())
    }

    async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        let at = |offset: u64| usize::try_from(offset).ok().filter(|at| *at <= self.0.len());
        match (at(range.start), at(range.end)) {
            (Some(start), Some(end)) if start <= end => Ok(self.0.slice(start..end)),
            _ => Err(Error::new(ErrorKind::MalformedFile, "a range lies outside the bytes")),
        }
    }
}
