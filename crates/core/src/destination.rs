//! Destinations: what holds tables.
//!
//! One door for databases and lakes, one connection and many, one process and
//! a coordinator with executors. The life of rows:
//!
//! ```text
//! destination.begin(plan) -> load
//! load.writer()           -> writer        as many as the capabilities allow
//! writer.start_file, write*, write_rejects*, finish -> part
//! load.commit(parts, totals)               rows, rejects, ledger rows: at once or not at all
//! ```

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::file::{FileId, FileVersion};
use crate::ledger::Ledger;
use crate::reject::Reject;
use crate::schema::{Column, ColumnType, TableName, TableSchema};

/// How a destination keeps exact decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalSupport {
    /// Any precision and scale, each value its own (`numeric`).
    Unbounded,
    /// A declared precision and scale.
    Bounded,
    /// Not at all: doubles or text.
    None,
}

/// What a destination can do, as plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The scheme of its URLs, for messages.
    pub name: &'static str,
    /// Whether `CREATE` and `ALTER` can be rolled back.
    pub transactional_ddl: bool,
    /// Whether the rows of one file can be deleted.
    pub remove_by_file: bool,
    /// Loads that make progress at the same time.
    pub concurrent_loads: usize,
    /// Longest identifier, in bytes of UTF-8.
    pub identifier_bytes_max: usize,
    /// Exact decimals.
    pub decimal: DecimalSupport,
    /// Whether tables live in schemas.
    pub schemas: bool,
}

/// A table as the catalogue has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableState {
    /// The qualified name: where the table is, or where it would be created.
    pub name: TableName,
    /// Its columns; `None` when there is no such table.
    pub schema: Option<TableSchema>,
    /// Whether decant created it, and so may add columns to it.
    pub created_by_decant: bool,
}

/// An additive change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableChange {
    /// Creates the table (and its database schema), with an index on
    /// `_file_id` where it has that column. A table that exists is left as
    /// it is.
    Create {
        /// The qualified name.
        table: TableName,
        /// Columns with their types; `_file_id` among them if wanted.
        columns: Vec<Column>,
    },
    /// Adds nullable columns; those that exist are left as they are.
    AddColumns {
        /// The qualified name.
        table: TableName,
        /// Columns to add.
        columns: Vec<Column>,
    },
    /// Gives columns wider types that keep every value that is in them.
    ///
    /// `SchemaMismatch` with the fact `column` when a value would not survive
    /// (nothing is changed then), or when something blocks the change: a
    /// view, a lock; the statement is in the hint.
    Widen {
        /// The qualified name.
        table: TableName,
        /// Columns by their names in the table, with their new types.
        columns: Vec<(String, ColumnType)>,
    },
}

impl TableChange {
    /// The table that it changes.
    pub fn table(&self) -> &TableName {
        match self {
            Self::Create { table, .. }
            | Self::AddColumns { table, .. }
            | Self::Widen { table, .. } => table,
        }
    }
}

/// What a load does to the table's other rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadMode {
    /// Nothing, but for the files that are displaced.
    Append,
    /// All of them go, with the rejects of their files, and the ledger rows
    /// of the table that are `loaded` and not of this load become
    /// `superseded`.
    Replace,
    /// Mended rejects join the rows of files that are `loaded` already: their
    /// ledger rows are locked, not claimed, and keep who loaded them and when.
    /// `rows_copied` grows by the rows written, `rows_rejected` by the rejects
    /// written (of what is still bad) less those settled, the checksum by that
    /// of the rows written. When a file is no longer `loaded`, `begin` fails
    /// with `Conflict`.
    Replay,
}

/// One file of a load.
#[derive(Clone, Debug)]
pub struct LoadFile {
    /// Its id in the table.
    pub id: FileId,
    /// The file version.
    pub file: FileVersion,
    /// The stream.
    pub stream: String,
    /// Other files whose rows and rejects go and whose ledger rows become
    /// `superseded`: older versions of the key.
    pub displaces: Vec<FileId>,
    /// Whether no other version of its key and member may be loaded in the
    /// table once this one is: where the ledger has one as `loaded` that
    /// `displaces` does not name, somebody has overtaken the plan. Of such
    /// files a plan has one version at most. A replace does not ask.
    pub only_version: bool,
    /// Whether it is loaded although the ledger has it as `loaded`: its rows
    /// are deleted first. Without it a loaded file answers `AlreadyLoaded`.
    pub again: bool,
    /// The part of it that is loaded, where it is committed in several.
    pub chunk: Option<Chunk>,
}

/// A part of a file that is committed by itself, in a load of its own that
/// appends to a table with `_file_id`.
///
/// The file's ledger row is `loading` from its first chunk on. The commit
/// that completes the file's bytes makes it `loaded`, with the sums of all
/// chunks. A chunk that is in already is `AlreadyLoaded`, whoever loaded it.
/// Chunks of one file that overlap without being the same are a `Conflict`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its bytes in the file as it is stored; not empty.
    pub bytes: Range<u64>,
    /// How large the chunks of the file were to be.
    pub chunk_bytes: u64,
    /// With it the file is claimed as one that is loaded whole: what it
    /// displaces goes, and what was in of it too, unless the ledger has it as
    /// `loading` and it is not loaded `again`. Without it, as `loading` is the
    /// only state in which the chunk joins others, a file that is not (any
    /// more) is overtaken.
    pub opens: bool,
}

/// What a load is going to do. Made by planning, checked again under the
/// table's lock.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// Names this transaction in the ledger, and nowhere else.
    pub load_id: String,
    /// Names the run in the ledger.
    pub run_id: String,
    /// The qualified name.
    pub table: TableName,
    /// The schema that the plan was made for.
    pub schema: TableSchema,
    /// What happens to the other rows.
    pub mode: LoadMode,
    /// Its files. Their order is that of the writers; claims are taken in id
    /// order, whatever it is.
    pub files: Vec<LoadFile>,
}

impl LoadPlan {
    /// The chunk that it brings, with its file.
    ///
    /// # Errors
    ///
    /// `Internal` for a chunk among other files, in another mode than
    /// `Append`, outside of its file, or in a table without `_file_id`.
    pub fn chunk(&self) -> Result<Option<(&LoadFile, &Chunk)>> {
        let mut chunks = self.files.iter().filter_map(|file| Some((file, file.chunk.as_ref()?)));
        let Some((file, chunk)) = chunks.next() else { return Ok(None) };
        let Range { start, end } = chunk.bytes;
        let is_within = start < end && end <= file.file.size;
        let is_alone = self.files.len() == 1 && self.mode == LoadMode::Append;
        match is_within && is_alone && self.schema.has_file_id() {
            true => Ok(Some((file, chunk))),
            false => {
                let message = format!("bytes {start} to {end} of {} are no chunk", file.file);
                Err(Error::new(ErrorKind::Internal, message))
            }
        }
    }
}

/// How a load began.
pub enum Begun {
    /// Rows may be written.
    Ready {
        /// The open load.
        load: Box<dyn Load>,
        /// Files that somebody loaded meanwhile: `AlreadyLoaded`, and not to
        /// be written.
        already_loaded: Vec<FileId>,
        /// Files of which somebody loaded another version meanwhile
        /// ([`LoadFile::only_version`]): not to be written, to be planned
        /// again. Nothing of theirs was changed.
        overtaken: Vec<FileId>,
    },
    /// The table is no longer what the plan was made for: plan again.
    /// Nothing was changed.
    SchemaChanged,
}

/// A database or a lake.
#[async_trait]
pub trait Destination: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> &Capabilities;

    /// The table's state, with its name qualified as the catalogue would.
    /// Changes nothing. `InvalidConfig` for a table of the destination's own,
    /// such as the ledger, and for a name that two tables answer to.
    async fn describe(&self, table: &TableName) -> Result<TableState>;

    /// Carries out an additive change, under the table's exclusive lock, and
    /// records in CREATE's transaction that decant created the table.
    /// With `only_print` it changes nothing. Answers the statements.
    async fn apply(&self, change: &TableChange, only_print: bool) -> Result<Vec<String>>;

    /// How many rows are in a table; 0 where there is none.
    async fn count_rows(&self, table: &TableName) -> Result<u64>;

    /// Its ledger.
    fn ledger(&self) -> Arc<dyn Ledger>;

    /// Tries whether tables can be made and rows written, and leaves nothing
    /// behind.
    async fn check_write(&self) -> Result<()>;

    /// Begins a load: takes the table's shared lock, compares the schema,
    /// claims the files in id order, waits for whoever holds one, tells those
    /// that were overtaken, deletes the rows that must go. All of it in the
    /// transaction that will commit.
    async fn begin(&self, plan: LoadPlan) -> Result<Begun>;
}

/// What one file brought, as the engine counted it.
#[derive(Clone, Debug, PartialEq)]
pub struct FileTotals {
    /// The file.
    pub id: FileId,
    /// Rows read: those that were filtered, too.
    pub rows_read: u64,
    /// Rows written.
    pub rows_loaded: u64,
    /// Rows rejected.
    pub rows_rejected: u64,
    /// Order-free checksum of the rows written.
    pub rows_checksum: i64,
    /// Seconds since the attempt began.
    pub processing_seconds: f64,
    /// Rejects written with reason `repaired`: their rows are among
    /// `rows_loaded`.
    pub repairs_kept: u64,
    /// How the raw text of its rejects is read again, as JSON: kept in the
    /// ledger row where there are rejects.
    pub layout: Option<String>,
    /// Rejects (ids of `rejected_rows`) that these rows settle; only in a
    /// replay. One that is settled already fails the load with `Conflict`.
    pub settles: Vec<i64>,
}

impl FileTotals {
    /// Rejects written in all: of rows that were rejected, and what repairs
    /// cut off.
    pub fn rejects_written(&self) -> u64 {
        self.rows_rejected.saturating_add(self.repairs_kept)
    }
}

/// What became of a file at commit.
#[derive(Debug)]
pub enum Outcome {
    /// Its rows, rejects and ledger row are visible.
    Committed,
    /// Somebody else loaded it; nothing of this load's is visible.
    AlreadyLoaded,
    /// The table changed under the load; nothing is visible; plan again.
    SchemaChanged,
    /// Another version of this file, or of one beside it, was loaded while the
    /// load was open ([`LoadFile::only_version`]); nothing of the load is
    /// visible; plan again.
    Overtaken,
    /// Nothing of it is visible.
    Failed(Error),
}

/// An open load: rows that nobody sees yet.
#[async_trait]
pub trait Load: Send {
    /// A writer. Destinations whose loads have one connection allow one
    /// writer at a time.
    async fn writer(&mut self) -> Result<Box<dyn Writer>>;

    /// Makes rows, rejects and ledger rows visible in one transaction, and
    /// answers one outcome a file of `totals`, in that order. Looks once more,
    /// so that of two loads that commit versions of one key, however close to
    /// each other, the second is told `Overtaken`. Verifies that
    /// the database took as many rows as the engine counted, else everything
    /// fails with `Internal`. When the connection is lost at COMMIT it asks
    /// the ledger before it answers. Consumes the load, whatever happens.
    async fn commit(
        self: Box<Self>,
        parts: Vec<Part>,
        totals: Vec<FileTotals>,
    ) -> Result<Vec<Outcome>>;

    /// Leaves nothing behind. Dropping a load does the same, later.
    async fn abort(self: Box<Self>) -> Result<()>;
}

/// Takes the rows of a load. After an error only abort is left.
#[async_trait]
pub trait Writer: Send {
    /// Says that what follows is of `file` and fills these columns
    /// (positions in the plan's schema). Columns left out get their default.
    /// May be called again for the same file, with other columns.
    async fn start_file(&mut self, file: FileId, columns: &[usize]) -> Result<()>;

    /// Writes rows: the columns that were announced, in that order, in the
    /// Arrow representation of their types ([`ColumnType::arrow`]).
    async fn write(&mut self, batch: RecordBatch) -> Result<()>;

    /// Writes the rows that the destination takes, and answers those that it
    /// refuses by a rule of its own (a constraint, a trigger, a value out of
    /// range), in the batch's order. An error means that the load is lost.
    ///
    /// A destination that cannot tell rows apart writes all or fails.
    async fn write_tolerantly(&mut self, batch: RecordBatch) -> Result<Vec<RefusedRow>> {
        self.write(batch).await?;
        Ok(Vec::new())
    }

    /// Answers rows that only now, with all others written, turn out to be
    /// refused: with each its file, and as `row` its position among the rows
    /// of that file that were handed over tolerantly, from 0. Asked once,
    /// before `finish`. Where there are any only abort is left: the load
    /// begins again without them.
    async fn refused_late(&mut self) -> Result<Vec<(FileId, RefusedRow)>> {
        Ok(Vec::new())
    }

    /// Writes rejects of the current file.
    async fn write_rejects(&mut self, rejects: Vec<Reject>) -> Result<()>;

    /// Ends the writing.
    async fn finish(self: Box<Self>) -> Result<Part>;
}

/// A row that the destination refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// The row's position in the batch; of what is refused late, in the file.
    pub row: usize,
    /// The constraint's name, where the database said it.
    pub constraint: Option<String>,
    /// The table's column, where the database said it.
    pub column: Option<String>,
    /// What the database said.
    pub detail: String,
}

/// What a writer hands to the commit: plain data that can travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Rows that the destination says it took.
    pub rows: u64,
    /// Rejects that it took.
    pub rejects: u64,
    /// The destination's own: a staging table, object names, nothing.
    pub payload: String,
}
