//! The rows of the rejects' table.

use std::sync::Arc;

use chrono::Utc;
use decant_core::error::Result;
use decant_core::file::FileId;
use decant_core::ledger::{LedgerEntry, RejectsFilter, StoredReject};
use decant_core::reject::{Reason, Reject};
use rusqlite::{Connection, Row, params, params_from_iter};

use super::ledger::{
    delete_by_id, execute, get, moment, parse_moment, read_entry_from, rows, signed, unsigned,
};
use crate::sql::ledger::{LedgerSql, STORED_COLUMNS};

/// Writes rejects of a file.
pub(super) fn insert(
    connection: &Connection,
    sql: &LedgerSql,
    file: FileId,
    rejects: &[Reject],
) -> Result<()> {
    let now = moment(Utc::now());
    let statement = sql.insert_reject();
    for reject in rejects {
        let parameters = params![
            file.0,
            now,
            signed(reject.ordinal)?,
            reject.line.map(signed).transpose()?,
            reject.byte_offset.map(signed).transpose()?,
            reject.column,
            reject.reason.as_str(),
            reject.detail,
            reject.raw,
        ];
        execute(connection, &statement, parameters)?;
    }
    Ok(())
}

/// Deletes the rejects of files.
pub(super) fn delete(connection: &Connection, sql: &LedgerSql, files: &[FileId]) -> Result<()> {
    delete_by_id(connection, files, |count| sql.delete_rejects(count))
}

/// The rejects of a file, by ordinal.
pub(super) fn of_file(
    connection: &Connection,
    sql: &LedgerSql,
    file: FileId,
) -> Result<Vec<Reject>> {
    rows(connection, &sql.rejects(), [file.0], |row| read(row, 0))
}

/// The rejects that `filter` lets through; those of one file share its entry.
pub(super) fn stored(
    connection: &Connection,
    sql: &LedgerSql,
    filter: &RejectsFilter,
) -> Result<Vec<StoredReject>> {
    let (statement, parameters) = sql.stored_rejects(filter);
    let last: std::cell::RefCell<Option<Arc<LedgerEntry>>> = None.into();
    rows(connection, &statement, params_from_iter(parameters), |row| {
        let id = FileId(get(row, STORED_COLUMNS)?);
        let known = last.borrow().as_ref().filter(|entry| entry.id == id).map(Arc::clone);
        let file = match known {
            Some(file) => file,
            None => Arc::new(read_entry_from(row, STORED_COLUMNS)?),
        };
        *last.borrow_mut() = Some(Arc::clone(&file));
        let settled_at = get::<Option<String>>(row, 2)?;
        Ok(StoredReject {
            id: get(row, 0)?,
            file,
            reject: read(row, 3)?,
            rejected_at: parse_moment(&get::<String>(row, 1)?)?,
            settled_at: settled_at.as_deref().map(parse_moment).transpose()?,
        })
    })
}

/// Marks rejects of a file settled. `Conflict` when one of them already is,
/// or is none of them.
pub(super) fn settle(
    connection: &Connection,
    sql: &LedgerSql,
    file: FileId,
    rejects: &[i64],
) -> Result<()> {
    let now = moment(Utc::now());
    let statement = sql.settle_reject();
    for reject in rejects {
        if execute(connection, &statement, params![now, reject, file.0])? != 1 {
            return Err(crate::sql::ledger::settled_already(*reject));
        }
    }
    Ok(())
}

fn read(row: &Row<'_>, first: usize) -> Result<Reject> {
    Ok(Reject {
        ordinal: unsigned(get(row, first)?)?,
        line: get::<Option<i64>>(row, first + 1)?.map(unsigned).transpose()?,
        byte_offset: get::<Option<i64>>(row, first + 2)?.map(unsigned).transpose()?,
        column: get(row, first + 3)?,
        reason: Reason::parse(&get::<String>(row, first + 4)?),
        detail: get(row, first + 5)?,
        raw: get(row, first + 6)?,
    })
}
