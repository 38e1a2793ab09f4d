//! How one database spells what all of them have: identifiers, placeholders,
//! the names of types, text in byte order.
//!
//! The one place that quotes identifiers. A dialect is plain data: adding a
//! database is filling in this struct.

use std::borrow::Cow;
use std::fmt::Write as _;

use decant_core::error::{Error, ErrorKind, Result};
use decant_core::schema::{ColumnType, TableName};

/// The spelling of one database.
pub(crate) struct Dialect {
    /// The database's name, for messages.
    pub(crate) name: &'static str,
    /// What stands before a parameter's number: `?` or `$`.
    pub(crate) placeholder: char,
    /// Longest identifier, in bytes of UTF-8.
    pub(crate) identifier_bytes_max: usize,
    /// The clause behind a text column's type that compares it as bytes.
    pub(crate) byte_order: &'static str,
    /// Columns that the ledger's index by key holds besides, so that a listing
    /// is compared with the index alone; none where its entries must be short.
    pub(crate) listed_columns: &'static [&'static str],
    /// Whether text may hold the character NUL.
    pub(crate) nul_in_text: bool,
    /// The type of a column that decant creates: the type table.
    pub(crate) column_type: fn(ColumnType) -> Cow<'static, str>,
    /// The type of a column of the ledger's tables.
    pub(crate) ledger_type: fn(LedgerType) -> &'static str,
    /// Turns a placeholder bound to a double into a value of
    /// [`LedgerType::Seconds`].
    pub(crate) write_seconds: fn(&str) -> String,
    /// Turns a column of [`LedgerType::Seconds`] into a double.
    pub(crate) read_seconds: fn(&str) -> String,
    /// The function that says where in a text (its first argument) another
    /// one stands, from 1, or 0.
    pub(crate) position: &'static str,
    /// An expression that is other text at each call, for the epoch.
    pub(crate) random_text: &'static str,
}

/// What the columns of the ledger's tables hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LedgerType {
    /// 64-bit integer, given, the primary key.
    Id,
    /// 64-bit integer, chosen by the database and never twice, the primary
    /// key.
    Serial,
    /// Text, the primary key.
    Name,
    /// 64-bit integer.
    Integer,
    /// Text.
    Text,
    /// Text that is compared and ordered as bytes.
    ByteOrdered,
    /// A moment in UTC, microseconds.
    Moment,
    /// A length of time: an interval, or seconds as a double.
    Seconds,
    /// Bytes.
    Bytes,
}

impl Dialect {
    /// The identifier in double quotes.
    pub(crate) fn quote(&self, identifier: &str) -> String {
        format!("\"{}\"", identifier.replace('"', "\"\""))
    }

    /// The table's name, quoted and as qualified as it is.
    pub(crate) fn quote_table(&self, table: &TableName) -> String {
        match &table.schema {
            Some(schema) => format!("{}.{}", self.quote(schema), self.quote(&table.name)),
            None => self.quote(&table.name),
        }
    }

    /// The identifiers, quoted, with commas between them.
    pub(crate) fn quote_list<'a>(&self, identifiers: impl IntoIterator<Item = &'a str>) -> String {
        let quoted: Vec<String> = identifiers.into_iter().map(|name| self.quote(name)).collect();
        quoted.join(", ")
    }

    /// The placeholder of the parameter `number`, from 1.
    pub(crate) fn parameter(&self, number: usize) -> String {
        format!("{}{number}", self.placeholder)
    }

    /// The placeholders from `first` on, with commas between them.
    pub(crate) fn parameters(&self, first: usize, count: usize) -> String {
        let mut list = String::with_capacity(count * 5);
        for number in first..first + count {
            let comma = if number == first { "" } else { ", " };
            // Writing to a `String` cannot fail.
            let _ = write!(list, "{comma}{}{number}", self.placeholder);
        }
        list
    }

    /// Refuses a name that this database cannot give to something new.
    pub(crate) fn check_identifier(&self, identifier: &str) -> Result<()> {
        let limit = self.identifier_bytes_max;
        let problem = if identifier.is_empty() {
            "is empty".to_owned()
        } else if identifier.contains('\0') {
            "contains the character NUL".to_owned()
        } else if identifier.len() > limit {
            format!("has {} bytes, {} allows {limit}", identifier.len(), self.name)
        } else {
            return Ok(());
        };
        let shown = identifier.replace('\0', "\\0");
        Err(Error::new(ErrorKind::InvalidConfig, format!("the name `{shown}` {problem}"))
            .with_hint("give the table or column another name, with --table or --rename"))
    }

    /// `text` as this database can store it: where text may not hold NUL,
    /// NUL becomes U+0001 U+0001 and U+0001 becomes U+0001 U+0002, which keeps
    /// the order of bytes and every other text as it is.
    pub(crate) fn store_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.nul_in_text || !text.contains(['\0', '\u{1}']) {
            return Cow::Borrowed(text);
        }
        Cow::Owned(text.replace('\u{1}', "\u{1}\u{2}").replace('\0', "\u{1}\u{1}"))
    }

    /// What [`store_text`](Self::store_text) was given.
    pub(crate) fn restore_text(&self, stored: String) -> String {
        if self.nul_in_text || !stored.contains('\u{1}') {
            return stored;
        }
        stored.replace("\u{1}\u{1}", "\0").replace("\u{1}\u{2}", "\u{1}")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A dialect like Postgres's, for the tests of the statements.
    pub(crate) static PLAIN: Dialect = Dialect {
        name: "Plain",
        placeholder: '$',
        identifier_bytes_max: 63,
        byte_order: "COLLATE \"C\"",
        listed_columns: &[],
        nul_in_text: false,
        column_type: |column_type| column_type.to_string().into(),
        ledger_type: |ledger_type| match ledger_type {
            LedgerType::Id => "bigint PRIMARY KEY",
            LedgerType::Serial => "serial PRIMARY KEY",
            LedgerType::Name => "text PRIMARY KEY",
            LedgerType::Integer => "bigint",
            LedgerType::Text | LedgerType::ByteOrdered => "text",
            LedgerType::Moment => "timestamptz",
            LedgerType::Seconds => "interval",
            LedgerType::Bytes => "bytea",
        },
        write_seconds: |parameter| format!("make_interval(secs => {parameter})"),
        read_seconds: |column| format!("extract(epoch FROM {column})"),
        position: "strpos",
        random_text: "random()",
    };

    #[test]
    fn quotes_in_identifiers_are_doubled() {
        assert_eq!(PLAIN.quote("a\"b"), "\"a\"\"b\"");
        assert_eq!(PLAIN.quote_table(&TableName::parse("s.t")), "\"s\".\"t\"");
        assert_eq!(PLAIN.quote_list(["a", "b"]), "\"a\", \"b\"");
    }

    #[test]
    fn parameters_are_numbered_from_the_first() {
        assert_eq!(PLAIN.parameters(3, 2), "$3, $4");
        assert_eq!(PLAIN.parameters(1, 0), "");
    }

    #[test]
    fn names_that_cannot_be_given_are_refused() {
        assert!(PLAIN.check_identifier("ok").is_ok());
        for name in ["", "a\0b", &"x".repeat(64)] {
            let error = PLAIN.check_identifier(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig);
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn nul_is_escaped_reversibly_and_in_order() {
        let texts = ["", "\0", "\0\0", "\0a", "\u{1}", "\u{1}\0", "\u{1}\u{2}", "\u{2}", "a"];
        let stored: Vec<String> =
            texts.iter().map(|text| PLAIN.store_text(text).into_owned()).collect();
        assert!(stored.is_sorted());
        for (text, stored) in texts.iter().zip(stored) {
            assert!(!stored.contains('\0'));
            assert_eq!(PLAIN.restore_text(stored), *text);
        }
    }

    /// What `docs/types.md` says that each type of the house is declared as
    /// in the database called `name`: a header of the page's table.
    pub(crate) fn documented_types(name: &str) -> Vec<(String, String)> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/types.md");
        let page = std::fs::read_to_string(path).expect("docs/types.md");
        let table = page.lines().skip_while(|line| !line.starts_with('|'));
        let mut rows = table.take_while(|line| line.starts_with('|')).map(cells);
        let header = rows.next().expect("a table");
        let column = header.iter().position(|cell| cell == name).expect("a column of the name");
        rows.skip(1).map(|row| (row[0].clone(), row[column].clone())).collect()
    }

    fn cells(line: &str) -> Vec<String> {
        let inside = line.trim_matches('|').split('|');
        inside.map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    }
}
