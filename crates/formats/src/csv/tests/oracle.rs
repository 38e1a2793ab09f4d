//! Random tables, and random bytes, against a decoder that is too simple to
//! be wrong: one byte after the other, the whole file in memory, positions
//! counted from the beginning each time.

use decant_core::stream::{FormatOptions, Header, Mark};
use proptest::prelude::*;

use decant_core::format::Target;
use decant_core::schema::ColumnType;

use super::{Decoded, decode, decode_with, plain};

/// A row as the oracle reads it; `fields` is `None` when quoting is broken.
#[derive(Debug)]
struct OracleRow {
    start: usize,
    end: usize,
    fields: Option<Vec<Option<String>>>,
}

fn line_end_at(file: &[u8], at: usize) -> usize {
    match &file[at..] {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

fn line_number(file: &[u8], position: usize) -> u64 {
    let (mut at, mut line) = (0, 1);
    while at < position {
        let length = line_end_at(file, at);
        line += u64::from(length > 0);
        at += length.max(1);
    }
    line
}

/// A field and where it ends, or the position from which its line is lost.
fn read_field(file: &[u8], start: usize) -> Result<(Option<String>, usize), usize> {
    let mut at = start;
    let mut value = Vec::new();
    let quoted = file.get(at) == Some(&b'"');
    at += usize::from(quoted);
    loop {
        match (quoted, &file[at..]) {
            (true, []) => return Err(start),
            (true, [b'"', b'"', ..]) => {
                value.push(b'"');
                at += 2;
            }
            (true, [b'"', rest @ ..]) => {
                if !matches!(rest, [] | [b',' | b'\r' | b'\n', ..]) {
                    return Err(start);
                }
                return Ok((Some(String::from_utf8(value).unwrap()), at + 1));
            }
            (false, [] | [b',' | b'\r' | b'\n', ..]) => {
                let text = String::from_utf8(value).unwrap();
                return Ok(((!text.is_empty()).then_some(text), at));
            }
            (false, [b'"', ..]) => return Err(at),
            (_, [byte, ..]) => {
                value.push(*byte);
                at += 1;
            }
        }
    }
}

fn read_row(file: &[u8], start: usize) -> OracleRow {
    let mut fields = Vec::new();
    let mut at = start;
    loop {
        match read_field(file, at) {
            Ok((field, end)) => {
                fields.push(field);
                if file.get(end) != Some(&b',') {
                    return OracleRow { start, end, fields: Some(fields) };
                }
                at = end + 1;
            }
            Err(lost) => {
                let rest = file[lost..].iter().position(|byte| b"\r\n".contains(byte));
                let end = rest.map_or(file.len(), |rest| lost + rest);
                return OracleRow { start, end, fields: None };
            }
        }
    }
}

fn read_rows(file: &[u8]) -> Vec<OracleRow> {
    let mut rows = Vec::new();
    let mut at = 0;
    while at < file.len() {
        let row = read_row(file, at);
        at = row.end + if row.end < file.len() { line_end_at(file, row.end) } else { 0 };
        rows.push(row);
    }
    rows
}

fn agrees(file: &[u8], decoded: &Decoded) {
    let mut rows = read_rows(file).into_iter();
    let columns = rows.next().and_then(|header| header.fields).map_or(0, |names| names.len());
    let is_row = |row: &OracleRow| columns == 1 || row.end > row.start;
    let mut good = decoded.rows().into_iter();
    let mut bad = decoded.rejects.iter();
    let mut count = 0;
    for row in rows.filter(is_row) {
        count += 1;
        match row.fields {
            Some(fields) if fields.len() == columns => assert_eq!(good.next(), Some(fields)),
            _ => {
                let reject = bad.next().expect("one more reject");
                assert_eq!(reject.ordinal, count);
                assert_eq!(reject.raw, &file[row.start..row.end]);
                assert_eq!(reject.byte_offset, Some(row.start as u64));
                assert_eq!(reject.line, Some(line_number(file, row.start)));
            }
        }
    }
    assert_eq!((good.next(), bad.next(), decoded.rows_read), (None, None, count));
}

#[derive(Clone, Debug)]
struct WrittenField {
    value: Option<String>,
    quoted: bool,
}

/// The dialect of the oracle.
fn said() -> FormatOptions {
    FormatOptions {
        delimiter: Some(",".into()),
        quote: Some(Mark::Byte(b'"')),
        escape: Some(Mark::Off),
        comment: Some(Mark::Off),
        header: Some(Header::Rows(1)),
        skip_rows: Some(0),
        skip_footer: Some(0),
        encoding: Some("utf-8".into()),
        ..plain()
    }
}

fn written_field() -> impl Strategy<Value = WrittenField> {
    let value = prop_oneof![
        1 => Just(None),
        1 => Just(Some(String::new())),
        4 => "[a-z0-9 ]{1,8}".prop_map(Some),
        2 => "[a\",\r\n\u{e9}\u{1f600}]{1,6}".prop_map(Some),
    ];
    (value, any::<bool>()).prop_map(|(value, quoted)| WrittenField { value, quoted })
}

fn write_field(field: &WrittenField) -> String {
    match &field.value {
        None => String::new(),
        Some(value)
            if field.quoted || value.is_empty() || value.contains(['"', ',', '\r', '\n']) =>
        {
            format!("\"{}\"", value.replace('"', "\"\""))
        }
        Some(value) => value.clone(),
    }
}

fn line_end() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("\n"), Just("\r\n"), Just("\r")]
}

proptest! {
    #[test]
    fn a_table_that_is_written_is_read_back(
        rows in prop::collection::vec((prop::collection::vec(written_field(), 3), line_end()), 0..20),
        final_line_end: bool,
    ) {
        let mut file = String::from("a,b,c\n");
        for (number, (fields, line_end)) in rows.iter().enumerate() {
            let fields: Vec<String> = fields.iter().map(write_field).collect();
            file.push_str(&fields.join(","));
            if final_line_end || number + 1 < rows.len() {
                file.push_str(line_end);
            }
        }
        let decoded = decode(&file, &plain());
        let expected: Vec<Vec<Option<String>>> = rows
            .iter()
            .map(|(fields, _)| fields.iter().map(|field| field.value.clone()).collect())
            .collect();
        prop_assert_eq!(decoded.rows(), expected);
        prop_assert_eq!(&decoded.rejects, &vec![]);
        agrees(file.as_bytes(), &decoded);
    }

    #[test]
    fn texts_of_any_length_are_read_back(
        rows in prop::collection::vec(("[a-z é]{0,150}", "[a-z\",\r\né]{0,200}", "\"{0,70}"), 0..40),
    ) {
        let mut file = String::from("a,b,c\n");
        for fields in &rows {
            let quoted = |field: &str| format!("\"{}\"", field.replace('"', "\"\""));
            let (a, b, c) = (&fields.0, quoted(&fields.1), quoted(&fields.2));
            file.push_str(&format!("{a},{b},{c}\n"));
        }
        let text = |field: &String| Some(field.clone());
        let row = |(a, b, c): &(String, String, String)| {
            vec![text(a).filter(|a| !a.is_empty()), text(b), text(c)]
        };
        let expected: Vec<Vec<Option<String>>> = rows.iter().map(row).collect();
        prop_assert_eq!(decode(&file, &said()).rows(), expected);
    }

    #[test]
    fn whatever_the_bytes_are_each_row_is_where_the_oracle_has_it(
        columns in 1_usize..4,
        body in "[ab,,\"\"\r\n\n]{0,60}",
    ) {
        let header = ["a", "a,b", "a,b,c"][columns - 1];
        let file = format!("{header}\n{body}");
        agrees(file.as_bytes(), &decode(&file, &said()));
    }

    #[test]
    fn a_longest_row_makes_no_difference_between_blocks(
        body in "[ab,\"\"\\\\\r\n#]{0,80}",
        record_bytes_max in 3_usize..12,
        escape in prop::option::of(Just(Mark::Byte(b'\\'))),
        comment in prop::option::of(Just(Mark::Byte(b'#'))),
    ) {
        let options =
            FormatOptions { record_bytes_max: Some(record_bytes_max), escape, comment, ..plain() };
        decode(format!("a,b\n{body}"), &options);
    }

    #[test]
    fn bytes_that_are_no_text_at_all_never_panic(body: Vec<u8>) {
        decode([b"a,b\n", &body[..]].concat(), &said());
    }

    #[test]
    fn bytes_of_which_nothing_is_said_are_read_or_refused(body: Vec<u8>) {
        let text = &|_| Some(Target::new(ColumnType::Text, true));
        for sizes in [(1 << 20, 1 << 20), (5, 3)] {
            // Either way is right; what counts is that it comes to an end.
            drop(decode_with(&body, &plain(), text, sizes));
        }
    }
}
