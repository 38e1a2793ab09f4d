//! Tables as delimited text: delimiters, quotes, escapes, line ends,
//! encodings, decimal commas.

use super::random::Random;
use super::table::{Table, Value};
use super::{Written, compressed};

/// What the command is to find out by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// All of it: only what can be found out is written.
    ToBeFound,
    /// Nothing.
    Nothing,
}

struct Dialect {
    delimiter: &'static str,
    quote: char,
    backslash: bool,
    line_end: &'static str,
    decimal_comma: bool,
    quotes_all: bool,
    encoding: &'static str,
}

pub(super) fn write(random: &mut Random, table: &Table, leave: Leave) -> Written {
    let dialect = Dialect::random(random, leave);
    let mut text = String::new();
    let names: Vec<Option<String>> = table.names.iter().cloned().map(Some).collect();
    dialect.write_row(random, &names, &mut text);
    for row in &table.rows {
        let fields: Vec<Option<String>> = row.iter().map(|value| dialect.field(value)).collect();
        dialect.write_row(random, &fields, &mut text);
    }
    let (bytes, ending) = compressed::compress(random, &dialect.encode(&text));
    Written {
        name: format!("data.csv{ending}"),
        bytes,
        format: dialect.options(ending),
        how: format!("{} {ending:?}", dialect.options("")),
    }
}

impl Dialect {
    fn random(random: &mut Random, leave: Leave) -> Self {
        let is_told = leave == Leave::Nothing;
        let delimiters: &[&str] = match is_told {
            true => &[",", ";", "\t", "|", "||", "~", "^", ", "],
            false => &[",", ";", "\t", "|", "||"],
        };
        let encodings: &[&str] = match is_told {
            true => &["utf-8", "utf-16le", "utf-16be", "windows-1252", "gb18030"],
            false => &["utf-8", "utf-8 with a mark", "utf-16le with a mark", "windows-1252"],
        };
        let delimiter = random.one_of(delimiters);
        Self {
            delimiter,
            quote: if is_told && random.once_in(4) { '\'' } else { '"' },
            backslash: is_told && random.once_in(4),
            line_end: random.one_of(&["\n", "\r\n", "\r"]),
            decimal_comma: !delimiter.contains(',') && random.once_in(4),
            quotes_all: random.once_in(5),
            encoding: random.one_of(encodings),
        }
    }

    /// A value's text; NULL is `None`.
    fn field(&self, value: &Value) -> Option<String> {
        let text = value.text()?;
        Some(match value {
            Value::Decimal(_) if self.decimal_comma => text.replace('.', ","),
            _ => text,
        })
    }

    fn write_row(&self, random: &mut Random, fields: &[Option<String>], text: &mut String) {
        for (position, field) in fields.iter().enumerate() {
            if position > 0 {
                text.push_str(self.delimiter);
            }
            let Some(field) = field else { continue };
            if self.quotes_all || self.must_quote(field) || random.once_in(20) {
                self.write_quoted(field, text);
            } else {
                text.push_str(field);
            }
        }
        text.push_str(self.line_end);
    }

    /// Whether a field means something else without quotes; the delimiter's
    /// single characters count too, so that a field's end is never part of it.
    fn must_quote(&self, field: &str) -> bool {
        let meant = |letter: char| {
            self.delimiter.contains(letter) || matches!(letter, '\n' | '\r' | '"' | '\'' | '\\')
        };
        field.is_empty() || field.contains(meant)
    }

    fn write_quoted(&self, field: &str, text: &mut String) {
        text.push(self.quote);
        for letter in field.chars() {
            if self.backslash && (letter == self.quote || letter == '\\') {
                text.push('\\');
            } else if letter == self.quote {
                text.push(self.quote);
            }
            text.push(letter);
        }
        text.push(self.quote);
    }

    fn encode(&self, text: &str) -> Vec<u8> {
        let utf_16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect();
        match self.encoding {
            "utf-8 with a mark" => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            "utf-16le with a mark" => {
                let marked = format!("\u{feff}{text}");
                marked.encode_utf16().flat_map(u16::to_le_bytes).collect()
            }
            "utf-16le" => utf_16(u16::to_le_bytes),
            "utf-16be" => utf_16(u16::to_be_bytes),
            "utf-8" => text.as_bytes().to_vec(),
            label => {
                let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).expect("known");
                encoding.encode(text).0.into_owned()
            }
        }
    }

    /// The keys of the stream's `format`.
    fn options(&self, ending: &str) -> String {
        let Self { delimiter, quote, encoding, .. } = self;
        let yaml = |text: &str| serde_json::to_string(text).expect("a text");
        let escape = if self.backslash { yaml("\\") } else { "none".to_owned() };
        let decimal = if self.decimal_comma { "," } else { "." };
        let mut options = format!(
            "type: csv, delimiter: {}, quote: {}, escape: {escape}, comment: none, header: true, \
             skip_rows: 0, encoding: {encoding}, decimal: {}",
            yaml(delimiter),
            yaml(&quote.to_string()),
            yaml(decimal),
        );
        if ending == ".br" {
            options.push_str(", compression: brotli");
        }
        options
    }
}
