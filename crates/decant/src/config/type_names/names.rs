//! The names of types, and what is like them.

use decant_core::names::did_you_mean;
use decant_core::schema::{ColumnType, DecimalBounds};

use super::spelling::Spelling;

const UINT64: ColumnType = ColumnType::Decimal(Some(DecimalBounds { precision: 20, scale: 0 }));

/// Each type's names, its own first.
const NAMES: &[(ColumnType, &[&str])] = {
    use ColumnType::*;
    &[
        (Bool, &["bool", "boolean", "bool_", "bit"]),
        (Int16, &["int16", "smallint", "int2", "short", "tinyint", "uint8", "smallserial"]),
        (Int32, &["int32", "integer", "int4", "mediumint", "uint16", "serial"]),
        // Eight bits to Arrow, eight bytes to Postgres: the wider keeps both.
        (Int64, &["int64", "bigint", "int8", "int", "long", "uint32", "bigserial"]),
        (UINT64, &["uint64"]),
        (Float32, &["float32", "real", "float4", "float16", "halffloat"]),
        (Float64, &["float64", "double precision", "double", "float8", "float"]),
        (Decimal(None), &["decimal", "numeric", "dec", "decimal128", "decimal256", "number"]),
        (Date, &["date", "date32", "date64"]),
        (Time, &["time", "time32", "time64", "time without time zone"]),
        (
            Timestamp,
            &[
                "timestamp",
                "timestamp without time zone",
                "timestamp_ntz",
                "datetime",
                "datetime2",
                "datetime64",
                "smalldatetime",
            ],
        ),
        (
            TimestampTz,
            &[
                "timestamptz",
                "timestamp with time zone",
                "timestamp with local time zone",
                "timestamp_tz",
                "timestamp_ltz",
                "datetimeoffset",
            ],
        ),
        (Uuid, &["uuid", "uniqueidentifier", "guid"]),
        (
            Text,
            &[
                "text",
                "string",
                "str",
                "object",
                "category",
                "utf8",
                "large_utf8",
                "large_string",
                "string_view",
                "varchar",
                "varchar2",
                "char",
                "character varying",
                "character",
                "nvarchar",
                "nvarchar2",
                "nchar",
                "ntext",
                "tinytext",
                "mediumtext",
                "longtext",
                "clob",
                "citext",
            ],
        ),
        (
            Json,
            &["json", "jsonb", "list", "large_list", "fixed_size_list", "struct", "map", "variant"],
        ),
        (
            Binary,
            &[
                "binary",
                "large_binary",
                "binary_view",
                "fixed_size_binary",
                "varbinary",
                "bytea",
                "blob",
                "bytes",
            ],
        ),
    ]
};

/// The type of this name. What stands in angle brackets says what a
/// `dictionary` holds, and nothing that matters of a `struct`.
pub(super) fn plain_type(spelling: &Spelling) -> Option<ColumnType> {
    let name = match (spelling.name.as_str(), &spelling.inner) {
        ("dictionary", Some(inner)) => inner
            .split(',')
            .find_map(|part| part.trim().strip_prefix("values="))
            .map(str::trim)?
            .to_owned(),
        (name, _) => name.to_owned(),
    };
    let known = NAMES.iter().find(|(_, names)| names.contains(&name.as_str()));
    known.map(|(column_type, _)| *column_type)
}

pub(super) fn unknown(text: &str, spelling: &Spelling) -> String {
    let names = NAMES.iter().flat_map(|(_, names)| names.iter().copied());
    match did_you_mean(&spelling.name, names) {
        Some(known) => format!("`{text}` is not a type that is known; did you mean `{known}`?"),
        None => format!(
            "`{text}` is not a type that is known; try `int64`, `float64`, `numeric(12,2)`, \
             `bool`, `date`, `timestamp`, `timestamptz`, `uuid`, `text`, `text[]`, `json` or `bytea`"
        ),
    }
}

#[cfg(test)]
pub(super) fn all_types() -> impl Iterator<Item = (ColumnType, &'static str)> {
    NAMES.iter().flat_map(|(column_type, names)| names.iter().map(|name| (*column_type, *name)))
}
