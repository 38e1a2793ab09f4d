//! A destination that is none: it knows what a good database can do, and
//! takes nothing.

use std::sync::Arc;

use async_trait::async_trait;
use decant_core::destination::{DecimalSupport, TableChange, TableState};
use decant_core::ledger::{
    HistoryFilter, KeyRange, KnownFile, LedgerEntry, LoadedChunk, RejectsFilter, Settlement,
    StoredReject,
};
use decant_core::{
    Begun, Capabilities, Destination, Error, ErrorKind, FileId, Ledger, LoadPlan, Reject, Result,
    TableName,
};

/// No destination.
#[derive(Clone)]
pub(super) struct Nowhere {
    capabilities: Capabilities,
}

impl Nowhere {
    pub(super) fn new() -> Self {
        Self {
            capabilities: Capabilities {
                name: "none",
                transactional_ddl: true,
                remove_by_file: true,
                concurrent_loads: 1,
                identifier_bytes_max: 63,
                decimal: DecimalSupport::Unbounded,
                schemas: true,
            },
        }
    }
}

fn nowhere<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Internal, "there is no destination to ask"))
}

#[async_trait]
impl Destination for Nowhere {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn describe(&self, _table: &TableName) -> Result<TableState> {
        nowhere()
    }

    async fn apply(&self, _change: &TableChange, _only_print: bool) -> Result<Vec<String>> {
        nowhere()
    }

    async fn count_rows(&self, _table: &TableName) -> Result<u64> {
        nowhere()
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(self.clone())
    }

    async fn check_write(&self) -> Result<()> {
        nowhere()
    }

    async fn begin(&self, _plan: LoadPlan) -> Result<Begun> {
        nowhere()
    }
}

#[async_trait]
impl Ledger for Nowhere {
    async fn known(&self, _range: &KeyRange) -> Result<Vec<KnownFile>> {
        Ok(Vec::new())
    }

    async fn loaded(&self, _table: &str) -> Result<Vec<FileId>> {
        Ok(Vec::new())
    }

    async fn settle(&self, _settlement: &Settlement) -> Result<()> {
        nowhere()
    }

    async fn chunks(&self, _file: FileId) -> Result<Vec<LoadedChunk>> {
        Ok(Vec::new())
    }

    async fn rejects(&self, _file: FileId) -> Result<Vec<Reject>> {
        Ok(Vec::new())
    }

    async fn stored_rejects(&self, _filter: &RejectsFilter) -> Result<Vec<StoredReject>> {
        Ok(Vec::new())
    }

    async fn history(&self, _filter: &HistoryFilter) -> Result<Vec<LedgerEntry>> {
        Ok(Vec::new())
    }
}
