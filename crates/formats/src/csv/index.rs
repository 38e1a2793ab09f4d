//! Where the rows and fields of one block are: what stage one leaves to stage
//! two.
//!
//! A dense table of field ends, a row after the other, so that a column is
//! read with a stride. Only rows with the right number of fields are in it.

use std::collections::BTreeMap;
use std::ops::Range;

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
    /// Offset in the file of the bytes that positions count from.
    pub(super) offset: u64,
}

impl Index {
    /// Where a field is, with its quotes.
    #[inline]
    pub(super) fn field(&self, row: usize, column: usize) -> Range<usize> {
        let at = row * self.columns + column;
        let start = match column {
            0 => self.rows[row].start,
            _ => self.ends[at - 1] + 1,
        };
        start as usize..self.ends[at] as usize
    }

    /// Where a row is, without its line end.
    pub(super) fn row(&self, row: usize) -> Range<usize> {
        self.rows[row].start as usize..self.ends[(row + 1) * self.columns - 1] as usize
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
        let mut kept = 0;
        for row in (0..self.rows.len()).filter(|row| !bad.contains_key(row)) {
            self.rows[kept] = self.rows[row];
            let ends = row * self.columns..(row + 1) * self.columns;
            self.ends.copy_within(ends, kept * self.columns);
            kept += 1;
        }
        self.rows.truncate(kept);
        self.ends.truncate(kept * self.columns);
    }

    /// Empties the index for a block whose first line and row have these
    /// numbers.
    pub(super) fn begin(&mut self, columns: usize, line: u64, ordinal: u64) {
        self.ends.clear();
        self.rows.clear();
        (self.columns, self.first_line, self.first_ordinal) = (columns, line, ordinal);
    }

    /// Adds a row whose field ends have been added.
    pub(super) fn push(&mut self, start: usize, line: u64, ordinal: u64) {
        self.rows.push(RowStart {
            start: start as u32,
            line: (line - self.first_line) as u32,
            ordinal: (ordinal - self.first_ordinal) as u32,
        });
    }
}
