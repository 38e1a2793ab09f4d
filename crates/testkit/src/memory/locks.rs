//! What loads hold until they end: their table, and the ledger's rows of
//! their files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use decant_core::file::FileId;
use decant_core::schema::TableName;
use tokio::sync::Notify;

/// How a table is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Beside others who share it.
    Shared,
    /// By nobody else.
    Alone,
}

/// All locks of a database. Clones are handles.
#[derive(Clone, Default)]
pub(super) struct Locks(Arc<Inner>);

#[derive(Default)]
struct Inner {
    held: Mutex<Held>,
    released: Notify,
}

#[derive(Default)]
struct Held {
    tables: BTreeMap<TableName, Holders>,
    claims: BTreeSet<(String, FileId)>,
}

#[derive(Default)]
struct Holders {
    sharing: usize,
    alone: bool,
}

/// A held lock; dropping it releases it.
pub(super) struct Lock {
    locks: Locks,
    what: What,
}

enum What {
    Table(TableName, Access),
    Claim(String, FileId),
}

impl Locks {
    /// Waits for a table.
    pub(super) async fn table(&self, table: &TableName, access: Access) -> Lock {
        self.take(What::Table(table.clone(), access)).await
    }

    /// Waits for the row of a file in a ledger.
    pub(super) async fn claim(&self, ledger: &str, file: FileId) -> Lock {
        self.take(What::Claim(ledger.to_owned(), file)).await
    }

    async fn take(&self, what: What) -> Lock {
        loop {
            // Enabled before the look, so that no release falls in between.
            let mut released = std::pin::pin!(self.0.released.notified());
            released.as_mut().enable();
            if self.held().try_take(&what) {
                return Lock { locks: self.clone(), what };
            }
            released.await;
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn try_take(&mut self, what: &What) -> bool {
        match what {
            What::Claim(ledger, file) => self.claims.insert((ledger.clone(), *file)),
            What::Table(table, access) => {
                self.tables.entry(table.clone()).or_default().try_take(*access)
            }
        }
    }

    fn release(&mut self, what: &What) {
        match what {
            What::Claim(ledger, file) => {
                self.claims.remove(&(ledger.clone(), *file));
            }
            What::Table(table, access) => {
                self.tables.entry(table.clone()).or_default().release(*access);
            }
        }
    }
}

impl Holders {
    fn try_take(&mut self, access: Access) -> bool {
        let free = !self.alone && (access == Access::Shared || self.sharing == 0);
        match access {
            _ if !free => {}
            Access::Shared => self.sharing += 1,
            Access::Alone => self.alone = true,
        }
        free
    }

    fn release(&mut self, access: Access) {
        match access {
            Access::Shared => self.sharing -= 1,
            Access::Alone => self.alone = false,
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.locks.held().release(&self.what);
        self.locks.0.released.notify_waiters();
    }
}
