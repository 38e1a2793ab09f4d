//! Rows that the destination refused while they were written: they become
//! rejects, and the file is counted without them.

use arrow_array::RecordBatch;
use decant_core::Reject;
use decant_core::checksum::RowsChecksum;
use decant_core::destination::{RefusedRow, Writer};
use decant_core::format::RowPlaces;
use decant_core::ledger::REJECTS_KEPT;
use decant_core::reject::Reason;
use decant_core::{Error, ErrorKind, Result};

use crate::file_progress::FileBatch;

/// What to do with rows that the destination refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusing {
    /// The first one fails the load.
    Fails,
    /// They are rejected.
    Rejects,
}

/// Rows of one file that the destination refused in one attempt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals {
    /// How many.
    pub(crate) rows: u64,
    /// Their checksum.
    pub(crate) checksum: RowsChecksum,
    /// The first of them.
    pub(crate) first: Vec<Reject>,
}

impl Refusals {
    /// Writes a batch and the rejects between its rows.
    pub(crate) async fn write(
        &mut self,
        writer: &mut dyn Writer,
        batch: FileBatch,
        refusing: Refusing,
    ) -> Result<()> {
        let FileBatch { batch, mut rejects, places, .. } = batch;
        match refusing {
            Refusing::Fails => writer.write(batch).await?,
            Refusing::Rejects => {
                let refused = writer.write_tolerantly(batch.clone()).await?;
                if !refused.is_empty() {
                    rejects.extend(self.take(&batch, &places, refused)?);
                    rejects.sort_by_key(|reject| reject.ordinal);
                }
            }
        }
        if rejects.is_empty() { Ok(()) } else { writer.write_rejects(rejects).await }
    }

    /// Rows of `batch` that were refused, as rejects.
    fn take(
        &mut self,
        batch: &RecordBatch,
        places: &RowPlaces,
        refused: Vec<RefusedRow>,
    ) -> Result<Vec<Reject>> {
        let mut rejects = Vec::with_capacity(refused.len());
        for RefusedRow { row, constraint, column, detail } in refused {
            if row >= batch.num_rows() {
                let message = "the destination refused a row that the batch does not have";
                return Err(Error::new(ErrorKind::Internal, message));
            }
            self.checksum.add(&batch.slice(row, 1))?;
            self.rows += 1;
            let reason = constraint.map_or(Reason::Database, Reason::Constraint);
            let mut reject = places.reject(row, reason, detail);
            reject.column = column;
            rejects.push(reject);
        }
        let kept = REJECTS_KEPT.saturating_sub(self.first.len());
        self.first.extend(rejects.iter().take(kept).cloned());
        Ok(rejects)
    }
}
