//! What the ledger knows of files that were listed, and what comes of it.
//!
//! Used when a page is planned, and again for a single file when its object
//! turns out to be another than planned, so that both decide alike.
//!
//! Not here: the rules ([`decide`]), and anything that waits for rows.

use decant_core::decide::{Decision, decide};
use decant_core::ledger::{KeyRange, KnownFile, Ledger};
use decant_core::{Arrival, Error, FileId, FileVersion, Receipt, Result, Status};

use crate::ingest::PlannedFile;
use crate::report::Tally;
use crate::tables::TablePlan;

/// What the ledger knows of files, in the order of their keys.
#[derive(Default)]
pub(crate) struct Known(Vec<KnownFile>);

impl Known {
    /// What is known of these files' keys: one query.
    pub(crate) async fn of(
        ledger: &dyn Ledger,
        files: impl Iterator<Item = &Arrival>,
    ) -> Result<Self> {
        let mut ends: Option<(&FileVersion, &FileVersion)> = None;
        for Arrival { file, .. } in files {
            let (first, last) = ends.get_or_insert((file, file));
            if file.key < first.key {
                *first = file;
            }
            if file.key > last.key {
                *last = file;
            }
        }
        let Some((first, last)) = ends else { return Ok(Self::default()) };
        let range = KeyRange {
            source: first.source.clone(),
            bucket: first.bucket.clone(),
            first: first.key.clone(),
            last: last.key.clone(),
        };
        let mut known = ledger.known(&range).await?;
        if !known.is_sorted_by(|one, other| one.key <= other.key) {
            known.sort_by(|one, other| one.key.cmp(&other.key));
        }
        Ok(Self(known))
    }

    /// What is known of a key, members included.
    pub(crate) fn of_key(&self, key: &str) -> impl Iterator<Item = &KnownFile> {
        let first = self.0.partition_point(|known| known.key.as_str() < key);
        self.0[first..].iter().take_while(move |known| known.key == key)
    }

    /// What is known of a file's key and member: all versions, all tables.
    pub(crate) fn of_file(&self, file: &FileVersion) -> impl Iterator<Item = &KnownFile> {
        self.of_key(&file.key).filter(|known| known.member == file.member)
    }

    /// The file version's own row for a table.
    pub(crate) fn row(&self, file: &FileVersion, table: &str) -> Option<&KnownFile> {
        let id = FileId::of(table, file);
        self.of_file(file).find(|known| known.id == id)
    }
}

/// The file's id in the table, and what is to be done with it.
pub(crate) fn decide_on(plan: &TablePlan, arrival: &Arrival, known: &Known) -> (FileId, Decision) {
    let (file, table) = (&arrival.file, plan.name());
    let id = FileId::of(table, file);
    let of_table = |known: &&KnownFile| *known.target_table == *table;
    let mut entries: Vec<&KnownFile> = known.of_file(file).filter(of_table).collect();
    let own = entries.iter().find(|known| known.id == id);
    if !file.member.is_empty() && own.is_some_and(|own| own.status == Status::Superseded) {
        // A version of the archive that lacked the member displaced it.
        let archive = known.of_key(&file.key).filter(|known| known.member.is_empty());
        let others = archive.filter(of_table).filter(|known| known.etag != file.etag);
        entries.extend(others.filter(|known| known.status == Status::Loaded));
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
            return Some(PlannedFile {
                file,
                id,
                receipt,
                displaces,
                only_version,
                again,
                upheld: Vec::new(),
                part: None,
            });
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
