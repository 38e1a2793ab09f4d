//! A write transaction: what is not committed is rolled back, whatever
//! happens to whoever holds it.

use std::time::Duration;

use decant_core::error::Result;
use rusqlite::{Connection, ErrorCode, Row};

use super::connect::Held;
use super::error::explain;

/// Settings that only change between transactions, for one that drops a table
/// and gives its name to another: what refers to it goes on referring to its
/// name.
const REBUILDING: &str = "PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON";
const USUAL: &str = "PRAGMA legacy_alter_table = OFF; PRAGMA foreign_keys = ON";

/// An open write transaction. Dropping it rolls it back.
pub(crate) struct Transaction {
    held: Held,
    purpose: Purpose,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Rows,
    Rebuild,
}

impl Transaction {
    /// Takes the database's write lock, waiting for whoever holds it.
    /// Foreign keys are checked at the commit.
    pub(crate) fn begin(held: Held) -> Result<Self> {
        let transaction = Self { held, purpose: Purpose::Rows };
        begin_immediate(&transaction.held)?;
        transaction.held.pragma_update(None, "defer_foreign_keys", true).map_err(explain)?;
        Ok(transaction)
    }

    /// The same for rebuilding a table. Foreign keys are not checked at all:
    /// whoever rebuilds does it.
    pub(crate) fn begin_rebuild(held: Held) -> Result<Self> {
        let transaction = Self { held, purpose: Purpose::Rebuild };
        transaction.held.execute_batch(REBUILDING).map_err(explain)?;
        begin_immediate(&transaction.held)?;
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

/// Takes the write lock, and tells when somebody else has it.
fn begin_immediate(connection: &Connection) -> Result<()> {
    const BEGIN: &str = "BEGIN IMMEDIATE";
    let in_milliseconds = |row: &Row<'_>| row.get::<_, u32>(0);
    let patience = connection.pragma_query_value(None, "busy_timeout", in_milliseconds);
    let patience = Duration::from_millis(patience.map_err(explain)?.into());
    connection.busy_timeout(Duration::ZERO).map_err(explain)?;
    let begun = connection.execute_batch(BEGIN);
    connection.busy_timeout(patience).map_err(explain)?;
    let begun = match begun {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
            tracing::info!("waiting for whoever writes to the SQLite database");
            connection.execute_batch(BEGIN)
        }
        begun => begun,
    };
    begun.map_err(explain)
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let rolled_back = match self.held.is_autocommit() {
            true => Ok(()),
            false => self.held.execute_batch("ROLLBACK"),
        };
        let restored = match self.purpose {
            Purpose::Rows => Ok(()),
            Purpose::Rebuild => self.held.execute_batch(USUAL),
        };
        if let Err(error) = rolled_back.and(restored) {
            tracing::error!(%error, "SQLite could not roll back");
        }
    }
}
