//! Why a row was rejected, as a sentence that quotes what is to blame.

use decant_core::reject::Reason;
use decant_core::schema::ColumnType;

use super::walk::Fault;
pub(crate) use crate::values::complaint::quoted;
use crate::values::{Misfit, Reader};

/// The encoding whose bytes are named in a complaint.
const UTF_8: &str = "UTF-8";

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

    /// A value that does not fit its column.
    pub(crate) fn misfit(misfit: Misfit, value: &[u8], reader: &Reader, column: String) -> Self {
        if simdutf8::basic::from_utf8(value).is_err() && reader.column_type() != ColumnType::Binary
        {
            return Self::encoding(value, column);
        }
        let detail = reader.complaint(misfit, value);
        Self { reason: Reason::Type, column: Some(column), detail }
    }

    /// A line with something behind its last column.
    pub(super) fn too_wide(characters: usize, widths: usize) -> Self {
        let detail =
            format!("the line has {characters} characters where the widths add up to {widths}");
        Self { reason: Reason::FieldCount, column: None, detail }
    }

    /// A line that lacks columns.
    pub(super) fn too_short(characters: usize, widths: usize) -> Self {
        let detail = format!(
            "the line ends after {characters} characters, before its last column begins; the \
             widths add up to {widths}"
        );
        Self { reason: Reason::FieldCount, column: None, detail }
    }

    /// A value with bytes that have no meaning in `encoding`.
    pub(super) fn encoding_in(encoding: &str, value: &[u8], column: String) -> Self {
        if encoding == UTF_8 {
            return Self::encoding(value, column);
        }
        let detail = format!("{} has bytes that are not {encoding}", quoted(value));
        Self { reason: Reason::Encoding, column: Some(column), detail }
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

#[cfg(test)]
mod tests {
    use decant_core::format::Target;

    use super::*;

    #[test]
    fn a_sentence_quotes_the_value() {
        let reader = Reader::new(&Target::new(ColumnType::Int64, true), None).unwrap();
        let complaint =
            |value: &[u8], misfit| Complaint::misfit(misfit, value, &reader, "n".into());
        assert_eq!(complaint(b"12,50", Misfit::Spelling).detail, "`12,50` is not a number (int64)");
        assert_eq!(complaint(b"99", Misfit::Range).detail, "`99` is out of range (int64)");
        assert_eq!(complaint(b"a\nb", Misfit::Spelling).detail, "`a\\nb` is not a number (int64)");
        assert_eq!(complaint(b"M\xfcnchen", Misfit::Spelling).reason, Reason::Encoding);
    }
}
