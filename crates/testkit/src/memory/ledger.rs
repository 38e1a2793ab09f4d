//! The ledger in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use decant_core::destination::{FileTotals, LoadPlan};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::{FileId, FileVersion};
use decant_core::ledger::{
    HistoryFilter, KeyRange, KnownFile, Ledger, LedgerEntry, LoadedChunk, REJECTS_KEPT,
    RejectsFilter, Settlement, Status, StoredReject,
};
use decant_core::reject::{Reason, Reject};

use super::MemoryDatabase;

/// The rows of one ledger.
#[derive(Default)]
pub(super) struct Book {
    pub(super) entries: BTreeMap<FileId, LedgerEntry>,
    pub(super) chunks: BTreeMap<FileId, Vec<LoadedChunk>>,
    rejects: BTreeMap<FileId, Vec<KeptReject>>,
    rejects_so_far: i64,
}

/// A row of the rejects.
struct KeptReject {
    id: i64,
    reject: Reject,
    rejected_at: DateTime<Utc>,
    settled_at: Option<DateTime<Utc>>,
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

    /// The files that have rows in a table.
    pub(super) fn loaded(&self, table: &str) -> Vec<FileId> {
        let of_table = self.entries.values().filter(|entry| entry.target_table == table);
        let has_rows =
            |entry: &&LedgerEntry| matches!(entry.status, Status::Loaded | Status::Loading);
        of_table.filter(has_rows).map(|entry| entry.id).collect()
    }

    pub(super) fn loaded_versions(&self, file: &FileVersion, table: &str) -> Vec<FileId> {
        let place = |file: &FileVersion| {
            (file.source.clone(), file.bucket.clone(), file.key.clone(), file.member.clone())
        };
        let of_table = self.entries.values().filter(|entry| entry.target_table == table);
        of_table
            .filter(|entry| entry.status == Status::Loaded && place(&entry.file) == place(file))
            .map(|entry| entry.id)
            .collect()
    }

    pub(super) fn attempts(&self, id: FileId) -> u32 {
        self.entries.get(&id).map_or(0, |entry| entry.attempts)
    }

    pub(super) fn load(&mut self, entry: LedgerEntry, rejects: Option<&Vec<Reject>>) {
        self.rejects.remove(&entry.id);
        self.chunks.remove(&entry.id);
        self.keep_rejects(entry.id, rejects.cloned().unwrap_or_default());
        self.keep(entry);
    }

    /// Adds what a replay brought to a file that is loaded.
    pub(super) fn replay(
        &mut self,
        totals: &FileTotals,
        rejects: Option<&Vec<Reject>>,
    ) -> Result<()> {
        self.check_unsettled(totals)?;
        let kept = self.rejects.entry(totals.id).or_default();
        for reject in kept.iter_mut().filter(|reject| totals.settles.contains(&reject.id)) {
            reject.settled_at = Some(Utc::now());
        }
        self.keep_rejects(totals.id, rejects.cloned().unwrap_or_default());
        if let Some(entry) = self.entries.get_mut(&totals.id) {
            entry.rows_copied += totals.rows_loaded;
            entry.rows_rejected += totals.rows_rejected;
            entry.rows_rejected -= totals.settles.len() as u64;
            let checksum = entry.rows_checksum;
            entry.rows_checksum = checksum.map(|known| known.wrapping_add(totals.rows_checksum));
        }
        Ok(())
    }

    /// Refuses to settle what is no open reject of the file.
    pub(super) fn check_unsettled(&self, totals: &FileTotals) -> Result<()> {
        let kept = self.rejects.get(&totals.id);
        let is_open = |id: &i64| {
            kept.into_iter().flatten().any(|kept| {
                kept.id == *id
                    && kept.settled_at.is_none()
                    && kept.reject.reason != Reason::Repaired
            })
        };
        match totals.settles.iter().find(|id| !is_open(id)) {
            Some(id) => {
                let message = format!("the reject {id} has been settled meanwhile");
                Err(Error::new(ErrorKind::Conflict, message))
            }
            None => Ok(()),
        }
    }

    /// Refuses files that are not loaded (any more).
    pub(super) fn check_loaded(&self, plan: &LoadPlan) -> Result<()> {
        match plan.files.iter().find(|file| !self.is_loaded(file.id)) {
            Some(file) => {
                let message = format!("{} is not loaded any more", file.file);
                Err(Error::new(ErrorKind::Conflict, message))
            }
            None => Ok(()),
        }
    }

    /// All rejects, by file and id.
    pub(super) fn stored_rejects(&self) -> Vec<StoredReject> {
        let mut stored = Vec::new();
        for (file, rejects) in &self.rejects {
            let Some(entry) = self.entries.get(file) else { continue };
            let entry = Arc::new(entry.clone());
            stored.extend(rejects.iter().map(|kept| StoredReject {
                id: kept.id,
                file: Arc::clone(&entry),
                reject: kept.reject.clone(),
                rejected_at: kept.rejected_at,
                settled_at: kept.settled_at,
            }));
        }
        stored
    }

    pub(super) fn supersede(&mut self, id: FileId, plan: &LoadPlan) {
        self.rejects.remove(&id);
        self.chunks.remove(&id);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.status = Status::Superseded;
            entry.processed_at = Utc::now();
            entry.load_id.clone_from(&plan.load_id);
            entry.run_id.clone_from(&plan.run_id);
        }
    }

    pub(super) fn drop_rejects(&mut self, file: FileId) {
        self.rejects.remove(&file);
    }

    fn settle(&mut self, settlement: &Settlement) -> Result<()> {
        self.check_identity(settlement.id, &settlement.file, &settlement.target_table)?;
        if self.is_loaded(settlement.id) {
            return Ok(());
        }
        if let Some(entry) = self.entries.get_mut(&settlement.id)
            && entry.status == Status::Loading
        {
            entry.error = Some(settlement.error.clone());
            entry.attempts += 1;
            entry.processed_at = Utc::now();
            entry.run_id.clone_from(&settlement.run_id);
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
        self.rejects.remove(&settlement.id);
        self.keep_rejects(settlement.id, kept);
        Ok(())
    }

    pub(super) fn keep(&mut self, mut entry: LedgerEntry) {
        entry.file.version_id = None;
        self.entries.insert(entry.id, entry);
    }

    pub(super) fn keep_rejects(&mut self, file: FileId, rejects: Vec<Reject>) {
        for reject in rejects {
            self.rejects_so_far += 1;
            let id = self.rejects_so_far;
            let kept = KeptReject { id, reject, rejected_at: Utc::now(), settled_at: None };
            self.rejects.entry(file).or_default().push(kept);
        }
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
    async fn known(&self, range: &KeyRange) -> Result<Vec<KnownFile>> {
        let mut known = self.entries(|LedgerEntry { file, .. }| {
            file.source == range.source
                && file.bucket == range.bucket
                && (&range.first..=&range.last).contains(&&file.key)
        });
        known.sort_by(|one, other| one.file.key.cmp(&other.file.key));
        Ok(known.iter().map(KnownFile::from).collect())
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

    async fn chunks(&self, file: FileId) -> Result<Vec<LoadedChunk>> {
        let contents = self.database.contents();
        let book = contents.books.get(&self.name);
        let mut chunks = book.and_then(|book| book.chunks.get(&file)).cloned().unwrap_or_default();
        chunks.sort_by_key(|chunk| chunk.bytes.start);
        Ok(chunks)
    }

    async fn rejects(&self, file: FileId) -> Result<Vec<Reject>> {
        let contents = self.database.contents();
        let rejects = contents.books.get(&self.name).and_then(|book| book.rejects.get(&file));
        let mut rejects: Vec<Reject> =
            rejects.into_iter().flatten().map(|kept| kept.reject.clone()).collect();
        rejects.sort_by_key(|reject| reject.ordinal);
        Ok(rejects)
    }

    async fn stored_rejects(&self, filter: &RejectsFilter) -> Result<Vec<StoredReject>> {
        let contents = self.database.contents();
        let book = contents.books.get(&self.name);
        let stored = book.map(Book::stored_rejects).unwrap_or_default();
        let limit = filter.limit.and_then(|limit| usize::try_from(limit).ok());
        let let_through = stored.into_iter().filter(|reject| lets_through(filter, reject));
        Ok(let_through.take(limit.unwrap_or(usize::MAX)).collect())
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<Vec<LedgerEntry>> {
        let mut entries = self.entries(|entry| passes(filter, entry));
        entries.sort_by_key(|entry| std::cmp::Reverse((entry.processed_at, entry.id)));
        let limit = filter.limit.and_then(|limit| usize::try_from(limit).ok());
        entries.truncate(limit.unwrap_or(usize::MAX));
        Ok(entries)
    }
}

fn lets_through(filter: &RejectsFilter, stored: &StoredReject) -> bool {
    let entry = &stored.file;
    let holds = |part: &String| {
        let mut place = entry.file.key.clone();
        if !entry.file.member.is_empty() {
            place = format!("{place}!/{}", entry.file.member);
        }
        place.contains(part)
    };
    filter.table.as_ref().is_none_or(|table| *table == entry.target_table)
        && filter.file.is_none_or(|file| file == entry.id)
        && filter.key_contains.as_ref().is_none_or(holds)
        && filter.run_id.as_ref().is_none_or(|run| *run == entry.run_id)
        && filter.reason.as_ref().is_none_or(|reason| reason == stored.reject.reason.as_str())
        && (!filter.unsettled || stored.settled_at.is_none())
        && filter.after.is_none_or(|after| (entry.id, stored.id) > after)
}

fn passes(filter: &HistoryFilter, entry: &LedgerEntry) -> bool {
    filter.table.as_ref().is_none_or(|table| *table == entry.target_table)
        && filter.status.is_none_or(|status| status == entry.status)
        && filter.run_id.as_ref().is_none_or(|run| *run == entry.run_id)
}
