//! From rows to batches: the wanted columns of a block, and the rejects
//! between its rows.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema};
use bytes::Bytes;
use decant_core::format::{
    DecodedBatch, FileColumns, PlacesWanted, Receiver, Repair, Rescued, RowPlaces, Target, Wishes,
};
use decant_core::reject::Reason;
use decant_core::{Error, ErrorKind, Reject, Result};

use super::block::{Block, Repaired};
use super::fill::{Outcome, Rows, Troubles, Wanted, fill};
use super::keyed::KeyedRows;
use super::token::Texts;
use crate::natives::internal;
use crate::untyped::Untyped;
use crate::values::Reader;
use crate::values::complaint::quoted;

/// Values of one batch, NULLs included.
const BATCH_VALUES: usize = 4 << 20;

/// Decodes a file, or the piece of it that begins with byte `start`, from its
/// first row on.
pub(crate) fn decode(
    rows: &mut dyn KeyedRows,
    start: u64,
    receiver: &mut dyn Receiver,
) -> Result<()> {
    let mut decoder = Decoder::default();
    let mut block = Block::default();
    let mut passed = start;
    loop {
        let mut rejects = Vec::new();
        if !rows.next_block(&mut block, &mut rejects)? {
            rows.end().into_iter().for_each(|note| receiver.note(note.to_owned()));
            return decoder.announce(&rows.file_columns(), false, receiver);
        }
        decoder.announce(&rows.file_columns(), true, receiver)?;
        let texts = rows.texts();
        let batches = decoder.block(&block, texts, rows.untyped(), &mut rejects)?;
        let bytes_decoded = rows.position() - passed;
        passed = rows.position();
        deliver(batches, rejects, (block.rows_read, bytes_decoded), receiver)?;
    }
}

/// One batch with what goes with it.
struct Made {
    batch: RecordBatch,
    rescued: Vec<Rescued>,
    repairs: Vec<Repair>,
    places: RowPlaces,
}

/// Hands the batches of one block over; rejects, and all that was read
/// besides good rows, are counted with the first.
fn deliver(
    batches: Vec<Made>,
    rejects: Vec<Reject>,
    (rows_read, bytes_decoded): (u64, u64),
    receiver: &mut dyn Receiver,
) -> Result<()> {
    let later: u64 = batches.iter().skip(1).map(|made| made.batch.num_rows() as u64).sum();
    let mut first = Some((rejects, rows_read.saturating_sub(later), bytes_decoded));
    for Made { batch, rescued, repairs, places } in batches {
        let rows = batch.num_rows() as u64;
        let (rejects, rows_read, bytes_decoded) = first.take().unwrap_or((Vec::new(), rows, 0));
        let decoded = DecodedBatch::new(batch, rejects, rows_read, bytes_decoded);
        receiver.batch(DecodedBatch { rescued, repairs, places, ..decoded })?;
    }
    Ok(())
}

#[derive(Default)]
struct Decoder {
    names: Vec<String>,
    wanted: Vec<Wanted>,
    places: PlacesWanted,
    announced: bool,
}

impl Decoder {
    /// Tells the receiver of columns that it does not know. `rows` says that
    /// there are rows, columns or not.
    fn announce(
        &mut self,
        columns: &FileColumns,
        rows: bool,
        receiver: &mut dyn Receiver,
    ) -> Result<()> {
        let grown = columns.names.len() > self.names.len();
        if !grown && (self.announced || !rows) {
            return Ok(());
        }
        let Wishes { targets, places } = receiver.columns(columns)?;
        if targets.len() != columns.names.len() {
            let message =
                format!("{} targets were given for {} columns", targets.len(), columns.names.len());
            return Err(Error::new(ErrorKind::Internal, message));
        }
        self.wanted.clear();
        for (column, target) in targets.iter().enumerate() {
            let Some(target) = target else { continue };
            let reader = Reader::new(target, columns.options.numbers)?;
            let Target { exact, misfit, .. } = *target;
            self.wanted.push(Wanted { column, reader, exact, misfit });
        }
        self.places = places;
        self.announced = true;
        self.names.clone_from(&columns.names);
        Ok(())
    }

    /// The batches of one block: one, unless decimals need several scales or
    /// there are very many columns.
    fn block(
        &self,
        block: &Block,
        texts: Texts<'_>,
        untyped: Option<&Untyped>,
        rejects: &mut Vec<Reject>,
    ) -> Result<Vec<Made>> {
        let mut bad = Vec::new();
        let text = simdutf8::basic::from_utf8(texts.window).ok();
        let rows_max = (BATCH_VALUES / self.wanted.len().max(1)).max(1);
        loop {
            let mut made = Vec::new();
            let mut troubles = Troubles::new();
            let mut start = 0;
            loop {
                let end = block.rows.len().min(start + rows_max);
                let rows = Rows { block, texts, text, untyped, rows: start..end, bad: &bad };
                self.fill_rows(&rows, &mut troubles, &mut made)?;
                start = end;
                if start >= block.rows.len() {
                    break;
                }
            }
            if troubles.is_empty() {
                rejects.sort_by_key(|reject| reject.ordinal);
                return Ok(made);
            }
            bad.resize(block.rows.len(), false);
            for (row, trouble) in troubles {
                rejects.push(self.reject(block, texts, row, trouble));
                bad[row] = true;
            }
        }
    }

    /// Makes one batch of the rows, or, when their decimals do not fit one
    /// scale together, several.
    fn fill_rows(
        &self,
        rows: &Rows<'_>,
        troubles: &mut Troubles,
        made: &mut Vec<Made>,
    ) -> Result<()> {
        let mut outcome = Outcome::default();
        let arrays: Result<Option<Vec<ArrayRef>>> =
            self.wanted.iter().map(|wanted| fill(rows, wanted, &mut outcome)).collect();
        for (row, trouble) in outcome.troubles {
            troubles.entry(row).or_insert(trouble);
        }
        if let Some(arrays) = arrays? {
            let rescued = outcome.rescued;
            let (repairs, places) = (repairs(rows), self.places(rows));
            made.push(Made { batch: self.batch(arrays, rows)?, rescued, repairs, places });
            return Ok(());
        }
        let Range { start, end } = rows.rows;
        let middle = start + (end - start) / 2;
        for half in [start..middle, middle..end] {
            self.fill_rows(&Rows { rows: half, ..*rows }, troubles, made)?;
        }
        Ok(())
    }

    fn batch(&self, arrays: Vec<ArrayRef>, rows: &Rows<'_>) -> Result<RecordBatch> {
        let count = rows.good().count();
        let names = self.wanted.iter().map(|wanted| &self.names[wanted.column]);
        let fields: Vec<Field> = names
            .zip(&arrays)
            .map(|(name, array)| Field::new(name, array.data_type().clone(), true))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
            .map_err(internal)
    }

    fn places(&self, rows: &Rows<'_>) -> RowPlaces {
        let mut places = RowPlaces::default();
        if self.places == PlacesWanted::None {
            return places;
        }
        let mut bytes = Vec::new();
        for row in rows.good() {
            let found = rows.block.rows[row];
            places.ordinals.push(found.ordinal);
            if let Some(place) = found.place {
                places.lines.push(place.line);
                places.byte_offsets.push(place.byte);
            }
            if self.places == PlacesWanted::Raw {
                let start = bytes.len();
                bytes.extend_from_slice(&rows.block.raw(row, &self.names, rows.texts));
                places.raw.push(start..bytes.len());
            }
        }
        places.bytes = Bytes::from(bytes);
        places
    }

    fn reject(
        &self,
        block: &Block,
        texts: Texts<'_>,
        row: usize,
        (column, misfit): (usize, crate::values::Misfit),
    ) -> Reject {
        let mut scratch = Vec::new();
        let token = block.value(row, column);
        let value = token.and_then(|token| token.text(texts, &mut scratch)).unwrap_or_default();
        let wanted = self.wanted.iter().find(|wanted| wanted.column == column);
        let complaint = wanted.map(|wanted| wanted.reader.complaint(misfit, value));
        let found = block.rows[row];
        Reject {
            ordinal: found.ordinal,
            line: found.place.map(|place| place.line),
            byte_offset: found.place.map(|place| place.byte),
            column: self.names.get(column).cloned(),
            reason: Reason::Type,
            detail: complaint.unwrap_or_default(),
            raw: block.raw(row, &self.names, texts),
        }
    }
}

/// What was done to the good ones among these rows.
fn repairs(rows: &Rows<'_>) -> Vec<Repair> {
    let repairs = &rows.block.repairs;
    if repairs.is_empty() {
        return Vec::new();
    }
    let good: Vec<usize> = rows.good().collect();
    let repair = |repaired: &Repaired| {
        let row = good.binary_search(&repaired.row).ok()?;
        let (kind, cut) = (repaired.kind, repaired.cut.clone());
        let kept = (!cut.is_empty()).then(|| Box::new(kept(rows, repaired)));
        Some(Repair { kind, row, cut, kept })
    };
    repairs.iter().filter_map(repair).collect()
}

/// A row of which something was cut off, as it was.
fn kept(rows: &Rows<'_>, repaired: &Repaired) -> Reject {
    let found = rows.block.rows[repaired.row];
    let shown: Vec<String> = repaired.cut.iter().map(|value| quoted(value.as_bytes())).collect();
    Reject {
        ordinal: found.ordinal,
        line: found.place.map(|place| place.line),
        byte_offset: found.place.map(|place| place.byte),
        column: None,
        reason: Reason::Repaired,
        detail: format!("the row was too long; cut off: {}", shown.join(", ")),
        raw: rows.texts.window.get(found.start..found.end).unwrap_or_default().to_vec(),
    }
}

impl Rows<'_> {
    /// Numbers in the block of the rows that are not bad.
    fn good(&self) -> impl Iterator<Item = usize> {
        let is_good = |row: &usize| !self.bad.get(*row).copied().unwrap_or_default();
        self.rows.clone().filter(is_good)
    }
}
