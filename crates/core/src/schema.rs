//! Tables, their columns and the columns' types.

use std::fmt;

use arrow_schema::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::list::ListElement;

/// The column that carries the ledger row's id in tables that decant creates.
pub const FILE_ID_COLUMN: &str = "_file_id";
/// The column that keeps, as one JSON object, what of a row did not fit.
pub const RESCUED_COLUMN: &str = "_rescued";

/// What a column holds, said once for all destinations.
///
/// Each type has one Arrow representation ([`ColumnType::arrow`]), the only
/// one in which formats deliver it and writers receive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// 16-bit signed integer.
    Int16,
    /// 32-bit signed integer.
    Int32,
    /// 64-bit signed integer.
    Int64,
    /// IEEE 754 single precision.
    Float32,
    /// IEEE 754 double precision.
    Float64,
    /// Exact decimal of at most 38 digits; without bounds, each batch has the
    /// scale that its values need.
    Decimal(Option<DecimalBounds>),
    /// Calendar day, years 1 to 9999.
    Date,
    /// Time of day, microseconds.
    Time,
    /// Date and time without a zone, microseconds.
    Timestamp,
    /// A moment, microseconds, kept in UTC.
    TimestampTz,
    /// 16 bytes.
    Uuid,
    /// UTF-8.
    Text,
    /// A JSON document as UTF-8.
    Json,
    /// A list of scalars, NULL among them: a JSON array as UTF-8, each element
    /// in its canonical form ([`crate::list`]).
    List(ListElement),
    /// Bytes.
    Binary,
}

/// Digits in all, and behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DecimalBounds {
    /// 1 to 38.
    pub precision: u8,
    /// 0 to `precision`.
    pub scale: i8,
}

impl ColumnType {
    /// The Arrow type of this column in every batch. For a decimal without
    /// bounds the scale shown here is a placeholder: a batch may carry any
    /// `Decimal128(38, scale)`.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Decimal(None) => DataType::Decimal128(38, 0),
            Self::Decimal(Some(bounds)) => DataType::Decimal128(bounds.precision, bounds.scale),
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Uuid => DataType::FixedSizeBinary(16),
            Self::Text | Self::Json | Self::List(_) => DataType::Utf8,
            Self::Binary => DataType::Binary,
        }
    }

    /// Whether every value of `self` can be kept in `other` by value.
    pub fn fits_into(self, other: Self) -> bool {
        use ColumnType::*;
        self == other
            || matches!(
                (self, other),
                (_, Text)
                    | (Int16, Int32 | Int64 | Float32 | Float64 | Decimal(None))
                    | (Int32, Int64 | Float64 | Decimal(None))
                    | (Int64, Decimal(None))
                    | (Float32, Float64)
                    | (Decimal(Some(_)), Decimal(None))
                    | (Date, Timestamp)
                    | (List(_), Json)
            )
            || match (self, other) {
                (List(mine), List(theirs)) => mine.fits_into(theirs),
                (Decimal(Some(mine)), Decimal(Some(theirs))) => {
                    mine.scale <= theirs.scale
                        && i16::from(mine.precision) - i16::from(mine.scale)
                            <= i16::from(theirs.precision) - i16::from(theirs.scale)
                }
                _ => false,
            }
    }
}

impl ColumnType {
    /// The narrowest type that keeps every value of both, by value.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        use ColumnType::*;
        match (self, other) {
            _ if self.fits_into(other) => other,
            _ if other.fits_into(self) => self,
            (Int32, Float32) | (Float32, Int32) => Float64,
            (List(mine), List(theirs)) => mine.join(theirs).map_or(Json, List),
            _ => match (self.decimal_digits(), other.decimal_digits()) {
                (Some(mine), Some(theirs)) => {
                    let (whole, scale) = (mine.0.max(theirs.0), mine.1.max(theirs.1));
                    let precision = u8::try_from(whole + scale).ok().filter(|digits| *digits <= 38);
                    let bounds = precision.zip(i8::try_from(scale).ok());
                    Decimal(bounds.map(|(precision, scale)| DecimalBounds { precision, scale }))
                }
                _ => Text,
            },
        }
    }

    /// Digits before and behind the point that every value fits into.
    fn decimal_digits(self) -> Option<(i16, i16)> {
        match self {
            Self::Int16 => Some((5, 0)),
            Self::Int32 => Some((10, 0)),
            Self::Int64 => Some((19, 0)),
            Self::Decimal(Some(DecimalBounds { precision, scale })) => {
                Some((i16::from(precision) - i16::from(scale), i16::from(scale)))
            }
            _ => None,
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Decimal(None) => "decimal",
            Self::Decimal(Some(DecimalBounds { precision, scale })) => {
                return write!(f, "decimal({precision},{scale})");
            }
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::TimestampTz => "timestamptz",
            Self::Uuid => "uuid",
            Self::Text => "text",
            Self::Json => "json",
            Self::List(element) => return write!(f, "{}[]", element.column_type()),
            Self::Binary => "binary",
        })
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name as the catalogue has it.
    pub name: String,
    /// What it holds, or `None` when it is of a type that decant cannot load
    /// (which matters only to a file that has this column).
    #[serde(rename = "type")]
    pub column_type: Option<ColumnType>,
    /// The database's own word for the type, for messages.
    pub declared: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
}

impl Column {
    /// A nullable column of `column_type`, as decant creates them.
    pub fn new(name: impl Into<String>, column_type: ColumnType) -> Self {
        Self {
            name: name.into(),
            column_type: Some(column_type),
            declared: String::new(),
            nullable: true,
        }
    }
}

/// The columns of a table, in the catalogue's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSchema {
    /// In the catalogue's order.
    pub columns: Vec<Column>,
}

impl TableSchema {
    /// The position of the column of exactly this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Whether rows carry the id of the file that they came from.
    pub fn has_file_id(&self) -> bool {
        self.position(FILE_ID_COLUMN).is_some()
    }
}

/// A table's name, qualified or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableName {
    /// The database schema, where one was named or resolved.
    pub schema: Option<String>,
    /// The table.
    pub name: String,
}

impl TableName {
    /// Reads `name` or `schema.name`. Double quotes keep a dot: `"a.b"`.
    pub fn parse(text: &str) -> Self {
        match split_qualified(text) {
            (Some(schema), name) => Self { schema: Some(schema), name },
            (None, name) => Self { schema: None, name },
        }
    }
}

fn split_qualified(text: &str) -> (Option<String>, String) {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            '.' if !quoted && parts.len() == 1 => parts.push(String::new()),
            _ => {
                if let Some(part) = parts.last_mut() {
                    part.push(letter);
                }
            }
        }
    }
    match parts.as_slice() {
        [schema, name] => (Some(schema.clone()), name.clone()),
        _ => (None, parts.concat()),
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_join_keeps_the_values_of_both() {
        use ColumnType::*;
        let decimal =
            |precision, scale| ColumnType::Decimal(Some(DecimalBounds { precision, scale }));
        for (one, other, expected) in [
            (Int16, Int64, Int64),
            (Int32, Float32, Float64),
            (Int64, Float64, Text),
            (Int32, decimal(4, 2), decimal(12, 2)),
            (decimal(12, 2), decimal(5, 4), decimal(14, 4)),
            (decimal(38, 0), decimal(5, 4), Decimal(None)),
            (Date, Timestamp, Timestamp),
            (Timestamp, TimestampTz, Text),
            (Json, Json, Json),
            (Json, Text, Text),
            (List(ListElement::Int16), List(ListElement::Int64), List(ListElement::Int64)),
            (List(ListElement::Int32), List(ListElement::Float32), List(ListElement::Float64)),
            (List(ListElement::Int16), List(ListElement::Text), Json),
            (List(ListElement::Text), Json, Json),
            (List(ListElement::Text), Text, Text),
            (List(ListElement::Int64), Int64, Text),
            (Bool, Int16, Text),
        ] {
            assert_eq!(one.join(other), expected, "{one} and {other}");
            assert_eq!(other.join(one), expected, "{other} and {one}");
        }
    }
}
