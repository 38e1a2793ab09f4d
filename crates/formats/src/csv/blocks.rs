//! A file's bytes as blocks of rows: reads, finds the rows, keeps count of
//! lines, rows and bytes.
//!
//! Invariants: memory is bounded by a block, a chunk of input and the longest
//! row; every line is a row, a blank line, a comment or passed over, and every
//! row is either in an [`Index`] or a [`Reject`], or is left out at the end
//! because it was asked for; none of it depends on how the input is chunked or
//! how large a block is.

mod judged;

use std::ops::Range;

use bytes::{Buf, Bytes};
use decant_core::format::{FileColumns, Input, Piece};
use decant_core::reject::Reason;
use decant_core::{Error, ErrorKind, Position, Reject, Result};

use super::complaint::Complaint;
use super::detect::left_out_of_table;
use super::dialect::Dialect;
use super::footer::Footer;
use super::header::Names;
use super::index::{Index, RowStart};
use super::mend;
use super::outline::{self, Outline};
use super::stretch::Stretch;
use super::walk::{Extent, Found};
use super::{fixed_width, header};
use crate::encoding::malformed::MALFORMED;
use crate::encoding::{Kept, Transcoded};
use judged::Judged;

/// Bytes of a block, unless a row is longer.
pub(super) const BLOCK_BYTES: usize = 1 << 20;
/// Rows of a block, good and bad.
const BLOCK_ROWS: u64 = 16_384;
/// Smallest block.
const BLOCK_BYTES_MIN: usize = 4;

/// A file being read.
pub(super) struct Blocks<'i> {
    input: Transcoded<'i>,
    dialect: &'i Dialect,
    /// Finds rows, whatever they are.
    stretch: Stretch,
    /// Finds many rows at once, in a usual dialect.
    outline: Option<Outline>,
    block_bytes: usize,
    /// What may be fetched; only a sample has a bound.
    bytes_max: u64,
    chunk: Bytes,
    buffer: Vec<u8>,
    /// The rows of a block that was written anew.
    rewritten: Vec<u8>,
    place: Place,
    /// Where the buffer begins in the text.
    offset: u64,
    /// Lines to pass over before anything else.
    skip_lines: u64,
    ended: bool,
    columns_count: usize,
    /// Whether the first column is one of text.
    begins_with_text: bool,
    /// What is to be said of the file.
    notes: Vec<String>,
}

/// How far a file has been passed.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Where the next line begins in the buffer.
    start: usize,
    /// The next line's number, from 1.
    line: u64,
    /// The next row's number, from 1.
    ordinal: u64,
}

impl Place {
    fn pass(&mut self, extent: Extent) {
        self.start = extent.next;
        self.line += u64::from(extent.lines);
    }
}

/// What the positions of an [`Index`] point into.
pub(super) struct Block<'b> {
    pub(super) bytes: &'b [u8],
    /// The file's own text, into which the index's raw positions point.
    pub(super) raw: &'b [u8],
    /// Rows read, good and bad.
    pub(super) rows_read: u64,
    kept: Kept<'b>,
    offset: u64,
}

impl Block<'_> {
    /// Where in the file the raw text at `position` stands.
    pub(super) fn file_offset(&self, position: usize) -> u64 {
        self.kept.offsets.in_file(self.offset + position as u64)
    }

    /// A bad row: left in the file's encoding, if it has bytes without a
    /// meaning in it.
    pub(super) fn reject(&self, row: Range<usize>, reject: Reject) -> Reject {
        as_it_stands(self.kept, self.offset, row, reject)
    }
}

/// Leaves a row with bytes that have no meaning as it stands in the file. It
/// stands at `row` of a text that begins at `offset`.
fn as_it_stands(kept: Kept<'_>, offset: u64, row: Range<usize>, mut reject: Reject) -> Reject {
    let is_kept = matches!(reject.reason, Reason::TooLong | Reason::Repaired);
    if is_kept || !reject.raw.contains(&MALFORMED) {
        return reject;
    }
    let text = offset + row.start as u64..offset + row.end as u64;
    if let Some(original) = kept.original(text) {
        if reject.reason != Reason::Encoding {
            reject.detail.push_str("; it has bytes that are not ");
            reject.detail.push_str(kept.name());
        }
        reject.reason = Reason::Encoding;
        reject.raw = original;
    }
    reject
}

impl<'i> Blocks<'i> {
    /// Blocks of `input`, which starts at the text's beginning.
    pub(super) fn new(input: Transcoded<'i>, dialect: &'i Dialect, block_bytes: usize) -> Self {
        Self {
            input,
            dialect,
            stretch: Stretch::new(dialect, block_bytes),
            outline: Outline::new(dialect, block_bytes),
            block_bytes: block_bytes.max(BLOCK_BYTES_MIN),
            bytes_max: u64::MAX,
            chunk: Bytes::new(),
            buffer: Vec::new(),
            rewritten: Vec::new(),
            place: Place { start: 0, line: 1, ordinal: 1 },
            offset: 0,
            skip_lines: dialect.skip_lines,
            ended: false,
            columns_count: 0,
            begins_with_text: false,
            notes: Vec::new(),
        }
    }

    /// The same of a piece of the file, whose first byte is that of a row.
    pub(super) fn behind(mut self, piece: &Piece) -> Self {
        self.place.line += piece.lines_before;
        self.place.ordinal += piece.rows_before;
        self.skip_lines = 0;
        self
    }

    /// Says that the first column is one of text, in which any word may stand.
    pub(super) fn begin_with_text(&mut self) {
        self.begins_with_text = true;
    }

    /// What is to be said of the file since this was last asked.
    pub(super) fn take_notes(&mut self) -> Vec<String> {
        let end = self.input.end().filter(|_| self.ended).map(str::to_owned);
        self.notes.drain(..).chain(end).collect()
    }

    /// Bytes of the file that have been passed.
    pub(super) fn position(&self) -> u64 {
        self.input.offsets().in_file(self.offset + self.place.start as u64)
    }

    /// The name of the file's encoding.
    pub(super) fn encoding(&self) -> &'static str {
        self.input.name()
    }

    /// Whether the whole file has been passed.
    pub(super) fn is_finished(&self) -> bool {
        self.ended && self.place.start == self.buffer.len()
    }

    /// Fetches no more than about `bytes_max` bytes of the text; the row that
    /// this cuts is not delivered.
    pub(super) fn stop_after(&mut self, bytes_max: u64) {
        self.bytes_max = bytes_max;
    }

    /// Reads up to the first row and names the columns by it, or by as many
    /// as are header rows, and passes these. `None` when the file has no row
    /// at all.
    ///
    /// Errors: `MalformedFile` when such a row cannot be taken apart, since
    /// then nothing is known of the columns.
    pub(super) fn columns(&mut self) -> Result<Option<FileColumns>> {
        self.refill()?;
        let mut ends = Vec::new();
        let mut names = Names::new(self.dialect);
        loop {
            ends.clear();
            match self.look(&mut ends) {
                Found::End => return Ok(names.finish()),
                Found::Incomplete => {
                    self.refill()?;
                    continue;
                }
                Found::Row(extent) if extent.end > self.place.start => {
                    self.add_names(&mut names, extent, &ends)?;
                    if self.pass_header(&names, extent) {
                        return Ok(names.finish());
                    }
                }
                Found::Row(extent) | Found::Comment(extent) => self.place.pass(extent),
                Found::LongComment(extent) => {
                    self.place.pass(extent);
                    self.skip_lines = 1;
                }
                Found::Bad(extent, _) if self.dialect.lenient => {
                    let line = &self.buffer[self.place.start..extent.end];
                    let row = mend::header(line, self.dialect);
                    names.add(&row.text, 0, &row.ends).map_err(|shown| self.no_name(&shown))?;
                    if self.pass_header(&names, extent) {
                        return Ok(names.finish());
                    }
                }
                bad => return Err(self.bad_first_row(bad)),
            }
        }
    }

    /// Passes a row that has been added to the names, unless it is the first
    /// row of a file without a header. Answers whether they are complete.
    fn pass_header(&mut self, names: &Names<'_>, extent: Extent) -> bool {
        if self.dialect.header_rows > 0 {
            self.place.pass(extent);
        }
        names.is_complete()
    }

    fn add_names(&self, names: &mut Names<'_>, extent: Extent, ends: &[u32]) -> Result<()> {
        let start = self.place.start;
        let added = match &self.dialect.widths {
            Some(widths) => {
                let line = fixed_width::read(&self.buffer[start..extent.end], widths, self.dialect);
                names.add(&line.fields.text, 0, &line.fields.ends)
            }
            None => names.add(&self.buffer, start, ends),
        };
        added.map_err(|shown| self.no_name(&shown))
    }

    fn no_name(&self, header::NotText(shown): &header::NotText) -> Error {
        let message = format!("the column name `{shown}` is not {}", self.encoding());
        self.malformed(message).with_hint("name the file's encoding, or mend its header")
    }

    /// Reads the next rows: the good ones into `index`, the bad ones behind
    /// `rejects`. `None` at the end.
    pub(super) fn next(
        &mut self,
        columns: &FileColumns,
        index: &mut Index,
        rejects: &mut Vec<Reject>,
    ) -> Result<Option<Block<'_>>> {
        loop {
            let Place { line, ordinal, .. } = self.place;
            index.begin(columns.names.len(), line, ordinal);
            index.delimiter_bytes = self.dialect.delimiter.len() as u32;
            let exhausted = !self.pass_lines() || self.scan(columns, index, rejects);
            let rows_read = self.place.ordinal - ordinal;
            if rows_read > 0 {
                let is_rewritten = self.rewrite(index);
                let bytes = if is_rewritten { &self.rewritten } else { &self.buffer };
                let (raw, kept, offset) = (&self.buffer, self.input.kept(), self.offset);
                return Ok(Some(Block { bytes, raw, rows_read, kept, offset }));
            }
            let fetched = self.offset + self.buffer.len() as u64;
            if exhausted && (self.is_finished() || fetched >= self.bytes_max) {
                return Ok(None);
            }
            if exhausted {
                self.refill()?;
            }
        }
    }

    /// Takes the rows of the buffer, as many as a block may have. Answers
    /// whether the buffer is exhausted.
    fn scan(
        &mut self,
        columns: &FileColumns,
        index: &mut Index,
        rejects: &mut Vec<Reject>,
    ) -> bool {
        let last_ordinal = self.place.ordinal + BLOCK_ROWS;
        self.columns_count = columns.names.len();
        let mut footer = Footer::new(self.dialect.footer);
        let mut exhausted = false;
        while self.place.ordinal < last_ordinal && self.skip_lines == 0 && !exhausted {
            let rows_max = last_ordinal - self.place.ordinal;
            if self.scan_rows(rows_max as usize, index, rejects.len(), &mut footer) == 0 {
                exhausted = !self.scan_line(columns, index, rejects, &mut footer);
            }
        }
        self.hold_back(&footer, exhausted, index, rejects);
        exhausted
    }

    /// Takes good rows, one behind the other, as long as nothing is to be
    /// said about any; answers how many.
    fn scan_rows(
        &mut self,
        rows_max: usize,
        index: &mut Index,
        rejects: usize,
        footer: &mut Footer,
    ) -> usize {
        let Some(outline) = &mut self.outline else { return 0 };
        let block = outline::Block { bytes: &self.buffer, ended: self.ended };
        let Place { start, line, ordinal } = self.place;
        let passed = outline.take(block, start, rows_max, (ordinal, line), index);
        self.place = Place {
            start: passed.next,
            line: line + passed.lines,
            ordinal: ordinal + passed.rows as u64,
        };
        let rows = index.rows.len();
        for row in rows - passed.rows.min(footer.rows_max())..rows {
            let RowStart { start, line, ordinal } = index.rows[row];
            let place = Place {
                start: start as usize,
                line: index.first_line + u64::from(line),
                ordinal: index.first_ordinal + u64::from(ordinal),
            };
            footer.hold(place, index.row(row).len(), row, rejects);
        }
        passed.rows
    }

    /// Takes one line, whatever it is. Answers whether there was a whole one.
    fn scan_line(
        &mut self,
        columns: &FileColumns,
        index: &mut Index,
        rejects: &mut Vec<Reject>,
        footer: &mut Footer,
    ) -> bool {
        let first_end = index.ends.len();
        let Place { start, line, ordinal } = self.place;
        let found = self.stretch.line(&self.buffer, self.ended, start, &mut index.ends);
        let Some(extent) = found.extent() else {
            index.ends.truncate(first_end);
            return false;
        };
        let bytes = extent.end - start;
        let is_whole = index.ends.len() - first_end == columns.names.len();
        if matches!(found, Found::Row(_)) && is_whole && self.dialect.widths.is_none() {
            footer.hold(self.place, bytes, index.rows.len(), rejects.len());
            index.push(start, (ordinal, line));
            self.place.ordinal += 1;
            self.place.pass(extent);
            return true;
        }
        let judged = self.judge(found, &index.ends[first_end..], columns);
        index.ends.truncate(first_end);
        if !matches!(judged, Judged::Nothing) {
            footer.hold(self.place, bytes, index.rows.len(), rejects.len());
            match judged {
                Judged::Row(mended) if index.has_room(self.buffer.len(), &mended) => {
                    index.push(start, (ordinal, line));
                    index.mend(extent.end, mended);
                }
                Judged::Bad(complaint) => rejects.push(self.reject(extent, complaint)),
                _ => rejects.push(self.reject(extent, self.too_long())),
            }
            self.place.ordinal += 1;
        }
        if found.goes_on() {
            self.skip_lines = 1;
            footer.let_go();
        }
        self.place.pass(extent);
        true
    }

    /// Leaves the rows that are held back for later, or, at the end of the
    /// file, out.
    fn hold_back(
        &mut self,
        footer: &Footer,
        exhausted: bool,
        index: &mut Index,
        rejects: &mut Vec<Reject>,
    ) {
        // A sample that reaches its bound looks at these rows, too.
        let fetched = self.offset + self.buffer.len() as u64;
        let at_end = exhausted && (self.is_finished() || fetched >= self.bytes_max);
        let left_out = if at_end { self.rows_of_footer(footer) } else { footer.held().len() };
        let Some(first) = footer.held().len().checked_sub(left_out) else { return };
        let Some(held) = footer.held().get(first).copied() else { return };
        index.truncate(held.rows);
        rejects.truncate(held.rejects);
        if !at_end {
            self.place = held.place;
            return;
        }
        let starts = footer.held().range(first..).map(|held| held.place.start);
        let rows: Vec<&[u8]> = starts.map(|start| self.line_at(start)).collect();
        self.notes.push(left_out_of_table(rows.into_iter()));
        self.place.ordinal = held.place.ordinal;
    }

    /// What stands at the place.
    fn look(&mut self, ends: &mut Vec<u32>) -> Found {
        if !self.pass_lines() {
            return Found::Incomplete;
        }
        self.stretch.line(&self.buffer, self.ended, self.place.start, ends)
    }

    /// Passes over the lines that are to be passed over. Answers whether it
    /// is done; if not, more bytes are needed.
    fn pass_lines(&mut self) -> bool {
        while self.skip_lines > 0 {
            match self.stretch.next_line(&self.buffer, self.ended, self.place.start) {
                Some(next) => {
                    self.place.start = next;
                    self.place.line += 1;
                    self.skip_lines -= 1;
                }
                None if self.ended => {
                    self.place.start = self.buffer.len();
                    self.skip_lines = 0;
                }
                None => {
                    let split_line_end = self.buffer.ends_with(b"\r");
                    self.place.start =
                        self.place.start.max(self.buffer.len() - usize::from(split_line_end));
                    return false;
                }
            }
        }
        true
    }

    /// Drops what has been passed and reads a block more. A row that does not
    /// fit doubles the buffer.
    fn refill(&mut self) -> Result<()> {
        self.buffer.drain(..self.place.start);
        self.offset += self.place.start as u64;
        self.place.start = 0;
        self.input.forget_before(self.offset);
        let target = self.block_bytes.max(self.buffer.len() * 2);
        while self.buffer.len() < target && !self.ended {
            if self.chunk.is_empty() {
                self.chunk = self.input.next_chunk()?.unwrap_or_default();
                self.ended = self.chunk.is_empty();
            }
            let count = self.chunk.len().min(target - self.buffer.len());
            self.buffer.extend_from_slice(&self.chunk[..count]);
            self.chunk.advance(count);
        }
        self.stretch.clear();
        if let Some(outline) = &mut self.outline {
            outline.clear();
        }
        Ok(())
    }

    fn bad_first_row(&self, found: Found) -> Error {
        let trouble = match found {
            Found::Bad(extent, fault) => {
                let row = &self.buffer[self.place.start..extent.end];
                Complaint::quote(fault, row, &[], self.dialect.record_bytes_max).detail
            }
            _ => format!("it is longer than {} bytes", self.dialect.record_bytes_max),
        };
        self.malformed(format!("the first row cannot be read: {trouble}"))
            .with_hint("check the delimiter and the quote, or pass over lines that are no rows")
    }

    fn malformed(&self, message: String) -> Error {
        Error::new(ErrorKind::MalformedFile, message).at(Position {
            file: String::new(),
            line: Some(self.place.line),
            byte: Some(self.position()),
            column: None,
        })
    }
}
