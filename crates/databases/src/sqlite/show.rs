//! Reading a database as text, for people. Not for loading: nothing here is
//! exact about types.

use decant_core::error::{Error, ErrorKind, Result};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::error::explain;

/// The answer to a query, as a person reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The columns' names.
    pub heading: Vec<String>,
    /// The rows, a text a column; NULL is empty.
    pub rows: Vec<Vec<String>>,
}

/// Asks the database file at `path`, which is opened for reading alone.
///
/// Errors: what SQLite answers; `NotFound` when there is no such file.
pub fn show(path: &str, query: &str) -> Result<Shown> {
    if !std::path::Path::new(path).exists() {
        return Err(Error::new(ErrorKind::NotFound, format!("there is no database `{path}`")));
    }
    ask(path, query).map_err(explain)
}

fn ask(path: &str, query: &str) -> rusqlite::Result<Shown> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = database.prepare(query)?;
    let heading: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut shown = Shown { heading, rows: Vec::new() };
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let cells: rusqlite::Result<Vec<String>> =
            (0..shown.heading.len()).map(|column| row.get_ref(column).map(text)).collect();
        shown.rows.push(cells?);
    }
    Ok(shown)
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db").display().to_string();
        let database = Connection::open(&path).unwrap();
        database
            .execute_batch("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, NULL), (2.5, 'x')")
            .unwrap();
        let shown = show(&path, "SELECT a, b FROM t ORDER BY a").unwrap();
        assert_eq!(shown.heading, ["a", "b"]);
        assert_eq!(shown.rows, [["1", ""], ["2.5", "x"]]);
        assert!(show("nowhere.db", "SELECT 1").is_err());
    }
}
