//! Chunks: parts of a file that are committed by themselves. What of the
//! ledger they need is looked at when a load begins, and again at its commit.

use chrono::Utc;
use decant_core::destination::{Chunk, FileTotals, LoadFile, LoadPlan};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::ledger::{LedgerEntry, LoadedChunk, Status};
use decant_core::reject::Reject;

use super::ledger::Book;

/// What the ledger says of a chunk that is about to be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Opens,
    Joins,
    AlreadyLoaded,
    Overtaken,
}

impl Book {
    /// What is to become of a chunk.
    pub(super) fn standing(&self, file: &LoadFile, chunk: &Chunk) -> Result<Standing> {
        let status = self.entries.get(&file.id).map(|entry| entry.status);
        match status {
            _ if chunk.opens && file.again => Ok(Standing::Opens),
            Some(Status::Loaded) => Ok(Standing::AlreadyLoaded),
            Some(Status::Loading) => self.beside(file, chunk),
            _ if chunk.opens => Ok(Standing::Opens),
            _ => Ok(Standing::Overtaken),
        }
    }

    fn beside(&self, file: &LoadFile, chunk: &Chunk) -> Result<Standing> {
        let mut known = self.chunks.get(&file.id).into_iter().flatten();
        let overlaps = |known: &&LoadedChunk| {
            known.bytes.start < chunk.bytes.end && known.bytes.end > chunk.bytes.start
        };
        match known.find(overlaps) {
            None => Ok(Standing::Joins),
            Some(known) if known.bytes == chunk.bytes => Ok(Standing::AlreadyLoaded),
            Some(known) => {
                let message = format!("{:?} overlaps with {:?}", chunk.bytes, known.bytes);
                Err(Error::new(ErrorKind::Conflict, message))
            }
        }
    }

    /// Enters a chunk: whether it opens its file or joins others.
    pub(super) fn enter(
        &mut self,
        plan: &LoadPlan,
        (file, chunk): (&LoadFile, &Chunk),
        totals: &FileTotals,
        rejects: Vec<Reject>,
        standing: Standing,
    ) {
        if standing == Standing::Opens {
            self.chunks.remove(&file.id);
            self.drop_rejects(file.id);
        }
        let before = self.entries.get(&file.id).filter(|_| standing == Standing::Joins);
        let in_before = before.map(|entry| {
            (entry.rows_copied, entry.rows_rejected, entry.rows_checksum.unwrap_or_default())
        });
        let (rows, rejected, checksum) = in_before.unwrap_or_default();
        let layout = before.and_then(|entry| entry.layout.clone());
        let chunks = self.chunks.entry(file.id).or_default();
        chunks.push(LoadedChunk {
            bytes: chunk.bytes.clone(),
            chunk_bytes: chunk.chunk_bytes,
            rows_read: totals.rows_read,
            rows_copied: totals.rows_loaded,
            rows_rejected: totals.rows_rejected,
        });
        let covered: u64 = chunks.iter().map(|chunk| chunk.bytes.end - chunk.bytes.start).sum();
        let is_complete = covered == file.file.size;
        let entry = LedgerEntry {
            id: file.id,
            file: file.file.clone(),
            target_table: plan.table.to_string(),
            stream: file.stream.clone(),
            status: if is_complete { Status::Loaded } else { Status::Loading },
            processed_at: Utc::now(),
            processing_seconds: totals.processing_seconds,
            rows_copied: rows + totals.rows_loaded,
            rows_rejected: rejected + totals.rows_rejected,
            rows_checksum: Some(checksum.wrapping_add(totals.rows_checksum)),
            load_id: plan.load_id.clone(),
            run_id: plan.run_id.clone(),
            attempts: self.attempts(file.id) + u32::from(is_complete),
            error: None,
            layout: totals.layout.clone().or(layout),
        };
        self.keep(entry);
        self.keep_rejects(file.id, rejects);
    }
}
