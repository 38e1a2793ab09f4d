//! JSON in other encodings than UTF-8.

use decant_core::ErrorKind;
use decant_core::format::{Format, RepairKind, SampleLimits};
use decant_core::reject::Reason;
use decant_core::stream::FormatOptions;

use super::super::JsonFormat;
use super::{check, plain};
use crate::testing::Chunks;

/// The text in an encoding, behind a byte-order mark or not.
fn encoded(text: &str, encoding: &str, mark: bool) -> Vec<u8> {
    let text = if mark { format!("\u{feff}{text}") } else { text.to_owned() };
    match encoding {
        "utf-16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf-16be" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        label => {
            let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
            encoding.encode(&text).0.into_owned()
        }
    }
}

fn said(encoding: &str) -> FormatOptions {
    FormatOptions { encoding: Some(encoding.to_owned()), ..plain() }
}

const ROWS: [&str; 3] = [r#"{"é":"été 1"}"#, r#"{"é":1,"é":2}"#, r#"{"é":"naïve","b":{"c":"ü"}}"#];

#[test]
fn every_shape_is_read_in_every_encoding_and_positions_are_those_of_the_file() {
    for (encoding, mark, options) in [
        ("utf-8", false, plain()),
        ("utf-8", true, plain()),
        ("utf-16le", true, plain()),
        ("utf-16be", true, plain()),
        ("utf-16le", false, plain()),
        ("utf-16be", false, plain()),
        ("utf-16be", false, said("utf-16be")),
        ("utf-16le", true, said("windows-1252")),
        ("windows-1252", false, said("windows-1252")),
        ("windows-1252", false, said("latin-1")),
        ("gb18030", false, said("GB18030")),
    ] {
        for (begin, between, end) in
            [("", "\n", "\n"), ("[", ",", "]"), ("[\n ", ",\r\n ", "\n]\n")]
        {
            let text = format!("{begin}{}{end}", ROWS.join(between));
            let decoded = check(
                encoded(&text, encoding, mark),
                &options,
                "é|b",
                &["été 1|~", r#"naïve|{"c":"ü"}"#],
            );
            let offset = |row: usize| {
                let before = format!("{begin}{}", ROWS[..row].join(between));
                let between = if row > 0 { between } else { "" };
                encoded(&format!("{before}{between}"), encoding, mark).len() as u64
            };
            assert_eq!(decoded.places.byte_offsets, [offset(0), offset(2)], "{encoding} {text}");
            let [reject] = decoded.rejects.as_slice() else { panic!("{decoded:?}") };
            assert_eq!(reject.byte_offset, Some(offset(1)), "{encoding} {text}");
            assert_eq!((reject.ordinal, reject.raw.as_slice()), (2, ROWS[1].as_bytes()));
        }
    }
}

#[test]
fn other_encodings_are_never_guessed() {
    let text = "{\"city\":\"Orl\u{e9}ans\"}\n{\"city\":\"M\u{fc}nchen\"}\n{\"city\":\"Pau\"}\n";
    let file = encoded(text, "windows-1252", false);
    let decoded = check(&file, &plain(), "city", &["Pau"]);
    let reject = &decoded.rejects[0];
    assert_eq!((decoded.rejects.len(), &reject.reason), (2, &Reason::Encoding));
    assert!(reject.detail.starts_with("the byte 0xE9 is not UTF-8"), "{}", reject.detail);
    assert!(
        reject.detail.contains("`--encoding`") && reject.detail.ends_with("(line 1, column 13)")
    );
    check(&file, &said("windows-1252"), "city", &["Orléans", "München", "Pau"]);
}

#[test]
fn bytes_without_a_meaning_make_a_bad_row_in_every_encoding() {
    let mut file = encoded("{\"a\":1}\n{\"a\":\"?\"}\n{\"a\":3}\n", "utf-16le", true);
    let at = file.iter().position(|byte| *byte == b'?').unwrap();
    file[at..at + 2].copy_from_slice(&[0x00, 0xd8]);
    let decoded = check(&file, &plain(), "a", &["1", "3"]);
    let [reject] = decoded.rejects.as_slice() else { panic!("{decoded:?}") };
    assert_eq!((&reject.reason, reject.line), (&Reason::Encoding, Some(2)));
    assert_eq!(reject.detail, "there are bytes that are not UTF-16LE (line 2, column 7)");
    assert_eq!(reject.byte_offset, Some(18));
}

#[test]
fn lenient_reading_replaces_what_is_no_character_and_counts_it() {
    let lenient = FormatOptions { lenient: true, ..plain() };
    let rows: [&[u8]; 4] = [
        b"{\"a\":\"x\",\"b\":1}",
        b"{\"a\":\"y\xff\",\"b\":2}",
        b"{\"a\":[\"\\ud800\"],\"b\":3}",
        b"{\"a\":\"\\udc00\xfe\"}",
    ];
    let expected = ["x|1", "y\u{fffd}|2", "[\"\\ufffd\"]|3", "\u{fffd}\u{fffd}|~"];
    for (begin, between, end) in [("", "\n", "\n"), ("[", ",", "]"), ("{\"r\":[", ", ", "]}")] {
        let file = [begin.as_bytes(), &rows.join(between.as_bytes()), end.as_bytes()].concat();
        let records_path = begin.starts_with('{').then(|| "/r".to_owned());
        let options = FormatOptions { records_path, ..lenient.clone() };
        let decoded = check(&file, &options, "a|b", &expected);
        assert!(decoded.rejects.is_empty());
        let repairs: Vec<_> =
            decoded.repairs.iter().map(|it| (it.0, it.1, it.3.is_some())).collect();
        assert_eq!(repairs, [2, 3, 4].map(|row| (row, RepairKind::Replaced, false)));
        assert!(memchr::memmem::find(&decoded.places.bytes, rows[1]).is_some());
    }
    let arrays = b"[[1,\"\xff\"],[2],[\"\xff\",4,5]]";
    let decoded =
        check(arrays, &lenient, "column_1|column_2", &["1|\u{fffd}", "2|~", "\u{fffd}|4"]);
    let repairs: Vec<_> = decoded.repairs.iter().map(|it| (it.0, it.1)).collect();
    let expected = [
        (1, RepairKind::Replaced),
        (2, RepairKind::Padded),
        (3, RepairKind::Replaced),
        (3, RepairKind::Cut),
    ];
    assert_eq!(repairs, expected);
}

#[test]
fn lenient_reading_leaves_bad_what_is_more_than_a_bad_character() {
    let lenient = FormatOptions { lenient: true, ..plain() };
    let file = b"{\"\xff\":1,\"\xfe\":2}\n{\"a\":\"\xff\",\"a\":1}\n{\"a\":tru\xff}\n{\"a\":3}\n";
    let decoded = check(file, &lenient, "a", &["3"]);
    assert_eq!((decoded.rejects.len(), decoded.repairs.len()), (3, 0));
    assert_eq!(decoded.rejects[0].reason, Reason::Encoding);
}

#[test]
fn a_sample_says_what_the_encoding_is() {
    let sample = |file: &[u8], options: &FormatOptions| {
        let format = JsonFormat::new(options).unwrap();
        format.sample(&mut Chunks::new(file, 3), SampleLimits::default()).unwrap()
    };
    let found = sample(&encoded("[{\"a\":\"é\"}]", "utf-16le", true), &plain());
    assert_eq!(found.columns.options.encoding.as_deref(), Some("utf-16le"));
    assert_eq!(found.columns.options.name.as_deref(), Some("json"));
    assert_eq!(found.explanation[0], "the text is UTF-16LE, by its byte-order mark");
    let found = sample(b"{\"a\":1}\n{\"a\":2}\n", &said("windows-1252"));
    assert_eq!(found.columns.options.name.as_deref(), Some("jsonl"));
    assert_eq!(found.explanation[0], "the text is windows-1252, as was said");
}

#[test]
fn an_encoding_that_does_not_exist_is_refused() {
    let error = JsonFormat::new(&said("utf-9")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert_eq!(error.hint(), Some("did you mean `utf-8`?"));
}
