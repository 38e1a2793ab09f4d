//! A file in pieces is the file: rows, rejects, positions and what is said of
//! it, wherever it is cut.

use decant_core::Reject;
use decant_core::format::{Format, Piece};
use decant_core::reject::Reason;
use decant_core::schema::ColumnType;
use decant_core::stream::{FormatOptions, Mark};
use proptest::prelude::*;

use super::{Collector, CsvFormat, Decoded, decode, exact, plain};
use crate::testing::{OfFile, pieces_of};

/// Asserts that the pieces of `file` give what `whole` has.
pub(super) fn check_in_pieces(
    file: &[u8],
    options: &FormatOptions,
    piece_bytes: u64,
    whole: &Decoded,
) {
    let format = CsvFormat { block_bytes: 16, ..CsvFormat::new(b',', options).unwrap() };
    let pieces = pieces_of(&format, file, piece_bytes);
    let mut all = Decoded::default();
    for piece in &pieces {
        let one = decode_piece(&format, file, piece);
        if let (Some(columns), Some(before)) = (&one.columns, &all.columns) {
            assert_eq!(columns, before, "{pieces:?}");
        }
        all.columns = one.columns.or(all.columns);
        all.arrays.extend(one.arrays);
        all.rejects.extend(one.rejects);
        all.rows_read += one.rows_read;
        all.places.extend(one.places);
        all.repairs.extend(one.repairs);
        all.rescued.extend(one.rescued);
        all.notes.extend(one.notes);
    }
    assert_eq!(all.columns, whole.columns, "{pieces:?}");
    assert_eq!(all.rows(), whole.rows(), "{pieces:?}");
    assert_eq!(told(&all.rejects), told(&whole.rejects), "{pieces:?}");
    assert_eq!(all.rows_read, whole.rows_read, "{pieces:?}");
    assert_eq!(all.places, whole.places, "{pieces:?}");
    assert_eq!(all.repairs, whole.repairs, "{pieces:?}");
    assert_eq!(all.rescued, whole.rescued, "{pieces:?}");
    assert_eq!(all.notes, whole.notes, "{pieces:?}");
}

fn decode_piece(format: &CsvFormat, file: &[u8], piece: &Piece) -> Decoded {
    let targets = |_| Some(exact(ColumnType::Text));
    let mut collector = Collector { targets: &targets, decoded: Decoded::default() };
    let mut input = OfFile::new(file, piece.bytes.clone(), 5);
    format.decode(piece, &mut input, &mut collector).unwrap();
    collector.decoded
}

/// How far a quote was looked for that is not closed is each piece's own.
fn told(rejects: &[Reject]) -> Vec<Reject> {
    let told = |reject: &Reject| match reject.reason {
        Reason::Quote => Reject { detail: String::new(), ..reject.clone() },
        _ => reject.clone(),
    };
    rejects.iter().map(told).collect()
}

#[test]
fn a_file_is_cut_before_good_rows_alone() {
    let file = "id,text\n1,\"a\nb\"\n2\n3,\"c\n4,d\n5,e\n# no row\n6,f\n";
    let options = FormatOptions { comment: Some(Mark::Byte(b'#')), ..plain() };
    let format = CsvFormat::new(b',', &options).unwrap();
    let starts: Vec<_> = pieces_of(&format, file.as_bytes(), 1)
        .iter()
        .map(|piece| (piece.bytes.start, piece.rows_before, piece.lines_before))
        .collect();
    assert_eq!(starts, [(0, 0, 0), (23, 3, 5), (27, 4, 6), (40, 5, 8)]);
    let cut = pieces_of(&format, file.as_bytes(), 20);
    assert_eq!(cut.iter().map(|piece| piece.bytes.end).collect::<Vec<_>>(), [23, 44]);
}

#[test]
fn text_that_is_not_utf_8_is_one_piece_and_says_so() {
    let file: Vec<u8> = "a,b\n1,2\n3,4\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let options = FormatOptions { encoding: Some("utf-16le".into()), ..plain() };
    let format = CsvFormat::new(b',', &options).unwrap();
    let mut pieces = 0;
    let mut input = OfFile::new(&file, 0..file.len() as u64, 100);
    let mut found = |_| {
        pieces += 1;
        true
    };
    let why = format.pieces(&mut input, 4, &mut found).unwrap();
    assert_eq!((pieces, why), (1, Some("it is not in UTF-8")));
}

/// Lines of fields with everything in them that has a meaning.
fn file() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        4 => "[a-z0-9 ]{0,6}",
        2 => "\"[a-z,\n\r]{0,6}\"",
        1 => "[\",#\n\r]{1,3}",
    ];
    let row = proptest::collection::vec(field, 1..4).prop_map(|fields| fields.join(","));
    let line_end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r"), Just("\n\n")];
    let line = (row, line_end).prop_map(|(row, end)| row + end);
    proptest::collection::vec(line, 0..30).prop_map(|lines| format!("a,b\n{}", lines.concat()))
}

proptest! {
    #[test]
    fn pieces_of_any_file_are_the_file(file in file(), limit in 5_usize..60, is_lenient: bool) {
        let options = FormatOptions {
            record_bytes_max: Some(limit),
            lenient: is_lenient,
            comment: Some(Mark::Byte(b'#')),
            ..plain()
        };
        // Whose first row cannot be read has no columns, and no pieces.
        let format = CsvFormat::new(b',', &options).unwrap();
        let mut input = OfFile::new(file.as_bytes(), 0..file.len() as u64, 100);
        if format.pieces(&mut input, 5, &mut |_| true).is_ok() {
            decode(&file, &options);
        }
    }
}
