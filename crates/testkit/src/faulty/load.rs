//! Loads and writers that follow the script.

use std::sync::Arc;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use decant_core::destination::{FileTotals, Load, Outcome, Part, RefusedRow, Writer};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::FileId;
use decant_core::reject::Reject;

use super::script::{Script, scripted};
use super::{Call, Fault};

pub(super) struct FaultyLoad {
    pub(super) inner: Box<dyn Load>,
    pub(super) script: Arc<Script>,
    pub(super) keys: Vec<String>,
}

impl FaultyLoad {
    fn take_commit_fault(&self) -> Option<Fault> {
        let scripted = self.script.take(|fault| {
            matches!(
                fault,
                Fault::CommitRefused(_)
                    | Fault::CommitReplyLost(_)
                    | Fault::CommitFailed(_)
                    | Fault::CommitSchemaChanged
            )
        });
        scripted.or_else(|| self.script.poison_of(&self.keys).map(Fault::CommitFailed))
    }

    /// Aborts instead of committing, and answers the same for each file.
    async fn answer(
        self,
        totals: &[FileTotals],
        outcome: impl Fn() -> Outcome,
    ) -> Result<Vec<Outcome>> {
        self.inner.abort().await?;
        Ok(totals.iter().map(|_| outcome()).collect())
    }

    async fn refuse(self, kind: ErrorKind) -> Result<Vec<Outcome>> {
        self.inner.abort().await?;
        Err(scripted(kind))
    }
}

#[async_trait]
impl Load for FaultyLoad {
    async fn writer(&mut self) -> Result<Box<dyn Writer>> {
        let inner = self.inner.writer().await?;
        Ok(Box::new(FaultyWriter { inner, script: Arc::clone(&self.script) }))
    }

    async fn commit(
        self: Box<Self>,
        parts: Vec<Part>,
        totals: Vec<FileTotals>,
    ) -> Result<Vec<Outcome>> {
        self.script.called(Call::Commit(totals.len()));
        self.script.pass_gate().await;
        match self.take_commit_fault() {
            Some(Fault::CommitRefused(kind)) => self.refuse(kind).await,
            Some(Fault::CommitFailed(kind)) => {
                self.answer(&totals, || Outcome::Failed(scripted(kind))).await
            }
            Some(Fault::CommitSchemaChanged) => {
                self.answer(&totals, || Outcome::SchemaChanged).await
            }
            Some(Fault::CommitReplyLost(kind)) => {
                self.inner.commit(parts, totals).await?;
                Err(scripted(kind))
            }
            _ => self.inner.commit(parts, totals).await,
        }
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.script.called(Call::Abort);
        self.inner.abort().await
    }
}

struct FaultyWriter {
    inner: Box<dyn Writer>,
    script: Arc<Script>,
}

#[async_trait]
impl Writer for FaultyWriter {
    async fn start_file(&mut self, file: FileId, columns: &[usize]) -> Result<()> {
        self.inner.start_file(file, columns).await
    }

    async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.script.fail_at_write()?;
        if let Some(refused) = self.script.refused_of(&batch).pop() {
            return Err(Error::new(ErrorKind::RejectedRows, refused.detail));
        }
        self.inner.write(batch).await
    }

    async fn write_tolerantly(&mut self, batch: RecordBatch) -> Result<Vec<RefusedRow>> {
        self.script.fail_at_write()?;
        let refused = self.script.refused_of(&batch);
        let mut first = 0;
        for bad in refused.iter().map(|refused| refused.row).chain([batch.num_rows()]) {
            if bad > first {
                self.inner.write(batch.slice(first, bad - first)).await?;
            }
            first = bad + 1;
        }
        Ok(refused)
    }

    async fn refused_late(&mut self) -> Result<Vec<(FileId, RefusedRow)>> {
        self.inner.refused_late().await
    }

    async fn write_rejects(&mut self, rejects: Vec<Reject>) -> Result<()> {
        self.inner.write_rejects(rejects).await
    }

    async fn finish(self: Box<Self>) -> Result<Part> {
        self.inner.finish().await
    }
}
