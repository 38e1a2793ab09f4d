//! The type table: how each type of the house is declared, and what the
//! types of the catalogue mean.
//!
//! A type that is not in the table here is no mistake: its column is
//! described without a type, and matters only to a file that fills it.

use std::borrow::Cow;

use decant_core::list::ListElement;
use decant_core::schema::{Column, ColumnType, DecimalBounds};

use crate::sql::dialect::{Dialect, LedgerType};

/// The first byte of a `jsonb` value on the wire, before its text.
pub(crate) const JSONB_VERSION: u8 = 1;

const NUMERIC_HEADER: i32 = 4;
const DECIMAL_DIGITS: i32 = 38;

/// The dialect of Postgres.
pub(crate) static POSTGRES: Dialect = Dialect {
    name: "Postgres",
    placeholder: '$',
    identifier_bytes_max: 63,
    byte_order: "COLLATE \"C\"",
    listed_columns: &[],
    nul_in_text: false,
    column_type: declare,
    ledger_type,
    write_seconds: |parameter| format!("make_interval(secs => {parameter})"),
    read_seconds: |column| format!("extract(epoch FROM {column})::float8"),
    position: "strpos",
    random_text: "gen_random_uuid()::text",
};

/// A column as `pg_attribute` and `pg_type` have it, domains resolved.
#[derive(Clone, Debug)]
pub(crate) struct CatalogueColumn {
    pub(crate) name: String,
    /// `format_type`: what a person would write.
    pub(crate) declared: String,
    /// `pg_type.typname` of the base type.
    pub(crate) base: String,
    /// `pg_type.typtype` of the base type: `b`, `e`, ...
    pub(crate) kind: String,
    /// `pg_type.oid` of the elements of an array's base type, else 0.
    pub(crate) element_oid: u32,
    /// The type modifier of the base type, -1 for none.
    pub(crate) modifier: i32,
    pub(crate) nullable: bool,
    /// Whether the database insists on choosing the values itself.
    pub(crate) generated: bool,
}

/// How a column's values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoding {
    pub(crate) column_type: ColumnType,
    /// Whether JSON goes into `jsonb`.
    pub(crate) is_jsonb: bool,
    /// The object id of an array's elements; 0 for what is no array.
    pub(crate) element_oid: u32,
}

impl CatalogueColumn {
    /// The column in the house's words.
    pub(crate) fn to_column(&self) -> Column {
        let declared = if self.generated {
            format!("{} (generated always)", self.declared)
        } else {
            self.declared.clone()
        };
        Column {
            name: self.name.clone(),
            column_type: self.column_type(),
            declared,
            nullable: self.nullable,
        }
    }

    /// How its values are written, if they can be.
    pub(crate) fn encoding(&self) -> Option<Encoding> {
        let column_type = self.column_type()?;
        let is_array = matches!(column_type, ColumnType::List(_));
        let element_oid = if is_array { self.element_oid } else { 0 };
        Some(Encoding { column_type, is_jsonb: self.base == "jsonb", element_oid })
    }

    fn column_type(&self) -> Option<ColumnType> {
        if self.generated {
            return None;
        }
        // Labels of enums travel as text.
        if self.kind == "e" {
            return Some(ColumnType::Text);
        }
        match self.base.strip_prefix('_') {
            Some(element) if self.element_oid != 0 => {
                let element = scalar_type(element, self.modifier).and_then(ListElement::of)?;
                Some(ColumnType::List(element))
            }
            _ => scalar_type(&self.base, self.modifier),
        }
    }
}

/// What a type of this name holds, that is no array.
fn scalar_type(name: &str, modifier: i32) -> Option<ColumnType> {
    Some(match name {
        "bool" => ColumnType::Bool,
        "int2" => ColumnType::Int16,
        "int4" => ColumnType::Int32,
        "int8" => ColumnType::Int64,
        "float4" => ColumnType::Float32,
        "float8" => ColumnType::Float64,
        "numeric" => return numeric(modifier),
        "date" => ColumnType::Date,
        "time" => ColumnType::Time,
        "timestamp" => ColumnType::Timestamp,
        "timestamptz" => ColumnType::TimestampTz,
        "uuid" => ColumnType::Uuid,
        "text" | "varchar" | "bpchar" | "citext" | "name" | "xml" => ColumnType::Text,
        "json" | "jsonb" => ColumnType::Json,
        "bytea" => ColumnType::Binary,
        _ => return None,
    })
}

/// Digits and scale stand in the modifier; the scale is 11 bits with a sign.
/// A column of more than 38 digits takes values of up to 38, as long as
/// Postgres does not have to round them. Scales that are negative or larger
/// than the precision have no Arrow type.
fn numeric(modifier: i32) -> Option<ColumnType> {
    if modifier < NUMERIC_HEADER {
        return Some(ColumnType::Decimal(None));
    }
    let packed = modifier - NUMERIC_HEADER;
    let precision = packed >> 16;
    let scale = ((packed & 0x7ff) ^ 1024) - 1024;
    if scale < 0 || scale > precision {
        return None;
    }
    if scale > DECIMAL_DIGITS {
        return Some(ColumnType::Decimal(None));
    }
    let precision = u8::try_from(precision.min(DECIMAL_DIGITS)).ok()?;
    Some(ColumnType::Decimal(Some(DecimalBounds { precision, scale: i8::try_from(scale).ok()? })))
}

/// The type of a column that decant creates.
fn declare(column_type: ColumnType) -> Cow<'static, str> {
    Cow::Borrowed(match column_type {
        ColumnType::Bool => "boolean",
        ColumnType::Int16 => "smallint",
        ColumnType::Int32 => "integer",
        ColumnType::Int64 => "bigint",
        ColumnType::Float32 => "real",
        ColumnType::Float64 => "double precision",
        ColumnType::Decimal(None) => "numeric",
        ColumnType::Decimal(Some(DecimalBounds { precision, scale })) => {
            return Cow::Owned(format!("numeric({precision},{scale})"));
        }
        ColumnType::Date => "date",
        ColumnType::Time => "time",
        ColumnType::Timestamp => "timestamp",
        ColumnType::TimestampTz => "timestamptz",
        ColumnType::Uuid => "uuid",
        ColumnType::Text => "text",
        ColumnType::Json => "jsonb",
        ColumnType::Binary => "bytea",
        ColumnType::List(element) => {
            return Cow::Owned(format!("{}[]", declare(element.column_type())));
        }
    })
}

fn ledger_type(ledger_type: LedgerType) -> &'static str {
    match ledger_type {
        LedgerType::Id => "bigint PRIMARY KEY",
        LedgerType::Serial => "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
        LedgerType::Name => "text PRIMARY KEY",
        LedgerType::Integer => "bigint",
        LedgerType::Text | LedgerType::ByteOrdered => "text",
        LedgerType::Moment => "timestamptz",
        LedgerType::Seconds => "interval",
        LedgerType::Bytes => "bytea",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(precision: i32, scale: i32) -> Option<ColumnType> {
        numeric(((precision << 16) | (scale & 0x7ff)) + NUMERIC_HEADER)
    }

    fn decimal(precision: u8, scale: i8) -> Option<ColumnType> {
        Some(ColumnType::Decimal(Some(DecimalBounds { precision, scale })))
    }

    #[test]
    fn the_type_table_of_the_documentation_is_what_is_declared() {
        use ColumnType::*;
        let bounded = |precision, scale| Decimal(Some(DecimalBounds { precision, scale }));
        let mut types = vec![Bool, Int16, Int32, Int64, Float32, Float64, Decimal(None)];
        types.extend([bounded(15, 4), bounded(16, 4), bounded(38, 0), Date, Time, Timestamp]);
        types.extend([TimestampTz, Uuid, Text, Json]);
        let cents = DecimalBounds { precision: 15, scale: 4 };
        let lists = [ListElement::Int64, ListElement::Decimal(Some(cents)), ListElement::Text];
        types.extend(lists.map(List));
        types.push(Binary);
        let declared: Vec<(String, String)> = types
            .into_iter()
            .map(|column_type| (column_type.to_string(), declare(column_type).into_owned()))
            .collect();
        assert_eq!(crate::sql::dialect::tests::documented_types("Postgres"), declared);
    }

    #[test]
    fn the_bounds_of_a_numeric_are_read_from_its_modifier() {
        assert_eq!(numeric(-1), Some(ColumnType::Decimal(None)));
        assert_eq!(bounds(12, 2), decimal(12, 2));
        assert_eq!(bounds(38, 38), decimal(38, 38));
        assert_eq!(bounds(60, 10), decimal(38, 10));
        assert_eq!(bounds(60, 40), Some(ColumnType::Decimal(None)));
        assert_eq!(bounds(5, -2), None);
        assert_eq!(bounds(2, 5), None);
    }
}
