//! Reads one object version: pinned, resumed, counted.
//!
//! Every GET carries `If-Match` with the listed ETag (and the version id,
//! where it is known), resumptions included; an answer with another ETag or
//! another length is refused even where an endpoint ignores the condition.
//!
//! Invariant: bytes come in order, none twice, and a stream that ends without
//! an error has delivered as many as were listed.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use decant_core::content::ByteStream;
use decant_core::{Content, Error, ErrorKind, FileVersion, Result};
use futures::StreamExt;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_MATCH, RANGE};

use super::bare_etag;
use super::client::{Ask, Client, Reply, Verb};
use super::fault::Fault;
use crate::retry::Tries;
use crate::traffic::Counters;

/// Chunks up to this size leave their connection's buffer.
const COPIED_MAX: usize = 16 << 10;

/// One version of an object.
pub(super) struct S3Content {
    client: Arc<Client>,
    file: Arc<FileVersion>,
}

impl S3Content {
    pub(super) fn new(client: Arc<Client>, file: &FileVersion) -> Self {
        Self { client, file: Arc::new(file.clone()) }
    }

    fn reader(&self, range: Range<u64>) -> Result<Reader> {
        if range.start > range.end || range.end > self.file.size {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("bytes {range:?} were asked of {} bytes", self.file.size),
            )
            .in_file(self.file.location()));
        }
        Ok(Reader {
            client: Arc::clone(&self.client),
            file: Arc::clone(&self.file),
            tries: self.client.tries(),
            reply: None,
            is_done: range.is_empty() && self.file.size > 0,
            at: range.start,
            end: range.end,
        })
    }
}

#[async_trait]
impl Content for S3Content {
    async fn stream(&self, offset: u64) -> Result<ByteStream> {
        let reader = self.reader(offset..self.file.size)?;
        let chunks = futures::stream::try_unfold(reader, |mut reader| async move {
            let chunk = reader.chunk().await?;
            Ok(chunk.map(|chunk| (chunk, reader)))
        });
        Ok(chunks.boxed())
    }

    async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        let length = range.end.saturating_sub(range.start) as usize;
        let mut reader = self.reader(range)?;
        let mut collected = BytesMut::new();
        while let Some(chunk) = reader.chunk().await? {
            if collected.is_empty() && chunk.len() == length {
                reader.finish().await?;
                return Ok(chunk);
            }
            collected.reserve(length - collected.len());
            collected.extend_from_slice(&chunk);
        }
        Ok(collected.freeze())
    }
}

/// Bytes on their way: from `at` to `end`.
struct Reader {
    client: Arc<Client>,
    file: Arc<FileVersion>,
    tries: Tries,
    reply: Option<Reply>,
    is_done: bool,
    at: u64,
    end: u64,
}

impl Reader {
    /// The next bytes; `None` after the last.
    async fn chunk(&mut self) -> Result<Option<Bytes>> {
        while !self.is_done {
            if self.reply.is_none() {
                self.reply = Some(self.open().await.map_err(|fault| self.error(fault))?);
            }
            match self.receive().await {
                Ok(Some(bytes)) => return Ok(Some(bytes)),
                Ok(None) => self.is_done = true,
                Err(fault) => self.recover(fault).await?,
            }
        }
        self.reply = None;
        Ok(None)
    }

    /// Makes sure that nothing follows.
    async fn finish(&mut self) -> Result<()> {
        match self.chunk().await? {
            None => Ok(()),
            Some(_) => Err(self.error(self.too_long().into())),
        }
    }

    async fn open(&mut self) -> Result<Reply, Fault> {
        let ask = Ask {
            verb: Verb::Get,
            key: Some(&self.file.key),
            query: self.file.version_id.iter().map(|id| ("versionId", id.into())).collect(),
            headers: self.conditions(),
        };
        let reply = self.client.send(&ask, &mut self.tries).await?;
        self.verify(&reply)?;
        Ok(reply)
    }

    fn conditions(&self) -> Vec<(http::HeaderName, String)> {
        let mut headers = Vec::new();
        if !self.file.etag.is_empty() {
            headers.push((IF_MATCH, format!("\"{}\"", self.file.etag)));
        }
        if self.is_partial() {
            headers.push((RANGE, format!("bytes={}-{}", self.at, self.end - 1)));
        }
        headers
    }

    fn is_partial(&self) -> bool {
        self.at > 0 || self.end < self.file.size
    }

    /// Refuses an answer that is not of this version or not these bytes.
    fn verify(&self, reply: &Reply) -> Result<(), Fault> {
        let etag = reply.header(ETAG).map(bare_etag).unwrap_or_default();
        if !etag.is_empty() && !self.file.etag.is_empty() && etag != self.file.etag {
            return Err(Error::new(
                ErrorKind::Conflict,
                "the object was overwritten while it was read, or since it was listed",
            )
            .with_hint("the next run loads its new version")
            .into());
        }
        if self.is_partial() && reply.status != 206 {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the endpoint answers a range with the whole object",
            )
            .into());
        }
        match reply.header(CONTENT_RANGE).and_then(first_and_total) {
            Some((first, _)) if self.is_partial() && first != self.at => {
                Err(Fault::Answer(format!("it sends bytes from {first} instead of {}", self.at)))
            }
            Some((_, Some(total))) if total != self.file.size => Err(self.other_size(total)),
            _ => self.verify_length(reply),
        }
    }

    fn verify_length(&self, reply: &Reply) -> Result<(), Fault> {
        let length: Option<u64> = reply.header(CONTENT_LENGTH).and_then(|text| text.parse().ok());
        match length {
            Some(length) if length != self.end - self.at => Err(self.other_size(self.at + length)),
            _ => Ok(()),
        }
    }

    fn other_size(&self, size: u64) -> Fault {
        let listed = self.file.size;
        Error::new(
            ErrorKind::MalformedFile,
            format!("the object was listed with {listed} bytes, the endpoint now has {size}"),
        )
        .into()
    }

    fn too_long(&self) -> Error {
        let end = self.end;
        Error::new(ErrorKind::MalformedFile, format!("the object goes on behind byte {end}"))
    }

    /// The next bytes of the open body; `None` once all have come.
    async fn receive(&mut self) -> Result<Option<Bytes>, Fault> {
        let Some(reply) = &mut self.reply else { return Ok(None) };
        match reply.next().await {
            Ok(Some(bytes)) => self.received(bytes).map(Some),
            Ok(None) if self.at < self.end => Err(Fault::Cut(format!(
                "the object ended at byte {} of {}",
                self.at, self.file.size
            ))),
            Err(fault) if self.at < self.end => Err(fault),
            Ok(None) | Err(_) => Ok(None),
        }
    }

    fn received(&mut self, bytes: Bytes) -> Result<Bytes, Fault> {
        let length = bytes.len() as u64;
        if length > self.end - self.at {
            return Err(self.too_long().into());
        }
        self.at += length;
        Counters::add(&self.client.counters.bytes_fetched, length);
        if length > 0 {
            self.tries.progressed();
        }
        // It is a slice of all that the connection has received, which it can
        // use again, and nobody holds, once this is gone.
        Ok(if bytes.len() <= COPIED_MAX { Bytes::copy_from_slice(&bytes) } else { bytes })
    }

    /// Lets the broken body go and waits before it is resumed.
    async fn recover(&mut self, fault: Fault) -> Result<()> {
        self.reply = None;
        let asked = format!("Get {} from byte {}", self.file, self.at);
        let paused = self.tries.pause(&asked, fault).await;
        paused.map_err(|fault| self.error(fault))
    }

    fn error(&self, fault: Fault) -> Error {
        self.client.error(Verb::Get, Some(&self.file.key), fault)
    }
}

/// First byte and total size of `bytes 5-9/10`.
fn first_and_total(header: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = header.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.parse().ok()?, total.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_understood() {
        for (header, meant) in [
            ("bytes 5-9/10", Some((5, Some(10)))),
            ("bytes 0-0/*", Some((0, None))),
            ("bytes */10", None),
            ("items 0-1/2", None),
        ] {
            assert_eq!(first_and_total(header), meant, "{header}");
        }
    }
}
