//! Mended rejects join the rows of files that are loaded.

use decant_core::destination::{FileTotals, LoadFile};
use decant_core::error::{Error, ErrorKind, Result};
use rusqlite::{Connection, params};

use super::ledger::{execute, get, read_claimed, rows, signed};
use super::rejects;
use crate::sql::ledger::{LedgerSql, not_loaded, replayed_counts};

/// The checksum of a file that must be loaded. `Conflict` when it is not.
pub(super) fn check(
    connection: &Connection,
    sql: &LedgerSql,
    file: &LoadFile,
    table: &str,
) -> Result<Option<i64>> {
    let found = rows(connection, &sql.replayed(""), [file.id.0], |row| {
        Ok((read_claimed(row)?, get::<Option<i64>>(row, 9)?))
    })?;
    let Some((claimed, checksum)) = found.into_iter().next() else {
        return Err(not_loaded(file));
    };
    claimed.check_identity(file.id, &file.file, table)?;
    if claimed.is_loaded() { Ok(checksum) } else { Err(not_loaded(file)) }
}

/// Settles the rejects and counts the rows. `checksum` is what the ledger
/// had.
pub(super) fn finish(
    connection: &Connection,
    sql: &LedgerSql,
    totals: &FileTotals,
    checksum: Option<i64>,
) -> Result<()> {
    rejects::settle(connection, sql, totals.id, &totals.settles)?;
    let rejected = replayed_counts(totals)?;
    let checksum = checksum.map(|known| known.wrapping_add(totals.rows_checksum));
    let parameters = params![signed(totals.rows_loaded)?, rejected, checksum, totals.id.0];
    match execute(connection, &sql.count_replay(), parameters)? {
        1 => Ok(()),
        _ => {
            let message = format!("the ledger row of the file {} is gone", totals.id);
            Err(Error::new(ErrorKind::Internal, message))
        }
    }
}
