//! The ledger in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::Utc;
use decant_core::destination::LoadPlan;
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::{FileId, FileVersion};
use decant_core::ledger::{
    HistoryFilter, KeyRange, Ledger, LedgerEntry, REJECTS_KEPT, RejectsFilter, Settlement, Status,
    StoredReject,
};
use decant_core::reject::Reject;

use super::MemoryDatabase;

/// The rows of one ledger.
#[derive(Default)]
pub(super) struct Book {
    pub(super) entries: BTreeMap<FileId, LedgerEntry>,
    pub(super) rejects: BTreeMap<FileId, Vec<Reject>>,
}

impl Book {
    /// Refuses an id that another file has.
    pub(super) fn check_identity(&self, id: FileId, file: &FileVersion, table: &str) -> Result<()> {
        match self.entries.get(&id) {
            Some(known) if known.file != *file || known.target_table != table => {
                let message = format!("the ledger has the id {id} of {file} for {}", known.file);
                Err(Error::new(ErrorKind::Internal, message))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn is_loaded(&self, id: FileId) -> bool {
        self.entries.get(&id).is_some_and(|entry| entry.status == Status::Loaded)
    }

    pub(super) fn loaded(&self, table: &str) -> Vec<FileId> {
        let of_table = self.entries.values().filter(|entry| entry.target_table == table);
        of_table.filter(|entry| entry.status == Status::Loaded).map(|entry| entry.id).collect()
    }

    pub(super) fn attempts(&self, id: FileId) -> u32 {
        self.entries.get(&id).map_or(0, |entry| entry.attempts)
    }

    pub(super) fn load(&mut self, entry: LedgerEntry, rejects: Option<&Vec<Reject>>) {
        self.keep_rejects(entry.id, rejects.cloned().unwrap_or_default());
        self.keep(entry);
    }

    pub(super) fn supersede(&mut self, id: FileId, plan: &LoadPlan) {
        self.rejects.remove(&id);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.status = Status::Superseded;
            entry.processed_at = Utc::now();
            entry.load_id.clone_from(&plan.load_id);
            entry.run_id.clone_from(&plan.run_id);
        }
    }

    fn settle(&mut self, settlement: &Settlement) -> Result<()> {
        self.check_identity(settlement.id, &settlement.file, &settlement.target_table)?;
        if self.is_loaded(settlement.id) {
            return Ok(());
        }
        let kept: Vec<Reject> = settlement.rejects.iter().take(REJECTS_KEPT).cloned().collect();
        self.keep(LedgerEntry {
            id: settlement.id,
            file: settlement.file.clone(),
            target_table: settlement.target_table.clone(),
            stream: settlement.stream.clone(),
            status: settlement.status,
            processed_at: Utc::now(),
            processing_seconds: settlement.processing_seconds,
            rows_copied: 0,
            rows_rejected: kept.len() as u64,
            rows_checksum: None,
            load_id: String::new(),
            run_id: settlement.run_id.clone(),
            attempts: self.attempts(settlement.id) + 1,
            error: Some(settlement.error.clone()),
            layout: None,
        });
        self.keep_rejects(settlement.id, kept);
        Ok(())
    }

    fn keep(&mut self, mut entry: LedgerEntry) {
        entry.file.version_id = None;
        self.entries.insert(entry.id, entry);
    }

    fn keep_rejects(&mut self, id: FileId, mut rejects: Vec<Reject>) {
        rejects.sort_by_key(|reject| reject.ordinal);
        self.rejects.insert(id, rejects);
    }
}

/// A handle onto a ledger, which may not exist yet.
pub(super) struct MemoryLedger {
    pub(super) database: MemoryDatabase,
    pub(super) name: String,
}

impl MemoryLedger {
    fn entries(&self, is_wanted: impl Fn(&LedgerEntry) -> bool) -> Vec<LedgerEntry> {
        let mut entries = self.database.ledger_entries(&self.name);
        entries.retain(is_wanted);
        entries
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn known(&self, range: &KeyRange) -> Result<Vec<LedgerEntry>> {
        let mut known = self.entries(|LedgerEntry { file, .. }| {
            file.source == range.source
                && file.bucket == range.bucket
                && (&range.first..=&range.last).contains(&&file.key)
        });
        known.sort_by(|one, other| one.file.key.cmp(&other.file.key));
        Ok(known)
    }

    async fn loaded(&self, table: &str) -> Result<Vec<FileId>> {
        let contents = self.database.contents();
        Ok(contents.books.get(&self.name).map(|book| book.loaded(table)).unwrap_or_default())
    }

    async fn settle(&self, settlement: &Settlement) -> Result<()> {
        let _claim = self.database.shared.locks.claim(&self.name, settlement.id).await;
        let mut contents = self.database.contents();
        contents.books.entry(self.name.clone()).or_default().settle(settlement)
    }

    async fn rejects(&self, file: FileId) -> Result<Vec<Reject>> {
        let contents = self.database.contents();
        let rejects = contents.books.get(&self.name).and_then(|book| book.rejects.get(&file));
        Ok(rejects.cloned().unwrap_or_default())
    }

    async fn stored_rejects(&self, _filter: &RejectsFilter) -> Result<Vec<StoredReject>> {
        Err(decant_core::Error::new(decant_core::ErrorKind::Unsupported, "stored rejects"))
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<Vec<LedgerEntry>> {
        let mut entries = self.entries(|entry| passes(filter, entry));
        entries.sort_by_key(|entry| std::cmp::Reverse((entry.processed_at, entry.id)));
        let limit = filter.limit.and_then(|limit| usize::try_from(limit).ok());
        entries.truncate(limit.unwrap_or(usize::MAX));
        Ok(entries)
    }
}

fn passes(filter: &HistoryFilter, entry: &LedgerEntry) -> bool {
    filter.table.as_ref().is_none_or(|table| *table == entry.target_table)
        && filter.status.is_none_or(|status| status == entry.status)
        && filter.run_id.as_ref().is_none_or(|run| *run == entry.run_id)
}
