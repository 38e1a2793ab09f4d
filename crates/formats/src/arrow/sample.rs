//! A bounded look at the batches of a file that knows its types.
//!
//! The types are the file's own, but for columns with a value that the type
//! does not keep (nanoseconds, a day of the year 10000): those are text, and
//! lists with such an element JSON. Values that the file itself says are bad
//! tell nothing.

use arrow_array::RecordBatch;
use decant_core::Result;
use decant_core::evidence::Evidence;
use decant_core::format::{Sample, SampleLimits, Target};
use decant_core::schema::ColumnType;

use super::cells::Cells;
use super::convert::{self, Troubles};
use super::render;
use super::rows::BATCH_ROWS_MAX;
use super::source::SourceColumns;

/// Examples of a column.
const EXAMPLES_MAX: usize = 3;
/// Characters of an example.
const EXAMPLE_CHARACTERS_MAX: usize = 40;

/// What has been seen so far.
pub(crate) struct Look<'f> {
    columns: &'f SourceColumns,
    sample: Sample,
    limits: SampleLimits,
    bytes: u64,
}

impl<'f> Look<'f> {
    pub(crate) fn new(columns: &'f SourceColumns, limits: SampleLimits) -> Self {
        let sample = Sample {
            columns: columns.file_columns(),
            evidence: columns.evidence(),
            nulls: vec![false; columns.len()],
            examples: vec![Vec::new(); columns.len()],
            complete: true,
            ..Sample::default()
        };
        Self { columns, sample, limits, bytes: 0 }
    }

    /// Whether more may be looked at.
    pub(crate) fn goes_on(&self) -> bool {
        self.sample.rows < self.limits.rows as u64 && self.bytes < self.limits.bytes as u64
    }

    /// Looks at a batch of all columns.
    pub(crate) fn at(&mut self, batch: &RecordBatch, bytes: u64) -> Result<()> {
        let left = (self.limits.rows as u64).saturating_sub(self.sample.rows);
        let rows = batch.num_rows().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.sample.complete &= rows == batch.num_rows();
        for (column, array) in batch.columns().iter().enumerate() {
            let cells = Cells::new(array, self.columns.meaning(column))?;
            for start in (0..rows).step_by(BATCH_ROWS_MAX) {
                let window = start..rows.min(start + BATCH_ROWS_MAX);
                self.check(column, array, &cells, window.clone())?;
                self.collect(column, &cells, window);
            }
        }
        self.sample.rows += rows as u64;
        self.bytes += bytes;
        Ok(())
    }

    fn check(
        &mut self,
        column: usize,
        array: &arrow_array::ArrayRef,
        cells: &Cells<'_>,
        rows: std::ops::Range<usize>,
    ) -> Result<()> {
        let Evidence::Known(known) = self.sample.evidence[column] else { return Ok(()) };
        let mut troubles = Troubles::new();
        convert::column(array, cells, rows, &Target::new(known, true), &mut troubles)?;
        if troubles.values().any(|trouble| !trouble.is_bad) {
            self.sample.evidence[column] = match known {
                ColumnType::List(_) => Evidence::Known(ColumnType::Json),
                _ => Evidence::Text,
            };
        }
        Ok(())
    }

    fn collect(&mut self, column: usize, cells: &Cells<'_>, rows: std::ops::Range<usize>) {
        let wants_examples = self.sample.examples[column].len() < EXAMPLES_MAX;
        if !wants_examples && self.sample.nulls[column] {
            return;
        }
        self.sample.nulls[column] |= rows.clone().any(|row| cells.is_null(row));
        let examples = &mut self.sample.examples[column];
        let values = rows.filter_map(|row| cells.get(row));
        for value in values.take(EXAMPLES_MAX.saturating_sub(examples.len())) {
            let text = render::text(&value);
            examples.push(text.chars().take(EXAMPLE_CHARACTERS_MAX).collect());
        }
    }

    /// What was found; `ended` says that the file has no more rows.
    pub(crate) fn finish(mut self, ended: bool) -> Sample {
        self.sample.complete &= ended;
        self.sample
    }
}
