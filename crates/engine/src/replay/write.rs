//! One file's rejects: read again, written beside its rows, settled.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use decant_core::destination::{FileTotals, LoadFile, LoadMode, RefusedRow};
use decant_core::ledger::{RejectsFilter, StoredReject};
use decant_core::reject::Reason;
use decant_core::{
    Begun, Error, ErrorKind, FileId, FileVersion, LedgerEntry, Load, LoadPlan, Outcome, Receipt,
    Reject, Result, TableName, Writer,
};

use super::relabelled::{Place as RowPlace, Relabelled};
use super::{Batch, OneDocument, Reading, Replay, ReplayDoors};
use crate::decode::{Decoder, WholeFile};
use crate::file_progress::{RepairCounts, Undecoded};
use crate::held::Held;
use crate::ingest::{Ingest, PlannedFile, new_load_id};
use crate::pipeline::Run;
use crate::report::Replayed;
use crate::retry::Retry;
use crate::tables::{NoTable, Place, Table, TablePlan};

/// How often a batch begins again because something changed under it.
const ROUNDS_MAX: usize = 8;
/// Rows that are still bad and named in the report at most, for each batch.
const TOLD_MAX: usize = 20;

/// A row that loads.
struct Mended {
    reject: StoredReject,
    columns: Vec<usize>,
    batches: Vec<RecordBatch>,
    totals: FileTotals,
    repairs: RepairCounts,
}

/// What reading brought: rows that load (or are filtered), and rows that are
/// still bad, with why.
#[derive(Default)]
struct Read {
    mended: Vec<Mended>,
    still_bad: Vec<(StoredReject, String)>,
}

/// How one try at a transaction ended.
enum Tried {
    /// These rows are in; the database refused the others.
    Committed(Read),
    /// With all others written these are refused, by reject, and why.
    Late(BTreeMap<i64, String>),
    /// The table is not what it was.
    SchemaChanged,
}

impl Run {
    /// Replays rejects of one file in one transaction.
    pub(super) async fn replay_rows(
        &self,
        batch: Batch,
        mut reading: Reading,
        replay: &Replay,
        doors: &ReplayDoors,
    ) -> Result<()> {
        let entry = &batch.entry;
        let given = self.give_types(&mut reading, entry, replay).await?;
        let table = self.table_of(&reading, entry).await?;
        let ingest = self.ingest(&reading.stream, &table);
        if let Some(edits) = &replay.edits {
            self.follow_header(&ingest, &mut reading, entry, edits, doors).await?;
        }
        let mut rejects = batch.rejects;
        let mut late = BTreeMap::new();
        let mut retry = Retry::until(&self.stop);
        for _ in 0..ROUNDS_MAX {
            let plan = table.plan().await;
            let wider = self.wider(&plan, &reading, &given).await?;
            let wide = wider.plan(&plan);
            let read = self.read_all(&ingest, &wide, &reading, &rejects, replay, doors).await?;
            let read = read.without(&late);
            if replay.dry_run || read.mended.is_empty() {
                self.count_replayed(&wide, &read);
                return Ok(());
            }
            if !wider.is_empty() {
                self.widen_as_given(&table, wider, &entry.file).await?;
                continue;
            }
            match ingest.write_mended(&entry.file, &plan, read).await {
                Ok(Tried::Committed(read)) => {
                    self.count_replayed(&plan, &read);
                    return Ok(());
                }
                Ok(Tried::SchemaChanged) => table.look_again().await?,
                Ok(Tried::Late(refused)) => late.extend(refused),
                // Somebody else settled one of them meanwhile.
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    let open = self.still_open(&entry.id, &rejects).await?;
                    if open.len() == rejects.len() {
                        return Err(error);
                    }
                    rejects = open;
                }
                Err(error) => retry.pause(error).await?,
            }
        }
        Err(Error::new(ErrorKind::Conflict, "its rejects or its table keep changing"))
    }

    /// The table that the rejects of a file go to.
    pub(super) async fn table_of(
        &self,
        reading: &Reading,
        entry: &LedgerEntry,
    ) -> Result<Arc<Table>> {
        let name = TableName::parse(&entry.target_table);
        match self.tables(&reading.stream).place(&name).await? {
            Place::Ready(table) => Ok(table),
            Place::None(name, why) => Err(no_table(&name, &why, &entry.file)),
        }
    }

    async fn read_all(
        &self,
        ingest: &Ingest,
        plan: &Arc<TablePlan>,
        reading: &Reading,
        rejects: &[StoredReject],
        replay: &Replay,
        doors: &ReplayDoors,
    ) -> Result<Read> {
        let mut read = Read::default();
        let layout = Arc::new(reading.layout.clone());
        for stored in rejects {
            let file = &stored.file.file;
            let edited = replay.edits.as_ref().and_then(|edits| edits.text_of(stored));
            let raw = match edited.map(|text| (doors.edited)(file.name(), &layout.options, text)) {
                None => match reading.raw_encoding(&stored.reject) {
                    Some(encoding) => (doors.transcribed)(&stored.reject.raw, encoding)?,
                    None => stored.reject.raw.clone(),
                },
                Some(Ok(raw)) => raw,
                Some(Err(why)) => {
                    read.still_bad.push((stored.clone(), why));
                    continue;
                }
            };
            let (options, bytes) =
                (doors.document)(file.name(), &layout.options, &layout.names, &raw);
            let format = (self.services.format)(file.name(), &options)?;
            let place = RowPlace::of(&stored.reject);
            let format = Relabelled { format, layout: Arc::clone(&layout), place };
            let decoder = one_row(&ingest.decoder, Arc::new(format), bytes.clone());
            let planned = planned(stored);
            let document =
                FileVersion { size: bytes.len() as u64, member: String::new(), ..file.clone() };
            let progress = ingest.progress(&planned);
            match decoder.whole(&document, plan, progress, u64::MAX).await {
                Ok(whole) => read.take(stored.clone(), whole),
                Err(Undecoded::Abandoned) => break,
                Err(undecoded) => read.still_bad.push((stored.clone(), why(undecoded))),
            }
        }
        Ok(read)
    }

    /// Which of these are still open.
    async fn still_open(
        &self,
        file: &FileId,
        rejects: &[StoredReject],
    ) -> Result<Vec<StoredReject>> {
        let ledger = self.services.destination.ledger();
        let mut filter = RejectsFilter {
            file: Some(*file),
            unsettled: true,
            limit: Some(super::PAGE),
            ..RejectsFilter::default()
        };
        let mut open = Vec::new();
        loop {
            let page = ledger.stored_rejects(&filter).await?;
            let Some(last) = page.last() else { return Ok(open) };
            filter.after = Some((last.file.id, last.id));
            let ours = |reject: &StoredReject| rejects.iter().any(|ours| ours.id == reject.id);
            open.extend(page.into_iter().filter(ours));
        }
    }

    fn count_replayed(&self, plan: &TablePlan, read: &Read) {
        let mut replayed = Replayed {
            rows: (read.mended.len() + read.still_bad.len()) as u64,
            rejected: read.still_bad.len() as u64,
            ..Replayed::default()
        };
        for mended in &read.mended {
            replayed.loaded += mended.totals.rows_loaded;
            replayed.repairs.join(mended.repairs);
        }
        self.tally.replayed(&plan.state.name, replayed);
        for (stored, why) in read.still_bad.iter().take(TOLD_MAX) {
            let row = row_of(stored);
            self.tally.note(format!("still bad: {} {row}: {why}", stored.file.file));
        }
        if read.still_bad.len() > TOLD_MAX {
            self.tally.note(format!("and {} more", read.still_bad.len() - TOLD_MAX));
        }
    }
}

impl Read {
    /// Rows that were refused late are still bad.
    fn without(mut self, late: &BTreeMap<i64, String>) -> Self {
        let is_late = |mended: &Mended| late.contains_key(&mended.reject.id);
        let (refused, mended) = self.mended.into_iter().partition(is_late);
        let refused: Vec<Mended> = refused;
        self.still_bad.extend(refused.into_iter().filter_map(|Mended { reject, .. }| {
            let why = late.get(&reject.id)?.clone();
            Some((reject, why))
        }));
        Self { mended, still_bad: self.still_bad }
    }

    fn take(&mut self, stored: StoredReject, whole: WholeFile) {
        // What a repair cut off is in the raw text that stays with the reject.
        let rejects = whole.batches.iter().flat_map(|batch| &batch.rejects);
        let rejected = rejects.into_iter().find(|reject| reject.reason != Reason::Repaired);
        if let Some(Reject { detail, .. }) = rejected {
            self.still_bad.push((stored, detail.clone()));
            return;
        }
        let totals = whole.progress.totals();
        let (rows, repairs) = (whole.progress.rows_read(), whole.progress.repairs());
        if rows != 1 {
            let why = format!("the text holds {rows} rows, not one");
            self.still_bad.push((stored, why));
            return;
        }
        let mut batches = whole.batches;
        batches.retain(|batch| batch.batch.num_rows() > 0);
        let columns = batches.first().map_or_else(Vec::new, |batch| batch.columns.to_vec());
        let batches = batches.into_iter().map(|batch| batch.batch).collect();
        self.mended.push(Mended { reject: stored, columns, batches, totals, repairs });
    }
}

impl Ingest {
    fn replay_plan(&self, id: FileId, file: &FileVersion, plan: &TablePlan) -> LoadPlan {
        LoadPlan {
            load_id: new_load_id(),
            run_id: self.run_id.clone(),
            table: plan.state.name.clone(),
            schema: plan.schema.clone(),
            mode: LoadMode::Replay,
            files: vec![LoadFile {
                id,
                file: file.clone(),
                stream: self.stream.name.clone(),
                displaces: Vec::new(),
                only_version: false,
                again: false,
                chunk: None,
            }],
        }
    }

    async fn write_mended(
        &self,
        file: &FileVersion,
        plan: &Arc<TablePlan>,
        read: Read,
    ) -> Result<Tried> {
        let Read { mended, mut still_bad } = read;
        let Some(first) = mended.first() else {
            return Ok(Tried::Committed(Read { mended, still_bad }));
        };
        let load_plan = self.replay_plan(first.reject.file.id, file, plan);
        let Begun::Ready { mut load, .. } = self.destination.begin(load_plan).await? else {
            return Ok(Tried::SchemaChanged);
        };
        let mut writer = load.writer().await?;
        let mut written = Vec::new();
        let mut columns: Option<Vec<usize>> = None;
        let mut handed = Vec::new();
        for row in mended {
            handed.extend(row.batches.iter().map(|_| row.reject.id));
            match write_row(writer.as_mut(), &row, &mut columns).await {
                Ok(None) => written.push(row),
                Ok(Some(refusal)) => still_bad.push((row.reject, refusal)),
                Err(error) => return given_up(writer, load, error).await,
            }
        }
        if written.is_empty() {
            drop(writer);
            load.abort().await?;
            return Ok(Tried::Committed(Read { mended: written, still_bad }));
        }
        match writer.refused_late().await {
            Ok(late) if late.is_empty() => {}
            Ok(late) => {
                drop(writer);
                load.abort().await?;
                return Ok(Tried::Late(by_reject(late, &handed)));
            }
            Err(error) => return given_up(writer, load, error).await,
        }
        let part = match writer.finish().await {
            Ok(part) => part,
            Err(error) => {
                load.abort().await?;
                return Err(error);
            }
        };
        match load.commit(vec![part], vec![joined(&written)]).await?.pop() {
            Some(Outcome::Committed) => Ok(Tried::Committed(Read { mended: written, still_bad })),
            Some(Outcome::SchemaChanged) => Ok(Tried::SchemaChanged),
            Some(Outcome::Failed(error)) => Err(error),
            Some(Outcome::AlreadyLoaded | Outcome::Overtaken) | None => {
                Err(Error::new(ErrorKind::Internal, "a replay was answered as a load is"))
            }
        }
    }
}

/// Rows that were refused late, by their rejects. `handed` has the reject of
/// each row that was written.
fn by_reject(late: Vec<(FileId, RefusedRow)>, handed: &[i64]) -> BTreeMap<i64, String> {
    let named = late.into_iter().map(|(_, row)| Some((*handed.get(row.row)?, row.detail)));
    named.flatten().collect()
}

async fn given_up(writer: Box<dyn Writer>, load: Box<dyn Load>, error: Error) -> Result<Tried> {
    drop(writer);
    load.abort().await?;
    Err(error)
}

/// Writes one row; what the destination says against it, if it refuses it.
async fn write_row(
    writer: &mut dyn Writer,
    row: &Mended,
    columns: &mut Option<Vec<usize>>,
) -> Result<Option<String>> {
    if columns.as_ref() != Some(&row.columns) && !row.columns.is_empty() {
        writer.start_file(row.reject.file.id, &row.columns).await?;
        *columns = Some(row.columns.clone());
    }
    for batch in &row.batches {
        let refused = writer.write_tolerantly(batch.clone()).await?;
        if let Some(refused) = refused.into_iter().next() {
            return Ok(Some(refused.detail));
        }
    }
    Ok(None)
}

/// What the rows bring together.
fn joined(rows: &[Mended]) -> FileTotals {
    let sum = |of: fn(&FileTotals) -> u64| rows.iter().map(|row| of(&row.totals)).sum();
    FileTotals {
        id: rows.first().map_or(FileId(0), |row| row.reject.file.id),
        rows_read: sum(|totals| totals.rows_read),
        rows_loaded: sum(|totals| totals.rows_loaded),
        rows_rejected: 0,
        rows_checksum: rows
            .iter()
            .fold(0_i64, |sum, row| sum.wrapping_add(row.totals.rows_checksum)),
        processing_seconds: 0.0,
        repairs_kept: 0,
        layout: None,
        settles: rows.iter().map(|row| row.reject.id).collect(),
    }
}

/// The decoder with nothing but one document before it.
pub(super) fn one_row(
    decoder: &Decoder,
    format: Arc<dyn decant_core::Format>,
    bytes: Vec<u8>,
) -> Decoder {
    let mut decoder = decoder.clone();
    decoder.services.store = Arc::new(OneDocument(Held(bytes.into())));
    decoder.services.format = Arc::new(move |_, _| Ok(Arc::clone(&format)));
    decoder
}

fn planned(stored: &StoredReject) -> PlannedFile {
    PlannedFile {
        file: stored.file.file.clone(),
        id: stored.file.id,
        receipt: Receipt::None,
        displaces: Vec::new(),
        only_version: false,
        again: false,
        upheld: Vec::new(),
        part: None,
    }
}

fn why(undecoded: Undecoded) -> String {
    match undecoded {
        Undecoded::Failed(failure) => match failure.rejects.first() {
            Some(reject) => reject.detail.clone(),
            None => failure.error.message().to_owned(),
        },
        Undecoded::NewColumns(new) => {
            let names: Vec<String> = new.iter().map(|new| format!("`{}`", new.source)).collect();
            format!("the table has no column for {}", names.join(", "))
        }
        Undecoded::Contradicted(_) | Undecoded::TooLarge | Undecoded::Abandoned => {
            "it could not be read".to_owned()
        }
    }
}

fn row_of(stored: &StoredReject) -> String {
    match (stored.reject.line, &stored.reject.column) {
        (Some(line), Some(column)) => format!("line {line}, column `{column}`"),
        (Some(line), None) => format!("line {line}"),
        (None, _) => format!("row {}", stored.reject.ordinal),
    }
}

fn no_table(name: &TableName, why: &NoTable, file: &FileVersion) -> Error {
    match why {
        NoTable::Failed(error) => error.told_of(&file.location()),
        NoTable::Empty | NoTable::NoMembers => {
            Error::new(ErrorKind::NotFound, format!("there is no table {name}"))
        }
    }
}
