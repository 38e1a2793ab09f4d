//! What may take rows away without an error: constraints that settle
//! conflicts by themselves, and triggers.

use decant_core::error::Result;
use decant_core::file::FileId;
use decant_core::schema::{FILE_ID_COLUMN, TableName};
use rusqlite::{Connection, OptionalExtension as _};

use super::error::explain;
use super::type_table::SQLITE;

/// Whether the table's definition may say `ON CONFLICT`. A word in a comment
/// or a name says so too, which does no harm.
pub(super) fn settles_conflicts(connection: &Connection, table: &str) -> Result<bool> {
    let words = definition(connection, table)?.to_ascii_lowercase();
    let words: Vec<&str> = words.split_ascii_whitespace().collect();
    Ok(words.windows(2).any(|pair| pair[0].ends_with("on") && pair[1].starts_with("conflict")))
}

/// The text by which the table was made.
pub(super) fn definition(connection: &Connection, table: &str) -> Result<String> {
    let query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
    let text = connection.query_row(query, [table], |row| row.get(0)).optional();
    Ok(text.map_err(explain)?.unwrap_or_default())
}

/// Whether the table has triggers.
pub(super) fn has_triggers(connection: &Connection, table: &str) -> Result<bool> {
    let query = "SELECT EXISTS (SELECT 1 FROM sqlite_master \
                 WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE)";
    connection.query_row(query, [table], |row| row.get(0)).map_err(explain)
}

/// Rows of a file that are in the table.
pub(super) fn rows_of(connection: &Connection, table: &TableName, file: FileId) -> Result<u64> {
    let query = format!(
        "SELECT count(*) FROM {} WHERE {} = ?1",
        SQLITE.quote_table(table),
        SQLITE.quote(FILE_ID_COLUMN)
    );
    let count = connection.query_row(&query, [file.0], |row| row.get::<_, i64>(0));
    count.map(i64::unsigned_abs).map_err(explain)
}
