//! Mended rejects join the rows of files that are loaded.

use decant_core::destination::{FileTotals, LoadFile, LoadPlan};
use decant_core::error::{Error, ErrorKind, Result};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::claim::Claims;
use super::describe::get;
use super::ledger::{claimed, query};
use super::rejects;
use crate::sql::ledger::{LedgerSql, not_loaded, replayed_counts};

/// Locks the ledger rows of the plan's files in id order. `Conflict` when one
/// of them is not loaded.
pub(crate) async fn lock(client: &Client, sql: &LedgerSql, plan: &LoadPlan) -> Result<Claims> {
    let mut claims = Claims::default();
    let mut files: Vec<&LoadFile> = plan.files.iter().collect();
    files.sort_by_key(|file| file.id);
    for file in files {
        let rows = query(client, &sql.replayed(" FOR UPDATE"), &[(&file.id.0, Type::INT8)]).await?;
        let Some(row) = rows.first() else { return Err(not_loaded(file)) };
        let known = claimed(row, 0)?;
        known.check_identity(file.id, &file.file, &plan.table.to_string())?;
        if !known.is_loaded() {
            return Err(not_loaded(file));
        }
        claims.taken.insert(file.id);
        claims.checksums.insert(file.id, get(row, 9)?);
    }
    Ok(claims)
}

/// Settles the rejects and counts the rows of each file.
pub(crate) async fn finish(
    client: &Client,
    sql: &LedgerSql,
    claims: &Claims,
    totals: &[FileTotals],
) -> Result<()> {
    for total in totals {
        let Some(checksum) = claims.checksums.get(&total.id) else {
            let message = format!("the file {} is not of this replay", total.id);
            return Err(Error::new(ErrorKind::Internal, message));
        };
        rejects::settle(client, sql, total.id, &total.settles).await?;
        let loaded = i64::try_from(total.rows_loaded).unwrap_or(i64::MAX);
        let rejected = replayed_counts(total)?;
        let checksum = checksum.map(|known| known.wrapping_add(total.rows_checksum));
        query(
            client,
            &sql.count_replay(),
            &[
                (&loaded, Type::INT8),
                (&rejected, Type::INT8),
                (&checksum, Type::INT8),
                (&total.id.0, Type::INT8),
            ],
        )
        .await?;
    }
    Ok(())
}
