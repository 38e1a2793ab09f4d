//! What the ledger knows of files that were listed, and what comes of it.
//!
//! Used when a page is planned, and again for a single file when its object
//! turns out to be another than planned, so that both decide alike.
//!
//! Not here: the rules ([`decide`]), and anything that waits for rows.

use std::collections::HashMap;

use decant_core::decide::{Decision, decide};
use decant_core::ledger::{KeyRange, Ledger};
use decant_core::{Arrival, Error, FileId, FileVersion, LedgerEntry, Receipt, Result, Status};

use crate::ingest::PlannedFile;
use crate::report::Tally;
use crate::tables::TablePlan;

/// What the ledger knows of files, by key and member.
#[derive(Default)]
pub(crate) struct Known(HashMap<String, HashMap<String, Vec<LedgerEntry>>>);

impl Known {
    /// What is known of these files' keys: one query.
    pub(crate) async fn of(
        ledger: &dyn Ledger,
        files: impl Iterator<Item = &Arrival>,
    ) -> Result<Self> {
        let mut range: Option<KeyRange> = None;
        for Arrival { file, .. } in files {
            let range = range.get_or_insert_with(|| KeyRange {
                source: file.source.clone(),
                bucket: file.bucket.clone(),
                first: file.key.clone(),
                last: file.key.clone(),
            });
            range.first = range.first.as_str().min(file.key.as_str()).to_owned();
            range.last = range.last.as_str().max(file.key.as_str()).to_owned();
        }
        let mut known = Self::default();
        if let Some(range) = range {
            let entries = ledger.known(&range).await?;
            entries.into_iter().for_each(|entry| known.insert(entry));
        }
        Ok(known)
    }

    fn insert(&mut self, entry: LedgerEntry) {
        let members = self.0.entry(entry.file.key.clone()).or_default();
        members.entry(entry.file.member.clone()).or_default().push(entry);
    }

    /// What is known of a key, members included.
    pub(crate) fn of_key(&self, key: &str) -> impl Iterator<Item = &LedgerEntry> {
        self.0.get(key).into_iter().flat_map(|members| members.values().flatten())
    }

    /// What is known of a file's key and member: all versions, all tables.
    pub(crate) fn of_file(&self, file: &FileVersion) -> impl Iterator<Item = &LedgerEntry> {
        let members = self.0.get(&file.key);
        members.and_then(|members| members.get(&file.member)).into_iter().flatten()
    }

    /// The file version's own row for a table.
    pub(crate) fn row(&self, file: &FileVersion, table: &str) -> Option<&LedgerEntry> {
        let id = FileId::of(table, file);
        self.of_file(file).find(|entry| entry.id == id)
    }
}

/// The file's id in the table, and what is to be done with it.
pub(crate) fn decide_on(plan: &TablePlan, arrival: &Arrival, known: &Known) -> (FileId, Decision) {
    let (file, table) = (&arrival.file, plan.name());
    let id = FileId::of(&table, file);
    let mut entries: Vec<LedgerEntry> =
        known.of_file(file).filter(|entry| entry.target_table == table).cloned().collect();
    let own = entries.iter().find(|entry| entry.id == id);
    if !file.member.is_empty() && own.is_some_and(|own| own.status == Status::Superseded) {
        // A version of the archive that lacked the member displaced it.
        let archive = known.of_key(&file.key).filter(|entry| entry.file.member.is_empty());
        let others = archive
            .filter(|entry| entry.target_table == table && entry.file.etag != file.etag)
            .filter(|entry| entry.status == Status::Loaded);
        entries.extend(others.cloned());
    }
    let decision = decide(file, id, &entries, &plan.rules);
    (id, decision)
}

/// A file that is to be loaded; or its end, which is counted, with its receipt
/// where it has been dealt with.
pub(crate) fn carry_out(
    tally: &Tally,
    arrival: Arrival,
    (id, decision): (FileId, Decision),
    settled: &mut Vec<Receipt>,
) -> Option<PlannedFile> {
    match decision {
        Decision::Load { again, displaces, only_version, .. } => {
            let Arrival { file, receipt } = arrival;
            let upheld = Vec::new();
            return Some(PlannedFile { file, id, receipt, displaces, only_version, again, upheld });
        }
        Decision::Settled(_) => {
            tally.files(|files| files.already_loaded += 1);
            settled.push(arrival.receipt);
        }
        Decision::ChangeIgnored => {
            tally.files(|files| files.excluded += 1);
            tally.note(format!("changed, and left alone: {}", arrival.file));
        }
        Decision::GaveUp { attempts, error } => {
            tally.files(|files| files.failed += 1);
            tally.error(&gave_up(&arrival, attempts, error));
        }
        Decision::Refused(error) => {
            tally.files(|files| files.failed += 1);
            tally.error(&error);
        }
    }
    None
}

fn gave_up(arrival: &Arrival, attempts: u32, error: Option<String>) -> Error {
    let said = error.unwrap_or_else(|| "no reason was kept".into());
    Error::new(
        decant_core::ErrorKind::MalformedFile,
        format!("failed {attempts} times and is not tried again: {said}"),
    )
    .in_file(arrival.file.location())
    .with_hint("mend the file and upload it again, or try as it is with --retry-failed")
}
