//! Random tables in random dialects and encodings equal themselves, whether
//! the dialect is said or found out.

use decant_core::stream::{FormatOptions, Header, Mark};
use encoding_rs::Encoding;
use proptest::prelude::*;

use super::{decode, plain};

type Table = Vec<Vec<String>>;

#[derive(Clone, Debug)]
struct Written {
    delimiter: &'static str,
    quote: char,
    escape: Option<char>,
    line_end: &'static str,
    encoding: &'static str,
    quotes_all: bool,
}

fn written() -> impl Strategy<Value = Written> {
    (
        prop::sample::select(vec![",", ";", "\t", "|", "||", ", ", "~", "\u{1}", "::"]),
        prop::sample::select(vec!['"', '\'']),
        prop::sample::select(vec![None, Some('\\')]),
        prop::sample::select(vec!["\n", "\r\n", "\r"]),
        prop::sample::select(vec!["utf-8", "utf-16le", "utf-16be", "windows-1252", "gb18030"]),
        any::<bool>(),
    )
        .prop_map(|(delimiter, quote, escape, line_end, encoding, quotes_all)| Written {
            delimiter,
            quote,
            escape,
            line_end,
            encoding,
            quotes_all,
        })
}

impl Written {
    fn field(&self, value: &str) -> String {
        let needs = value.is_empty()
            || value.contains([self.quote, '\r', '\n', '\\'])
            || self.delimiter.chars().any(|letter| value.contains(letter));
        if !needs && !self.quotes_all {
            return value.to_owned();
        }
        let quote = self.quote;
        let escaped = match self.escape {
            Some(escape) => value
                .replace(escape, &format!("{escape}{escape}"))
                .replace(quote, &format!("{escape}{quote}")),
            None => value.replace(quote, &format!("{quote}{quote}")),
        };
        format!("{quote}{escaped}{quote}")
    }

    fn file(&self, header: &[String], rows: &Table) -> Vec<u8> {
        let line = |row: &Vec<String>| {
            let fields: Vec<String> = row.iter().map(|value| self.field(value)).collect();
            fields.join(self.delimiter) + self.line_end
        };
        let text: String = std::iter::once(&header.to_vec()).chain(rows).map(line).collect();
        match self.encoding {
            "utf-16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "utf-16be" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            label => Encoding::for_label(label.as_bytes()).unwrap().encode(&text).0.into_owned(),
        }
    }

    fn said(&self) -> FormatOptions {
        FormatOptions {
            delimiter: Some(self.delimiter.to_owned()),
            quote: Some(Mark::Byte(self.quote as u8)),
            escape: Some(self.escape.map_or(Mark::Off, |escape| Mark::Byte(escape as u8))),
            comment: Some(Mark::Off),
            header: Some(Header::Rows(1)),
            skip_rows: Some(0),
            skip_footer: Some(0),
            encoding: Some(self.encoding.to_owned()),
            ..plain()
        }
    }
}

fn table(value: &'static str, columns: usize) -> impl Strategy<Value = Table> {
    prop::collection::vec(prop::collection::vec(value, columns), 1..12)
}

fn header(columns: usize) -> Vec<String> {
    ["key", "größe", "note", "city"][..columns].iter().map(|name| (*name).to_owned()).collect()
}

fn rows_of(rows: &Table) -> Vec<Vec<Option<String>>> {
    rows.iter().map(|row| row.iter().map(|value| Some(value.clone())).collect()).collect()
}

proptest! {
    #[test]
    fn a_table_equals_itself_where_its_dialect_is_said(
        (columns, rows) in (1_usize..4).prop_flat_map(|columns| {
            (Just(columns), table("[a-zé0-9 ,;|:'\"\\\\~\t\r\n]{0,8}", columns))
        }),
        written in written(),
    ) {
        let file = written.file(&header(columns), &rows);
        let decoded = decode(&file, &written.said());
        prop_assert_eq!(&decoded.rejects, &vec![]);
        prop_assert_eq!(decoded.names(), header(columns));
        prop_assert_eq!(decoded.rows(), rows_of(&rows));
        prop_assert_eq!(decoded.bytes, file.len() as u64);
    }

    #[test]
    fn a_table_equals_itself_where_its_dialect_is_found_out(
        rows in (2_usize..5).prop_flat_map(|columns| table("[a-z]{1,5}(é[a-z]{1,3})?( [a-z]{1,6})?", columns)),
        mut written in written(),
    ) {
        // What no reader could tell: an encoding of a few odd letters, and
        // quotes that nothing shows.
        if matches!(written.encoding, "gb18030") {
            written.encoding = "utf-8";
        }
        if !written.quotes_all || rows.len() < 2 {
            written.quote = '"';
        }
        written.escape = None;
        let columns = rows[0].len();
        if rows.len() < 2 && !matches!(written.delimiter, "," | ";" | "\t" | "|") {
            written.delimiter = ",";
        }
        let file = written.file(&header(columns), &rows);
        let decoded = decode(&file, &plain());
        prop_assert_eq!(&decoded.rejects, &vec![]);
        prop_assert_eq!(decoded.names(), header(columns));
        prop_assert_eq!(decoded.rows(), rows_of(&rows));
    }
}
