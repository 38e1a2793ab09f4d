//! The blocking side of a [`Content`]: what a format pulls its bytes from.
//!
//! Small files are fetched whole first. Larger ones are fetched ahead by a
//! bounded number of chunks while the format works on its own thread.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use decant_core::{Content, Error, ErrorKind, Input, Result};
use futures::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::observer::{Event, Observer};
use crate::report::Tally;

/// Files up to this size are fetched whole before decoding begins.
const WHOLE_BYTES_MAX: u64 = 1 << 20;
/// Network chunks are joined up to this size before they are handed over.
const CHUNK_BYTES: usize = 256 << 10;
/// Chunks that wait for the format at most.
const CHUNKS_AHEAD: usize = 4;

/// Bytes of one file, ready to be pulled by a blocking thread.
pub(crate) struct ContentInput {
    chunks: Chunks,
    content: Arc<dyn Content>,
    runtime: Handle,
    size: u64,
}

enum Chunks {
    Whole(Option<Bytes>),
    Ahead(mpsc::Receiver<Result<Bytes>>),
}

/// Where fetched bytes are counted.
#[derive(Clone)]
pub(crate) struct FetchCounter {
    pub(crate) tally: Arc<Tally>,
    pub(crate) observer: Arc<dyn Observer>,
}

impl FetchCounter {
    fn count(&self, chunk: &Bytes) {
        let bytes = chunk.len() as u64;
        self.tally.bytes(|sum| sum.fetched += bytes);
        self.observer.observe(Event::Fetched { bytes });
    }
}

impl ContentInput {
    /// Starts fetching a file of `size` bytes.
    pub(crate) async fn open(
        content: Box<dyn Content>,
        size: u64,
        counter: FetchCounter,
    ) -> Result<Self> {
        let content: Arc<dyn Content> = content.into();
        let chunks = if size <= WHOLE_BYTES_MAX {
            Chunks::Whole(Some(fetch_whole(content.as_ref(), &counter).await?))
        } else {
            let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
            let fetched = Arc::clone(&content);
            tokio::spawn(async move { fetch_ahead(fetched.as_ref(), &sender, &counter).await });
            Chunks::Ahead(receiver)
        };
        Ok(Self { chunks, content, runtime: Handle::current(), size })
    }
}

async fn fetch_whole(content: &dyn Content, counter: &FetchCounter) -> Result<Bytes> {
    let mut stream = content.stream(0).await?;
    let Some(first) = stream.next().await.transpose()? else { return Ok(Bytes::new()) };
    counter.count(&first);
    let mut whole = BytesMut::from(first);
    while let Some(chunk) = stream.next().await.transpose()? {
        counter.count(&chunk);
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

/// Hands chunks over until the file or the interest in it ends.
async fn fetch_ahead(
    content: &dyn Content,
    sender: &mpsc::Sender<Result<Bytes>>,
    counter: &FetchCounter,
) {
    let mut stream = match content.stream(0).await {
        Ok(stream) => stream,
        Err(error) => {
            // Nobody listens any more: then nobody misses the error either.
            let _ = sender.send(Err(error)).await;
            return;
        }
    };
    let mut joined = BytesMut::new();
    loop {
        match stream.next().await {
            Some(Ok(chunk)) => {
                counter.count(&chunk);
                joined.extend_from_slice(&chunk);
                if joined.len() < CHUNK_BYTES {
                    continue;
                }
                if sender.send(Ok(joined.split().freeze())).await.is_err() {
                    return;
                }
            }
            Some(Err(error)) => {
                let _ = sender.send(Err(error)).await;
                return;
            }
            None => break,
        }
    }
    if !joined.is_empty() {
        let _ = sender.send(Ok(joined.freeze())).await;
    }
}

impl Input for ContentInput {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        match &mut self.chunks {
            Chunks::Whole(bytes) => Ok(bytes.take().filter(|bytes| !bytes.is_empty())),
            Chunks::Ahead(receiver) => receiver.blocking_recv().transpose(),
        }
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        if range.start > range.end {
            return Err(Error::new(ErrorKind::Internal, "a range ends before it begins"));
        }
        self.runtime.block_on(self.content.range(range))
    }

    fn size(&self) -> Option<u64> {
        Some(self.size)
    }
}
