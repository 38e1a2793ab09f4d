//! Connections to one SQLite database: one that writes, one that reads.
//!
//! The writer's connection is lent to one load at a time; other loads of this
//! process wait for it in turn, those of other processes for the database's
//! own lock, up to the lock timeout. Readers never wait for a load, except in
//! memory, where there is only one connection.
//!
//! The file is created by the first write, never by reading. Durability:
//! `synchronous=FULL`, because an arrival is acknowledged after the commit
//! and must not be lost to a power failure; write-ahead logging where the
//! file system allows it, so that readers go on while a load writes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use decant_core::error::{Error, ErrorKind, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};

use super::error::explain;
use super::url::Location;

/// Bytes of a page of a database that is created here. A load writes each page
/// once to the log and once from it, and larger ones are fewer: with 4, 16, 32
/// and 64 KiB 2,000,000 rows of 17 columns take 2.0, 1.55, 1.35 and 1.25 s of
/// CPU. An empty table costs one.
const PAGE_BYTES: i64 = 32 * 1024;
/// Memory that SQLite may use for pages of one connection, in KiB. Rows are
/// appended: more makes no load faster.
const CACHE_KIB: i64 = 8 * 1024;
/// What a write-ahead log is cut back to after a checkpoint.
const LOG_BYTES_KEPT: i64 = 64 << 20;
/// Statements that a connection keeps prepared.
const STATEMENTS_KEPT: usize = 64;
/// How long to try to switch to write-ahead logging, at most.
const SWITCH_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause between two attempts to switch to write-ahead logging.
const SWITCH_PAUSE: Duration = Duration::from_millis(10);

type Slot = Arc<Mutex<Option<Connection>>>;

/// A connection that nobody else has until it is dropped.
pub(crate) type Held = OwnedMappedMutexGuard<Option<Connection>, Connection>;

/// The connections to one database.
pub(crate) struct Connections {
    location: Location,
    lock_timeout: Duration,
    writer: Slot,
    reader: Slot,
}

impl Connections {
    /// Opens the database, if it is there, to see that it is one.
    pub(crate) async fn open(location: Location, lock_timeout: Duration) -> Result<Self> {
        if let Location::File(path) = &location {
            check_path(path)?;
        }
        let writer = Slot::default();
        let reader = match location {
            Location::File(_) => Slot::default(),
            Location::Memory => Arc::clone(&writer),
        };
        let connections = Self { location, lock_timeout, writer, reader };
        connections.read(count_tables).await?;
        Ok(connections)
    }

    /// The connection for writing, once it is free.
    pub(crate) async fn writer(&self) -> Result<Held> {
        let slot = Arc::clone(&self.writer).lock_owned().await;
        let (location, lock_timeout) = (self.location.clone(), self.lock_timeout);
        let connect = move || match &location {
            Location::File(path) => connect_writer(path, lock_timeout),
            Location::Memory => connect_memory(),
        };
        blocking(move || fill(slot, connect)).await
    }

    /// Runs `work` on the connection for reading. `None` when there is no
    /// database yet.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<Option<T>> {
        let path = match &self.location {
            Location::Memory => return Ok(Some(self.read_memory(work).await?)),
            Location::File(path) => path.clone(),
        };
        let slot = Arc::clone(&self.reader).lock_owned().await;
        let lock_timeout = self.lock_timeout;
        blocking(move || {
            if !path.exists() {
                return Ok(None);
            }
            let held = fill(slot, || connect_reader(&path, lock_timeout))?;
            work(&held)
                .map(Some)
                .map_err(|error| error.with("database", path.display().to_string()))
        })
        .await
    }

    /// Whether the first write would create the database.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(&self.location, Location::File(path) if !path.exists())
    }

    /// Tries whether a database could be created where there is none, and
    /// leaves nothing behind.
    pub(crate) fn check_folder(&self) -> Result<()> {
        let Location::File(path) = &self.location else { return Ok(()) };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let tried = folder.join(format!(".decant-check-{}", std::process::id()));
        std::fs::File::create_new(&tried).and_then(|_| std::fs::remove_file(&tried)).map_err(
            |error| {
                let kind = match error.kind() {
                    std::io::ErrorKind::PermissionDenied => ErrorKind::AccessDenied,
                    _ => ErrorKind::Unavailable,
                };
                Error::new(kind, format!("cannot create files in `{}`", folder.display()))
                    .caused_by(error)
            },
        )
    }

    async fn read_memory<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let held = self.writer().await?;
        blocking(move || work(&held)).await
    }
}

/// Runs what blocks where it may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Internal, "the SQLite thread ended early").caused_by(error))
    })
}

fn fill(
    mut slot: OwnedMutexGuard<Option<Connection>>,
    connect: impl FnOnce() -> Result<Connection>,
) -> Result<Held> {
    if slot.is_none() {
        *slot = Some(connect()?);
    }
    OwnedMutexGuard::try_map(slot, Option::as_mut)
        .map_err(|_| Error::new(ErrorKind::Internal, "the SQLite connection is gone"))
}

fn check_path(path: &Path) -> Result<()> {
    if path.is_dir() {
        let message = format!("`{}` is a folder, not a database", path.display());
        return Err(Error::new(ErrorKind::InvalidConfig, message)
            .with_hint("name a file, such as `sqlite:folder/decant.db`"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => {
            let message = format!("there is no folder `{}`", folder.display());
            Err(Error::new(ErrorKind::NotFound, message)
                .with_hint("create it, or correct the destination's path"))
        }
        _ => Ok(()),
    }
}

fn connect_reader(path: &Path, lock_timeout: Duration) -> Result<Connection> {
    let connection = open_file(path, OpenFlags::empty())?;
    configure(&connection, lock_timeout)
        .and_then(|()| connection.pragma_update(None, "query_only", true))
        .map_err(explain)?;
    Ok(connection)
}

fn connect_writer(path: &Path, lock_timeout: Duration) -> Result<Connection> {
    let connection = open_file(path, OpenFlags::SQLITE_OPEN_CREATE)?;
    // SQLite counts the cache in pages of the size that it knows by then.
    connection
        .pragma_update(None, "page_size", PAGE_BYTES)
        .and_then(|()| configure(&connection, lock_timeout))
        .map_err(explain)?;
    if let Err(reason) = switch_to_log(&connection, lock_timeout) {
        tracing::warn!(
            database = %path.display(),
            %reason,
            "write-ahead logging was refused: readers wait while a load commits"
        );
    }
    configure_writer(&connection).map_err(explain)?;
    Ok(connection)
}

fn connect_memory() -> Result<Connection> {
    let connection = Connection::open_in_memory().map_err(explain)?;
    configure_writer(&connection).map_err(explain)?;
    Ok(connection)
}

fn open_file(path: &Path, more: OpenFlags) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    Connection::open_with_flags(path, flags)
        .map_err(|error| explain(error).with("database", path.display().to_string()))
}

fn configure(connection: &Connection, lock_timeout: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(lock_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.pragma_update(None, "cache_size", -CACHE_KIB)
}

fn configure_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_KEPT, |_| Ok(()))?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// Switches to write-ahead logging, or says why not. While another connection
/// is at work SQLite refuses at once, without the lock timeout. It could be
/// made to wait by asking for the whole database first, which would refuse
/// everybody who begins to read meanwhile; it tells nobody that it is free.
fn switch_to_log(connection: &Connection, lock_timeout: Duration) -> Result<(), String> {
    let deadline = Instant::now() + lock_timeout.min(SWITCH_TIMEOUT);
    loop {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => return Err(format!("the journal stays in mode `{mode}`")),
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                std::thread::sleep(SWITCH_PAUSE);
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

fn count_tables(connection: &Connection) -> Result<u64> {
    connection
        .query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0))
        .map(i64::unsigned_abs)
        .map_err(explain)
}
