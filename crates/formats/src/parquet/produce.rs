//! Batches, made on a thread of their own.
//!
//! The parquet crate wants a source that it can keep; the input is only
//! borrowed. So a thread makes batches and asks this one for bytes.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Fields, Schema};
use decant_core::format::Input;
use decant_core::{Error, ErrorKind, Result};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowSelection, RowSelector};
use parquet::arrow::{FieldLevels, ProjectionMask, parquet_to_arrow_field_levels};
use parquet::file::metadata::ParquetMetaData;

use super::fetch::{Line, Order};
use super::flat::Kind;
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
    let split = Split::of(file, columns)?;
    split_batches((file, groups), columns, split, memory_bytes, input, take)
}

/// The same, with columns split so; `None` leaves all of them to the crate.
pub(super) fn split_batches(
    (file, groups): (&ParquetFile, Range<usize>),
    columns: &[usize],
    split: Option<Split>,
    memory_bytes: u64,
    input: &mut dyn Input,
    take: impl FnMut(&RecordBatch, u64) -> Result<bool>,
) -> Result<bool> {
    let metadata = &file.metadata;
    let schema = metadata.file_metadata().schema_descr();
    let mask = ProjectionMask::roots(schema, columns.iter().copied());
    let leaves = (0..schema.num_columns()).filter(|leaf| mask.leaf_included(*leaf)).collect();
    let levels = levels_of(file, mask)?;
    let (line, orders) = Line::new();
    let producer = Producer {
        metadata: Arc::clone(metadata),
        groups,
        levels,
        split,
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

fn levels_of(file: &ParquetFile, mask: ProjectionMask) -> Result<FieldLevels> {
    let schema = file.metadata.file_metadata().schema_descr();
    parquet_to_arrow_field_levels(schema, mask, Some(&file.fields))
        .map_err(|error| damaged("its schema").caused_by(error))
}

/// Columns of a batch by who reads them.
pub(super) struct Split {
    /// Those that are read here: the place in the batch, the kind, the leaf.
    ours: Vec<(usize, Kind, usize)>,
    /// What the parquet crate reads; `None` where nothing is left for it.
    theirs: Option<FieldLevels>,
}

impl Split {
    /// Splits the columns of a batch; `None` where the parquet crate reads all
    /// of them.
    pub(super) fn of(file: &ParquetFile, columns: &[usize]) -> Result<Option<Self>> {
        let schema = file.metadata.file_metadata().schema_descr();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for (place, column) in columns.iter().enumerate() {
            let mut leaves = (0..schema.num_columns())
                .filter(|leaf| schema.get_column_root_idx(*leaf) == *column);
            let kind = match (leaves.next(), leaves.next(), file.fields.get(*column)) {
                (Some(leaf), None, Some(field)) => {
                    Kind::of(&file.metadata, leaf, field.data_type()).map(|kind| (kind, leaf))
                }
                _ => None,
            };
            match kind {
                Some((kind, leaf)) => ours.push((place, kind, leaf)),
                None => theirs.push(*column),
            }
        }
        if ours.is_empty() {
            return Ok(None);
        }
        let mask = ProjectionMask::roots(schema, theirs.iter().copied());
        let theirs = if theirs.is_empty() { None } else { Some(levels_of(file, mask)?) };
        Ok(Some(Self { ours, theirs }))
    }
}

struct Producer {
    metadata: Arc<ParquetMetaData>,
    groups: Range<usize>,
    /// All columns, as the parquet crate reads them.
    levels: FieldLevels,
    split: Option<Split>,
    leaves: Vec<usize>,
    line: Line,
    memory: Arc<Memory>,
    limit: u64,
    file_bytes: u64,
}

/// What the row groups before have shown of those to come, which are mostly
/// written alike.
struct Learnt<'p> {
    /// Rows of a batch at most.
    rows_max: usize,
    /// How columns are split, as long as ours are as expected.
    split: Option<&'p Split>,
}

impl Producer {
    fn run(self) -> Result<()> {
        let mut learnt = Learnt { rows_max: usize::MAX, split: self.split.as_ref() };
        self.groups.clone().try_for_each(|number| self.row_group(number, &mut learnt))
    }

    fn row_group(&self, number: usize, learnt: &mut Learnt<'_>) -> Result<()> {
        let rows = usize::try_from(self.metadata.row_group(number).num_rows());
        let rows = rows.map_err(|_| damaged("a number of rows"))?;
        let mut batch_rows = self.batch_rows(number).min(learnt.rows_max);
        let mut done = 0;
        while done < rows {
            let read = match learnt.split {
                Some(split) => self.read_split(split, number, (batch_rows, rows), &mut done),
                None => self.read(number, batch_rows, rows, &mut done),
            };
            match read {
                Ok(()) if done == rows => {}
                Ok(()) => {
                    let message = format!("row group {} has fewer rows than it says", number + 1);
                    return Err(Error::new(ErrorKind::MalformedFile, message));
                }
                Err(_) if self.memory.take_refused() && batch_rows > 1 => {
                    self.memory.take_error();
                    batch_rows = (batch_rows / SHRINK).max(1);
                    learnt.rows_max = batch_rows;
                }
                // What is wrong, if anything is, the crate says.
                Err(_) if learnt.split.is_some() => {
                    self.memory.take_error();
                    learnt.split = None;
                }
                Err(error) => return Err(self.memory.take_error().unwrap_or(error)),
            }
        }
        Ok(())
    }

    /// Hands over the row group's rows from `done` on, in batches whose
    /// columns are read by two.
    fn read_split(
        &self,
        split: &Split,
        number: usize,
        (batch_rows, rows): (usize, usize),
        done: &mut usize,
    ) -> Result<()> {
        let row_group = self.open(number)?;
        let mut ours = Vec::with_capacity(split.ours.len());
        for (_, kind, leaf) in &split.ours {
            let mut column = row_group.flat_column(*kind, *leaf).map_err(broken)?;
            column.skip(*done, batch_rows).map_err(broken)?;
            ours.push(column);
        }
        let theirs = split.theirs.as_ref();
        let theirs = theirs.map(|levels| reader(levels, &row_group, batch_rows, (*done, rows)));
        let mut theirs = theirs.transpose()?;
        while *done < rows {
            let wanted = batch_rows.min(rows - *done);
            let read = ours.iter_mut().map(|column| column.read(wanted));
            let arrays = read.collect::<Result<Vec<_>, _>>().map_err(broken)?;
            let rest = match &mut theirs {
                Some(reader) => Some(reader.next().ok_or_else(few_rows)?.map_err(broken)?),
                None => None,
            };
            let batch = joined(split, arrays, rest)?;
            if batch.num_rows() != wanted {
                return Err(few_rows());
            }
            *done += wanted;
            self.line.deliver(batch, self.memory.take_unpacked()).map_err(broken)?;
        }
        Ok(())
    }

    fn open(&self, number: usize) -> Result<RowGroup> {
        RowGroup::open(
            &self.metadata,
            number,
            &self.leaves,
            &self.line,
            &self.memory,
            (self.limit, self.file_bytes),
        )
        .map_err(broken)
    }

    /// Hands over the row group's rows from `done` on, in batches.
    fn read(&self, number: usize, batch_rows: usize, rows: usize, done: &mut usize) -> Result<()> {
        let row_group = self.open(number)?;
        for batch in reader(&self.levels, &row_group, batch_rows, (*done, rows))? {
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

/// The crate's reader of a row group's rows from `done` on.
fn reader(
    levels: &FieldLevels,
    row_group: &RowGroup,
    batch_rows: usize,
    (done, rows): (usize, usize),
) -> Result<ParquetRecordBatchReader> {
    // One more than there should be, so that it shows where there are more.
    let rest = vec![RowSelector::skip(done), RowSelector::select(rows - done + 1)];
    let rest = RowSelection::from(rest);
    let selection = (done > 0).then_some(rest);
    ParquetRecordBatchReader::try_new_with_row_groups(levels, row_group, batch_rows, selection)
        .map_err(broken)
}

/// A batch of the arrays that were read here and of those that were not.
fn joined(split: &Split, ours: Vec<ArrayRef>, theirs: Option<RecordBatch>) -> Result<RecordBatch> {
    let mut columns = theirs.map(|batch| batch.columns().to_vec()).unwrap_or_default();
    for ((place, ..), array) in split.ours.iter().zip(ours) {
        columns.insert((*place).min(columns.len()), array);
    }
    let fields = columns.iter().map(|array| Field::new("", array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Fields>()));
    RecordBatch::try_new(schema, columns).map_err(broken)
}

fn few_rows() -> Error {
    damaged("the number of rows of a row group")
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let message = format!("the Parquet file is damaged: {error}");
    Error::new(ErrorKind::MalformedFile, message)
}
