//! How files end: in the ledger where no rows say it, and in the report.

use decant_core::conform::Drift;
use decant_core::ledger::{Settlement, Status};
use decant_core::stream::OnError;
use decant_core::{Error, ErrorKind, Receipt, Result};

use super::together::Decoded;
use super::{FileEnd, Ingest, PlannedFile};
use crate::file_progress::{FileFailure, FileProgress, POLICY};
use crate::interruptible::is_interruption;
use crate::observer::Event;
use crate::report::Tally;
use crate::tables::TablePlan;

impl Ingest {
    pub(super) fn record(
        &self,
        held: &[Decoded],
        ends: &[(FileEnd, Option<FileProgress>)],
        plan: &TablePlan,
        settled: &mut Vec<Receipt>,
    ) {
        let ended = held.iter().zip(ends).filter(|(_, (end, _))| *end != FileEnd::Overtaken);
        for ((file, whole), (end, progress)) in ended {
            self.note_drift(&whole.drift, file, plan);
            let rows = whole.progress.totals().rows_loaded;
            self.decoder.services.observer.observe(Event::Written { rows });
            self.record_one(file, *end, progress.as_ref(), plan, settled);
        }
    }

    /// Counts a file's good end.
    pub(super) fn record_one(
        &self,
        file: &PlannedFile,
        end: FileEnd,
        progress: Option<&FileProgress>,
        plan: &TablePlan,
        settled: &mut Vec<Receipt>,
    ) {
        match (end, progress) {
            (FileEnd::Committed, Some(progress)) => self.count(progress, plan),
            _ => self.tally.files(|files| files.already_loaded += 1),
        }
        self.decoder.services.observer.observe(Event::Settled { files: 1 });
        settled.push(file.receipt.clone());
    }

    /// Says how a file's columns are not the table's.
    pub(crate) fn note_drift(&self, drift: &[Drift], file: &PlannedFile, plan: &TablePlan) {
        for drift in drift {
            self.tally.drift(&plan.state.name, drift, &file.file.location());
        }
    }

    pub(crate) fn count(&self, progress: &FileProgress, plan: &TablePlan) {
        let totals = progress.totals();
        tracing::info!(
            file = progress.location(),
            table = %plan.state.name,
            rows = totals.rows_loaded,
            rejected = totals.rows_rejected,
            "loaded"
        );
        self.tally.bytes(|bytes| bytes.decoded += progress.bytes_decoded());
        self.tally.committed(&plan.state.name, progress);
    }

    /// Writes a failed file's end to the ledger, as the policy wants it, and
    /// counts it.
    pub(crate) async fn settle(
        &self,
        file: &PlannedFile,
        failure: FileFailure,
        settled: &mut Vec<Receipt>,
    ) -> Result<()> {
        let status = bad_end(self.stream.on_error, &failure.error);
        self.settle_as(status, file, failure, settled).await
    }

    pub(crate) async fn settle_as(
        &self,
        status: Status,
        file: &PlannedFile,
        failure: FileFailure,
        settled: &mut Vec<Receipt>,
    ) -> Result<()> {
        let FileFailure { error, rejects, seconds } = failure;
        if error.kind() == ErrorKind::InvalidConfig || is_interruption(&error) {
            return Err(error);
        }
        let settlement = Settlement {
            id: file.id,
            file: file.file.clone(),
            target_table: self.table.plan().await.name().to_owned(),
            stream: self.stream.name.clone(),
            run_id: self.run_id.clone(),
            status,
            error: error.chain(),
            processing_seconds: seconds,
            rejects,
        };
        self.destination.ledger().settle(&settlement).await?;
        count_bad_end(&self.tally, status, &error);
        self.decoder.services.observer.observe(Event::Settled { files: 1 });
        if status != Status::Failed {
            settled.push(file.receipt.clone());
        }
        Ok(())
    }
}

/// How a file ends that failed with `error`.
pub(crate) fn bad_end(on_error: OnError, error: &Error) -> Status {
    match on_error {
        _ if error.fact(POLICY).is_some() => Status::Failed,
        OnError::SkipFile if is_of_the_file(error) => Status::Skipped,
        OnError::SkipFile | OnError::Fail | OnError::Reject => Status::Failed,
    }
}

/// Whether the error would come back with the same content: a file that was
/// only out of reach is never given up.
fn is_of_the_file(error: &Error) -> bool {
    use ErrorKind::{MalformedFile, RejectedRows, SchemaMismatch, Unsupported};
    matches!(error.kind(), MalformedFile | RejectedRows | SchemaMismatch | Unsupported)
}

/// Counts a file's bad end.
pub(crate) fn count_bad_end(tally: &Tally, status: Status, error: &Error) {
    match status {
        Status::Vanished => {
            tally.files(|files| files.vanished += 1);
            tally.note(format!("vanished: {error}"));
        }
        Status::Skipped => {
            tally.files(|files| files.skipped += 1);
            tally.error(error);
        }
        _ => {
            tally.files(|files| files.failed += 1);
            tally.error(error);
        }
    }
}
