//! One `COPY ... FROM STDIN (FORMAT binary)`: tuples go out in chunks, and the
//! next waits until the connection has taken the last.
//!
//! Postgres answers only at the end of a COPY, errors included. So that a bad
//! row near the start of a huge file is heard of, a COPY ends after
//! [`COPY_BYTES_MAX`] and the writer begins another.

use std::pin::Pin;

use arrow_array::RecordBatch;
use bytes::Bytes;
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::FileId;
use decant_core::schema::TableName;
use futures::SinkExt as _;
use tokio_postgres::{Client, CopyInSink};

use super::encode::{ColumnValues, HEADER, TRAILER};
use super::error::{explain, line_in};
use super::output::{Output, Spares};
use super::tuples::TupleWriter;
use super::type_table::Encoding;
use super::type_table::POSTGRES;

/// Bytes after which a COPY is to be ended.
pub(crate) const COPY_BYTES_MAX: u64 = 64 << 20;

const CHUNK_BYTES: usize = 128 << 10;

/// A column that a COPY fills.
#[derive(Clone, Debug)]
pub(crate) struct CopyColumn {
    pub(crate) name: String,
    pub(crate) encoding: Encoding,
}

/// An open COPY.
pub(crate) struct Copy {
    target: Pin<Box<CopyInSink<Bytes>>>,
    columns: Vec<CopyColumn>,
    output: Output,
    spares: Spares,
    tuples: TupleWriter,
    rows: u64,
    bytes: u64,
    files: Vec<StartedFile>,
}

/// A file whose rows are in a COPY.
struct StartedFile {
    file: FileId,
    /// Rows of the COPY before its first.
    before: u64,
    /// Rows of it that went in by other COPYs.
    elsewhere: u64,
}

impl Copy {
    /// Begins a COPY into these columns of `table`.
    pub(crate) async fn begin(
        client: &Client,
        table: &TableName,
        columns: Vec<CopyColumn>,
    ) -> Result<Self> {
        let statement = format!(
            "COPY {} ({}) FROM STDIN (FORMAT binary)",
            POSTGRES.quote_table(table),
            POSTGRES.quote_list(columns.iter().map(|column| column.name.as_str()))
        );
        let target = client.copy_in(&statement).await.map_err(|error| explain(&error))?;
        let mut output = Output::default();
        output.push(HEADER);
        Ok(Self {
            target: Box::pin(target),
            columns,
            output,
            spares: Spares::default(),
            tuples: TupleWriter::default(),
            rows: 0,
            bytes: 0,
            files: Vec::new(),
        })
    }

    /// Says that what follows is of `file`, of which so many rows went in by
    /// other COPYs.
    pub(crate) fn start_file(&mut self, file: FileId, elsewhere: u64) {
        self.files.push(StartedFile { file, before: self.rows, elsewhere });
    }

    /// Whether it has become so long that it should end.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= COPY_BYTES_MAX
    }

    /// Writes rows: the columns of the COPY, in its order.
    pub(crate) async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = self
            .columns
            .iter()
            .zip(batch.columns())
            .map(|(column, array)| ColumnValues::new(&column.name, column.encoding, array))
            .collect::<Result<Vec<_>>>()?;
        if batch.num_columns() != self.columns.len() {
            let message = format!(
                "a batch of {} columns was written, {} were announced",
                batch.num_columns(),
                self.columns.len()
            );
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let mut row = 0;
        while row < batch.num_rows() {
            row += self.tuples.write(&columns, row..batch.num_rows(), &mut self.output)?;
            if self.output.len() >= CHUNK_BYTES {
                self.send().await?;
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Ends the COPY and answers how many rows the database took.
    pub(crate) async fn finish(mut self) -> Result<u64> {
        self.output.push(TRAILER);
        self.send().await?;
        match self.target.as_mut().finish().await {
            Ok(rows) if rows == self.rows => Ok(rows),
            Ok(rows) => {
                let message = format!("{} rows were written, the database took {rows}", self.rows);
                Err(Error::new(ErrorKind::Internal, message)
                    .with_hint("a trigger or rule of the table may drop rows; decant counts them"))
            }
            Err(error) => Err(self.blame(&error)),
        }
    }

    /// Hands over what has been written, and goes on in another buffer.
    async fn send(&mut self) -> Result<()> {
        self.bytes += self.output.len() as u64;
        let chunk = self.spares.lend(&mut self.output);
        self.target.feed(chunk).await.map_err(|error| explain(&error))
    }

    /// Adds which row of which file the database refused.
    fn blame(&self, error: &tokio_postgres::Error) -> Error {
        let explained = explain(error);
        let Some(line) = line_in(error) else { return explained };
        let of_file = self.files.iter().rev().find(|started| started.before < line);
        let Some(StartedFile { file, before, elsewhere }) = of_file else {
            return explained;
        };
        let row = line - before + elsewhere;
        explained.with("file_id", file.to_string()).with("row", row.to_string())
    }
}
