//! Where a SQLite URL points.
//!
//! Spelled as SQLAlchemy does: three slashes before a relative path, four
//! before an absolute one. Without slashes the path stands as it is:
//! `sqlite:orders.db`, `sqlite:/data/orders.db`. Paths are taken as they are
//! typed, without percent-decoding.

use std::fmt;
use std::path::PathBuf;

use decant_core::error::{Error, ErrorKind, Result};

/// Where a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// In a file, which need not exist yet.
    File(PathBuf),
    /// In this process's memory, gone with it.
    Memory,
}

impl Location {
    /// Reads `sqlite:path`, `sqlite:///path`, `sqlite:////path`,
    /// `sqlite::memory:` or `sqlite://`, each with or without a driver.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let (_, rest) = url.split_once(':').ok_or_else(|| invalid(url, "it has no scheme"))?;
        let path = match rest.strip_prefix("//") {
            None => rest,
            Some("") => ":memory:",
            Some(authority) => path_behind(url, authority)?,
        };
        match path {
            "" => Err(invalid(url, "it names no file")),
            ":memory:" => Ok(Self::Memory),
            _ if path.contains('\0') => Err(invalid(url, "it contains the character NUL")),
            path => Ok(Self::File(PathBuf::from(path))),
        }
    }
}

fn path_behind<'a>(url: &str, authority: &'a str) -> Result<&'a str> {
    let path = authority
        .strip_prefix('/')
        .ok_or_else(|| invalid(url, "SQLite has no host: write three slashes before the path"))?;
    match path.split_once('?') {
        None => Ok(path),
        Some((path, "")) => Ok(path),
        Some((_, options)) => Err(invalid(url, &format!("the options `{options}` are unknown"))),
    }
}

fn invalid(url: &str, problem: &str) -> Error {
    Error::new(ErrorKind::InvalidConfig, format!("`{url}` is not a SQLite URL: {problem}"))
        .with_hint(
            "write `sqlite:path.db`, `sqlite:///relative.db` or `sqlite:////absolute/path.db`",
        )
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Memory => f.write_str(":memory:"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_sqlalchemy_reads_them() {
        for (url, path) in [
            ("sqlite:orders.db", "orders.db"),
            ("sqlite:/data/orders.db", "/data/orders.db"),
            ("sqlite:a b?c%20.db", "a b?c%20.db"),
            ("sqlite:///orders.db", "orders.db"),
            ("sqlite+pysqlite:///sub/orders.db", "sub/orders.db"),
            ("sqlite:////data/orders.db", "/data/orders.db"),
        ] {
            assert_eq!(Location::parse(url).unwrap(), Location::File(path.into()), "{url}");
        }
        for url in ["sqlite::memory:", "sqlite://", "sqlite:///:memory:"] {
            assert_eq!(Location::parse(url).unwrap(), Location::Memory, "{url}");
        }
    }

    #[test]
    fn what_is_not_a_path_is_refused_with_the_right_spelling() {
        for url in ["sqlite:", "sqlite:///", "sqlite://orders.db", "sqlite:///a.db?mode=ro"] {
            let error = Location::parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{url}");
            assert!(error.hint().is_some());
        }
    }
}
