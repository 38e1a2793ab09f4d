//! The rows of the rejects' table, many in one statement.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::Utc;
use decant_core::error::{Error, Result};
use decant_core::file::FileId;
use decant_core::ledger::StoredReject;
use decant_core::reject::{Reason, Reject};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::describe::get;
use super::ledger::{Parameter, count, entry, query, text};
use super::type_table::POSTGRES;
use crate::sql::ledger::{LedgerSql, STORED_COLUMNS, settled_already};

/// Deletes the rejects of files.
pub(crate) async fn delete(client: &Client, sql: &LedgerSql, files: &[i64]) -> Result<()> {
    let statement = format!(
        "DELETE FROM {} WHERE file_id = ANY($1)",
        POSTGRES.quote_table(&sql.rejects_table())
    );
    query(client, &statement, &[(&files, Type::INT8_ARRAY)]).await?;
    Ok(())
}

/// Writes rejects with the files that they are of.
pub(crate) async fn insert(
    client: &Client,
    sql: &LedgerSql,
    rejects: &[(FileId, Reject)],
) -> Result<()> {
    if rejects.is_empty() {
        return Ok(());
    }
    let statement = format!(
        "INSERT INTO {} (file_id, rejected_at, ordinal, line, byte_offset, column_name, reason, \
         detail, raw) \
         SELECT r.file_id, $1, r.ordinal, r.line, r.byte_offset, r.column_name, r.reason, \
         r.detail, r.raw \
         FROM unnest($2, $3, $4, $5, $6, $7, $8, $9) \
         AS r (file_id, ordinal, line, byte_offset, column_name, reason, detail, raw)",
        POSTGRES.quote_table(&sql.rejects_table())
    );
    let columns = Columns::of(rejects);
    query(
        client,
        &statement,
        &[
            (&Utc::now(), Type::TIMESTAMPTZ),
            (&columns.files, Type::INT8_ARRAY),
            (&columns.ordinals, Type::INT8_ARRAY),
            (&columns.lines, Type::INT8_ARRAY),
            (&columns.byte_offsets, Type::INT8_ARRAY),
            (&columns.names, Type::TEXT_ARRAY),
            (&columns.reasons, Type::TEXT_ARRAY),
            (&columns.details, Type::TEXT_ARRAY),
            (&columns.raws, Type::BYTEA_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

/// Marks rejects of a file settled. `Conflict` when one of them already is,
/// or is none of them.
pub(crate) async fn settle(
    client: &Client,
    sql: &LedgerSql,
    file: FileId,
    rejects: &[i64],
) -> Result<()> {
    let statement = format!(
        "UPDATE {} SET settled_at = $1 WHERE id = ANY($2) AND file_id = $3 \
         AND settled_at IS NULL AND reason <> 'repaired' RETURNING id",
        POSTGRES.quote_table(&sql.rejects_table())
    );
    let parameters: [Parameter<'_>; 3] =
        [(&Utc::now(), Type::TIMESTAMPTZ), (&rejects, Type::INT8_ARRAY), (&file.0, Type::INT8)];
    let rows = query(client, &statement, &parameters).await?;
    let settled = rows.iter().map(|row| get::<i64>(row, 0)).collect::<Result<HashSet<_>>>()?;
    match rejects.iter().find(|reject| !settled.contains(reject)) {
        Some(reject) => Err(settled_already(*reject)),
        None => Ok(()),
    }
}

/// Reads the answer to `LedgerSql::stored_rejects`; the rejects of one file
/// share its entry.
pub(crate) fn stored(rows: &[Row]) -> Result<Vec<StoredReject>> {
    let mut stored: Vec<StoredReject> = Vec::with_capacity(rows.len());
    for row in rows {
        let id = FileId(get(row, STORED_COLUMNS)?);
        let file = match stored.last() {
            Some(last) if last.file.id == id => Arc::clone(&last.file),
            _ => Arc::new(entry(row, STORED_COLUMNS)?),
        };
        stored.push(StoredReject {
            id: get(row, 0)?,
            file,
            reject: read(row, 3)?,
            rejected_at: get(row, 1)?,
            settled_at: get(row, 2)?,
        });
    }
    Ok(stored)
}

/// Reads a reject from the columns from `first` on.
pub(crate) fn read(row: &Row, first: usize) -> Result<Reject> {
    let optional = |position| {
        Ok::<_, Error>(get::<Option<i64>>(row, position)?.map(|number| number.max(0) as u64))
    };
    Ok(Reject {
        ordinal: count(row, first)?,
        line: optional(first + 1)?,
        byte_offset: optional(first + 2)?,
        column: get::<Option<String>>(row, first + 3)?.map(|name| POSTGRES.restore_text(name)),
        reason: Reason::parse(get(row, first + 4)?),
        detail: text(row, first + 5)?,
        raw: get(row, first + 6)?,
    })
}

/// Rejects column by column, as `unnest` takes them.
#[derive(Default)]
struct Columns<'a> {
    files: Vec<i64>,
    ordinals: Vec<i64>,
    lines: Vec<Option<i64>>,
    byte_offsets: Vec<Option<i64>>,
    names: Vec<Option<String>>,
    reasons: Vec<&'a str>,
    details: Vec<String>,
    raws: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    fn of(rejects: &'a [(FileId, Reject)]) -> Self {
        let mut columns = Self::default();
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        for (file, reject) in rejects {
            columns.files.push(file.0);
            columns.ordinals.push(signed(reject.ordinal));
            columns.lines.push(reject.line.map(signed));
            columns.byte_offsets.push(reject.byte_offset.map(signed));
            let name = reject.column.as_deref();
            columns.names.push(name.map(|name| POSTGRES.store_text(name).into_owned()));
            columns.reasons.push(reject.reason.as_str());
            columns.details.push(POSTGRES.store_text(&reject.detail).into_owned());
            columns.raws.push(&reject.raw);
        }
        columns
    }
}
