//! The database under test, asked beside decant through clients of the test's
//! own: SQLite or Postgres.
//!
//! Invariant: whatever is asked is read in one go, and nothing is written.

use std::path::{Path, PathBuf};

use decant_testkit::postgres::{PostgresServer, TestDatabase};
use futures::{TryStreamExt as _, pin_mut};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::generator::{Contents, hash};

/// Which database a scenario plays on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// A database of one scenario's own.
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(TestDatabase),
}

impl Database {
    /// A fresh one.
    pub(crate) fn new(kind: Kind, folder: &Path) -> Self {
        match kind {
            Kind::Sqlite => Self::Sqlite(folder.join("scale.db")),
            Kind::Postgres => Self::Postgres(PostgresServer::shared().database()),
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(database) => database.url.clone(),
        }
    }

    /// The rows of one query as texts, NULL as the empty one.
    #[track_caller]
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        match self {
            Self::Sqlite(path) => read(path, sql).unwrap_or_else(|error| panic!("{error}: {sql}")),
            Self::Postgres(database) => {
                let known = |row: Vec<Option<String>>| {
                    row.into_iter().map(Option::unwrap_or_default).collect()
                };
                database.rows(sql).into_iter().map(known).collect()
            }
        }
    }

    /// The names of its tables, none while there is no database.
    pub(crate) fn tables(&self) -> Vec<String> {
        let sql = match self {
            Self::Sqlite(path) if !path.exists() => return Vec::new(),
            Self::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table'",
            Self::Postgres(_) => "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
        };
        self.rows(sql).into_iter().map(|mut row| row.remove(0)).collect()
    }

    /// How many rows the ledger has at this moment, none while there is no
    /// ledger or no looking into it.
    pub(crate) fn ledger_count(&self) -> u64 {
        const COUNT: &str = "SELECT count(*) FROM processed_files";
        let rows = match self {
            Self::Sqlite(path) => read(path, COUNT).unwrap_or_default(),
            Self::Postgres(_) if !self.has_ledger() => Vec::new(),
            Self::Postgres(_) => self.rows(COUNT),
        };
        rows.first().map_or(0, |row| row[0].parse().expect("a count"))
    }

    fn has_ledger(&self) -> bool {
        self.rows("SELECT to_regclass('processed_files')")[0][0] == "processed_files"
    }

    /// Ready once nobody but the test is connected: a server notices only
    /// after a while that a client was killed, and may be committing still.
    pub(crate) fn wait_until_alone(&self) {
        const OTHERS: &str = "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()";
        if let Self::Postgres(_) = self {
            crate::run::wait_until("the server has noticed the kill", || {
                self.rows(OTHERS)[0][0] == "0"
            });
        }
    }

    /// How many bytes an open load of a large file has written so far, though
    /// nobody can see them: SQLite's write-ahead log, or Postgres's file of
    /// the table.
    pub(crate) fn bytes_under_way(&self, table: &str) -> u64 {
        match self {
            Self::Sqlite(path) => {
                let log = PathBuf::from(format!("{}-wal", path.display()));
                std::fs::metadata(log).map_or(0, |log| log.len())
            }
            Self::Postgres(_) => {
                let sql = format!("SELECT coalesce(pg_relation_size(to_regclass('{table}')), 0)");
                self.rows(&sql)[0][0].parse().expect("a size")
            }
        }
    }

    /// All that a table of order lines holds: the sums by SQL, the checksum
    /// from every row. Asserts that no order is there twice.
    #[track_caller]
    pub(crate) fn contents(&self, table: &str) -> Contents {
        let cents = self.hundredths("price");
        let sums = &self.rows(&format!(
            "SELECT count(*), count(DISTINCT order_id), sum(order_id), sum(quantity), \
             sum({cents}), count(comment) FROM {table}"
        ))[0];
        let sum = |at: usize| sums[at].parse().unwrap_or_else(|_| panic!("{table}: {sums:?}"));
        assert_eq!(sum(0), sum(1), "rows and orders in {table}");
        Contents {
            rows: sum(0),
            order_ids: sum(2),
            quantity: sum(3),
            cents: sum(4),
            comments: sum(5),
            checksum: self.checksum(table),
        }
    }

    fn hundredths(&self, column: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("CAST(round({column} * 100) AS INTEGER)"),
            Self::Postgres(_) => format!("({column} * 100)::bigint"),
        }
    }

    /// Every row as the text that [`hash`] takes.
    fn texts(&self, table: &str) -> String {
        let received_at = match self {
            Self::Sqlite(_) => "received_at",
            Self::Postgres(_) => "to_char(received_at, 'YYYY-MM-DD HH24:MI:SS')",
        };
        format!(
            "SELECT order_id || '|' || line_number || '|' || part || '|' || quantity || '|' || \
             {} || '|' || {} || '|' || flag || '|' || ship_date || '|' || {received_at} || '|' || \
             coalesce(comment, '~') FROM {table}",
            self.hundredths("price"),
            self.hundredths("discount")
        )
    }

    fn checksum(&self, table: &str) -> u64 {
        let sql = self.texts(table);
        match self {
            Self::Sqlite(path) => sqlite_checksum(path, &sql).expect("the table can be read"),
            Self::Postgres(database) => tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime for one connection")
                .block_on(postgres_checksum(&database.url, &sql))
                .expect("the table can be read"),
        }
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn read(path: &Path, sql: &str) -> rusqlite::Result<Vec<Vec<String>>> {
    let connection = open(path)?;
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let rows = statement
        .query_map([], |row| (0..columns).map(|column| row.get_ref(column).map(text)).collect())?;
    rows.collect()
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    }
}

fn sqlite_checksum(path: &Path, sql: &str) -> rusqlite::Result<u64> {
    let connection = open(path)?;
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut checksum = 0_u64;
    while let Some(row) = rows.next()? {
        checksum = checksum.wrapping_add(hash(row.get_ref(0)?.as_bytes()?));
    }
    Ok(checksum)
}

async fn postgres_checksum(url: &str, sql: &str) -> Result<u64, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let reading = async move {
        let rows = client.query_raw::<_, &str, _>(sql, []).await?;
        pin_mut!(rows);
        let mut checksum = 0_u64;
        while let Some(row) = rows.try_next().await? {
            checksum = checksum.wrapping_add(hash(row.try_get::<_, &str>(0)?.as_bytes()));
        }
        Ok(checksum)
    };
    let (checksum, _) = futures::join!(reading, connection);
    checksum
}
