//! From planned files to committed rows.
//!
//! [`Ingest::group`] is one group's story: its files are decoded before their
//! shared transaction begins, so that only the database can still fail one
//! ([`together`]); what is too large for that streams through a transaction of
//! its own ([`streamed`]). How a file ends is written down in [`settle`].

mod admission;
mod chunked;
mod files_ahead;
mod locate;
mod overwritten;
mod settle;
mod streamed;
mod together;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use decant_core::conform::{FileFacts, NewColumn};
use decant_core::destination::{Chunk, LoadFile, LoadMode};
use decant_core::format::{Piece, Sample, SampleLimits};
use decant_core::ledger::Status;
use decant_core::stream::MaxRejects;
use decant_core::{
    Begun, Destination, Error, ErrorKind, FileId, FileVersion, LoadPlan, Outcome, Receipt, Result,
    Stream,
};
use tokio::sync::Semaphore;

use self::admission::Admission;
use self::files_ahead::FilesAhead;
pub(crate) use self::files_ahead::shared_file_bytes_max;
pub(crate) use self::settle::{bad_end, count_bad_end};
pub(crate) use self::streamed::without;
use self::together::Decoded;
use crate::decode::Decoder;
use crate::early::Early;
use crate::fetch_budget::FetchBudget;
use crate::file_progress::{Contradiction, ErrorPolicy, FileProgress, Undecoded};
use crate::report::Tally;
use crate::sampling::look_at;
use crate::services::Settings;
use crate::tables::{Table, TablePlan};

/// How often a group begins again because its table changed.
const ROUNDS_MAX: usize = 8;

/// A file that is to be loaded.
#[derive(Clone, Debug)]
pub(crate) struct PlannedFile {
    pub(crate) file: FileVersion,
    pub(crate) id: FileId,
    pub(crate) receipt: Receipt,
    pub(crate) displaces: Vec<FileId>,
    pub(crate) only_version: bool,
    pub(crate) again: bool,
    /// Types of the table that stay, although values of the file contradict
    /// them.
    pub(crate) upheld: Vec<Contradiction>,
    /// What of it is loaded, where that is not all.
    pub(crate) part: Option<Part>,
}

/// A chunk of a file that is loaded by itself.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    piece: Piece,
    chunk: Chunk,
    admission: Arc<Admission>,
}

impl Part {
    /// How many bytes of the file it is.
    fn bytes(&self) -> u64 {
        self.chunk.bytes.end.saturating_sub(self.chunk.bytes.start)
    }
}

impl PlannedFile {
    /// What of the file is decoded.
    pub(crate) fn piece(&self) -> Piece {
        match &self.part {
            Some(part) => part.piece.clone(),
            None => Piece::whole(self.file.size),
        }
    }
}

/// Loads files into one table.
#[derive(Clone)]
pub(crate) struct Ingest {
    pub(crate) run_id: String,
    /// When the run began.
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) stream: Arc<Stream>,
    pub(crate) table: Arc<Table>,
    pub(crate) destination: Arc<dyn Destination>,
    pub(crate) decoder: Decoder,
    pub(crate) settings: Settings,
    pub(crate) budget: FetchBudget,
    /// Files that were fetched while the table was made.
    pub(crate) early: Early,
    pub(crate) tally: Arc<Tally>,
    /// Lets so many chunks of all files be loaded at a time.
    pub(crate) chunk_loads: Arc<Semaphore>,
}

/// A file's good end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileEnd {
    Committed,
    AlreadyLoaded,
    /// Another version of it was loaded meanwhile: nothing of it was.
    Overtaken,
}

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
        let mut ahead = FilesAhead::start(self, files, Arc::clone(&plan));
        let mut again = Vec::new();
        let mut held: Vec<Decoded> = Vec::new();
        let mut held_bytes = 0;
        while let Some(decoded) = ahead.decode_next(held_bytes).await {
            for (file, result) in decoded {
                match result {
                    Ok(whole) => {
                        held_bytes += whole.bytes;
                        held.push((file, whole));
                    }
                    Err(Undecoded::TooLarge) => {
                        let _turn = self.budget.stream().await;
                        again.extend(self.stream_file(file, &plan, settled).await?);
                    }
                    Err(undecoded) => again.extend(self.undecoded(file, undecoded, settled).await?),
                }
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

    pub(crate) fn progress(&self, file: &PlannedFile) -> FileProgress {
        let policy = ErrorPolicy {
            on_error: self.stream.on_error,
            max_rejects: match (self.stream.max_rejects, &file.part) {
                // It is judged with the last chunk of the file.
                (MaxRejects::Percent(_), Some(_)) => MaxRejects::Unlimited,
                (max_rejects, _) => max_rejects,
            },
            on_conflict: self.stream.on_conflict,
        };
        let facts = FileFacts::new(file.id, &file.file, &self.stream, self.started_at);
        FileProgress::new(facts, policy, file.upheld.clone())
    }

    /// What to do with a file that was not decoded: a file to take up again,
    /// or its end.
    pub(super) async fn undecoded(
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
            Undecoded::Contradicted(columns) => match self.widen(&file, columns).await {
                Ok(upheld) => Ok(Some(PlannedFile { upheld, ..file })),
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

    /// Gives the table the columns that a file has and it has not.
    pub(crate) async fn extend(&self, file: &PlannedFile, new: &[NewColumn]) -> Result<()> {
        let Some(mut sample) = self.look(file, self.settings).await? else { return Ok(()) };
        let mut of_file = new.iter().filter(|column| column.column_type.is_none());
        let has = |column: &NewColumn| sample.columns.names.contains(&column.source);
        if !sample.complete && !of_file.all(has) {
            // A column that comes late is beyond a bounded look.
            let Some(whole) = self.look(file, whole(self.settings)).await? else { return Ok(()) };
            sample = whole;
        }
        self.table.extend(&file.file, &sample, new).await
    }

    /// Gives the table's columns types that keep all of a file's values.
    /// Answers the types that stay nevertheless.
    pub(crate) async fn widen(
        &self,
        file: &PlannedFile,
        contradicted: Vec<Contradiction>,
    ) -> Result<Vec<Contradiction>> {
        let mut upheld = file.upheld.clone();
        if !self.table.is_contradicted(&contradicted).await {
            return Ok(upheld);
        }
        if let Some(sample) = self.look(file, whole(self.settings)).await? {
            upheld.extend(self.table.widen(&file.file, &sample, contradicted).await?);
        }
        Ok(upheld)
    }

    /// Looks at a file; `None` when the run is to end.
    async fn look(&self, file: &PlannedFile, settings: Settings) -> Result<Option<Sample>> {
        let looking = look_at(
            std::slice::from_ref(&file.file),
            &self.decoder.services,
            &settings,
            &self.decoder.format,
            &self.decoder.counter,
        );
        let samples = self.decoder.stop.unless_requested(looking).await.transpose()?;
        Ok(samples.and_then(|samples| samples.into_iter().next()))
    }

    pub(super) fn load_plan(&self, files: &[&PlannedFile], plan: &Arc<TablePlan>) -> LoadPlan {
        LoadPlan {
            load_id: new_load_id(),
            run_id: self.run_id.clone(),
            table: plan.state.name.clone(),
            schema: plan.schema.clone(),
            mode: LoadMode::Append,
            files: files.iter().map(|file| self.load_file(file)).collect(),
        }
    }

    /// Whether no other file could be loaded or settled for this error: the
    /// destination is out of reach, or busy with others.
    pub(super) async fn ends_the_run(&self, error: &Error, plan: &Arc<TablePlan>) -> bool {
        match error.kind() {
            ErrorKind::InvalidConfig => true,
            ErrorKind::Unavailable => {
                self.decoder.stop.is_requested() || !self.takes_loads(plan).await
            }
            _ => false,
        }
    }

    /// Whether the table takes a load, which is one of no files.
    async fn takes_loads(&self, plan: &Arc<TablePlan>) -> bool {
        match self.destination.begin(self.load_plan(&[], plan)).await {
            Ok(Begun::Ready { load, .. }) => load.abort().await.is_ok(),
            Ok(Begun::SchemaChanged) => true,
            Err(_) => false,
        }
    }

    pub(crate) fn load_file(&self, file: &PlannedFile) -> LoadFile {
        LoadFile {
            id: file.id,
            file: file.file.clone(),
            stream: self.stream.name.clone(),
            displaces: file.displaces.clone(),
            only_version: file.only_version,
            again: file.again,
            chunk: file.part.as_ref().map(|part| part.chunk.clone()),
        }
    }
}

/// The good ends, `None` when it is to be planned again, or the first failure.
pub(super) fn good_ends(ids: &[FileId], outcomes: Vec<Outcome>) -> Result<Option<Vec<FileEnd>>> {
    if outcomes.len() != ids.len() {
        return Err(Error::new(ErrorKind::Internal, "a commit answered for other files"));
    }
    let mut ends = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        match outcome {
            Outcome::Committed => ends.push(FileEnd::Committed),
            Outcome::AlreadyLoaded => ends.push(FileEnd::AlreadyLoaded),
            Outcome::SchemaChanged | Outcome::Overtaken => return Ok(None),
            Outcome::Failed(error) => return Err(error),
        }
    }
    Ok(Some(ends))
}

/// The same, with files looked at to their ends: in constant memory.
fn whole(settings: Settings) -> Settings {
    Settings { sample: SampleLimits { bytes: usize::MAX, rows: usize::MAX }, ..settings }
}

/// A name for a transaction, unlike any other.
pub(crate) fn new_load_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}
