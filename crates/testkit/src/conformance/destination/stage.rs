//! One table and a handle, with the short cuts that the properties share.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use decant_core::destination::{
    Begun, Destination, FileTotals, Load, LoadFile, LoadMode, LoadPlan, Outcome, Part, TableChange,
    TableState, Writer,
};
use decant_core::error::{ErrorKind, Result};
use decant_core::file::FileId;
use decant_core::ledger::{HistoryFilter, LedgerEntry, Status};
use decant_core::reject::Reject;
use decant_core::schema::{Column, ColumnType, FILE_ID_COLUMN, TableName};

use super::Fixture;
use crate::batches::{self, batch, batch_of, file_id_column, load_file, plan, totals};

/// The table `orders` with the columns `id`, `note` and `_file_id`. Each row
/// of a file has a note that tells its file and its number.
pub(super) struct Stage<'f> {
    pub(super) fixture: &'f dyn Fixture,
    pub(super) destination: Arc<dyn Destination>,
    pub(super) table: TableState,
}

impl<'f> Stage<'f> {
    pub(super) async fn new(fixture: &'f dyn Fixture) -> Self {
        let columns = [("id", ColumnType::Int64), ("note", ColumnType::Text)];
        Self::with(fixture, "orders", batches::columns(&columns)).await
    }

    /// A table of these columns and `_file_id`.
    pub(super) async fn with(fixture: &'f dyn Fixture, name: &str, columns: Vec<Column>) -> Self {
        Self::on(fixture, fixture.destination().await, name, columns).await
    }

    pub(super) async fn on(
        fixture: &'f dyn Fixture,
        destination: Arc<dyn Destination>,
        name: &str,
        mut columns: Vec<Column>,
    ) -> Self {
        columns.push(file_id_column());
        let name = TableName { schema: None, name: name.to_owned() };
        let table = destination.describe(&name).await.expect("a table that is missing").name;
        let change = TableChange::Create { table: table.clone(), columns };
        destination.apply(&change, false).await.expect("the table is created");
        let table = destination.describe(&table).await.expect("the table that was created");
        Self { fixture, destination, table }
    }

    /// The same table through a handle of its own.
    pub(super) async fn again(&self) -> Stage<'f> {
        Stage {
            fixture: self.fixture,
            destination: self.fixture.destination().await,
            table: self.table.clone(),
        }
    }

    pub(super) fn name(&self) -> String {
        self.table.name.to_string()
    }

    pub(super) fn file(&self, key: &str) -> LoadFile {
        load_file(&self.table.name, batches::file(key))
    }

    pub(super) fn version(&self, key: &str, etag: &str) -> LoadFile {
        load_file(&self.table.name, batches::version(key, etag))
    }

    pub(super) fn plan(&self, files: Vec<LoadFile>) -> LoadPlan {
        plan(&self.table, files)
    }

    /// Positions in the schema of these columns.
    pub(super) fn positions(&self, columns: &[&str]) -> Vec<usize> {
        let schema = self.table.schema.as_ref().expect("the table is there");
        columns.iter().map(|name| schema.position(name).expect("a column of the table")).collect()
    }

    /// Begins a load of files none of which is loaded.
    pub(super) async fn begin(&self, files: &[LoadFile]) -> Box<dyn Load> {
        let (load, already_loaded) = self.begin_plan(self.plan(files.to_vec())).await;
        assert_eq!(already_loaded, [], "files that nobody has loaded");
        load
    }

    pub(super) async fn begin_plan(&self, plan: LoadPlan) -> (Box<dyn Load>, Vec<FileId>) {
        match self.destination.begin(plan).await.expect("the load begins") {
            Begun::Ready { load, already_loaded, overtaken } => {
                assert_eq!(overtaken, [], "files of which the plan knows every version");
                (load, already_loaded)
            }
            Begun::SchemaChanged => panic!("the table did not change since the plan was made"),
        }
    }

    /// Loads files of so many rows each, and expects all to be committed.
    pub(super) async fn load(&self, files: &[LoadFile], rows: u64) {
        self.load_plan(self.plan(files.to_vec()), rows).await;
    }

    pub(super) async fn load_plan(&self, plan: LoadPlan, rows: u64) {
        let files = plan.files.clone();
        let (mut load, already_loaded) = self.begin_plan(plan).await;
        assert_eq!(already_loaded, [], "files that are to be loaded");
        let part = self.write(load.as_mut(), &files, rows).await;
        let outcomes = load.commit(vec![part], totals_of(&files, rows)).await;
        assert_all_committed(&outcomes, files.len());
    }

    pub(super) fn replace(&self, files: &[LoadFile]) -> LoadPlan {
        LoadPlan { mode: LoadMode::Replace, ..self.plan(files.to_vec()) }
    }

    /// Writes so many rows of each file with one writer.
    pub(super) async fn write(&self, load: &mut dyn Load, files: &[LoadFile], rows: u64) -> Part {
        let mut writer = load.writer().await.expect("a writer");
        for file in files {
            self.write_file(writer.as_mut(), file, rows).await;
        }
        writer.finish().await.expect("the part")
    }

    pub(super) async fn write_file(&self, writer: &mut dyn Writer, file: &LoadFile, rows: u64) {
        self.write_rows(writer, file, 1..=rows).await;
    }

    /// Writes the rows of these numbers.
    pub(super) async fn write_rows(
        &self,
        writer: &mut dyn Writer,
        file: &LoadFile,
        rows: std::ops::RangeInclusive<u64>,
    ) {
        let columns = self.positions(&["id", "note", FILE_ID_COLUMN]);
        writer.start_file(file.id, &columns).await.expect("the file is started");
        if !rows.is_empty() {
            writer.write(rows_of(file, rows)).await.expect("the rows are written");
        }
    }

    /// The notes in the table, in order.
    pub(super) async fn notes(&self) -> Vec<String> {
        let rows = self.fixture.rows(&self.table.name, &["note"]).await;
        let mut notes: Vec<String> = rows.into_iter().flatten().flatten().collect();
        notes.sort();
        notes
    }

    pub(super) async fn assert_rows_of(&self, files: &[&LoadFile], rows: u64) {
        let mut expected: Vec<String> =
            files.iter().flat_map(|file| (1..=rows).map(|row| note(file, row))).collect();
        expected.sort();
        assert_eq!(self.notes().await, expected, "the notes in the table");
        let counted = self.fixture.destination().await.count_rows(&self.table.name).await;
        assert_eq!(counted.expect("a count"), expected.len() as u64, "the rows that are counted");
    }

    /// The whole ledger by id, through a new handle.
    pub(super) async fn ledger(&self) -> BTreeMap<FileId, LedgerEntry> {
        let ledger = self.fixture.destination().await.ledger();
        let entries = ledger.history(&HistoryFilter::default()).await.expect("the ledger");
        entries.into_iter().map(|entry| (entry.id, entry)).collect()
    }

    pub(super) async fn assert_status(&self, file: &LoadFile, status: Status, attempts: u32) {
        let ledger = self.ledger().await;
        let entry =
            ledger.get(&file.id).unwrap_or_else(|| panic!("{} is in the ledger", file.file));
        assert_eq!((entry.status, entry.attempts), (status, attempts), "of {}", file.file);
    }

    /// Neither rows nor rejects nor ledger rows.
    pub(super) async fn assert_nothing_is_visible(&self) {
        self.assert_rows_of(&[], 0).await;
        assert_eq!(self.fixture.ledger_rows().await, [], "the rows of the ledger");
        assert_eq!(self.fixture.reject_rows().await, [], "the rejects");
    }

    pub(super) async fn rejects(&self, file: &LoadFile) -> Vec<Reject> {
        let ledger = self.fixture.destination().await.ledger();
        ledger.rejects(file.id).await.expect("the rejects of a file")
    }
}

/// Rows of `file` with these numbers.
pub(super) fn rows_of(file: &LoadFile, numbers: std::ops::RangeInclusive<u64>) -> RecordBatch {
    let numbers: Vec<u64> = numbers.collect();
    let cells: Vec<[String; 3]> = numbers
        .iter()
        .map(|number| [number.to_string(), note(file, *number), file.id.to_string()])
        .collect();
    let rows: Vec<Vec<Option<&str>>> =
        cells.iter().map(|row| row.iter().map(|cell| Some(cell.as_str())).collect()).collect();
    let rows: Vec<&[Option<&str>]> = rows.iter().map(Vec::as_slice).collect();
    let id = ("id", ColumnType::Int64);
    batch(&[id, ("note", ColumnType::Text), (FILE_ID_COLUMN, ColumnType::Int64)], &rows)
}

/// A batch of one column of canonical texts, and `_file_id`.
pub(super) fn rows_of_column(
    file: &LoadFile,
    (name, column_type): (&str, ColumnType),
    numbers: &[Option<&str>],
    values: &[Option<&str>],
) -> RecordBatch {
    let id = file.id.to_string();
    let ids = vec![Some(id.as_str()); values.len()];
    let columns = vec![
        ("number", batches::column(ColumnType::Int64, numbers)),
        (name, batches::column(column_type, values)),
        (FILE_ID_COLUMN, batches::column(ColumnType::Int64, &ids)),
    ];
    batch_of(columns, values.len())
}

/// The note of a file's row.
pub(super) fn note(file: &LoadFile, number: u64) -> String {
    format!("{} {} row {number:03}", file.file.key, file.file.etag)
}

pub(super) fn totals_of(files: &[LoadFile], rows: u64) -> Vec<FileTotals> {
    files.iter().map(|file| totals(file.id, rows)).collect()
}

pub(super) fn assert_all_committed(outcomes: &Result<Vec<Outcome>>, files: usize) {
    let outcomes = outcomes.as_ref().expect("the load is committed");
    assert_eq!(outcomes.len(), files, "one outcome a file: {outcomes:?}");
    let committed = outcomes.iter().all(|outcome| matches!(outcome, Outcome::Committed));
    assert!(committed, "all files are committed: {outcomes:?}");
}

/// Nothing was committed and the reason is of this kind, however it was told.
pub(super) fn assert_all_failed(outcomes: &Result<Vec<Outcome>>, kind: ErrorKind) {
    let failed = match outcomes {
        Err(error) => error.kind() == kind,
        Ok(outcomes) => outcomes
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Failed(error) if error.kind() == kind)),
    };
    assert!(failed, "everything fails with {kind:?}: {outcomes:?}");
}
