//! A destination in memory that keeps its contract to the letter.
//!
//! What the engine's tests load into, and the proof that the conformance
//! suite can be passed. It keeps everything for ever and writes nothing
//! anywhere.
//!
//! Loads gather their batches and change the tables only at commit, under one
//! lock, so that nothing of an open load can be seen. What a database locks is
//! locked here too: a load shares its table with other loads, a replace and a
//! change of the table have it alone; a load holds its files and those that
//! it displaces until it ends.

mod chunk;
mod ledger;
mod load;
mod locks;
mod table;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use decant_core::destination::{
    Begun, Capabilities, DecimalSupport, Destination, LoadMode, LoadPlan, TableChange, TableState,
};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::ledger::{Ledger, LedgerEntry};
use decant_core::reject::Reject;
use decant_core::schema::{Column, TableName};

use ledger::{Book, MemoryLedger};
use locks::{Access, Locks};
use table::Table;

/// The name of the ledger when none is given.
pub const DEFAULT_LEDGER: &str = "processed_files";

/// The schema of tables that were named without one.
const DEFAULT_SCHEMA: &str = "main";

const CAPABILITIES: Capabilities = Capabilities {
    name: "memory",
    transactional_ddl: true,
    remove_by_file: true,
    concurrent_loads: 8,
    identifier_bytes_max: 63,
    decimal: DecimalSupport::Unbounded,
    schemas: true,
};

/// The database: tables and ledgers. Clones are handles onto the same one.
#[derive(Clone, Default)]
pub struct MemoryDatabase {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    locks: Locks,
    contents: Mutex<Contents>,
}

#[derive(Default)]
struct Contents {
    tables: BTreeMap<TableName, Table>,
    books: BTreeMap<String, Book>,
}

impl MemoryDatabase {
    /// An empty database.
    pub fn new() -> Self {
        Self::default()
    }

    /// A destination with the ledger `processed_files`.
    pub fn destination(&self) -> Arc<dyn Destination> {
        self.destination_with_ledger(DEFAULT_LEDGER)
    }

    /// A destination with a ledger of this name.
    pub fn destination_with_ledger(&self, ledger: &str) -> Arc<dyn Destination> {
        Arc::new(MemoryDestination { database: self.clone(), ledger: ledger.to_owned() })
    }

    /// Creates a table that decant did not, with a default in canonical text
    /// for each column that has one. Loads without `_file_id` cannot be told
    /// apart in it.
    pub fn create_table(&self, table: &TableName, columns: &[(Column, Option<&str>)]) {
        let created = Table::of_others(columns);
        self.contents().tables.insert(qualified(table), created);
    }

    /// Drops a column without asking anybody.
    pub fn drop_column(&self, table: &TableName, column: &str) {
        self.with_table(table, |table| table.drop_column(column));
    }

    /// The rows of a table, in the order in which they were loaded, as
    /// canonical text (see [`batches`](crate::batches)). Panics where table
    /// or column are not there.
    pub fn rows(&self, table: &TableName, columns: &[&str]) -> Vec<Vec<Option<String>>> {
        self.with_table(table, |table| table.rows(columns))
    }

    /// The rows of a ledger, by id; none when it does not exist.
    pub fn ledger_entries(&self, ledger: &str) -> Vec<LedgerEntry> {
        let contents = self.contents();
        let book = contents.books.get(ledger);
        book.into_iter().flat_map(|book| book.entries.values().cloned()).collect()
    }

    /// All rejects of a ledger, with the ids of their files.
    pub fn ledger_rejects(&self, ledger: &str) -> Vec<(i64, Reject)> {
        let contents = self.contents();
        let book = contents.books.get(ledger);
        let stored = book.map(Book::stored_rejects).unwrap_or_default();
        stored.into_iter().map(|stored| (stored.file.id.0, stored.reject)).collect()
    }

    fn with_table<T>(&self, name: &TableName, act: impl FnOnce(&mut Table) -> T) -> T {
        let mut contents = self.contents();
        let name = qualified(name);
        act(contents.tables.get_mut(&name).unwrap_or_else(|| panic!("there is no table {name}")))
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.shared.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn qualified(table: &TableName) -> TableName {
    let schema = table.schema.clone().unwrap_or_else(|| DEFAULT_SCHEMA.to_owned());
    TableName { schema: Some(schema), name: table.name.clone() }
}

struct MemoryDestination {
    database: MemoryDatabase,
    ledger: String,
}

#[async_trait]
impl Destination for MemoryDestination {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    async fn check_write(&self) -> Result<()> {
        Ok(())
    }

    async fn describe(&self, table: &TableName) -> Result<TableState> {
        let name = qualified(table);
        if name == qualified(&TableName { schema: None, name: self.ledger.clone() }) {
            let message = format!("`{name}` is the ledger");
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        let contents = self.database.contents();
        let found = contents.tables.get(&name);
        Ok(TableState {
            schema: found.map(Table::schema),
            created_by_decant: found.is_some_and(|table| table.created_by_decant),
            name,
        })
    }

    async fn apply(&self, change: &TableChange, only_print: bool) -> Result<Vec<String>> {
        let table = qualified(change.table());
        if !only_print {
            let _lock = self.database.shared.locks.table(&table, Access::Alone).await;
            self.database.contents().apply(&table, change)?;
        }
        Ok(vec![statement(&table, change)])
    }

    async fn count_rows(&self, table: &TableName) -> Result<u64> {
        let contents = self.database.contents();
        let table = contents.tables.get(&qualified(table));
        Ok(table.map_or(0, |table| table.rows(&[]).len() as u64))
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(MemoryLedger { database: self.database.clone(), name: self.ledger.clone() })
    }

    async fn begin(&self, plan: LoadPlan) -> Result<Begun> {
        let access = match plan.mode {
            LoadMode::Append | LoadMode::Replay => Access::Shared,
            LoadMode::Replace => Access::Alone,
        };
        let lock = self.database.shared.locks.table(&plan.table, access).await;
        if self.database.contents().schema_of(&plan.table) != Some(plan.schema.clone()) {
            return Ok(Begun::SchemaChanged);
        }
        load::begin(&self.database, &self.ledger, plan, lock).await
    }
}

fn statement(table: &TableName, change: &TableChange) -> String {
    let (verb, names): (&str, Vec<&str>) = match change {
        TableChange::Create { columns, .. } => {
            ("CREATE TABLE", columns.iter().map(|column| column.name.as_str()).collect())
        }
        TableChange::AddColumns { columns, .. } => {
            ("ALTER TABLE", columns.iter().map(|column| column.name.as_str()).collect())
        }
        TableChange::Widen { columns, .. } => {
            ("ALTER TABLE", columns.iter().map(|(name, _)| name.as_str()).collect())
        }
    };
    format!("{verb} {table} ({})", names.join(", "))
}

#[cfg(test)]
mod tests;
