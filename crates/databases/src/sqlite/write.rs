//! Writing rows into the open transaction.
//!
//! A batch goes in at once where SQLite can fetch its rows, and row by row
//! where it cannot: where triggers look at each row, where a value must be
//! refused, where the numbers of the rows are kept. Both put the same rows in
//! and refuse the same row with the same words.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use decant_core::destination::{Part, RefusedRow, Writer};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::FileId;
use decant_core::reject::Reject;
use rusqlite::{CachedStatement, Connection};

use super::bind::{ReadyColumn, TargetColumn, Values};
use super::connect::blocking;
use super::error::explain;
use super::feed;
use super::late::Numbers;
use super::load::{Session, SharedSession};
use super::rejects;
use super::tolerate;
use super::type_table::SQLITE;

/// Takes the rows of a load.
pub(super) struct SqliteWriter {
    session: SharedSession,
    target: Option<Arc<Target>>,
    part: Part,
}

/// Where the rows of the current file go.
struct Target {
    file: FileId,
    /// Inserts one row, whose values are bound.
    insert: String,
    /// Inserts a batch, whose rows are fetched.
    insert_batch: Option<String>,
    columns: Vec<TargetColumn>,
}

/// What became of a batch of which rows may be refused.
struct Tolerated {
    rows: u64,
    refused: Vec<RefusedRow>,
    /// The rows that went in, and the numbers that SQLite gave them.
    numbers: Vec<(usize, i64)>,
}

impl SqliteWriter {
    /// A writer into the session's transaction.
    pub(super) fn new(session: SharedSession) -> Self {
        Self { session, target: None, part: Part { rows: 0, rejects: 0, payload: String::new() } }
    }

    fn target(&self) -> Result<Arc<Target>> {
        self.target.clone().ok_or_else(|| {
            Error::new(ErrorKind::Internal, "rows came before the file that they belong to")
        })
    }

    /// Runs `work` on the load's transaction; an error ends the load.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut session = Arc::clone(&self.session).lock_owned().await;
        blocking(move || {
            let answer = work(&mut session);
            if answer.is_err() {
                session.roll_back();
            }
            answer
        })
        .await
    }
}

#[async_trait]
impl Writer for SqliteWriter {
    async fn start_file(&mut self, file: FileId, columns: &[usize]) -> Result<()> {
        let columns = columns.to_vec();
        let target = self.run(move |session| Target::new(session, file, &columns)).await?;
        self.target = Some(Arc::new(target));
        Ok(())
    }

    async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        let target = self.target()?;
        let rows = self
            .run(move |session| {
                let before = session.rows_of(target.file);
                let written = target.write(session.connection()?, &batch);
                let rows = written.map_err(|error| blame(error, target.file, before))?;
                session.count_rows(target.file, rows);
                Ok(rows)
            })
            .await?;
        self.part.rows += rows;
        Ok(())
    }

    async fn write_tolerantly(&mut self, batch: RecordBatch) -> Result<Vec<RefusedRow>> {
        let target = self.target()?;
        let (rows, refused) = self
            .run(move |session| {
                session.check_foreign_keys_at_once()?;
                let numbers = session.late.numbers();
                let written = target.write_tolerantly(session.connection()?, &batch, numbers)?;
                let Tolerated { rows, refused, numbers } = written;
                session.late.keep(target.file, batch.num_rows(), &numbers);
                session.count_rows(target.file, rows);
                Ok((rows, refused))
            })
            .await?;
        self.part.rows += rows;
        Ok(refused)
    }

    async fn refused_late(&mut self) -> Result<Vec<(FileId, RefusedRow)>> {
        self.run(|session| session.late.refused(session.connection()?, &session.plan().table.name))
            .await
    }

    async fn write_rejects(&mut self, rejects: Vec<Reject>) -> Result<()> {
        let target = self.target()?;
        self.part.rejects += rejects.len() as u64;
        self.run(move |session| {
            rejects::insert(session.connection()?, session.sql(), target.file, &rejects)?;
            session.count_rejects(target.file, rejects.len() as u64);
            Ok(())
        })
        .await
    }

    async fn finish(self: Box<Self>) -> Result<Part> {
        Ok(self.part)
    }
}

impl Target {
    fn new(session: &Session, file: FileId, columns: &[usize]) -> Result<Self> {
        session.check_claimed(file)?;
        let columns = columns
            .iter()
            .map(|position| session.target_column(*position))
            .collect::<Result<Vec<_>>>()?;
        let insert = insert_statement(session, &columns);
        let insert_batch = session.takes_batches().then(|| insert_batch(session, &columns));
        Ok(Self { file, insert, insert_batch: insert_batch.flatten(), columns })
    }

    /// Inserts every row of `batch` and answers how many SQLite took.
    fn write(&self, connection: &Connection, batch: &RecordBatch) -> Result<u64> {
        let values = self.values(batch)?;
        let rows = batch.num_rows();
        if let Some((insert, columns)) = self.ready(&values) {
            return feed::insert(connection, insert, columns, rows);
        }
        let mut statement = connection.prepare_cached(&self.insert).map_err(explain)?;
        insert_rows(&mut statement, &values, 0..rows, &mut |_| {})
    }

    /// Inserts the rows that SQLite takes.
    fn write_tolerantly(
        &self,
        connection: &Connection,
        batch: &RecordBatch,
        numbers: Numbers,
    ) -> Result<Tolerated> {
        let values = self.values(batch)?;
        let mut ready = match numbers {
            Numbers::Kept => None,
            Numbers::Left => self.ready(&values),
        };
        let mut statement = connection.prepare_cached(&self.insert).map_err(explain)?;
        let mut numbers = Vec::new();
        let (rows, refused) = tolerate::insert(connection, batch.num_rows(), &mut |rows| {
            if let Some((insert, columns)) = ready.take() {
                return feed::insert(connection, insert, columns, rows.len());
            }
            let before = numbers.len();
            let inserted = insert_rows(&mut statement, &values, rows, &mut |row| {
                numbers.push((row, connection.last_insert_rowid()));
            });
            if inserted.is_err() {
                numbers.truncate(before);
            }
            inserted
        })?;
        Ok(Tolerated { rows, refused, numbers })
    }

    /// The statement that fetches a batch, and its columns; `None` where rows
    /// must go in one by one.
    fn ready(&self, values: &[Values<'_>]) -> Option<(&str, Vec<ReadyColumn>)> {
        let insert = self.insert_batch.as_deref()?;
        let columns = values.iter().map(Values::ready).collect::<Option<_>>()?;
        Some((insert, columns))
    }

    fn values<'a>(&'a self, batch: &'a RecordBatch) -> Result<Vec<Values<'a>>> {
        if batch.num_columns() != self.columns.len() {
            let message = format!(
                "{} columns were announced, {} came",
                self.columns.len(),
                batch.num_columns()
            );
            return Err(Error::new(ErrorKind::Internal, message));
        }
        self.columns
            .iter()
            .zip(batch.columns())
            .map(|(column, array)| Values::new(column, array.as_ref()))
            .collect()
    }
}

/// Says which row of the file was refused, `before` of which went in before
/// its batch.
fn blame(error: Error, file: FileId, before: u64) -> Error {
    match error.fact("row_of_batch").and_then(|row| row.parse::<u64>().ok()) {
        Some(row) => {
            error.with("file_id", file.to_string()).with("row", (before + row + 1).to_string())
        }
        None => error,
    }
}

fn insert_statement(session: &Session, columns: &[TargetColumn]) -> String {
    let into = insert_into(session);
    if columns.is_empty() {
        return format!("{into} DEFAULT VALUES");
    }
    format!(
        "{into} ({}) VALUES ({})",
        SQLITE.quote_list(columns.iter().map(TargetColumn::name)),
        SQLITE.parameters(1, columns.len())
    )
}

fn insert_batch(session: &Session, columns: &[TargetColumn]) -> Option<String> {
    (!columns.is_empty()).then(|| {
        format!(
            "{} ({}) SELECT * FROM {}",
            insert_into(session),
            SQLITE.quote_list(columns.iter().map(TargetColumn::name)),
            feed::table_name(columns.len())
        )
    })
}

fn insert_into(session: &Session) -> String {
    format!("{} INTO {}", session.insert_words(), SQLITE.quote_table(&session.plan().table))
}

fn insert_rows(
    statement: &mut CachedStatement<'_>,
    values: &[Values<'_>],
    rows: Range<usize>,
    done: &mut dyn FnMut(usize),
) -> Result<u64> {
    let mut scratch = Vec::new();
    let mut inserted = 0;
    for row in rows {
        for (position, column) in values.iter().enumerate() {
            column.bind(statement, position + 1, row, &mut scratch)?;
        }
        let executed = statement.raw_execute().map_err(explain);
        inserted += executed.map_err(|error| error.with("row_of_batch", row.to_string()))? as u64;
        done(row);
    }
    Ok(inserted)
}

#[cfg(test)]
mod tests;
