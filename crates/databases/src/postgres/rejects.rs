//! The rows of the rejects' table, many in one statement.

use chrono::Utc;
use decant_core::error::Result;
use decant_core::file::FileId;
use decant_core::reject::Reject;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::ledger::query;
use super::type_table::POSTGRES;
use crate::sql::ledger::LedgerSql;

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
