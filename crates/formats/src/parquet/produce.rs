//! Batches, made on a thread of their own.
//!
//! The parquet crate wants a source that it can keep; the input is only
//! borrowed. So a thread makes batches and asks this one for bytes.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;

use arrow_array::RecordBatch;
use decant_core::format::Input;
use decant_core::{Error, ErrorKind, Result};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowSelection, RowSelector};
use parquet::arrow::{FieldLevels, ProjectionMask, parquet_to_arrow_field_levels};
use parquet::file::metadata::ParquetMetaData;

use super::fetch::{Line, Order};
use super::footer::{ParquetFile, damaged};
use super::memory::Memory;
use super::row_group::RowGroup;
use crate::arrow::rows::BATCH_ROWS_MAX;

/// What a batch is to take in memory, roughly.
const BATCH_BYTES: u64 = 4 << 20;
/// Memory that a level and a view take besides a value's own bytes.
const VALUE_BYTES: u64 = 20;
/// By how much batches shrink when one takes too much memory.
const SHRINK: usize = 8;

/// Makes batches of `columns` of some row groups, in the file's order, and
/// hands each over with the bytes that were unpacked for it, until `take` wants
/// no more. Whether they ended.
pub(super) fn batches(
    (file, groups): (&ParquetFile, Range<usize>),
    columns: &[usize],
    memory_bytes: u64,
    input: &mut dyn Input,
    take: impl FnMut(&RecordBatch, u64) -> Result<bool>,
) -> Result<bool> {
    let metadata = &file.metadata;
    let schema = metadata.file_metadata().schema_descr();
    let mask = ProjectionMask::roots(schema, columns.iter().copied());
    let leaves = (0..schema.num_columns()).filter(|leaf| mask.leaf_included(*leaf)).collect();
    let levels = parquet_to_arrow_field_levels(schema, mask, Some(&file.fields))
        .map_err(|error| damaged("its schema").caused_by(error))?;
    let (line, orders) = Line::new();
    let producer = Producer {
        metadata: Arc::clone(metadata),
        groups,
        levels,
        leaves,
        line,
        memory: Memory::new(memory_bytes),
        limit: memory_bytes,
        file_bytes: file.bytes,
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("parquet".to_owned())
            .spawn_scoped(scope, move || producer.run())
            .map_err(|error| {
                Error::new(ErrorKind::Internal, "no thread could be started").caused_by(error)
            })?;
        let served = serve(orders, input, take);
        let produced = thread.join();
        match (served, produced) {
            (Ok(true), Ok(produced)) => produced.map(|()| true),
            (Ok(true), Err(panic)) => std::panic::resume_unwind(panic),
            (served, _) => served,
        }
    })
}

/// Answers the producer until it ends (`true`), or nobody wants more of it.
fn serve(
    orders: Receiver<Order>,
    input: &mut dyn Input,
    mut take: impl FnMut(&RecordBatch, u64) -> Result<bool>,
) -> Result<bool> {
    for message in orders {
        match message {
            Order::Fetch(range, answer) => {
                let bytes = input.range(range)?;
                // Whoever asked and is gone has said why.
                let _ = answer.send(bytes);
            }
            Order::Rows(batch, bytes, answer) => {
                if !take(&batch, bytes)? {
                    return Ok(false);
                }
                drop(batch);
                let _ = answer.send(());
            }
        }
    }
    Ok(true)
}

struct Producer {
    metadata: Arc<ParquetMetaData>,
    groups: Range<usize>,
    levels: FieldLevels,
    leaves: Vec<usize>,
    line: Line,
    memory: Arc<Memory>,
    limit: u64,
    file_bytes: u64,
}

impl Producer {
    fn run(self) -> Result<()> {
        self.groups.clone().try_for_each(|number| self.row_group(number))
    }

    fn row_group(&self, number: usize) -> Result<()> {
        let rows = usize::try_from(self.metadata.row_group(number).num_rows());
        let rows = rows.map_err(|_| damaged("a number of rows"))?;
        let mut batch_rows = self.batch_rows(number);
        let mut done = 0;
        while done < rows {
            match self.read(number, batch_rows, rows, &mut done) {
                Ok(()) if done == rows => {}
                Ok(()) => {
                    let message = format!("row group {} has fewer rows than it says", number + 1);
                    return Err(Error::new(ErrorKind::MalformedFile, message));
                }
                Err(_) if self.memory.take_refused() && batch_rows > 1 => {
                    self.memory.take_error();
                    batch_rows = (batch_rows / SHRINK).max(1);
                }
                Err(error) => return Err(self.memory.take_error().unwrap_or(error)),
            }
        }
        Ok(())
    }

    /// Hands over the row group's rows from `done` on, in batches.
    fn read(&self, number: usize, batch_rows: usize, rows: usize, done: &mut usize) -> Result<()> {
        let row_group = RowGroup::open(
            &self.metadata,
            number,
            &self.leaves,
            &self.line,
            &self.memory,
            (self.limit, self.file_bytes),
        );
        let row_group = row_group.map_err(broken)?;
        let rest =
            RowSelection::from(vec![RowSelector::skip(*done), RowSelector::select(rows - *done)]);
        let selection = (*done > 0).then_some(rest);
        let reader = ParquetRecordBatchReader::try_new_with_row_groups(
            &self.levels,
            &row_group,
            batch_rows,
            selection,
        );
        for batch in reader.map_err(broken)? {
            let batch = batch.map_err(broken)?;
            *done += batch.num_rows();
            if *done > rows {
                return Err(damaged(&format!("the number of rows of row group {}", number + 1)));
            }
            self.line.deliver(batch, self.memory.take_unpacked()).map_err(broken)?;
        }
        Ok(())
    }

    /// As many rows as take about [`BATCH_BYTES`], going by the sizes that
    /// the footer tells.
    fn batch_rows(&self, number: usize) -> usize {
        let row_group = self.metadata.row_group(number);
        let bytes: u64 = self
            .leaves
            .iter()
            .map(|leaf| {
                let column = row_group.column(*leaf);
                let values = column.num_values().unsigned_abs();
                column.uncompressed_size().unsigned_abs() + values.saturating_mul(VALUE_BYTES)
            })
            .fold(0, u64::saturating_add);
        let rows = row_group.num_rows().unsigned_abs().max(1);
        let budget = BATCH_BYTES.min(self.limit / 8).saturating_mul(rows) / bytes.max(1);
        usize::try_from(budget).unwrap_or(BATCH_ROWS_MAX).clamp(1, BATCH_ROWS_MAX)
    }
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let message = format!("the Parquet file is damaged: {error}");
    Error::new(ErrorKind::MalformedFile, message)
}
