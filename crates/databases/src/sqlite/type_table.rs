//! The type table: how each type of the house is declared and stored, and
//! what the declared types of other people's tables mean.
//!
//! SQLite derives an *affinity* from the words of a declared type
//! (<https://www.sqlite.org/datatype3.html>, section 3.1) and converts values
//! on their way in. The words chosen here have affinities that change no
//! value: text that could look like a number is declared with `TEXT` in its
//! name, and ISO 8601 dates, times and UUIDs are never numbers.

use std::borrow::Cow;

use decant_core::schema::{ColumnType, DecimalBounds};

use crate::sql::dialect::{Dialect, LedgerType};

/// Decimals of at most so many digits are stored as numbers: a double keeps
/// them by value.
const NUMBER_DIGITS: u8 = 15;

/// The spelling of SQLite.
pub(crate) static SQLITE: Dialect = Dialect {
    name: "SQLite",
    placeholder: '?',
    identifier_bytes_max: 1024,
    byte_order: "COLLATE BINARY",
    listed_columns: &[
        "id",
        "etag",
        "file_size_bytes",
        "target_table",
        "status",
        "attempts",
        "rows_checksum",
    ],
    nul_in_text: true,
    column_type: declare,
    ledger_type,
    write_seconds: str::to_owned,
    read_seconds: str::to_owned,
    position: "instr",
    random_text: "lower(hex(randomblob(16)))",
};

/// How SQLite converts values on their way into a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Affinity {
    /// Text that looks like an integer becomes one.
    Integer,
    /// Numbers become text.
    Text,
    /// Nothing is converted.
    Blob,
    /// Numbers become doubles.
    Real,
    /// Text that looks like a number becomes one.
    Numeric,
}

impl Affinity {
    /// The affinity of a column declared with these words.
    pub(crate) fn of(declared: &str) -> Self {
        let words = declared.to_ascii_uppercase();
        let has = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        if has(&["INT"]) {
            Self::Integer
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Self::Text
        } else if words.is_empty() || has(&["BLOB"]) {
            Self::Blob
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            Self::Real
        } else {
            Self::Numeric
        }
    }

    /// Whether text may become a number.
    pub(crate) fn converts_text(self) -> bool {
        matches!(self, Self::Integer | Self::Real | Self::Numeric)
    }
}

fn declare(column_type: ColumnType) -> Cow<'static, str> {
    match column_type {
        ColumnType::Bool => "BOOLEAN",
        ColumnType::Int16 => "SMALLINT",
        ColumnType::Int32 => "INT4",
        ColumnType::Int64 => "BIGINT",
        ColumnType::Float32 => "FLOAT4",
        ColumnType::Float64 => "REAL",
        ColumnType::Decimal(None) => "DECIMAL_TEXT",
        ColumnType::Decimal(Some(DecimalBounds { precision, scale })) => {
            let word = if precision <= NUMBER_DIGITS { "DECIMAL" } else { "DECIMAL_TEXT" };
            return format!("{word}({precision},{scale})").into();
        }
        ColumnType::Date => "DATE",
        ColumnType::Time => "TIME",
        ColumnType::Timestamp => "TIMESTAMP",
        ColumnType::TimestampTz => "TIMESTAMPTZ",
        ColumnType::Uuid => "UUID",
        ColumnType::Text => "TEXT",
        ColumnType::Json | ColumnType::List(_) => "JSON_TEXT",
        ColumnType::Binary => "BLOB",
    }
    .into()
}

fn ledger_type(ledger_type: LedgerType) -> &'static str {
    match ledger_type {
        LedgerType::Id => "INTEGER PRIMARY KEY",
        // Without the word an id is given again once the last row is gone.
        LedgerType::Serial => "INTEGER PRIMARY KEY AUTOINCREMENT",
        LedgerType::Name => "TEXT PRIMARY KEY",
        LedgerType::Integer => "BIGINT",
        LedgerType::Text | LedgerType::ByteOrdered => "TEXT",
        LedgerType::Moment => "TIMESTAMPTZ",
        LedgerType::Seconds => "REAL",
        LedgerType::Bytes => "BLOB",
    }
}

/// What a column declared with these words holds. Words that nobody knows
/// hold text; what SQLite would make of that text is the writer's care.
pub(crate) fn understand(declared: &str) -> ColumnType {
    let (word, bounds) = split_bounds(declared);
    exact_word(&word, bounds).unwrap_or_else(|| match Affinity::of(&word) {
        Affinity::Integer => ColumnType::Int64,
        Affinity::Real => ColumnType::Float64,
        Affinity::Blob if !word.is_empty() => ColumnType::Binary,
        Affinity::Text | Affinity::Blob | Affinity::Numeric => ColumnType::Text,
    })
}

fn exact_word(word: &str, bounds: Option<DecimalBounds>) -> Option<ColumnType> {
    Some(match word {
        "BOOL" | "BOOLEAN" => ColumnType::Bool,
        "SMALLINT" | "INT2" | "TINYINT" => ColumnType::Int16,
        "INT4" | "MEDIUMINT" => ColumnType::Int32,
        "FLOAT4" => ColumnType::Float32,
        "DEC" | "DECIMAL" | "NUMERIC" | "NUMBER" | "DECIMAL_TEXT" => ColumnType::Decimal(bounds),
        "DATE" => ColumnType::Date,
        "TIME" | "TIME WITHOUT TIME ZONE" => ColumnType::Time,
        "DATETIME" | "TIMESTAMP" | "TIMESTAMP WITHOUT TIME ZONE" => ColumnType::Timestamp,
        "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" => ColumnType::TimestampTz,
        "UUID" => ColumnType::Uuid,
        "JSON" | "JSONB" | "JSON_TEXT" => ColumnType::Json,
        "BINARY" | "VARBINARY" | "BYTEA" => ColumnType::Binary,
        _ => return None,
    })
}

/// The words in upper case without what stands in parentheses, and the
/// numbers that stand there where they are a decimal's.
fn split_bounds(declared: &str) -> (String, Option<DecimalBounds>) {
    let upper = declared.trim().to_ascii_uppercase();
    let Some((before, rest)) = upper.split_once('(') else { return (upper, None) };
    let (inside, after) = rest.split_once(')').unwrap_or((rest, ""));
    let word = [before.trim(), after.trim()].join(" ").trim().to_owned();
    (word, parse_bounds(inside))
}

fn parse_bounds(inside: &str) -> Option<DecimalBounds> {
    let (precision, scale) = inside.split_once(',').unwrap_or((inside, "0"));
    let precision: u8 = precision.trim().parse().ok()?;
    let scale: i8 = scale.trim().parse().ok()?;
    let fits = (1..=38).contains(&precision) && (0..=precision as i8).contains(&scale);
    fits.then_some(DecimalBounds { precision, scale })
}

#[cfg(test)]
mod tests {
    use decant_core::list::ListElement;

    use super::*;

    fn decimal(precision: u8, scale: i8) -> ColumnType {
        ColumnType::Decimal(Some(DecimalBounds { precision, scale }))
    }

    fn every_type() -> Vec<ColumnType> {
        use ColumnType::*;
        vec![
            Bool,
            Int16,
            Int32,
            Int64,
            Float32,
            Float64,
            Decimal(None),
            decimal(15, 4),
            decimal(16, 4),
            decimal(38, 0),
            Date,
            Time,
            Timestamp,
            TimestampTz,
            Uuid,
            Text,
            Json,
            List(ListElement::Int64),
            List(ListElement::Decimal(Some(DecimalBounds { precision: 15, scale: 4 }))),
            List(ListElement::Text),
            Binary,
        ]
    }

    #[test]
    fn what_decant_declares_it_understands_as_the_same_and_lists_as_documents() {
        for column_type in every_type() {
            let expected = match column_type {
                ColumnType::List(_) => ColumnType::Json,
                other => other,
            };
            assert_eq!(understand(&declare(column_type)), expected);
        }
    }

    #[test]
    fn the_type_table_of_the_documentation_is_what_is_declared() {
        let documented = crate::sql::dialect::tests::documented_types("SQLite");
        let declared: Vec<(String, String)> = every_type()
            .into_iter()
            .map(|column_type| (column_type.to_string(), declare(column_type).into_owned()))
            .collect();
        assert_eq!(documented, declared);
    }

    #[test]
    fn types_of_free_text_have_affinities_that_convert_none() {
        for column_type in [ColumnType::Text, ColumnType::Json, ColumnType::Decimal(None)] {
            assert!(!Affinity::of(&declare(column_type)).converts_text(), "{column_type}");
        }
        assert!(!Affinity::of(&declare(decimal(16, 2))).converts_text());
    }

    #[test]
    fn declared_types_of_other_peoples_tables_are_understood() {
        for (declared, column_type) in [
            ("", ColumnType::Text),
            ("INTEGER", ColumnType::Int64),
            ("int", ColumnType::Int64),
            ("UNSIGNED BIG INT", ColumnType::Int64),
            ("VARCHAR(10)", ColumnType::Text),
            ("NATIVE CHARACTER(70)", ColumnType::Text),
            ("DOUBLE PRECISION", ColumnType::Float64),
            ("float", ColumnType::Float64),
            ("NUMERIC", ColumnType::Decimal(None)),
            ("decimal(10, 5)", decimal(10, 5)),
            ("NUMERIC(12)", decimal(12, 0)),
            ("DECIMAL(99,2)", ColumnType::Decimal(None)),
            ("DATETIME", ColumnType::Timestamp),
            ("TIMESTAMP(6) WITH TIME ZONE", ColumnType::TimestampTz),
            ("JSON", ColumnType::Json),
            ("STRING", ColumnType::Text),
            ("LONGBLOB", ColumnType::Binary),
        ] {
            assert_eq!(understand(declared), column_type, "{declared}");
        }
    }
}
