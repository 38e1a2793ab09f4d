//! The virtual table as SQLite calls it: the only C of the house.
//!
//! rusqlite has a safe way to this, which makes a value of its own of every
//! cell and copies its text: 2,700 instructions for a row of 17 columns, where
//! this takes 1,200. What is here is no more than the callbacks; they hold no
//! rows but those that `super::insert` keeps until its statement has ended,
//! and they never panic. The way without them is a statement with parameters,
//! which a property test shows to put the same rows in.
#![allow(unsafe_code, reason = "SQLite's module interface is C, and each cell counts")]

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;
use std::rc::Rc;

use decant_core::error::{Error, ErrorKind, Result};
use rusqlite::Connection;
use rusqlite::ffi;

use super::super::bind::Cell;
use super::super::error::explain;
use super::{Rows, offered, table_name};

/// Rows whose values are put together. Columns lie a multiple of a page apart,
/// so the values of one row push each other out of the cache: looked up where
/// they lie they make a load an eighth dearer. So many rows of a usual table
/// are a quarter of the first cache.
const BLOCK_ROWS: usize = 64;

/// A place in the rows that are offered. SQLite's own part comes first.
#[repr(C)]
struct Cursor {
    base: ffi::sqlite3_vtab_cursor,
    rows: Option<Rc<Rows>>,
    row: usize,
    /// The values of some rows, row by row.
    block: Vec<Cell>,
    /// Where in the block the row begins.
    start: usize,
}

impl Cursor {
    /// Makes ready the block that begins with the row.
    fn take_block(&mut self) {
        let Some(rows) = &self.rows else { return };
        let block = self.row..rows.count.min(self.row.saturating_add(BLOCK_ROWS));
        let columns = rows.columns.len();
        self.start = 0;
        self.block.clear();
        self.block.resize(block.len() * columns, Cell::Null);
        for (number, column) in rows.columns.iter().enumerate() {
            let places = self.block.get_mut(number..).unwrap_or_default();
            column.place(block.clone(), places, columns);
        }
    }

    /// Goes to the next row.
    fn advance(&mut self) {
        self.row += 1;
        let Some(rows) = &self.rows else { return };
        rows.fetched.set(self.row);
        self.start += rows.columns.len();
        if self.start >= self.block.len() {
            self.take_block();
        }
    }
}

/// Registers the table with so many columns on a connection.
pub(super) fn register(connection: &Connection, columns: usize) -> Result<()> {
    let name = CString::new(table_name(columns)).map_err(|error| {
        Error::new(ErrorKind::Internal, "a table's name has a NUL").caused_by(error)
    })?;
    // SAFETY: the connection is open; the module is static; what is handed
    // over to `connect` is a number, no address.
    let code = unsafe {
        let columns = ptr::without_provenance_mut(columns);
        ffi::sqlite3_create_module_v2(connection.handle(), name.as_ptr(), &MODULE, columns, None)
    };
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(explain(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))),
    }
}

/// No `xCreate`: the table is there without being made, in no schema.
static MODULE: ffi::sqlite3_module = ffi::sqlite3_module {
    iVersion: 1,
    xCreate: None,
    xConnect: Some(connect),
    xBestIndex: Some(best_index),
    xDisconnect: Some(disconnect),
    xDestroy: None,
    xOpen: Some(open),
    xClose: Some(close),
    xFilter: Some(filter),
    xNext: Some(next),
    xEof: Some(eof),
    xColumn: Some(column),
    xRowid: Some(rowid),
    xUpdate: None,
    xBegin: None,
    xSync: None,
    xCommit: None,
    xRollback: None,
    xFindFunction: None,
    xRename: None,
    xSavepoint: None,
    xRelease: None,
    xRollbackTo: None,
    xShadowName: None,
    xIntegrity: None,
};

/// Declares the columns; only statements of the connection's owner, no view
/// and no trigger, may name the table.
unsafe extern "C" fn connect(
    database: *mut ffi::sqlite3,
    columns: *mut c_void,
    _: c_int,
    _: *const *const c_char,
    table: *mut *mut ffi::sqlite3_vtab,
    _: *mut *mut c_char,
) -> c_int {
    let names: Vec<String> = (0..columns.addr()).map(|column| format!("c{column}")).collect();
    let Ok(declared) = CString::new(format!("CREATE TABLE batch ({})", names.join(", "))) else {
        return ffi::SQLITE_ERROR;
    };
    // SAFETY: SQLite calls with its own database and a place for the table,
    // which it frees by `disconnect`.
    unsafe {
        let mut code = ffi::sqlite3_declare_vtab(database, declared.as_ptr());
        if code == ffi::SQLITE_OK {
            code = ffi::sqlite3_vtab_config(database, ffi::SQLITE_VTAB_DIRECTONLY);
        }
        if code == ffi::SQLITE_OK {
            *table = Box::into_raw(Box::new(ffi::sqlite3_vtab::default()));
        }
        code
    }
}

unsafe extern "C" fn disconnect(table: *mut ffi::sqlite3_vtab) -> c_int {
    // SAFETY: it was made by `connect`, and SQLite gives it back once.
    drop(unsafe { Box::from_raw(table) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn best_index(
    _: *mut ffi::sqlite3_vtab,
    _: *mut ffi::sqlite3_index_info,
) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vtab,
    place: *mut *mut ffi::sqlite3_vtab_cursor,
) -> c_int {
    let base = ffi::sqlite3_vtab_cursor::default();
    let cursor =
        Box::into_raw(Box::new(Cursor { base, rows: None, row: 0, block: Vec::new(), start: 0 }));
    // SAFETY: SQLite gives a place for the cursor, whose first field is what
    // SQLite takes it for, and frees it by `close`.
    unsafe { *place = cursor.cast() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(cursor: *mut ffi::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: it was made by `open`, and SQLite gives it back once.
    drop(unsafe { Box::from_raw(cursor.cast::<Cursor>()) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn filter(
    cursor: *mut ffi::sqlite3_vtab_cursor,
    _: c_int,
    _: *const c_char,
    _: c_int,
    _: *mut *mut ffi::sqlite3_value,
) -> c_int {
    // SAFETY: it was made by `open`, and nobody else has it.
    let cursor = unsafe { &mut *cursor.cast::<Cursor>() };
    cursor.rows = offered();
    cursor.row = 0;
    cursor.take_block();
    ffi::SQLITE_OK
}

unsafe extern "C" fn next(cursor: *mut ffi::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: as in `filter`.
    let cursor = unsafe { &mut *cursor.cast::<Cursor>() };
    cursor.advance();
    ffi::SQLITE_OK
}

unsafe extern "C" fn eof(cursor: *mut ffi::sqlite3_vtab_cursor) -> c_int {
    // SAFETY: as in `filter`.
    let cursor = unsafe { &*cursor.cast::<Cursor>() };
    c_int::from(cursor.rows.as_ref().is_none_or(|rows| cursor.row >= rows.count))
}

/// What is not set is NULL.
unsafe extern "C" fn column(
    cursor: *mut ffi::sqlite3_vtab_cursor,
    context: *mut ffi::sqlite3_context,
    column: c_int,
) -> c_int {
    // SAFETY: as in `filter`. Texts and bytes stand in rows that the cursor
    // holds and that outlive the statement, and so are not copied. Arrow's text
    // is UTF-8, and so is what we render; a text that is said to be terminated
    // is.
    unsafe {
        let cursor = &*cursor.cast::<Cursor>();
        match cursor.block.get(cursor.start.wrapping_add(column as usize)) {
            None | Some(Cell::Null) => {}
            Some(Cell::Integer(integer)) => ffi::sqlite3_result_int64(context, *integer),
            Some(Cell::Double(double)) => ffi::sqlite3_result_double(context, *double),
            Some(Cell::Text(text, length)) => {
                ffi::sqlite3_result_text(context, text.cast(), *length, ffi::SQLITE_STATIC());
            }
            Some(Cell::TerminatedText(text, length)) => ffi::sqlite3_result_text64(
                context,
                text.cast(),
                *length as u64,
                ffi::SQLITE_STATIC(),
                ffi::SQLITE_UTF8_ZT as u8,
            ),
            Some(Cell::Bytes(bytes, length)) => {
                ffi::sqlite3_result_blob(context, bytes.cast(), *length, ffi::SQLITE_STATIC());
            }
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn rowid(
    cursor: *mut ffi::sqlite3_vtab_cursor,
    rowid: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: as in `filter`; SQLite gives a place for the number.
    unsafe { *rowid = (*cursor.cast::<Cursor>()).row as i64 };
    ffi::SQLITE_OK
}
