//! Why a row was rejected, as a sentence that quotes what is to blame.

use decant_core::reject::Reason;
use decant_core::schema::ColumnType;

use super::walk::Fault;
use crate::values::Misfit;

/// Characters of a value beyond which it is shortened.
const QUOTED_CHARACTERS_MAX: usize = 80;

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) reason: Reason,
    pub(crate) column: Option<String>,
    pub(crate) detail: String,
}

impl Complaint {
    /// A row with another number of fields than the file has columns.
    pub(super) fn field_count(fields: usize, columns: usize) -> Self {
        let plural = if fields == 1 { "field" } else { "fields" };
        let detail = format!("the row has {fields} {plural} where the file has {columns} columns");
        Self { reason: Reason::FieldCount, column: None, detail }
    }

    /// A broken rule of quoting.
    pub(super) fn quote(fault: Fault, row: &[u8], names: &[String], limit: usize) -> Self {
        let (field, trouble) = match fault {
            Fault::StrayQuote(field) => {
                (field, "a quote stands inside a field without quotes".into())
            }
            Fault::TextAfterQuote(field) => {
                (field, "a closing quote is followed by something other than a delimiter".into())
            }
            Fault::Unclosed(field) => (field, "a quote is opened and never closed".into()),
            Fault::UnclosedWithinLimit(field) => {
                (field, format!("a quote is opened and not closed within {limit} bytes"))
            }
        };
        let detail = format!("{trouble}: {}", quoted(row));
        Self { reason: Reason::Quote, column: names.get(field).cloned(), detail }
    }

    /// A row beyond `limit`, of which the first `kept` bytes are kept.
    pub(crate) fn too_long(limit: usize, kept: usize) -> Self {
        let detail = format!(
            "the row is longer than {limit} bytes (record_bytes_max); its first {kept} bytes are kept"
        );
        Self { reason: Reason::TooLong, column: None, detail }
    }

    /// A value that is not of its column's type.
    pub(crate) fn misfit(
        misfit: Misfit,
        value: &[u8],
        column_type: ColumnType,
        column: String,
    ) -> Self {
        if simdutf8::basic::from_utf8(value).is_err() && column_type != ColumnType::Binary {
            return Self::encoding(value, column);
        }
        let value = quoted(value);
        let detail = match misfit {
            Misfit::Spelling => format!("{value} is not {} ({column_type})", noun(column_type)),
            Misfit::Range => format!("{value} is out of range ({column_type})"),
            Misfit::Precision => format!("{value} has more digits than {column_type} keeps"),
        };
        Self { reason: Reason::Type, column: Some(column), detail }
    }

    /// A value whose bytes are not UTF-8.
    pub(crate) fn encoding(value: &[u8], column: String) -> Self {
        let valid = std::str::from_utf8(value).map_or_else(|error| error.valid_up_to(), str::len);
        let byte = value.get(valid).copied().unwrap_or_default();
        let value = quoted(value);
        let detail = format!("{value} is not UTF-8: byte {valid} of it is 0x{byte:02X}");
        Self { reason: Reason::Encoding, column: Some(column), detail }
    }
}

fn noun(column_type: ColumnType) -> &'static str {
    use ColumnType::*;
    match column_type {
        Bool => "true or false",
        Int16 | Int32 | Int64 | Float32 | Float64 | Decimal(_) => "a number",
        Date => "a date",
        Time => "a time",
        Timestamp => "a timestamp without a zone",
        TimestampTz => "a timestamp with an offset from UTC",
        Uuid => "a UUID",
        Text | Json => "text",
        Binary => "hexadecimal behind `\\x`",
    }
}

/// The value between backticks, shortened, with control characters escaped.
pub(crate) fn quoted(value: &[u8]) -> String {
    let start = &value[..value.len().min(QUOTED_CHARACTERS_MAX * 4)];
    let text = String::from_utf8_lossy(start);
    let mut characters = text.chars();
    let mut shown: String =
        characters.by_ref().take(QUOTED_CHARACTERS_MAX).flat_map(escape).collect();
    if characters.next().is_some() || start.len() < value.len() {
        shown.push('…');
    }
    format!("`{shown}`")
}

fn escape(character: char) -> impl Iterator<Item = char> {
    let escaped = character.is_control().then(|| character.escape_default());
    let plain = escaped.is_none().then_some(character);
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_quotes_the_value() {
        let complaint =
            |value: &[u8], misfit| Complaint::misfit(misfit, value, ColumnType::Int64, "n".into());
        assert_eq!(complaint(b"12,50", Misfit::Spelling).detail, "`12,50` is not a number (int64)");
        assert_eq!(complaint(b"99", Misfit::Range).detail, "`99` is out of range (int64)");
        assert_eq!(complaint(b"a\nb", Misfit::Spelling).detail, "`a\\nb` is not a number (int64)");
        assert_eq!(complaint(b"M\xfcnchen", Misfit::Spelling).reason, Reason::Encoding);
    }

    #[test]
    fn long_values_are_shortened_by_characters() {
        let long = "ü".repeat(500);
        assert_eq!(quoted(long.as_bytes()), format!("`{}…`", "ü".repeat(80)));
        assert_eq!(quoted("ü".repeat(80).as_bytes()), format!("`{}`", "ü".repeat(80)));
    }
}
