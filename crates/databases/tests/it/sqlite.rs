//! SQLite, read back through a client of its own.

mod catalogue;
mod locks;
mod refusals;
mod removal;
mod values;
mod widening;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use decant_core::Destination;
use decant_core::destination::{
    Begun, Load, LoadFile, LoadPlan, Outcome, Part, TableChange, TableState,
};
use decant_core::error::{Error, Result};
use decant_core::schema::{ColumnType, TableName};
use decant_databases::{DatabaseOptions, open};
use decant_testkit::batches::{batch, columns, file, file_id_column, load_file, plan, totals};
use decant_testkit::conformance::destination::{
    Fixture, NamedRow, Tampering, quoted, quoted_table,
};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tempfile::TempDir;

/// A database in a folder of its own.
struct Sqlite {
    folder: TempDir,
}

impl Sqlite {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("orders.db")
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    fn client(&self) -> Connection {
        let client = Connection::open(self.path()).unwrap();
        client.busy_timeout(Duration::from_secs(60)).unwrap();
        client
    }

    async fn patient(&self, lock_timeout: Duration) -> Arc<dyn Destination> {
        let options = DatabaseOptions { lock_timeout, ..DatabaseOptions::default() };
        open(&self.url(), &options).await.unwrap()
    }

    /// Rows of a query, each value as text; bytes as hexadecimal digits.
    fn query(&self, query: &str) -> Vec<NamedRow> {
        let client = self.client();
        let mut statement = client.prepare(query).unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let rows = statement.query_map([], |row| {
            let cells = names
                .iter()
                .map(|name| (name.clone(), text_of(row.get_ref(name.as_str()).unwrap())));
            Ok(cells.collect::<BTreeMap<_, _>>())
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// The one value of a query.
    fn value(&self, query: &str) -> Option<String> {
        let mut rows = self.query(query);
        assert_eq!(rows.len(), 1, "{query}");
        rows.pop().unwrap().into_values().next().unwrap()
    }

    fn has_table(&self, name: &str) -> bool {
        let query = "SELECT 1 FROM sqlite_master WHERE name = ?1";
        self.path().exists() && self.client().prepare(query).unwrap().exists([name]).unwrap()
    }

    fn rows_if_there(&self, table: &str) -> Vec<NamedRow> {
        if !self.has_table(table) {
            return Vec::new();
        }
        self.query(&format!("SELECT * FROM {}", quoted(table)))
    }
}

fn text_of(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(integer) => Some(integer.to_string()),
        ValueRef::Real(real) => Some(format!("{real:?}")),
        ValueRef::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
        ValueRef::Blob(bytes) => Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
    }
}

#[async_trait]
impl Fixture for Sqlite {
    async fn destination(&self) -> Arc<dyn Destination> {
        open(&self.url(), &DatabaseOptions::default()).await.unwrap()
    }

    async fn destination_with_ledger(&self, ledger: &str) -> Arc<dyn Destination> {
        let options = DatabaseOptions { ledger: ledger.to_owned(), ..DatabaseOptions::default() };
        open(&self.url(), &options).await.unwrap()
    }

    async fn rows(&self, table: &TableName, columns: &[&str]) -> Vec<Vec<Option<String>>> {
        let list: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        let query = format!("SELECT {} FROM {}", list.join(", "), quoted_table(table));
        let rows = self.query(&query);
        rows.into_iter()
            .map(|mut row| columns.iter().map(|column| row.remove(*column).unwrap()).collect())
            .collect()
    }

    async fn ledger_rows(&self) -> Vec<NamedRow> {
        self.rows_if_there("processed_files")
    }

    async fn reject_rows(&self) -> Vec<NamedRow> {
        self.rows_if_there("rejected_rows")
    }

    async fn tamper(&self, tampering: &Tampering) {
        self.client().execute_batch(&tampering.sql()).unwrap();
    }

    fn described(&self, wanted: ColumnType) -> ColumnType {
        match wanted {
            ColumnType::List(_) => ColumnType::Json,
            other => other,
        }
    }

    fn keeps(&self, column_type: ColumnType, value: &str) -> bool {
        let is_float = matches!(column_type, ColumnType::Float32 | ColumnType::Float64);
        !(is_float && ["NaN", "-0.0"].contains(&value))
    }
}

decant_testkit::destination_conformance!(Sqlite::new());

/// One row of a batch: canonical text by column.
type Cells<'a> = &'a [(&'a str, ColumnType, Option<&'a str>)];

/// Creates a table of these columns and `_file_id`.
async fn create(
    destination: &dyn Destination,
    name: &str,
    wanted: &[(&str, ColumnType)],
) -> TableState {
    let table = TableName { schema: None, name: name.to_owned() };
    let mut columns = columns(wanted);
    columns.push(file_id_column());
    let change = TableChange::Create { table: table.clone(), columns };
    destination.apply(&change, false).await.unwrap();
    destination.describe(&table).await.unwrap()
}

async fn state(destination: &dyn Destination, name: &str) -> TableState {
    let table = TableName { schema: None, name: name.to_owned() };
    destination.describe(&table).await.unwrap()
}

async fn begin(destination: &dyn Destination, plan: LoadPlan) -> Result<Box<dyn Load>> {
    match destination.begin(plan).await? {
        Begun::Ready { load, already_loaded, .. } => {
            assert_eq!(already_loaded, []);
            Ok(load)
        }
        Begun::SchemaChanged => panic!("nobody changed the table"),
    }
}

/// Writes one row of `file`.
async fn write(
    load: &mut dyn Load,
    table: &TableState,
    file: &LoadFile,
    cells: Cells<'_>,
) -> Result<Part> {
    let schema = table.schema.as_ref().unwrap();
    let positions: Vec<usize> =
        cells.iter().map(|(name, ..)| schema.position(name).unwrap()).collect();
    let header: Vec<(&str, ColumnType)> =
        cells.iter().map(|(name, column_type, _)| (*name, *column_type)).collect();
    let row: Vec<Option<&str>> = cells.iter().map(|(.., value)| *value).collect();
    let mut writer = load.writer().await?;
    writer.start_file(file.id, &positions).await?;
    writer.write(batch(&header, &[&row])).await?;
    writer.finish().await
}

/// Loads one row of the file `key`.
async fn load_row(
    destination: &dyn Destination,
    table: &TableState,
    key: &str,
    cells: Cells<'_>,
) -> Result<Vec<Outcome>> {
    let file = load_file(&table.name, file(key));
    let mut load = begin(destination, plan(table, vec![file.clone()])).await?;
    let part = write(load.as_mut(), table, &file, cells).await?;
    load.commit(vec![part], vec![totals(file.id, 1)]).await
}

fn failure<T>(result: Result<T>) -> Error {
    result.err().expect("an error")
}
