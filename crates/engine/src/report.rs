//! What a run did: the report that users script against.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use decant_core::conform::{Drift, NewColumn};
use decant_core::destination::TableState;
use decant_core::format::RepairKind;
use decant_core::schema::FILE_ID_COLUMN;
use decant_core::{Error, TableName};
use serde::Serialize;

use crate::file_progress::{FileProgress, RepairCounts};
use crate::likeness::Likeness;
use crate::widening::Step;

/// The report of a run. `--output json` prints it as it is.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// Names the run in the ledger.
    pub run_id: String,
    /// How it ended.
    pub status: RunStatus,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub seconds: f64,
    /// What became of the files.
    pub files: FilesReport,
    /// What became of the rows of committed files.
    pub rows: RowsReport,
    /// How much was read.
    pub bytes: BytesReport,
    /// Requests to the object store that had to be repeated.
    pub retries: u64,
    /// The tables that took rows.
    pub tables: Vec<TableReport>,
    /// What went wrong, the first thousand of it.
    pub errors: Vec<ReportedError>,
    /// What a user should know although nothing went wrong.
    pub notes: Vec<String>,
    /// Whether it was asked to end early.
    pub interrupted: bool,
}

impl RunReport {
    /// The report of a run that could not begin.
    pub fn not_begun(error: &Error) -> Self {
        let tally = Tally::new();
        tally.error(error);
        tally.report("", Utc::now(), 0.0)
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Everything that was to be loaded is loaded.
    Ok,
    /// Rows were rejected or files skipped, as the policy allows, or somebody
    /// asked the run to end early.
    Partial,
    /// Something failed.
    Failed,
}

/// What became of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FilesReport {
    /// Seen.
    pub listed: u64,
    /// Left out by a rule that `plan` names.
    pub excluded: u64,
    /// Dealt with before.
    pub already_loaded: u64,
    /// Loaded by this run.
    pub loaded: u64,
    /// Failed, now or too often before.
    pub failed: u64,
    /// Given up by `on_error: skip-file`.
    pub skipped: u64,
    /// Gone before they could be read.
    pub vanished: u64,
}

/// What became of the rows of committed files: read = loaded + rejected +
/// filtered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowsReport {
    /// Found in the files.
    pub read: u64,
    /// In the tables.
    pub loaded: u64,
    /// Among the rejects.
    pub rejected: u64,
    /// Left out on purpose.
    pub filtered: u64,
    /// Loaded, with something kept in `_rescued`.
    pub rescued: u64,
    /// Loaded after a repair.
    pub repaired: u64,
    /// Repairs of rows that were loaded, by kind: a row may have several.
    #[serde(skip_serializing_if = "Repairs::is_empty")]
    pub repairs: Repairs,
}

/// Repairs of rows that were loaded, by kind. Kinds that did not happen are
/// left out of reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repairs(RepairCounts);

impl Repairs {
    /// How many of this kind.
    pub fn of(&self, kind: RepairKind) -> u64 {
        self.0.of(kind)
    }

    /// Whether nothing was repaired.
    pub fn is_empty(&self) -> bool {
        RepairKind::ALL.iter().all(|kind| self.of(*kind) == 0)
    }
}

impl Serialize for Repairs {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kinds = RepairKind::ALL.iter().filter(|kind| self.of(**kind) > 0);
        serializer.collect_map(kinds.map(|kind| (kind.as_str(), self.of(*kind))))
    }
}

/// What became of rejects of one file that were read again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Replayed {
    pub(crate) rows: u64,
    pub(crate) loaded: u64,
    /// Still bad.
    pub(crate) rejected: u64,
    /// Of those that were loaded.
    pub(crate) repairs: RepairCounts,
}

/// How much was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BytesReport {
    /// As stored; members of archives as unpacked.
    pub fetched: u64,
    /// After decompression.
    pub decoded: u64,
}

/// A table that took rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// Its qualified name.
    pub table: String,
    /// Rows that this run added.
    pub rows_loaded: u64,
    /// Whether this run created it.
    pub created: bool,
    /// Its columns, without `_file_id`.
    pub columns: Vec<ColumnReport>,
    /// What this run changed about it, and for which file.
    pub changes: Vec<String>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnReport {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub column_type: String,
}

/// Something that went wrong.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedError {
    /// The file, where it is one's.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<u64>,
    /// Offset of the row, from 0, after decompression.
    pub byte: Option<u64>,
    /// The column's name in the file.
    pub column: Option<String>,
    /// What the operator must do.
    pub kind: decant_core::ErrorKind,
    /// The error and its causes.
    pub message: String,
    /// The cure.
    pub hint: Option<String>,
}

impl From<&Error> for ReportedError {
    fn from(error: &Error) -> Self {
        let position = error.position().cloned().unwrap_or_default();
        Self {
            file: Some(position.file).filter(|file| !file.is_empty()),
            line: position.line,
            byte: position.byte,
            column: position.column,
            kind: error.kind(),
            message: error.chain(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

/// Errors that a report carries at most; all are in the ledger.
const ERRORS_MAX: usize = 1000;
/// Notes that a report carries at most.
const NOTES_MAX: usize = 1000;
/// Changes that a report carries at most of one table.
const CHANGES_MAX: usize = 1000;

/// Adds up a report while many hands work on it.
#[derive(Debug)]
pub(crate) struct Tally(Mutex<Sums>);

#[derive(Debug, Default)]
struct Sums {
    files: FilesReport,
    rows: RowsReport,
    bytes: BytesReport,
    tables: BTreeMap<String, TableReport>,
    errors: Vec<ReportedError>,
    errors_in_all: u64,
    notes: Vec<String>,
    notes_seen: HashSet<String>,
    notes_in_all: usize,
    likeness: Likeness,
    drift_seen: HashSet<(String, Drift)>,
    interrupted: bool,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Sums::default()))
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn files(&self, add: impl FnOnce(&mut FilesReport)) {
        add(&mut self.sums().files);
    }

    pub(crate) fn bytes(&self, add: impl FnOnce(&mut BytesReport)) {
        add(&mut self.sums().bytes);
    }

    /// A committed file's rows.
    pub(crate) fn committed(&self, table: &TableName, progress: &FileProgress) {
        self.files(|files| files.loaded += 1);
        self.chunks(table, progress);
    }

    /// The rows of chunks that were committed of a file.
    pub(crate) fn chunks(&self, table: &TableName, progress: &FileProgress) {
        let (totals, repairs) = (progress.totals(), progress.repairs());
        let mut sums = self.sums();
        sums.rows.read += progress.rows_read();
        sums.rows.loaded += totals.rows_loaded;
        sums.rows.rejected += totals.rows_rejected;
        sums.rows.filtered += progress.rows_filtered();
        sums.rows.rescued += progress.rows_rescued();
        sums.rows.repaired += repairs.rows;
        sums.rows.repairs.0.join(repairs);
        if let Some(table) = sums.tables.get_mut(&table.to_string()) {
            table.rows_loaded += totals.rows_loaded;
        }
        let file = progress.location();
        for note in progress.notes() {
            sums.note(format!("{file}: {note}"));
        }
        let differences = sums.likeness.compare(&table.to_string(), file, progress.shown());
        differences.into_iter().for_each(|difference| sums.note(difference));
    }

    /// A difference between a file's columns and the table's: said once, with
    /// the first file that has it.
    pub(crate) fn drift(&self, table: &TableName, drift: &Drift, file: &str) {
        let mut sums = self.sums();
        if !sums.drift_seen.insert((table.to_string(), drift.clone())) {
            return;
        }
        if let Some(table) = sums.tables.get_mut(&table.to_string())
            && table.changes.len() < CHANGES_MAX
        {
            table.changes.push(drift.sentence(file));
        }
    }

    /// Rejects of one file that were read again: what is neither loaded nor
    /// still bad was filtered.
    pub(crate) fn replayed(&self, table: &TableName, replayed: Replayed) {
        let Replayed { rows, loaded, rejected, repairs } = replayed;
        let mut sums = self.sums();
        sums.files.loaded += u64::from(loaded > 0);
        sums.rows.read += rows;
        sums.rows.loaded += loaded;
        sums.rows.rejected += rejected;
        sums.rows.filtered += rows.saturating_sub(loaded).saturating_sub(rejected);
        sums.rows.repaired += repairs.rows;
        sums.rows.repairs.0.join(repairs);
        if let Some(table) = sums.tables.get_mut(&table.to_string()) {
            table.rows_loaded += loaded;
        }
    }

    /// Edited rows without a reject to replay: still rejected.
    pub(crate) fn not_replayed(&self, rows: u64) {
        let mut sums = self.sums();
        sums.rows.read += rows;
        sums.rows.rejected += rows;
    }

    pub(crate) fn error(&self, error: &Error) {
        let mut sums = self.sums();
        sums.errors_in_all += 1;
        if sums.errors.len() < ERRORS_MAX {
            sums.errors.push(error.into());
        }
    }

    /// Says something once.
    pub(crate) fn note(&self, note: String) {
        self.sums().note(note);
    }

    pub(crate) fn interrupted(&self) {
        self.sums().interrupted = true;
    }

    /// Enters a table as it is now.
    pub(crate) fn table(&self, state: &TableState) {
        let columns = state.schema.iter().flat_map(|schema| &schema.columns);
        let columns = columns
            .filter(|column| column.name != FILE_ID_COLUMN)
            .map(|column| ColumnReport {
                name: column.name.clone(),
                column_type: column
                    .column_type
                    .map_or_else(|| column.declared.clone(), |known| known.to_string()),
            })
            .collect();
        let mut sums = self.sums();
        let name = state.name.to_string();
        let table = sums.tables.entry(name.clone()).or_insert_with(|| TableReport {
            table: name,
            rows_loaded: 0,
            created: false,
            columns: Vec::new(),
            changes: Vec::new(),
        });
        table.columns = columns;
    }

    pub(crate) fn table_created(&self, table: &TableName) {
        if let Some(table) = self.sums().tables.get_mut(&table.to_string()) {
            table.created = true;
        }
    }

    pub(crate) fn columns_added(&self, table: &TableName, columns: &[NewColumn], file: &str) {
        if let Some(table) = self.sums().tables.get_mut(&table.to_string()) {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            table.changes.push(format!("added {} for {file}", names.join(", ")));
        }
    }

    pub(crate) fn columns_widened(&self, table: &TableName, steps: &[Step], file: &str) {
        if let Some(table) = self.sums().tables.get_mut(&table.to_string()) {
            for step in steps {
                let Step { column, from, .. } = step;
                let change = format!("widened {column} from {from} to {} for {file}", step.to());
                table.changes.push(change);
            }
        }
    }

    /// The report, now that everything has ended.
    pub(crate) fn report(
        &self,
        run_id: &str,
        started_at: DateTime<Utc>,
        seconds: f64,
    ) -> RunReport {
        let sums = self.sums();
        let mut notes = sums.notes.clone();
        if sums.notes_in_all > sums.notes.len() {
            notes.push(format!("{} more notes", sums.notes_in_all - sums.notes.len()));
        }
        if sums.errors_in_all > sums.errors.len() as u64 {
            notes.push(format!(
                "{} more errors are in the ledger",
                sums.errors_in_all - sums.errors.len() as u64
            ));
        }
        RunReport {
            run_id: run_id.to_owned(),
            status: sums.status(),
            started_at,
            seconds,
            files: sums.files,
            rows: sums.rows,
            bytes: sums.bytes,
            retries: 0,
            tables: sums.tables.values().cloned().collect(),
            errors: sums.errors.clone(),
            notes,
            interrupted: sums.interrupted,
        }
    }
}

impl Sums {
    fn note(&mut self, note: String) {
        if self.notes.len() >= NOTES_MAX {
            self.notes_in_all += 1;
        } else if self.notes_seen.insert(note.clone()) {
            self.notes_in_all += 1;
            self.notes.push(note);
        }
    }

    fn status(&self) -> RunStatus {
        let tolerated = self.files.skipped + self.rows.rejected + u64::from(self.interrupted);
        let failed = self.files.failed > 0 || self.errors_in_all > self.files.skipped;
        match (failed, tolerated) {
            (true, _) => RunStatus::Failed,
            (false, 0) => RunStatus::Ok,
            (false, _) => RunStatus::Partial,
        }
    }
}
