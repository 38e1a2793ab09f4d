//! One member of an archive as the content of a file.
//!
//! Invariant: a stream that ends without an error has delivered every byte,
//! whatever becomes of the thread that unpacks it.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Buf, Bytes};
use decant_core::{ByteStream, Content, Error, ErrorKind, Result};
use futures::{StreamExt, stream};
use tokio::sync::{OnceCell, mpsc};

use super::opened::{Opened, ended_badly};
use super::spool::Spool;

/// Chunks that wait for the reader at most.
const CHUNKS_AHEAD: usize = 2;

/// A member of an open archive.
pub(super) struct MemberContent {
    opened: Arc<Opened>,
    position: usize,
    /// Its bytes, once somebody asked for a range of them.
    kept: OnceCell<Arc<Spool>>,
}

impl MemberContent {
    pub(super) fn new(opened: Arc<Opened>, position: usize) -> Self {
        Self { opened, position, kept: OnceCell::new() }
    }
}

#[async_trait]
impl Content for MemberContent {
    async fn stream(&self, offset: u64) -> Result<ByteStream> {
        let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
        let (opened, position) = (Arc::clone(&self.opened), self.position);
        tokio::task::spawn_blocking(move || {
            let last = match send_chunks(&opened, position, offset, &sender) {
                Ok(()) => Ok(None),
                Err(error) => Err(error),
            };
            // Nobody listens any more: then nobody misses the end either.
            let _ = sender.blocking_send(last);
        });
        let chunks = stream::unfold(Some(receiver), |receiver| async {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Some(Ok(Some(chunk))) => Some((Ok(chunk), Some(receiver))),
                Some(Ok(None)) => None,
                Some(Err(error)) => Some((Err(error), None)),
                None => {
                    let error = Error::new(ErrorKind::MalformedFile, "reading the member panicked");
                    Some((Err(error), None))
                }
            }
        });
        Ok(chunks.boxed())
    }

    async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        let kept = self.kept.get_or_try_init(|| async {
            let (opened, position) = (Arc::clone(&self.opened), self.position);
            let keeping = tokio::task::spawn_blocking(move || {
                let mut input = opened.input();
                let mut member = opened.directory().read(position, input.as_mut())?;
                Spool::fill(member.as_mut()).map(Arc::new)
            });
            keeping.await.unwrap_or_else(|error| Err(ended_badly(error)))
        });
        kept.await?.range(range)
    }
}

/// Sends a member's bytes from `offset` on, until the interest in it ends.
fn send_chunks(
    opened: &Opened,
    position: usize,
    offset: u64,
    sender: &mpsc::Sender<Result<Option<Bytes>>>,
) -> Result<()> {
    let mut input = opened.input();
    let mut member = opened.directory().read(position, input.as_mut())?;
    let mut passed_over = offset;
    while let Some(mut chunk) = member.next_chunk()? {
        let cut = passed_over.min(chunk.len() as u64);
        chunk.advance(cut as usize);
        passed_over -= cut;
        if !chunk.is_empty() && sender.blocking_send(Ok(Some(chunk))).is_err() {
            return Ok(());
        }
    }
    Ok(())
}
