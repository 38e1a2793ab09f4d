//! Documents in other encodings than UTF-8.

use decant_core::stream::FormatOptions;

use super::{check, plain};

fn utf_16(text: &str, mark: bool) -> Vec<u8> {
    let mark = mark.then_some(0xfeff).into_iter();
    mark.chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

const DOCUMENT: &str = "<d>\n  <r><a>ü€</a></r><r><a>é</a></r>\n    <r><a>z</a></r>\n</d>";

#[test]
fn positions_are_those_of_the_file_in_every_encoding() {
    let starts: Vec<usize> = DOCUMENT.match_indices("<r>").map(|(at, _)| at).collect();
    let before = |at: usize| DOCUMENT[..at].chars().count() as u64;
    let wide: Vec<u64> = starts.iter().map(|at| 2 + 2 * before(*at)).collect();
    let decoded = check(utf_16(DOCUMENT, true), &plain(), "a", &["ü€", "é", "z"]);
    assert_eq!(decoded.places.byte_offsets, wide);
    assert_eq!(decoded.places.lines, [2, 2, 3]);
    let (narrow, _, _) = encoding_rs::WINDOWS_1252.encode(DOCUMENT);
    let options = FormatOptions { encoding: Some("windows-1252".into()), ..plain() };
    let decoded = check(&narrow, &options, "a", &["ü€", "é", "z"]);
    let expected: Vec<u64> = starts.iter().map(|at| before(*at)).collect();
    assert_eq!(decoded.places.byte_offsets, expected);
    let marked = format!("\u{feff}{DOCUMENT}");
    let decoded = check(&marked, &plain(), "a", &["ü€", "é", "z"]);
    let expected: Vec<u64> = starts.iter().map(|at| 3 + *at as u64).collect();
    assert_eq!(decoded.places.byte_offsets, expected);
    assert_eq!(decoded.columns.options.encoding.as_deref(), Some("utf-8"));
}

#[test]
fn the_declaration_names_the_encoding() {
    let declared = |label: &str| format!("<?xml version='1.0' encoding='{label}'?>{DOCUMENT}");
    let text = declared("windows-1252");
    let (narrow, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
    check(&narrow, &plain(), "a", &["ü€", "é", "z"]);
    check(declared("UTF-16"), &plain(), "a", &["ü€", "é", "z"]);
    check(utf_16(&declared("UTF-16"), true), &plain(), "a", &["ü€", "é", "z"]);
    let options = FormatOptions { encoding: Some("utf-8".into()), ..plain() };
    check(declared("windows-1252"), &options, "a", &["ü€", "é", "z"]);
}
