//! Batches of which SQLite may refuse rows.
//!
//! A batch is inserted behind a savepoint. When a row is refused, all of it is
//! taken back and inserted again row by row, each behind a savepoint of its
//! own: a trigger may have written before it refused.

use std::ops::Range;

use decant_core::destination::RefusedRow;
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::schema::TableName;
use rusqlite::{Connection, ffi};

use super::error::explain;

const BATCH: [&str; 3] =
    ["SAVEPOINT decant_batch", "ROLLBACK TO decant_batch", "RELEASE decant_batch"];
const ROW: [&str; 3] = ["SAVEPOINT decant_row", "ROLLBACK TO decant_row", "RELEASE decant_row"];
const FAILED: &str = " constraint failed";

/// Inserts `rows` rows by `insert`, which answers how many SQLite took.
/// Answers how many those were in all, and the rows that were refused.
pub(super) fn insert(
    connection: &Connection,
    rows: usize,
    insert: &mut dyn FnMut(Range<usize>) -> Result<u64>,
) -> Result<(u64, Vec<RefusedRow>)> {
    if let Ok(inserted) = attempt(connection, BATCH, || insert(0..rows))? {
        return Ok((inserted, Vec::new()));
    }
    let mut inserted = 0;
    let mut refused = Vec::new();
    for row in 0..rows {
        match attempt(connection, ROW, || insert(row..row + 1))? {
            Ok(count) => inserted += count,
            Err(error) => refused.push(refusal(row, &error)),
        }
    }
    Ok((inserted, refused))
}

/// Runs `work` behind a savepoint. The inner error is a row's; after the outer
/// one the load is lost.
fn attempt<T>(
    connection: &Connection,
    [savepoint, roll_back, release]: [&str; 3],
    work: impl FnOnce() -> Result<T>,
) -> Result<Result<T>> {
    run(connection, savepoint)?;
    let done = work();
    match done {
        Err(error) if !is_of_a_row(&error) => return Err(error),
        // RAISE(ROLLBACK) takes the whole transaction with it.
        Err(error) if connection.is_autocommit() => {
            return Err(error.with_hint(
                "a trigger or constraint rolls the whole transaction back: let it abort the \
                 statement instead, so that the row alone is refused",
            ));
        }
        Err(_) => run(connection, roll_back)?,
        Ok(_) => {}
    }
    run(connection, release)?;
    Ok(done)
}

fn run(connection: &Connection, statement: &str) -> Result<()> {
    let mut statement = connection.prepare_cached(statement).map_err(explain)?;
    statement.execute([]).map(|_| ()).map_err(explain)
}

fn is_of_a_row(error: &Error) -> bool {
    let code = error.fact("sqlite_code").and_then(|code| code.parse::<i32>().ok());
    error.kind() == ErrorKind::RejectedRows || code == Some(ffi::SQLITE_TOOBIG)
}

/// What SQLite says of a constraint: the name where it has one, else its kind
/// and its columns.
fn refusal(row: usize, error: &Error) -> RefusedRow {
    let message = error.message();
    let column = error.position().and_then(|position| position.column.clone());
    let said = message.strip_prefix("SQLite: ").unwrap_or(message);
    let (constraint, named) = match said.split_once(FAILED) {
        Some((kind, behind)) => name_of(kind, behind.trim_start_matches([':', ' '])),
        None => (None, None),
    };
    RefusedRow { row, constraint, column: column.or(named), detail: message.to_owned() }
}

fn name_of(kind: &str, behind: &str) -> (Option<String>, Option<String>) {
    if behind.is_empty() {
        return (Some(kind.to_owned()), None);
    }
    if kind == "CHECK" {
        return (Some(behind.to_owned()), None);
    }
    if let Some(index) = behind.strip_prefix("index ") {
        return (Some(index.trim_matches('\'').to_owned()), None);
    }
    let columns: Vec<&str> = behind
        .split(", ")
        .map(|column| column.rsplit_once('.').map_or(column, |(_, column)| column))
        .collect();
    let column = (columns.len() == 1).then(|| columns[0].to_owned());
    (Some(format!("{kind} ({})", columns.join(", "))), column)
}

/// Whether a foreign key of any table refers to `table`.
pub(super) fn is_referred_to(connection: &Connection, table: &TableName) -> Result<bool> {
    let query = "SELECT EXISTS (SELECT 1 FROM sqlite_master AS child \
                 JOIN pragma_foreign_key_list(child.name) AS key \
                 WHERE child.type = 'table' AND key.\"table\" = ?1 COLLATE NOCASE)";
    connection.query_row(query, [&table.name], |row| row.get(0)).map_err(explain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_told_by_name_or_by_kind() {
        for (said, constraint, column) in [
            ("SQLite: CHECK constraint failed: positive", Some("positive"), None),
            ("SQLite: UNIQUE constraint failed: t.a", Some("UNIQUE (a)"), Some("a")),
            ("SQLite: UNIQUE constraint failed: t.a, t.b", Some("UNIQUE (a, b)"), None),
            ("SQLite: UNIQUE constraint failed: index 'by_day'", Some("by_day"), None),
            ("SQLite: NOT NULL constraint failed: t.a", Some("NOT NULL (a)"), Some("a")),
            ("SQLite: FOREIGN KEY constraint failed", Some("FOREIGN KEY"), None),
            ("SQLite: what a trigger says", None, None),
        ] {
            let refused = refusal(3, &Error::new(ErrorKind::RejectedRows, said));
            assert_eq!(refused.constraint.as_deref(), constraint, "{said}");
            assert_eq!(refused.column.as_deref(), column, "{said}");
            assert_eq!((refused.row, refused.detail.as_str()), (3, said));
        }
    }
}
