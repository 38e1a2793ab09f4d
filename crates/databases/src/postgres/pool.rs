//! The connections of a destination.
//!
//! Two budgets: loads, which hold a connection for as long as they are open,
//! and short statements (catalogue, ledger), which must get through while all
//! loads are open. A connection comes back only when it is known to be outside
//! of a transaction; any other is closed.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use decant_core::error::{Error, ErrorKind, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Client;

use super::connect::{Session, SessionSettings, connect};
use super::url::Address;

const STATEMENT_CONNECTIONS: usize = 2;

/// Opens connections and keeps the idle ones.
pub(crate) struct Pool {
    address: Address,
    settings: SessionSettings,
    idle: Mutex<Vec<Arc<Session>>>,
    loads: Arc<Semaphore>,
    statements: Arc<Semaphore>,
}

impl Pool {
    pub(crate) fn new(address: Address, settings: SessionSettings, loads: usize) -> Arc<Self> {
        Arc::new(Self {
            address,
            settings,
            idle: Mutex::new(Vec::new()),
            loads: Arc::new(Semaphore::new(loads)),
            statements: Arc::new(Semaphore::new(STATEMENT_CONNECTIONS)),
        })
    }

    /// A connection for a load; waits while all of them are in use.
    pub(crate) async fn for_load(self: &Arc<Self>) -> Result<Lease> {
        self.lease(&self.loads).await
    }

    /// A connection for short statements.
    pub(crate) async fn for_statements(self: &Arc<Self>) -> Result<Lease> {
        self.lease(&self.statements).await
    }

    async fn lease(self: &Arc<Self>, budget: &Arc<Semaphore>) -> Result<Lease> {
        let permit = Arc::clone(budget).acquire_owned().await.map_err(|error| {
            Error::new(ErrorKind::Internal, "the pool of connections is closed").caused_by(error)
        })?;
        let session = match self.take_idle() {
            Some(session) => session,
            None => Arc::new(connect(&self.address, self.settings).await?),
        };
        Ok(Lease { session, clean: false, pool: Arc::clone(self), _permit: permit })
    }

    fn take_idle(&self) -> Option<Arc<Session>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|session| !session.is_closed());
        idle.pop()
    }

    fn put_idle(&self, session: Arc<Session>) {
        if !session.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        }
    }
}

/// A connection on loan. Dropped, it is closed on the spot, and the server
/// rolls back; [`give_back`](Lease::give_back) is for those that are clean.
pub(crate) struct Lease {
    session: Arc<Session>,
    clean: bool,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// Returns a connection that is outside of any transaction.
    pub(crate) fn give_back(mut self) {
        self.clean = true;
    }
}

impl Deref for Lease {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.session.client
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.clean {
            self.pool.put_idle(Arc::clone(&self.session));
        } else {
            self.session.close_now();
        }
    }
}
