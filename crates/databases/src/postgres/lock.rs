//! The advisory locks by which decants on one database stay out of each
//! other's way.
//!
//! A load holds its table's lock shared, a change of the table exclusively;
//! the creation of the ledger and of a schema each have one of their own, and
//! so has each chunk of a file that is loaded in several. The
//! lock of a table's commits is taken last, by loads that look whether another
//! version of a file was committed before them, and held for that look and the
//! commit alone. The keys are part of the contract between versions: they never change.

use decant_core::file::FileId;
use decant_core::schema::TableName;

/// What is locked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lock<'a> {
    /// A target table, by its qualified name.
    Table(&'a TableName),
    /// A database schema that is being created.
    Schema(&'a str),
    /// The tables of the ledger.
    Ledger,
    /// The last look at what else is loaded into a table, and the commit.
    Commit(&'a TableName),
    /// A chunk of a file that is being loaded, by its first byte.
    Chunk(FileId, u64),
}

impl Lock<'_> {
    /// Waits for the lock, which ends with the transaction.
    pub(crate) fn exclusive(self) -> String {
        format!("SELECT pg_catalog.pg_advisory_xact_lock({})", self.key())
    }

    /// The same, together with others that hold it shared.
    pub(crate) fn shared(self) -> String {
        format!("SELECT pg_catalog.pg_advisory_xact_lock_shared({})", self.key())
    }

    fn key(self) -> i64 {
        match self {
            Self::Table(table) => hash(&format!("decant table {table}")),
            Self::Schema(schema) => hash(&format!("decant schema {schema}")),
            Self::Ledger => hash("decant ledger"),
            Self::Commit(table) => hash(&format!("decant commit {table}")),
            Self::Chunk(file, first) => hash(&format!("decant chunk {file} {first}")),
        }
    }
}

/// FNV-1a, 64 bits.
fn hash(text: &str) -> i64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_never_change_between_releases() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325_u64 as i64);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c_u64 as i64);
        let table = TableName::parse("public.orders");
        assert_ne!(Lock::Table(&table).key(), Lock::Schema("public.orders").key());
        assert_ne!(Lock::Table(&table).key(), Lock::Commit(&table).key());
    }
}
