//! A file's bytes as the house sees them.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use crate::error::Result;
use crate::file::FileVersion;

/// Bytes in order, in chunks of any size. After an error nothing follows.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;

/// Opens files for reading.
#[async_trait]
pub trait Store: Send + Sync {
    /// The content of exactly this version. Costs no request: what is wrong
    /// shows at the first read.
    async fn open(&self, file: &FileVersion) -> Result<Box<dyn Content>>;
}

/// The bytes of one file version: pinned, resumed after broken connections,
/// and checked against the listed size.
///
/// Errors: `Conflict` when the object was overwritten (start again with the
/// new version), `NotFound` when it is gone, `AccessDenied`, `Unavailable`
/// once the retries are used up, `MalformedFile` when the bytes received are
/// not as many as were listed.
#[async_trait]
pub trait Content: Send + Sync {
    /// The bytes from `offset` to the end. A stream that ends without an
    /// error has delivered every byte.
    async fn stream(&self, offset: u64) -> Result<ByteStream>;

    /// Exactly the bytes of `range`.
    async fn range(&self, range: Range<u64>) -> Result<Bytes>;
}
