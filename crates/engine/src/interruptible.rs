//! A destination in front of the destination: once the run is to end, nobody
//! waits for it any longer.
//!
//! Databases make loads wait for others: for their locks, their transactions,
//! their turn. What is under way when the end is asked for may still finish,
//! if it does so soon; after that it is let go, which rolls it back, and its
//! error tells that it was interrupted ([`is_interruption`]).
//!
//! Invariant: a commit is never let go. What it answers is what the ledger
//! says, and the report has to say the same.

use std::future::Future;
use std::sync::Arc;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use decant_core::destination::{
    Begun, Capabilities, Destination, FileTotals, Load, LoadPlan, Outcome, Part, RefusedRow,
    TableChange, TableState, Writer,
};
use decant_core::ledger::{
    HistoryFilter, KeyRange, KnownFile, Ledger, LedgerEntry, LoadedChunk, RejectsFilter,
    Settlement, StoredReject,
};
use decant_core::{Error, ErrorKind, FileId, Reject, Result, TableName};

use crate::stop::Stop;

/// The fact that an interruption carries.
const INTERRUPTED: &str = "interrupted";

/// Whether the error only says that the run was asked to end.
pub(crate) fn is_interruption(error: &Error) -> bool {
    error.fact(INTERRUPTED).is_some()
}

/// The decorator of a destination.
pub(crate) struct Interruptible {
    inner: Arc<dyn Destination>,
    stop: Stop,
}

impl Interruptible {
    pub(crate) fn new(inner: Arc<dyn Destination>, stop: Stop) -> Self {
        Self { inner, stop }
    }
}

/// What comes of `work`, unless it takes long after the end was asked for.
async fn unless_late<T>(stop: &Stop, work: impl Future<Output = Result<T>>) -> Result<T> {
    stop.soon_after_request(work).await.unwrap_or_else(|| {
        Err(Error::new(ErrorKind::Unavailable, "ended while the database let it wait")
            .with(INTERRUPTED, "by a signal"))
    })
}

#[async_trait]
impl Destination for Interruptible {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn describe(&self, table: &TableName) -> Result<TableState> {
        unless_late(&self.stop, self.inner.describe(table)).await
    }

    async fn apply(&self, change: &TableChange, only_print: bool) -> Result<Vec<String>> {
        unless_late(&self.stop, self.inner.apply(change, only_print)).await
    }

    async fn count_rows(&self, table: &TableName) -> Result<u64> {
        unless_late(&self.stop, self.inner.count_rows(table)).await
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(InterruptibleLedger { inner: self.inner.ledger(), stop: self.stop.clone() })
    }

    async fn check_write(&self) -> Result<()> {
        unless_late(&self.stop, self.inner.check_write()).await
    }

    async fn begin(&self, plan: LoadPlan) -> Result<Begun> {
        Ok(match unless_late(&self.stop, self.inner.begin(plan)).await? {
            Begun::Ready { load, already_loaded, overtaken } => {
                let load = InterruptibleLoad { inner: load, stop: self.stop.clone() };
                Begun::Ready { load: Box::new(load), already_loaded, overtaken }
            }
            Begun::SchemaChanged => Begun::SchemaChanged,
        })
    }
}

struct InterruptibleLedger {
    inner: Arc<dyn Ledger>,
    stop: Stop,
}

#[async_trait]
impl Ledger for InterruptibleLedger {
    async fn known(&self, range: &KeyRange) -> Result<Vec<KnownFile>> {
        unless_late(&self.stop, self.inner.known(range)).await
    }

    async fn loaded(&self, table: &str) -> Result<Vec<FileId>> {
        unless_late(&self.stop, self.inner.loaded(table)).await
    }

    async fn settle(&self, settlement: &Settlement) -> Result<()> {
        unless_late(&self.stop, self.inner.settle(settlement)).await
    }

    async fn chunks(&self, file: FileId) -> Result<Vec<LoadedChunk>> {
        unless_late(&self.stop, self.inner.chunks(file)).await
    }

    async fn rejects(&self, file: FileId) -> Result<Vec<Reject>> {
        unless_late(&self.stop, self.inner.rejects(file)).await
    }

    async fn stored_rejects(&self, filter: &RejectsFilter) -> Result<Vec<StoredReject>> {
        unless_late(&self.stop, self.inner.stored_rejects(filter)).await
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<Vec<LedgerEntry>> {
        unless_late(&self.stop, self.inner.history(filter)).await
    }
}

struct InterruptibleLoad {
    inner: Box<dyn Load>,
    stop: Stop,
}

#[async_trait]
impl Load for InterruptibleLoad {
    async fn writer(&mut self) -> Result<Box<dyn Writer>> {
        let inner = unless_late(&self.stop, self.inner.writer()).await?;
        Ok(Box::new(InterruptibleWriter { inner, stop: self.stop.clone() }))
    }

    async fn commit(
        self: Box<Self>,
        parts: Vec<Part>,
        totals: Vec<FileTotals>,
    ) -> Result<Vec<Outcome>> {
        self.inner.commit(parts, totals).await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        unless_late(&self.stop, self.inner.abort()).await
    }
}

struct InterruptibleWriter {
    inner: Box<dyn Writer>,
    stop: Stop,
}

#[async_trait]
impl Writer for InterruptibleWriter {
    async fn start_file(&mut self, file: FileId, columns: &[usize]) -> Result<()> {
        unless_late(&self.stop, self.inner.start_file(file, columns)).await
    }

    async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        unless_late(&self.stop, self.inner.write(batch)).await
    }

    async fn write_tolerantly(&mut self, batch: RecordBatch) -> Result<Vec<RefusedRow>> {
        unless_late(&self.stop, self.inner.write_tolerantly(batch)).await
    }

    async fn refused_late(&mut self) -> Result<Vec<(FileId, RefusedRow)>> {
        unless_late(&self.stop, self.inner.refused_late()).await
    }

    async fn write_rejects(&mut self, rejects: Vec<Reject>) -> Result<()> {
        unless_late(&self.stop, self.inner.write_rejects(rejects)).await
    }

    async fn finish(self: Box<Self>) -> Result<Part> {
        unless_late(&self.stop, self.inner.finish()).await
    }
}
