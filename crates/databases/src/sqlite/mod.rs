//! SQLite: a database in a file, or in memory.
//!
//! `connect` opens it, `describe` reads the catalogue, `ddl` changes it,
//! `load` and `write` carry rows in, `ledger` keeps what was loaded. One load
//! at a time writes; the database's own write lock is what makes two
//! processes agree. SQLite's calls block, so each runs on a thread where it
//! may.

mod bind;
mod chunk;
mod connect;
mod convert;
mod create_table;
mod ddl;
mod describe;
mod error;
mod feed;
mod late;
mod ledger;
mod load;
mod rejects;
mod remove;
mod render;
mod replay;
mod show;
mod silent;
mod tolerate;
mod transaction;
mod type_table;
mod url;
mod widen;
mod write;

pub use self::show::{Shown, show};
use std::sync::Arc;

use async_trait::async_trait;
use decant_core::destination::{
    Begun, Capabilities, DecimalSupport, Destination, LoadPlan, TableChange, TableState,
};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::ledger::Ledger;
use decant_core::schema::TableName;

use self::connect::{Connections, blocking};
use self::ledger::SqliteLedger;
use self::transaction::Transaction;
use self::type_table::SQLITE;
use self::url::Location;
use crate::DatabaseOptions;
use crate::sql::ledger::{DEFAULT_LEDGER, LedgerSql, own_table};

/// Opens a SQLite database: `sqlite:path.db`, `sqlite:///relative.db`,
/// `sqlite:////absolute/path.db` or `sqlite::memory:`. A file that does not
/// exist is created by the first write.
///
/// Errors: `InvalidConfig` for a URL that is none, a ledger's name that
/// cannot be, or a file that is no database; `NotFound` when its folder is
/// missing; `AccessDenied` and `Unavailable` as the file system has it.
pub async fn open(url: &str, options: &DatabaseOptions) -> Result<Arc<dyn Destination>> {
    let location = Location::parse(url)?;
    let sql = Arc::new(ledger_sql(&options.ledger)?);
    let connections = Arc::new(Connections::open(location, options.lock_timeout).await?);
    Ok(Arc::new(Sqlite { connections, sql }))
}

static CAPABILITIES: Capabilities = Capabilities {
    name: "sqlite",
    transactional_ddl: true,
    remove_by_file: true,
    concurrent_loads: 1,
    identifier_bytes_max: SQLITE.identifier_bytes_max,
    decimal: DecimalSupport::None,
    schemas: false,
};

struct Sqlite {
    connections: Arc<Connections>,
    sql: Arc<LedgerSql>,
}

#[async_trait]
impl Destination for Sqlite {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    async fn describe(&self, table: &TableName) -> Result<TableState> {
        let qualified = describe::qualify(table);
        if self.sql.is_own(&qualified.name) {
            return Err(own_table(&qualified));
        }
        let (sql, wanted) = (Arc::clone(&self.sql), table.clone());
        let work = move |connection: &_| describe::describe(connection, &sql, &wanted);
        Ok(self.connections.read(work).await?.unwrap_or_else(|| describe::absent(table)))
    }

    async fn apply(&self, change: &TableChange, only_print: bool) -> Result<Vec<String>> {
        if only_print {
            return self.print(change).await;
        }
        let held = self.connections.writer().await?;
        let (sql, change) = (Arc::clone(&self.sql), change.clone());
        blocking(move || ddl::apply(held, &sql, &change)).await
    }

    async fn count_rows(&self, table: &TableName) -> Result<u64> {
        let wanted = table.clone();
        let work = move |connection: &_| describe::count_rows(connection, &wanted);
        Ok(self.connections.read(work).await?.unwrap_or(0))
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(SqliteLedger::new(Arc::clone(&self.connections), Arc::clone(&self.sql)))
    }

    async fn check_write(&self) -> Result<()> {
        if self.connections.is_absent() {
            let connections = Arc::clone(&self.connections);
            return blocking(move || connections.check_folder()).await;
        }
        let held = self.connections.writer().await?;
        blocking(move || ddl::check_write(&Transaction::begin(held)?)).await
    }

    async fn begin(&self, mut plan: LoadPlan) -> Result<Begun> {
        plan.table = describe::qualify(&plan.table);
        let held = self.connections.writer().await?;
        let sql = Arc::clone(&self.sql);
        blocking(move || load::begin(held, sql, plan)).await
    }
}

impl Sqlite {
    async fn print(&self, change: &TableChange) -> Result<Vec<String>> {
        let wanted = change.clone();
        let work = move |connection: &_| ddl::statements(Some(connection), &wanted);
        match self.connections.read(work).await? {
            Some(statements) => Ok(statements),
            None => ddl::statements(None, change),
        }
    }
}

fn ledger_sql(name: &str) -> Result<LedgerSql> {
    if TableName::parse(name).schema.is_some() {
        let message = format!("the ledger `{name}` names a schema, SQLite has none");
        return Err(Error::new(ErrorKind::InvalidConfig, message)
            .with_hint("choose a name without a dot with --ledger"));
    }
    // Names are compared without case here, so this is the default's table.
    let is_default = name.eq_ignore_ascii_case(DEFAULT_LEDGER);
    LedgerSql::new(&SQLITE, if is_default { DEFAULT_LEDGER } else { name })
}
