//! The cells of one sheet, row by row.
//!
//! A sheet of an `.xlsx` is read as it comes, whatever its size. Of the other
//! kinds of workbooks, and of a sheet whose rows are in disorder, the cells
//! are gathered first, within `bytes_max`.

use std::collections::VecDeque;
use std::fmt::Display;

use calamine::{Data, Ods, Reader, Sheets, Xls, Xlsb, Xlsx};
use decant_core::format::Input;
use decant_core::{Error, ErrorKind, Result};

use super::store::{Failure, Store};
use super::{broken, parts, too_large};
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
    /// Bytes that the workbook's parts, and cells that are held, may take.
    pub(super) bytes_max: u64,
}

/// A workbook, open at one sheet.
pub(super) struct Workbook<'i> {
    sheets: Sheets<Store<'i>>,
    sheet: String,
    wanted: &'i Wanted,
    /// The cells in order, where they do not come so.
    gathered: Option<Vec<Cell>>,
    failure: Failure,
}

/// Takes what comes next, and says whether to go on.
type Take<'t, T> = &'t mut dyn FnMut(T) -> Result<bool>;

impl<'i> Workbook<'i> {
    /// Opens a workbook of `size` bytes as what its parts show it to be.
    pub(super) fn open(input: &'i mut dyn Input, size: u64, wanted: &'i Wanted) -> Result<Self> {
        let store = Store::new(input, size);
        let failure = store.failure();
        let sheets = sheets_of(store, size, wanted.bytes_max, &failure)?;
        let sheet = sheet_name(&sheets.sheet_names(), wanted.sheet.as_deref())?;
        let mut workbook = Self { sheets, sheet, wanted, gathered: None, failure };
        if !matches!(workbook.sheets, Sheets::Xlsx(_)) {
            workbook.gather()?;
        }
        Ok(workbook)
    }

    /// Hands over the rows that are wanted, each with its cells. Answers
    /// whether there are no more.
    pub(super) fn rows(&mut self, take: Take<'_, Vec<Cell>>) -> Result<bool> {
        let mut held = Held::new(self.wanted);
        let mut row: Vec<Cell> = Vec::new();
        let ended = self.cells(&mut |cell| {
            let mut goes_on = true;
            if row.first().is_some_and(|first| first.0 != cell.0) {
                goes_on = held.push(std::mem::take(&mut row), take)?;
            }
            held.count(&cell)?;
            row.push(cell);
            Ok(goes_on)
        })?;
        if !ended || row.is_empty() {
            return Ok(ended);
        }
        held.push(row, take)
    }

    /// Hands over the cells that are wanted, in the order of their rows: those
    /// with a value, and as empty those with a formula and none.
    fn cells(&mut self, take: Take<'_, Cell>) -> Result<bool> {
        if let Some(gathered) = &self.gathered {
            for cell in gathered {
                if !take(cell.clone())? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let mut last = 0;
        self.each(&mut |cell| {
            if cell.0 < last {
                return Err(disorder(cell.0, last));
            }
            last = cell.0;
            take(cell)
        })
    }

    /// Hands over the cells of the area as they come.
    fn each(&mut self, take: Take<'_, Cell>) -> Result<bool> {
        let (area, failure) = (self.wanted.area, &self.failure);
        let unread = |error: &dyn Display| failure.or(|| broken(error));
        match &mut self.sheets {
            Sheets::Xlsx(workbook) => {
                // Cell by cell: a dense sheet with one far cell would be endless.
                let reader = workbook.worksheet_cells_reader(&self.sheet);
                let mut reader = reader.map_err(|error| unread(&error))?;
                loop {
                    let next = reader.next_cell_with_formula_metadata();
                    let Some(cell) = next.map_err(|error| unread(&error))? else {
                        return Ok(true);
                    };
                    let ((row, column), value) = (cell.pos, Data::from(cell.value));
                    let is_there = value != Data::Empty || cell.formula.is_some();
                    if is_there && area.contains(row, column) && !take((row, column, value))? {
                        return Ok(false);
                    }
                }
            }
            other => {
                let range = other.worksheet_range(&self.sheet).map_err(|error| unread(&error))?;
                let (top, left) = range.start().unwrap_or_default();
                for (row, column, value) in range.used_cells() {
                    let at = |start: u32, offset: usize| {
                        u32::try_from(offset).ok().and_then(|offset| start.checked_add(offset))
                    };
                    if let (Some(row), Some(column)) = (at(top, row), at(left, column))
                        && *value != Data::Empty
                        && area.contains(row, column)
                        && !take((row, column, value.clone()))?
                    {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    /// Keeps all cells, in order.
    pub(super) fn gather(&mut self) -> Result<()> {
        let mut held = Held::new(self.wanted);
        let mut cells = Vec::new();
        self.each(&mut |cell| {
            held.count(&cell)?;
            cells.push(cell);
            Ok(true)
        })?;
        cells.sort_by_key(|(row, column, _)| (*row, *column));
        self.gathered = Some(cells);
        Ok(())
    }
}

/// Rows that may be the last ones, and what is held of them.
struct Held<'w> {
    wanted: &'w Wanted,
    rows: VecDeque<Vec<Cell>>,
    bytes: u64,
}

impl<'w> Held<'w> {
    fn new(wanted: &'w Wanted) -> Self {
        Self { wanted, rows: VecDeque::new(), bytes: 0 }
    }

    /// Counts a cell that is about to be held.
    fn count(&mut self, cell: &Cell) -> Result<()> {
        self.bytes += bytes_of(cell);
        match self.bytes > self.wanted.bytes_max {
            true => Err(too_large(self.wanted.bytes_max)),
            false => Ok(()),
        }
    }

    /// Holds a row back, and lets one go that is none of the last.
    fn push(&mut self, row: Vec<Cell>, take: Take<'_, Vec<Cell>>) -> Result<bool> {
        self.rows.push_back(row);
        if (self.rows.len() as u64) <= self.wanted.footer_rows {
            return Ok(true);
        }
        let Some(row) = self.rows.pop_front() else { return Ok(true) };
        self.bytes -= row.iter().map(bytes_of).sum::<u64>();
        match row.iter().find(|(.., value)| *value == Data::Empty) {
            Some((row, column, _)) => Err(not_computed(*row, *column)),
            None => take(row),
        }
    }
}

fn bytes_of((.., value): &Cell) -> u64 {
    CELL_BYTES + if let Data::String(text) = value { text.len() as u64 } else { 0 }
}

/// The fact of an error that says that rows are in disorder.
pub(super) const DISORDER: &str = "disorder";

fn disorder(row: u32, last: u32) -> Error {
    let (row, last) = (u64::from(row) + 1, u64::from(last) + 1);
    Error::new(ErrorKind::MalformedFile, format!("row {row} stands behind row {last}"))
        .with(DISORDER, "rows")
}

fn sheets_of<'i>(
    mut store: Store<'i>,
    size: u64,
    bytes_max: u64,
    failure: &Failure,
) -> Result<Sheets<Store<'i>>> {
    let unread = |error: &dyn Display| failure.or(|| broken(error));
    let start = store.start()?;
    if start.starts_with(&COMPOUND_MAGIC) {
        if size > bytes_max {
            return Err(too_large(bytes_max));
        }
        return Ok(Sheets::Xls(Xls::new(store).map_err(|error| unread(&error))?));
    }
    if !start.starts_with(b"PK") {
        return Err(no_workbook(&start));
    }
    let names = parts::names(&mut store, bytes_max)?;
    let has = |part: &str| names.iter().any(|name| name.eq_ignore_ascii_case(part));
    if has("content.xml") {
        Ok(Sheets::Ods(Ods::new(store).map_err(|error| unread(&error))?))
    } else if has("xl/workbook.bin") {
        Ok(Sheets::Xlsb(Xlsb::new(store).map_err(|error| unread(&error))?))
    } else if has("xl/workbook.xml") || has("[Content_Types].xml") {
        Ok(Sheets::Xlsx(Xlsx::new(store).map_err(|error| unread(&error))?))
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
