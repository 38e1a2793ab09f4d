//! Names of columns: from one row, from several joined by `_`, or invented
//! where the file has none. A gap in a row above others has the name to its
//! left.

use decant_core::format::FileColumns;

use super::dialect::Dialect;
use super::field::Field;

/// A name that is no text, as far as it can be shown.
pub(super) struct NotText(pub(super) String);

/// Names as they are collected.
pub(super) struct Names<'d> {
    dialect: &'d Dialect,
    names: Vec<String>,
    rows: u32,
}

impl<'d> Names<'d> {
    pub(super) fn new(dialect: &'d Dialect) -> Self {
        Self { dialect, names: Vec::new(), rows: 0 }
    }

    /// Adds a row whose fields begin at `start` of `bytes` and have these
    /// ends. Without a header it only says how many columns there are.
    pub(super) fn add(&mut self, bytes: &[u8], start: usize, ends: &[u32]) -> Result<(), NotText> {
        self.names.resize(self.names.len().max(ends.len()), String::new());
        self.rows += 1;
        if self.dialect.header_rows == 0 {
            return Ok(());
        }
        let mut start = start;
        // A name above others stands over all of them up to the next one.
        let spans = self.rows < self.dialect.header_rows;
        let mut spanning = String::new();
        for (name, end) in self.names.iter_mut().zip(ends) {
            let mut part = name_at(bytes, start..*end as usize, self.dialect)?;
            if spans && part.is_empty() {
                part.clone_from(&spanning);
            } else {
                spanning.clone_from(&part);
            }
            if !name.is_empty() && !part.is_empty() {
                name.push('_');
            }
            name.push_str(&part);
            start = *end as usize + self.dialect.delimiter.len();
        }
        Ok(())
    }

    /// Whether no more rows name the columns.
    pub(super) fn is_complete(&self) -> bool {
        self.rows >= self.dialect.header_rows
    }

    /// The columns; `None` when there was no row.
    pub(super) fn finish(self) -> Option<FileColumns> {
        let named = self.dialect.header_rows > 0;
        let name = |(column, name): (usize, String)| match name.is_empty() {
            true => format!("column_{}", column + 1),
            false => name,
        };
        let names = self.names.into_iter().enumerate().map(name).collect();
        (self.rows > 0).then(|| FileColumns { names, named, ..FileColumns::default() })
    }
}

fn name_at(
    bytes: &[u8],
    range: std::ops::Range<usize>,
    dialect: &Dialect,
) -> Result<String, NotText> {
    let mut scratch = Vec::new();
    let field = Field::read(bytes, range, dialect, true);
    let name = field.value(bytes, dialect, &mut scratch).unwrap_or_default();
    match simdutf8::basic::from_utf8(name) {
        Ok(name) => Ok(name.trim().to_owned()),
        Err(_) if dialect.lenient => Ok(String::from_utf8_lossy(name).trim().to_owned()),
        Err(_) => Err(NotText(String::from_utf8_lossy(name).into_owned())),
    }
}
