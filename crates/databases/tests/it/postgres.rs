//! Postgres: the conformance suite, and what only Postgres can get wrong.
//!
//! Rows are read back through the server's text protocol, never through the
//! crate under test.

mod commits;
mod connecting;
mod loads;
mod lookup;
mod refusals;
mod replaces;
mod values;
mod widening;

use std::sync::Arc;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use decant_core::destination::{
    Begun, Destination, Load, LoadFile, LoadPlan, Outcome, TableChange, TableState,
};
use decant_core::error::{Error, Result};
use decant_core::schema::{ColumnType, FILE_ID_COLUMN, TableName};
use decant_databases::DatabaseOptions;
use decant_testkit::batches::{self, file_id_column, load_file, plan, totals};
use decant_testkit::conformance::destination::{
    Fixture, NamedRow, Tampering, quoted, quoted_table,
};
use decant_testkit::postgres::{PostgresServer, TestDatabase};

struct Postgres {
    database: TestDatabase,
}

impl Postgres {
    fn new() -> Self {
        Self { database: PostgresServer::shared().database() }
    }

    async fn named_rows(&self, table: &str) -> Vec<NamedRow> {
        let columns = self
            .database
            .query(&format!(
                "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('{table}') \
                 AND attnum > 0 ORDER BY attnum"
            ))
            .await;
        if columns.is_empty() {
            return Vec::new();
        }
        let names: Vec<String> = columns.into_iter().flatten().flatten().collect();
        let rows = self.database.query(&format!("TABLE {table}")).await;
        rows.into_iter().map(|row| names.iter().cloned().zip(row).collect()).collect()
    }
}

#[async_trait]
impl Fixture for Postgres {
    async fn destination(&self) -> Arc<dyn Destination> {
        open(&self.database.url).await.unwrap()
    }

    async fn destination_with_ledger(&self, ledger: &str) -> Arc<dyn Destination> {
        let options = DatabaseOptions { ledger: ledger.into(), ..DatabaseOptions::default() };
        decant_databases::open(&self.database.url, &options).await.unwrap()
    }

    async fn rows(&self, table: &TableName, columns: &[&str]) -> Vec<Vec<Option<String>>> {
        let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        let statement = format!("SELECT {} FROM {}", columns.join(", "), quoted_table(table));
        self.database.query(&statement).await
    }

    async fn ledger_rows(&self) -> Vec<NamedRow> {
        self.named_rows("processed_files").await
    }

    async fn reject_rows(&self) -> Vec<NamedRow> {
        self.named_rows("rejected_rows").await
    }

    async fn tamper(&self, tampering: &Tampering) {
        self.database.query(&tampering.sql()).await;
    }
}

mod conformance {
    use super::Postgres;

    decant_testkit::destination_conformance!(Postgres::new());
}

async fn open(url: &str) -> Result<Arc<dyn Destination>> {
    decant_databases::open(url, &DatabaseOptions::default()).await
}

async fn describe(destination: &Arc<dyn Destination>, table: &str) -> TableState {
    destination.describe(&TableName::parse(table)).await.unwrap()
}

/// A table that decant creates, with these columns and `_file_id`.
async fn create(
    destination: &Arc<dyn Destination>,
    table: &str,
    columns: &[(&str, ColumnType)],
) -> TableState {
    let mut columns = batches::columns(columns);
    columns.push(file_id_column());
    let change = TableChange::Create { table: TableName::parse(table), columns };
    destination.apply(&change, false).await.unwrap();
    describe(destination, table).await
}

async fn begin(destination: &Arc<dyn Destination>, plan: LoadPlan) -> Result<Box<dyn Load>> {
    match destination.begin(plan).await? {
        Begun::Ready { load, .. } => Ok(load),
        Begun::SchemaChanged => panic!("the table did not change"),
    }
}

/// Writes the batches as the rows of one file and commits; the first error
/// that anything answers.
async fn load_plan(
    destination: &Arc<dyn Destination>,
    table: &TableState,
    plan: LoadPlan,
    batches: Vec<RecordBatch>,
) -> Result<()> {
    let file = plan.files[0].id;
    let mut load = begin(destination, plan).await?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let mut writer = load.writer().await?;
    for batch in batches {
        let schema = table.schema.as_ref().unwrap();
        let columns: Vec<usize> = batch
            .schema()
            .fields()
            .iter()
            .map(|field| schema.position(field.name()).unwrap())
            .collect();
        writer.start_file(file, &columns).await?;
        writer.write(batch).await?;
    }
    let part = writer.finish().await?;
    outcome(load.commit(vec![part], vec![totals(file, rows as u64)]).await?)
}

fn outcome(outcomes: Vec<Outcome>) -> Result<()> {
    match outcomes.into_iter().next() {
        Some(Outcome::Committed) => Ok(()),
        Some(Outcome::Failed(error)) => Err(error),
        other => panic!("{other:?}"),
    }
}

/// The same for a file of this key.
async fn load(
    destination: &Arc<dyn Destination>,
    table: &TableState,
    key: &str,
    batches: Vec<RecordBatch>,
) -> Result<()> {
    let files = vec![file(table, key)];
    load_plan(destination, table, plan(table, files), batches).await
}

fn file(table: &TableState, key: &str) -> LoadFile {
    load_file(&table.name, batches::file(key))
}

/// Rows of one bigint column and the file's id.
fn numbers(file: &LoadFile, column: &str, values: std::ops::Range<i64>) -> RecordBatch {
    let values: Vec<String> = values.map(|value| value.to_string()).collect();
    let id = file.id.to_string();
    let rows: Vec<[Option<&str>; 2]> =
        values.iter().map(|value| [Some(value.as_str()), Some(id.as_str())]).collect();
    let rows: Vec<&[Option<&str>]> = rows.iter().map(|row| &row[..]).collect();
    batches::batch(&[(column, ColumnType::Int64), (FILE_ID_COLUMN, ColumnType::Int64)], &rows)
}

/// A column of text, whatever type the table's column has.
fn texts(column: &str, values: &[&str]) -> RecordBatch {
    let rows: Vec<[Option<&str>; 1]> = values.iter().map(|value| [Some(*value)]).collect();
    let rows: Vec<&[Option<&str>]> = rows.iter().map(|row| &row[..]).collect();
    batches::batch(&[(column, ColumnType::Text)], &rows)
}

/// Fails when an error, in any of its forms, gives the password away.
fn assert_no_secret(error: &Error, secret: &str) {
    for text in [format!("{error:?}"), error.to_string(), error.chain()] {
        assert!(!text.contains(secret), "{text}");
    }
}
