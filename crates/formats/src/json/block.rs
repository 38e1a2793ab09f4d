//! Some rows of a file: where they are, and the values of each column.
//!
//! Values are kept by column and only where a row has them, so that a file
//! with many rare keys takes no more memory than its own text.

use decant_core::format::RepairKind;

use super::token::{Texts, Token};
use super::window::Place;

/// A row of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Where it begins and ends in the window; empty for rows that stand
    /// nowhere in one piece.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Where it is in the file; `None` for rows that stand nowhere in one
    /// piece.
    pub(crate) place: Option<Place>,
    /// Its number, from 1.
    pub(crate) ordinal: u64,
}

/// A value of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) row: u32,
    pub(crate) token: Token,
}

/// A row that is good only after a repair.
#[derive(Clone, Debug)]
pub(crate) struct Repaired {
    /// The row's number in the block.
    pub(crate) row: usize,
    pub(crate) kind: RepairKind,
    /// Values that were cut off, as text.
    pub(crate) cut: Vec<String>,
}

/// The good rows of a block.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) rows: Vec<Row>,
    /// The cells of each column, by row.
    pub(crate) cells: Vec<Vec<Cell>>,
    /// In the order of their rows.
    pub(crate) repairs: Vec<Repaired>,
    /// Rows that were read, bad ones included.
    pub(crate) rows_read: u64,
    /// Whether a row's text stands in the file as one JSON value with all of
    /// its columns.
    pub(crate) whole: bool,
}

impl Block {
    /// Empties the block.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.cells.iter_mut().for_each(Vec::clear);
        self.repairs.clear();
        self.rows_read = 0;
    }

    /// Adds a row with its values.
    pub(crate) fn push(&mut self, row: Row, values: &[(u32, Token)]) {
        let number = self.rows.len() as u32;
        self.rows.push(row);
        for (column, token) in values {
            let column = *column as usize;
            self.widen(column + 1);
            self.cells[column].push(Cell { row: number, token: *token });
        }
    }

    /// Makes room for so many columns.
    #[inline]
    pub(crate) fn widen(&mut self, columns: usize) {
        if self.cells.len() < columns {
            self.cells.resize_with(columns, Vec::new);
        }
    }

    /// The cells of a column.
    pub(crate) fn column(&self, column: usize) -> &[Cell] {
        self.cells.get(column).map(Vec::as_slice).unwrap_or_default()
    }

    /// The value of a column in a row.
    pub(crate) fn value(&self, row: usize, column: usize) -> Option<Token> {
        let cells = self.column(column);
        let at = cells.binary_search_by_key(&row, |cell| cell.row as usize).ok()?;
        cells.get(at).map(|cell| cell.token)
    }

    /// The row's text: as it stands in the file, or as an object of its
    /// columns.
    pub(crate) fn raw(&self, row: usize, names: &[String], texts: Texts<'_>) -> Vec<u8> {
        let Row { start, end, .. } = self.rows[row];
        match self.whole {
            true => texts.window.get(start..end).unwrap_or_default().to_vec(),
            false => self.object(row, names, texts),
        }
    }

    fn object(&self, row: usize, names: &[String], texts: Texts<'_>) -> Vec<u8> {
        let mut object = vec![b'{'];
        let mut scratch = Vec::new();
        for (column, name) in names.iter().enumerate() {
            let Some(token) = self.value(row, column) else { continue };
            if object.len() > 1 {
                object.push(b',');
            }
            object.extend_from_slice(&quote(name));
            object.push(b':');
            object.extend_from_slice(token.json(texts, &mut scratch));
        }
        object.push(b'}');
        object
    }
}

/// The text as a JSON string.
pub(crate) fn quote(text: &str) -> Vec<u8> {
    serde_json::to_vec(text).unwrap_or_default()
}
