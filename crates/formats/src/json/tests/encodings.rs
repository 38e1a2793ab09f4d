//! JSON in other encodings than UTF-8.

use decant_core::ErrorKind;
use decant_core::format::{Format, SampleLimits};
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
