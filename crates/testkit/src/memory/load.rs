//! A load: batches and rejects that are gathered, and a commit that makes
//! them visible under one lock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use async_trait::async_trait;
use chrono::Utc;
use decant_core::destination::{
    Begun, FileTotals, Load, LoadFile, LoadMode, LoadPlan, Outcome, Part, Writer,
};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::FileId;
use decant_core::ledger::{LedgerEntry, Status};
use decant_core::reject::Reject;
use decant_core::schema::TableSchema;

use super::chunk::Standing;
use super::ledger::Book;
use super::locks::Lock;
use super::table::{Chunk, fit};
use super::{Contents, MemoryDatabase};

/// Claims the files of a plan whose table is held, and opens the load.
pub(super) async fn begin(
    database: &MemoryDatabase,
    ledger: &str,
    plan: LoadPlan,
    table_lock: Lock,
) -> Result<Begun> {
    let mut locks = vec![table_lock];
    let displaced = plan.files.iter().flat_map(|file| &file.displaces);
    let mut claimed: BTreeSet<FileId> =
        plan.files.iter().map(|file| &file.id).chain(displaced).copied().collect();
    if plan.chunk()?.is_some_and(|(_, chunk)| !chunk.opens) {
        // Chunks of one file are loaded beside each other.
        claimed.clear();
    }
    for file in claimed {
        locks.push(database.shared.locks.claim(ledger, file).await);
    }
    let standing = standing(&database.contents().books, ledger, &plan)?;
    let already_loaded = match plan.mode {
        LoadMode::Replay => {
            let mut contents = database.contents();
            contents.books.entry(ledger.to_owned()).or_default().check_loaded(&plan)?;
            Vec::new()
        }
        _ => already_loaded(&database.contents().books, ledger, &plan, standing)?,
    };
    let already = |file: &LoadFile| already_loaded.contains(&file.id);
    let mut overtaken: Vec<FileId> =
        overtaken(&database.contents().books, ledger, &plan, |file| !already(file));
    if standing == Some(Standing::Overtaken) {
        overtaken = plan.files.iter().map(|file| file.id).collect();
    }
    let load = MemoryLoad {
        database: database.clone(),
        ledger: ledger.to_owned(),
        plan,
        standing,
        already_loaded: already_loaded.clone(),
        overtaken: overtaken.clone(),
        written: Arc::default(),
        writing: Arc::default(),
        _locks: locks,
    };
    Ok(Begun::Ready { load: Box::new(load), already_loaded, overtaken })
}

fn standing(
    books: &BTreeMap<String, Book>,
    ledger: &str,
    plan: &LoadPlan,
) -> Result<Option<Standing>> {
    let Some((file, chunk)) = plan.chunk()? else { return Ok(None) };
    let empty = Book::default();
    books.get(ledger).unwrap_or(&empty).standing(file, chunk).map(Some)
}

/// Those of the plan's files of which another version is loaded that is to
/// stay.
fn overtaken(
    books: &BTreeMap<String, Book>,
    ledger: &str,
    plan: &LoadPlan,
    is_asked: impl Fn(&LoadFile) -> bool,
) -> Vec<FileId> {
    let Some(book) = books.get(ledger) else { return Vec::new() };
    let table = plan.table.to_string();
    let asked = plan.files.iter().filter(|file| file.only_version && is_asked(file));
    let is_overtaken = |file: &&LoadFile| {
        let loaded = book.loaded_versions(&file.file, &table);
        loaded.into_iter().any(|id| id != file.id && !file.displaces.contains(&id))
    };
    match plan.mode {
        LoadMode::Append => asked.filter(is_overtaken).map(|file| file.id).collect(),
        LoadMode::Replace | LoadMode::Replay => Vec::new(),
    }
}

fn already_loaded(
    books: &BTreeMap<String, Book>,
    ledger: &str,
    plan: &LoadPlan,
    standing: Option<Standing>,
) -> Result<Vec<FileId>> {
    let Some(book) = books.get(ledger) else { return Ok(Vec::new()) };
    let mut loaded = Vec::new();
    for file in &plan.files {
        book.check_identity(file.id, &file.file, &plan.table.to_string())?;
        let is_in = match standing {
            Some(standing) => standing == Standing::AlreadyLoaded,
            None => !file.again && book.is_loaded(file.id),
        };
        if is_in {
            loaded.push(file.id);
        }
    }
    Ok(loaded)
}

struct MemoryLoad {
    database: MemoryDatabase,
    ledger: String,
    plan: LoadPlan,
    /// Of a chunk, what it was at the begin.
    standing: Option<Standing>,
    already_loaded: Vec<FileId>,
    overtaken: Vec<FileId>,
    written: Arc<Mutex<Written>>,
    /// Held by the one writer that may be open.
    writing: Arc<()>,
    _locks: Vec<Lock>,
}

/// What the writers of a load have brought.
#[derive(Default)]
struct Written {
    chunks: Vec<Chunk>,
    rejects: BTreeMap<FileId, Vec<Reject>>,
}

#[async_trait]
impl Load for MemoryLoad {
    async fn writer(&mut self) -> Result<Box<dyn Writer>> {
        if Arc::strong_count(&self.writing) > 1 {
            return Err(internal("this load has one writer at a time"));
        }
        let writable = self.plan.files.iter().map(|file| file.id);
        Ok(Box::new(MemoryWriter {
            writable: writable.filter(|id| self.is_loading(*id)).collect(),
            schema: self.plan.schema.clone(),
            current: None,
            part: Part { rows: 0, rejects: 0, payload: String::new() },
            written: Arc::clone(&self.written),
            _writing: Arc::clone(&self.writing),
        }))
    }

    async fn commit(
        self: Box<Self>,
        parts: Vec<Part>,
        totals: Vec<FileTotals>,
    ) -> Result<Vec<Outcome>> {
        let written =
            std::mem::take(&mut *self.written.lock().unwrap_or_else(PoisonError::into_inner));
        check_counts(&parts, &totals)?;
        self.check_files(&totals)?;
        let mut contents = self.database.contents();
        if contents.schema_of(&self.plan.table).as_ref() != Some(&self.plan.schema) {
            return Ok(totals.iter().map(|_| Outcome::SchemaChanged).collect());
        }
        let is_asked = |file: &LoadFile| self.is_loading(file.id);
        if !overtaken(&contents.books, &self.ledger, &self.plan, is_asked).is_empty() {
            return Ok(totals.iter().map(|_| Outcome::Overtaken).collect());
        }
        match standing(&contents.books, &self.ledger, &self.plan)? {
            Some(Standing::AlreadyLoaded) => {
                return Ok(totals.iter().map(|_| Outcome::AlreadyLoaded).collect());
            }
            Some(Standing::Overtaken) => {
                return Ok(totals.iter().map(|_| Outcome::Overtaken).collect());
            }
            Some(Standing::Opens | Standing::Joins) | None => {}
        }
        self.make_visible(&mut contents, written, &totals)?;
        Ok(totals.iter().map(|_| Outcome::Committed).collect())
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

fn check_counts(parts: &[Part], totals: &[FileTotals]) -> Result<()> {
    let taken = (sum(parts, |part| part.rows), sum(parts, |part| part.rejects));
    let counted = (sum(totals, |file| file.rows_loaded), sum(totals, FileTotals::rejects_written));
    if taken == counted {
        return Ok(());
    }
    Err(internal(&format!("(rows, rejects): {counted:?} were counted, {taken:?} were taken")))
}

fn sum<T>(values: &[T], number: fn(&T) -> u64) -> u64 {
    values.iter().map(number).sum()
}

fn internal(message: &str) -> Error {
    Error::new(ErrorKind::Internal, message)
}

impl MemoryLoad {
    fn is_loading(&self, id: FileId) -> bool {
        !self.already_loaded.contains(&id) && !self.overtaken.contains(&id)
    }

    fn check_files(&self, totals: &[FileTotals]) -> Result<()> {
        let is_mine = |id| self.plan.files.iter().any(|file| file.id == id);
        match totals.iter().find(|file| !is_mine(file.id) || !self.is_loading(file.id)) {
            Some(file) => Err(internal(&format!("the load has not claimed file {}", file.id))),
            None => Ok(()),
        }
    }

    fn make_visible(
        &self,
        contents: &mut Contents,
        written: Written,
        totals: &[FileTotals],
    ) -> Result<()> {
        if self.plan.mode == LoadMode::Replay {
            let book = contents.books.entry(self.ledger.clone()).or_default();
            totals.iter().try_for_each(|file| book.check_unsettled(file))?;
        }
        let Some(table) = contents.tables.get_mut(&self.plan.table) else {
            return Err(internal("the table went while it was held"));
        };
        let loading: Vec<&LoadFile> =
            self.plan.files.iter().filter(|file| self.is_loading(file.id)).collect();
        let going: Vec<FileId> = loading
            .iter()
            .flat_map(|file| file.displaces.iter().chain([&file.id]))
            .filter(|id| {
                self.standing != Some(Standing::Joins) || loading.iter().all(|it| it.id != **id)
            })
            .copied()
            .collect();
        match self.plan.mode {
            LoadMode::Replay => {}
            LoadMode::Append => table.delete(&going),
            LoadMode::Replace => table.clear(),
        }
        table.append(written.chunks);
        let book = contents.books.entry(self.ledger.clone()).or_default();
        if self.plan.mode == LoadMode::Replay {
            let mut replays = totals.iter();
            return replays.try_for_each(|file| book.replay(file, written.rejects.get(&file.id)));
        }
        self.settle_others(book, &loading);
        if let (Some(of_file), Some(standing)) = (self.plan.chunk()?, self.standing) {
            for total in totals {
                let rejects = written.rejects.get(&total.id).cloned().unwrap_or_default();
                book.enter(&self.plan, of_file, total, rejects, standing);
            }
            return Ok(());
        }
        for file in totals {
            book.load(self.entry(book, file)?, written.rejects.get(&file.id));
        }
        Ok(())
    }

    fn settle_others(&self, book: &mut Book, loading: &[&LoadFile]) {
        let mut displaced: Vec<FileId> =
            loading.iter().flat_map(|file| file.displaces.clone()).collect();
        if self.plan.mode == LoadMode::Replace {
            let mine = |id: &FileId| loading.iter().any(|file| file.id == *id);
            let others = book.loaded(&self.plan.table.to_string());
            displaced.extend(others.into_iter().filter(|id| !mine(id)));
        }
        for file in displaced {
            book.supersede(file, &self.plan);
        }
    }

    fn entry(&self, book: &Book, totals: &FileTotals) -> Result<LedgerEntry> {
        let Some(file) = self.plan.files.iter().find(|file| file.id == totals.id) else {
            return Err(internal("the totals are of a file that the plan does not have"));
        };
        Ok(LedgerEntry {
            id: file.id,
            file: file.file.clone(),
            target_table: self.plan.table.to_string(),
            stream: file.stream.clone(),
            status: Status::Loaded,
            processed_at: Utc::now(),
            processing_seconds: totals.processing_seconds,
            rows_copied: totals.rows_loaded,
            rows_rejected: totals.rows_rejected,
            rows_checksum: Some(totals.rows_checksum),
            load_id: self.plan.load_id.clone(),
            run_id: self.plan.run_id.clone(),
            attempts: book.attempts(file.id) + 1,
            error: None,
            layout: totals.layout.clone(),
        })
    }
}

struct MemoryWriter {
    writable: Vec<FileId>,
    schema: TableSchema,
    current: Option<(FileId, Vec<usize>)>,
    part: Part,
    written: Arc<Mutex<Written>>,
    _writing: Arc<()>,
}

impl MemoryWriter {
    fn current(&self) -> Result<&(FileId, Vec<usize>)> {
        self.current.as_ref().ok_or_else(|| internal("no file was started"))
    }
}

#[async_trait]
impl Writer for MemoryWriter {
    async fn start_file(&mut self, file: FileId, columns: &[usize]) -> Result<()> {
        if !self.writable.contains(&file) {
            return Err(internal(&format!("the load has not claimed file {file}")));
        }
        self.current = Some((file, columns.to_vec()));
        Ok(())
    }

    async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        let (file, columns) = self.current()?;
        let chunk = Chunk { file: *file, rows: fit(&batch, columns, &self.schema)? };
        self.part.rows += batch.num_rows() as u64;
        self.written.lock().unwrap_or_else(PoisonError::into_inner).chunks.push(chunk);
        Ok(())
    }

    async fn write_rejects(&mut self, rejects: Vec<Reject>) -> Result<()> {
        let file = self.current()?.0;
        self.part.rejects += rejects.len() as u64;
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.rejects.entry(file).or_default().extend(rejects);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Part> {
        Ok(self.part.clone())
    }
}
