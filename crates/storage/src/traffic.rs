//! What the storage was asked for, counted for the report.

use std::sync::atomic::{AtomicU64, Ordering};

/// Requests and bytes since a storage was opened. Local files count bytes
/// alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Pages of listings asked for.
    pub list_requests: u64,
    /// Objects, or ranges of them, asked for.
    pub get_requests: u64,
    /// Metadata of objects and buckets asked for.
    pub head_requests: u64,
    /// Requests that were made again after a passing fault.
    pub retries: u64,
    /// Bytes of content received.
    pub bytes_fetched: u64,
}

/// The counters behind [`Traffic`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) list_requests: AtomicU64,
    pub(crate) get_requests: AtomicU64,
    pub(crate) head_requests: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) bytes_fetched: AtomicU64,
}

impl Counters {
    /// Adds to one of them.
    pub(crate) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// The counts of this moment.
    pub(crate) fn traffic(&self) -> Traffic {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            list_requests: read(&self.list_requests),
            get_requests: read(&self.get_requests),
            head_requests: read(&self.head_requests),
            retries: read(&self.retries),
            bytes_fetched: read(&self.bytes_fetched),
        }
    }
}
