//! What separates, encloses and escapes fields: a stream's options, checked,
//! with every default decided.

use decant_core::stream::{FormatOptions, Header, Mark};
use decant_core::value_format::NumberFormat;
use decant_core::{Error, ErrorKind, Result};

use super::footer::Leaving;

/// Longest row unless another length is asked for.
pub const RECORD_BYTES_MAX: usize = 64 << 20;
/// Longest row that may be asked for: positions in a block are 32 bits wide.
const RECORD_BYTES_LIMIT: usize = 1 << 30;

/// Between the fields of a line of fixed width that is written anew.
const UNIT_SEPARATOR: u8 = 0x1f;
const COMMENT: &str = "the comment character";
/// Most rows that may be left out at the end: they are held back.
const SKIP_FOOTER_MAX: u64 = 1_000;

/// What separates fields: one byte or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delimiter {
    first: u8,
    follows: Vec<u8>,
}

impl Delimiter {
    /// One byte.
    pub const fn byte(first: u8) -> Self {
        Self { first, follows: Vec::new() }
    }

    /// The bytes of `text`; `None` when it is empty.
    pub fn new(text: &str) -> Option<Self> {
        let (first, follows) = text.as_bytes().split_first()?;
        Some(Self { first: *first, follows: follows.to_vec() })
    }

    /// The first byte, and what must follow it.
    #[inline]
    pub(super) fn parts(&self) -> (u8, &[u8]) {
        (self.first, &self.follows)
    }

    /// Bytes of it.
    pub(super) fn len(&self) -> usize {
        1 + self.follows.len()
    }

    /// All its bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.first];
        bytes.extend_from_slice(&self.follows);
        bytes
    }

    /// Whether `bytes` begin with it.
    pub(super) fn begins(&self, bytes: &[u8]) -> bool {
        bytes.first() == Some(&self.first) && bytes[1..].starts_with(&self.follows)
    }
}

/// A dialect of delimiter-separated text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Separates fields.
    pub delimiter: Delimiter,
    /// Encloses fields; `None` switches quoting off.
    pub quote: Option<u8>,
    /// Makes a quote, or itself, an ordinary byte inside quotes; `None`: a
    /// quote is doubled.
    pub escape: Option<u8>,
    /// As a line's first byte, makes it no row.
    pub comment: Option<u8>,
    /// Rows that name the columns.
    pub header_rows: u32,
    /// Lines passed over before the first row.
    pub skip_lines: u64,
    /// Rows left out at the end.
    pub(super) footer: Leaving,
    /// Whether malformed rows are repaired where that is possible.
    pub lenient: bool,
    /// Widths of the columns in characters, where nothing separates them.
    pub widths: Option<Vec<usize>>,
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
    /// Errors: `InvalidConfig` when two of the marks are the same, one is a line
    /// end, or a mark of one byte is not ASCII.
    pub fn new(delimiter: u8, options: &FormatOptions) -> Result<Self> {
        let quote = options.quote.map_or(Some(b'"'), Mark::byte);
        let words = options.null_values.as_deref().unwrap_or_default();
        let dialect = Self {
            delimiter: match options.delimiter.as_deref() {
                None => Delimiter::byte(delimiter),
                Some(text) => Delimiter::new(text).ok_or_else(no_delimiter)?,
            },
            quote,
            escape: options
                .escape
                .and_then(Mark::byte)
                .filter(|escape| quote.is_some_and(|quote| quote != *escape)),
            comment: options.comment.and_then(Mark::byte),
            header_rows: match options.header {
                None => 1,
                Some(Header::None) => 0,
                Some(Header::Rows(rows)) => rows.max(1),
            },
            skip_lines: options.skip_rows.unwrap_or_default(),
            footer: Leaving::Rows(skip_footer(options)?),
            lenient: options.lenient,
            widths: None,
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

    /// The dialect of lines whose columns have the widths of `options`. Its
    /// delimiter and quote are those in which lines are written anew.
    ///
    /// Errors: `InvalidConfig` without widths, or with one that is 0.
    pub fn fixed_width(options: &FormatOptions) -> Result<Self> {
        let widths = options.widths.clone().unwrap_or_default();
        if widths.is_empty() || widths.contains(&0) {
            return Err(Error::new(
                ErrorKind::InvalidConfig,
                "the widths of the columns are needed",
            )
            .with_hint("give `widths`, each at least 1, such as `[10, 4, 12]`"));
        }
        let text = FormatOptions {
            delimiter: None,
            quote: None,
            escape: None,
            comment: options.comment.filter(|mark| mark.byte() != Some(b'"')),
            ..options.clone()
        };
        Ok(Self { widths: Some(widths), ..Self::new(UNIT_SEPARATOR, &text)? })
    }

    /// How the rows of the file are found: in lines of fixed width no byte
    /// but a line end has a meaning.
    pub(super) fn structure(&self) -> Self {
        match self.widths {
            Some(_) => Self { quote: None, escape: None, ..self.clone() },
            None => self.clone(),
        }
    }

    fn check(&self) -> Result<()> {
        self.check_delimiter()?;
        let roles = self.roles();
        for (at, (role, byte)) in roles.iter().enumerate() {
            check_byte(role, *byte)?;
            if let Some((other, _)) = roles[..at].iter().find(|(_, taken)| taken == byte) {
                return Err(shared(other, role, *byte));
            }
        }
        if (1..=RECORD_BYTES_LIMIT).contains(&self.record_bytes_max) {
            return Ok(());
        }
        let message = format!("record_bytes_max is {}", self.record_bytes_max);
        Err(Error::new(ErrorKind::InvalidConfig, message)
            .with_hint(format!("choose 1 to {RECORD_BYTES_LIMIT} bytes")))
    }

    fn check_delimiter(&self) -> Result<()> {
        for byte in self.delimiter.to_bytes() {
            if matches!(byte, b'\n' | b'\r') {
                check_byte("the delimiter", byte)?;
            }
            let inside = self.roles().into_iter().find(|(_, taken)| *taken == byte);
            match inside {
                Some((role, _)) if role != COMMENT || byte == self.delimiter.first => {
                    return Err(shared("the delimiter", role, byte));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn roles(&self) -> Vec<(&'static str, u8)> {
        let roles =
            [("the quote", self.quote), ("the escape", self.escape), (COMMENT, self.comment)];
        roles.into_iter().filter_map(|(role, byte)| Some((role, byte?))).collect()
    }

    /// Whether an unquoted field of these bytes is one of the null words.
    pub(super) fn is_null_word(&self, field: &[u8]) -> bool {
        !self.null_words.is_empty() && self.null_words.iter().any(|word| word == field)
    }
}

fn no_delimiter() -> Error {
    Error::new(ErrorKind::InvalidConfig, "the delimiter is empty")
        .with_hint("give the characters that separate fields, such as `,` or `||`")
}

fn shared(one: &str, other: &str, byte: u8) -> Error {
    Error::new(ErrorKind::InvalidConfig, format!("{one} and {other} are both {}", show(byte)))
        .with_hint(format!("give {other} another character"))
}

fn skip_footer(options: &FormatOptions) -> Result<usize> {
    match options.skip_footer.unwrap_or_default() {
        rows @ 0..=SKIP_FOOTER_MAX => Ok(usize::try_from(rows).unwrap_or_default()),
        rows => Err(Error::new(ErrorKind::InvalidConfig, format!("skip_footer is {rows}"))
            .with_hint(format!("choose at most {SKIP_FOOTER_MAX} rows: they are held in memory"))),
    }
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
        assert_eq!(dialect.delimiter, Delimiter::byte(b','));
        assert_eq!((dialect.quote, dialect.escape, dialect.header_rows), (Some(b'"'), None, 1));
        assert!(dialect.empty_is_null && dialect.null_words.is_empty());
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
            FormatOptions { delimiter: Some(String::new()), ..default() },
            FormatOptions { delimiter: Some("|\"".into()), ..default() },
            FormatOptions { delimiter: Some("||\n".into()), ..default() },
            FormatOptions { skip_footer: Some(1_000_000), ..default() },
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
