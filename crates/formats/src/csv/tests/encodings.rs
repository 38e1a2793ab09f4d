//! Files in other encodings than UTF-8.

use decant_core::ErrorKind;
use decant_core::format::{Format, SampleLimits};
use decant_core::reject::Reason;
use decant_core::stream::FormatOptions;

use super::super::CsvFormat;
use super::{check, plain};
use crate::testing::Chunks;

fn in_encoding(label: &str) -> FormatOptions {
    FormatOptions { encoding: Some(label.into()), ..plain() }
}

#[test]
fn each_encoding_is_read_where_it_is_named_and_where_it_is_guessed() {
    let utf_16: Vec<u8> =
        "\u{feff}id,city\r\n1,Zürich\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check(&utf_16, &plain(), &["1|Zürich"]);
    check(b"id,city\n1,Z\xfcrich\n", &plain(), &["1|Zürich"]);
    check(b"id,city\n1,Z\xfcrich\n", &in_encoding("latin1"), &["1|Zürich"]);
    check(b"id,sum\n1,5 \x80\n", &in_encoding("cp1252"), &["1|5 €"]);
    check(b"id,a\n1,\x82\xa0|\\\n", &in_encoding("shift_jis"), &["1|あ|\\"]);
    check(b"id,a\n1,\x95\x5c\n", &in_encoding("shift_jis"), &["1|表"]);
    check(b"id,a\n1,\xd6\xd0\n", &in_encoding("gb18030"), &["1|中"]);
}

#[test]
fn positions_are_those_of_the_file() {
    let text = "id,city\r\n1,Zürich\r\n2\r\n\"3\",\"x\r\ny\"\r\n";
    let file: Vec<u8> =
        format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    let decoded = check(&file, &plain(), &["1|Zürich", "3|x\r\ny"]);
    assert_eq!(decoded.bytes, file.len() as u64);
    let bytes: Vec<u64> = decoded.places.iter().map(|place| place.2).collect();
    assert_eq!(bytes, [20, 46]);
    assert_eq!(decoded.rejects[0].byte_offset, Some(40));
    assert_eq!(decoded.rejects[0].raw, b"2");
    assert_eq!(decoded.places[0].3, "1,Zürich");
}

#[test]
fn bytes_without_a_meaning_reject_their_row() {
    let decoded =
        check(b"id,a\n1,\x82\xa0\n2,\xff\n3,x\n", &in_encoding("shift_jis"), &["1|あ", "3|x"]);
    let reject = &decoded.rejects[0];
    assert_eq!((reject.reason.clone(), reject.byte_offset), (Reason::Encoding, Some(10)));
    assert!(reject.detail.contains("Shift_JIS"), "{}", reject.detail);
    let lenient = FormatOptions { lenient: true, ..in_encoding("shift_jis") };
    check(b"id,a\n1,\x82\xa0\n2,\xff\n", &lenient, &["1|あ", "2|\u{fffd}"]);
}

#[test]
fn a_row_with_bytes_without_a_meaning_is_kept_as_it_stands_in_the_file() {
    let shift_jis = b"id,a\r\n1,\x93\xfa\r\n2,\x81\xff\r\n\"3\",\"\x93\xfa\n\x81\xff\"\r4\n5,\x81";
    let decoded = check(shift_jis, &in_encoding("shift_jis"), &["1|日"]);
    assert_eq!(decoded.columns.as_ref().unwrap().encoding.as_deref(), Some("shift_jis"));
    let kept: Vec<_> = decoded.rejects.iter().map(|it| (it.reason.as_str(), &it.raw[..])).collect();
    let multiline = &b"\"3\",\"\x93\xfa\n\x81\xff\""[..];
    assert_eq!(
        kept,
        [
            ("encoding", &b"2,\x81\xff"[..]),
            ("encoding", multiline),
            ("field_count", b"4"),
            ("encoding", b"5,\x81"),
        ]
    );
    for encode in [u16::to_le_bytes, u16::to_be_bytes] {
        let bytes = |units: &[u16]| units.iter().copied().flat_map(encode).collect::<Vec<u8>>();
        let units: Vec<u16> = "\u{feff}id,a\r\n1,é\r\n2,".encode_utf16().collect();
        let bad: Vec<u16> = [&"2,".encode_utf16().collect::<Vec<_>>()[..], &[0xd800]].concat();
        let rest: Vec<u16> = "\r\n3,x\r\n".encode_utf16().collect();
        let file = [bytes(&units), bytes(&[0xd800]), bytes(&rest)].concat();
        let decoded = check(file, &plain(), &["1|é", "3|x"]);
        assert_eq!(decoded.rejects[0].raw, bytes(&bad));
    }
    let ragged = check(b"id,a\n1,\x81\xff,x\n", &in_encoding("shift_jis"), &[]);
    let reject = &ragged.rejects[0];
    assert_eq!((reject.reason.clone(), &reject.raw[..]), (Reason::Encoding, &b"1,\x81\xff,x"[..]));
    assert!(reject.detail.ends_with("; it has bytes that are not Shift_JIS"), "{}", reject.detail);
    let text = crate::raw_rows::transcribed(b"2,\x93\xfa\x81\xff", "shift_jis").unwrap();
    assert_eq!(text, ["2,日".as_bytes(), b"\xff"].concat());
}

#[test]
fn a_sample_says_what_was_detected_and_decoding_how_raw_rows_are_read() {
    let file = b"id;city\n1;Z\xfcrich\n";
    let format = CsvFormat::new(b',', &plain()).unwrap();
    let sample = format.sample(&mut Chunks::new(file, 3), SampleLimits::default()).unwrap();
    let options = sample.columns.options;
    assert_eq!(options.encoding.as_deref(), Some("windows-1252"));
    assert_eq!((options.name.as_deref(), options.delimiter.as_deref()), (Some("csv"), Some(";")));
    assert!(sample.explanation[0].contains("windows-1252"), "{:?}", sample.explanation);
    let decoded = check(file, &plain(), &["1|Zürich"]);
    assert_eq!(decoded.columns.unwrap().options.encoding.as_deref(), Some("utf-8"));
}

#[test]
fn the_end_mark_of_dos_is_no_row_and_is_told() {
    for file in ["id,a\r\n1,x\r\n\x1a", "id,a\r\n1,x\x1a"] {
        let decoded = check(file, &plain(), &["1|x"]);
        assert!(decoded.notes.iter().any(|note| note.contains("Ctrl-Z")), "{:?}", decoded.notes);
    }
    let decoded = check("id,a\n1,\x1a\n", &plain(), &["1|\x1a"]);
    assert!(decoded.notes.is_empty(), "{:?}", decoded.notes);
}

#[test]
fn an_unknown_encoding_is_a_configuration_error() {
    let error = CsvFormat::new(b',', &in_encoding("utf-9")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert_eq!(error.hint(), Some("did you mean `utf-8`?"));
}
