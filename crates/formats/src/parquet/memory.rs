//! What decoding one file holds in memory, and the bound on it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use decant_core::{Error, ErrorKind};
use parquet::errors::ParquetError;

/// The bytes that one file's decoding holds.
#[derive(Debug)]
pub(super) struct Memory {
    limit: u64,
    held: AtomicU64,
    unpacked: AtomicU64,
    /// Whether something was refused since this was last asked.
    refused: AtomicBool,
    /// The error behind one of the parquet crate's, which keeps only texts.
    error: Mutex<Option<Error>>,
}

/// Bytes that are given back when they are dropped.
struct Held {
    bytes: Bytes,
    memory: Arc<Memory>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.held.fetch_sub(self.bytes.len() as u64, Ordering::Relaxed);
    }
}

impl Memory {
    pub(super) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self {
            limit,
            held: AtomicU64::new(0),
            unpacked: AtomicU64::new(0),
            refused: AtomicBool::new(false),
            error: Mutex::new(None),
        })
    }

    /// Whether so many bytes more may be held.
    pub(super) fn check(&self, bytes: u64, what: &str) -> Result<(), ParquetError> {
        let held = self.held.load(Ordering::Relaxed);
        if held.saturating_add(bytes) <= self.limit {
            return Ok(());
        }
        self.refused.store(true, Ordering::Relaxed);
        let message = format!(
            "{what} of {bytes} bytes and {held} bytes of other pages are more than the {} bytes \
             of memory that one file may take",
            self.limit
        );
        Err(self.fail(Error::new(ErrorKind::Unsupported, message).with_hint(
            "allow more with the format's `memory_bytes`, or write the file with smaller pages",
        )))
    }

    /// Says that what was to be made takes too much memory in one piece.
    pub(super) fn refuse(&self) -> ParquetError {
        self.refused.store(true, Ordering::Relaxed);
        ParquetError::General("a batch has too much text".to_owned())
    }

    /// Holds bytes for as long as anybody refers to them. Whoever makes them
    /// has [checked](Memory::check) that they may be held.
    pub(super) fn hold(self: &Arc<Self>, bytes: Bytes) -> Bytes {
        self.held.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Bytes::from_owner(Held { bytes, memory: Arc::clone(self) })
    }

    /// Counts bytes that were unpacked.
    pub(super) fn count_unpacked(&self, bytes: u64) {
        self.unpacked.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes that were unpacked since this was last asked.
    pub(super) fn take_unpacked(&self) -> u64 {
        self.unpacked.swap(0, Ordering::Relaxed)
    }

    /// Whether something was refused since this was last asked.
    pub(super) fn take_refused(&self) -> bool {
        self.refused.swap(false, Ordering::Relaxed)
    }

    /// Keeps an error while the parquet crate hands its text on.
    pub(super) fn fail(&self, error: Error) -> ParquetError {
        let text = error.message().to_owned();
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        ParquetError::General(text)
    }

    /// The error that was kept.
    pub(super) fn take_error(&self) -> Option<Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
