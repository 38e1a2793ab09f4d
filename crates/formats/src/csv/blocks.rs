//! A file's bytes as blocks of rows: reads, finds the rows, keeps count of
//! lines, rows and bytes.
//!
//! Invariants: memory is bounded by a block, a chunk of input and the longest
//! row; every line is a row, a blank line, a comment or passed over, and every
//! row is either in an [`Index`] or a [`Reject`]; none of it depends on how
//! the input is chunked or how large a block is.

use std::ops::Range;

use bytes::{Buf, Bytes};
use decant_core::format::{FileColumns, Input};
use decant_core::reject::Reason;
use decant_core::{Error, ErrorKind, Position, Reject, Result};

use super::complaint::Complaint;
use super::dialect::Dialect;
use super::field::Field;
use super::index::Index;
use super::marks::Marker;
use super::walk::{Extent, Found, Walk};

/// Bytes of a block, unless a row is longer.
pub(super) const BLOCK_BYTES: usize = 1 << 20;
/// Rows of a block, good and bad.
const BLOCK_ROWS: u64 = 16_384;
/// Bytes kept of a row that is too long.
const TOO_LONG_KEPT_BYTES: usize = 64 << 10;
/// Smallest block: room for a byte-order mark.
const BLOCK_BYTES_MIN: usize = 4;
const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF_16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// A file being read.
pub(super) struct Blocks<'i> {
    input: &'i mut dyn Input,
    dialect: &'i Dialect,
    marker: Marker,
    block_bytes: usize,
    /// What may be fetched; only a sample has a bound.
    bytes_max: u64,
    chunk: Bytes,
    buffer: Vec<u8>,
    marks: Vec<u32>,
    /// The first mark at or behind the place.
    mark: usize,
    place: Place,
    /// Where the buffer begins in the file.
    offset: u64,
    /// Lines to pass over before anything else.
    skip_lines: u64,
    ended: bool,
}

/// How far a file has been passed.
#[derive(Clone, Copy)]
struct Place {
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
    /// Rows read, good and bad.
    pub(super) rows_read: u64,
}

impl<'i> Blocks<'i> {
    /// Blocks of `input`, which starts at the file's beginning.
    pub(super) fn new(input: &'i mut dyn Input, dialect: &'i Dialect, block_bytes: usize) -> Self {
        Self {
            input,
            dialect,
            marker: Marker::new(dialect),
            block_bytes: block_bytes.max(BLOCK_BYTES_MIN),
            bytes_max: u64::MAX,
            chunk: Bytes::new(),
            buffer: Vec::new(),
            marks: Vec::new(),
            mark: 0,
            place: Place { start: 0, line: 1, ordinal: 1 },
            offset: 0,
            skip_lines: dialect.skip_lines,
            ended: false,
        }
    }

    /// Bytes of the file that have been passed.
    pub(super) fn position(&self) -> u64 {
        self.offset + self.place.start as u64
    }

    /// Whether the whole file has been passed.
    pub(super) fn is_finished(&self) -> bool {
        self.ended && self.place.start == self.buffer.len()
    }

    /// Fetches no more than about `bytes_max` bytes of the file; the row that
    /// this cuts is not delivered.
    pub(super) fn stop_after(&mut self, bytes_max: u64) {
        self.bytes_max = bytes_max;
    }

    /// Reads up to the first row and names the columns by it; passes it only
    /// when it is a header. `None` when the file has no row at all.
    ///
    /// Errors: `MalformedFile` when that row cannot be taken apart, since then
    /// nothing is known of the columns.
    pub(super) fn columns(&mut self) -> Result<Option<FileColumns>> {
        self.refill()?;
        self.pass_byte_order_mark()?;
        let mut ends = Vec::new();
        loop {
            let found = self.look(&mut ends);
            match found {
                (Found::End, _) => return Ok(None),
                (Found::Incomplete, _) => self.refill()?,
                (Found::Row(extent), mark) if extent.end > self.place.start => {
                    let columns = self.name_columns(&ends)?;
                    if self.dialect.header {
                        self.place.pass(extent);
                        self.mark = mark;
                    }
                    return Ok(Some(columns));
                }
                (Found::Row(extent) | Found::Comment(extent), mark) => {
                    self.place.pass(extent);
                    self.mark = mark;
                }
                (Found::LongComment(extent), mark) => {
                    self.place.pass(extent);
                    self.mark = mark;
                    self.skip_lines = 1;
                }
                (bad, _) => return Err(self.bad_first_row(bad)),
            }
            ends.clear();
        }
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
            let exhausted = !self.pass_lines() || self.scan(columns, index, rejects);
            let rows_read = self.place.ordinal - ordinal;
            if rows_read > 0 {
                index.offset = self.offset;
                return Ok(Some(Block { bytes: &self.buffer, rows_read }));
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
        let count = columns.names.len();
        let mut walk = Walk::new(&self.buffer, &self.marks, self.mark, self.ended, self.dialect);
        let mut exhausted = false;
        while self.place.ordinal < last_ordinal && self.skip_lines == 0 {
            let first_end = index.ends.len();
            let found = walk.line(self.place.start, &mut index.ends);
            let fields = index.ends.len() - first_end;
            if let Found::Row(extent) = found
                && fields == count
            {
                index.push(self.place.start, self.place.line, self.place.ordinal);
                self.place.ordinal += 1;
                self.place.pass(extent);
                continue;
            }
            index.ends.truncate(first_end);
            let Some(extent) = found.extent() else {
                exhausted = true;
                break;
            };
            if let Some(complaint) = self.complain(found, fields, columns) {
                rejects.push(self.reject(extent, complaint));
                self.place.ordinal += 1;
            }
            self.skip_lines = u64::from(found.goes_on());
            self.place.pass(extent);
        }
        self.mark = walk.mark();
        exhausted
    }

    fn complain(&self, found: Found, fields: usize, columns: &FileColumns) -> Option<Complaint> {
        let limit = self.dialect.record_bytes_max;
        match found {
            Found::Row(extent) if extent.end == self.place.start => None,
            Found::Row(_) => Some(Complaint::field_count(fields, columns.names.len())),
            Found::Bad(extent, fault) => {
                let row = &self.buffer[self.place.start..extent.end];
                Some(Complaint::quote(fault, row, &columns.names, limit))
            }
            Found::TooLong(_) => Some(Complaint::too_long(limit, limit.min(TOO_LONG_KEPT_BYTES))),
            Found::Comment(_) | Found::LongComment(_) | Found::Incomplete | Found::End => None,
        }
    }

    fn reject(&self, extent: Extent, complaint: Complaint) -> Reject {
        let Place { start, line, ordinal } = self.place;
        let kept = match complaint.reason {
            Reason::TooLong => self.dialect.record_bytes_max.min(TOO_LONG_KEPT_BYTES),
            _ => extent.end - start,
        };
        Reject {
            ordinal,
            line: Some(line),
            byte_offset: Some(self.offset + start as u64),
            column: complaint.column,
            reason: complaint.reason,
            detail: complaint.detail,
            raw: self.buffer[start..start + kept].to_vec(),
        }
    }

    /// What stands at the place, and the mark behind it.
    fn look(&mut self, ends: &mut Vec<u32>) -> (Found, usize) {
        if !self.pass_lines() {
            return (Found::Incomplete, self.mark);
        }
        let mut walk = Walk::new(&self.buffer, &self.marks, self.mark, self.ended, self.dialect);
        let found = walk.line(self.place.start, ends);
        (found, walk.mark())
    }

    /// Passes over the lines that are to be passed over. Answers whether it
    /// is done; if not, more bytes are needed.
    fn pass_lines(&mut self) -> bool {
        while self.skip_lines > 0 {
            let mut walk =
                Walk::new(&self.buffer, &self.marks, self.mark, self.ended, self.dialect);
            let next = walk.next_line(self.place.start);
            self.mark = walk.mark();
            match next {
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
        self.mark = 0;
        self.marks.clear();
        self.marker.mark(&self.buffer, &mut self.marks);
        Ok(())
    }

    fn pass_byte_order_mark(&mut self) -> Result<()> {
        if UTF_16_MARKS.iter().any(|mark| self.buffer.starts_with(mark)) {
            return Err(Error::new(ErrorKind::Unsupported, "the file is UTF-16")
                .with_hint("convert it to UTF-8, for instance with `iconv -f UTF-16 -t UTF-8`"));
        }
        if let Some(other) = foreign(&self.buffer) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the file is {other}, not text"),
            )
            .with_hint("leave it out with `exclude` or `extension`"));
        }
        if self.buffer.starts_with(UTF_8_MARK) {
            self.place.start = UTF_8_MARK.len();
        }
        Ok(())
    }

    fn name_columns(&self, ends: &[u32]) -> Result<FileColumns> {
        let mut start = self.place.start;
        let mut names = Vec::with_capacity(ends.len());
        for (column, end) in ends.iter().enumerate() {
            let name = match self.dialect.header {
                true => self.header_name(start..*end as usize)?,
                false => String::new(),
            };
            let nameless = name.is_empty();
            names.push(if nameless { format!("column_{}", column + 1) } else { name });
            start = *end as usize + 1;
        }
        Ok(FileColumns { names, named: self.dialect.header, ..FileColumns::default() })
    }

    fn header_name(&self, range: Range<usize>) -> Result<String> {
        let mut scratch = Vec::new();
        let field = Field::read(&self.buffer, range, self.dialect, true);
        let name = field.value(&self.buffer, self.dialect, &mut scratch).unwrap_or_default();
        match simdutf8::basic::from_utf8(name) {
            Ok(name) => Ok(name.trim().to_owned()),
            Err(_) => {
                let shown = String::from_utf8_lossy(name);
                let message = format!("the column name `{shown}` is not UTF-8");
                Err(self.malformed(message).with_hint("convert the file to UTF-8"))
            }
        }
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

/// What a file is whose first bytes no text begins with, whatever its name.
fn foreign(beginning: &[u8]) -> Option<&'static str> {
    const FOREIGN: [(&[u8], &str); 8] = [
        (b"PAR1\x15", "a Parquet file"),
        (b"PK\x03\x04", "a zip archive or a workbook"),
        (b"Obj\x01", "an Avro file"),
        (b"ARROW1\0", "an Arrow file"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"BZh91AY&SY", "compressed with bzip2"),
        (b"\xfd7zXZ\0", "compressed with xz"),
        (b"\x04\x22\x4d\x18", "compressed with lz4"),
    ];
    FOREIGN.iter().find(|(magic, _)| beginning.starts_with(magic)).map(|(_, what)| *what)
}
