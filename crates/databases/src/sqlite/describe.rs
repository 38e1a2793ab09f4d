//! Reading the catalogue.
//!
//! SQLite has no schemas: `staging.orders` is a table of exactly this name,
//! dot included, and `main.orders` is `orders`. Names of tables and columns
//! are compared without case, as SQLite does.

use decant_core::destination::TableState;
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::schema::{Column, TableName, TableSchema};
use rusqlite::{Connection, OptionalExtension as _};

use super::error::explain;
use super::type_table::{SQLITE, understand};
use crate::sql::ledger::{LedgerSql, meta_table};

/// The name that a table has, or would have, in this database.
pub(crate) fn qualify(table: &TableName) -> TableName {
    let name = match &table.schema {
        Some(schema) if schema.eq_ignore_ascii_case("main") => table.name.clone(),
        _ => table.to_string(),
    };
    TableName { schema: None, name }
}

/// The state of a database that does not exist yet.
pub(crate) fn absent(table: &TableName) -> TableState {
    TableState { name: qualify(table), schema: None, created_by_decant: false }
}

/// The table's state.
pub(crate) fn describe(
    connection: &Connection,
    ledger: &LedgerSql,
    table: &TableName,
) -> Result<TableState> {
    let state = absent(table);
    let Some(name) = find_table(connection, &state.name.name)? else { return Ok(state) };
    let name = TableName { schema: None, name };
    let schema = TableSchema { columns: columns(connection, &name.name)? };
    let created_by_decant = is_ours(connection, ledger, &name)?;
    Ok(TableState { name, schema: Some(schema), created_by_decant })
}

/// How many rows are in the table; 0 where there is none.
pub(crate) fn count_rows(connection: &Connection, table: &TableName) -> Result<u64> {
    let Some(name) = find_table(connection, &qualify(table).name)? else { return Ok(0) };
    let statement = format!("SELECT count(*) FROM {}", SQLITE.quote(&name));
    let count = connection.query_row(&statement, [], |row| row.get::<_, i64>(0));
    count.map(i64::unsigned_abs).map_err(explain)
}

/// The table's name as the catalogue has it. Views are refused: rows cannot
/// be loaded into them.
pub(crate) fn find_table(connection: &Connection, name: &str) -> Result<Option<String>> {
    let mut statement = connection
        .prepare_cached(
            "SELECT name, type FROM sqlite_master \
             WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE",
        )
        .map_err(explain)?;
    let found = statement
        .query_row([name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .optional()
        .map_err(explain)?;
    match found {
        Some((name, kind)) if kind == "view" => {
            let message = format!("`{name}` is a view: rows cannot be loaded into it");
            Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("name the table behind it with --table"))
        }
        found => Ok(found.map(|(name, _)| name)),
    }
}

/// The names of the table's columns; none when there is no such table.
pub(crate) fn column_names(connection: &Connection, table: &str) -> Result<Vec<String>> {
    Ok(columns(connection, table)?.into_iter().map(|column| column.name).collect())
}

/// The table's columns; none when there is no such table.
pub(super) fn columns(connection: &Connection, table: &str) -> Result<Vec<Column>> {
    let mut statement = connection
        .prepare_cached(
            "SELECT name, type, \"notnull\", hidden FROM pragma_table_xinfo(?1) ORDER BY cid",
        )
        .map_err(explain)?;
    let columns = statement.query_map([table], read_column).map_err(explain)?;
    columns.collect::<rusqlite::Result<Vec<_>>>().map_err(explain)
}

/// Whether the table is STRICT.
pub(super) fn is_strict(connection: &Connection, table: &str) -> Result<bool> {
    let query = "SELECT strict FROM pragma_table_list(?1) WHERE schema = 'main'";
    let mut statement = connection.prepare_cached(query).map_err(explain)?;
    let found = statement.query_row([table], |row| row.get(0)).optional().map_err(explain)?;
    Ok(found.unwrap_or(false))
}

fn read_column(row: &rusqlite::Row<'_>) -> rusqlite::Result<Column> {
    let declared: String = row.get(1)?;
    // Hidden columns are a virtual table's, or generated: nothing that one
    // can write to.
    let hidden: i64 = row.get(3)?;
    let is_hidden = hidden != 0;
    Ok(Column {
        name: row.get(0)?,
        column_type: (!is_hidden).then(|| understand(&declared)),
        declared: if hidden > 1 { generated(&declared) } else { declared },
        nullable: !row.get::<_, bool>(2)?,
    })
}

/// The words for a column that SQLite computes; it may count some of them
/// among those of the type.
fn generated(declared: &str) -> String {
    let end = declared.to_ascii_uppercase().find("GENERATED ALWAYS").unwrap_or(declared.len());
    format!("{} (generated always)", declared[..end].trim_end()).trim_start().to_owned()
}

fn is_ours(connection: &Connection, ledger: &LedgerSql, table: &TableName) -> Result<bool> {
    if column_names(connection, &ledger.meta().name)?.is_empty() {
        return Ok(false);
    }
    let mut statement = connection.prepare_cached(&ledger.read_meta()).map_err(explain)?;
    statement.exists([meta_table(table)]).map_err(explain)
}
