//! The database under test, asked beside decant: SQLite or Postgres, text in,
//! text out. Invariant: it is asked through another library's connection of
//! its own, never through decant.

use std::path::{Path, PathBuf};

use decant_testkit::postgres::{HeldTransaction, PostgresServer, TestDatabase};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// A database of one test's own.
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(TestDatabase),
}

impl Database {
    pub(crate) fn sqlite(folder: &Path) -> Self {
        Self::Sqlite(folder.join("test.db"))
    }

    pub(crate) fn postgres() -> Self {
        Self::Postgres(PostgresServer::shared().database())
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(database) => database.url.clone(),
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// The rows of one query; NULL is `None`.
    #[track_caller]
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        match self {
            Self::Sqlite(path) => {
                let database = Connection::open(path).expect("the database opens");
                rows_of(&database, sql).unwrap_or_else(|error| panic!("{error}: {sql}"))
            }
            Self::Postgres(database) => database.rows(sql),
        }
    }

    /// Runs statements.
    #[track_caller]
    pub(crate) fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(path) => {
                let database = Connection::open(path).expect("the database opens");
                database.execute_batch(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
            }
            Self::Postgres(database) => {
                database.psql(sql);
            }
        }
    }

    /// Runs statements in a transaction that stays open; Postgres alone.
    #[track_caller]
    pub(crate) fn hold(&self, sql: &str) -> HeldTransaction {
        match self {
            Self::Sqlite(_) => panic!("a connection to SQLite holds its own"),
            Self::Postgres(database) => database.hold(sql),
        }
    }

    /// The names of its tables and views, without the database's own.
    pub(crate) fn tables(&self) -> Vec<String> {
        let sql = match self {
            Self::Sqlite(path) if !path.exists() => return Vec::new(),
            Self::Sqlite(_) => {
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')
                 AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name"
            }
            Self::Postgres(_) => {
                "SELECT table_name FROM information_schema.tables
                 WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
                 ORDER BY table_name COLLATE \"C\""
            }
        };
        self.rows(sql).into_iter().filter_map(|mut row| row.remove(0)).collect()
    }

    /// A table's columns in their order.
    pub(crate) fn columns(&self, table: &str) -> Vec<String> {
        let sql = match self {
            Self::Sqlite(_) => format!("SELECT name FROM pragma_table_info('{table}')"),
            Self::Postgres(_) => format!(
                "SELECT column_name FROM information_schema.columns
                 WHERE table_name = '{table}' ORDER BY ordinal_position"
            ),
        };
        self.rows(&sql).into_iter().filter_map(|mut row| row.remove(0)).collect()
    }
}

fn rows_of(database: &Connection, sql: &str) -> rusqlite::Result<Vec<Vec<Option<String>>>> {
    let mut statement = database.prepare(sql)?;
    let columns = statement.column_count();
    let rows = statement
        .query_map([], |row| (0..columns).map(|column| row.get_ref(column).map(text)).collect())?;
    rows.collect()
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            Some(String::from_utf8_lossy(text).into_owned())
        }
    }
}
