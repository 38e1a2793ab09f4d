//! Chunks: parts of a file that are committed by themselves, several at a
//! time.
//!
//! The chunk that opens a file claims it as a whole file is claimed. Those
//! that join hold nothing of the file while their rows are written, but a
//! lock of their own bytes, so that nobody loads the same twice at once. At
//! the commit they lock the file's ledger row, one after the other, and look
//! whether the file is still `loading`: whoever took it back meanwhile was
//! first.

use chrono::Utc;
use decant_core::destination::{Chunk, FileTotals, LoadFile, LoadPlan};
use decant_core::error::Result;
use decant_core::file::FileId;
use decant_core::ledger::{LoadedChunk, Status};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::claim::{self, Claims};
use super::describe::get;
use super::error::explain;
use super::ledger::{claimed, count, query};
use super::lock::Lock;
use super::type_table::POSTGRES;
use crate::sql::ledger::{ChunkEnd, Held, LedgerSql, chunk_end, is_in};

/// Claims the file of a plan for one chunk.
pub(crate) async fn claim_for(
    client: &Client,
    sql: &LedgerSql,
    plan: &LoadPlan,
    (file, chunk): (&LoadFile, &Chunk),
) -> Result<Claims> {
    let mut claims = Claims::default();
    if chunk.opens {
        claims = claim::claim(client, sql, plan).await?;
        if !claims.taken.contains(&file.id) || !claims.loading.contains(&file.id) || file.again {
            return Ok(claims);
        }
        claims.to_delete.retain(|id| *id != file.id.0);
        claims.taken.clear();
    }
    let lock = Lock::Chunk(file.id, chunk.bytes.start).exclusive();
    client.batch_execute(&lock).await.map_err(|error| explain(&error))?;
    let held = held(client, sql, file.id, "").await?;
    if let Some(held) = &held {
        held.row.check_identity(file.id, &file.file, &plan.table.to_string())?;
    }
    let status = held.as_ref().and_then(|held| Status::parse(&held.row.status));
    match (status, held) {
        (Some(Status::Loaded), _) => claims.already_loaded.push(file.id),
        (Some(Status::Loading), Some(held)) if is_in(file, chunk, &held.chunks)? => {
            claims.already_loaded.push(file.id);
        }
        (Some(Status::Loading), _) => {
            let overtaken = claim::overtaken(client, sql, plan).await?;
            match overtaken.contains(&file.id) {
                true => claims.overtaken.push(file.id),
                false => claims.joining = Some(file.id),
            }
        }
        _ => claims.overtaken.push(file.id),
    }
    Ok(claims)
}

/// Writes the chunk and how far its file is, unless it may not join any more.
pub(crate) async fn finish(
    client: &Client,
    sql: &LedgerSql,
    plan: &LoadPlan,
    claims: &Claims,
    (file, chunk): (&LoadFile, &Chunk),
    totals: &FileTotals,
) -> Result<ChunkEnd> {
    let opened = claims.taken.contains(&file.id);
    let Some(held) = held(client, sql, file.id, " FOR UPDATE").await? else {
        return Ok(ChunkEnd::Overtaken);
    };
    let end = chunk_end((file, chunk), totals, &held, opened)?;
    let ChunkEnd::Joins { status, rows_copied, rows_rejected, rows_checksum } = end else {
        return Ok(end);
    };
    let now = Utc::now();
    write(client, sql, plan, (file, chunk), totals).await?;
    let layout = totals.layout.as_deref().map(|layout| POSTGRES.store_text(layout).into_owned());
    let added = i64::from(status == Status::Loaded);
    query(
        client,
        &sql.advance(),
        &[
            (&now, Type::TIMESTAMPTZ),
            (&totals.processing_seconds, Type::FLOAT8),
            (&rows_copied, Type::INT8),
            (&rows_rejected, Type::INT8),
            (&rows_checksum, Type::INT8),
            (&plan.load_id, Type::TEXT),
            (&plan.run_id, Type::TEXT),
            (&POSTGRES.store_text(&file.stream), Type::TEXT),
            (&file.file.last_modified, Type::TIMESTAMPTZ),
            (&file.id.0, Type::INT8),
            (&layout, Type::TEXT),
            (&status.as_str(), Type::TEXT),
            (&added, Type::INT8),
        ],
    )
    .await?;
    Ok(end)
}

async fn write(
    client: &Client,
    sql: &LedgerSql,
    plan: &LoadPlan,
    (file, chunk): (&LoadFile, &Chunk),
    totals: &FileTotals,
) -> Result<()> {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    query(
        client,
        &sql.insert_chunk(),
        &[
            (&file.id.0, Type::INT8),
            (&signed(chunk.bytes.start), Type::INT8),
            (&signed(chunk.bytes.end.saturating_sub(1)), Type::INT8),
            (&signed(chunk.chunk_bytes), Type::INT8),
            (&signed(totals.rows_read), Type::INT8),
            (&signed(totals.rows_loaded), Type::INT8),
            (&signed(totals.rows_rejected), Type::INT8),
            (&totals.rows_checksum, Type::INT8),
            (&Utc::now(), Type::TIMESTAMPTZ),
            (&plan.load_id, Type::TEXT),
            (&plan.run_id, Type::TEXT),
        ],
    )
    .await?;
    Ok(())
}

/// Forgets the chunks of files.
pub(crate) async fn delete(client: &Client, sql: &LedgerSql, files: &[i64]) -> Result<()> {
    let statement = format!(
        "DELETE FROM {} WHERE file_id = ANY($1)",
        POSTGRES.quote_table(&sql.chunks_table())
    );
    query(client, &statement, &[(&files, Type::INT8_ARRAY)]).await?;
    Ok(())
}

/// Reads the answer to `LedgerSql::chunks`.
pub(crate) fn read(row: &Row) -> Result<LoadedChunk> {
    Ok(LoadedChunk {
        bytes: count(row, 0)?..count(row, 1)?.saturating_add(1),
        chunk_bytes: count(row, 2)?,
        rows_read: count(row, 3)?,
        rows_copied: count(row, 4)?,
        rows_rejected: count(row, 5)?,
    })
}

/// The file's row first: behind its lock the chunks are those that are in.
async fn held(client: &Client, sql: &LedgerSql, file: FileId, lock: &str) -> Result<Option<Held>> {
    let rows = query(client, &sql.held(lock), &[(&file.0, Type::INT8)]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let chunks = query(client, &sql.chunks(), &[(&file.0, Type::INT8)]).await?;
    let chunks = chunks.iter().map(|chunk| Ok((get(chunk, 0)?, get(chunk, 1)?)));
    Ok(Some(Held {
        row: claimed(row, 0)?,
        rows_copied: get(row, 9)?,
        rows_rejected: get(row, 10)?,
        rows_checksum: get(row, 11)?,
        chunks: chunks.collect::<Result<_>>()?,
    }))
}
