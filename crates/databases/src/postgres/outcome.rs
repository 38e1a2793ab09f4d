//! What became of a transaction whose COMMIT was never answered.
//!
//! The ledger decides: it has the load's id, or it has not. While the server
//! still works on the transaction (or has not noticed that the client is
//! gone) the answer is worth nothing, so the transaction's own state is asked
//! first. Waiting is bounded; nothing is tried again here.

use std::sync::Arc;
use std::time::Duration;

use decant_core::error::Result;
use tokio_postgres::types::Type;

use super::describe::get;
use super::ledger::query;
use super::pool::{Lease, Pool};
use super::type_table::POSTGRES;
use crate::sql::ledger::LedgerSql;

/// Pauses between questions: about half a minute in all.
const PAUSES: [Duration; 8] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(10),
];

/// A transaction whose end is not known.
pub(crate) struct Transaction {
    /// As `txid_current` had it.
    pub(crate) id: i64,
    /// As the ledger's rows have it.
    pub(crate) load_id: String,
    /// The files whose ledger rows it wrote.
    pub(crate) files: Vec<i64>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Committed,
    RolledBack,
    /// The database could not be asked, or is still at it.
    Unknown,
}

impl Transaction {
    /// Asks until the answer is final, for a bounded time.
    pub(crate) async fn fate(&self, pool: &Arc<Pool>, sql: &LedgerSql) -> Fate {
        for pause in PAUSES {
            match self.ask(pool, sql).await {
                Ok(Fate::Unknown) | Err(_) => tokio::time::sleep(pause).await,
                Ok(fate) => return fate,
            }
        }
        Fate::Unknown
    }

    async fn ask(&self, pool: &Arc<Pool>, sql: &LedgerSql) -> Result<Fate> {
        let lease = pool.for_statements().await?;
        let state = self.state(&lease).await?;
        let fate = match state.as_deref() {
            Some("in progress") => Fate::Unknown,
            _ if self.files.is_empty() => match state.as_deref() {
                Some("committed") => Fate::Committed,
                _ => Fate::RolledBack,
            },
            _ if self.is_in_ledger(&lease, sql).await? => Fate::Committed,
            _ => Fate::RolledBack,
        };
        lease.give_back();
        Ok(fate)
    }

    /// `committed`, `aborted`, `in progress`, or nothing for what the server
    /// no longer (or, after a failover, never) knew.
    async fn state(&self, lease: &Lease) -> Result<Option<String>> {
        let answer = query(lease, "SELECT txid_status($1)", &[(&self.id, Type::INT8)]).await;
        match answer {
            Ok(rows) => rows.first().map_or(Ok(None), |row| get(row, 0)),
            Err(error) if error.fact("sqlstate").is_some_and(|state| state.starts_with("22")) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn is_in_ledger(&self, lease: &Lease, sql: &LedgerSql) -> Result<bool> {
        let statement = format!(
            "SELECT 1 FROM {} WHERE id = ANY($1) AND load_id = $2 AND status = 'loaded' LIMIT 1",
            POSTGRES.quote_table(&sql.table())
        );
        let rows = query(
            lease,
            &statement,
            &[(&self.files, Type::INT8_ARRAY), (&self.load_id, Type::TEXT)],
        )
        .await?;
        Ok(!rows.is_empty())
    }
}
