//! Additive changes: tables and columns that are created or widened.

use decant_core::destination::TableChange;
use decant_core::error::{Error, Result};
use decant_core::schema::{Column, FILE_ID_COLUMN, TableName};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::describe::{Described, describe};
use super::error::explain;
use super::ledger::LedgerTables;
use super::lock::Lock;
use super::pool::Lease;
use super::type_table::POSTGRES;
use super::widen;
use crate::sql::ledger::meta_table;
use crate::sql::table;

/// Everybody who reads the table queues behind an ALTER that waits: give up
/// after ten seconds, or sooner where the session says so.
const HURRY: &str = "SELECT pg_catalog.set_config('lock_timeout', '10s', true) \
                     FROM pg_catalog.pg_settings WHERE name = 'lock_timeout' \
                     AND setting::int NOT BETWEEN 1 AND 10000";

/// The statements that a change takes, none when there is nothing to do.
/// Changes nothing.
pub(crate) async fn statements(client: &Client, change: &TableChange) -> Result<Vec<String>> {
    let described = describe(client, change.table()).await?;
    match change {
        TableChange::Create { .. } if described.columns.is_some() => Ok(Vec::new()),
        TableChange::Create { columns, .. } => {
            let mut statements = Vec::new();
            if let Some(schema) = missing_schema(client, &described.name).await? {
                statements.push(create_schema(&schema));
            }
            statements.extend(create(&described.name, columns)?);
            Ok(statements)
        }
        TableChange::AddColumns { columns, .. } => columns
            .iter()
            .filter(|column| !has_column(&described, column))
            .map(|column| table::add_column(&POSTGRES, &described.name, column))
            .collect(),
        TableChange::Widen { columns, .. } => widen::statements(&described, columns),
    }
}

/// Carries a change out, in one transaction, under the table's lock.
pub(crate) async fn apply(
    lease: Lease,
    ledger: &LedgerTables,
    change: &TableChange,
) -> Result<Vec<String>> {
    let name = describe(&lease, change.table()).await?.name;
    let lock = Lock::Table(&name).exclusive();
    run(&lease, &format!("BEGIN; {lock}; {HURRY}")).await?;
    if let Some(schema) = missing_schema(&lease, &name).await? {
        run(&lease, &Lock::Schema(&schema).exclusive()).await?;
    }
    let statements = statements(&lease, change).await?;
    if let (TableChange::Widen { columns, .. }, false) = (change, statements.is_empty()) {
        run(&lease, widen::RENDERING).await?;
        widen::check(&lease, &describe(&lease, change.table()).await?, columns).await?;
    }
    for statement in &statements {
        run(&lease, statement).await.map_err(|error| with_statement(change, error, statement))?;
    }
    if matches!(change, TableChange::Create { .. }) && !statements.is_empty() {
        let (fact, value) = (meta_table(&name), "created");
        lease
            .query_typed(&ledger.sql.write_meta(), &[(&fact, Type::TEXT), (&value, Type::TEXT)])
            .await
            .map_err(|error| explain(&error))?;
    }
    run(&lease, "COMMIT").await?;
    lease.give_back();
    Ok(statements)
}

fn with_statement(change: &TableChange, error: Error, statement: &str) -> Error {
    match (change, error.hint()) {
        (TableChange::Widen { .. }, _) => widen::blocked(error, statement),
        (_, Some(hint)) => {
            let hint = format!("{hint}; the statement was: {statement}");
            error.with_hint(hint)
        }
        (_, None) => error.with_hint(format!("run it by hand: {statement}")),
    }
}

/// Tries what a load needs, the ledger included, and takes all of it back.
pub(crate) async fn check_write(lease: Lease, ledger: &LedgerTables) -> Result<()> {
    run(&lease, &format!("BEGIN; {}", Lock::Ledger.exclusive())).await?;
    ledger.complete(&lease).await?;
    run(
        &lease,
        "DO $$ BEGIN \
         EXECUTE format('CREATE TABLE %I (n bigint)', 'decant_check_' || txid_current()); \
         EXECUTE format('INSERT INTO %I VALUES (1)', 'decant_check_' || txid_current()); \
         END $$; ROLLBACK",
    )
    .await?;
    lease.give_back();
    Ok(())
}

/// The schema of `table`, when it does not exist.
pub(crate) async fn missing_schema(client: &Client, table: &TableName) -> Result<Option<String>> {
    let Some(schema) = &table.schema else { return Ok(None) };
    let found = client
        .query_typed(
            "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1",
            &[(schema, Type::TEXT)],
        )
        .await
        .map_err(|error| explain(&error))?;
    Ok(found.is_empty().then(|| schema.clone()))
}

/// Creates a database schema.
pub(crate) fn create_schema(schema: &str) -> String {
    format!("CREATE SCHEMA IF NOT EXISTS {}", POSTGRES.quote(schema))
}

fn create(name: &TableName, columns: &[Column]) -> Result<Vec<String>> {
    let mut statements = vec![table::create(&POSTGRES, name, columns)?];
    if columns.iter().any(|column| column.name == FILE_ID_COLUMN) {
        statements.push(format!(
            "CREATE INDEX ON {} ({})",
            POSTGRES.quote_table(name),
            POSTGRES.quote(FILE_ID_COLUMN)
        ));
    }
    Ok(statements)
}

fn has_column(described: &Described, column: &Column) -> bool {
    described.columns.iter().flatten().any(|known| known.name == column.name)
}

async fn run(client: &Client, statements: &str) -> Result<()> {
    client.batch_execute(statements).await.map_err(|error| explain(&error))
}
