//! The text of a `CREATE TABLE` statement, and the same with another name and
//! other types of columns.
//!
//! SQLite keeps a table's definition as the text that created it, so this text
//! is what is changed: all that is not the name or one of those types
//! (constraints, defaults, collations, generated columns, comments) stays as
//! it was written. Only what SQLite itself has accepted is read here; what
//! this reading does not understand, it refuses.

use std::ops::Range;

/// Words that end a column's type.
const CONSTRAINTS: &[&str] = &[
    "CONSTRAINT",
    "PRIMARY",
    "NOT",
    "NULL",
    "UNIQUE",
    "CHECK",
    "DEFAULT",
    "COLLATE",
    "REFERENCES",
    "GENERATED",
    "AS",
    "DEFERRABLE",
];
/// Words with which a constraint of the whole table begins.
const TABLE_CONSTRAINTS: &[&str] = &["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];

/// A table's definition, taken apart.
pub(super) struct CreateTable<'a> {
    text: &'a str,
    name: Range<usize>,
    columns: Vec<ColumnText>,
    is_autoincrement: bool,
}

struct ColumnText {
    name: String,
    /// Where its type stands, or would stand.
    column_type: Range<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Quoted,
    Text,
    Mark(u8),
}

struct Token {
    kind: Kind,
    place: Range<usize>,
}

impl<'a> CreateTable<'a> {
    /// Takes the text of `sqlite_master` apart; `None` where it is not the
    /// definition of a plain table.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let tokens = tokens(text)?;
        let is_word = |index: usize, word: &str| {
            tokens.get(index).is_some_and(|token| is_word(text, token, word))
        };
        if !is_word(0, "CREATE") || !is_word(1, "TABLE") {
            return None;
        }
        let name = tokens.get(2).filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted))?;
        if tokens.get(3)?.kind != Kind::Mark(b'(') {
            return None;
        }
        let columns = columns(text, &tokens[4..])?;
        let is_autoincrement = tokens.iter().any(|token| is_word_of(text, token, "AUTOINCREMENT"));
        Some(Self { text, name: name.place.clone(), columns, is_autoincrement })
    }

    /// Whether the table never gives a number twice.
    pub(super) fn is_autoincrement(&self) -> bool {
        self.is_autoincrement
    }

    /// The same definition under another name (already quoted) and with these
    /// types; `None` when it has no such column.
    pub(super) fn with(&self, name: &str, types: &[(String, String)]) -> Option<String> {
        let mut changes = vec![(self.name.clone(), name.to_owned())];
        for (column, declared) in types {
            let found =
                self.columns.iter().find(|known| known.name.eq_ignore_ascii_case(column))?;
            let place = found.column_type.clone();
            let space = if place.is_empty() { " " } else { "" };
            changes.push((place, format!("{space}{declared}")));
        }
        changes.sort_by_key(|(place, _)| place.start);
        let mut changed = String::with_capacity(self.text.len() + 64);
        let mut end = 0;
        for (place, new) in changes {
            changed.push_str(self.text.get(end..place.start)?);
            changed.push_str(&new);
            end = place.end;
        }
        changed.push_str(self.text.get(end..)?);
        Some(changed)
    }
}

/// The columns of what stands between the parentheses.
fn columns(text: &str, tokens: &[Token]) -> Option<Vec<ColumnText>> {
    let mut columns = Vec::new();
    let mut rest = tokens;
    loop {
        let (item, behind) = element(rest)?;
        let first = item.first()?;
        if TABLE_CONSTRAINTS.iter().any(|word| is_word(text, first, word)) {
            return Some(columns);
        }
        columns.push(column(text, item)?);
        match behind.split_first()? {
            (comma, more) if comma.kind == Kind::Mark(b',') => rest = more,
            _ => return Some(columns),
        }
    }
}

/// What stands before the next comma or the closing parenthesis.
fn element(tokens: &[Token]) -> Option<(&[Token], &[Token])> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Mark(b'(') => depth += 1,
            Kind::Mark(b')' | b',') if depth == 0 => return Some(tokens.split_at(index)),
            Kind::Mark(b')') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn column(text: &str, item: &[Token]) -> Option<ColumnText> {
    let (first, rest) = item.split_first()?;
    let name = unquoted(text.get(first.place.clone())?);
    let ends = |token: &Token| {
        token.kind == Kind::Word && CONSTRAINTS.iter().any(|word| is_word(text, token, word))
    };
    let length = rest.iter().position(ends).unwrap_or(rest.len());
    let column_type = match rest.get(..length)? {
        [] => first.place.end..first.place.end,
        [only] => only.place.clone(),
        [begin, .., end] => begin.place.start..end.place.end,
    };
    Some(ColumnText { name, column_type })
}

fn is_word(text: &str, token: &Token, word: &str) -> bool {
    token.kind == Kind::Word && is_word_of(text, token, word)
}

fn is_word_of(text: &str, token: &Token, word: &str) -> bool {
    text.get(token.place.clone()).is_some_and(|found| found.eq_ignore_ascii_case(word))
}

/// An identifier without the quotes around it.
fn unquoted(identifier: &str) -> String {
    let inside = || identifier.get(1..identifier.len().saturating_sub(1)).unwrap_or_default();
    match identifier.as_bytes().first() {
        Some(b'"') => inside().replace("\"\"", "\""),
        Some(b'`') => inside().replace("``", "`"),
        Some(b'\'') => inside().replace("''", "'"),
        Some(b'[') => inside().to_owned(),
        _ => identifier.to_owned(),
    }
}

/// The tokens of a statement, without spaces and comments; `None` where a
/// quote or a comment does not end.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let (kind, length) = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' => {
                at += 1;
                continue;
            }
            b'-' if rest.starts_with(b"--") => {
                at += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
                continue;
            }
            b'/' if rest.starts_with(b"/*") => {
                at += text.get(at + 2..)?.find("*/").map_or(rest.len(), |end| end + 4);
                continue;
            }
            b'"' | b'`' => (Kind::Quoted, quoted_length(rest, *byte)?),
            b'\'' => (Kind::Text, quoted_length(rest, b'\'')?),
            b'[' => (Kind::Quoted, rest.iter().position(|byte| *byte == b']')? + 1),
            byte if is_word_byte(*byte) => {
                let end = rest.iter().position(|byte| !is_word_byte(*byte));
                (Kind::Word, end.unwrap_or(rest.len()))
            }
            mark => (Kind::Mark(*mark), 1),
        };
        tokens.push(Token { kind, place: at..at + length });
        at += length;
    }
    Some(tokens)
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.') || byte >= 0x80
}

/// The length of what stands between quotes, which are doubled inside.
fn quoted_length(bytes: &[u8], quote: u8) -> Option<usize> {
    let mut at = 1;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == quote)? + 1;
        if bytes.get(at) != Some(&quote) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, types: &[(&str, &str)]) -> Option<String> {
        let types: Vec<(String, String)> =
            types.iter().map(|(name, to)| ((*name).to_owned(), (*to).to_owned())).collect();
        CreateTable::parse(text)?.with("\"new\"", &types)
    }

    #[test]
    fn only_the_name_and_the_types_change() {
        for (text, types, expected) in [
            ("CREATE TABLE t(a INT)", &[("a", "TEXT")][..], "CREATE TABLE \"new\"(a TEXT)"),
            ("CREATE TABLE t(a)", &[("A", "TEXT")], "CREATE TABLE \"new\"(a TEXT)"),
            (
                "CREATE TABLE \"a \"\"t\"\"\" (\n  \"n, (\" BIGINT, -- int, not text\n  b INT)",
                &[("n, (", "REAL")],
                "CREATE TABLE \"new\" (\n  \"n, (\" REAL, -- int, not text\n  b INT)",
            ),
            (
                "CREATE TABLE [t] (`a` UNSIGNED BIG INT (10, 5) NOT NULL DEFAULT (1 + (2)), b INT)",
                &[("a", "TEXT"), ("b", "REAL")],
                "CREATE TABLE \"new\" (`a` TEXT NOT NULL DEFAULT (1 + (2)), b REAL)",
            ),
            (
                "CREATE TABLE t(a INTEGER CHECK (a <> ','), b TEXT AS (a || ')') STORED, \
                 PRIMARY KEY (a, b)) WITHOUT ROWID, STRICT",
                &[("b", "BLOB")],
                "CREATE TABLE \"new\"(a INTEGER CHECK (a <> ','), b BLOB AS (a || ')') STORED, \
                 PRIMARY KEY (a, b)) WITHOUT ROWID, STRICT",
            ),
            (
                "CREATE TABLE t(a/* INT */INT/*,*/COLLATE NOCASE)",
                &[("a", "TEXT")],
                "CREATE TABLE \"new\"(a/* INT */TEXT/*,*/COLLATE NOCASE)",
            ),
        ] {
            assert_eq!(changed(text, types).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_table_is_not_read() {
        for text in [
            "CREATE VIRTUAL TABLE t USING fts5(a)",
            "CREATE VIEW v AS SELECT 1",
            "CREATE TABLE t(a INT",
            "CREATE TABLE t('a INT)",
            "",
        ] {
            assert_eq!(changed(text, &[("a", "TEXT")]), None, "{text}");
        }
        assert_eq!(changed("CREATE TABLE t(a INT)", &[("b", "TEXT")]), None);
    }

    #[test]
    fn numbers_that_never_come_back_are_seen() {
        let is = |text| CreateTable::parse(text).unwrap().is_autoincrement();
        assert!(is("CREATE TABLE t(a INTEGER PRIMARY KEY autoincrement)"));
        assert!(!is("CREATE TABLE t(a INTEGER PRIMARY KEY, \"x\" TEXT)"));
    }
}
