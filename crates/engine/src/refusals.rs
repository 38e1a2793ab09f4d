//! Rows that the destination refused while they were written: they become
//! rejects, and the file is counted without them.
//!
//! Some are only refused once all others are there (rows that refer to each
//! other): then the load begins again, and leaves them out.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow_array::RecordBatch;
use decant_core::Reject;
use decant_core::checksum::RowsChecksum;
use decant_core::destination::{RefusedRow, Writer};
use decant_core::format::RowPlaces;
use decant_core::ledger::REJECTS_KEPT;
use decant_core::reject::Reason;
use decant_core::{Error, ErrorKind, FileId, Result};

use crate::file_progress::FileBatch;

/// How often a load begins again because rows were refused late.
const ROUNDS_MAX: usize = 16;

/// Rows of a file that an earlier try found to be refused, by their position
/// among its good rows.
type Known = BTreeMap<usize, RefusedRow>;

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
    known: Known,
    /// Rows of the file that came by.
    seen: usize,
}

/// Rows of each file that tries at a load found to be refused late.
#[derive(Clone, Debug, Default)]
pub(crate) struct LateRefusals {
    files: BTreeMap<FileId, Known>,
    rounds: usize,
}

impl LateRefusals {
    /// Nothing is refused of a file but what is known.
    pub(crate) fn of(&self, file: FileId) -> Refusals {
        let known = self.files.get(&file).cloned().unwrap_or_default();
        Refusals { known, ..Refusals::default() }
    }

    /// The first of these rows as an error.
    pub(crate) fn error(&self) -> Error {
        let first =
            self.files.iter().find_map(|(file, known)| Some((file, known.values().next()?)));
        let Some((file, row)) = first else {
            return Error::new(ErrorKind::Internal, "no row was refused late");
        };
        Error::new(ErrorKind::RejectedRows, row.detail.clone())
            .with("file_id", file.to_string())
            .with("row", (row.row + 1).to_string())
            .with_hint("mend the rows, or the table's constraint")
    }

    /// Asks for rows that are refused late; whether there are any, so that
    /// the load must begin again.
    pub(crate) async fn ask(&mut self, writer: &mut dyn Writer) -> Result<bool> {
        let late = writer.refused_late().await?;
        let Some((_, first)) = late.first() else { return Ok(false) };
        self.rounds += 1;
        if self.rounds > ROUNDS_MAX {
            let message = format!("rows that refer to each other are refused: {}", first.detail);
            return Err(Error::new(ErrorKind::RejectedRows, message)
                .with_hint("mend the rows that the message names, and what refers to them"));
        }
        let before = self.files.clone();
        for (file, mut row) in late {
            // The positions are those of a load without what was known.
            for known in before.get(&file).into_iter().flat_map(BTreeMap::keys) {
                row.row += usize::from(*known <= row.row);
            }
            self.files.entry(file).or_default().insert(row.row, row);
        }
        Ok(true)
    }
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
                let refused = self.write_tolerantly(writer, &batch).await?;
                if !refused.is_empty() {
                    rejects.extend(self.take(&batch, &places, refused)?);
                    rejects.sort_by_key(|reject| reject.ordinal);
                }
            }
        }
        if rejects.is_empty() { Ok(()) } else { writer.write_rejects(rejects).await }
    }

    /// Writes the rows that are not known to be refused; answers those that
    /// are.
    async fn write_tolerantly(
        &mut self,
        writer: &mut dyn Writer,
        batch: &RecordBatch,
    ) -> Result<Vec<RefusedRow>> {
        let (first, rows) = (self.seen, batch.num_rows());
        self.seen += rows;
        let mut refused = Vec::new();
        let mut from = 0;
        for (at, known) in self.known.range(first..first + rows) {
            let row = at - first;
            refused.extend(write_rows(writer, batch, from..row).await?);
            refused.push(RefusedRow { row, ..known.clone() });
            from = row + 1;
        }
        refused.extend(write_rows(writer, batch, from..rows).await?);
        Ok(refused)
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

/// Writes some rows of a batch; answers those that are refused, by their
/// positions in the batch.
async fn write_rows(
    writer: &mut dyn Writer,
    batch: &RecordBatch,
    rows: Range<usize>,
) -> Result<Vec<RefusedRow>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut refused = writer.write_tolerantly(batch.slice(rows.start, rows.len())).await?;
    for row in &mut refused {
        row.row += rows.start;
    }
    Ok(refused)
}
