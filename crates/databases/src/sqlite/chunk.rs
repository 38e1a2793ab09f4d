//! Chunks: parts of a file that are committed by themselves. The transaction's
//! lock keeps what `claim` found until `finish`.

use decant_core::destination::{Chunk, FileTotals, LoadFile};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::FileId;
use decant_core::ledger::{LoadedChunk, Status};
use rusqlite::{Connection, Row, params};

use super::ledger::{Author, claim, delete_by_id, execute, get, moment, read_claimed, rows};
use super::ledger::{signed, unsigned};
use crate::sql::ledger::{ChunkEnd, Held, LedgerSql, chunk_end, is_in};

/// What a claim for a chunk found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The chunk is the first of its file.
    Opens,
    /// It joins others, which have so many rows in the table.
    Joins(u64),
    AlreadyLoaded,
    Overtaken,
}

/// Claims a file for a chunk of it.
pub(super) fn claim_for(
    connection: &Connection,
    sql: &LedgerSql,
    author: &Author,
    (file, chunk): (&LoadFile, &Chunk),
    table: &str,
) -> Result<Found> {
    if chunk.opens {
        let (file_of, into) = ((file.id, &file.file), (table, file.stream.as_str()));
        let row = claim(connection, sql, author, file_of, into)?;
        match Status::parse(&row.status) {
            Some(Status::Loaded) if !file.again => return Ok(Found::AlreadyLoaded),
            Some(Status::Loading) if !file.again => {}
            _ => return Ok(Found::Opens),
        }
    }
    let Some(held) = held(connection, sql, file.id)? else { return Ok(Found::Overtaken) };
    held.row.check_identity(file.id, &file.file, table)?;
    match Status::parse(&held.row.status) {
        Some(Status::Loaded) => Ok(Found::AlreadyLoaded),
        Some(Status::Loading) if is_in(file, chunk, &held.chunks)? => Ok(Found::AlreadyLoaded),
        Some(Status::Loading) => Ok(Found::Joins(unsigned(held.rows_copied)?)),
        _ => Ok(Found::Overtaken),
    }
}

/// Writes the chunk, and how far its file is.
pub(super) fn finish(
    connection: &Connection,
    sql: &LedgerSql,
    author: &Author,
    (file, chunk): (&LoadFile, &Chunk),
    totals: &FileTotals,
    opened: bool,
) -> Result<()> {
    let changed = || Error::new(ErrorKind::Internal, "a file changed under its lock");
    let held = held(connection, sql, file.id)?.ok_or_else(changed)?;
    let end = chunk_end((file, chunk), totals, &held, opened)?;
    let ChunkEnd::Joins { status, rows_copied, rows_rejected, rows_checksum } = end else {
        return Err(changed());
    };
    let written = params![
        file.id.0,
        signed(chunk.bytes.start)?,
        signed(chunk.bytes.end - 1)?,
        signed(chunk.chunk_bytes)?,
        signed(totals.rows_read)?,
        signed(totals.rows_loaded)?,
        signed(totals.rows_rejected)?,
        totals.rows_checksum,
        author.now,
        author.load_id,
        author.run_id,
    ];
    execute(connection, &sql.insert_chunk(), written)?;
    let advanced = params![
        author.now,
        totals.processing_seconds,
        rows_copied,
        rows_rejected,
        rows_checksum,
        author.load_id,
        author.run_id,
        file.stream,
        moment(file.file.last_modified),
        file.id.0,
        totals.layout,
        status.as_str(),
        i64::from(status == Status::Loaded),
    ];
    execute(connection, &sql.advance(), advanced).map(|_| ())
}

/// Forgets the chunks of files.
pub(super) fn delete(connection: &Connection, sql: &LedgerSql, files: &[FileId]) -> Result<()> {
    delete_by_id(connection, files, |count| sql.delete_chunks(count))
}

/// The chunks of a file that are in.
pub(super) fn of_file(
    connection: &Connection,
    sql: &LedgerSql,
    file: FileId,
) -> Result<Vec<LoadedChunk>> {
    rows(connection, &sql.chunks(), [file.0], |row| {
        let count = |position| unsigned(get(row, position)?);
        Ok(LoadedChunk {
            bytes: count(0)?..count(1)?.saturating_add(1),
            chunk_bytes: count(2)?,
            rows_read: count(3)?,
            rows_copied: count(4)?,
            rows_rejected: count(5)?,
        })
    })
}

fn held(connection: &Connection, sql: &LedgerSql, file: FileId) -> Result<Option<Held>> {
    let chunk = |row: &Row<'_>| Ok((get(row, 0)?, get(row, 1)?));
    let chunks: Vec<(i64, i64)> = rows(connection, &sql.chunks(), [file.0], chunk)?;
    let found = rows(connection, &sql.held(""), [file.0], |row| {
        Ok((read_claimed(row)?, get(row, 9)?, get(row, 10)?, get(row, 11)?))
    })?;
    let held = found.into_iter().next();
    Ok(held.map(|(row, rows_copied, rows_rejected, rows_checksum)| Held {
        row,
        rows_copied,
        rows_rejected,
        rows_checksum,
        chunks,
    }))
}
