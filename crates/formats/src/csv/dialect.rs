//! What separates, encloses and escapes fields: a stream's options, checked,
//! with every default decided.

use decant_core::stream::{FormatOptions, Header, Mark};
use decant_core::value_format::NumberFormat;
use decant_core::{Error, ErrorKind, Result};

/// Longest row unless another length is asked for.
pub const RECORD_BYTES_MAX: usize = 64 << 20;
/// Longest row that may be asked for: positions in a block are 32 bits wide.
const RECORD_BYTES_LIMIT: usize = 1 << 30;

/// A dialect of delimiter-separated text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Separates fields.
    pub delimiter: u8,
    /// Encloses fields; `None` switches quoting off.
    pub quote: Option<u8>,
    /// Makes a quote, or itself, an ordinary byte inside quotes; `None`: a
    /// quote is doubled.
    pub escape: Option<u8>,
    /// As a line's first byte, makes it no row.
    pub comment: Option<u8>,
    /// Whether the first row names the columns.
    pub header: bool,
    /// Lines passed over before the first row.
    pub skip_lines: u64,
    /// Words that mean NULL when they stand unquoted.
    pub null_words: Vec<Vec<u8>>,
    /// Whether the empty unquoted field is NULL in every column. If not, it
    /// is the empty string in a text column and NULL in any other.
    pub empty_is_null: bool,
    /// How numbers are written.
    pub numbers: NumberFormat,
    /// Longest row, in bytes without its line end.
    pub record_bytes_max: usize,
}

impl Dialect {
    /// The dialect that `options` describe, with `delimiter` as the default.
    ///
    /// Errors: `InvalidConfig` when two of the bytes are the same, or one is
    /// a line end or not ASCII.
    pub fn new(delimiter: u8, options: &FormatOptions) -> Result<Self> {
        let quote = options.quote.map_or(Some(b'"'), Mark::byte);
        let words = options.null_values.as_deref().unwrap_or_default();
        let dialect = Self {
            delimiter: match options.delimiter.as_deref().map(str::as_bytes) {
                None => delimiter,
                Some([byte]) => *byte,
                Some(_) => return Err(several_bytes()),
            },
            quote,
            escape: options
                .escape
                .and_then(Mark::byte)
                .filter(|escape| quote.is_some_and(|quote| quote != *escape)),
            comment: options.comment.and_then(Mark::byte),
            header: options.header != Some(Header::None),
            skip_lines: options.skip_rows.unwrap_or_default(),
            null_words: words
                .iter()
                .filter(|word| !word.is_empty())
                .map(|word| word.clone().into_bytes())
                .collect(),
            empty_is_null: options.null_values.is_none() || words.iter().any(String::is_empty),
            numbers: options.numbers.unwrap_or_default(),
            record_bytes_max: options.record_bytes_max.unwrap_or(RECORD_BYTES_MAX),
        };
        dialect.check()?;
        Ok(dialect)
    }

    fn check(&self) -> Result<()> {
        let roles = self.roles();
        for (at, (role, byte)) in roles.iter().enumerate() {
            check_byte(role, *byte)?;
            if let Some((other, _)) = roles[..at].iter().find(|(_, taken)| taken == byte) {
                let message = format!("{other} and {role} are both {}", show(*byte));
                return Err(Error::new(ErrorKind::InvalidConfig, message)
                    .with_hint(format!("give {role} another character")));
            }
        }
        if (1..=RECORD_BYTES_LIMIT).contains(&self.record_bytes_max) {
            return Ok(());
        }
        let message = format!("record_bytes_max is {}", self.record_bytes_max);
        Err(Error::new(ErrorKind::InvalidConfig, message)
            .with_hint(format!("choose 1 to {RECORD_BYTES_LIMIT} bytes")))
    }

    fn roles(&self) -> Vec<(&'static str, u8)> {
        let roles = [
            ("the delimiter", Some(self.delimiter)),
            ("the quote", self.quote),
            ("the escape", self.escape),
            ("the comment character", self.comment),
        ];
        roles.into_iter().filter_map(|(role, byte)| Some((role, byte?))).collect()
    }

    /// Whether an unquoted field of these bytes is one of the null words.
    pub(super) fn is_null_word(&self, field: &[u8]) -> bool {
        !self.null_words.is_empty() && self.null_words.iter().any(|word| word == field)
    }
}

fn several_bytes() -> Error {
    Error::new(ErrorKind::InvalidConfig, "the delimiter is not one ASCII character")
        .with_hint("choose one ASCII character, such as `,`, `;`, `|` or a tab")
}

fn check_byte(role: &str, byte: u8) -> Result<()> {
    let trouble = match byte {
        b'\n' | b'\r' => "is a line end",
        0x80.. => "is not an ASCII character",
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::InvalidConfig, format!("{role} {trouble}"))
        .with_hint("choose one ASCII character, such as `,`, `;`, `|` or a tab"))
}

fn show(byte: u8) -> String {
    format!("`{}`", byte.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_rfc_4180() {
        let dialect = Dialect::new(b',', &FormatOptions::default()).unwrap();
        assert_eq!((dialect.delimiter, dialect.quote, dialect.escape), (b',', Some(b'"'), None));
        assert!(dialect.header && dialect.empty_is_null && dialect.null_words.is_empty());
        assert_eq!(dialect.record_bytes_max, 64 << 20);
    }

    #[test]
    fn an_escape_that_is_the_quote_means_doubled_quotes() {
        let options = FormatOptions { escape: Some(Mark::Byte(b'"')), ..FormatOptions::default() };
        assert_eq!(Dialect::new(b',', &options).unwrap().escape, None);
    }

    #[test]
    fn conflicts_are_configuration_errors_with_a_cure() {
        let default = FormatOptions::default;
        for options in [
            FormatOptions { delimiter: Some("\"".into()), ..default() },
            FormatOptions { delimiter: Some("\n".into()), ..default() },
            FormatOptions { delimiter: Some("§".into()), ..default() },
            FormatOptions { quote: Some(Mark::Byte(b'\r')), ..default() },
            FormatOptions { escape: Some(Mark::Byte(b',')), ..default() },
            FormatOptions { comment: Some(Mark::Byte(b'"')), ..default() },
            FormatOptions { record_bytes_max: Some(0), ..default() },
            FormatOptions { record_bytes_max: Some(usize::MAX), ..default() },
        ] {
            let error = Dialect::new(b',', &options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{options:?}");
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn given_null_words_are_the_only_nulls() {
        let given = |words: &[&str]| {
            let null_values = Some(words.iter().map(|word| (*word).to_owned()).collect());
            let options = FormatOptions { null_values, ..FormatOptions::default() };
            Dialect::new(b',', &options).unwrap()
        };
        assert!(!given(&["NA"]).empty_is_null);
        assert!(given(&["NA"]).is_null_word(b"NA"));
        assert!(!given(&["NA"]).is_null_word(b"na"));
        assert!(given(&["NA", ""]).empty_is_null);
    }
}
