//! The ledger in SQLite.
//!
//! Moments are ISO 8601 text in UTC with six digits of a second, so that
//! their order as text is their order in time.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDateTime, Utc};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::{FileId, FileVersion};
use decant_core::ledger::{
    HistoryFilter, KeyRange, KnownFile, Ledger, LedgerEntry, LoadedChunk, RejectsFilter,
    Settlement, StoredReject,
};
use decant_core::reject::Reject;
use rusqlite::{Connection, Params, Row, params, params_from_iter};

use super::chunk;
use super::connect::{Connections, blocking};
use super::describe::column_names;
use super::error::explain;
use super::rejects;
use super::transaction::Transaction;
use crate::sql::ledger::{
    Claimed, LedgerSql, META_VERSION, SCHEMA_VERSION, shared_name, status_of,
};

/// Parameters of one statement that deletes by id.
pub(super) const IDS_MAX: usize = 500;
const MOMENT: &str = "%Y-%m-%d %H:%M:%S%.6f+00:00";

/// The ledger as others see it.
pub(crate) struct SqliteLedger {
    connections: Arc<Connections>,
    sql: Arc<LedgerSql>,
}

impl SqliteLedger {
    /// The ledger that `sql` names.
    pub(crate) fn new(connections: Arc<Connections>, sql: Arc<LedgerSql>) -> Self {
        Self { connections, sql }
    }

    /// Runs a query, unless there is no table for it yet.
    async fn query<T: Send + 'static>(
        &self,
        is_there: fn(Tables) -> bool,
        work: impl FnOnce(&Connection, &LedgerSql) -> Result<Vec<T>> + Send + 'static,
    ) -> Result<Vec<T>> {
        let sql = Arc::clone(&self.sql);
        let answer = self.connections.read(move |connection| {
            if is_there(check(connection, &sql)?) { work(connection, &sql) } else { Ok(Vec::new()) }
        });
        Ok(answer.await?.unwrap_or_default())
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn known(&self, range: &KeyRange) -> Result<Vec<KnownFile>> {
        let range = range.clone();
        self.query(has_ledger, move |connection, sql| known(connection, sql, &range)).await
    }

    async fn loaded(&self, table: &str) -> Result<Vec<FileId>> {
        let table = table.to_owned();
        self.query(has_ledger, move |connection, sql| {
            rows(connection, &sql.loaded(), [table], |row| get(row, 0).map(FileId))
        })
        .await
    }

    async fn settle(&self, settlement: &Settlement) -> Result<()> {
        let held = self.connections.writer().await?;
        let (sql, settlement) = (Arc::clone(&self.sql), settlement.clone());
        blocking(move || settle(Transaction::begin(held)?, &sql, &settlement)).await
    }

    async fn chunks(&self, file: FileId) -> Result<Vec<LoadedChunk>> {
        self.query(
            |tables| tables.chunks,
            move |connection, sql| chunk::of_file(connection, sql, file),
        )
        .await
    }

    async fn rejects(&self, file: FileId) -> Result<Vec<Reject>> {
        self.query(
            |tables| tables.rejects,
            move |connection, sql| rejects::of_file(connection, sql, file),
        )
        .await
    }

    async fn stored_rejects(&self, filter: &RejectsFilter) -> Result<Vec<StoredReject>> {
        let filter = filter.clone();
        self.query(
            |tables| tables.ledger && tables.rejects,
            move |connection, sql| rejects::stored(connection, sql, &filter),
        )
        .await
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<Vec<LedgerEntry>> {
        let filter = filter.clone();
        self.query(has_ledger, move |connection, sql| {
            let (statement, parameters) = sql.history(&filter);
            rows(connection, &statement, params_from_iter(parameters), read_entry)
        })
        .await
    }
}

/// Which of the ledger's tables there are.
#[derive(Clone, Copy, Default)]
struct Tables {
    ledger: bool,
    rejects: bool,
    chunks: bool,
    meta: bool,
}

fn has_ledger(tables: Tables) -> bool {
    tables.ledger
}

/// Looks for the ledger's tables. Refuses tables that have their names and
/// are others, and what a newer decant wrote.
fn check(connection: &Connection, sql: &LedgerSql) -> Result<Tables> {
    let mut present = [false; 4];
    for (table, present) in sql.tables().iter().zip(&mut present) {
        let columns = column_names(connection, &table.name)?;
        *present = !columns.is_empty();
        if *present {
            sql.check_columns(table, &columns)?;
        }
    }
    let [ledger, rejects, chunks, meta] = present;
    if meta {
        let read = |row: &Row<'_>| get::<String>(row, 0);
        let versions = rows(connection, &sql.read_meta(), [META_VERSION], read)?;
        versions.iter().try_for_each(|version| sql.check_version(version))?;
    }
    Ok(Tables { ledger, rejects, chunks, meta })
}

/// The rows of a range.
fn known(connection: &Connection, sql: &LedgerSql, range: &KeyRange) -> Result<Vec<KnownFile>> {
    let mut statement = connection.prepare_cached(&sql.known()).map_err(explain)?;
    let KeyRange { source, bucket, first, last } = range;
    let mut rows = statement.query(params![source, bucket, first, last]).map_err(explain)?;
    let mut known = Vec::new();
    while let Some(row) = rows.next().map_err(explain)? {
        known.push(read_known(row, known.last())?);
    }
    Ok(known)
}

fn read_known(row: &Row<'_>, before: Option<&KnownFile>) -> Result<KnownFile> {
    let word = |index| row.get_ref(index).map_err(explain);
    let text = |index| word(index)?.as_str().map_err(|error| explain(error.into()));
    Ok(KnownFile {
        id: FileId(get(row, 0)?),
        key: get(row, 1)?,
        member: get(row, 2)?,
        etag: get(row, 3)?,
        size: unsigned(get(row, 4)?)?,
        target_table: shared_name(before, text(5)?),
        status: status_of(text(6)?)?,
        attempts: get(row, 7)?,
        error: get(row, 8)?,
        rows_checksum: get(row, 9)?,
    })
}

/// Creates what is missing of the ledger. Called inside a transaction.
pub(crate) fn ensure(connection: &Connection, sql: &LedgerSql) -> Result<()> {
    let tables = check(connection, sql)?;
    if tables.ledger && tables.rejects && tables.chunks && tables.meta {
        return Ok(());
    }
    for statement in sql.create() {
        connection.execute_batch(&statement).map_err(explain)?;
    }
    write_meta(connection, sql, META_VERSION, &SCHEMA_VERSION.to_string())?;
    if !tables.ledger {
        execute(connection, &sql.write_epoch(), [sql.meta_epoch()])?;
    }
    Ok(())
}

/// Writes a fact unless it is there.
pub(crate) fn write_meta(
    connection: &Connection,
    sql: &LedgerSql,
    name: &str,
    value: &str,
) -> Result<()> {
    execute(connection, &sql.write_meta(), [name, value]).map(|_| ())
}

/// Who writes to the ledger, and when.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    /// The moment, as the ledger has it.
    pub(crate) now: String,
    /// The transaction.
    pub(crate) load_id: String,
    /// The run.
    pub(crate) run_id: String,
}

/// Claims a file and answers its row.
pub(crate) fn claim(
    connection: &Connection,
    sql: &LedgerSql,
    author: &Author,
    (id, file): (FileId, &FileVersion),
    (table, stream): (&str, &str),
) -> Result<Claimed> {
    let parameters = params![
        id.0,
        file.source,
        file.bucket,
        file.key,
        file.member,
        file.etag,
        signed(file.size)?,
        moment(file.last_modified),
        table,
        stream,
        author.now,
        author.load_id,
        author.run_id,
    ];
    let claimed = rows(connection, &sql.claim(), parameters, read_claimed)?.pop();
    let claimed = claimed
        .ok_or_else(|| Error::new(ErrorKind::Internal, format!("the claim of {file} is lost")))?;
    claimed.check_identity(id, file, table)?;
    tracing::debug!(%file, status = claimed.status, attempts = claimed.attempts, "claimed");
    Ok(claimed)
}

/// The versions of a file's key and member that are loaded.
pub(crate) fn loaded_versions(
    connection: &Connection,
    sql: &LedgerSql,
    file: &FileVersion,
    table: &str,
) -> Result<Vec<FileId>> {
    let parameters = params![file.source, file.bucket, file.key, file.member, table];
    rows(connection, &sql.loaded_versions(), parameters, |row| get(row, 0).map(FileId))
}

/// Marks another file's row `superseded`.
pub(crate) fn supersede(
    connection: &Connection,
    sql: &LedgerSql,
    author: &Author,
    id: FileId,
) -> Result<()> {
    let parameters = params![author.now, author.load_id, author.run_id, id.0];
    execute(connection, &sql.supersede(), parameters).map(|_| ())
}

/// Marks the files that have rows in a table `superseded`, and forgets their
/// rejects and chunks.
pub(crate) fn supersede_table(
    connection: &Connection,
    sql: &LedgerSql,
    author: &Author,
    table: &str,
) -> Result<()> {
    execute(connection, &sql.delete_rejects_of_table(), [table])?;
    execute(connection, &sql.delete_chunks_of_table(), [table])?;
    let parameters = params![author.now, author.load_id, author.run_id, table];
    execute(connection, &sql.supersede_table(), parameters).map(|_| ())
}

/// What a claimed file reached.
pub(crate) struct Finish<'a> {
    /// Its id.
    pub(crate) id: FileId,
    /// The file version.
    pub(crate) file: &'a FileVersion,
    /// The stream.
    pub(crate) stream: &'a str,
    /// Rows written.
    pub(crate) rows_loaded: u64,
    /// Rejects written.
    pub(crate) rows_rejected: u64,
    /// Checksum of the rows written.
    pub(crate) rows_checksum: i64,
    /// Seconds that it took.
    pub(crate) seconds: f64,
    /// How the raw text of its rejects is read again.
    pub(crate) layout: Option<&'a str>,
}

/// Makes a claimed file `loaded`.
pub(crate) fn finish(
    connection: &Connection,
    sql: &LedgerSql,
    author: &Author,
    finish: &Finish<'_>,
) -> Result<()> {
    let parameters = params![
        author.now,
        finish.seconds,
        signed(finish.rows_loaded)?,
        signed(finish.rows_rejected)?,
        finish.rows_checksum,
        author.load_id,
        author.run_id,
        finish.stream,
        moment(finish.file.last_modified),
        finish.id.0,
        finish.layout,
    ];
    match execute(connection, &sql.finish(), parameters)? {
        1 => Ok(()),
        _ => {
            let message = format!("the ledger row of {} is gone", finish.file);
            Err(Error::new(ErrorKind::Internal, message))
        }
    }
}

/// Runs a statement that takes ids, as often as there are too many for one.
pub(crate) fn delete_by_id(
    connection: &Connection,
    files: &[FileId],
    statement: impl Fn(usize) -> String,
) -> Result<()> {
    for chunk in files.chunks(IDS_MAX) {
        let ids = params_from_iter(chunk.iter().map(|file| file.0));
        execute(connection, &statement(chunk.len()), ids)?;
    }
    Ok(())
}

/// A moment as the ledger has it.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.format(MOMENT).to_string()
}

fn settle(transaction: Transaction, sql: &LedgerSql, settlement: &Settlement) -> Result<()> {
    let connection = transaction.connection();
    ensure(connection, sql)?;
    let Settlement { id, file, target_table, .. } = settlement;
    let now = moment(Utc::now());
    let of_loading =
        params![now, settlement.processing_seconds, settlement.run_id, settlement.error, id.0];
    if !rows(connection, &sql.settle_loading(), of_loading, |row| get::<i64>(row, 0))?.is_empty() {
        return transaction.commit();
    }
    let parameters = params![
        id.0,
        file.source,
        file.bucket,
        file.key,
        file.member,
        file.etag,
        signed(file.size)?,
        moment(file.last_modified),
        target_table,
        settlement.stream,
        settlement.status.as_str(),
        now,
        settlement.processing_seconds,
        signed(settlement.rejects.len() as u64)?,
        settlement.run_id,
        settlement.error,
    ];
    let Some(claimed) = rows(connection, &sql.settle(), parameters, read_claimed)?.pop() else {
        return Ok(());
    };
    claimed.check_identity(*id, file, target_table)?;
    rejects::delete(connection, sql, &[*id])?;
    rejects::insert(connection, sql, *id, &settlement.rejects)?;
    transaction.commit()
}

pub(super) fn execute(
    connection: &Connection,
    statement: &str,
    parameters: impl Params,
) -> Result<usize> {
    let mut statement = connection.prepare_cached(statement).map_err(explain)?;
    statement.execute(parameters).map_err(explain)
}

pub(super) fn rows<T>(
    connection: &Connection,
    statement: &str,
    parameters: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(statement).map_err(explain)?;
    let mut rows = statement.query(parameters).map_err(explain)?;
    let mut answer = Vec::new();
    while let Some(row) = rows.next().map_err(explain)? {
        answer.push(read(row)?);
    }
    Ok(answer)
}

pub(super) fn get<T: rusqlite::types::FromSql>(row: &Row<'_>, index: usize) -> Result<T> {
    row.get(index).map_err(explain)
}

pub(super) fn read_claimed(row: &Row<'_>) -> Result<Claimed> {
    Ok(Claimed {
        source: get(row, 0)?,
        bucket: get(row, 1)?,
        key: get(row, 2)?,
        member: get(row, 3)?,
        etag: get(row, 4)?,
        size: get(row, 5)?,
        target_table: get(row, 6)?,
        status: get(row, 7)?,
        attempts: get(row, 8)?,
    })
}

fn read_entry(row: &Row<'_>) -> Result<LedgerEntry> {
    read_entry_from(row, 0)
}

/// Reads a ledger row from the columns from `first` on.
pub(super) fn read_entry_from(row: &Row<'_>, first: usize) -> Result<LedgerEntry> {
    Ok(LedgerEntry {
        id: FileId(get(row, first)?),
        file: read_file(row, first)?,
        target_table: get(row, first + 8)?,
        stream: get(row, first + 9)?,
        status: status_of(&get::<String>(row, first + 10)?)?,
        processed_at: parse_moment(&get::<String>(row, first + 11)?)?,
        processing_seconds: get(row, first + 12)?,
        rows_copied: unsigned(get(row, first + 13)?)?,
        rows_rejected: unsigned(get(row, first + 14)?)?,
        rows_checksum: get(row, first + 15)?,
        load_id: get(row, first + 16)?,
        run_id: get(row, first + 17)?,
        attempts: get(row, first + 18)?,
        error: get(row, first + 19)?,
        layout: get(row, first + 20)?,
    })
}

fn read_file(row: &Row<'_>, first: usize) -> Result<FileVersion> {
    Ok(FileVersion {
        source: get(row, first + 1)?,
        bucket: get(row, first + 2)?,
        key: get(row, first + 3)?,
        member: get(row, first + 4)?,
        etag: get(row, first + 5)?,
        size: unsigned(get(row, first + 6)?)?,
        version_id: None,
        last_modified: parse_moment(&get::<String>(row, first + 7)?)?,
    })
}

pub(super) fn parse_moment(text: &str) -> Result<DateTime<Utc>> {
    let zoned = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%:z").map(|at| at.to_utc());
    let moment = zoned.or_else(|_| {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").map(|at| at.and_utc())
    });
    moment.map_err(|error| {
        Error::new(ErrorKind::Conflict, format!("the ledger has `{text}` for a moment"))
            .caused_by(error)
            .with_hint("write it as `2024-01-02 10:00:00.000000+00:00`")
    })
}

pub(super) fn signed(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| {
        Error::new(ErrorKind::Unsupported, format!("{number} is more than SQLite's integers hold"))
    })
}

pub(super) fn unsigned(number: i64) -> Result<u64> {
    u64::try_from(number).map_err(|_| {
        Error::new(ErrorKind::Conflict, format!("the ledger has {number} where it counts"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::type_table::SQLITE;
    use super::*;

    fn ledger() -> (Connection, LedgerSql) {
        let connection = Connection::open_in_memory().unwrap();
        let sql = LedgerSql::new(&SQLITE, "processed_files").unwrap();
        sql.create().iter().for_each(|statement| connection.execute_batch(statement).unwrap());
        (connection, sql)
    }

    /// How SQLite goes about a statement, a line a step.
    fn plan(connection: &Connection, statement: &str, parameters: &[&str]) -> String {
        let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
        let steps = explained.query_map(params_from_iter(parameters), |row| row.get(3)).unwrap();
        steps.collect::<rusqlite::Result<Vec<String>>>().unwrap().join("\n")
    }

    #[test]
    fn a_member_is_found_without_a_look_at_its_neighbours() {
        let (connection, sql) = ledger();
        let plan = plan(&connection, &sql.loaded_versions(), &[""; 5]);
        let all = "COVERING INDEX processed_files_by_key \
                   (source=? AND bucket=? AND key=? AND member=?)";
        assert!(plan.contains(all), "{plan}");
    }

    #[test]
    fn a_listing_of_what_is_loaded_reads_the_index_alone_and_sorts_nothing() {
        let (connection, sql) = ledger();
        let plan = plan(&connection, &sql.known(), &[""; 4]);
        let range = "SEARCH processed_files USING INDEX processed_files_by_key \
                     (source=? AND bucket=? AND key>? AND key<?)";
        assert_eq!(plan, range);
        // The table's cursor, which is opened first, only answers what went wrong.
        let mut explained = connection.prepare(&format!("EXPLAIN {}", sql.known())).unwrap();
        let read = |row: &Row<'_>| Ok((row.get(1)?, row.get(2)?));
        let steps = explained.query_map([""; 4], read).unwrap();
        let steps = steps.collect::<rusqlite::Result<Vec<(String, i64)>>>().unwrap();
        let of_table = |wanted: &str| {
            steps.iter().filter(|(name, cursor)| name == wanted && *cursor == 0).count()
        };
        assert_eq!((of_table("OpenRead"), of_table("Column"), of_table("Rowid")), (1, 1, 0));
    }
}
