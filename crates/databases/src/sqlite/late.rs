//! Rows whose foreign keys SQLite would only check at the commit: those that
//! are deferrable, and those of tables that are referred to, by themselves or
//! by others.
//!
//! When all rows are there, SQLite is asked which of the table refer to
//! nothing. To tell which rows of the load those are, the numbers that SQLite
//! gave them are kept, as runs: rows of a table without a key of its own are
//! one run a file.

use std::collections::BTreeMap;

use decant_core::destination::RefusedRow;
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::FileId;
use rusqlite::Connection;

use super::error::explain;
use super::silent::definition;
use super::type_table::SQLITE;

/// Runs that are kept at most; past them the commit alone decides.
const RUNS_MAX: usize = 1 << 20;
/// Rows that are refused late at most.
const REFUSED_MAX: usize = 100_000;
/// How often rows are taken out to see what referred to them.
const PASSES_MAX: usize = 64;

/// The rows of a load, by the numbers that SQLite gave them.
#[derive(Default)]
pub(super) struct LateKeys {
    is_watched: bool,
    is_full: bool,
    /// By the first number of each.
    runs: BTreeMap<i64, Run>,
    last: Option<i64>,
    handed: BTreeMap<FileId, usize>,
}

/// What becomes of the numbers that SQLite gives to rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    /// They are kept, to know the rows by.
    Kept,
    /// Nobody asks for them.
    Left,
}

/// Rows behind each other with numbers behind each other.
#[derive(Clone, Copy, Debug)]
struct Run {
    file: FileId,
    position: usize,
    rows: usize,
}

/// Whether the table has foreign keys that are not checked row by row.
pub(super) fn has_late_keys(
    connection: &Connection,
    table: &str,
    is_referred_to: bool,
) -> Result<bool> {
    let query = "SELECT EXISTS (SELECT 1 FROM pragma_foreign_key_list(?1))";
    let has_keys: bool = connection.query_row(query, [table], |row| row.get(0)).map_err(explain)?;
    let is_deferrable = || -> Result<bool> {
        Ok(definition(connection, table)?.to_ascii_lowercase().contains("deferrable"))
    };
    Ok(has_keys && (is_referred_to || is_deferrable()?))
}

impl LateKeys {
    /// Rows are to be kept from now on.
    pub(super) fn watch(&mut self) {
        self.is_watched = true;
    }

    /// Whether the numbers of rows are kept.
    pub(super) fn numbers(&self) -> Numbers {
        if self.is_watched && !self.is_full { Numbers::Kept } else { Numbers::Left }
    }

    /// Keeps the rows of a batch of `rows` rows that went in.
    pub(super) fn keep(&mut self, file: FileId, rows: usize, numbers: &[(usize, i64)]) {
        let handed = self.handed.entry(file).or_default();
        let first = *handed;
        *handed += rows;
        if !self.is_watched || self.is_full {
            return;
        }
        for (row, number) in numbers {
            self.push(file, first + row, *number);
        }
    }

    fn push(&mut self, file: FileId, position: usize, number: i64) {
        if let Some(start) = self.last
            && let Some(run) = self.runs.get_mut(&start)
            && run.file == file
            && run.position + run.rows == position
            && start.checked_add_unsigned(run.rows as u64) == Some(number)
        {
            run.rows += 1;
            return;
        }
        if self.runs.len() >= RUNS_MAX {
            self.is_full = true;
            self.runs.clear();
            return;
        }
        self.runs.insert(number, Run { file, position, rows: 1 });
        self.last = Some(number);
    }

    fn find(&self, number: i64) -> Option<(FileId, usize)> {
        let (start, run) = self.runs.range(..=number).next_back()?;
        let behind = usize::try_from(number.checked_sub(*start)?).ok()?;
        (behind < run.rows).then_some((run.file, run.position + behind))
    }

    /// The rows that refer to nothing, and those that refer to them. They are
    /// taken out to find the latter: the load is of no use then.
    pub(super) fn refused(
        &self,
        connection: &Connection,
        table: &str,
    ) -> Result<Vec<(FileId, RefusedRow)>> {
        let mut refused = BTreeMap::new();
        if !self.is_watched || self.is_full {
            return Ok(Vec::new());
        }
        for _ in 0..PASSES_MAX {
            let mut found = Vec::new();
            for (number, parent) in strays(connection, table)? {
                let Some(place) = self.find(number) else { continue };
                if let std::collections::btree_map::Entry::Vacant(vacant) = refused.entry(place) {
                    vacant.insert(parent);
                    found.push(number);
                }
            }
            if refused.len() > REFUSED_MAX {
                let message =
                    format!("more than {REFUSED_MAX} rows refer to rows that are not there");
                return Err(Error::new(ErrorKind::RejectedRows, message)
                    .with_hint("load the rows that they refer to first"));
            }
            if found.is_empty() || !take_out(connection, table, &found) {
                break;
            }
        }
        Ok(refused.into_iter().map(|((file, row), parent)| (file, refusal(row, &parent))).collect())
    }
}

/// Rows of the table that refer to nothing: their numbers, and the table that
/// they refer to.
fn strays(connection: &Connection, table: &str) -> Result<Vec<(i64, String)>> {
    let query = "SELECT \"rowid\", \"parent\" FROM pragma_foreign_key_check(?1) \
                 WHERE \"rowid\" IS NOT NULL";
    let mut statement = connection.prepare(query).map_err(explain)?;
    let mut rows = statement.query([table]).map_err(explain)?;
    let mut strays = Vec::new();
    while let Some(row) = rows.next().map_err(explain)? {
        strays.push((row.get(0).map_err(explain)?, row.get(1).map_err(explain)?));
        if strays.len() > 2 * REFUSED_MAX {
            break;
        }
    }
    Ok(strays)
}

/// Whether the rows could be taken out; a trigger may say no.
fn take_out(connection: &Connection, table: &str, numbers: &[i64]) -> bool {
    let statement = format!("DELETE FROM {} WHERE rowid = ?1", SQLITE.quote(table));
    let Ok(mut statement) = connection.prepare(&statement) else { return false };
    numbers.iter().all(|number| statement.execute([number]).is_ok())
}

fn refusal(row: usize, parent: &str) -> RefusedRow {
    RefusedRow {
        row,
        constraint: Some("FOREIGN KEY".to_owned()),
        column: None,
        detail: format!(
            "SQLite: FOREIGN KEY constraint failed: the row of `{parent}` that it refers to is \
             not there"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_numbers() {
        let mut keys = LateKeys::default();
        keys.watch();
        keys.keep(FileId(7), 4, &[(0, 10), (1, 11), (3, 12)]);
        keys.keep(FileId(7), 2, &[(0, 13), (1, 5)]);
        keys.keep(FileId(8), 1, &[(0, 6)]);
        for (number, place) in [
            (10, Some((7, 0))),
            (11, Some((7, 1))),
            (12, Some((7, 3))),
            (13, Some((7, 4))),
            (5, Some((7, 5))),
            (6, Some((8, 0))),
            (4, None),
            (14, None),
        ] {
            let found = keys.find(number).map(|(file, position)| (file.0, position));
            assert_eq!(found, place, "{number}");
        }
        assert_eq!(keys.runs.len(), 4);
    }
}
