//! From planned files to committed rows.
//!
//! [`Ingest::group`] is one group's story: its files are decoded before their
//! shared transaction begins, so that only the database can still fail one;
//! what is too large for that streams through a transaction of its own.

use std::sync::Arc;

use decant_core::conform::NewColumn;
use decant_core::destination::{FileTotals, LoadFile, LoadMode};
use decant_core::ledger::{Settlement, Status};
use decant_core::selection::Scan;
use decant_core::stream::OnError;
use decant_core::{
    Begun, Destination, Error, ErrorKind, FileId, FileVersion, LoadPlan, Outcome, Receipt, Result,
    Stream, Writer,
};
use futures::{StreamExt, stream};

use crate::decode::{Decoder, Decoding, Step, WholeFile};
use crate::file_progress::{ErrorPolicy, FileFailure, FileProgress, Undecoded};
use crate::observer::Event;
use crate::report::Tally;
use crate::retry::Retry;
use crate::sampling::look_at;
use crate::services::Settings;
use crate::tables::{Table, TablePlan};

/// Files of a group that are decoded at the same time.
const DECODED_TOGETHER: usize = 4;
/// How often a group begins again because its table changed.
const ROUNDS_MAX: usize = 8;

/// A file that is to be loaded.
#[derive(Clone, Debug)]
pub(crate) struct PlannedFile {
    pub(crate) file: FileVersion,
    pub(crate) id: FileId,
    pub(crate) receipt: Receipt,
    pub(crate) displaces: Vec<FileId>,
    pub(crate) again: bool,
}

/// Loads files into one table.
#[derive(Clone)]
pub(crate) struct Ingest {
    pub(crate) run_id: String,
    pub(crate) stream: Arc<Stream>,
    pub(crate) table: Arc<Table>,
    pub(crate) destination: Arc<dyn Destination>,
    pub(crate) decoder: Decoder,
    pub(crate) settings: Settings,
    pub(crate) tally: Arc<Tally>,
}

/// What became of a transaction.
enum Attempt {
    /// One outcome a file, in order: whether it was this load's doing.
    Done(Vec<FileEnd>),
    /// The table is not what it was: plan again.
    SchemaChanged,
}

/// A file's good end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileEnd {
    Committed,
    AlreadyLoaded,
}

/// What became of a file that was streamed.
enum Streamed {
    Ended(FileEnd, Option<Box<FileProgress>>),
    SchemaChanged,
    Undecoded(Undecoded),
}

type Decoded = (PlannedFile, WholeFile);

impl Ingest {
    /// Loads a group of files, and answers the receipts of those that are
    /// settled. An error means that the run cannot go on.
    pub(crate) async fn group(&self, files: Vec<PlannedFile>) -> Result<Vec<Receipt>> {
        let mut settled = Vec::new();
        let mut waiting = files;
        for _ in 0..ROUNDS_MAX {
            if waiting.is_empty() || self.decoder.stop.is_requested() {
                return Ok(settled);
            }
            waiting = self.round(waiting, &mut settled).await?;
        }
        for file in waiting {
            let error = Error::new(ErrorKind::Conflict, "its table or its content keeps changing");
            self.settle(&file, error.into(), &mut settled).await?;
        }
        Ok(settled)
    }

    /// One pass over the files; answers those that must be taken up again.
    async fn round(
        &self,
        files: Vec<PlannedFile>,
        settled: &mut Vec<Receipt>,
    ) -> Result<Vec<PlannedFile>> {
        let plan = self.table.plan().await;
        let mut again = Vec::new();
        let mut held: Vec<Decoded> = Vec::new();
        let mut held_bytes = 0;
        let mut decoded = stream::iter(files)
            .take_while(|_| std::future::ready(!self.decoder.stop.is_requested()))
            .map(|file| self.decode_whole(file, Arc::clone(&plan)))
            .buffered(DECODED_TOGETHER);
        while let Some((file, result)) = decoded.next().await {
            match result {
                Ok(whole) => {
                    held_bytes += whole.bytes;
                    held.push((file, whole));
                }
                Err(Undecoded::TooLarge) => {
                    again.extend(self.stream_file(file, &plan, settled).await?);
                }
                Err(undecoded) => again.extend(self.undecoded(file, undecoded, settled).await?),
            }
            if held_bytes > self.settings.group.bytes {
                held_bytes = 0;
                let full = std::mem::take(&mut held);
                again.extend(self.commit_held(full, &plan, settled).await?);
            }
        }
        again.extend(self.commit_held(held, &plan, settled).await?);
        Ok(again)
    }

    async fn decode_whole(
        &self,
        file: PlannedFile,
        plan: Arc<TablePlan>,
    ) -> (PlannedFile, Result<WholeFile, Undecoded>) {
        let bytes_max = self.settings.group.bytes / DECODED_TOGETHER as u64;
        if file.file.size > bytes_max {
            return (file, Err(Undecoded::TooLarge));
        }
        let progress = self.progress(&file);
        let whole = self.decoder.whole(&file.file, &plan, progress, bytes_max).await;
        (file, whole)
    }

    pub(crate) fn progress(&self, file: &PlannedFile) -> FileProgress {
        let policy =
            ErrorPolicy { on_error: self.stream.on_error, max_rejects: self.stream.max_rejects };
        FileProgress::new(file.id, file.file.location(), policy)
    }

    /// What to do with a file that was not decoded: a file to take up again,
    /// or its end.
    async fn undecoded(
        &self,
        file: PlannedFile,
        undecoded: Undecoded,
        settled: &mut Vec<Receipt>,
    ) -> Result<Option<PlannedFile>> {
        match undecoded {
            Undecoded::TooLarge => Ok(Some(file)),
            Undecoded::Abandoned => Ok(None),
            Undecoded::NewColumns(new) => match self.extend(&file, &new).await {
                Ok(()) => Ok(Some(file)),
                Err(error) => {
                    let error = error.in_file(file.file.location());
                    self.settle(&file, error.into(), settled).await?;
                    Ok(None)
                }
            },
            Undecoded::Failed(failure) if failure.error.kind() == ErrorKind::Conflict => {
                self.overwritten(file, failure, settled).await
            }
            Undecoded::Failed(failure) if failure.error.kind() == ErrorKind::NotFound => {
                self.settle_as(Status::Vanished, &file, failure, settled).await?;
                Ok(None)
            }
            Undecoded::Failed(failure) => {
                self.settle(&file, failure, settled).await?;
                Ok(None)
            }
        }
    }

    pub(crate) async fn extend(&self, file: &PlannedFile, new: &[NewColumn]) -> Result<()> {
        let samples = look_at(
            std::slice::from_ref(&file.file),
            &self.decoder.services,
            &self.settings,
            &self.decoder.format,
            &self.decoder.counter,
        )
        .await?;
        match samples.first() {
            Some(sample) => self.table.extend(&file.file, sample, new).await,
            None => Ok(()),
        }
    }

    /// The object was overwritten while it was read: start again as what it
    /// is now.
    async fn overwritten(
        &self,
        file: PlannedFile,
        failure: FileFailure,
        settled: &mut Vec<Receipt>,
    ) -> Result<Option<PlannedFile>> {
        let mut listing = (self.decoder.services.list)(vec![Scan::Key(file.file.key.clone())]);
        let now = listing.next().await?.and_then(|page| page.into_iter().next());
        match now {
            Some(arrival) if arrival.file != file.file => {
                let table = self.table.plan().await.name();
                let id = FileId::of(&table, &arrival.file);
                Ok(Some(PlannedFile { id, file: arrival.file, again: false, ..file }))
            }
            Some(_) => {
                self.settle(&file, failure, settled).await?;
                Ok(None)
            }
            None => {
                let gone = Error::new(ErrorKind::NotFound, "was deleted while it was read");
                let gone = gone.in_file(file.file.location()).into();
                self.settle_as(Status::Vanished, &file, gone, settled).await?;
                Ok(None)
            }
        }
    }

    /// Commits decoded files in one transaction; when the database refuses
    /// it, in two halves, until the file at fault stands alone.
    async fn commit_held(
        &self,
        held: Vec<Decoded>,
        plan: &Arc<TablePlan>,
        settled: &mut Vec<Receipt>,
    ) -> Result<Vec<PlannedFile>> {
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let error = match self.commit_patiently(&held, plan).await {
            Ok(Attempt::Done(ends)) => {
                self.record(&held, &ends, plan, settled);
                return Ok(Vec::new());
            }
            Ok(Attempt::SchemaChanged) => {
                self.table.look_again().await?;
                return Ok(held.into_iter().map(|(file, _)| file).collect());
            }
            Err(error) => error,
        };
        if ends_the_run(&error) {
            return Err(error);
        }
        if held.len() == 1 || !may_be_one_files_fault(&error) {
            let message = error.chain();
            for (file, _) in &held {
                let copy = copy_of(&error, &message).in_file(file.file.location());
                self.settle(file, copy.into(), settled).await?;
            }
            return Ok(Vec::new());
        }
        let mut first = held;
        let second = first.split_off(first.len() / 2);
        let mut again = Box::pin(self.commit_held(first, plan, settled)).await?;
        again.extend(Box::pin(self.commit_held(second, plan, settled)).await?);
        Ok(again)
    }

    async fn commit_patiently(&self, held: &[Decoded], plan: &Arc<TablePlan>) -> Result<Attempt> {
        let mut retry = Retry::new();
        loop {
            match self.commit_once(held, plan).await {
                Err(error) => retry.pause(error).await?,
                done => return done,
            }
        }
    }

    async fn commit_once(&self, held: &[Decoded], plan: &Arc<TablePlan>) -> Result<Attempt> {
        let files: Vec<&PlannedFile> = held.iter().map(|(file, _)| file).collect();
        let begun = self.destination.begin(self.load_plan(&files, plan)).await?;
        let Begun::Ready { mut load, already_loaded } = begun else {
            return Ok(Attempt::SchemaChanged);
        };
        let ours: Vec<&Decoded> =
            held.iter().filter(|(file, _)| !already_loaded.contains(&file.id)).collect();
        let mut parts = Vec::new();
        if ours.iter().any(|(_, whole)| !whole.batches.is_empty()) {
            let mut writer = load.writer().await?;
            match write_whole(writer.as_mut(), &ours).await {
                Ok(()) => parts.push(writer.finish().await?),
                Err(error) => {
                    drop(writer);
                    load.abort().await?;
                    return Err(error);
                }
            }
        }
        let totals: Vec<FileTotals> =
            ours.iter().map(|(_, whole)| whole.progress.totals()).collect();
        let ids: Vec<FileId> = totals.iter().map(|totals| totals.id).collect();
        let ends = settle_outcomes(&ids, load.commit(parts, totals).await?)?;
        let Some(ends) = ends else { return Ok(Attempt::SchemaChanged) };
        Ok(Attempt::Done(
            held.iter()
                .map(|(file, _)| {
                    ids.iter()
                        .position(|id| *id == file.id)
                        .map_or(FileEnd::AlreadyLoaded, |position| ends[position])
                })
                .collect(),
        ))
    }

    /// Streams a file through a transaction of its own.
    async fn stream_file(
        &self,
        file: PlannedFile,
        plan: &Arc<TablePlan>,
        settled: &mut Vec<Receipt>,
    ) -> Result<Option<PlannedFile>> {
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
        let error = error.in_file(file.file.location());
        self.settle(&file, error.into(), settled).await?;
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
        let written = self.write_steps(writer.as_mut(), file.id, first, &mut decoding).await;
        let progress = match (written, decoding.end().await) {
            (Ok(()), Ok(progress)) => progress,
            (Err(error), _) => {
                drop(writer);
                load.abort().await?;
                return Err(error);
            }
            (Ok(()), Err(undecoded)) => {
                drop(writer);
                load.abort().await?;
                return Ok(Streamed::Undecoded(undecoded));
            }
        };
        let part = writer.finish().await?;
        let outcomes = load.commit(vec![part], vec![progress.totals()]).await?;
        Ok(match settle_outcomes(&[file.id], outcomes)?.as_deref() {
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
        Ok(match settle_outcomes(&[file.id], outcomes)?.as_deref() {
            Some([end]) => Streamed::Ended(*end, Some(Box::new(progress))),
            _ => Streamed::SchemaChanged,
        })
    }

    /// Writes what a decoding hands over, to its end.
    pub(crate) async fn write_steps(
        &self,
        writer: &mut dyn Writer,
        file: FileId,
        first: Option<Step>,
        decoding: &mut Decoding,
    ) -> Result<()> {
        let mut step = first;
        while let Some(now) = step {
            match now {
                Step::Columns(columns, ignored) => {
                    self.note_ignored(&ignored);
                    writer.start_file(file, &columns).await?;
                }
                Step::Rows(batch, rejects) => {
                    let rows = batch.num_rows() as u64;
                    writer.write(batch).await?;
                    if !rejects.is_empty() {
                        writer.write_rejects(rejects).await?;
                    }
                    self.decoder.services.observer.observe(Event::Written { rows });
                }
            }
            step = decoding.next().await;
        }
        Ok(())
    }

    fn load_plan(&self, files: &[&PlannedFile], plan: &Arc<TablePlan>) -> LoadPlan {
        LoadPlan {
            load_id: new_load_id(),
            run_id: self.run_id.clone(),
            table: plan.state.name.clone(),
            schema: plan.schema.clone(),
            mode: LoadMode::Append,
            files: files.iter().map(|file| self.load_file(file)).collect(),
        }
    }

    pub(crate) fn load_file(&self, file: &PlannedFile) -> LoadFile {
        LoadFile {
            id: file.id,
            file: file.file.clone(),
            stream: self.stream.name.clone(),
            displaces: file.displaces.clone(),
            again: file.again,
        }
    }

    fn record(
        &self,
        held: &[Decoded],
        ends: &[FileEnd],
        plan: &TablePlan,
        settled: &mut Vec<Receipt>,
    ) {
        for ((file, whole), end) in held.iter().zip(ends) {
            self.note_ignored(&whole.ignored);
            let rows = whole.progress.totals().rows_loaded;
            self.decoder.services.observer.observe(Event::Written { rows });
            self.record_one(file, *end, Some(&whole.progress), plan, settled);
        }
    }

    pub(crate) fn note_ignored(&self, ignored: &[String]) {
        if !ignored.is_empty() {
            let names = ignored.join("`, `");
            self.tally.note(format!("stream {}: columns left out: `{names}`", self.stream.name));
        }
    }

    /// Counts a file's good end.
    fn record_one(
        &self,
        file: &PlannedFile,
        end: FileEnd,
        progress: Option<&FileProgress>,
        plan: &TablePlan,
        settled: &mut Vec<Receipt>,
    ) {
        match (end, progress) {
            (FileEnd::Committed, Some(progress)) => self.count(progress, plan),
            _ => self.tally.files(|files| files.already_loaded += 1),
        }
        self.decoder.services.observer.observe(Event::Settled { files: 1 });
        settled.push(file.receipt.clone());
    }

    pub(crate) fn count(&self, progress: &FileProgress, plan: &TablePlan) {
        let totals = progress.totals();
        self.tally.bytes(|bytes| bytes.decoded += progress.bytes_decoded());
        self.tally.committed(
            &plan.state.name,
            progress.rows_read(),
            totals.rows_loaded,
            totals.rows_rejected,
        );
    }

    /// Writes a failed file's end to the ledger, as the policy wants it, and
    /// counts it.
    pub(crate) async fn settle(
        &self,
        file: &PlannedFile,
        failure: FileFailure,
        settled: &mut Vec<Receipt>,
    ) -> Result<()> {
        let status = match self.stream.on_error {
            OnError::SkipFile => Status::Skipped,
            OnError::Fail | OnError::Reject => Status::Failed,
        };
        self.settle_as(status, file, failure, settled).await
    }

    async fn settle_as(
        &self,
        status: Status,
        file: &PlannedFile,
        failure: FileFailure,
        settled: &mut Vec<Receipt>,
    ) -> Result<()> {
        let FileFailure { error, rejects } = failure;
        if error.kind() == ErrorKind::InvalidConfig {
            return Err(error);
        }
        let settlement = Settlement {
            id: file.id,
            file: file.file.clone(),
            target_table: self.table.plan().await.name(),
            stream: self.stream.name.clone(),
            run_id: self.run_id.clone(),
            status,
            error: error.chain(),
            processing_seconds: 0.0,
            rejects,
        };
        self.destination.ledger().settle(&settlement).await?;
        count_bad_end(&self.tally, status, &error);
        self.decoder.services.observer.observe(Event::Settled { files: 1 });
        if status != Status::Failed {
            settled.push(file.receipt.clone());
        }
        Ok(())
    }
}

/// Counts a file's bad end.
pub(crate) fn count_bad_end(tally: &Tally, status: Status, error: &Error) {
    match status {
        Status::Vanished => {
            tally.files(|files| files.vanished += 1);
            tally.note(format!("vanished: {error}"));
        }
        Status::Skipped => {
            tally.files(|files| files.skipped += 1);
            tally.error(error);
        }
        _ => {
            tally.files(|files| files.failed += 1);
            tally.error(error);
        }
    }
}

async fn write_whole(writer: &mut dyn Writer, files: &[&Decoded]) -> Result<()> {
    for (file, whole) in files {
        if whole.columns.is_empty() {
            continue;
        }
        writer.start_file(file.id, &whole.columns).await?;
        for batch in &whole.batches {
            writer.write(batch.batch.clone()).await?;
            if !batch.rejects.is_empty() {
                writer.write_rejects(batch.rejects.clone()).await?;
            }
        }
    }
    Ok(())
}

/// The good ends, `None` when the schema changed, or the first failure.
fn settle_outcomes(ids: &[FileId], outcomes: Vec<Outcome>) -> Result<Option<Vec<FileEnd>>> {
    if outcomes.len() != ids.len() {
        return Err(Error::new(ErrorKind::Internal, "a commit answered for other files"));
    }
    let mut ends = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        match outcome {
            Outcome::Committed => ends.push(FileEnd::Committed),
            Outcome::AlreadyLoaded => ends.push(FileEnd::AlreadyLoaded),
            Outcome::SchemaChanged => return Ok(None),
            Outcome::Failed(error) => return Err(error),
        }
    }
    Ok(Some(ends))
}

/// A name for a transaction, unlike any other.
pub(crate) fn new_load_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The destination is out of reach: no file could be settled either.
fn ends_the_run(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::InvalidConfig)
}

/// Whether the other files of the group might do without this one.
fn may_be_one_files_fault(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::AccessDenied | ErrorKind::NotFound | ErrorKind::Unsupported)
}

/// An error for one more file: errors have one owner.
fn copy_of(error: &Error, message: &str) -> Error {
    let mut copy = Error::new(error.kind(), message);
    for (name, value) in error.context() {
        copy = copy.with(name, value.clone());
    }
    match error.hint() {
        Some(hint) => copy.with_hint(hint),
        None => copy,
    }
}
