//! JSON lines: a malformed line is a reject, and reading goes on behind it.

use decant_core::reject::Reason;
use decant_core::stream::FormatOptions;

use super::super::JsonFormat;
use super::{check, decode, decode_with, named, plain, text};

#[test]
fn a_malformed_line_is_rejected_and_the_next_one_read() {
    for (line, reason, detail) in [
        ("{\"a\":1,}", Reason::Syntax, "a comma stands behind the last member (line 2, column 8)"),
        ("{\"a\":NaN}", Reason::Syntax, "`NaN` is no JSON value (line 2, column 6)"),
        ("{\"a\":\"ü\"} x", Reason::Syntax, "`x` stands behind the value (line 2, column 11)"),
        (
            "{\"a\":\"x",
            Reason::Syntax,
            "the character `\\n` stands unescaped in a string (line 2, column 8)",
        ),
        ("{\"a\":1", Reason::Syntax, "`{` stands where `,` or `}` is expected (line 3, column 1)"),
        ("oops", Reason::Syntax, "`oops` is no JSON value (line 2, column 1)"),
        ("{\"a\":1,\"a\":2}", Reason::Syntax, "the key `\"a\"` is repeated (line 2, column 8)"),
        (
            "{\"b\":{\"c\":1,\"c\":2}}",
            Reason::Syntax,
            "the key `\"c\"` is repeated (line 2, column 13)",
        ),
        (
            "{\"a\":\"\\ud800\"}",
            Reason::Syntax,
            "`\\ud800` is half of a pair of surrogates (line 2, column 7)",
        ),
    ] {
        let file = format!("{{\"a\":0}}\r\n{line}\r\n{{\"a\":2}}\r\n").replace("\"x\r\n", "\"x\n");
        let decoded = check(&file, &plain(), "a", &["0", "2"]);
        let [reject] = decoded.rejects.as_slice() else { panic!("{line}: {decoded:?}") };
        assert_eq!((reject.ordinal, reject.line, reject.byte_offset), (2, Some(2), Some(9)));
        assert_eq!((&reject.reason, reject.detail.as_str()), (&reason, detail), "{line}");
        assert_eq!(reject.raw, line.as_bytes());
        assert_eq!(decoded.places.ordinals, [1, 3]);
        assert_eq!(decoded.places.lines, [1, 3]);
    }
}

#[test]
fn bytes_that_are_not_utf_8_make_a_bad_line() {
    let decoded =
        check(b"{\"a\":\"x\"}\n{\"a\":\"\xff\"}\n{\"a\":\"y\"}", &plain(), "a", &["x", "y"]);
    assert_eq!(decoded.rejects[0].reason, Reason::Encoding);
    assert_eq!(decoded.rejects[0].raw, b"{\"a\":\"\xff\"}");
}

#[test]
fn a_first_line_that_is_broken_does_not_hide_the_lines() {
    let decoded = check("{\"a\":1\n{\"a\":2}\n{\"a\":3}\n", &plain(), "a", &["2", "3"]);
    assert_eq!(decoded.rejects[0].line, Some(1));
    let decoded = check("oops\n{\"a\":2}\n", &named("jsonl"), "a", &["2"]);
    assert_eq!(decoded.rejects.len(), 1);
    let called_lines = JsonFormat::lines(&plain()).unwrap();
    let decoded = decode_with(b"oops", called_lines, &text, (64, 64)).unwrap();
    assert_eq!((decoded.rows_read, decoded.rejects.len()), (1, 1));
}

#[test]
fn lines_that_are_called_so_may_be_a_document_all_the_same() {
    let called_lines = || JsonFormat::lines(&plain()).unwrap();
    let decoded = decode_with(b"[\n{\"a\":1},\n{\"a\":2}\n]", called_lines(), &text, (64, 64));
    assert_eq!(decoded.unwrap().rows.len(), 2);
    assert_eq!(decode_with(b"", called_lines(), &text, (64, 64)).unwrap().rows_read, 0);
}

#[test]
fn a_value_over_several_lines_is_a_row_among_lines() {
    let file = "{\"a\":1}\n{\n  \"a\": 2\n}\n{\"a\":\n";
    let decoded = check(file, &plain(), "a", &["1", "2"]);
    assert_eq!(decoded.rejects.len(), 1);
    assert_eq!(decoded.rejects[0].line, Some(5));
    assert_eq!(decoded.rejects[0].raw, b"{\"a\":");
}

#[test]
fn a_line_that_is_too_long_is_rejected_with_its_beginning() {
    let limited = FormatOptions { record_bytes_max: Some(40), ..plain() };
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(100));
    let file = format!("{{\"a\":1}}\n{long}\n{{\"a\":2}}\n");
    let decoded = check(&file, &limited, "a", &["1", "2"]);
    let [reject] = decoded.rejects.as_slice() else { panic!("{decoded:?}") };
    assert_eq!(reject.reason, Reason::TooLong);
    assert_eq!(reject.raw, &long.as_bytes()[..40]);
    assert_eq!(reject.line, Some(2));
}

#[test]
fn the_rejects_of_a_file_can_be_read_again() {
    let decoded = decode("[{\"a\":1},\n {\"a\":\n \"\\ud800\"}, {\"a\":3}]", &plain());
    let mended =
        String::from_utf8(decoded.rejects[0].raw.clone()).unwrap().replace("ud800", "u00e9");
    let mended = format!("{mended}\n{mended}\n");
    check(&mended, &decoded.columns.options, "a", &["é", "é"]);
}

#[test]
fn many_lines_are_read_in_blocks() {
    let file: String =
        (0..100_000).map(|row| format!("{{\"id\":{row},\"name\":\"name {row}\"}}\n")).collect();
    let format = JsonFormat::new(&plain()).unwrap();
    let decoded = decode_with(file.as_bytes(), format, &text, (1 << 20, 100_000)).unwrap();
    assert_eq!(decoded.rows.len(), 100_000);
    assert_eq!(decoded.rows[77_777], [Some("77777".into()), Some("name 77777".to_owned())]);
    assert_eq!(decoded.bytes, file.len() as u64);
    assert_eq!(decoded.places.lines[77_777], 77_778);
}

#[test]
fn a_number_that_a_chunk_cuts_is_read_to_its_end() {
    let numbers = ["1e40", "12.5E-10", "-0.25", "1000000", "3e400"];
    let lines = numbers.join("\n");
    check(&lines, &named("jsonl"), "value", &numbers);
    let around = format!("{{\"meta\":[{}],\"rows\":[{{\"a\":1}}],\"x\":3e400}}", numbers.join(","));
    let pointed = FormatOptions { records_path: Some("/rows".into()), ..plain() };
    check(&around, &pointed, "a", &["1"]);
}
