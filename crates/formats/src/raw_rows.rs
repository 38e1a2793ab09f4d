//! Raw rows, and the small documents in which they can be read again.
//!
//! A reject keeps its row as it stood in the file. To read it a second time
//! it needs what stood around it: for text with delimiters a header, for JSON
//! and XML nothing. Detection has no say here: everything it found is in the options.

use decant_core::Result;
use decant_core::stream::{FormatOptions, Header, Mark};

use crate::registry::name_of;

/// Text with delimiters.
const DELIMITED: [&str; 3] = ["csv", "tsv", "psv"];
/// Fixed-width text.
const FIXED_WIDTH: &str = "fwf";
/// Rows that are documents: an element stands alone.
const XML: &str = "xml";

/// A document of one row, and the options under which it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawDocument {
    /// How it is read.
    pub options: FormatOptions,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The document of one raw row of the file called `file`, whose columns have
/// these names.
pub fn raw_document(
    file: &str,
    options: &FormatOptions,
    names: &[String],
    raw: &[u8],
) -> RawDocument {
    let mut options = FormatOptions {
        name: Some(format_name(file, options)),
        compression: Some("none".into()),
        encoding: None,
        memory_bytes: None,
        ..options.clone()
    };
    let mut bytes = Vec::new();
    if let Some(header) = header_line(file, &options, names) {
        bytes.extend_from_slice(header.as_bytes());
        bytes.push(b'\n');
        options.encoding = Some("utf-8".into());
        options.header = Some(Header::Rows(1));
        options.skip_rows = Some(0);
        options.skip_footer = Some(0);
    } else if options.name.as_deref() == Some(FIXED_WIDTH) {
        options.encoding = Some("utf-8".into());
        options.header = Some(Header::None);
        options.skip_rows = Some(0);
        options.skip_footer = Some(0);
    }
    if options.name.as_deref() == Some(XML) {
        options.encoding = Some("utf-8".into());
    }
    bytes.extend_from_slice(raw);
    bytes.push(b'\n');
    RawDocument { options, bytes }
}

/// A raw row that stands in the encoding of its file as all others do, in
/// UTF-8; bytes without a meaning are left ones that UTF-8 never has.
///
/// Errors: `InvalidConfig` for an encoding that does not exist.
pub fn transcribed(raw: &[u8], encoding: &str) -> Result<Vec<u8>> {
    crate::encoding::transcribed(raw, encoding)
}

/// The header of text with delimiters, without its line end; `None` for
/// formats that have none.
pub fn header_line(file: &str, options: &FormatOptions, names: &[String]) -> Option<String> {
    let delimiter = delimiter(file, options)?;
    let fields: Vec<String> = names.iter().map(|name| field(name, &delimiter, options)).collect();
    Some(fields.join(&delimiter))
}

/// What separates the fields of the file's raw rows; `None` for formats
/// without delimiters.
pub fn delimiter(file: &str, options: &FormatOptions) -> Option<String> {
    let name = format_name(file, options);
    if !DELIMITED.contains(&name.as_str()) {
        return None;
    }
    let usual = match name.as_str() {
        "tsv" => "\t",
        "psv" => "|",
        _ => ",",
    };
    Some(options.delimiter.clone().unwrap_or_else(|| usual.to_owned()))
}

fn format_name(file: &str, options: &FormatOptions) -> String {
    options.name.clone().unwrap_or_else(|| name_of(file).to_owned())
}

/// A field as it stands in a row.
fn field(text: &str, delimiter: &str, options: &FormatOptions) -> String {
    let quote = options.quote.unwrap_or(Mark::Byte(b'"')).byte().map(char::from);
    let comment = options.comment.and_then(Mark::byte).map(char::from);
    let Some(quote) = quote else { return text.to_owned() };
    let needs_quotes = text.is_empty()
        || text.contains(delimiter)
        || text.contains([quote, '\n', '\r'])
        || text.starts_with(char::is_whitespace)
        || text.ends_with(char::is_whitespace)
        || comment.is_some_and(|comment| text.starts_with(comment));
    if !needs_quotes {
        return text.to_owned();
    }
    let escape = options.escape.and_then(Mark::byte).map_or(quote, char::from);
    let mut quoted = String::from(quote);
    for letter in text.chars() {
        if letter == quote || letter == escape {
            quoted.push(escape);
        }
        quoted.push(letter);
    }
    quoted.push(quote);
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(name: &str) -> FormatOptions {
        FormatOptions { name: Some(name.into()), ..FormatOptions::default() }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_row_stands_below_its_header() {
        let names = names(&["id", "a, b", "say \"x\""]);
        let document = raw_document("f", &options("csv"), &names, b"1,2,3");
        assert_eq!(document.bytes, b"id,\"a, b\",\"say \"\"x\"\"\"\n1,2,3\n");
        assert_eq!(document.options.header, Some(Header::Rows(1)));
        let escaped = FormatOptions { escape: Some(Mark::Byte(b'\\')), ..options("csv") };
        let header = header_line("f", &escaped, &names).unwrap();
        assert_eq!(header, "id,\"a, b\",\"say \\\"x\\\"\"");
        let bare = FormatOptions {
            quote: Some(Mark::Off),
            delimiter: Some("||".into()),
            ..options("csv")
        };
        assert_eq!(header_line("f", &bare, &names).unwrap(), "id||a, b||say \"x\"");
    }

    #[test]
    fn other_rows_stand_alone() {
        let document = raw_document("f", &options("json"), &names(&["a"]), b"{\"a\":1}");
        assert_eq!(document.bytes, b"{\"a\":1}\n");
        assert_eq!(delimiter("f", &options("json")), None);
        let document = raw_document("f", &options("fwf"), &names(&["a"]), b"ab");
        assert_eq!(
            (document.bytes, document.options.header),
            (b"ab\n".to_vec(), Some(Header::None))
        );
    }

    #[test]
    fn what_was_not_detected_is_told_by_the_files_name() {
        for (file, delimited) in [("a.csv", ","), ("a.tsv.gz", "\t"), ("a.psv", "|"), ("a", ",")] {
            let found = delimiter(file, &FormatOptions::default());
            assert_eq!(found.as_deref(), Some(delimited), "{file}");
        }
    }
}
