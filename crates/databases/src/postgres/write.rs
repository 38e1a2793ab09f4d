//! Takes the rows of a load: straight into its transaction, by COPY.
//!
//! While it is open the writer has the load's connection; `finish` hands it
//! back. A writer that fails or is dropped closes the connection, so that the
//! database forgets everything.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use async_trait::async_trait;
use decant_core::destination::{Part, RefusedRow, Writer};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::FileId;
use decant_core::reject::Reject;
use decant_core::schema::{Column, TableName};

use super::copy::{Copy, CopyColumn};
use super::held::{Held, PASSES_MAX};
use super::ledger::LedgerTables;
use super::pool::Lease;
use super::rejects;
use super::tolerate::{Constraints, Order, Tolerant, constraints_of};
use super::type_table::Encoding;

/// Rejects are held back until so many bytes of them are there: writing them
/// ends the COPY.
const REJECT_BYTES_MAX: usize = 1 << 20;
const REJECT_OVERHEAD_BYTES: usize = 64;

/// Where a load keeps its connection while no writer has it.
pub(crate) type Slot = Arc<Mutex<Option<Lease>>>;

/// Takes the connection out of its slot.
pub(crate) fn take(slot: &Slot) -> Option<Lease> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// What a writer knows of its table.
pub(crate) struct Target {
    pub(crate) table: TableName,
    pub(crate) columns: Vec<Column>,
    /// How the values of each column are written; `None` where they cannot be.
    pub(crate) encodings: Vec<Option<Encoding>>,
}

/// The one writer of a load.
pub(crate) struct PostgresWriter {
    slot: Slot,
    lease: Lease,
    target: Arc<Target>,
    ledger: Arc<LedgerTables>,
    file: Option<FileId>,
    /// Rows of it that were written.
    rows_of_file: u64,
    columns: Vec<usize>,
    copy: Option<Copy>,
    rejects: Vec<(FileId, Reject)>,
    reject_bytes: usize,
    /// The table's constraints, where rows may be refused.
    constraints: Option<Constraints>,
    /// Rows of the file that were handed over to be refused.
    handed: usize,
    held: Held,
    part: Part,
}

impl PostgresWriter {
    /// Takes the connection from `slot`.
    pub(crate) fn begin(
        slot: &Slot,
        target: &Arc<Target>,
        ledger: &Arc<LedgerTables>,
    ) -> Result<Self> {
        let lease = take(slot).ok_or_else(|| {
            Error::new(ErrorKind::Internal, "a load of Postgres has one writer at a time")
        })?;
        Ok(Self {
            slot: Arc::clone(slot),
            lease,
            target: Arc::clone(target),
            ledger: Arc::clone(ledger),
            file: None,
            rows_of_file: 0,
            columns: Vec::new(),
            copy: None,
            rejects: Vec::new(),
            reject_bytes: 0,
            constraints: None,
            handed: 0,
            held: Held::default(),
            part: Part { rows: 0, rejects: 0, payload: String::new() },
        })
    }

    fn current_file(&self) -> Result<FileId> {
        self.file.ok_or_else(|| {
            Error::new(ErrorKind::Internal, "rows were written before their file was named")
        })
    }

    async fn open_copy(&mut self) -> Result<&mut Copy> {
        if self.copy.as_ref().is_some_and(Copy::is_full) {
            self.end_copy().await?;
        }
        let file = self.current_file()?;
        let copy = match self.copy.take() {
            Some(copy) => copy,
            None => {
                let columns = self.copy_columns()?;
                let mut copy = Copy::begin(&self.lease, &self.target.table, columns).await?;
                copy.start_file(file, self.rows_of_file);
                copy
            }
        };
        Ok(self.copy.insert(copy))
    }

    /// Writes the rows that Postgres takes now; answers how many those are,
    /// and the others.
    async fn write_rows(
        &self,
        file: FileId,
        columns: &[usize],
        batch: &RecordBatch,
        constraints: &Constraints,
        order: Order,
    ) -> Result<(u64, Vec<RefusedRow>)> {
        let columns = columns.iter().map(|position| self.copy_column(*position));
        let tolerant = Tolerant {
            client: &self.lease,
            table: &self.target.table,
            columns: columns.collect::<Result<Vec<_>>>()?,
            file,
            constraints,
            order,
        };
        tolerant.write(batch).await
    }

    fn copy_columns(&self) -> Result<Vec<CopyColumn>> {
        self.columns.iter().map(|position| self.copy_column(*position)).collect()
    }

    fn copy_column(&self, position: usize) -> Result<CopyColumn> {
        let column = self.target.columns.get(position).ok_or_else(|| {
            let message = format!("the table has no column number {position}");
            Error::new(ErrorKind::Internal, message)
        })?;
        let encoding = self.target.encodings.get(position).copied().flatten().ok_or_else(|| {
            let message = format!(
                "column `{}` is {}, which decant cannot fill",
                column.name, column.declared
            );
            Error::new(ErrorKind::Unsupported, message)
                .with_hint("leave the column out with --select, or load into another table")
        })?;
        Ok(CopyColumn { name: column.name.clone(), encoding })
    }

    /// Says which row of the file was refused before it was sent.
    fn blame(&self, error: Error) -> Error {
        let row = error.fact("batch_row").and_then(|row| row.parse::<u64>().ok());
        match (row, self.file) {
            (Some(row), Some(file)) => error
                .with("file_id", file.to_string())
                .with("row", (self.rows_of_file + row + 1).to_string()),
            _ => error,
        }
    }

    async fn end_copy(&mut self) -> Result<()> {
        if let Some(copy) = self.copy.take() {
            self.part.rows += copy.finish().await?;
        }
        Ok(())
    }

    async fn flush_rejects(&mut self) -> Result<()> {
        if self.rejects.is_empty() {
            return Ok(());
        }
        self.end_copy().await?;
        rejects::insert(&self.lease, &self.ledger.sql, &self.rejects).await?;
        self.part.rejects += self.rejects.len() as u64;
        self.rejects.clear();
        self.reject_bytes = 0;
        Ok(())
    }
}

#[async_trait]
impl Writer for PostgresWriter {
    async fn start_file(&mut self, file: FileId, columns: &[usize]) -> Result<()> {
        if self.columns != columns {
            self.end_copy().await?;
            self.columns = columns.to_vec();
        }
        if self.file.replace(file) != Some(file) {
            self.rows_of_file = 0;
            self.handed = 0;
        }
        if let Some(copy) = &mut self.copy {
            copy.start_file(file, self.rows_of_file);
        }
        Ok(())
    }

    async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.open_copy().await?.write(&batch).await.map_err(|error| self.blame(error))?;
        self.rows_of_file += batch.num_rows() as u64;
        Ok(())
    }

    async fn write_tolerantly(&mut self, batch: RecordBatch) -> Result<Vec<RefusedRow>> {
        if batch.num_rows() == 0 {
            return Ok(Vec::new());
        }
        self.end_copy().await?;
        let constraints = match self.constraints.take() {
            Some(constraints) => constraints,
            None => constraints_of(&self.lease, &self.target.table).await?,
        };
        let (file, columns) = (self.current_file()?, self.columns.clone());
        let (rows, refused) =
            self.write_rows(file, &columns, &batch, &constraints, Order::Forwards).await?;
        self.part.rows += rows;
        let refused =
            self.held.keep((file, &columns), &batch, self.handed, refused, &constraints)?;
        self.handed += batch.num_rows();
        self.constraints = Some(constraints);
        Ok(refused)
    }

    async fn refused_late(&mut self) -> Result<Vec<(FileId, RefusedRow)>> {
        let Some(constraints) = self.constraints.take() else { return Ok(Vec::new()) };
        self.end_copy().await?;
        let mut groups = self.held.take();
        for pass in 0..PASSES_MAX {
            let order = if pass % 2 == 0 { Order::Backwards } else { Order::Forwards };
            let mut written = 0;
            groups.reverse();
            for group in &mut groups {
                let (rows, refused) = self
                    .write_rows(group.file, &group.columns, &group.batch, &constraints, order)
                    .await?;
                written += rows;
                group.keep(&refused)?;
            }
            groups.retain(|group| group.batch.num_rows() > 0);
            self.part.rows += written;
            if groups.is_empty() || written == 0 {
                break;
            }
        }
        self.constraints = Some(constraints);
        let refused = groups.into_iter().flat_map(|group| {
            let file = group.file;
            group.refused.into_iter().map(move |row| (file, row))
        });
        Ok(refused.collect())
    }

    async fn write_rejects(&mut self, rejects: Vec<Reject>) -> Result<()> {
        let file = self.current_file()?;
        for reject in rejects {
            self.reject_bytes += reject.raw.len() + reject.detail.len() + REJECT_OVERHEAD_BYTES;
            self.rejects.push((file, reject));
        }
        if self.reject_bytes >= REJECT_BYTES_MAX {
            self.flush_rejects().await?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<Part> {
        self.end_copy().await?;
        self.flush_rejects().await?;
        let Self { slot, lease, part, .. } = *self;
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease);
        Ok(part)
    }
}
