//! A ledger that follows the script.

use std::sync::Arc;

use async_trait::async_trait;
use decant_core::error::Result;
use decant_core::file::FileId;
use decant_core::ledger::{
    HistoryFilter, KeyRange, KnownFile, Ledger, LedgerEntry, LoadedChunk, RejectsFilter,
    Settlement, StoredReject,
};
use decant_core::reject::Reject;

use super::script::Script;
use super::{Call, Fault};

pub(super) struct FaultyLedger {
    pub(super) inner: Arc<dyn Ledger>,
    pub(super) script: Arc<Script>,
}

#[async_trait]
impl Ledger for FaultyLedger {
    async fn known(&self, range: &KeyRange) -> Result<Vec<KnownFile>> {
        self.script.called(Call::Known);
        self.script.fail_at(|fault| match fault {
            Fault::Known(kind) => Some(*kind),
            _ => None,
        })?;
        self.inner.known(range).await
    }

    async fn loaded(&self, table: &str) -> Result<Vec<FileId>> {
        self.inner.loaded(table).await
    }

    async fn settle(&self, settlement: &Settlement) -> Result<()> {
        let key = settlement.file.key.clone();
        self.script.called(Call::Settle(key, settlement.status));
        self.script.fail_at(|fault| match fault {
            Fault::Settle(kind) => Some(*kind),
            _ => None,
        })?;
        self.inner.settle(settlement).await
    }

    async fn chunks(&self, file: FileId) -> Result<Vec<LoadedChunk>> {
        self.inner.chunks(file).await
    }

    async fn rejects(&self, file: FileId) -> Result<Vec<Reject>> {
        self.inner.rejects(file).await
    }

    async fn stored_rejects(&self, filter: &RejectsFilter) -> Result<Vec<StoredReject>> {
        self.inner.stored_rejects(filter).await
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<Vec<LedgerEntry>> {
        self.inner.history(filter).await
    }
}
