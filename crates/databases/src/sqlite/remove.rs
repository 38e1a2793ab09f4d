//! Deleting rows, and refusing to where that would change another table.

use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::FileId;
use decant_core::schema::{TableName, TableSchema};
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use super::error::explain;
use super::ledger::{IDS_MAX, delete_by_id};
use super::silent;
use super::type_table::SQLITE;
use crate::sql::table;

/// Deletes the rows of `files`. Without `_file_id` rows cannot be told apart:
/// then there must be nothing `displaced`.
pub(super) fn files(
    connection: &Connection,
    table: &TableName,
    schema: &TableSchema,
    files: &[FileId],
    displaced: &[FileId],
) -> Result<()> {
    if !schema.has_file_id() {
        return check_nothing_displaced(table, displaced);
    }
    if !has_rows_of(connection, table, files)? {
        return Ok(());
    }
    // A cascade within the table would take rows of other files.
    refuse_cascade(connection, table, &children(connection, table)?)?;
    delete_by_id(connection, files, |count| table::delete_files(&SQLITE, table, count))
        .map_err(|error| referred_to(error, table))?;
    if silent::has_triggers(connection, &table.name)? && has_rows_of(connection, table, files)? {
        return Err(kept_rows(table));
    }
    Ok(())
}

/// Deletes all rows.
pub(super) fn all_rows(connection: &Connection, table: &TableName) -> Result<()> {
    if is_empty(connection, &table.name)? {
        return Ok(());
    }
    let mut children = children(connection, table)?;
    children.retain(|(child, _)| !child.eq_ignore_ascii_case(&table.name));
    refuse_cascade(connection, table, &children)?;
    let statement = format!("DELETE FROM {}", SQLITE.quote_table(table));
    let deleted = connection.execute(&statement, []).map_err(explain);
    deleted.map_err(|error| referred_to(error, table))?;
    if is_empty(connection, &table.name)? { Ok(()) } else { Err(kept_rows(table)) }
}

/// A trigger may take a delete for done and leave the rows.
fn kept_rows(table: &TableName) -> Error {
    let message = format!("a trigger of `{table}` keeps rows from being deleted");
    Error::new(ErrorKind::Unsupported, message).with_hint("drop the trigger for the load")
}

/// Another hint where it is rows of other tables that are in the way.
pub(super) fn referred_to(error: Error, table: &TableName) -> Error {
    if !error.message().contains("FOREIGN KEY") {
        return error;
    }
    error.with_hint(format!(
        "rows refer to rows of `{table}` that are gone, or to others that are not there: add them \
         to the files, or delete what refers to them"
    ))
}

fn check_nothing_displaced(table: &TableName, displaced: &[FileId]) -> Result<()> {
    if displaced.is_empty() {
        return Ok(());
    }
    let message = format!("`{table}` has no column `_file_id` to find an older version's rows by");
    Err(Error::new(ErrorKind::Unsupported, message)
        .with_hint("choose --on-change append, ignore or fail for this table"))
}

fn is_empty(connection: &Connection, table: &str) -> Result<bool> {
    let statement = format!("SELECT 1 FROM {} LIMIT 1", SQLITE.quote(table));
    let found = connection.query_row(&statement, [], |_| Ok(())).optional().map_err(explain)?;
    Ok(found.is_none())
}

/// Whether there is anything to delete: most files have nothing yet, and a
/// foreign key is no obstacle to a delete of nothing.
fn has_rows_of(connection: &Connection, table: &TableName, files: &[FileId]) -> Result<bool> {
    for chunk in files.chunks(IDS_MAX) {
        let statement = table::has_rows_of_files(&SQLITE, table, chunk.len());
        let mut statement = connection.prepare_cached(&statement).map_err(explain)?;
        let ids = params_from_iter(chunk.iter().map(|file| file.0));
        if statement.exists(ids).map_err(explain)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses when deleting rows of `table` would delete or change rows of one
/// of `children`.
fn refuse_cascade(
    connection: &Connection,
    table: &TableName,
    children: &[(String, String)],
) -> Result<()> {
    for (child, action) in children {
        if is_empty(connection, child)? {
            continue;
        }
        let message = format!(
            "deleting rows of `{table}` would change `{child}`: its foreign key says ON DELETE \
             {action}"
        );
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with_hint("drop that foreign key, or empty the table that has it first"));
    }
    Ok(())
}

/// The tables with a foreign key to `table` that acts when a row goes, and
/// what it does.
fn children(connection: &Connection, table: &TableName) -> Result<Vec<(String, String)>> {
    let mut statement = connection
        .prepare_cached(
            "SELECT DISTINCT child.name, key.on_delete \
             FROM sqlite_master AS child JOIN pragma_foreign_key_list(child.name) AS key \
             WHERE child.type = 'table' AND key.\"table\" = ?1 COLLATE NOCASE \
             AND key.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')",
        )
        .map_err(explain)?;
    let rows = statement
        .query_map([&table.name], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(explain)?;
    rows.collect::<rusqlite::Result<Vec<_>>>().map_err(explain)
}
