//! How the text of one column's values is to be read, where somebody said so.
//!
//! Only what was said, as plain data. Reading is the formats' work.

use serde::{Deserialize, Serialize};

/// How a column's values are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueFormat {
    /// A date, a time or a timestamp by a pattern of `strftime`'s
    /// conversions: `%d/%m/%Y %H:%M`.
    Pattern {
        /// The pattern.
        pattern: String,
        /// The zone that times without an offset are in, by its name in the
        /// IANA database (`Europe/Paris`); only for moments.
        zone: Option<String>,
    },
    /// Values of an ISO form without an offset, in the zone of this IANA name.
    Zone(String),
    /// Time since 1970-01-01T00:00:00Z.
    Epoch(EpochUnit),
    /// Truth values by these words.
    Words {
        /// What means true; compared without case.
        yes: Vec<String>,
        /// What means false.
        no: Vec<String>,
    },
    /// Numbers with other separators than the point.
    Number(NumberFormat),
}

/// What an epoch counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EpochUnit {
    /// Seconds, with or without a fraction.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds; what is below a microsecond must be zero.
    Nanoseconds,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NumberFormat {
    /// Between whole and fraction: `.` or `,`.
    pub decimal: char,
    /// Between groups of three digits, where there is one: `,`, `.`, `'`, a
    /// space or a no-break space.
    pub thousands: Option<char>,
}

impl Default for NumberFormat {
    fn default() -> Self {
        Self { decimal: '.', thousands: None }
    }
}

/// A type that somebody gave a column, and how its values are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenType {
    /// The type.
    pub column_type: crate::schema::ColumnType,
    /// How its values are written; `None` is the usual forms.
    pub format: Option<ValueFormat>,
}

impl From<crate::schema::ColumnType> for GivenType {
    fn from(column_type: crate::schema::ColumnType) -> Self {
        Self { column_type, format: None }
    }
}
