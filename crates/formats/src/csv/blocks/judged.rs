//! What becomes of the lines that are not simply rows: rejects, or rows that
//! are written anew.

use std::ops::Range;

use decant_core::Reject;
use decant_core::evidence::Evidence;
use decant_core::format::FileColumns;
use decant_core::reject::Reason;
use decant_core::value_format::NumberFormat;

use super::super::complaint::Complaint;
use super::super::field::Field;
use super::super::fixed_width;
use super::super::footer::{Footer, Held, Leaving, is_total_word};
use super::super::index::Index;
use super::super::mend::{self, Mended};
use super::super::walk::{Extent, Found};
use super::{Blocks, Place};
use crate::infer;

/// Bytes kept of a row that is too long.
const TOO_LONG_KEPT_BYTES: usize = 64 << 10;

/// Whether a value can be what a row of totals says of a column.
fn is_sum(value: &[u8], numbers: NumberFormat) -> bool {
    !matches!(infer::evidence_with(value, Some(numbers)), Evidence::Nothing | Evidence::Text)
}

/// What a line is that is not simply a row.
pub(super) enum Judged {
    Nothing,
    Row(Mended),
    Bad(Complaint),
}

impl Blocks<'_> {
    pub(super) fn judge(&self, found: Found, ends: &[u32], columns: &FileColumns) -> Judged {
        let start = self.place.start;
        let count = columns.names.len();
        match found {
            Found::Row(extent) if extent.end == start => Judged::Nothing,
            Found::Row(extent) => match &self.dialect.widths {
                Some(widths) => self.judge_line(&self.buffer[start..extent.end], widths),
                None => self.judge_ragged(ends, count),
            },
            Found::Bad(extent, fault) => {
                let row = &self.buffer[start..extent.end];
                let mended = || mend::quotes(row, count, self.dialect).map(Judged::Row);
                let limit = self.dialect.record_bytes_max;
                self.dialect.lenient.then(mended).flatten().unwrap_or_else(|| {
                    Judged::Bad(Complaint::quote(fault, row, &columns.names, limit))
                })
            }
            Found::TooLong(_) => Judged::Bad(self.too_long()),
            Found::Comment(_) | Found::LongComment(_) | Found::Incomplete | Found::End => {
                Judged::Nothing
            }
        }
    }

    fn judge_line(&self, line: &[u8], widths: &[usize]) -> Judged {
        let line = fixed_width::read(line, widths, self.dialect);
        let all = widths.iter().sum();
        match (line.too_wide, line.too_short) {
            (Some(characters), _) => Judged::Bad(Complaint::too_wide(characters, all)),
            (None, Some(characters)) => Judged::Bad(Complaint::too_short(characters, all)),
            (None, None) => Judged::Row(line.fields),
        }
    }

    fn judge_ragged(&self, ends: &[u32], count: usize) -> Judged {
        let complaint = || Judged::Bad(Complaint::field_count(ends.len(), count));
        if !self.dialect.lenient {
            return complaint();
        }
        let fields = self.fields(self.place.start, ends);
        mend::ragged(&fields, count, self.dialect).map_or_else(complaint, Judged::Row)
    }

    fn fields(&self, start: usize, ends: &[u32]) -> Vec<&[u8]> {
        let ranges = field_ranges(start, ends, self.dialect.delimiter.len());
        ranges.map(|range| &self.buffer[range]).collect()
    }

    /// How many of the rows that are held back at the end are left out.
    pub(super) fn rows_of_footer(&self, footer: &Footer) -> usize {
        let begins_typed = match self.dialect.footer {
            Leaving::Rows(_) => return footer.held().len(),
            Leaving::Totals { begins_typed } => begins_typed,
        };
        let is_total = |held: &Held| {
            let place = held.place;
            // Rows of the table stand before them, besides the one that may
            // name the columns.
            let is_behind = place.ordinal + u64::from(self.dialect.header_rows) > 2;
            let begins_typed = begins_typed && place.ordinal > 2 && !self.begins_with_text;
            is_behind && self.calls_itself_a_total(place, begins_typed)
        };
        footer.held().iter().rev().take_while(|held| is_total(held)).count()
    }

    fn calls_itself_a_total(&self, place: Place, begins_typed: bool) -> bool {
        let (mut stretch, mut ends) = (self.stretch.clone(), Vec::new());
        let found = stretch.line(&self.buffer, self.ended, place.start, &mut ends);
        if !matches!(found, Found::Row(_)) {
            return false;
        }
        let is_whole = ends.len() == self.columns_count;
        let mut scratch = Vec::new();
        let fields = field_ranges(place.start, &ends, self.dialect.delimiter.len());
        let mut is_total = !is_whole || begins_typed;
        for (column, field) in fields.enumerate() {
            let field = Field::read(&self.buffer, field, self.dialect, true);
            let value = field.value(&self.buffer, self.dialect, &mut scratch).unwrap_or_default();
            is_total &= match column {
                0 => is_total_word(value),
                _ => !is_whole || value.is_empty() || is_sum(value, self.dialect.numbers),
            };
        }
        is_total
    }

    /// The line that begins here.
    pub(super) fn line_at(&self, start: usize) -> &[u8] {
        let rest = &self.buffer[start..];
        &rest[..memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())]
    }

    pub(super) fn too_long(&self) -> Complaint {
        let limit = self.dialect.record_bytes_max;
        Complaint::too_long(limit, limit.min(TOO_LONG_KEPT_BYTES))
    }

    /// Writes the block anew where rows were mended. Answers whether it did.
    pub(super) fn rewrite(&mut self, index: &mut Index) -> bool {
        if self.dialect.lenient && self.dialect.widths.is_none() {
            self.replace_malformed(index);
        }
        if index.mends.is_empty() && self.dialect.widths.is_none() {
            return false;
        }
        index.rewrite(&self.buffer, &mut self.rewritten);
        true
    }

    /// Mends the rows that are whole but for bytes without a meaning.
    fn replace_malformed(&self, index: &mut Index) {
        if simdutf8::basic::from_utf8(&self.buffer[index.extent()]).is_ok() {
            return;
        }
        let mut replaced = Vec::new();
        let mut replaced_bytes = 0;
        for row in 0..index.rows.len() {
            let is_mended = index.mends.binary_search_by_key(&row, |(mended, _)| *mended).is_ok();
            let bytes = &self.buffer[index.row(row)];
            if is_mended || simdutf8::basic::from_utf8(bytes).is_ok() {
                continue;
            }
            let ends = &index.ends[row * index.columns..(row + 1) * index.columns];
            let fields = self.fields(index.rows[row].start as usize, ends);
            let mended = mend::ragged(&fields, index.columns, self.dialect);
            replaced_bytes += mended.as_ref().map_or(0, |mended| mended.text.len());
            let fits = |mended: &Mended| index.has_room(self.buffer.len() + replaced_bytes, mended);
            replaced.extend(mended.filter(fits).map(|mended| (row, mended)));
        }
        index.mends.extend(replaced);
        index.mends.sort_by_key(|(row, _)| *row);
    }

    pub(super) fn reject(&self, extent: Extent, complaint: Complaint) -> Reject {
        let Place { start, line, ordinal } = self.place;
        let kept = match complaint.reason {
            Reason::TooLong => self.dialect.record_bytes_max.min(TOO_LONG_KEPT_BYTES),
            _ => extent.end - start,
        };
        let reject = Reject {
            ordinal,
            line: Some(line),
            byte_offset: Some(self.position()),
            column: complaint.column,
            reason: complaint.reason,
            detail: complaint.detail,
            raw: self.buffer[start..(start + kept).min(self.buffer.len())].to_vec(),
        };
        super::as_it_stands(self.input.kept(), self.offset, start..extent.end, reject)
    }
}

/// Where the fields stand of a row that begins at `start`.
fn field_ranges(
    start: usize,
    ends: &[u32],
    delimiter_bytes: usize,
) -> impl Iterator<Item = Range<usize>> {
    let before = ends.iter().map(move |end| *end as usize + delimiter_bytes);
    let starts = std::iter::once(start).chain(before);
    starts.zip(ends).map(|(start, end)| start..*end as usize)
}
