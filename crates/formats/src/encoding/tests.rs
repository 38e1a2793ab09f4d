//! Texts in every encoding, in chunks of every size.

use decant_core::ErrorKind;
use decant_core::stream::FormatOptions;
use proptest::prelude::*;

use super::*;
use crate::testing::Chunks;

fn read(bytes: &[u8], chunk_bytes: usize, label: Option<&str>) -> (Vec<u8>, Vec<u64>) {
    let options = FormatOptions { encoding: label.map(str::to_owned), ..Default::default() };
    let mut input = Chunks::new(bytes, chunk_bytes);
    let mut transcoded = Transcoded::new(&mut input, &options).unwrap().with_offsets();
    let mut text = Vec::new();
    while let Some(chunk) = transcoded.next_chunk().unwrap() {
        assert!(!chunk.is_empty());
        text.extend_from_slice(&chunk);
    }
    let starts = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let starts: Vec<u64> = starts.map(|(at, _)| at as u64 + 1).collect();
    let offsets = starts.iter().map(|start| transcoded.offsets().in_file(*start)).collect();
    (text, offsets)
}

fn utf_16(text: &str, is_little: bool) -> Vec<u8> {
    let bytes = |unit: u16| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() };
    text.encode_utf16().flat_map(bytes).collect()
}

fn encode(text: &str, label: &str) -> Vec<u8> {
    match label {
        "utf-16le" => utf_16(text, true),
        "utf-16be" => utf_16(text, false),
        _ => Encoding::for_label(label.as_bytes()).unwrap().encode(text).0.into_owned(),
    }
}

#[test]
fn bytes_without_a_meaning_are_marked_where_they_stand() {
    let (text, _) = read(b"a,\x81\xff\nb,\x82\xa0\n", 1, Some("shift_jis"));
    assert!(text.starts_with(b"a,\xff"));
    assert!(text.ends_with("\nb,あ\n".as_bytes()));
    let (text, _) = read(b"a\0\x00\xd8\n\0b\0c", 1, Some("utf-16le"));
    assert_eq!(text, b"a\xff\nb\xff");
    let (text, _) = read(b"a,\xff\n", 1, Some("utf-8"));
    assert_eq!(text, b"a,\xff\n");
}

#[test]
fn the_beginning_is_looked_at_and_read_again() {
    let bytes = utf_16("id,name\n1,ü\n", true);
    for chunk_bytes in [1, 5, 100] {
        let mut input = Chunks::new(&bytes, chunk_bytes);
        let mut transcoded = Transcoded::new(&mut input, &FormatOptions::default()).unwrap();
        let part = transcoded.beginning(5).unwrap();
        assert_eq!((&part.text[..], part.whole), (&b"id,na"[..], false));
        let all = transcoded.beginning(100).unwrap();
        assert_eq!((&all.text[..], all.whole), ("id,name\n1,ü\n".as_bytes(), true));
        let mut text = Vec::new();
        while let Some(chunk) = transcoded.next_chunk().unwrap() {
            text.extend_from_slice(&chunk);
        }
        assert_eq!(text, "id,name\n1,ü\n".as_bytes());
        assert_eq!(transcoded.label(), "utf-16le");
        assert!(transcoded.explanation().unwrap().contains("guess"));
    }
}

#[test]
fn end_marks_are_left_out_at_the_end_and_nowhere_else() {
    let block = format!("a\n{}", "\x1a".repeat(126));
    let more = format!("a\n{}", "\x1a".repeat(130));
    for (file, expected) in [
        ("a\n\x1a", "a\n"),
        ("a\x1a", "a"),
        ("\x1a", ""),
        ("a\x1ab\n\x1a\x1a", "a\x1ab\n"),
        ("\x1aa\n", "\x1aa\n"),
        (&block, "a\n"),
        (&more, "a\n\x1a\x1a"),
    ] {
        for chunk_bytes in [1, 2, 3, 200] {
            assert_eq!(read(file.as_bytes(), chunk_bytes, None).0, expected.as_bytes(), "{file:?}");
        }
    }
    assert_eq!(read(&utf_16("a\n\x1a", false), 3, Some("utf-16be")).0, b"a\n");
}

#[test]
fn what_is_no_text_is_refused_with_a_cure() {
    for bytes in [&b"PAR1\x15\x04"[..], b"PK\x03\x04", b"\xff\xfe\0\0a\0\0\0"] {
        let mut input = Chunks::new(bytes, 3);
        let error = Transcoded::new(&mut input, &FormatOptions::default()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.hint().is_some());
    }
}

proptest! {
    #[test]
    fn a_text_is_the_same_in_every_encoding_and_its_lines_are_where_they_were(
        lines in prop::collection::vec("[a-z,\"0-9 ]{0,8}[é日本語]{0,3}", 1..20),
        label in prop::sample::select(vec![
            "utf-8", "utf-16le", "utf-16be", "shift_jis", "gb18030", "euc-jp",
        ]),
        chunk_bytes in 1_usize..40,
    ) {
        let lines: Vec<String> = lines
            .iter()
            .map(|line| match label {
                "shift_jis" | "euc-jp" => line.replace('é', "e"),
                _ => line.clone(),
            })
            .collect();
        let encoded: Vec<Vec<u8>> =
            lines.iter().map(|line| encode(&format!("{line}\n"), label)).collect();
        let (text, offsets) = read(&encoded.concat(), chunk_bytes, Some(label));
        prop_assert_eq!(String::from_utf8(text).unwrap(), lines.join("\n") + "\n");
        let mut end = 0;
        let ends: Vec<u64> = encoded.iter().map(|line| { end += line.len() as u64; end }).collect();
        prop_assert_eq!(offsets, ends);
    }

    #[test]
    fn whatever_the_bytes_are_they_are_read_to_the_end(
        bytes: Vec<u8>,
        label in prop::option::of(prop::sample::select(vec!["utf-16le", "shift_jis", "gb18030", "iso-2022-jp"])),
        chunk_bytes in 1_usize..9,
    ) {
        let options = FormatOptions { encoding: label.map(str::to_owned), ..Default::default() };
        if Transcoded::new(&mut Chunks::new(&bytes, chunk_bytes), &options).is_ok() {
            let (whole, _) = read(&bytes, 1 << 20, label);
            prop_assert_eq!(read(&bytes, chunk_bytes, label).0, whole);
        }
    }
}
