//! Deleting rows, and refusing to where that would change another table.

use decant_core::error::{Error, ErrorKind, Result};
use decant_core::schema::{FILE_ID_COLUMN, TableName};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::describe::get;
use super::error::explain;
use super::ledger::query;
use super::type_table::POSTGRES;

/// Deletes the rows of files. Most have none, which is found out first: a
/// foreign key is no obstacle to a delete of nothing.
pub(crate) async fn files(client: &Client, table: &TableName, files: &[i64]) -> Result<()> {
    let of_files = format!(
        "FROM {} WHERE {} = ANY($1)",
        POSTGRES.quote_table(table),
        POSTGRES.quote(FILE_ID_COLUMN)
    );
    let parameters = [(&files as &(dyn tokio_postgres::types::ToSql + Sync), Type::INT8_ARRAY)];
    let found = query(client, &format!("SELECT 1 {of_files} LIMIT 1"), &parameters).await?;
    if found.is_empty() {
        return Ok(());
    }
    // A cascade within the table would take rows of other files.
    refuse_cascades(client, table, Within::Refused).await?;
    query(client, &format!("DELETE {of_files}"), &parameters).await?;
    Ok(())
}

/// Deletes all rows.
pub(crate) async fn all_rows(client: &Client, table: &TableName) -> Result<()> {
    refuse_cascades(client, table, Within::Allowed).await?;
    let quoted = POSTGRES.quote_table(table);
    client
        .batch_execute(&format!("SET CONSTRAINTS ALL DEFERRED; DELETE FROM {quoted}"))
        .await
        .map_err(|error| explain(&error))
}

/// Without `_file_id` the rows of an older version cannot be told apart.
pub(crate) fn check_nothing_displaced(table: &TableName, displaced: &[i64]) -> Result<()> {
    if displaced.is_empty() {
        return Ok(());
    }
    let message = format!("`{table}` has no column `_file_id` to find an older version's rows by");
    Err(Error::new(ErrorKind::Unsupported, message)
        .with_hint("choose --on-change append, ignore or fail for this table"))
}

/// Whether a foreign key from the table to itself may act.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Allowed,
    Refused,
}

/// A delete must not reach into rows that nobody named.
async fn refuse_cascades(client: &Client, table: &TableName, within: Within) -> Result<()> {
    let rows = query(
        client,
        "SELECT conname::text, conrelid::pg_catalog.regclass::text, confdeltype::text \
         FROM pg_catalog.pg_constraint \
         WHERE contype = 'f' AND confrelid = pg_catalog.to_regclass($1) \
         AND (conrelid <> confrelid OR $2) AND confdeltype IN ('c', 'n', 'd') \
         ORDER BY conname LIMIT 1",
        &[(&POSTGRES.quote_table(table), Type::TEXT), (&(within == Within::Refused), Type::BOOL)],
    )
    .await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let (constraint, other): (String, String) = (get(row, 0)?, get(row, 1)?);
    let action = match get::<&str>(row, 2)? {
        "c" => "CASCADE",
        "n" => "SET NULL",
        _ => "SET DEFAULT",
    };
    let message = format!(
        "deleting rows of `{table}` would change `{other}`: its foreign key `{constraint}` is ON \
         DELETE {action}"
    );
    Err(Error::new(ErrorKind::Unsupported, message)
        .with("constraint", constraint)
        .with_hint("drop that foreign key, or make it NO ACTION DEFERRABLE"))
}
