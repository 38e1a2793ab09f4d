//! How much a run fetches at the same time: so many small files, so many of
//! their bytes that nobody has decoded yet, and so many large files.
//!
//! Shared by all groups of a run, first come, first served. Invariant: a group
//! that waits for its first file never waits for its own later ones, because
//! each of its files asks once the one in front of it has its share. Asking
//! all at once in order is not enough: the runtime makes tasks that do much
//! give way, and goes on with what they left in another order.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes are counted in units of this many.
const UNIT_BYTES: u64 = 1 << 10;

/// The bounds of what is fetched ahead.
#[derive(Clone, Debug)]
pub(crate) struct FetchBudget {
    requests: Arc<Semaphore>,
    units: Arc<Semaphore>,
    units_max: u32,
    streams: Arc<Semaphore>,
}

/// The place of one file: the bytes stay taken until they are decoded.
#[derive(Debug)]
pub(crate) struct FetchShare {
    request: Option<OwnedSemaphorePermit>,
    _bytes: Option<OwnedSemaphorePermit>,
}

impl FetchBudget {
    /// At most so many requests, and so many bytes of small files (one that is
    /// larger than that is fetched alone); so many files that are streamed.
    pub(crate) fn new(requests_max: usize, bytes_max: u64, streams_max: usize) -> Self {
        let [requests_max, streams_max] =
            [requests_max, streams_max].map(|count| count.clamp(1, Semaphore::MAX_PERMITS));
        let units_max = u32::try_from(bytes_max / UNIT_BYTES).unwrap_or(u32::MAX).clamp(1, 1 << 28);
        Self {
            requests: Arc::new(Semaphore::new(requests_max)),
            units: Arc::new(Semaphore::new(units_max as usize)),
            units_max,
            streams: Arc::new(Semaphore::new(streams_max)),
        }
    }

    /// A large file's turn to be streamed, for as long as it is held.
    pub(crate) async fn stream(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.streams).acquire_owned().await.ok()
    }

    /// A request's turn, for as long as it is held.
    pub(crate) async fn request(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.requests).acquire_owned().await.ok()
    }

    /// A place for a file of so many bytes, once there is one.
    pub(crate) async fn share(&self, bytes: u64) -> FetchShare {
        let units = u32::try_from(bytes / UNIT_BYTES + 1).unwrap_or(u32::MAX);
        // Nobody closes these semaphores, and who waits for room makes no request.
        let wanted = units.min(self.units_max);
        let bytes = Arc::clone(&self.units).acquire_many_owned(wanted).await.ok();
        let request = self.request().await;
        FetchShare { request, _bytes: bytes }
    }
}

impl FetchShare {
    /// The bytes are there: another request may begin.
    pub(crate) fn fetched(&mut self) {
        self.request = None;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn requests_and_bytes_are_bounded_apart() {
        let budget = FetchBudget::new(2, 4 << 10, 1);
        let mut one = budget.share(10).now_or_never().unwrap();
        let two = budget.share(10).now_or_never().unwrap();
        assert!(budget.share(10).now_or_never().is_none(), "two requests are open");
        one.fetched();
        let three = budget.share(10).now_or_never().unwrap();
        drop((two, three));
        assert!(budget.share(3 << 10).now_or_never().is_none(), "its bytes are not decoded yet");
        drop(one);
        assert!(budget.share(3 << 10).now_or_never().is_some());
    }

    #[test]
    fn large_files_wait_for_their_turn() {
        let budget = FetchBudget::new(2, 4 << 10, 1);
        let turn = budget.stream().now_or_never().unwrap();
        assert!(budget.stream().now_or_never().is_none());
        drop(turn);
        assert!(budget.stream().now_or_never().is_some());
    }

    #[test]
    fn a_file_larger_than_the_budget_is_fetched_alone() {
        let budget = FetchBudget::new(2, 4 << 10, 1);
        let large = budget.share(u64::MAX).now_or_never().unwrap();
        assert!(budget.share(1).now_or_never().is_none());
        drop(large);
        assert!(budget.share(1).now_or_never().is_some());
    }
}
