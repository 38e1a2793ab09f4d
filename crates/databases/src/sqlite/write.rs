//! Writing rows into the open transaction.

use std::sync::Arc;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use decant_core::destination::{Part, Writer};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::FileId;
use decant_core::reject::Reject;
use rusqlite::{CachedStatement, Connection};

use super::bind::{TargetColumn, Values};
use super::connect::blocking;
use super::error::explain;
use super::load::{Session, SharedSession};
use super::rejects;
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
    insert: String,
    columns: Vec<TargetColumn>,
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
                let rows = target.write(session.connection()?, &batch)?;
                session.count_rows(target.file, rows);
                Ok(rows)
            })
            .await?;
        self.part.rows += rows;
        Ok(())
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
        let schema = &session.plan().schema.columns;
        let columns = columns
            .iter()
            .map(|&position| {
                let column = schema.get(position).ok_or_else(|| {
                    let message = format!("the plan's schema has no column {position}");
                    Error::new(ErrorKind::Internal, message)
                })?;
                TargetColumn::new(column)
            })
            .collect::<Result<Vec<_>>>()?;
        let insert = insert_statement(session, &columns);
        Ok(Self { file, insert, columns })
    }

    /// Inserts every row of `batch` and answers how many SQLite took.
    fn write(&self, connection: &Connection, batch: &RecordBatch) -> Result<u64> {
        if batch.num_columns() != self.columns.len() {
            let message = format!(
                "{} columns were announced, {} came",
                self.columns.len(),
                batch.num_columns()
            );
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let values = self
            .columns
            .iter()
            .zip(batch.columns())
            .map(|(column, array)| Values::new(column, array.as_ref()))
            .collect::<Result<Vec<_>>>()?;
        let mut statement = connection.prepare_cached(&self.insert).map_err(explain)?;
        insert_rows(&mut statement, &values, batch.num_rows())
    }
}

fn insert_statement(session: &Session, columns: &[TargetColumn]) -> String {
    let table = SQLITE.quote_table(&session.plan().table);
    if columns.is_empty() {
        return format!("INSERT INTO {table} DEFAULT VALUES");
    }
    format!(
        "INSERT INTO {table} ({}) VALUES ({})",
        SQLITE.quote_list(columns.iter().map(TargetColumn::name)),
        SQLITE.parameters(1, columns.len())
    )
}

fn insert_rows(
    statement: &mut CachedStatement<'_>,
    values: &[Values<'_>],
    rows: usize,
) -> Result<u64> {
    let mut scratch = String::new();
    let mut inserted = 0;
    for row in 0..rows {
        for (position, column) in values.iter().enumerate() {
            column.bind(statement, position + 1, row, &mut scratch)?;
        }
        inserted += statement.raw_execute().map_err(explain)? as u64;
    }
    Ok(inserted)
}
