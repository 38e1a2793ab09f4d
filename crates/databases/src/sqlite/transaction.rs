//! A write transaction: what is not committed is rolled back, whatever
//! happens to whoever holds it.

use decant_core::error::Result;
use rusqlite::Connection;

use super::connect::Held;
use super::error::explain;

/// An open write transaction. Dropping it rolls it back.
pub(crate) struct Transaction {
    held: Held,
}

impl Transaction {
    /// Takes the database's write lock, waiting for whoever holds it.
    /// Foreign keys are checked at the commit.
    pub(crate) fn begin(held: Held) -> Result<Self> {
        held.execute_batch("BEGIN IMMEDIATE").map_err(explain)?;
        let transaction = Self { held };
        transaction.held.pragma_update(None, "defer_foreign_keys", true).map_err(explain)?;
        Ok(transaction)
    }

    /// The connection that it runs on.
    pub(crate) fn connection(&self) -> &Connection {
        &self.held
    }

    /// Makes everything visible, or nothing.
    pub(crate) fn commit(self) -> Result<()> {
        self.held.execute_batch("COMMIT").map_err(explain)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.held.is_autocommit() {
            return;
        }
        if let Err(error) = self.held.execute_batch("ROLLBACK") {
            tracing::error!(%error, "SQLite could not roll back");
        }
    }
}
