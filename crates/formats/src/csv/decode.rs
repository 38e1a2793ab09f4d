//! From rows to batches: the wanted columns of a block, and the rejects
//! between its rows.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field as ArrowField, Schema};
use decant_core::format::{DecodedBatch, FileColumns, Receiver};
use decant_core::schema::ColumnType;
use decant_core::{Error, ErrorKind, Reject, Result};

use super::blocks::{Block, Blocks};
use super::column::{Rows, Trouble, Troubles, fill, internal};
use super::complaint::Complaint;
use super::dialect::Dialect;
use super::field::Field;
use super::index::Index;
use crate::values::Reader;

/// Decodes the rest of a file whose columns are known.
pub(super) fn decode(
    blocks: &mut Blocks<'_>,
    columns: &FileColumns,
    dialect: &Dialect,
    receiver: &mut dyn Receiver,
) -> Result<()> {
    let targets = receiver.columns(columns)?.targets;
    if targets.len() != columns.names.len() {
        let message =
            format!("{} targets were given for {} columns", targets.len(), columns.names.len());
        return Err(Error::new(ErrorKind::Internal, message));
    }
    let readers: Vec<Option<Reader>> = targets
        .iter()
        .map(|target| {
            target.as_ref().map(|target| Reader::new(target, Some(dialect.numbers))).transpose()
        })
        .collect::<Result<_>>()?;
    let decoder = Decoder { columns, readers: &readers, dialect };
    let mut index = Index::default();
    let mut passed = 0;
    loop {
        let mut rejects = Vec::new();
        let Some(Block { bytes, rows_read }) = blocks.next(columns, &mut index, &mut rejects)?
        else {
            return Ok(());
        };
        let batches = decoder.block(bytes, &mut index, &mut rejects)?;
        let bytes_decoded = blocks.position() - passed;
        passed = blocks.position();
        deliver(batches, rejects, rows_read, bytes_decoded, receiver)?;
    }
}

/// Hands the batches of one block over; rejects, and all that was read
/// besides good rows, are counted with the first.
fn deliver(
    batches: Vec<RecordBatch>,
    rejects: Vec<Reject>,
    rows_read: u64,
    bytes_decoded: u64,
    receiver: &mut dyn Receiver,
) -> Result<()> {
    let later: u64 = batches.iter().skip(1).map(|batch| batch.num_rows() as u64).sum();
    let mut first = Some((rejects, rows_read - later, bytes_decoded));
    for batch in batches {
        let rows = batch.num_rows() as u64;
        let (rejects, rows_read, bytes_decoded) = first.take().unwrap_or((Vec::new(), rows, 0));
        receiver.batch(DecodedBatch::new(batch, rejects, rows_read, bytes_decoded))?;
    }
    Ok(())
}

struct Decoder<'d> {
    columns: &'d FileColumns,
    readers: &'d [Option<Reader>],
    dialect: &'d Dialect,
}

impl Decoder<'_> {
    /// The batches of one block: one, unless decimals need several scales.
    /// Rows with values that do not fit leave the index for `rejects`.
    fn block(
        &self,
        bytes: &[u8],
        index: &mut Index,
        rejects: &mut Vec<Reject>,
    ) -> Result<Vec<RecordBatch>> {
        loop {
            let mut batches = Vec::new();
            let mut troubles = Troubles::new();
            let extent = index.extent();
            let text = self.validated(&bytes[extent.clone()]);
            let rows = 0..index.rows.len();
            let rows = Rows { bytes, text, extent, index, rows, dialect: self.dialect };
            self.fill_rows(rows, &mut troubles, &mut batches)?;
            if troubles.is_empty() {
                rejects.sort_by_key(|reject| reject.ordinal);
                return Ok(batches);
            }
            rejects.extend(troubles.iter().map(|(row, (column, trouble))| {
                self.reject(bytes, index, *row, *column, *trouble)
            }));
            index.remove(&troubles);
        }
    }

    fn validated<'b>(&self, bytes: &'b [u8]) -> Option<&'b str> {
        let is_text =
            |reader: &Reader| matches!(reader.column_type(), ColumnType::Text | ColumnType::Json);
        if !self.readers.iter().flatten().any(is_text) {
            return None;
        }
        simdutf8::basic::from_utf8(bytes).ok()
    }

    /// Makes one batch of the rows, or, when their decimals do not fit one
    /// scale together, several.
    fn fill_rows(
        &self,
        rows: Rows<'_>,
        troubles: &mut Troubles,
        batches: &mut Vec<RecordBatch>,
    ) -> Result<()> {
        if let Some(arrays) = self.fill_columns(&rows, troubles)? {
            batches.push(self.batch(arrays, rows.rows.len())?);
            return Ok(());
        }
        let Range { start, end } = rows.rows;
        let middle = start + (end - start) / 2;
        for half in [start..middle, middle..end] {
            let extent = rows.extent.clone();
            self.fill_rows(Rows { rows: half, extent, ..rows }, troubles, batches)?;
        }
        Ok(())
    }

    fn fill_columns(
        &self,
        rows: &Rows<'_>,
        troubles: &mut Troubles,
    ) -> Result<Option<Vec<ArrayRef>>> {
        let wanted = self.readers.iter().enumerate();
        let wanted = wanted.filter_map(|(column, reader)| Some((column, reader.as_ref()?)));
        wanted.map(|(column, reader)| fill(rows, column, reader, troubles)).collect()
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
        bytes: &[u8],
        index: &Index,
        row: usize,
        column: usize,
        trouble: Trouble,
    ) -> Reject {
        let mut scratch = Vec::new();
        let field = Field::read(bytes, index.field(row, column), self.dialect, true);
        let value = field.value(bytes, self.dialect, &mut scratch).unwrap_or_default();
        let complaint = self.complaint(value, column, trouble);
        let place = index.rows[row];
        Reject {
            ordinal: index.first_ordinal + u64::from(place.ordinal),
            line: Some(index.first_line + u64::from(place.line)),
            byte_offset: Some(index.offset + u64::from(place.start)),
            column: complaint.column,
            reason: complaint.reason,
            detail: complaint.detail,
            raw: bytes[index.row(row)].to_vec(),
        }
    }

    fn complaint(&self, value: &[u8], column: usize, trouble: Trouble) -> Complaint {
        let name = self.columns.names[column].clone();
        match (trouble, &self.readers[column]) {
            (Trouble::Encoding, _) | (_, None) => Complaint::encoding(value, name),
            (Trouble::Misfit(misfit), Some(reader)) => {
                Complaint::misfit(misfit, value, reader, name)
            }
        }
    }
}
