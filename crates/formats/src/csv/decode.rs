//! From rows to batches: the wanted columns of a block, and the rejects
//! between its rows.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field as ArrowField, Schema};
use bytes::Bytes;
use decant_core::format::{
    DecodedBatch, FileColumns, OnMisfit, PlacesWanted, Receiver, Repair, Rescued, RowPlaces,
    Target, Wishes,
};
use decant_core::reject::Reason;
use decant_core::schema::ColumnType;
use decant_core::{Error, ErrorKind, Reject, Result};

use super::blocks::{Block, Blocks};
use super::column::{Rows, Trouble, Troubles, fill};
use super::complaint::{Complaint, quoted};
use super::dialect::Dialect;
use super::field::Field;
use super::index::{Index, Repaired};
use crate::natives::internal;
use crate::values::Reader;

/// Decodes the rest of a file, or of a piece that begins there, whose columns
/// are known.
pub(super) fn decode(
    blocks: &mut Blocks<'_>,
    columns: &FileColumns,
    (dialect, begin): (&Dialect, u64),
    receiver: &mut dyn Receiver,
) -> Result<()> {
    let wishes = receiver.columns(columns)?;
    if wishes.targets.len() != columns.names.len() {
        let (targets, columns) = (wishes.targets.len(), columns.names.len());
        let message = format!("{targets} targets were given for {columns} columns");
        return Err(Error::new(ErrorKind::Internal, message));
    }
    let encoding = blocks.encoding();
    let first = wishes.targets.first().and_then(Option::as_ref);
    if first.is_some_and(|target| matches!(target.column_type, ColumnType::Text | ColumnType::Json))
    {
        blocks.begin_with_text();
    }
    let Wishes { targets, places } = &wishes;
    let numbers = Some(dialect.numbers);
    let reader = |target: &Option<Target>| {
        target.as_ref().map(|target| Reader::new(target, numbers)).transpose()
    };
    let readers: Vec<Option<Reader>> = targets.iter().map(reader).collect::<Result<_>>()?;
    let (readers, places) = (&readers[..], *places);
    let decoder = Decoder { columns, targets, readers, places, dialect, encoding };
    let mut index = Index::default();
    let mut passed = begin;
    loop {
        let mut rejects = Vec::new();
        let Some(block) = blocks.next(columns, &mut index, &mut rejects)? else {
            blocks.take_notes().into_iter().for_each(|note| receiver.note(note));
            if passed == 0 && columns.named {
                receiver.note("there is a header, and no row below it".to_owned());
            }
            return Ok(());
        };
        let mut decoded = decoder.block(&block, &mut index, rejects)?;
        let position = blocks.position();
        if let Some(first) = decoded.first_mut() {
            first.bytes_decoded = position.saturating_sub(passed);
        }
        passed = position;
        decoded.into_iter().try_for_each(|batch| receiver.batch(batch))?;
    }
}

struct Decoder<'d> {
    columns: &'d FileColumns,
    targets: &'d [Option<Target>],
    readers: &'d [Option<Reader>],
    places: PlacesWanted,
    dialect: &'d Dialect,
    encoding: &'static str,
}

/// What became of the rows of one block.
#[derive(Default)]
struct Filled {
    /// Batches, and their rows in the index.
    batches: Vec<(RecordBatch, Range<usize>)>,
    /// Rows that could not be taken.
    troubles: Troubles,
    /// Values that did not fit and are rescued, by row and column.
    rescued: BTreeMap<(usize, usize), String>,
}

impl Decoder<'_> {
    /// The batches of one block: one, unless decimals need several scales.
    /// Rows with values that do not fit leave the index for the rejects.
    fn block(
        &self,
        block: &Block<'_>,
        index: &mut Index,
        mut rejects: Vec<Reject>,
    ) -> Result<Vec<DecodedBatch>> {
        loop {
            let mut filled = Filled::default();
            let extent = index.extent();
            let text = &OnceCell::new();
            let rows = 0..index.rows.len();
            let (bytes, dialect) = (block.bytes, self.dialect);
            self.fill_rows(Rows { bytes, text, extent, index, rows, dialect }, &mut filled)?;
            if filled.troubles.is_empty() {
                rejects.sort_by_key(|reject| reject.ordinal);
                return Ok(self.decoded(block, index, filled, rejects));
            }
            rejects.extend(filled.troubles.iter().map(|(row, (column, trouble))| {
                self.reject(block, index, *row, *column, *trouble)
            }));
            index.remove(&filled.troubles);
        }
    }

    /// The batches with what is to be said besides; rejects, and all that was
    /// read besides good rows, are counted with the first.
    fn decoded(
        &self,
        block: &Block<'_>,
        index: &Index,
        filled: Filled,
        rejects: Vec<Reject>,
    ) -> Vec<DecodedBatch> {
        let Filled { batches, rescued, .. } = filled;
        let later: usize = batches.iter().skip(1).map(|(batch, _)| batch.num_rows()).sum();
        let mut first = Some((rejects, block.rows_read - later as u64));
        let batch = |(batch, rows): (RecordBatch, Range<usize>)| {
            let own_rows = batch.num_rows() as u64;
            let (rejects, rows_read) = first.take().unwrap_or((Vec::new(), own_rows));
            let of_batch = rescued.range((rows.start, 0)..(rows.end, 0));
            let rescued = of_batch.map(|((row, column), value)| Rescued {
                row: row - rows.start,
                column: *column,
                value: value.clone(),
            });
            DecodedBatch {
                rescued: rescued.collect(),
                repairs: self.repairs(block, index, &rows),
                places: self.places(block, index, rows),
                ..DecodedBatch::new(batch, rejects, rows_read, 0)
            }
        };
        batches.into_iter().map(batch).collect()
    }

    fn repairs(&self, block: &Block<'_>, index: &Index, rows: &Range<usize>) -> Vec<Repair> {
        let of_batch = index.repairs.iter().filter(|repaired| rows.contains(&repaired.row));
        let repair = |repaired: &Repaired| {
            let kept = (!repaired.cut.is_empty()).then(|| {
                let shown: Vec<String> =
                    repaired.cut.iter().map(|value| quoted(value.as_bytes())).collect();
                let detail = format!("the row was too long; cut off: {}", shown.join(", "));
                let (column, reason) = (None, Reason::Repaired);
                let complaint = Complaint { reason, column, detail };
                Box::new(place(block, index, repaired.row, complaint))
            });
            let (row, cut) = (repaired.row - rows.start, repaired.cut.clone());
            Repair { kind: repaired.kind, row, cut, kept }
        };
        of_batch.map(repair).collect()
    }

    fn places(&self, block: &Block<'_>, index: &Index, rows: Range<usize>) -> RowPlaces {
        if self.places == PlacesWanted::None || rows.is_empty() {
            return RowPlaces::default();
        }
        let starts = &index.rows[rows.clone()];
        let mut places = RowPlaces {
            ordinals: starts
                .iter()
                .map(|start| index.first_ordinal + u64::from(start.ordinal))
                .collect(),
            lines: starts.iter().map(|start| index.first_line + u64::from(start.line)).collect(),
            byte_offsets: rows.clone().map(|row| block.file_offset(index.raw(row).start)).collect(),
            ..RowPlaces::default()
        };
        if self.places == PlacesWanted::Raw {
            let extent = index.raw(rows.start).start..index.raw(rows.end - 1).end;
            let raw = |row| {
                let raw = index.raw(row);
                raw.start - extent.start..raw.end - extent.start
            };
            places.raw = rows.map(raw).collect();
            places.bytes = Bytes::copy_from_slice(&block.raw[extent]);
        }
        places
    }

    /// Makes one batch of the rows, or, when their decimals do not fit one
    /// scale together, several.
    fn fill_rows(&self, rows: Rows<'_>, filled: &mut Filled) -> Result<()> {
        if let Some(arrays) = self.fill_columns(&rows, filled)? {
            filled.batches.push((self.batch(arrays, rows.rows.len())?, rows.rows));
            return Ok(());
        }
        let Range { start, end } = rows.rows;
        let middle = start + (end - start) / 2;
        for half in [start..middle, middle..end] {
            let extent = rows.extent.clone();
            self.fill_rows(Rows { rows: half, extent, ..rows }, filled)?;
        }
        Ok(())
    }

    fn fill_columns(&self, rows: &Rows<'_>, filled: &mut Filled) -> Result<Option<Vec<ArrayRef>>> {
        let wanted = self.readers.iter().enumerate();
        let wanted = wanted.filter_map(|(column, reader)| Some((column, reader.as_ref()?)));
        wanted.map(|(column, reader)| self.fill_column(rows, column, reader, filled)).collect()
    }

    fn fill_column(
        &self,
        rows: &Rows<'_>,
        column: usize,
        reader: &Reader,
        filled: &mut Filled,
    ) -> Result<Option<ArrayRef>> {
        let misfit = self.targets[column].as_ref().map(|target| target.misfit);
        let mut troubles = Troubles::new();
        let array = fill(rows, column, reader, &mut troubles)?;
        for (row, (column, trouble)) in troubles {
            let rescued = match (trouble, misfit) {
                (Trouble::Misfit(_), Some(OnMisfit::Rescue)) => self.rescued(rows, row, column),
                _ => None,
            };
            match rescued {
                Some(value) => {
                    filled.rescued.insert((row, column), value);
                }
                None => {
                    filled.troubles.entry(row).or_insert((column, trouble));
                }
            }
        }
        Ok(array)
    }

    /// The value as a JSON string, if it is text.
    fn rescued(&self, rows: &Rows<'_>, row: usize, column: usize) -> Option<String> {
        let mut scratch = Vec::new();
        let field = Field::read(rows.bytes, rows.index.field(row, column), self.dialect, true);
        let value = field.value(rows.bytes, self.dialect, &mut scratch)?;
        serde_json::to_string(std::str::from_utf8(value).ok()?).ok()
    }

    fn batch(&self, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let wanted =
            self.columns.names.iter().zip(self.readers).filter(|(_, reader)| reader.is_some());
        let fields: Vec<ArrowField> = wanted
            .zip(&arrays)
            .map(|((name, _), array)| ArrowField::new(name, array.data_type().clone(), true))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
            .map_err(internal)
    }

    fn reject(
        &self,
        block: &Block<'_>,
        index: &Index,
        row: usize,
        column: usize,
        trouble: Trouble,
    ) -> Reject {
        let mut scratch = Vec::new();
        let field = Field::read(block.bytes, index.field(row, column), self.dialect, true);
        let value = field.value(block.bytes, self.dialect, &mut scratch).unwrap_or_default();
        place(block, index, row, self.complaint(value, column, trouble))
    }

    fn complaint(&self, value: &[u8], column: usize, trouble: Trouble) -> Complaint {
        let name = self.columns.names[column].clone();
        match (trouble, &self.readers[column]) {
            (Trouble::Encoding, _) | (_, None) => {
                Complaint::encoding_in(self.encoding, value, name)
            }
            (_, Some(reader))
                if reader.column_type() != ColumnType::Binary
                    && simdutf8::basic::from_utf8(value).is_err() =>
            {
                Complaint::encoding_in(self.encoding, value, name)
            }
            (Trouble::Misfit(misfit), Some(reader)) => {
                Complaint::misfit(misfit, value, reader, name)
            }
        }
    }
}

/// A row of the index as a reject.
fn place(block: &Block<'_>, index: &Index, row: usize, complaint: Complaint) -> Reject {
    let (start, raw) = (index.rows[row], index.raw(row));
    let reject = Reject {
        ordinal: index.first_ordinal + u64::from(start.ordinal),
        line: Some(index.first_line + u64::from(start.line)),
        byte_offset: Some(block.file_offset(raw.start)),
        column: complaint.column,
        reason: complaint.reason,
        detail: complaint.detail,
        raw: block.raw[raw.clone()].to_vec(),
    };
    block.reject(raw, reject)
}
