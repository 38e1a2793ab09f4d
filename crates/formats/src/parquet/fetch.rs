//! Ranges of one column's chunk, read ahead, asked of the thread that has the
//! input.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use arrow_array::RecordBatch;
use bytes::Bytes;
use parquet::errors::{ParquetError, Result};

use super::memory::Memory;

/// What the thread that makes batches says to the one that has the input.
pub(super) enum Order {
    /// These bytes of the file, please.
    Fetch(Range<u64>, SyncSender<Bytes>),
    /// Rows, and the bytes that were unpacked for them. The answer comes when
    /// they have been dealt with.
    Rows(RecordBatch, u64, SyncSender<()>),
}

/// A connection to the thread that has the input.
#[derive(Clone)]
pub(super) struct Line {
    orders: SyncSender<Order>,
}

impl Line {
    /// A line, and its other end.
    pub(super) fn new() -> (Self, Receiver<Order>) {
        let (orders, other_end) = sync_channel(1);
        (Self { orders }, other_end)
    }

    /// Asks for bytes. An error means that nobody answers any more.
    pub(super) fn fetch(&self, range: Range<u64>) -> Result<Bytes> {
        let (sender, answer) = sync_channel(1);
        self.orders.send(Order::Fetch(range, sender)).map_err(|_| hung_up())?;
        answer.recv().map_err(|_| hung_up())
    }

    /// Hands rows over and waits until they have been dealt with, so that
    /// their memory is free again.
    pub(super) fn deliver(&self, batch: RecordBatch, bytes: u64) -> Result<()> {
        let (sender, answer) = sync_channel(1);
        self.orders.send(Order::Rows(batch, bytes, sender)).map_err(|_| hung_up())?;
        answer.recv().map_err(|_| hung_up())
    }
}

fn hung_up() -> ParquetError {
    ParquetError::General("the decoding was ended".to_owned())
}

/// Bytes of one column's chunk.
pub(super) struct Window {
    line: Line,
    memory: Arc<Memory>,
    /// Where the chunk ends in the file.
    end: u64,
    /// Bytes that are fetched at once, where there are as many.
    ahead: u64,
    /// Where the bytes that are here begin in the file.
    start: u64,
    bytes: Bytes,
}

impl Window {
    /// A window onto the chunk that ends at `end`, `here` of which, from
    /// `start` on, has been fetched already.
    pub(super) fn new(
        line: Line,
        memory: Arc<Memory>,
        end: u64,
        ahead: u64,
        (start, here): (u64, Bytes),
    ) -> Self {
        Self { line, memory, end, ahead, start, bytes: here }
    }

    /// At least one byte from `offset` on, and `wanted` where the chunk has as
    /// many.
    pub(super) fn at_least(&mut self, offset: u64, wanted: u64) -> Result<Bytes> {
        let wanted = wanted.min(self.end.saturating_sub(offset));
        if wanted == 0 {
            return Err(ParquetError::EOF("a page lies behind its column's end".to_owned()));
        }
        if let Some(here) = self.here(offset).filter(|here| here.len() as u64 >= wanted) {
            return Ok(here);
        }
        let bytes = wanted.max(self.ahead).min(self.end - offset);
        self.bytes = Bytes::new();
        self.memory.check(bytes, "a page as it is stored")?;
        let fetched = self.line.fetch(offset..offset + bytes)?;
        if (fetched.len() as u64) < wanted {
            return Err(ParquetError::EOF("the file is shorter than it was".to_owned()));
        }
        self.start = offset;
        self.bytes = self.memory.hold(fetched);
        Ok(self.bytes.clone())
    }

    /// Exactly these bytes.
    pub(super) fn exactly(&mut self, offset: u64, bytes: u64) -> Result<Bytes> {
        if bytes == 0 {
            return Ok(Bytes::new());
        }
        let here = self.at_least(offset, bytes)?;
        match usize::try_from(bytes).ok().filter(|bytes| *bytes <= here.len()) {
            Some(bytes) => Ok(here.slice(..bytes)),
            None => Err(ParquetError::EOF("a page lies behind its column's end".to_owned())),
        }
    }

    fn here(&self, offset: u64) -> Option<Bytes> {
        let skipped = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        (skipped < self.bytes.len()).then(|| self.bytes.slice(skipped..))
    }
}
