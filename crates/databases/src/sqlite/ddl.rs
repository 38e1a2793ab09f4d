//! Creating tables, adding columns and, through `widen`, changing their types.
//!
//! SQLite changes its catalogue inside transactions, under the one write
//! lock: what is checked here still holds when it is done.

use decant_core::destination::TableChange;
use decant_core::error::Result;
use decant_core::schema::{Column, FILE_ID_COLUMN, TableName};
use rusqlite::Connection;

use super::connect::Held;
use super::describe::{column_names, find_table, qualify};
use super::error::explain;
use super::ledger;
use super::transaction::Transaction;
use super::type_table::SQLITE;
use super::widen;
use crate::sql::ledger::{LedgerSql, meta_table};
use crate::sql::table;

/// The statements that carry out `change` on the database as it is;
/// `connection` is `None` where there is no database yet.
pub(crate) fn statements(
    connection: Option<&Connection>,
    change: &TableChange,
) -> Result<Vec<String>> {
    match change {
        TableChange::Create { table, columns } => {
            let table = qualify(table);
            let exists = connection.map(|connection| find_table(connection, &table.name));
            match exists.transpose()?.flatten() {
                Some(_) => Ok(Vec::new()),
                None => create(&table, columns),
            }
        }
        TableChange::AddColumns { table, columns } => {
            let table = qualify(table);
            let existing = connection.map(|connection| column_names(connection, &table.name));
            add_columns(&table, columns, &existing.transpose()?.unwrap_or_default())
        }
        TableChange::Widen { table, columns } => match connection {
            Some(connection) => widen::statements(connection, &qualify(table), columns),
            None => Ok(Vec::new()),
        },
    }
}

/// Carries out `change` in a transaction of its own.
pub(crate) fn apply(held: Held, ledger: &LedgerSql, change: &TableChange) -> Result<Vec<String>> {
    if let TableChange::Widen { table, columns } = change {
        return widen::apply(held, &qualify(table), columns);
    }
    let transaction = Transaction::begin(held)?;
    let statements = statements(Some(transaction.connection()), change)?;
    for statement in &statements {
        let done = transaction.connection().execute_batch(statement);
        done.map_err(|error| explain(error).with("statement", statement))?;
    }
    if let (TableChange::Create { table, .. }, false) = (change, statements.is_empty()) {
        ledger::ensure(transaction.connection(), ledger)?;
        let name = meta_table(&qualify(table));
        ledger::write_meta(transaction.connection(), ledger, &name, "created")?;
    }
    transaction.commit()?;
    Ok(statements)
}

fn create(table: &TableName, columns: &[Column]) -> Result<Vec<String>> {
    let mut statements = vec![table::create(&SQLITE, table, columns)?];
    if columns.iter().any(|column| column.name == FILE_ID_COLUMN) {
        let index = format!("{}_{FILE_ID_COLUMN}", table.name);
        statements.push(format!(
            "CREATE INDEX {} ON {} ({})",
            SQLITE.quote(&index),
            SQLITE.quote_table(table),
            SQLITE.quote(FILE_ID_COLUMN)
        ));
    }
    Ok(statements)
}

fn add_columns(table: &TableName, columns: &[Column], existing: &[String]) -> Result<Vec<String>> {
    columns
        .iter()
        .filter(|column| !existing.iter().any(|name| name.eq_ignore_ascii_case(&column.name)))
        .map(|column| table::add_column(&SQLITE, table, column))
        .collect()
}

/// Tries whether tables can be made and rows written. The transaction is for
/// that alone, and its end leaves nothing behind.
pub(crate) fn check_write(transaction: &Transaction) -> Result<()> {
    transaction
        .connection()
        .execute_batch(
            "CREATE TABLE _decant_check (id INTEGER); INSERT INTO _decant_check VALUES (1)",
        )
        .map_err(explain)
}
