//! What is known of one file while it is decoded: its policy, its counts and
//! the first of its bad rows. Rows read = loaded + rejected + filtered.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::RecordBatch;
use decant_core::checksum::RowsChecksum;
use decant_core::conform::{Conform, FileFacts, Fitted, NewColumn};
use decant_core::destination::FileTotals;
use decant_core::format::{DecodedBatch, RepairKind, RowPlaces};
use decant_core::layout::Layout;
use decant_core::ledger::REJECTS_KEPT;
use decant_core::reject::Reason;
use decant_core::stream::{FormatOptions, MaxRejects, OnConflict, OnError};
use decant_core::{ColumnType, Error, ErrorKind, Reject, Result};

use crate::refusals::{Refusals, Refusing};

/// What is to be done with rows that cannot be loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorPolicy {
    pub(crate) on_error: OnError,
    pub(crate) max_rejects: MaxRejects,
    pub(crate) on_conflict: OnConflict,
}

/// Sentences that are kept of one file.
const NOTES_MAX: usize = 20;

/// The fact of an error that a policy asked for, whatever `on_error` says.
pub(crate) const POLICY: &str = "policy";

/// Why a file could not be decoded.
#[derive(Debug)]
pub(crate) enum Undecoded {
    /// The table may be given columns that the file has.
    NewColumns(Vec<NewColumn>),
    /// A value contradicts the type of its column, which may be widened.
    Contradicted(Vec<Contradiction>),
    /// More than may be held back in memory: the file must be streamed.
    TooLarge,
    /// Nobody wants it any more.
    Abandoned,
    /// It is bad.
    Failed(FileFailure),
}

/// A column whose type a value contradicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction {
    /// Its name in the table.
    pub(crate) column: String,
    /// The type that it had then.
    pub(crate) column_type: ColumnType,
}

/// A file's failure with what is kept of its bad rows.
#[derive(Debug)]
pub(crate) struct FileFailure {
    pub(crate) error: Error,
    pub(crate) rejects: Vec<Reject>,
    /// Since the attempt began.
    pub(crate) seconds: f64,
}

impl FileFailure {
    pub(crate) fn after(started: Instant, error: Error) -> Self {
        Self { error, rejects: Vec::new(), seconds: started.elapsed().as_secs_f64() }
    }
}

impl From<Error> for FileFailure {
    fn from(error: Error) -> Self {
        Self::after(Instant::now(), error)
    }
}

impl From<Error> for Undecoded {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Rows of one file that fit the table, with the bad ones between them.
#[derive(Clone, Debug)]
pub(crate) struct FileBatch {
    /// The table's columns that the rows fill.
    pub(crate) columns: Arc<[usize]>,
    pub(crate) batch: RecordBatch,
    pub(crate) rejects: Vec<Reject>,
    /// Where the rows stand in the file, as far as it was asked for.
    pub(crate) places: RowPlaces,
}

impl FileBatch {
    /// Bytes that it takes in memory, about.
    pub(crate) fn bytes(&self) -> u64 {
        let rejected: usize = self.rejects.iter().map(|reject| reject.raw.len() + 200).sum();
        let places = self.places.bytes.len() + self.places.ordinals.len() * 40;
        (self.batch.get_array_memory_size() + rejected + places) as u64
    }
}

/// Counts one file's rows and applies its policy.
#[derive(Clone, Debug)]
pub(crate) struct FileProgress {
    facts: FileFacts,
    policy: ErrorPolicy,
    /// Types of the table that stay, whatever the file has.
    upheld: Vec<Contradiction>,
    started: Instant,
    rows_read: u64,
    rows_loaded: u64,
    rows_rejected: u64,
    rows_filtered: u64,
    rows_rescued: u64,
    repairs: RepairCounts,
    /// Rejects that only keep what a repair cut off.
    repairs_kept: u64,
    bytes_decoded: u64,
    checksum: RowsChecksum,
    first_rejects: Vec<Reject>,
    layout: Option<Arc<Layout>>,
    shown: FormatOptions,
    notes: Vec<String>,
}

/// How often each kind of repair was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RepairCounts {
    /// Rows that were repaired.
    pub(crate) rows: u64,
    kinds: [u64; RepairKind::ALL.len()],
}

impl RepairCounts {
    pub(crate) fn of(&self, kind: RepairKind) -> u64 {
        let at = RepairKind::ALL.iter().position(|known| *known == kind);
        at.map_or(0, |at| self.kinds[at])
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.add(other.rows, RepairKind::ALL.iter().map(|kind| (*kind, other.of(*kind))));
    }

    pub(crate) fn add(&mut self, rows: u64, kinds: impl IntoIterator<Item = (RepairKind, u64)>) {
        self.rows += rows;
        for (kind, count) in kinds {
            if let Some(at) = RepairKind::ALL.iter().position(|known| *known == kind) {
                self.kinds[at] += count;
            }
        }
    }
}

impl FileProgress {
    pub(crate) fn new(facts: FileFacts, policy: ErrorPolicy, upheld: Vec<Contradiction>) -> Self {
        Self {
            facts,
            policy,
            upheld,
            started: Instant::now(),
            rows_read: 0,
            rows_loaded: 0,
            rows_rejected: 0,
            rows_filtered: 0,
            rows_rescued: 0,
            repairs: RepairCounts::default(),
            repairs_kept: 0,
            bytes_decoded: 0,
            checksum: RowsChecksum::default(),
            first_rejects: Vec::new(),
            layout: None,
            shown: FormatOptions::default(),
            notes: Vec::new(),
        }
    }

    /// Keeps what the file shows of how it is written.
    pub(crate) fn keep_shown(&mut self, shown: &FormatOptions) {
        self.shown.clone_from(shown);
    }

    /// What the file shows of how it is written.
    pub(crate) fn shown(&self) -> &FormatOptions {
        &self.shown
    }

    /// Keeps what the format says of the file.
    pub(crate) fn note(&mut self, note: String) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push(note);
        }
    }

    /// What the format said of the file.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Keeps how the file is read, for the sake of its rejects.
    pub(crate) fn keep_layout(&mut self, layout: Arc<Layout>) {
        self.layout = Some(layout);
    }

    /// Counts decoded rows and makes them fit the table.
    pub(crate) fn accept(
        &mut self,
        conform: &Conform,
        decoded: DecodedBatch,
    ) -> Result<FileBatch, FileFailure> {
        self.rows_read += decoded.rows_read;
        self.bytes_decoded += decoded.bytes_decoded;
        let fitted = conform.apply(decoded, &self.facts).map_err(|error| self.failure(error))?;
        let Fitted { batch, mut rejects, rows_filtered, rows_rescued, repairs, kept, places } =
            fitted;
        self.rows_filtered += rows_filtered;
        self.rows_rescued += rows_rescued;
        self.rows_rejected += rejects.len() as u64;
        let room = REJECTS_KEPT.saturating_sub(self.first_rejects.len());
        self.first_rejects.extend(rejects.iter().take(room).cloned());
        self.check_conflicts(&rejects)?;
        self.check_rejects(false)?;
        self.checksum.add(&batch).map_err(|error| self.failure(error))?;
        self.rows_loaded += batch.num_rows() as u64;
        self.repairs.add(repairs.rows, repairs.kinds.into_iter().map(|kind| (kind, 1)));
        self.repairs_kept += kept.len() as u64;
        rejects.extend(kept);
        Ok(FileBatch { columns: conform.columns.as_slice().into(), batch, rejects, places })
    }

    /// Under `on_conflict: fail` the first value that does not fit fails the
    /// file, whatever `on_error` says.
    fn check_conflicts(&mut self, rejects: &[Reject]) -> Result<(), FileFailure> {
        if self.policy.on_conflict != OnConflict::Fail {
            return Ok(());
        }
        match rejects.iter().find(|it| matches!(it.reason, Reason::Type | Reason::BadCell)) {
            None => Ok(()),
            Some(reject) => {
                let error = reject.to_error(&self.facts.location).with(POLICY, "on_conflict");
                Err(self.failure(error.with_hint(
                    "mend the file, change the column's type, or choose `on_conflict: reject` \
                     or `rescue`",
                )))
            }
        }
    }

    /// Whether the table keeps the type that a value contradicts.
    pub(crate) fn upholds(&self, contradiction: &Contradiction) -> bool {
        self.upheld.contains(contradiction)
    }

    /// What is to be done with rows that the destination refuses.
    pub(crate) fn refusing(&self) -> Refusing {
        match self.policy.on_error {
            OnError::Reject => Refusing::Rejects,
            OnError::Fail | OnError::SkipFile => Refusing::Fails,
        }
    }

    /// Counts the file without rows that the destination refused, or refuses
    /// it for having too many.
    pub(crate) fn refuse(&mut self, refusals: &Refusals) -> Result<(), FileFailure> {
        if refusals.rows == 0 {
            return Ok(());
        }
        self.rows_loaded = self.rows_loaded.saturating_sub(refusals.rows);
        self.rows_rejected += refusals.rows;
        self.checksum.remove(refusals.checksum);
        let kept = REJECTS_KEPT.saturating_sub(self.first_rejects.len());
        self.first_rejects.extend(refusals.first.iter().take(kept).cloned());
        self.check_rejects(true)
    }

    /// The file has no more rows: the last chance to refuse it.
    pub(crate) fn finish(&mut self) -> Result<(), FileFailure> {
        self.check_rejects(true)?;
        if self.rows_read != self.rows_loaded + self.rows_rejected + self.rows_filtered {
            let error = Error::new(
                ErrorKind::Internal,
                format!(
                    "{} rows were read, but {} loaded, {} rejected and {} filtered",
                    self.rows_read, self.rows_loaded, self.rows_rejected, self.rows_filtered
                ),
            );
            return Err(self.failure(error));
        }
        Ok(())
    }

    fn check_rejects(&mut self, finished: bool) -> Result<(), FileFailure> {
        if self.rows_rejected == 0 {
            return Ok(());
        }
        if self.policy.on_error != OnError::Reject {
            let error = match self.first_rejects.first() {
                Some(reject) => {
                    reject.to_error(&self.facts.location).with_hint(hint(&reject.reason))
                }
                None => Error::new(ErrorKind::Internal, "a bad row was not kept"),
            };
            return Err(self.failure(error));
        }
        let (rejected, read, limit) = (self.rows_rejected, self.rows_read, self.policy.max_rejects);
        match limit.is_exceeded(rejected, read, finished) {
            true => Err(self.too_many(rejected, read, limit)),
            false => Ok(()),
        }
    }

    /// So many of the file's rows are more than may be rejected.
    pub(crate) fn too_many(&mut self, rejected: u64, read: u64, limit: MaxRejects) -> FileFailure {
        let error = Error::new(
            ErrorKind::RejectedRows,
            format!(
                "{rejected} of {read} rows were rejected, more than the {limit} that max_rejects \
                 allows"
            ),
        );
        self.failure(error.with_hint(
            "look at the rejected rows with `decant rejects`; mend the file, or raise \
             `max_rejects`",
        ))
    }

    /// Counts what another chunk of the file brought as well.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.started = self.started.min(other.started);
        self.rows_read += other.rows_read;
        self.rows_loaded += other.rows_loaded;
        self.rows_rejected += other.rows_rejected;
        self.rows_filtered += other.rows_filtered;
        self.rows_rescued += other.rows_rescued;
        self.repairs.join(other.repairs);
        self.repairs_kept += other.repairs_kept;
        self.bytes_decoded += other.bytes_decoded;
        for note in other.notes {
            if !self.notes.contains(&note) {
                self.note(note);
            }
        }
    }

    /// The failure of this file, with the bad rows seen so far.
    pub(crate) fn failure(&mut self, error: Error) -> FileFailure {
        FileFailure {
            error: error.in_file(&self.facts.location),
            rejects: std::mem::take(&mut self.first_rejects),
            seconds: self.started.elapsed().as_secs_f64(),
        }
    }

    /// Where the file is.
    pub(crate) fn location(&self) -> &str {
        &self.facts.location
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    pub(crate) fn rows_read(&self) -> u64 {
        self.rows_read
    }

    pub(crate) fn rows_filtered(&self) -> u64 {
        self.rows_filtered
    }

    /// Rows of which something is kept beside them.
    pub(crate) fn rows_rescued(&self) -> u64 {
        self.rows_rescued
    }

    pub(crate) fn repairs(&self) -> RepairCounts {
        self.repairs
    }

    pub(crate) fn bytes_decoded(&self) -> u64 {
        self.bytes_decoded
    }

    /// How the file is read, as the ledger keeps it for files with rejects.
    /// Plain data that cannot be written down is no reason to fail a load.
    fn layout(&self) -> Option<String> {
        let has_rejects = self.rows_rejected + self.repairs_kept > 0;
        let layout = self.layout.as_ref().filter(|_| has_rejects)?;
        layout.to_json().ok()
    }

    pub(crate) fn totals(&self) -> FileTotals {
        FileTotals {
            id: self.facts.id,
            rows_read: self.rows_read,
            rows_loaded: self.rows_loaded,
            rows_rejected: self.rows_rejected,
            rows_checksum: self.checksum.value(),
            processing_seconds: self.started.elapsed().as_secs_f64(),
            repairs_kept: self.repairs_kept,
            layout: self.layout(),
            settles: Vec::new(),
        }
    }
}

/// The cure for a bad row that fails its file.
fn hint(reason: &Reason) -> &'static str {
    match reason {
        Reason::Encoding => {
            "is the file in another encoding? Name it, such as `--encoding windows-1252`; or load \
             the rest with `on_error: reject` and look at the rejected rows"
        }
        _ => {
            "mend the file, or load the rest with `on_error: reject` and look at the rejected rows"
        }
    }
}
