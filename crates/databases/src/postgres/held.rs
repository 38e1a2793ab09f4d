//! Rows that refer to rows of their own table which are not there yet: held
//! until all others are, and tried again.
//!
//! Each pass goes the other way, so that a chain of rows takes two passes
//! whichever way it runs. Invariant: what is held is bounded; rows past the
//! bound are refused as any other.

use arrow_array::{RecordBatch, UInt64Array};
use arrow_select::take::take_record_batch;
use decant_core::destination::RefusedRow;
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::FileId;

use super::tolerate::Constraints;

/// How often held rows are tried again at most.
pub(crate) const PASSES_MAX: usize = 64;
/// Rows that are held at most.
const ROWS_MAX: usize = 10_000;

/// The rows that are held.
#[derive(Default)]
pub(crate) struct Held {
    groups: Vec<Group>,
    rows: usize,
}

/// Rows of one batch.
pub(crate) struct Group {
    pub(crate) file: FileId,
    /// The table's columns that they fill.
    pub(crate) columns: Vec<usize>,
    pub(crate) batch: RecordBatch,
    /// Why each was refused, with its position in the file.
    pub(crate) refused: Vec<RefusedRow>,
}

impl Held {
    /// Holds those of the refused rows that refer to their own table, and
    /// answers the others. `before` rows of the file came before the batch.
    pub(crate) fn keep(
        &mut self,
        (file, columns): (FileId, &[usize]),
        batch: &RecordBatch,
        before: usize,
        refused: Vec<RefusedRow>,
        constraints: &Constraints,
    ) -> Result<Vec<RefusedRow>> {
        let room = ROWS_MAX.saturating_sub(self.rows);
        let (mut held, mut others) = (Vec::new(), Vec::new());
        for row in refused {
            let key = row.constraint.as_ref();
            let waits = key.is_some_and(|key| constraints.own_keys.contains(key));
            if waits && held.len() < room { held.push(row) } else { others.push(row) }
        }
        if !held.is_empty() {
            self.rows += held.len();
            let batch = rows_of(batch, held.iter().map(|row| row.row))?;
            for row in &mut held {
                row.row += before;
            }
            self.groups.push(Group { file, columns: columns.to_vec(), batch, refused: held });
        }
        Ok(others)
    }

    /// What is held, in the order in which it came.
    pub(crate) fn take(&mut self) -> Vec<Group> {
        self.rows = 0;
        std::mem::take(&mut self.groups)
    }
}

impl Group {
    /// Keeps the rows that were refused again.
    pub(crate) fn keep(&mut self, again: &[RefusedRow]) -> Result<()> {
        self.batch = rows_of(&self.batch, again.iter().map(|row| row.row))?;
        let mut kept = Vec::with_capacity(again.len());
        for row in again {
            let Some(known) = self.refused.get(row.row) else { continue };
            kept.push(RefusedRow { row: known.row, ..row.clone() });
        }
        self.refused = kept;
        Ok(())
    }
}

/// A copy of some rows: a slice would hold on to all of them.
fn rows_of(batch: &RecordBatch, rows: impl Iterator<Item = usize>) -> Result<RecordBatch> {
    let rows: UInt64Array = rows.map(|row| row as u64).collect();
    take_record_batch(batch, &rows).map_err(|error| {
        Error::new(ErrorKind::Internal, "rows cannot be held back").caused_by(error)
    })
}
