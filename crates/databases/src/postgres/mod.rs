//! Postgres: rows by `COPY` in binary, straight into the transaction that
//! commits them with their ledger rows.
//!
//! A load is one connection and one transaction. Nothing is staged and
//! nothing is retried here; what the database answers is turned into an error
//! whose kind says what to do. A connection that is not known to be outside
//! of a transaction is closed, never used again.

mod arrays;
mod chunk;
mod claim;
mod connect;
mod copy;
mod ddl;
mod describe;
mod encode;
mod error;
mod held;
mod ledger;
mod load;
mod lock;
mod lookup;
mod numeric;
mod outcome;
mod output;
mod password_file;
mod pool;
mod rejects;
mod remove;
mod replay;
mod tls;
mod tolerate;
mod tuples;
mod type_table;
mod url;
mod widen;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use decant_core::destination::{
    Begun, Capabilities, DecimalSupport, Destination, LoadPlan, TableChange, TableState,
};
use decant_core::error::Result;
use decant_core::ledger::Ledger;
use decant_core::schema::TableName;

use crate::DatabaseOptions;
use crate::sql::ledger::LedgerSql;
use connect::SessionSettings;
use ledger::LedgerTables;
use pool::Pool;
use type_table::POSTGRES;
use url::Address;

/// Opens a Postgres database: connects once, so that what is wrong with the
/// URL, the password or the certificates is said at once.
///
/// The URL is libpq's (`postgresql://user@host:port/database?sslmode=...`);
/// what it leaves open comes from the environment (`PGHOST`, `PGPASSWORD`,
/// ...) and from `~/.pgpass`. Unlike libpq, hosts that are not on this machine
/// are verified (`sslmode=verify-full`) unless the URL says otherwise.
pub async fn open(url: &str, options: &DatabaseOptions) -> Result<Arc<dyn Destination>> {
    let address = Address::parse(url, &|name| std::env::var(name).ok())?;
    let settings = SessionSettings { lock_timeout: options.lock_timeout };
    let connections = options.connections.max(1);
    let pool = Pool::new(address, settings, connections);
    pool.for_statements().await?.give_back();
    let sql = LedgerSql::new(&POSTGRES, &options.ledger)?;
    let ledger = Arc::new(LedgerTables::new(sql, Arc::clone(&pool)));
    Ok(Arc::new(Postgres { capabilities: capabilities(connections), pool, ledger }))
}

fn capabilities(connections: usize) -> Capabilities {
    Capabilities {
        name: "postgresql",
        transactional_ddl: true,
        remove_by_file: true,
        concurrent_loads: connections,
        identifier_bytes_max: POSTGRES.identifier_bytes_max,
        decimal: DecimalSupport::Unbounded,
        schemas: true,
    }
}

struct Postgres {
    capabilities: Capabilities,
    pool: Arc<Pool>,
    ledger: Arc<LedgerTables>,
}

#[async_trait]
impl Destination for Postgres {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn describe(&self, table: &TableName) -> Result<TableState> {
        let lease = self.pool.for_statements().await?;
        let described = lookup::find(&lease, table).await?;
        self.ledger.refuse_own(&lease, &described.name).await?;
        described.check_policies()?;
        let schema = described.schema();
        let created_by_decant =
            schema.is_some() && self.ledger.created(&lease, &described.name).await?;
        lease.give_back();
        Ok(TableState { name: described.name, schema, created_by_decant })
    }

    async fn apply(&self, change: &TableChange, only_print: bool) -> Result<Vec<String>> {
        if only_print {
            let lease = self.pool.for_statements().await?;
            let statements = ddl::statements(&lease, change).await?;
            lease.give_back();
            return Ok(statements);
        }
        self.ledger.ensure().await?;
        ddl::apply(self.pool.for_statements().await?, &self.ledger, change).await
    }

    async fn count_rows(&self, table: &TableName) -> Result<u64> {
        let lease = self.pool.for_statements().await?;
        let count = describe::count_rows(&lease, table).await?;
        lease.give_back();
        Ok(count)
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::clone(&self.ledger) as Arc<dyn Ledger>
    }

    async fn check_write(&self) -> Result<()> {
        ddl::check_write(self.pool.for_statements().await?, &self.ledger).await
    }

    async fn begin(&self, plan: LoadPlan) -> Result<Begun> {
        load::begin(&self.pool, &self.ledger, plan).await
    }
}
