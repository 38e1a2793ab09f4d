//! Which journal a database keeps.
//!
//! Write-ahead logging where the file system allows it, so that readers go on
//! while a load writes. A page goes into the log first and from there into the
//! database, which costs a large load a third of its time. The first load into
//! a database that was made here, if it is large, goes without: there is
//! nothing to read yet, and what is appended needs no copy of what was there
//! before. Only where nobody else has the database open; who comes while the
//! load is under way may have to wait for its end, and then finds the log.
//!
//! Both ways a crash leaves the database as it was before the load, and a
//! commit is on the disk when it is answered.

use std::ops::Deref;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

/// How long to try to switch to write-ahead logging, at most.
const SWITCH_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause between two attempts to switch to write-ahead logging.
const SWITCH_PAUSE: Duration = Duration::from_millis(10);

/// A connection, and what becomes of its database's journal.
pub(crate) struct Journaled {
    connection: Connection,
    state: State,
    /// How long to wait for others.
    lock_timeout: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is as it is, and stays so.
    Settled,
    /// The database was made by this connection, and nobody has committed rows
    /// since; what SQLite's `data_version` was then.
    New(i64),
    /// The same, and a load is under way without a log.
    Unlogged,
}

impl Journaled {
    /// A connection that changes no journal.
    pub(super) fn settled(connection: Connection) -> Self {
        Self { connection, state: State::Settled, lock_timeout: Duration::ZERO }
    }

    /// A connection that is to write, and the first of all where the database
    /// has nothing in it, not even a table. Begins write-ahead logging; where
    /// that is refused, it is said, and readers wait.
    pub(super) fn logged(connection: Connection, lock_timeout: Duration) -> rusqlite::Result<Self> {
        let is_new = number(&connection, "page_count")? == 0;
        let mut journaled = Self { connection, state: State::Settled, lock_timeout };
        journaled.begin_log();
        if is_new {
            journaled.see_as_new();
        }
        Ok(journaled)
    }

    /// Whether nobody has committed rows to the database since it was made
    /// here.
    pub(super) fn is_new(&self) -> bool {
        matches!(self.state, State::New(_))
    }

    /// Leaves the log for the load that begins, unless somebody else has the
    /// database open or has written to it.
    pub(super) fn leave_log(&mut self) -> rusqlite::Result<()> {
        let State::New(version) = self.state else { return Ok(()) };
        if number(&self.connection, "data_version")? != version {
            self.state = State::Settled;
            return Ok(());
        }
        match self.switch_to("delete") {
            Ok(mode) if mode == "delete" => {
                tracing::debug!("the first rows go into the database without a log");
                self.state = State::Unlogged;
            }
            Ok(mode) => tracing::debug!(mode, "the journal stays"),
            Err(error) => tracing::debug!(%error, "the journal stays"),
        }
        Ok(())
    }

    /// A transaction was rolled back, or brought no rows: the log is back.
    pub(super) fn resume_log(&mut self) {
        if self.state == State::Unlogged {
            self.begin_log();
            self.see_as_new();
        }
    }

    /// Rows were committed, which readers may want.
    pub(super) fn rows_are_in(&mut self) {
        self.resume_log();
        self.state = State::Settled;
    }

    /// What others write from now on is seen.
    fn see_as_new(&mut self) {
        let version = number(&self.connection, "data_version");
        self.state = version.map_or(State::Settled, State::New);
    }

    fn begin_log(&self) {
        if let Err(reason) = self.wait_for_log() {
            tracing::warn!(
                database = self.connection.path().unwrap_or_default(),
                %reason,
                "write-ahead logging was refused: readers wait while a load commits"
            );
        }
    }

    /// Switches to write-ahead logging, or says why not. While another
    /// connection is at work SQLite refuses at once, without the lock timeout.
    fn wait_for_log(&self) -> Result<(), String> {
        let deadline = Instant::now() + self.lock_timeout.min(SWITCH_TIMEOUT);
        loop {
            match self.switch_to("wal") {
                Ok(mode) if mode == "wal" => return Ok(()),
                Ok(mode) => return Err(format!("the journal stays in mode `{mode}`")),
                Err(error) if is_busy(&error) && Instant::now() < deadline => {
                    std::thread::sleep(SWITCH_PAUSE);
                }
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    /// Answers the mode that the journal has afterwards.
    fn switch_to(&self, mode: &str) -> rusqlite::Result<String> {
        self.connection.pragma_update_and_check(None, "journal_mode", mode, |row| row.get(0))
    }
}

impl Deref for Journaled {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}
