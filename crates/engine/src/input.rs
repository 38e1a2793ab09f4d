//! The blocking side of a [`Content`]: what a format pulls its bytes from.
//!
//! Small files are fetched whole first, and their ranges are served from
//! memory. Of a larger one nothing is fetched before the format asks: for the
//! next chunk, and it is fetched ahead by a bounded number of bytes while the
//! format works on its own thread; or for a range, and only that is fetched.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use decant_core::{Content, Error, ErrorKind, FileVersion, Input, Result};
use futures::StreamExt;
use tokio::runtime::Handle;

use crate::fetch::{Fetching, Manner};
use crate::observer::{Event, Observer};
use crate::queue::{Receiver, queue};
use crate::report::Tally;

/// Files up to this size are fetched whole before decoding begins.
const WHOLE_BYTES_MAX: u64 = 1 << 20;

/// Bytes of one file, ready to be pulled by a blocking thread.
pub(crate) struct ContentInput {
    chunks: Chunks,
    content: Arc<dyn Content>,
    counter: FetchCounter,
    runtime: Handle,
    size: u64,
    manner: Manner,
    ahead_bytes: u64,
}

enum Chunks {
    /// All bytes of the file, and whether they are still to be handed over.
    Whole(Bytes, bool),
    /// Nobody asked for a chunk yet.
    Unasked,
    Ahead(Receiver<Result<Bytes>>),
}

/// When a file's bytes are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// All of them first, whatever the size: who asks knows that they fit.
    Whole,
    /// A small file whole, of a larger one what is asked for.
    AsAsked,
}

/// Where fetched bytes are counted.
#[derive(Clone)]
pub(crate) struct FetchCounter {
    pub(crate) tally: Arc<Tally>,
    pub(crate) observer: Arc<dyn Observer>,
}

impl FetchCounter {
    pub(crate) fn count(&self, chunk: &Bytes) {
        let bytes = chunk.len() as u64;
        self.tally.bytes(|sum| sum.fetched += bytes);
        self.observer.observe(Event::Fetched { bytes });
    }
}

impl ContentInput {
    /// Fetches `file` if it is small; a larger one waits to be asked for, and
    /// is then fetched ahead by so many bytes.
    pub(crate) async fn open(
        content: Box<dyn Content>,
        file: &FileVersion,
        ahead_bytes: u64,
        counter: FetchCounter,
        reading: Reading,
    ) -> Result<Self> {
        let content: Arc<dyn Content> = content.into();
        let size = file.size;
        // A range of a member may take all bytes before it.
        let manner = if file.member.is_empty() { Manner::InParts } else { Manner::InOrder };
        let chunks = if size <= WHOLE_BYTES_MAX || reading == Reading::Whole {
            let bytes = whole(content.as_ref()).await?;
            counter.count(&bytes);
            Chunks::Whole(bytes, true)
        } else {
            Chunks::Unasked
        };
        Ok(Self { chunks, content, counter, runtime: Handle::current(), size, manner, ahead_bytes })
    }

    fn start_fetching(&self) -> Receiver<Result<Bytes>> {
        let (chunks, receiver) = queue(self.ahead_bytes);
        let (content, counter) = (Arc::clone(&self.content), self.counter.clone());
        let (size, manner) = (self.size, self.manner);
        let part_bytes = self.ahead_bytes * 2;
        let fetching = Fetching { content, size, manner, part_bytes, counter, chunks };
        self.runtime.spawn(fetching.run());
        receiver
    }
}

/// All bytes of a file, in one piece.
pub(crate) async fn whole(content: &dyn Content) -> Result<Bytes> {
    let mut stream = content.stream(0).await?;
    let Some(first) = stream.next().await.transpose()? else { return Ok(Bytes::new()) };
    let Some(second) = stream.next().await.transpose()? else { return Ok(first) };
    let mut whole = BytesMut::from(first);
    whole.extend_from_slice(&second);
    while let Some(chunk) = stream.next().await.transpose()? {
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

impl Input for ContentInput {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        if matches!(self.chunks, Chunks::Unasked) {
            self.chunks = Chunks::Ahead(self.start_fetching());
        }
        match &mut self.chunks {
            Chunks::Whole(bytes, waiting) => {
                let chunk = std::mem::take(waiting).then(|| bytes.clone());
                Ok(chunk.filter(|chunk| !chunk.is_empty()))
            }
            Chunks::Unasked => Ok(None),
            Chunks::Ahead(receiver) => receiver.receive_blocking().transpose(),
        }
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        if range.start > range.end || range.end > self.size {
            return Err(Error::new(
                ErrorKind::MalformedFile,
                format!("bytes {} to {} are not in the file", range.start, range.end),
            ));
        }
        if let Chunks::Whole(bytes, _) = &self.chunks {
            let within = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
            let held = within.filter(|(_, end)| *end <= bytes.len());
            return held.map(|(start, end)| bytes.slice(start..end)).ok_or_else(|| {
                Error::new(ErrorKind::Conflict, "the file is shorter than it was listed")
            });
        }
        let bytes = self.runtime.block_on(self.content.range(range))?;
        self.counter.count(&bytes);
        Ok(bytes)
    }

    fn size(&self) -> Option<u64> {
        Some(self.size)
    }
}
