//! What the chunks of one file bring together: the limits of a file hold for
//! all of them, whoever of several connections commits first.

use std::sync::{Mutex, PoisonError};

use decant_core::ledger::LoadedChunk;
use decant_core::stream::MaxRejects;

use crate::file_progress::{FileFailure, FileProgress};

/// Counts what is in of a file, and what is about to be.
#[derive(Debug)]
pub(crate) struct Admission {
    file_bytes: u64,
    max_rejects: MaxRejects,
    counts: Mutex<Counts>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    bytes: u64,
    rows_read: u64,
    rows_rejected: u64,
}

impl Admission {
    /// Counts for a file of which `known` is in.
    pub(crate) fn new(file_bytes: u64, max_rejects: MaxRejects, known: &[LoadedChunk]) -> Self {
        let counts = known.iter().fold(Counts::default(), |sum, chunk| Counts {
            bytes: sum.bytes + (chunk.bytes.end - chunk.bytes.start),
            rows_read: sum.rows_read + chunk.rows_read,
            rows_rejected: sum.rows_rejected + chunk.rows_rejected,
        });
        Self { file_bytes, max_rejects, counts: Mutex::new(counts) }
    }

    /// Lets a chunk of so many bytes be committed, unless the file has too
    /// many bad rows with it. A percentage is judged with the last chunk.
    pub(super) fn admit(&self, bytes: u64, progress: &mut FileProgress) -> Result<(), FileFailure> {
        let totals = progress.totals();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let with = Counts {
            bytes: counts.bytes + bytes,
            rows_read: counts.rows_read + totals.rows_read,
            rows_rejected: counts.rows_rejected + totals.rows_rejected,
        };
        let (rejected, read) = (with.rows_rejected, with.rows_read);
        if self.max_rejects.is_exceeded(rejected, read, with.bytes >= self.file_bytes) {
            return Err(progress.too_many(rejected, read, self.max_rejects));
        }
        *counts = with;
        Ok(())
    }

    /// Somebody else has committed so many bytes.
    pub(super) fn is_in(&self, bytes: u64) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).bytes += bytes;
    }

    /// Bytes of the file that are not in.
    pub(super) fn bytes_left(&self) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        self.file_bytes.saturating_sub(counts.bytes)
    }

    /// The chunk was not committed after all.
    pub(super) fn withdraw(&self, bytes: u64, progress: &FileProgress) {
        let totals = progress.totals();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.bytes = counts.bytes.saturating_sub(bytes);
        counts.rows_read = counts.rows_read.saturating_sub(totals.rows_read);
        counts.rows_rejected = counts.rows_rejected.saturating_sub(totals.rows_rejected);
    }
}
