//! Fetches a large file ahead of who decodes it.
//!
//! It begins with one request for the whole file. Where its bytes come more
//! slowly than they are taken, which a distant bucket does and a near one does
//! not, the rest is fetched in parts, some at the same time.
//!
//! Invariant: bytes come in order, none twice; what is held is bounded.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use decant_core::{Content, Error, ErrorKind, Result};
use futures::{Stream, StreamExt, stream};

use crate::input::FetchCounter;
use crate::queue::Sender;

/// Chunks are joined up to this size before they are handed over.
const CHUNK_BYTES: usize = 64 << 10;
/// Bytes after which it is judged whether one request is fast enough.
const TRIAL_BYTES: u64 = 8 << 20;
/// Parts that are fetched at the same time.
const PARTS_AT_ONCE: usize = 4;

/// How a file may be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// From the first byte to the last.
    InOrder,
    /// In parts as well: a range of it costs no more than its bytes.
    InParts,
}

/// A file that is being fetched.
pub(crate) struct Fetching {
    pub(crate) content: Arc<dyn Content>,
    pub(crate) size: u64,
    pub(crate) manner: Manner,
    /// Bytes of a part, where it is fetched in parts.
    pub(crate) part_bytes: u64,
    pub(crate) counter: FetchCounter,
    pub(crate) chunks: Sender<Result<Bytes>>,
}

/// How a stream of chunks ended.
enum Ended {
    /// With the file, or with the interest in it.
    Whole,
    /// Nobody waits less for it than they work: go on behind this byte.
    TooSlow(u64),
}

impl Fetching {
    /// Hands chunks over until the file or the interest in it ends.
    pub(crate) async fn run(self) {
        let fetched = match self.in_one().await {
            Ok(Ended::TooSlow(at)) => self.in_parts(at).await,
            Ok(Ended::Whole) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = fetched {
            // Nobody listens any more: then nobody misses the error either.
            let _ = self.chunks.send(Err(error), 0).await;
        }
    }

    async fn in_one(&self) -> Result<Ended> {
        let mut stream = self.content.stream(0).await?;
        let mut joined = BytesMut::new();
        let (mut at, mut waited_for) = (0, 0);
        while let Some(chunk) = stream.next().await.transpose()? {
            self.counter.count(&chunk);
            at += chunk.len() as u64;
            waited_for += if self.chunks.is_starved() { chunk.len() as u64 } else { 0 };
            if !self.hand_over(chunk, &mut joined).await {
                return Ok(Ended::Whole);
            }
            if at >= TRIAL_BYTES && self.is_worth_parts(at, waited_for) {
                return match self.flush(joined).await {
                    true => Ok(Ended::TooSlow(at)),
                    false => Ok(Ended::Whole),
                };
            }
        }
        self.flush(joined).await;
        Ok(Ended::Whole)
    }

    fn is_worth_parts(&self, at: u64, waited_for: u64) -> bool {
        let left = self.size.saturating_sub(at);
        self.manner == Manner::InParts && left > 2 * self.part_bytes && waited_for > at / 4 * 3
    }

    async fn in_parts(&self, from: u64) -> Result<()> {
        let mut parts = Box::pin(self.parts(from));
        while let Some(part) = parts.next().await.transpose()? {
            for start in (0..part.len()).step_by(CHUNK_BYTES) {
                let chunk = part.slice(start..part.len().min(start + CHUNK_BYTES));
                let bytes = chunk.len() as u64;
                if self.chunks.send(Ok(chunk), bytes).await.is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn parts(&self, from: u64) -> impl Stream<Item = Result<Bytes>> {
        let starts = (from..self.size).step_by(self.part_bytes.max(1) as usize);
        let parts = starts.map(move |start| start..self.size.min(start + self.part_bytes));
        stream::iter(parts)
            .map(|part| async {
                let length = part.end - part.start;
                let bytes = self.content.range(part).await?;
                self.counter.count(&bytes);
                match bytes.len() as u64 == length {
                    true => Ok(bytes),
                    false => Err(Error::new(ErrorKind::Internal, "a range came incomplete")),
                }
            })
            .buffered(PARTS_AT_ONCE)
    }

    /// Hands a chunk over, small ones together; whether anybody listens.
    async fn hand_over(&self, chunk: Bytes, joined: &mut BytesMut) -> bool {
        if joined.is_empty() && chunk.len() >= CHUNK_BYTES {
            let bytes = chunk.len() as u64;
            return self.chunks.send(Ok(chunk), bytes).await.is_ok();
        }
        joined.extend_from_slice(&chunk);
        joined.len() < CHUNK_BYTES || self.flush(joined.split()).await
    }

    async fn flush(&self, joined: BytesMut) -> bool {
        let bytes = joined.len() as u64;
        bytes == 0 || self.chunks.send(Ok(joined.freeze()), bytes).await.is_ok()
    }
}

#[cfg(test)]
mod tests;
