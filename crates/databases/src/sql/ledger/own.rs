//! Which tables are decant's own, and so no place for anybody's rows.
//!
//! By name alone, before anything is there: a ledger that is made tomorrow
//! must not find rows of a file in its place.

use decant_core::error::{Error, ErrorKind};
use decant_core::schema::TableName;

use super::{DEFAULT_CHUNKS, DEFAULT_LEDGER, DEFAULT_REJECTS, LedgerSql, META};

impl LedgerSql {
    /// Whether a table of this name beside the ledger is decant's own, in
    /// whatever case it is written: this ledger's tables and the default's.
    pub(crate) fn is_own(&self, name: &str) -> bool {
        [
            &self.ledger,
            &self.rejects,
            &self.chunks,
            META,
            DEFAULT_LEDGER,
            DEFAULT_REJECTS,
            DEFAULT_CHUNKS,
        ]
        .iter()
        .any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// Why nothing is loaded into a table of decant's own.
pub(crate) fn own_table(table: &TableName) -> Error {
    let message = format!("`{table}` is where decant keeps what it has loaded: no rows go there");
    Error::new(ErrorKind::InvalidConfig, message)
        .with_hint("name another table, or move the ledger with --ledger")
}
