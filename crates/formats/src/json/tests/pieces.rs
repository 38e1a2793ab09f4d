//! A file in pieces is the file: rows, rejects and positions, wherever it is
//! cut.

use std::collections::BTreeMap;

use decant_core::ErrorKind;
use decant_core::format::{Format, Piece, PlacesWanted};
use decant_core::stream::{Flatten, FormatOptions};
use proptest::prelude::*;

use super::{Collector, Decoded, JsonFormat, decode_with, named, plain, text};
use crate::testing::{OfFile, pieces_of};

type Cells = BTreeMap<String, String>;

impl Decoded {
    /// The values of each row by their columns, which each piece finds anew.
    fn cells(&self) -> Vec<Cells> {
        let cells = |row: &Vec<Option<String>>| {
            let named = self.columns.names.iter().zip(row);
            let cell = |(name, value): (&String, &Option<String>)| {
                value.clone().map(|value| (name.clone(), value))
            };
            named.filter_map(cell).collect()
        };
        self.rows.iter().map(cells).collect()
    }
}

fn in_blocks(options: &FormatOptions) -> JsonFormat {
    JsonFormat { block_bytes: 16, ..JsonFormat::new(options).unwrap() }
}

fn decode_piece(format: &JsonFormat, file: &[u8], piece: &Piece) -> Decoded {
    let decoded = Decoded::default();
    let mut collector = Collector { target: &text, places: PlacesWanted::Raw, decoded };
    let mut input = OfFile::new(file, piece.bytes.clone(), 5);
    format.decode(piece, &mut input, &mut collector).unwrap();
    collector.decoded
}

/// Asserts that the pieces of `file` give what the whole has.
fn check_in_pieces(file: &str, options: &FormatOptions, piece_bytes: u64) -> Vec<Piece> {
    let file = file.as_bytes();
    let format = in_blocks(options);
    let whole = decode_with(file, in_blocks(options), &text, (16, 7)).unwrap();
    let pieces = pieces_of(&format, file, piece_bytes);
    let mut all = Decoded::default();
    let mut cells = Vec::new();
    for piece in &pieces {
        let one = decode_piece(&format, file, piece);
        cells.extend(one.cells());
        all.rejects.extend(one.rejects);
        all.repairs.extend(one.repairs);
        all.rows_read += one.rows_read;
        all.bytes += one.bytes;
        all.places.ordinals.extend(one.places.ordinals);
        all.places.lines.extend(one.places.lines);
        all.places.byte_offsets.extend(one.places.byte_offsets);
        all.places.bytes = [all.places.bytes, one.places.bytes].concat().into();
    }
    assert_eq!(cells, whole.cells(), "{pieces:?}");
    assert_eq!(all.rejects, whole.rejects, "{pieces:?}");
    assert_eq!(all.repairs, whole.repairs, "{pieces:?}");
    assert_eq!(all.rows_read, whole.rows_read, "{pieces:?}");
    assert_eq!(all.places, whole.places, "{pieces:?}");
    pieces
}

#[test]
fn lines_are_cut_before_good_rows_that_begin_them() {
    let file = "{\"a\":1}\n{\"a\":\n2}\n{\"a\":\n\n  {\"a\":3}\n{\"a\":4} \r\n{\"b\":5}\n";
    let pieces = check_in_pieces(file, &named("jsonl"), 1);
    let starts: Vec<_> = pieces
        .iter()
        .map(|piece| (piece.bytes.start, piece.rows_before, piece.lines_before))
        .collect();
    // What is wrong with the third row shows where the next one begins.
    assert_eq!(starts, [(0, 0, 0), (8, 1, 1), (44, 5, 7)]);
}

#[test]
fn a_bad_row_is_in_the_way_of_none_before_it() {
    let file = "{\"a\":1}\n{\"a\":2}\n{\"a\":\n{\"a\":4}\n{\"a\":5}\n{\"a\":6}\n";
    let format = JsonFormat::new(&named("jsonl")).unwrap();
    let pieces = pieces_of(&format, file.as_bytes(), 1);
    let ends: Vec<u64> = pieces.iter().map(|piece| piece.bytes.end).collect();
    // What is wrong with the third shows where the fifth one begins.
    assert_eq!(ends, [8, 38, 46]);
}

#[test]
fn objects_behind_each_other_are_cut_where_lines_begin() {
    let file = "\u{feff}{\"a\":1}{\"a\":2}\n{\"a\":3}\n\n{\"b\":\"x\ty\"}\n";
    let tabbed = file.replace('\t', "\\t");
    assert_eq!(check_in_pieces(&tabbed, &plain(), 1).len(), 3);
}

/// Why nothing is cut.
fn reason(file: &[u8], options: &FormatOptions) -> Option<&'static str> {
    let mut pieces = 0;
    let mut input = OfFile::new(file, 0..file.len() as u64, 100);
    let mut found = |_| {
        pieces += 1;
        true
    };
    let reason = in_blocks(options).pieces(&mut input, 4, &mut found).unwrap();
    assert_eq!(pieces, 1);
    reason
}

#[test]
fn what_cannot_be_cut_is_one_piece_and_says_so() {
    let utf_16: Vec<u8> = "{\"a\":1}\n{}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(reason(&utf_16, &named("jsonl")), Some("it is not in UTF-8"));
    assert_eq!(reason(b"[1]\n[2]\n", &named("jsonl")), Some("its rows are not objects"));
    let document = Some("its rows stand in one document");
    assert_eq!(reason(b"[{\"a\":1},\n{\"a\":2}]\n", &plain()), document);
    assert_eq!(reason(b"{\"columns\":[\"a\"],\"data\":[[1],\n[2]]}", &plain()), document);
    let flatten = Some(Flatten { depth: 2, separator: "_".to_owned() });
    let flattened = FormatOptions { flatten, ..named("jsonl") };
    let why = Some("which keys have columns depends on all rows");
    assert_eq!(reason(b"{\"a\":1}\n{\"a\":2}\n", &flattened), why);
}

#[test]
fn a_row_whose_meaning_is_in_rows_before_it_ends_the_cutting() {
    for row in ["[1,2]", "{\"value\":1}\n3"] {
        let file = format!("{{\"a\":1}}\n{{\"a\":2}}\n{row}\n{{\"a\":4}}\n");
        let mut found = Vec::new();
        let mut input = OfFile::new(file.as_bytes(), 0..file.len() as u64, 3);
        let mut take = |piece: Piece| {
            found.push(piece.bytes);
            true
        };
        let error = in_blocks(&named("jsonl")).pieces(&mut input, 1, &mut take).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("cannot be loaded in chunks"), "{error}");
        assert!(found.iter().all(|bytes| bytes.end <= 16), "{found:?}");
    }
}

/// Lines with everything in them that has a meaning.
fn file() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        3 => "[0-9]{1,3}",
        2 => "\"[a-z{}:,]{0,5}\"",
        1 => "\\{\"[ab]\":\n?[0-9]\\}",
        1 => "[\"{}\\[:,a]{1,3}",
    ];
    let member = ("[a-c]", value).prop_map(|(key, value)| format!("\"{key}\":{value}"));
    let object = proptest::collection::vec(member, 0..4)
        .prop_map(|members| format!("{{{}}}", members.join(",")));
    let row = prop_oneof![8 => object, 1 => "[0-9]{1,2}", 1 => "[ {}\"a,:]{0,4}"];
    let line_end =
        prop_oneof![5 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\n\n"), 1 => Just(" ")];
    let line = (row, line_end).prop_map(|(row, end)| row + end);
    proptest::collection::vec(line, 0..20).prop_map(|lines| format!("{{}}\n{}", lines.concat()))
}

proptest! {
    #[test]
    fn pieces_of_any_file_are_the_file(
        file in file(),
        limit in 8_usize..60,
        lenient: bool,
        piece_bytes in 1_u64..40,
    ) {
        let options =
            FormatOptions { record_bytes_max: Some(limit), lenient, ..named("jsonl") };
        let mut input = OfFile::new(file.as_bytes(), 0..file.len() as u64, 100);
        if in_blocks(&options).pieces(&mut input, piece_bytes, &mut |_| true).is_ok() {
            check_in_pieces(&file, &options, piece_bytes);
        }
    }
}
