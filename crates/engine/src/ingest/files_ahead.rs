//! The files of a group, fetched ahead of their decoding and handed over in
//! order.
//!
//! A task of its own fetches, so that requests go on while the group decodes
//! or commits. Invariants: what is fetched and not yet decoded stays within the
//! run's [`FetchBudget`](crate::fetch_budget::FetchBudget), and what is decoded
//! within the group's bytes and one file; no file has its share of the budget
//! before those in front of it, or a group could wait for itself; and the task
//! waits for shares and bytes alone, never for who takes the files, or its
//! requests would stand still meanwhile.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use decant_core::stream::GroupLimits;
use futures::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Ingest, PlannedFile};
use crate::conforming::Matched;
use crate::decode::{Undone, WholeFile};
use crate::fetch_budget::FetchShare;
use crate::file_progress::Undecoded;
use crate::tables::TablePlan;

/// Files of one group that are asked for at the same time, as far as the run's
/// budget allows.
const FETCHED_TOGETHER: usize = 256;
/// Fetched files that are decoded in one go at most.
const DECODED_IN_A_ROW: usize = 16;
/// A file that takes a larger part of its group's bytes has a transaction of
/// its own.
const PARTS_OF_A_GROUP: u64 = 4;

/// Bytes of the largest file that shares a transaction with others.
pub(crate) fn shared_file_bytes_max(group: GroupLimits) -> u64 {
    group.bytes / PARTS_OF_A_GROUP
}

/// A file that may be fetched, or why it may not.
type Shared = Result<(PlannedFile, FetchShare), (PlannedFile, Undecoded)>;
/// A file whose bytes are there, or why they are not.
type Fetched = Result<Undone<(PlannedFile, FetchShare)>, (PlannedFile, Undecoded)>;
/// Files with what became of their decoding, in order.
pub(super) type DecodedFiles = Vec<(PlannedFile, Result<WholeFile, Undecoded>)>;

/// Files on their way. Dropped, what is under way is given up.
pub(super) struct FilesAhead {
    ingest: Ingest,
    plan: Arc<TablePlan>,
    fetched: mpsc::UnboundedReceiver<Fetched>,
    fetching: JoinHandle<()>,
    waiting: VecDeque<Fetched>,
    /// How the columns of the file before matched with the table.
    matched: Option<Arc<Matched>>,
}

impl FilesAhead {
    /// Starts fetching files, but for those that are too large to be decoded
    /// whole.
    pub(super) fn start(ingest: &Ingest, files: Vec<PlannedFile>, plan: Arc<TablePlan>) -> Self {
        // The budget bounds what waits in it.
        let (sender, fetched) = mpsc::unbounded_channel();
        let fetcher = Arc::new(ingest.clone());
        let fetching = tokio::spawn(async move {
            let (sharer, fetcher) = (Arc::clone(&fetcher), fetcher);
            let in_turn = stream::iter(files).then(move |file| Arc::clone(&sharer).share(file));
            let fetches = in_turn.map(move |shared| Arc::clone(&fetcher).fetch(shared));
            let mut fetches = pin!(fetches.buffered(FETCHED_TOGETHER));
            while let Some(file) = fetches.next().await {
                if sender.send(file).is_err() {
                    return;
                }
            }
        });
        let (ingest, waiting) = (ingest.clone(), VecDeque::new());
        Self { ingest, plan, fetched, fetching, waiting, matched: None }
    }

    /// Decodes the next files that are there, until the group holds enough;
    /// `None` after the last, or when the run is to end.
    pub(super) async fn decode_next(&mut self, held_bytes: u64) -> Option<DecodedFiles> {
        if self.waiting.is_empty() {
            let mut some = Vec::with_capacity(DECODED_IN_A_ROW);
            self.fetched.recv_many(&mut some, DECODED_IN_A_ROW).await;
            self.waiting.extend(some);
        }
        let (mut undone, mut ends) = (VecDeque::new(), Vec::new());
        while let Some(fetched) = self.waiting.pop_front() {
            match fetched {
                Ok(file) => undone.push_back(file),
                Err((file, undecoded)) => ends.push((file, Err(undecoded))),
            }
        }
        if undone.is_empty() {
            return Some(ends).filter(|ends| !ends.is_empty());
        }
        let group = self.ingest.settings.group;
        let limits = (group.bytes.saturating_sub(held_bytes), shared_file_bytes_max(group));
        let decoding = self.ingest.decoder.wholes(undone, &self.plan, limits, &mut self.matched);
        let (done, left) = decoding.await;
        self.waiting.extend(left.into_iter().map(Ok));
        ends.extend(done.into_iter().map(|((file, _), whole)| (file, whole)));
        Some(ends).filter(|ends| !ends.is_empty())
    }
}

impl Drop for FilesAhead {
    fn drop(&mut self) {
        self.fetching.abort();
    }
}

impl Ingest {
    /// Waits until the budget has room for a file.
    async fn share(self: Arc<Self>, file: PlannedFile) -> Shared {
        if file.file.size > shared_file_bytes_max(self.settings.group) || self.is_chunked(&file) {
            return Err((file, Undecoded::TooLarge));
        }
        let share = self.budget.share(file.file.size);
        match self.decoder.stop.unless_requested(share).await {
            Some(share) => Ok((file, share)),
            None => Err((file, Undecoded::Abandoned)),
        }
    }

    /// Fetches a file that has its share.
    async fn fetch(self: Arc<Self>, shared: Shared) -> Fetched {
        let (file, mut share) = shared?;
        let progress = self.progress(&file);
        let fetched = match self.fetched_early(&file).await {
            Some(bytes) => self.decoder.take(&file.file, bytes).await,
            None => self.decoder.fetch(&file.file).await,
        };
        match fetched {
            Ok(opened) => {
                share.fetched();
                Ok(Undone { of: (file, share), opened, progress })
            }
            Err(undecoded) => Err((file, undecoded)),
        }
    }

    /// Its bytes, if they were fetched before the file was planned. Where
    /// another version of it is in by now they are left: a request tells
    /// whether the version that was listed is still there.
    async fn fetched_early(&self, file: &PlannedFile) -> Option<Bytes> {
        if file.again || !file.displaces.is_empty() {
            return None;
        }
        self.decoder.stop.unless_requested(self.early.take(&file.file)).await.flatten()
    }
}
