//! Column types by the names that SQL, Arrow and pandas give them.

use std::str::FromStr;

use decant_core::names::did_you_mean;
use decant_core::schema::{ColumnType, DecimalBounds};
use schemars::JsonSchema;
use serde::Deserialize;

/// A column type by its SQL, Arrow or pandas name: `bigint`, `Int64`,
/// `numeric(12,2)`, `datetime64[ns]`, `timestamp with time zone`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct TypeName(pub ColumnType);

const NAMES: &[(&str, ColumnType)] = {
    use ColumnType::*;
    &[
        ("bool", Bool),
        ("boolean", Bool),
        ("uint8", Int16),
        ("tinyint", Int16),
        ("int16", Int16),
        ("int2", Int16),
        ("smallint", Int16),
        ("uint16", Int32),
        ("int32", Int32),
        ("int4", Int32),
        ("integer", Int32),
        ("uint32", Int64),
        ("int64", Int64),
        // Eight bits to Arrow, eight bytes to Postgres: the wider keeps both.
        ("int8", Int64),
        ("int", Int64),
        ("bigint", Int64),
        ("long", Int64),
        ("uint64", Decimal(Some(DecimalBounds { precision: 20, scale: 0 }))),
        ("float32", Float32),
        ("float4", Float32),
        ("real", Float32),
        ("float64", Float64),
        ("float8", Float64),
        ("float", Float64),
        ("double", Float64),
        ("double precision", Float64),
        ("decimal", Decimal(None)),
        ("numeric", Decimal(None)),
        ("decimal128", Decimal(None)),
        ("number", Decimal(None)),
        ("date", Date),
        ("date32", Date),
        ("date64", Date),
        ("time", Time),
        ("time64", Time),
        ("time without time zone", Time),
        ("timestamp", Timestamp),
        ("datetime", Timestamp),
        ("datetime2", Timestamp),
        ("datetime64", Timestamp),
        ("timestamp without time zone", Timestamp),
        ("timestamptz", TimestampTz),
        ("timestamp with time zone", TimestampTz),
        ("datetimeoffset", TimestampTz),
        ("uuid", Uuid),
        ("text", Text),
        ("string", Text),
        ("str", Text),
        ("object", Text),
        ("category", Text),
        ("utf8", Text),
        ("large_utf8", Text),
        ("large_string", Text),
        ("varchar", Text),
        ("char", Text),
        ("character varying", Text),
        ("character", Text),
        ("nvarchar", Text),
        ("json", Json),
        ("jsonb", Json),
        ("binary", Binary),
        ("large_binary", Binary),
        ("varbinary", Binary),
        ("bytea", Binary),
        ("blob", Binary),
        ("bytes", Binary),
    ]
};

impl TryFrom<String> for TypeName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for TypeName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let spelling = Spelling::of(text);
        let base = plain_type(&spelling.name).ok_or_else(|| unknown(text, &spelling.name))?;
        spelling
            .with_arguments(base)
            .map(Self)
            .map_err(|problem| format!("type `{text}`: {problem}"))
    }
}

fn plain_type(name: &str) -> Option<ColumnType> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, column_type)| *column_type)
}

fn unknown(text: &str, name: &str) -> String {
    match did_you_mean(name, NAMES.iter().map(|(known, _)| *known)) {
        Some(known) => format!("`{text}` is not a type that is known; did you mean `{known}`?"),
        None => format!(
            "`{text}` is not a type that is known; try `int64`, `float64`, `numeric(12,2)`, \
             `bool`, `date`, `timestamp`, `timestamptz`, `uuid`, `text`, `json` or `bytea`"
        ),
    }
}

/// A type's name and what stands in its brackets.
struct Spelling {
    name: String,
    arguments: Vec<String>,
}

impl Spelling {
    /// `timestamp(3) with time zone` -> `timestamp with time zone`, [`3`].
    fn of(text: &str) -> Self {
        let text = text.trim().to_ascii_lowercase();
        let Some((open, close)) = text.find(['(', '[']).zip(text.rfind([')', ']'])) else {
            return Self { name: words(&text), arguments: Vec::new() };
        };
        let inside = text.get(open + 1..close).unwrap_or_default();
        let arguments = inside.split(',').map(|argument| argument.trim().to_owned()).collect();
        Self { name: words(&format!("{} {}", &text[..open], &text[close + 1..])), arguments }
    }

    fn with_arguments(&self, base: ColumnType) -> Result<ColumnType, String> {
        match (base, self.arguments.as_slice()) {
            (base, []) => Ok(base),
            (ColumnType::Decimal(None), [precision]) => decimal(precision, "0"),
            (ColumnType::Decimal(None), [precision, scale]) => decimal(precision, scale),
            (ColumnType::Timestamp, [unit]) if is_precision(unit) => Ok(base),
            (ColumnType::Timestamp, [unit, zone]) if is_precision(unit) => {
                let is_zoned = !matches!(zone.trim_start_matches("tz=").trim(), "" | "none");
                Ok(if is_zoned { ColumnType::TimestampTz } else { base })
            }
            (ColumnType::TimestampTz | ColumnType::Time, [unit]) if is_precision(unit) => Ok(base),
            (ColumnType::Date, [unit]) if matches!(unit.as_str(), "day" | "ms") => Ok(base),
            // The length is the table's business: nothing is ever cut.
            (ColumnType::Text | ColumnType::Binary, [length]) if is_length(length) => Ok(base),
            (_, arguments) => Err(format!("`{}` makes no sense here", arguments.join(", "))),
        }
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_precision(unit: &str) -> bool {
    matches!(unit, "s" | "ms" | "us" | "ns") || matches!(unit.parse::<u8>(), Ok(0..=9))
}

fn is_length(length: &str) -> bool {
    length == "max" || length.parse::<u32>().is_ok()
}

fn decimal(precision: &str, scale: &str) -> Result<ColumnType, String> {
    let digits = |text: &str| text.parse::<u8>().ok();
    match (digits(precision), digits(scale)) {
        (Some(precision @ 1..=38), Some(scale)) if scale <= precision => {
            let scale = i8::try_from(scale).map_err(|error| error.to_string())?;
            Ok(ColumnType::Decimal(Some(DecimalBounds { precision, scale })))
        }
        _ => Err("a decimal has 1 to 38 digits, and not more than all behind the point".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal_of(precision: u8, scale: i8) -> ColumnType {
        ColumnType::Decimal(Some(DecimalBounds { precision, scale }))
    }

    #[test]
    fn names_of_sql_arrow_and_pandas_are_known() {
        use ColumnType::*;
        for (text, column_type) in [
            ("int64", Int64),
            // Eight bits to Arrow, eight bytes to Postgres: the wider keeps both.
            ("int8", Int64),
            ("int", Int64),
            ("Int64", Int64),
            ("bigint", Int64),
            ("integer", Int32),
            ("int4", Int32),
            ("smallint", Int16),
            ("float64", Float64),
            ("DOUBLE  precision", Float64),
            ("real", Float32),
            ("numeric(12,2)", decimal_of(12, 2)),
            ("decimal( 12 , 2 )", decimal_of(12, 2)),
            ("decimal128(5, 0)", decimal_of(5, 0)),
            ("numeric(9)", decimal_of(9, 0)),
            ("numeric", Decimal(None)),
            ("bool", Bool),
            ("boolean", Bool),
            ("date32", Date),
            ("date32[day]", Date),
            ("time64[us]", Time),
            ("timestamp", Timestamp),
            ("timestamp(3)", Timestamp),
            ("datetime64[ns]", Timestamp),
            ("timestamp[us]", Timestamp),
            ("timestamp[us, tz=UTC]", TimestampTz),
            ("datetime64[ns, UTC]", TimestampTz),
            ("timestamptz", TimestampTz),
            ("timestamp(6) with time zone", TimestampTz),
            ("uuid", Uuid),
            ("object", Text),
            ("varchar(10)", Text),
            ("character varying(10)", Text),
            ("jsonb", Json),
            ("bytea", Binary),
        ] {
            assert_eq!(text.parse(), Ok(TypeName(column_type)), "{text}");
        }
    }

    #[test]
    fn every_name_that_decant_prints_is_a_name_that_it_reads() {
        for (_, column_type) in NAMES {
            assert_eq!(column_type.to_string().parse(), Ok(TypeName(*column_type)));
        }
    }

    #[test]
    fn what_is_not_a_type_is_refused_with_a_cure() {
        for (text, cure) in [
            ("bigintt", "did you mean `bigint`?"),
            ("qqq", "try `int64`"),
            ("numeric(39,2)", "1 to 38 digits"),
            ("numeric(4,5)", "1 to 38 digits"),
            ("bool(3)", "makes no sense"),
            ("timestamp[fortnight]", "makes no sense"),
            ("numeric)12(", "did you mean"),
        ] {
            let refusal = text.parse::<TypeName>().unwrap_err();
            assert!(refusal.contains(cure), "{text}: {refusal}");
        }
    }
}
