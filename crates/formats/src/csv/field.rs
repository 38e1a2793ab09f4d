//! What a field means once its quotes are off: NULL, or bytes.

use std::ops::Range;

use super::dialect::Dialect;
use crate::values::trimmed;

/// A field's meaning, as positions in the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// NULL.
    Null,
    /// The bytes as they are.
    Plain(Range<usize>),
    /// The bytes between the quotes, with doubled or escaped ones in them.
    Escaped(Range<usize>),
}

impl Field {
    /// Reads the field at `range` of `bytes`. `empty_is_null` says what an
    /// empty field without quotes is.
    #[inline]
    pub(super) fn read(
        bytes: &[u8],
        range: Range<usize>,
        dialect: &Dialect,
        empty_is_null: bool,
    ) -> Self {
        let raw = &bytes[range.clone()];
        match raw.first() {
            None if empty_is_null => Self::Null,
            None => Self::Plain(range),
            Some(byte) if dialect.quote == Some(*byte) => Self::quoted(raw, range, dialect),
            Some(_) if dialect.is_null_word(raw) => Self::Null,
            Some(_) => Self::Plain(range),
        }
    }

    /// Reads the field as a trimmed column has it: what stands without quotes
    /// loses the white space around it before it is compared with NULL; what
    /// stands in quotes is trimmed by its reader.
    pub(super) fn read_trimmed(
        bytes: &[u8],
        range: Range<usize>,
        dialect: &Dialect,
        empty_is_null: bool,
    ) -> Self {
        let raw = &bytes[range.clone()];
        if raw.first().is_some_and(|byte| dialect.quote == Some(*byte)) {
            return Self::quoted(raw, range, dialect);
        }
        match trimmed(raw) {
            [] if empty_is_null => Self::Null,
            word if dialect.is_null_word(word) => Self::Null,
            _ => Self::Plain(range),
        }
    }

    fn quoted(raw: &[u8], range: Range<usize>, dialect: &Dialect) -> Self {
        let inner = &raw[1..raw.len() - 1];
        let special = dialect.escape.or(dialect.quote);
        match special.and_then(|special| memchr::memchr(special, inner)) {
            Some(_) => Self::Escaped(range.start + 1..range.end - 1),
            None => Self::Plain(range.start + 1..range.end - 1),
        }
    }

    /// The value's bytes, unescaped into `scratch` where needed.
    #[inline]
    pub(super) fn value<'a>(
        self,
        bytes: &'a [u8],
        dialect: &Dialect,
        scratch: &'a mut Vec<u8>,
    ) -> Option<&'a [u8]> {
        match self {
            Self::Null => None,
            Self::Plain(range) => Some(&bytes[range]),
            Self::Escaped(range) => {
                unescape(&bytes[range], dialect, scratch);
                Some(scratch)
            }
        }
    }
}

/// Writes what stands between quotes to `output`, without what escapes it. An
/// escape before anything but a quote or an escape is an ordinary byte, as in
/// Postgres's COPY.
pub(super) fn unescape(inner: &[u8], dialect: &Dialect, output: &mut Vec<u8>) {
    output.clear();
    let (Some(quote), escape) = (dialect.quote, dialect.escape.or(dialect.quote)) else {
        return output.extend_from_slice(inner);
    };
    let escape = escape.unwrap_or(quote);
    let mut rest = inner;
    while let Some(at) = memchr::memchr(escape, rest) {
        let follower = rest.get(at + 1).copied();
        let escapes = follower == Some(quote) || follower == Some(escape);
        output.extend_from_slice(&rest[..at + usize::from(!escapes)]);
        output.extend(follower.filter(|_| escapes));
        rest = &rest[at + 1 + usize::from(escapes)..];
    }
    output.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use decant_core::stream::{FormatOptions, Mark};

    fn value(raw: &str, options: &FormatOptions, empty_is_null: bool) -> Option<String> {
        let dialect = Dialect::new(b',', options).unwrap();
        let field = Field::read(raw.as_bytes(), 0..raw.len(), &dialect, empty_is_null);
        let mut scratch = Vec::new();
        let value = field.value(raw.as_bytes(), &dialect, &mut scratch)?;
        Some(String::from_utf8(value.to_vec()).unwrap())
    }

    #[test]
    fn only_the_empty_unquoted_field_is_null() {
        let options = FormatOptions::default();
        for (raw, expected) in [
            ("", None),
            ("\"\"", Some("")),
            ("NULL", Some("NULL")),
            (" ", Some(" ")),
            ("\"a\"", Some("a")),
            ("\"a \"\"b\"\"\"", Some("a \"b\"")),
            ("\"\"\"\"", Some("\"")),
        ] {
            assert_eq!(value(raw, &options, true).as_deref(), expected, "{raw}");
        }
    }

    #[test]
    fn null_words_count_unquoted_only() {
        let null_values = Some(vec!["NA".to_owned(), "\\N".to_owned()]);
        let options = FormatOptions { null_values, ..FormatOptions::default() };
        assert_eq!(value("NA", &options, false), None);
        assert_eq!(value("\\N", &options, false), None);
        assert_eq!(value("\"NA\"", &options, false).as_deref(), Some("NA"));
        assert_eq!(value("", &options, false).as_deref(), Some(""));
        assert_eq!(value("", &options, true), None);
    }

    #[test]
    fn trimmed_fields_are_compared_with_null_without_their_white_space() {
        let options =
            FormatOptions { null_values: Some(vec!["NA".into()]), ..FormatOptions::default() };
        let dialect = Dialect::new(b',', &options).unwrap();
        let read = |raw: &str, empty_is_null| {
            Field::read_trimmed(raw.as_bytes(), 0..raw.len(), &dialect, empty_is_null)
        };
        assert_eq!(read(" NA\u{a0}", true), Field::Null);
        assert_eq!(read("  ", true), Field::Null);
        assert_eq!(read("  ", false), Field::Plain(0..2));
        assert_eq!(read("\" NA \"", true), Field::Plain(1..5));
        assert_eq!(read(" \"", true), Field::Plain(0..2));
    }

    #[test]
    fn an_escape_frees_quotes_and_itself_and_nothing_else() {
        let options = FormatOptions { escape: Some(Mark::Byte(b'\\')), ..FormatOptions::default() };
        assert_eq!(value(r#""a \"b\" \\ C:\new""#, &options, true).unwrap(), r#"a "b" \ C:\new"#);
        assert_eq!(value(r#""\\""#, &options, true).unwrap(), r"\");
        assert_eq!(value(r"a\b", &options, true).unwrap(), r"a\b");
    }
}
