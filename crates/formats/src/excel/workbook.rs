//! The cells of one sheet.

use std::io::{Cursor, Read, copy, sink};

use bytes::Bytes;
use calamine::{Data, Ods, Reader, Sheets, Xls, Xlsb, Xlsx};
use decant_core::{Error, ErrorKind, Result};

use super::{broken, too_large};
use crate::recognition::{COMPOUND_MAGIC, looks_like};

/// What a cell takes in memory besides its text.
const CELL_BYTES: u64 = 64;

/// A cell that is not empty: row and column from 0, and its value.
pub(super) type Cell = (u32, u32, Data);

/// A rectangle of cells, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) rows: (u32, u32),
    pub(super) columns: (u32, u32),
}

impl Area {
    /// Whatever is used.
    pub(super) const ALL: Self = Self { rows: (0, u32::MAX), columns: (0, u32::MAX) };

    /// Reads `B2:F100`.
    ///
    /// Errors: `InvalidConfig`.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let corners = text.split_once(':').and_then(|(one, other)| {
            let ((top, left), (bottom, right)) = (corner(one)?, corner(other)?);
            (top <= bottom && left <= right)
                .then_some(Self { rows: (top, bottom), columns: (left, right) })
        });
        corners.ok_or_else(|| {
            Error::new(ErrorKind::InvalidConfig, format!("`{text}` is not a range of cells"))
                .with_hint("write it like `B2:F100`")
        })
    }

    /// The same without its first rows.
    pub(super) fn below(self, rows: u64) -> Self {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        Self { rows: (self.rows.0.saturating_add(rows), self.rows.1), ..self }
    }

    fn contains(self, row: u32, column: u32) -> bool {
        (self.rows.0..=self.rows.1).contains(&row)
            && (self.columns.0..=self.columns.1).contains(&column)
    }
}

/// Row and column of `B2`, from 0.
fn corner(text: &str) -> Option<(u32, u32)> {
    let text = text.trim();
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (column, row) = text.split_at(letters);
    let column = column.bytes().try_fold(0_u32, |sum, letter| {
        let digit = u32::from(letter.to_ascii_uppercase() - b'A') + 1;
        sum.checked_mul(26)?.checked_add(digit)
    })?;
    let row: u32 = row.parse().ok()?;
    Some((row.checked_sub(1)?, column.checked_sub(1)?))
}

/// Which cells of a workbook are wanted.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The sheet; the first unless one is named.
    pub(super) sheet: Option<String>,
    pub(super) area: Area,
    /// Rows at the end that are not.
    pub(super) footer_rows: u64,
    /// Bytes that the workbook and the cells may take.
    pub(super) bytes_max: u64,
}

/// The cells that are wanted, row by row.
pub(super) fn cells(bytes: Bytes, wanted: &Wanted) -> Result<Vec<Cell>> {
    let (area, bytes_max) = (wanted.area, wanted.bytes_max);
    let mut workbook = open(bytes, bytes_max)?;
    let name = sheet_name(&workbook.sheet_names(), wanted.sheet.as_deref())?;
    let mut kept = Kept { cells: Vec::new(), area, bytes: 0, bytes_max };
    match &mut workbook {
        Sheets::Xlsx(workbook) => {
            // Cell by cell: a dense sheet with one far cell would be endless.
            let mut reader = workbook.worksheet_cells_reader(&name).map_err(broken)?;
            while let Some(cell) = reader.next_cell_with_formula_metadata().map_err(broken)? {
                let (row, column) = cell.pos;
                let value = Data::from(cell.value);
                if value != Data::Empty || cell.formula.is_some() {
                    kept.keep(row, column, value)?;
                }
            }
        }
        other => {
            let range = other.worksheet_range(&name).map_err(broken)?;
            let (top, left) = range.start().unwrap_or_default();
            for (row, column, value) in range.used_cells() {
                let at = |start: u32, offset: usize| {
                    u32::try_from(offset).ok().and_then(|offset| start.checked_add(offset))
                };
                if let (Some(row), Some(column)) = (at(top, row), at(left, column))
                    && *value != Data::Empty
                {
                    kept.keep(row, column, value.clone())?;
                }
            }
        }
    }
    let mut cells = kept.cells;
    cells.sort_by_key(|(row, column, _)| (*row, *column));
    leave_out_last(&mut cells, wanted.footer_rows);
    match cells.iter().find(|(.., value)| *value == Data::Empty) {
        Some((row, column, _)) => Err(not_computed(*row, *column)),
        None => Ok(cells),
    }
}

/// Leaves out the last rows that have cells.
fn leave_out_last(cells: &mut Vec<Cell>, rows: u64) {
    for _ in 0..rows {
        let Some(last) = cells.last().map(|(row, ..)| *row) else { return };
        cells.truncate(cells.partition_point(|(row, ..)| *row < last));
    }
}

/// Opens a workbook as what its parts show it to be.
fn open(bytes: Bytes, bytes_max: u64) -> Result<Sheets<Cursor<Bytes>>> {
    let cursor = Cursor::new(bytes.clone());
    if bytes.starts_with(&COMPOUND_MAGIC) {
        return Ok(Sheets::Xls(Xls::new(cursor).map_err(broken)?));
    }
    if !bytes.starts_with(b"PK") {
        return Err(no_workbook(&bytes));
    }
    let names = check_unpacked(&bytes, bytes_max)?;
    let has = |part: &str| names.iter().any(|name| name.eq_ignore_ascii_case(part));
    if has("content.xml") {
        Ok(Sheets::Ods(Ods::new(cursor).map_err(broken)?))
    } else if has("xl/workbook.bin") {
        Ok(Sheets::Xlsb(Xlsb::new(cursor).map_err(broken)?))
    } else if has("xl/workbook.xml") || has("[Content_Types].xml") {
        Ok(Sheets::Xlsx(Xlsx::new(cursor).map_err(broken)?))
    } else {
        Err(Error::new(ErrorKind::MalformedFile, "it is a zip archive, and no workbook in it")
            .with_hint("let its name end in `.zip`: its members are then files of their own"))
    }
}

fn no_workbook(bytes: &[u8]) -> Error {
    let (looks, format) = looks_like(bytes);
    let cure = match format {
        Some(format) => format!("if that is what it is, say so with `--format {format}`"),
        None => "save it as a workbook or as CSV".to_owned(),
    };
    Error::new(ErrorKind::MalformedFile, format!("it is no workbook: it looks like {looks}"))
        .with_hint(cure)
}

/// A program wrote a formula and nobody has computed it: NULL would be a lie.
fn not_computed(row: u32, column: u32) -> Error {
    let message = format!(
        "cell {}{} has a formula, and the workbook does not hold its value",
        letters(column),
        u64::from(row) + 1
    );
    Error::new(ErrorKind::MalformedFile, message).with_hint(
        "open the workbook in a spreadsheet program and save it, which computes its formulas; or \
         leave the cells out with `--range`",
    )
}

/// A column as spreadsheets call it: 0 is `A`, 26 is `AA`.
fn letters(column: u32) -> String {
    let letter = char::from(b'A' + (column % 26) as u8);
    match column / 26 {
        0 => letter.to_string(),
        rest => format!("{}{letter}", letters(rest - 1)),
    }
}

struct Kept {
    cells: Vec<Cell>,
    area: Area,
    bytes: u64,
    bytes_max: u64,
}

impl Kept {
    /// Keeps a cell that has a value, or a formula without one.
    fn keep(&mut self, row: u32, column: u32, value: Data) -> Result<()> {
        if !self.area.contains(row, column) {
            return Ok(());
        }
        let text = if let Data::String(text) = &value { text.len() as u64 } else { 0 };
        self.bytes += CELL_BYTES + text;
        if self.bytes > self.bytes_max {
            return Err(too_large(self.bytes_max));
        }
        self.cells.push((row, column, value));
        Ok(())
    }
}

fn sheet_name(names: &[String], sheet: Option<&str>) -> Result<String> {
    let found = match sheet {
        None => names.first(),
        Some(sheet) => names.iter().find(|name| *name == sheet),
    };
    found.cloned().ok_or_else(|| {
        let what =
            sheet.map_or_else(|| "no sheets".to_owned(), |name| format!("no sheet `{name}`"));
        let known: Vec<String> = names.iter().take(20).map(|name| format!("`{name}`")).collect();
        Error::new(ErrorKind::MalformedFile, format!("the workbook has {what}"))
            .with_hint(format!("its sheets are {}", known.join(", ")))
    })
}

/// Unpacks a workbook's parts into nothing, to see how large they are: what
/// its index says of them need not be true. Their names come back.
fn check_unpacked(bytes: &[u8], bytes_max: u64) -> Result<Vec<String>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let mut left = bytes_max;
    let mut names = Vec::new();
    for part in 0..archive.len() {
        let part = archive.by_index(part).map_err(broken)?;
        names.push(part.name().map_err(broken)?.into_owned());
        let unpacked = copy(&mut part.take(left.saturating_add(1)), &mut sink()).map_err(broken)?;
        left = left.checked_sub(unpacked).ok_or_else(|| too_large(bytes_max))?;
    }
    Ok(names)
}
