//! What is known of one file while it is decoded: its policy, its counts and
//! the first of its bad rows.

use std::time::Instant;

use arrow_array::RecordBatch;
use decant_core::checksum::RowsChecksum;
use decant_core::conform::{Conform, NewColumn};
use decant_core::destination::FileTotals;
use decant_core::format::DecodedBatch;
use decant_core::layout::Layout;
use decant_core::ledger::REJECTS_KEPT;
use decant_core::stream::{MaxRejects, OnError};
use decant_core::{Error, ErrorKind, FileId, Reject, Result};

/// What is to be done with rows that cannot be loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorPolicy {
    pub(crate) on_error: OnError,
    pub(crate) max_rejects: MaxRejects,
}

/// Why a file could not be decoded.
#[derive(Debug)]
pub(crate) enum Undecoded {
    /// The table may be given columns that the file has.
    NewColumns(Vec<NewColumn>),
    /// More than may be held back in memory: the file must be streamed.
    TooLarge,
    /// Nobody wants it any more.
    Abandoned,
    /// It is bad.
    Failed(FileFailure),
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
#[derive(Debug)]
pub(crate) struct FileBatch {
    pub(crate) batch: RecordBatch,
    pub(crate) rejects: Vec<Reject>,
}

/// Counts one file's rows and applies its policy.
#[derive(Debug)]
pub(crate) struct FileProgress {
    id: FileId,
    location: String,
    policy: ErrorPolicy,
    started: Instant,
    rows_read: u64,
    rows_loaded: u64,
    rows_rejected: u64,
    bytes_decoded: u64,
    checksum: RowsChecksum,
    first_rejects: Vec<Reject>,
    layout: Option<Layout>,
}

impl FileProgress {
    pub(crate) fn new(id: FileId, location: String, policy: ErrorPolicy) -> Self {
        Self {
            id,
            location,
            policy,
            started: Instant::now(),
            rows_read: 0,
            rows_loaded: 0,
            rows_rejected: 0,
            bytes_decoded: 0,
            checksum: RowsChecksum::default(),
            first_rejects: Vec::new(),
            layout: None,
        }
    }

    /// Keeps how the file is read, for the sake of its rejects.
    pub(crate) fn keep_layout(&mut self, layout: Layout) {
        self.layout = Some(layout);
    }

    /// Counts decoded rows and makes them fit the table.
    pub(crate) fn accept(
        &mut self,
        conform: &Conform,
        decoded: DecodedBatch,
    ) -> Result<FileBatch, FileFailure> {
        let DecodedBatch { batch, rejects, rows_read, bytes_decoded, .. } = decoded;
        self.rows_read += rows_read;
        self.bytes_decoded += bytes_decoded;
        self.rows_rejected += rejects.len() as u64;
        let kept = REJECTS_KEPT.saturating_sub(self.first_rejects.len());
        self.first_rejects.extend(rejects.iter().take(kept).cloned());
        self.check_rejects(false)?;
        let batch = conform.apply(batch, self.id).map_err(|error| self.failure(error))?;
        self.checksum.add(&batch).map_err(|error| self.failure(error))?;
        self.rows_loaded += batch.num_rows() as u64;
        Ok(FileBatch { batch, rejects })
    }

    /// The file has no more rows: the last chance to refuse it.
    pub(crate) fn finish(&mut self) -> Result<(), FileFailure> {
        self.check_rejects(true)?;
        if self.rows_read != self.rows_loaded + self.rows_rejected {
            let error = Error::new(
                ErrorKind::Internal,
                format!(
                    "{} rows were read, but {} loaded and {} rejected",
                    self.rows_read, self.rows_loaded, self.rows_rejected
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
                Some(reject) => reject.to_error(&self.location).with_hint(
                    "mend the file, or load the rest with `on_error: reject` and look at \
                     the rejected rows",
                ),
                None => Error::new(ErrorKind::Internal, "a bad row was not kept"),
            };
            return Err(self.failure(error));
        }
        let too_many =
            self.policy.max_rejects.is_exceeded(self.rows_rejected, self.rows_read, finished);
        if too_many {
            let error = Error::new(
                ErrorKind::RejectedRows,
                format!(
                    "{} of {} rows were rejected, more than max_rejects allows",
                    self.rows_rejected, self.rows_read
                ),
            );
            return Err(self.failure(error));
        }
        Ok(())
    }

    /// The failure of this file, with the bad rows seen so far.
    pub(crate) fn failure(&mut self, error: Error) -> FileFailure {
        FileFailure {
            error: error.in_file(&self.location),
            rejects: std::mem::take(&mut self.first_rejects),
            seconds: self.started.elapsed().as_secs_f64(),
        }
    }

    /// Where the file is.
    pub(crate) fn location(&self) -> &str {
        &self.location
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    pub(crate) fn rows_read(&self) -> u64 {
        self.rows_read
    }

    pub(crate) fn bytes_decoded(&self) -> u64 {
        self.bytes_decoded
    }

    /// How the file is read, as the ledger keeps it. Plain data that cannot
    /// be written down is no reason to fail a load.
    fn layout(&self) -> Option<String> {
        self.layout.as_ref().and_then(|layout| layout.to_json().ok())
    }

    pub(crate) fn totals(&self) -> FileTotals {
        FileTotals {
            id: self.id,
            rows_loaded: self.rows_loaded,
            rows_rejected: self.rows_rejected,
            rows_checksum: self.checksum.value(),
            processing_seconds: self.started.elapsed().as_secs_f64(),
            repairs_kept: 0,
            layout: self.layout().filter(|_| self.rows_rejected > 0),
            settles: Vec::new(),
        }
    }
}
