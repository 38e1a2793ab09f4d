//! A large file, streamed through a transaction of its own while it is
//! fetched and decoded.

use std::sync::Arc;
use std::time::Instant;

use decant_core::stream::OnError;
use decant_core::{Begun, FileId, Load, Part, Receipt, Result, Writer};

use super::{FileEnd, Ingest, PlannedFile, good_ends};
use crate::decode::{Decoding, Step};
use crate::file_progress::{FileFailure, FileProgress, Undecoded};
use crate::observer::Event;
use crate::refusals::{LateRefusals, Refusals, Refusing};
use crate::retry::Retry;
use crate::tables::TablePlan;

/// What became of a file that was streamed.
pub(super) enum Streamed {
    Ended(FileEnd, Option<Box<FileProgress>>),
    /// Rows were refused once all were there: again, without them.
    Late,
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
        match self.is_chunked(&file) {
            true => Box::pin(self.load_in_chunks(file, plan, settled)).await,
            false => Box::pin(self.stream_whole(file, plan, settled)).await,
        }
    }

    /// The same of a file that is not cut.
    pub(super) async fn stream_whole(
        &self,
        file: PlannedFile,
        plan: &Arc<TablePlan>,
        settled: &mut Vec<Receipt>,
    ) -> Result<Option<PlannedFile>> {
        let started = Instant::now();
        let mut retry = Retry::until(&self.decoder.stop);
        let mut late = LateRefusals::default();
        let error = loop {
            match self.stream_once(&file, plan, &mut late).await {
                Ok(Streamed::Late) => {}
                Ok(Streamed::Ended(FileEnd::Overtaken, _)) => {
                    return self.overtaken(file, settled).await;
                }
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
        if self.ends_the_run(&error, plan).await {
            return Err(error);
        }
        let failure = self.refused_by_destination(error, started, &file, plan).await;
        self.settle(&file, failure, settled).await?;
        Ok(None)
    }

    /// Tries once to load a file, or the part of it that is planned.
    pub(super) async fn stream_once(
        &self,
        file: &PlannedFile,
        plan: &Arc<TablePlan>,
        late: &mut LateRefusals,
    ) -> Result<Streamed> {
        let mut decoding =
            match self.decoder.stream(&file.file, file.piece(), plan, self.progress(file)).await {
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
        let Begun::Ready { mut load, already_loaded, overtaken } = begun else {
            return Ok(Streamed::SchemaChanged);
        };
        if let Some(end) = end_at_begin(file, &already_loaded, &overtaken) {
            load.abort().await?;
            return Ok(Streamed::Ended(end, None));
        }
        let mut writer = load.writer().await?;
        let mut refusals = late.of(file.id);
        let written = self
            .write_steps(writer.as_mut(), file, plan, (first, &mut decoding), &mut refusals)
            .await;
        let ended = match (written, decoding.end().await) {
            (Err(error), _) => Err(Err(error)),
            (Ok(()), Ok(progress)) => match without(progress, &refusals) {
                Ok(progress) => match self.asked_for_late(writer.as_mut(), late).await {
                    Ok(false) => Ok(progress),
                    Ok(true) => Err(Ok(Streamed::Late)),
                    Err(error) => Err(Err(error)),
                },
                Err(undecoded) => Err(Ok(Streamed::Undecoded(undecoded))),
            },
            (Ok(()), Err(undecoded)) => Err(Ok(Streamed::Undecoded(undecoded))),
        };
        let admitted = ended.and_then(|mut progress| match admit(file, &mut progress) {
            Ok(()) => Ok(progress),
            Err(failure) => Err(Ok(Streamed::Undecoded(failure.into()))),
        });
        let progress = match admitted {
            Ok(progress) => progress,
            Err(given_up) => {
                drop(writer);
                load.abort().await?;
                return given_up;
            }
        };
        let ended = match writer.finish().await {
            Ok(part) => commit(load, vec![part], file, &progress).await,
            Err(error) => Err(error),
        };
        outcome(ended, file, progress)
    }

    /// A file without columns has no rows; its ledger row counts.
    async fn commit_without_rows(
        &self,
        file: &PlannedFile,
        plan: &Arc<TablePlan>,
        mut progress: FileProgress,
    ) -> Result<Streamed> {
        let begun = self.destination.begin(self.load_plan(&[file], plan)).await?;
        let Begun::Ready { load, already_loaded, overtaken } = begun else {
            return Ok(Streamed::SchemaChanged);
        };
        if let Some(end) = end_at_begin(file, &already_loaded, &overtaken) {
            load.abort().await?;
            return Ok(Streamed::Ended(end, None));
        }
        if let Err(failure) = admit(file, &mut progress) {
            load.abort().await?;
            return Ok(Streamed::Undecoded(failure.into()));
        }
        let ended = commit(load, Vec::new(), file, &progress).await;
        outcome(ended, file, progress)
    }

    /// Writes what a decoding hands over, from its first step to its end.
    pub(crate) async fn write_steps(
        &self,
        writer: &mut dyn Writer,
        file: &PlannedFile,
        plan: &TablePlan,
        (first, decoding): (Option<Step>, &mut Decoding),
        refusals: &mut Refusals,
    ) -> Result<()> {
        let refusing = self.refusing();
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
        Ok(())
    }

    /// Whether rows turned out to be refused now that all are there.
    pub(crate) async fn asked_for_late(
        &self,
        writer: &mut dyn Writer,
        late: &mut LateRefusals,
    ) -> Result<bool> {
        match self.refusing() {
            Refusing::Rejects => late.ask(writer).await,
            Refusing::Fails => Ok(false),
        }
    }

    fn refusing(&self) -> Refusing {
        match self.stream.on_error {
            OnError::Reject => Refusing::Rejects,
            OnError::Fail | OnError::SkipFile => Refusing::Fails,
        }
    }
}

/// Lets the part of a file be committed, where there are limits for all.
fn admit(file: &PlannedFile, progress: &mut FileProgress) -> Result<(), FileFailure> {
    match &file.part {
        Some(part) => part.admission.admit(part.bytes(), progress),
        None => Ok(()),
    }
}

/// How the commit of one file ended; `None` when it is to be planned again.
async fn commit(
    load: Box<dyn Load>,
    parts: Vec<Part>,
    file: &PlannedFile,
    progress: &FileProgress,
) -> Result<Option<FileEnd>> {
    let outcomes = load.commit(parts, vec![progress.totals()]).await?;
    Ok(good_ends(&[file.id], outcomes)?.and_then(|ends| ends.first().copied()))
}

/// What became of a file, or of a part of it, that was let be committed.
fn outcome(
    ended: Result<Option<FileEnd>>,
    file: &PlannedFile,
    progress: FileProgress,
) -> Result<Streamed> {
    let is_in = matches!(ended, Ok(Some(FileEnd::Committed | FileEnd::AlreadyLoaded)));
    if let (Some(part), false) = (&file.part, is_in) {
        part.admission.withdraw(part.bytes(), &progress);
    }
    Ok(match ended? {
        Some(end) => Streamed::Ended(end, Some(Box::new(progress))),
        None => Streamed::SchemaChanged,
    })
}

/// How a file has ended before its first row is written, if it has.
fn end_at_begin(
    file: &PlannedFile,
    already_loaded: &[FileId],
    overtaken: &[FileId],
) -> Option<FileEnd> {
    match &file.id {
        id if already_loaded.contains(id) => Some(FileEnd::AlreadyLoaded),
        id if overtaken.contains(id) => Some(FileEnd::Overtaken),
        _ => None,
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
