//! The statements about chunks: parts of a file that are committed by
//! themselves, and what each makes of the file's ledger row.

use decant_core::destination::{Chunk, FileTotals, LoadFile};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::ledger::Status;

use super::{Claimed, LedgerSql};

/// What the ledger has of a file when one of its chunks is about to be
/// committed, under lock.
pub(crate) struct Held {
    /// Its row.
    pub(crate) row: Claimed,
    /// Rows that are in.
    pub(crate) rows_copied: i64,
    /// Rejects that are in.
    pub(crate) rows_rejected: i64,
    /// The checksum of the rows that are in.
    pub(crate) rows_checksum: Option<i64>,
    /// The first and the last bytes of the chunks that are in.
    pub(crate) chunks: Vec<(i64, i64)>,
}

/// What becomes of a chunk that is about to be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChunkEnd {
    /// It joins, and the file's ledger row becomes this.
    Joins {
        /// `loaded` with the last one.
        status: Status,
        rows_copied: i64,
        rows_rejected: i64,
        rows_checksum: i64,
    },
    /// It is in, or the whole file is.
    AlreadyLoaded,
    /// The file is not being loaded any more.
    Overtaken,
}

/// What becomes of `chunk` of `file` with these totals. `opened` says that
/// this load made the file `loading`, so that nothing else of it is in.
///
/// Errors: `Conflict` where the file was cut in other places.
pub(crate) fn chunk_end(
    (file, chunk): (&LoadFile, &Chunk),
    totals: &FileTotals,
    held: &Held,
    opened: bool,
) -> Result<ChunkEnd> {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    if !opened {
        match status_before(held) {
            Some(Status::Loading) => {}
            Some(Status::Loaded) => return Ok(ChunkEnd::AlreadyLoaded),
            _ => return Ok(ChunkEnd::Overtaken),
        }
        if is_in(file, chunk, &held.chunks)? {
            return Ok(ChunkEnd::AlreadyLoaded);
        }
    }
    let in_before = |count: i64| if opened { 0 } else { count };
    let lengths = held.chunks.iter().map(|(first, last)| last - first + 1);
    let covered: i64 = in_before(lengths.sum()) + signed(chunk.bytes.end - chunk.bytes.start);
    let is_complete = covered == signed(file.file.size);
    Ok(ChunkEnd::Joins {
        status: if is_complete { Status::Loaded } else { Status::Loading },
        rows_copied: in_before(held.rows_copied).saturating_add(signed(totals.rows_loaded)),
        rows_rejected: in_before(held.rows_rejected).saturating_add(signed(totals.rows_rejected)),
        rows_checksum: in_before(held.rows_checksum.unwrap_or_default())
            .wrapping_add(totals.rows_checksum),
    })
}

fn status_before(held: &Held) -> Option<Status> {
    Status::parse(&held.row.status)
}

/// Whether a chunk is among those that are in, by their first and last bytes.
///
/// Errors: `Conflict` where one of them overlaps with it and is another.
pub(crate) fn is_in(file: &LoadFile, chunk: &Chunk, chunks: &[(i64, i64)]) -> Result<bool> {
    let (first, last) = (chunk.bytes.start as i64, chunk.bytes.end as i64 - 1);
    match chunks.iter().find(|known| known.0 <= last && known.1 >= first) {
        None => Ok(false),
        Some(known) if *known == (first, last) => Ok(true),
        Some((from, to)) => {
            let message = format!(
                "bytes {first} to {last} cannot join what is in of the file: bytes {from} to {to} \
                 are in, so it was cut in other places"
            );
            Err(Error::new(ErrorKind::Conflict, message)
                .in_file(file.file.location())
                .with_hint("load it by the same options as before, or anew with --force"))
        }
    }
}

impl LedgerSql {
    /// The chunks of a file. Parameters: file id. Answers first byte, last
    /// byte, chunk bytes, rows read, rows copied, rows rejected.
    pub(crate) fn chunks(&self) -> String {
        format!(
            "SELECT \"first_byte\", \"last_byte\", \"chunk_bytes\", \"rows_read\", \
             \"rows_copied\", \"rows_rejected\" FROM {} WHERE \"file_id\" = {} \
             ORDER BY \"first_byte\"",
            self.quoted(&self.chunks_table()),
            self.dialect.parameter(1)
        )
    }

    /// The row of a file of which a chunk is committed. Parameters: id.
    /// Answers [`Claimed`], then rows copied, rows rejected, checksum.
    pub(crate) fn held(&self, lock: &str) -> String {
        format!(
            "SELECT {}, \"rows_copied\", \"rows_rejected\", \"rows_checksum\" FROM {} \
             WHERE \"id\" = {}{lock}",
            self.claimed_columns(),
            self.quoted(&self.table()),
            self.dialect.parameter(1)
        )
    }

    /// Writes a chunk. Parameters: file id, first byte, last byte, chunk bytes,
    /// rows read, rows copied, rows rejected, checksum, now, load id, run id.
    pub(crate) fn insert_chunk(&self) -> String {
        format!(
            "INSERT INTO {} (\"file_id\", \"first_byte\", \"last_byte\", \"chunk_bytes\", \
             \"rows_read\", \"rows_copied\", \"rows_rejected\", \"rows_checksum\", \
             \"processed_at\", \"load_id\", \"run_id\") VALUES ({})",
            self.quoted(&self.chunks_table()),
            self.dialect.parameters(1, 11)
        )
    }

    /// Says in a file's row how far it is. Parameters: now, seconds, rows
    /// copied, rows rejected, checksum, load id, run id, stream, last modified,
    /// id, layout (where there is one), status, attempts to be added.
    pub(crate) fn advance(&self) -> String {
        let parameter = |number| self.dialect.parameter(number);
        format!(
            "UPDATE {} SET {}, \"layout\" = COALESCE({}, \"layout\"), \"status\" = {}, \
             \"attempts\" = \"attempts\" + {} WHERE \"id\" = {}",
            self.quoted(&self.table()),
            self.set_brought(),
            parameter(11),
            parameter(12),
            parameter(13),
            parameter(10),
        )
    }

    /// Writes that a file that is `loading` failed. Parameters: now, seconds,
    /// run id, error, id. Answers: id, if it was `loading`.
    pub(crate) fn settle_loading(&self) -> String {
        let parameter = |number| self.dialect.parameter(number);
        format!(
            "UPDATE {} SET \"processed_at\" = {}, \"processing_time\" = {}, \"run_id\" = {}, \
             \"error\" = {}, \"attempts\" = \"attempts\" + 1 \
             WHERE \"id\" = {} AND \"status\" = 'loading' RETURNING \"id\"",
            self.quoted(&self.table()),
            parameter(1),
            (self.dialect.write_seconds)(&parameter(2)),
            parameter(3),
            parameter(4),
            parameter(5),
        )
    }

    /// Deletes the chunks of `count` files, whose ids are the parameters.
    pub(crate) fn delete_chunks(&self, count: usize) -> String {
        format!(
            "DELETE FROM {} WHERE \"file_id\" IN ({})",
            self.quoted(&self.chunks_table()),
            self.dialect.parameters(1, count)
        )
    }

    /// Deletes the chunks of a table's files. Parameters: table.
    pub(crate) fn delete_chunks_of_table(&self) -> String {
        format!(
            "DELETE FROM {} WHERE \"file_id\" IN (SELECT \"id\" FROM {} \
             WHERE \"target_table\" = {})",
            self.quoted(&self.chunks_table()),
            self.quoted(&self.table()),
            self.dialect.parameter(1)
        )
    }
}
