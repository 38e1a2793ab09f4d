//! Deleting rows, and refusing to where that would change another table.

use decant_core::error::{Error, ErrorKind, Result};
use decant_core::schema::{FILE_ID_COLUMN, TableName};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::describe::get;
use super::error::explain;
use super::ledger::{Parameter, query};
use super::type_table::POSTGRES;

/// Deletes the rows of files. Most have none, which is found out first: a
/// foreign key is no obstacle to a delete of nothing.
pub(crate) async fn files(client: &Client, table: &TableName, files: &[i64]) -> Result<()> {
    let of_files = format!(
        "{} WHERE {} = ANY($1)",
        POSTGRES.quote_table(table),
        POSTGRES.quote(FILE_ID_COLUMN)
    );
    let parameters = [(&files as &(dyn tokio_postgres::types::ToSql + Sync), Type::INT8_ARRAY)];
    let found = query(client, &format!("SELECT 1 FROM {of_files} LIMIT 1"), &parameters).await?;
    if found.is_empty() {
        return Ok(());
    }
    // A cascade within the table would take rows of other files.
    refuse_cascades(client, table, Within::Refused).await?;
    delete(client, table, &of_files, &parameters).await
}

/// Deletes all rows.
pub(crate) async fn all_rows(client: &Client, table: &TableName) -> Result<()> {
    refuse_cascades(client, table, Within::Allowed).await?;
    let deferred = client.batch_execute("SET CONSTRAINTS ALL DEFERRED").await;
    deferred.map_err(|error| explain(&error))?;
    delete(client, table, &POSTGRES.quote_table(table), &[]).await
}

/// Deletes rows of the table itself, not of those that inherit from it, and
/// looks whether they are gone where something may keep them.
async fn delete(
    client: &Client,
    table: &TableName,
    rows: &str,
    parameters: &[Parameter<'_>],
) -> Result<()> {
    let statement = "SELECT relkind = 'p', relhastriggers OR relhasrules OR relkind = 'p' \
                     FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)";
    let found = query(client, statement, &[(&POSTGRES.quote_table(table), Type::TEXT)]).await?;
    let Some(relation) = found.first() else { return Ok(()) };
    // The rows of a partitioned table are all in tables that inherit from it.
    let only = if get(relation, 0)? { "" } else { "ONLY " };
    let deleted = query(client, &format!("DELETE FROM {only}{rows}"), parameters).await;
    deleted.map_err(|error| referred_to_at_once(error, table))?;
    let may_be_kept: bool = get(relation, 1)?;
    if may_be_kept {
        let kept = format!("SELECT 1 FROM {only}{rows} LIMIT 1");
        if !query(client, &kept, parameters).await?.is_empty() {
            return Err(kept_rows(table));
        }
    }
    Ok(())
}

/// A trigger or a rule may take a delete for done and leave the rows.
fn kept_rows(table: &TableName) -> Error {
    let message = format!("a trigger or rule of `{table}` keeps rows from being deleted");
    Error::new(ErrorKind::Unsupported, message)
        .with_hint("disable it for the load, or let it return the old row")
}

/// Another hint where it is rows of other tables that are in the way.
fn referred_to_at_once(error: Error, table: &TableName) -> Error {
    if !matches!(error.fact("sqlstate"), Some("23503" | "23001")) {
        return error;
    }
    let constraint = error.fact("constraint").unwrap_or_default().to_owned();
    error.with_hint(format!(
        "other rows refer to rows of `{table}` that are to go: make the foreign key \
         `{constraint}` NO ACTION DEFERRABLE, so that it is checked once the new rows are in"
    ))
}

/// The same at the commit, when the new rows are in.
pub(crate) fn referred_to_still(error: Error, table: &TableName) -> Error {
    let is_of_another = error.fact("table").is_some_and(|other| other != table.name);
    if error.fact("sqlstate") != Some("23503") || !is_of_another {
        return error;
    }
    error.with_hint(format!(
        "other rows refer to rows that were in `{table}` and that the files do not have: add them \
         to the files, or delete what refers to them"
    ))
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
