//! Making a batch fit: rows that are not loaded go, columns get the table's
//! names, and columns from elsewhere join them.
//!
//! Where no rule asks for more, nothing is copied: the batch is relabelled.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, Field, Schema};
use arrow_select::filter::filter_record_batch;

use super::Conform;
use super::added::{AddedFilling, FileFacts};
use super::conceal::{conceal, row_hashes};
use super::rescue::rescued;
use crate::error::{Error, ErrorKind, Result};
use crate::format::{DecodedBatch, Repair, RepairKind, RowPlaces};
use crate::reject::{Reason, Reject};
use crate::schema::ColumnType;
use crate::secret::Secret;
use crate::stream::Concealment;

/// Where the values of one of the table's columns come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filling {
    /// The batch's column at this position.
    File { index: usize, conceal: Option<Concealment> },
    /// From elsewhere.
    Added(AddedFilling),
    /// A hash over other fillings, by their positions; `None` is NULL.
    RowHash { fillings: Vec<Option<usize>>, key: Option<Secret>, column_type: ColumnType },
    /// What did not fit.
    Rescued,
    /// The file's id.
    FileId,
}

/// Rows that fit the table, and what became of the others.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The rows, with the table's names.
    pub batch: RecordBatch,
    /// Rows that cannot be loaded, by their numbers.
    pub rejects: Vec<Reject>,
    /// Rows that the filter left out.
    pub rows_filtered: u64,
    /// Rows of which something is kept in `_rescued`.
    pub rows_rescued: u64,
    /// How the rows were repaired.
    pub repairs: Repairs,
    /// What repairs cut off and nothing else keeps, with reason `repaired`.
    pub kept: Vec<Reject>,
    /// Where the rows stand in the file, as far as it was asked for.
    pub places: RowPlaces,
}

/// How rows were repaired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    /// Rows with a repair.
    pub rows: u64,
    /// A kind for each repair.
    pub kinds: Vec<RepairKind>,
}

impl Repairs {
    fn new(repairs: &[Repair]) -> Self {
        let mut rows: Vec<usize> = repairs.iter().map(|repair| repair.row).collect();
        rows.sort_unstable();
        rows.dedup();
        let kinds = repairs.iter().map(|repair| repair.kind).collect();
        Self { rows: rows.len() as u64, kinds }
    }
}

impl Conform {
    /// Makes decoded rows fit the table.
    ///
    /// # Errors
    ///
    /// `SchemaMismatch` when the file's key does not say what a column needs;
    /// `Internal` when the batch is not what was asked for.
    pub fn apply(&self, decoded: DecodedBatch, facts: &FileFacts) -> Result<Fitted> {
        let (mut decoded, mut rejects, rows_filtered) = self.sift(decoded)?;
        let columns = self.columns_of(&decoded, facts)?;
        let rescuing = self.fillings.iter().position(|it| matches!(it, Filling::Rescued));
        let rows_rescued =
            rescuing.map_or(0, |at| columns[at].len() - columns[at].null_count()) as u64;
        let repairs = std::mem::take(&mut decoded.repairs);
        let counted = Repairs::new(&repairs);
        let kept = match self.rescues {
            true => Vec::new(),
            false => repairs.into_iter().filter_map(|repair| repair.kept).map(|it| *it).collect(),
        };
        rejects.sort_by_key(|reject| reject.ordinal);
        Ok(Fitted {
            batch: self.labelled(columns, decoded.batch.num_rows())?,
            rejects,
            rows_filtered,
            rows_rescued,
            repairs: counted,
            kept,
            places: decoded.places,
        })
    }

    /// Takes out the rows that are filtered and those that are refused for
    /// their new columns.
    fn sift(&self, mut decoded: DecodedBatch) -> Result<(DecodedBatch, Vec<Reject>, u64)> {
        let mut rejects = std::mem::take(&mut decoded.rejects);
        if self.filter.is_empty() && self.refused.is_empty() {
            return Ok((decoded, rejects, 0));
        }
        let mut keep = vec![true; decoded.batch.num_rows()];
        for comparison in &self.filter {
            comparison.sift(&decoded.batch, &mut keep)?;
        }
        let filtered = keep.iter().filter(|keep| !**keep).count() as u64;
        for (index, name) in &self.refused {
            let Some(array) = decoded.batch.columns().get(*index) else { continue };
            for (row, keep) in keep.iter_mut().enumerate() {
                if *keep && array.is_valid(row) {
                    *keep = false;
                    rejects.push(refused(&decoded.places, row, name));
                }
            }
        }
        if keep.contains(&false) {
            retain(&mut decoded, &keep)?;
        }
        Ok((decoded, rejects, filtered))
    }

    fn columns_of(&self, decoded: &DecodedBatch, facts: &FileFacts) -> Result<Vec<ArrayRef>> {
        let rows = decoded.batch.num_rows();
        let mut columns: Vec<Option<ArrayRef>> = Vec::with_capacity(self.fillings.len());
        for filling in &self.fillings {
            columns.push(match filling {
                Filling::File { index, conceal: how } => {
                    let column = decoded.batch.columns().get(*index).ok_or_else(not_asked_for)?;
                    match how {
                        Some(how) => Some(conceal(column, how)?),
                        None => Some(Arc::clone(column)),
                    }
                }
                Filling::Added(added) => Some(added.array(facts, &decoded.places, rows)?),
                Filling::Rescued => Some(rescued(&self.rescued_columns, decoded, &facts.location)?),
                Filling::FileId => Some(Arc::new(Int64Array::from(vec![facts.id.0; rows]))),
                Filling::RowHash { .. } => None,
            });
        }
        for (index, filling) in self.fillings.iter().enumerate() {
            if let Filling::RowHash { fillings, key, column_type } = filling {
                let of_columns: Vec<Option<&ArrayRef>> =
                    fillings.iter().map(|at| at.and_then(|at| columns[at].as_ref())).collect();
                let hashed = row_hashes(&of_columns, rows, key.as_ref(), *column_type)?;
                columns[index] = Some(hashed);
            }
        }
        columns.into_iter().map(|column| column.ok_or_else(not_asked_for)).collect()
    }

    fn labelled(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let fields: Vec<Field> = self
            .names
            .iter()
            .zip(&columns)
            .map(|(name, column)| Field::new(name, column.data_type().clone(), true))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
            .map_err(|error| not_asked_for().caused_by(error))
    }
}

fn refused(places: &RowPlaces, row: usize, column: &str) -> Reject {
    let detail = format!("has a value in column `{column}`, which the table does not have");
    let mut reject = places.reject(row, Reason::NewColumn, detail);
    reject.column = Some(column.to_owned());
    reject
}

/// Takes the other rows out of a batch, and what is said of them.
fn retain(decoded: &mut DecodedBatch, keep: &[bool]) -> Result<()> {
    let internal = |error: ArrowError| {
        Error::new(ErrorKind::Internal, "rows cannot be taken out of a batch").caused_by(error)
    };
    decoded.batch = filter_record_batch(&decoded.batch, &BooleanArray::from(keep.to_vec()))
        .map_err(internal)?;
    decoded.places.retain(keep);
    let mut next = 0;
    let moved: Vec<Option<usize>> = keep
        .iter()
        .map(|keep| {
            let place = keep.then_some(next);
            next += usize::from(*keep);
            place
        })
        .collect();
    let moved = |row: usize| moved.get(row).copied().flatten();
    decoded.rescued.retain_mut(|rescued| match moved(rescued.row) {
        Some(row) => {
            rescued.row = row;
            true
        }
        None => false,
    });
    decoded.repairs.retain_mut(|repair| match moved(repair.row) {
        Some(row) => {
            repair.row = row;
            true
        }
        None => false,
    });
    Ok(())
}

fn not_asked_for() -> Error {
    Error::new(ErrorKind::Internal, "a batch does not have the columns that were asked for")
}

#[cfg(test)]
mod tests;
