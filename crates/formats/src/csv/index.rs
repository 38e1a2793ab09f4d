//! Where the rows and fields of one block are: what stage one leaves to stage
//! two.
//!
//! A dense table of field ends, a row after the other, so that a column is
//! read with a stride. Only rows with the right number of fields are in it.

use std::collections::BTreeMap;
use std::ops::Range;

use decant_core::format::RepairKind;

use super::mend::Mended;

/// Where a row begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowStart {
    /// Its first byte in the block.
    pub(super) start: u32,
    /// Lines between the block's first one and its own.
    pub(super) line: u32,
    /// Rows between the block's first one and it, bad ones included.
    pub(super) ordinal: u32,
}

/// The good rows of a block.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Ends of all fields, `columns` for each row.
    pub(super) ends: Vec<u32>,
    /// Beginnings of the rows.
    pub(super) rows: Vec<RowStart>,
    /// Fields of a row.
    pub(super) columns: usize,
    /// Line of the block's first byte, from 1.
    pub(super) first_line: u64,
    /// Ordinal of the block's first row, from 1.
    pub(super) first_ordinal: u64,
    /// Bytes between the end of a field and the beginning of the next.
    pub(super) delimiter_bytes: u32,
    /// Where the rows stand in the file's own bytes, when the positions above
    /// point into bytes that have been written anew.
    pub(super) raw: Vec<Range<u32>>,
    /// What was done to rows, in the rows' order.
    pub(super) repairs: Vec<Repaired>,
    /// Rows to be written anew, in the rows' order.
    pub(super) mends: Vec<(usize, Mended)>,
    mended_bytes: usize,
}

/// What was done to one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repaired {
    /// The row's number in the index.
    pub(super) row: usize,
    pub(super) kind: RepairKind,
    /// Fields that were cut off.
    pub(super) cut: Vec<String>,
}

impl Index {
    /// Where a field is, with its quotes.
    #[inline]
    pub(super) fn field(&self, row: usize, column: usize) -> Range<usize> {
        let at = row * self.columns + column;
        let start = match column {
            0 => self.rows[row].start,
            _ => self.ends[at - 1] + self.delimiter_bytes,
        };
        start as usize..self.ends[at] as usize
    }

    /// Where the fields of a column are, with their quotes, row by row.
    #[inline(always)]
    pub(super) fn fields(
        &self,
        rows: Range<usize>,
        column: usize,
    ) -> impl ExactSizeIterator<Item = (usize, usize)> {
        let ends = &self.ends[rows.start * self.columns..rows.end * self.columns];
        let delimiter_bytes = self.delimiter_bytes as usize;
        let of_row = move |(ends, row): (&[u32], &RowStart)| match column {
            0 => (row.start as usize, ends[0] as usize),
            _ => (ends[column - 1] as usize + delimiter_bytes, ends[column] as usize),
        };
        ends.chunks_exact(self.columns.max(1)).zip(&self.rows[rows]).map(of_row)
    }

    /// Where a row is, without its line end.
    pub(super) fn row(&self, row: usize) -> Range<usize> {
        self.rows[row].start as usize..self.ends[(row + 1) * self.columns - 1] as usize
    }

    /// Where a row stands in the file's own bytes, without its line end.
    pub(super) fn raw(&self, row: usize) -> Range<usize> {
        match self.raw.get(row) {
            Some(raw) => raw.start as usize..raw.end as usize,
            None => self.row(row),
        }
    }

    /// From the first row's first byte to the last row's last one.
    pub(super) fn extent(&self) -> Range<usize> {
        match self.rows.first() {
            Some(first) => first.start as usize..self.row(self.rows.len() - 1).end,
            None => 0..0,
        }
    }

    /// Takes the rows out whose numbers are keys of `bad`.
    pub(super) fn remove<T>(&mut self, bad: &BTreeMap<usize, T>) {
        self.repairs.retain(|repair| !bad.contains_key(&repair.row));
        for repair in &mut self.repairs {
            repair.row -= bad.range(..repair.row).count();
        }
        let mut kept = 0;
        for row in (0..self.rows.len()).filter(|row| !bad.contains_key(row)) {
            if !self.raw.is_empty() {
                self.raw[kept] = self.raw[row].clone();
            }
            self.rows[kept] = self.rows[row];
            let ends = row * self.columns..(row + 1) * self.columns;
            self.ends.copy_within(ends, kept * self.columns);
            kept += 1;
        }
        self.truncate(kept);
    }

    /// Keeps the first `rows` rows.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.rows.truncate(rows);
        self.raw.truncate(rows);
        self.ends.truncate(rows * self.columns);
        self.repairs.retain(|repair| repair.row < rows);
        self.mends.retain(|(mended, _)| *mended < rows);
    }

    /// Whether positions stay within 32 bits when `mended` joins the rows of a
    /// block of so many bytes.
    pub(super) fn has_room(&self, block_bytes: usize, mended: &Mended) -> bool {
        let bytes = block_bytes + self.mended_bytes + mended.text.len() + self.rows.len();
        u32::try_from(bytes).is_ok()
    }

    /// Lets the row that was pushed last, which ends at `end`, be written
    /// anew.
    pub(super) fn mend(&mut self, end: usize, mended: Mended) {
        self.ends.extend(std::iter::repeat_n(end as u32, self.columns));
        self.mended_bytes += mended.text.len();
        self.mends.push((self.rows.len() - 1, mended));
    }

    /// Writes the rows anew into `output`, those that were mended as they are
    /// now, and lets all positions point there.
    pub(super) fn rewrite(&mut self, bytes: &[u8], output: &mut Vec<u8>) {
        output.clear();
        let mut mends = std::mem::take(&mut self.mends).into_iter().peekable();
        for row in 0..self.rows.len() {
            let raw =
                self.rows[row].start as usize..self.ends[(row + 1) * self.columns - 1] as usize;
            let base = output.len() as u32;
            let start = std::mem::replace(&mut self.rows[row].start, base);
            let ends = &mut self.ends[row * self.columns..(row + 1) * self.columns];
            match mends.next_if(|(mended, _)| *mended == row) {
                Some((_, mended)) => {
                    output.extend_from_slice(&mended.text);
                    ends.iter_mut().zip(&mended.ends).for_each(|(end, new)| *end = base + new);
                    let repairs = mended.repairs.into_iter();
                    self.repairs.extend(repairs.map(|(kind, cut)| Repaired { row, kind, cut }));
                }
                None => {
                    output.extend_from_slice(&bytes[raw.clone()]);
                    ends.iter_mut().for_each(|end| *end = *end - start + base);
                }
            }
            output.push(b'\n');
            self.raw.push(raw.start as u32..raw.end as u32);
        }
    }

    /// Empties the index for a block whose first line and row have these
    /// numbers.
    pub(super) fn begin(&mut self, columns: usize, line: u64, ordinal: u64) {
        self.ends.clear();
        self.rows.clear();
        self.raw.clear();
        self.repairs.clear();
        self.mends.clear();
        self.mended_bytes = 0;
        (self.columns, self.first_line, self.first_ordinal) = (columns, line, ordinal);
    }

    /// Adds a row whose field ends have been added.
    pub(super) fn push(&mut self, start: usize, (ordinal, line): (u64, u64)) {
        let (ordinal, line) = self.relative((ordinal, line));
        self.rows.push(RowStart { start: start as u32, line, ordinal });
    }

    /// An ordinal and a line, counted from the block's first ones.
    pub(super) fn relative(&self, (ordinal, line): (u64, u64)) -> (u32, u32) {
        ((ordinal - self.first_ordinal) as u32, (line - self.first_line) as u32)
    }
}
