//! Batches as a file has them into batches, rejects and rescued values.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema};
use arrow_select::filter::filter;
use decant_core::format::{
    DecodedBatch, OnMisfit, PlacesWanted, Receiver, Rescued, RowPlaces, Target, Wishes,
};
use decant_core::reject::Reason;
use decant_core::{Error, ErrorKind, Reject, Result};

use super::cells::Cells;
use super::convert::{self, Trouble, Troubles};
use super::render;
use super::source::SourceColumns;
use crate::natives::internal;
use crate::values::Reader;
use crate::values::complaint::quoted;

/// Rows of one batch at most.
pub(crate) const BATCH_ROWS_MAX: usize = 16_384;

/// Turns the batches of one file into what was asked for, and counts its rows.
pub(crate) struct Rows<'f> {
    columns: &'f SourceColumns,
    wishes: Wishes,
    /// The file's columns that batches have, in their order.
    read: Vec<usize>,
    rows_before: u64,
}

impl<'f> Rows<'f> {
    /// Asks what to make of the file's columns.
    pub(crate) fn ask(columns: &'f SourceColumns, receiver: &mut dyn Receiver) -> Result<Self> {
        let wishes = receiver.columns(&columns.file_columns())?;
        if wishes.targets.len() != columns.len() {
            let (targets, columns) = (wishes.targets.len(), columns.len());
            let message = format!("{targets} targets were given for {columns} columns");
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let all = wishes.places == PlacesWanted::Raw;
        let is_read = |column: &usize| all || wishes.targets[*column].is_some();
        let mut read: Vec<usize> = (0..columns.len()).filter(is_read).collect();
        if read.is_empty() && columns.len() > 0 {
            // Rows are counted all the same.
            read.push(0);
        }
        Ok(Self { columns, wishes, read, rows_before: 0 })
    }

    /// The same for rows that stand behind so many others.
    pub(crate) fn behind(self, rows_before: u64) -> Self {
        Self { rows_before, ..self }
    }

    /// The file's columns that batches must have, in their order: those that
    /// are wanted, and all of them when raw rows are.
    pub(crate) fn columns_to_read(&self) -> &[usize] {
        &self.read
    }

    /// Hands the rows of a batch over.
    pub(crate) fn deliver(
        &mut self,
        batch: &RecordBatch,
        bytes_decoded: u64,
        receiver: &mut dyn Receiver,
    ) -> Result<()> {
        if batch.num_columns() != self.read.len() {
            return Err(Error::new(ErrorKind::Internal, "a batch lacks columns of its file"));
        }
        let cells = batch.columns().iter().zip(&self.read);
        let cells = cells.map(|(array, column)| Cells::new(array, self.columns.meaning(*column)));
        let source = Source { batch, cells: cells.collect::<Result<_>>()? };
        let mut bytes = bytes_decoded;
        let mut start = 0;
        while start < batch.num_rows() {
            let end = batch.num_rows().min(start + BATCH_ROWS_MAX);
            self.deliver_range(&source, start..end, &mut bytes, receiver)?;
            start = end;
        }
        self.rows_before += batch.num_rows() as u64;
        Ok(())
    }

    /// Hands some rows over: in one batch, or, when they do not fit one, in
    /// several.
    fn deliver_range(
        &self,
        source: &Source<'_>,
        rows: Range<usize>,
        bytes: &mut u64,
        receiver: &mut dyn Receiver,
    ) -> Result<()> {
        let Some(mut decoded) = self.convert(source, rows.clone())? else {
            let middle = rows.start + rows.len() / 2;
            if rows.len() < 2 {
                let message = format!("row {} does not fit a batch", self.ordinal(rows.start));
                return Err(Error::new(ErrorKind::MalformedFile, message));
            }
            self.deliver_range(source, rows.start..middle, bytes, receiver)?;
            return self.deliver_range(source, middle..rows.end, bytes, receiver);
        };
        decoded.bytes_decoded = std::mem::take(bytes);
        receiver.batch(decoded)
    }

    fn ordinal(&self, row: usize) -> u64 {
        self.rows_before + row as u64 + 1
    }

    fn convert(&self, source: &Source<'_>, rows: Range<usize>) -> Result<Option<DecodedBatch>> {
        let mut arrays = Vec::new();
        let mut bad = BTreeMap::new();
        let mut rescued = Vec::new();
        for (place, column) in self.read.iter().copied().enumerate() {
            let Some(target) = &self.wishes.targets[column] else { continue };
            let array = source.batch.column(place);
            let mut troubles = Troubles::new();
            let taken =
                convert::column(array, &source.cells[place], rows.clone(), target, &mut troubles)?;
            let Some(taken) = taken else { return Ok(None) };
            arrays.push((column, taken));
            for (row, trouble) in troubles {
                match target.misfit {
                    OnMisfit::Reject => drop(bad.entry(row).or_insert((column, trouble))),
                    OnMisfit::Rescue => rescued.push((row, column, trouble.json)),
                }
            }
        }
        let rejects = bad.iter().map(|(row, (column, trouble))| {
            let target = self.wishes.targets[*column].as_ref();
            self.reject(source, *row, *column, target, trouble)
        });
        let rejects = rejects.collect();
        let good: Vec<usize> = rows.clone().filter(|row| !bad.contains_key(row)).collect();
        let batch = self.batch(arrays, &rows, &good)?;
        let mut decoded = DecodedBatch::new(batch, rejects, rows.len() as u64, 0);
        decoded.rescued = rescued_rows(rescued, &good);
        decoded.places = self.places(source, &good);
        Ok(Some(decoded))
    }

    fn batch(
        &self,
        arrays: Vec<(usize, ArrayRef)>,
        rows: &Range<usize>,
        good: &[usize],
    ) -> Result<RecordBatch> {
        let keep = (good.len() < rows.len()).then(|| {
            let mut keep = vec![false; rows.len()];
            good.iter().for_each(|row| keep[row - rows.start] = true);
            BooleanArray::from(keep)
        });
        let mut fields = Vec::with_capacity(arrays.len());
        let mut columns = Vec::with_capacity(arrays.len());
        for (column, array) in arrays {
            let array = match &keep {
                Some(keep) => filter(array.as_ref(), keep).map_err(internal)?,
                None => array,
            };
            fields.push(Field::new(self.columns.name(column), array.data_type().clone(), true));
            columns.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(good.len()));
        let schema = Arc::new(Schema::new(fields));
        RecordBatch::try_new_with_options(schema, columns, &options).map_err(internal)
    }

    fn reject(
        &self,
        source: &Source<'_>,
        row: usize,
        column: usize,
        target: Option<&Target>,
        trouble: &Trouble,
    ) -> Reject {
        let mut raw = String::new();
        self.write_row(source, row, &mut raw);
        Reject {
            ordinal: self.ordinal(row),
            line: None,
            byte_offset: None,
            column: Some(self.columns.name(column).to_owned()),
            reason: if trouble.is_bad { Reason::BadCell } else { Reason::Type },
            detail: complaint(trouble, target),
            raw: raw.into_bytes(),
        }
    }

    fn places(&self, source: &Source<'_>, good: &[usize]) -> RowPlaces {
        let mut places = RowPlaces::default();
        if self.wishes.places == PlacesWanted::None {
            return places;
        }
        places.ordinals = good.iter().map(|row| self.ordinal(*row)).collect();
        if self.wishes.places == PlacesWanted::Raw {
            let mut raw = String::new();
            for row in good {
                let start = raw.len();
                self.write_row(source, *row, &mut raw);
                places.raw.push(start..raw.len());
            }
            places.bytes = raw.into_bytes().into();
        }
        places
    }

    /// A row as a JSON object. A value too long for that is NULL in it.
    fn write_row(&self, source: &Source<'_>, row: usize, json: &mut String) {
        json.push('{');
        for (nth, (column, cells)) in self.read.iter().zip(&source.cells).enumerate() {
            if nth > 0 {
                json.push(',');
            }
            render::push_string(self.columns.name(*column), json);
            json.push(':');
            let mut value = String::new();
            match cells.write_json(row, &mut value) {
                Ok(()) => json.push_str(&value),
                Err(render::TooLong) => json.push_str("null"),
            }
        }
        json.push('}');
    }
}

/// A batch of the file, and its columns value by value.
struct Source<'a> {
    batch: &'a RecordBatch,
    cells: Vec<Cells<'a>>,
}

/// Rescued values of good rows, by their positions among these.
fn rescued_rows(rescued: Vec<(usize, usize, String)>, good: &[usize]) -> Vec<Rescued> {
    let mut placed: Vec<Rescued> = rescued
        .into_iter()
        .filter_map(|(row, column, value)| {
            good.binary_search(&row).ok().map(|row| Rescued { row, column, value })
        })
        .collect();
    placed.sort_by_key(|rescued| (rescued.row, rescued.column));
    placed
}

fn complaint(trouble: &Trouble, target: Option<&Target>) -> String {
    let value = trouble.text.as_bytes();
    let reader = target.and_then(|target| Reader::new(target, None).ok());
    reader.map_or_else(|| quoted(value), |reader| reader.complaint(trouble.misfit, value))
}
