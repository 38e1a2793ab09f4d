//! Destinations that are databases: SQLite and Postgres.
//!
//! Each database is a folder that turns the doors of `decant_core` into its
//! own statements; what they share stands in `sql`. Files are never seen
//! here, only batches of rows.
//!
//! A destination is a URL. [`open`] picks the database by its scheme from
//! [`destinations`]: adding one is a folder and a line there.

use std::sync::Arc;
use std::time::Duration;

use decant_core::Destination;
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::secret::redact_url;
use futures::FutureExt as _;
use futures::future::BoxFuture;

pub mod postgres;
mod sql;
pub mod sqlite;

/// What is said about a destination besides its URL.
#[derive(Clone, Debug)]
pub struct DatabaseOptions {
    /// The name of the ledger's table, `processed_files` by default. The
    /// rejects of a ledger with another name are in `NAME_rejects`.
    pub ledger: String,
    /// Loads that may be open at the same time, where the database allows
    /// more than one. 4 by default.
    pub connections: usize,
    /// How long to wait for a lock that another process holds, before the
    /// database is `Unavailable`. Ten minutes by default: whoever holds it may
    /// be loading a large file.
    pub lock_timeout: Duration,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            ledger: sql::ledger::DEFAULT_LEDGER.to_owned(),
            connections: 4,
            lock_timeout: Duration::from_secs(600),
        }
    }
}

/// Opens the database that a URL names.
pub type OpenDestination =
    for<'a> fn(&'a str, &'a DatabaseOptions) -> BoxFuture<'a, Result<Arc<dyn Destination>>>;

/// A kind of database.
pub struct DestinationEntry {
    /// The schemes of its URLs, without a driver (`postgresql+psycopg2` is
    /// `postgresql`).
    pub schemes: &'static [&'static str],
    /// Opens one.
    pub open: OpenDestination,
}

static DESTINATIONS: &[DestinationEntry] = &[
    DestinationEntry {
        schemes: &["sqlite"],
        open: |url, options| sqlite::open(url, options).boxed(),
    },
    DestinationEntry {
        schemes: &["postgresql", "postgres"],
        open: |url, options| postgres::open(url, options).boxed(),
    },
];

/// The kinds of databases that there are.
pub fn destinations() -> &'static [DestinationEntry] {
    DESTINATIONS
}

/// Opens the database at `url`.
///
/// Errors: `InvalidConfig` for a scheme that no database has and for a URL
/// that its database cannot read; else what the database answers.
pub async fn open(url: &str, options: &DatabaseOptions) -> Result<Arc<dyn Destination>> {
    let scheme = scheme_of(url).unwrap_or_default();
    let entry = DESTINATIONS.iter().find(|entry| entry.schemes.contains(&scheme.as_str()));
    match entry {
        Some(entry) => (entry.open)(url, options).await,
        None => Err(unknown_scheme(url)),
    }
}

/// What stands before `:`, in lower case and without a driver. A single
/// letter is a drive, not a scheme.
fn scheme_of(url: &str) -> Option<String> {
    let (scheme, _) = url.split_once(':')?;
    let database = scheme.split('+').next().unwrap_or(scheme);
    let is_word = database.len() > 1 && database.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word.then(|| database.to_ascii_lowercase())
}

fn unknown_scheme(url: &str) -> Error {
    let known: Vec<&str> = DESTINATIONS.iter().flat_map(|entry| entry.schemes).copied().collect();
    let message = format!("no destination is known by the URL `{}`", redact_url(url));
    Error::new(ErrorKind::InvalidConfig, message).with_hint(format!(
        "a destination begins with one of {}, such as `sqlite:decant.db` or \
         `postgresql://user@host/database`",
        known.iter().map(|scheme| format!("`{scheme}:`")).collect::<Vec<_>>().join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_read_without_case_and_driver() {
        for (url, scheme) in [
            ("sqlite:a.db", Some("sqlite")),
            ("sqlite+pysqlite:///a.db", Some("sqlite")),
            ("postgresql+psycopg2://h/d", Some("postgresql")),
            ("POSTGRESQL+asyncpg://h/d", Some("postgresql")),
            ("a.db", None),
            ("C:\\a.db", None),
        ] {
            assert_eq!(scheme_of(url).as_deref(), scheme, "{url}");
        }
    }

    #[tokio::test]
    async fn an_unknown_scheme_lists_the_known_ones_and_hides_the_password() {
        for url in ["oracle://u:secret@h/d", "decant.db"] {
            let error = open(url, &DatabaseOptions::default()).await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig);
            assert!(!error.to_string().contains("secret"));
            let hint = error.hint().unwrap();
            assert!(hint.contains("`sqlite:`") && hint.contains("`postgresql:`"));
        }
    }
}
