//! A large file, streamed through a transaction of its own while it is
//! fetched and decoded.

use std::sync::Arc;
use std::time::Instant;

use decant_core::stream::OnError;
use decant_core::{Begun, Receipt, Result, Writer};

use super::{FileEnd, Ingest, PlannedFile, ends_the_run, good_ends};
use crate::decode::{Decoding, Step};
use crate::file_progress::{FileFailure, FileProgress, Undecoded};
use crate::observer::Event;
use crate::refusals::{Refusals, Refusing};
use crate::retry::Retry;
use crate::tables::TablePlan;

/// What became of a file that was streamed.
enum Streamed {
    Ended(FileEnd, Option<Box<FileProgress>>),
    SchemaChanged,
    Undecoded(Undecoded),
}

impl Ingest {
    /// Streams a file through a transaction of its own.
    pub(super) async fn stream_file(
        &self,
        file: PlannedFile,
        plan: &Arc<TablePlan>,
        settled: &mut Vec<Receipt>,
    ) -> Result<Option<PlannedFile>> {
        let started = Instant::now();
        let mut retry = Retry::new();
        let error = loop {
            match self.stream_once(&file, plan).await {
                Ok(Streamed::Ended(end, progress)) => {
                    self.record_one(&file, end, progress.as_deref(), plan, settled);
                    return Ok(None);
                }
                Ok(Streamed::SchemaChanged) => {
                    self.table.look_again().await?;
                    return Ok(Some(file));
                }
                Ok(Streamed::Undecoded(undecoded)) => {
                    return self.undecoded(file, undecoded, settled).await;
                }
                Err(error) => match retry.pause(error).await {
                    Ok(()) => {}
                    Err(error) => break error,
                },
            }
        };
        if ends_the_run(&error) {
            return Err(error);
        }
        let error = self.located(error, &file, plan).await;
        self.settle(&file, FileFailure::after(started, error), settled).await?;
        Ok(None)
    }

    async fn stream_once(&self, file: &PlannedFile, plan: &Arc<TablePlan>) -> Result<Streamed> {
        let mut decoding = match self.decoder.stream(&file.file, plan, self.progress(file)).await {
            Ok(decoding) => decoding,
            Err(undecoded) => return Ok(Streamed::Undecoded(undecoded)),
        };
        let first = decoding.next().await;
        if first.is_none() {
            return match decoding.end().await {
                Ok(progress) => self.commit_without_rows(file, plan, progress).await,
                Err(undecoded) => Ok(Streamed::Undecoded(undecoded)),
            };
        }
        let begun = self.destination.begin(self.load_plan(&[file], plan)).await?;
        let Begun::Ready { mut load, already_loaded } = begun else {
            return Ok(Streamed::SchemaChanged);
        };
        if already_loaded.contains(&file.id) {
            load.abort().await?;
            return Ok(Streamed::Ended(FileEnd::AlreadyLoaded, None));
        }
        let mut writer = load.writer().await?;
        let written = self.write_steps(writer.as_mut(), file, plan, first, &mut decoding).await;
        let ended = match (written, decoding.end().await) {
            (Err(error), _) => {
                drop(writer);
                load.abort().await?;
                return Err(error);
            }
            (Ok(refusals), Ok(progress)) => without(progress, &refusals),
            (Ok(_), Err(undecoded)) => Err(undecoded),
        };
        let progress = match ended {
            Ok(progress) => progress,
            Err(undecoded) => {
                drop(writer);
                load.abort().await?;
                return Ok(Streamed::Undecoded(undecoded));
            }
        };
        let part = writer.finish().await?;
        let outcomes = load.commit(vec![part], vec![progress.totals()]).await?;
        Ok(match good_ends(&[file.id], outcomes)?.as_deref() {
            Some([end]) => Streamed::Ended(*end, Some(Box::new(progress))),
            _ => Streamed::SchemaChanged,
        })
    }

    /// A file without columns has no rows; its ledger row counts.
    async fn commit_without_rows(
        &self,
        file: &PlannedFile,
        plan: &Arc<TablePlan>,
        progress: FileProgress,
    ) -> Result<Streamed> {
        let begun = self.destination.begin(self.load_plan(&[file], plan)).await?;
        let Begun::Ready { load, already_loaded } = begun else {
            return Ok(Streamed::SchemaChanged);
        };
        if already_loaded.contains(&file.id) {
            load.abort().await?;
            return Ok(Streamed::Ended(FileEnd::AlreadyLoaded, None));
        }
        let outcomes = load.commit(Vec::new(), vec![progress.totals()]).await?;
        Ok(match good_ends(&[file.id], outcomes)?.as_deref() {
            Some([end]) => Streamed::Ended(*end, Some(Box::new(progress))),
            _ => Streamed::SchemaChanged,
        })
    }

    /// Writes what a decoding hands over, to its end; answers what of it the
    /// destination refused.
    pub(crate) async fn write_steps(
        &self,
        writer: &mut dyn Writer,
        file: &PlannedFile,
        plan: &TablePlan,
        first: Option<Step>,
        decoding: &mut Decoding,
    ) -> Result<Refusals> {
        let refusing = self.refusing();
        let mut refusals = Refusals::default();
        let mut step = first;
        let mut drift = Vec::new();
        while let Some(now) = step {
            match now {
                Step::Columns(columns, of_these) => {
                    // A column that is missing still may come.
                    drift = of_these;
                    writer.start_file(file.id, &columns).await?;
                }
                Step::Rows(batch) => {
                    let rows = batch.batch.num_rows() as u64;
                    refusals.write(writer, batch, refusing).await?;
                    self.decoder.services.observer.observe(Event::Written { rows });
                }
            }
            step = decoding.next().await;
        }
        self.note_drift(&drift, file, plan);
        Ok(refusals)
    }

    fn refusing(&self) -> Refusing {
        match self.stream.on_error {
            OnError::Reject => Refusing::Rejects,
            OnError::Fail | OnError::SkipFile => Refusing::Fails,
        }
    }
}

/// What a file brought, without the rows that the destination refused.
pub(crate) fn without(
    mut progress: FileProgress,
    refusals: &Refusals,
) -> Result<FileProgress, Undecoded> {
    progress.refuse(refusals)?;
    Ok(progress)
}
