//! A batch as a virtual table.
//!
//! `INSERT INTO table SELECT * FROM batch` makes SQLite fetch the rows by
//! itself, in one run of one statement: nothing is bound, and nothing is begun
//! and ended, for each row. There is one such table for each number of
//! columns; it has rows only while `insert` runs, on the thread that runs it,
//! and nobody but a statement of ours can name it.

mod module;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use decant_core::error::{Error, ErrorKind, Result};
use rusqlite::{CachedStatement, Connection};

use super::bind::ReadyColumn;
use super::error::explain;

thread_local! {
    /// The rows that a statement on this thread may fetch.
    static OFFERED: RefCell<Option<Rc<Rows>>> = const { RefCell::new(None) };
}

/// The table that offers rows of so many columns.
pub(super) fn table_name(columns: usize) -> String {
    format!("decant_batch_of_{columns}")
}

/// Runs a statement that inserts all rows that `columns` have, and answers
/// how many SQLite took. An error names the row that was refused in the fact
/// `row_of_batch`, and what became of the rows before it is the statement's
/// way of failing.
pub(super) fn insert(
    connection: &Connection,
    statement: &str,
    columns: Vec<ReadyColumn>,
    rows: usize,
) -> Result<u64> {
    let mut statement = prepare(connection, statement, columns.len())?;
    let rows = Rc::new(Rows { columns, count: rows, fetched: Cell::new(0) });
    let offer = Offer::new(&rows);
    let inserted = statement.raw_execute();
    drop(offer);
    let fetched = rows.fetched.get();
    match inserted {
        Ok(inserted) if fetched == rows.count => Ok(inserted as u64),
        Ok(_) => {
            let message = format!("SQLite fetched {fetched} of {} rows", rows.count);
            Err(Error::new(ErrorKind::Internal, message))
        }
        Err(error) if fetched < rows.count => {
            Err(explain(error).with("row_of_batch", fetched.to_string()))
        }
        Err(error) => Err(explain(error)),
    }
}

/// The statement, and the table that it reads from where it is not there yet.
fn prepare<'a>(
    connection: &'a Connection,
    statement: &str,
    columns: usize,
) -> Result<CachedStatement<'a>> {
    if let Ok(prepared) = connection.prepare_cached(statement) {
        return Ok(prepared);
    }
    module::register(connection, columns)?;
    connection.prepare_cached(statement).map_err(explain)
}

/// Rows that are offered, and how many of them were fetched.
struct Rows {
    columns: Vec<ReadyColumn>,
    count: usize,
    fetched: Cell<usize>,
}

/// Offers rows until it is dropped.
struct Offer;

impl Offer {
    fn new(rows: &Rc<Rows>) -> Self {
        OFFERED.set(Some(Rc::clone(rows)));
        Self
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        OFFERED.take();
    }
}

/// The rows that are offered on this thread.
fn offered() -> Option<Rc<Rows>> {
    OFFERED.with_borrow(Clone::clone)
}
