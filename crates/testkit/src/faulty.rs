//! A destination that fails on demand: a decorator over any other.
//!
//! A test scripts [`Fault`]s; each happens once, at the first call that it is
//! for, and what is not scripted goes through. [`Faulty::hold_commit`] stops
//! the next commit until the test lets it go, and [`Faulty::calls`] tells
//! what was asked for, in order.

mod ledger;
mod load;
mod script;

use std::sync::Arc;

use async_trait::async_trait;
use decant_core::destination::{
    Begun, Capabilities, Destination, LoadPlan, TableChange, TableState,
};
use decant_core::error::{ErrorKind, Result};
use decant_core::ledger::{Ledger, Status};
use decant_core::schema::TableName;

use ledger::FaultyLedger;
use load::FaultyLoad;
pub use script::Hold;
use script::Script;

/// Something that goes wrong once, with an error of this kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `describe` fails.
    Describe(ErrorKind),
    /// `apply` fails, and nothing is changed.
    Apply(ErrorKind),
    /// `begin` fails.
    Begin(ErrorKind),
    /// `begin` answers that the table has changed.
    BeginSchemaChanged,
    /// A `write` fails: the next one is the first, whichever load it is of.
    Write {
        /// From 1.
        nth: u64,
        /// The error's kind.
        kind: ErrorKind,
    },
    /// `commit` fails and nothing was committed.
    CommitRefused(ErrorKind),
    /// `commit` fails although everything was committed: the reply is lost.
    CommitReplyLost(ErrorKind),
    /// `commit` answers that each of its files failed; nothing was committed.
    CommitFailed(ErrorKind),
    /// `commit` answers that the table has changed; nothing was committed.
    CommitSchemaChanged,
    /// The ledger does not answer what it knows.
    Known(ErrorKind),
    /// The ledger does not settle.
    Settle(ErrorKind),
}

/// What was asked of the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `describe` of a table.
    Describe(TableName),
    /// `apply`, not only to print.
    Apply(TableChange),
    /// `begin` with files of these keys.
    Begin(Vec<String>),
    /// `commit` of this many files.
    Commit(usize),
    /// `abort`.
    Abort,
    /// `known` of the ledger.
    Known,
    /// `settle` of the file of this key.
    Settle(String, Status),
}

/// The decorator.
pub struct Faulty {
    inner: Arc<dyn Destination>,
    script: Arc<Script>,
}

impl Faulty {
    /// Decorates `inner`, with nothing scripted.
    pub fn new(inner: Arc<dyn Destination>) -> Arc<Self> {
        Arc::new(Self { inner, script: Arc::default() })
    }

    /// Lets `fault` happen once. Of several for one call, the one that was
    /// scripted first happens first.
    pub fn script(&self, fault: Fault) {
        self.script.add(fault);
    }

    /// Lets every commit that has the file of this key answer that all of its
    /// files failed: a row that the database does not take.
    pub fn poison(&self, key: &str, kind: ErrorKind) {
        self.script.poison(key, kind);
    }

    /// Refuses, by the constraint of this name, every row that has this value
    /// (canonical text) in a column: a plain write fails with `RejectedRows`.
    pub fn refuse(&self, value: &str, constraint: &str) {
        self.script.refuse(value, constraint);
    }

    /// Stops the next commit before anything is committed, until the hold is
    /// released or dropped.
    pub fn hold_commit(&self) -> Hold {
        self.script.hold()
    }

    /// What was asked so far.
    pub fn calls(&self) -> Vec<Call> {
        self.script.calls()
    }

    /// Faults that have not happened yet. A test that scripts faults ends
    /// with none.
    pub fn pending(&self) -> Vec<Fault> {
        self.script.pending()
    }
}

#[async_trait]
impl Destination for Faulty {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn check_write(&self) -> Result<()> {
        self.inner.check_write().await
    }

    async fn describe(&self, table: &TableName) -> Result<TableState> {
        self.script.called(Call::Describe(table.clone()));
        self.script.fail_at(|fault| match fault {
            Fault::Describe(kind) => Some(*kind),
            _ => None,
        })?;
        self.inner.describe(table).await
    }

    async fn apply(&self, change: &TableChange, only_print: bool) -> Result<Vec<String>> {
        if !only_print {
            self.script.called(Call::Apply(change.clone()));
        }
        self.script.fail_at(|fault| match fault {
            Fault::Apply(kind) => Some(*kind),
            _ => None,
        })?;
        self.inner.apply(change, only_print).await
    }

    async fn count_rows(&self, table: &TableName) -> Result<u64> {
        self.inner.count_rows(table).await
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(FaultyLedger { inner: self.inner.ledger(), script: Arc::clone(&self.script) })
    }

    async fn begin(&self, plan: LoadPlan) -> Result<Begun> {
        let keys: Vec<String> = plan.files.iter().map(|file| file.file.key.clone()).collect();
        self.script.called(Call::Begin(keys.clone()));
        self.script.fail_at(|fault| match fault {
            Fault::Begin(kind) => Some(*kind),
            _ => None,
        })?;
        if self.script.take(|fault| *fault == Fault::BeginSchemaChanged).is_some() {
            return Ok(Begun::SchemaChanged);
        }
        Ok(match self.inner.begin(plan).await? {
            Begun::Ready { load, already_loaded, overtaken } => {
                let load = FaultyLoad { inner: load, script: Arc::clone(&self.script), keys };
                Begun::Ready { load: Box::new(load), already_loaded, overtaken }
            }
            Begun::SchemaChanged => Begun::SchemaChanged,
        })
    }
}

#[cfg(test)]
mod tests;
