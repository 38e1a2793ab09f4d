//! Documents: what is broken in them fails the file, with line and column;
//! what is wrong inside a sound element makes a bad row.

use decant_core::ErrorKind;
use decant_core::format::{RepairKind, Target};
use decant_core::reject::Reason;
use decant_core::schema::ColumnType;
use decant_core::stream::{FormatOptions, Header};

use super::{check, plain, refusal};

#[test]
fn a_broken_document_is_refused_with_line_and_column() {
    for (file, message, line, byte) in [
        ("[1,\n2,]", "a comma stands behind the last member (line 2, column 3)", 2, 6),
        (
            "[{\"é\":1} {\"a\":2}]",
            "`{` stands where `,` or `]` is expected (line 1, column 10)",
            1,
            10,
        ),
        ("[1,\n\n", "the text ends inside a value (line 3, column 1)", 3, 5),
        ("{\n \"a\": Infinity\n}", "`Infinity` is no JSON value (line 2, column 7)", 2, 8),
        ("[1] [2]", "`[` stands behind the value (line 1, column 5)", 1, 4),
        ("{\"a\":1}}", "`}` stands behind the value (line 1, column 8)", 1, 7),
        ("{\"a\":1} // x", "`/` stands behind the value (line 1, column 9)", 1, 8),
        ("[1, // x\n2]", "JSON has no comments (line 1, column 5)", 1, 4),
    ] {
        let error = refusal(file, &plain());
        assert_eq!((error.kind(), error.message()), (ErrorKind::MalformedFile, message), "{file}");
        let position = error.position().unwrap();
        assert_eq!((position.line, position.byte), (Some(line), Some(byte)), "{file}");
    }
}

#[test]
fn nesting_has_a_bound() {
    let deep = format!("{}{}", "[".repeat(600), "]".repeat(600));
    let decoded = check(&deep, &plain(), "", &[]);
    assert!(decoded.rejects[0].detail.starts_with("values are nested more than 512 deep"));
    assert!(refusal("[".repeat(600), &plain()).message().contains("nested more than 512 deep"));
    let fine = format!("{}{}", "[".repeat(500), "]".repeat(500));
    check(&fine, &plain(), "column_1", &[&fine[2..998]]);
}

#[test]
fn elements_that_are_sound_but_wrong_are_rejected() {
    let file = b"[{\"a\":1},\n{\"a\":1,\"a\":2},{\"a\":\"\\udc00\"},\n{\"a\":\"\xff\"},{\"b\":2}]";
    let decoded = check(file, &plain(), "a|b", &["1|~", "~|2"]);
    let rejects: Vec<(u64, u64, &Reason)> = decoded
        .rejects
        .iter()
        .map(|reject| (reject.ordinal, reject.line.unwrap(), &reject.reason))
        .collect();
    assert_eq!(
        rejects,
        [(2, 2, &Reason::Syntax), (3, 2, &Reason::Syntax), (4, 3, &Reason::Encoding)]
    );
    assert_eq!(decoded.rejects[0].raw, b"{\"a\":1,\"a\":2}");
}

#[test]
fn a_broken_element_is_rejected_and_the_next_one_read() {
    for (element, detail) in [
        ("{\"a\":NaN}", "`NaN` is no JSON value (line 2, column 7)"),
        ("{\"a\":2,}", "a comma stands behind the last member (line 2, column 9)"),
        ("{\"a\" 2}", "`2` stands where `:` is expected (line 2, column 7)"),
        ("{a: [}{]}", ""),
        ("{\"a\":[2}]", ""),
        ("{'a': 2}", "`'` stands where a key in double quotes is expected (line 2, column 3)"),
        ("{\"a\":\"x\ty\"}", "the character `\\t` stands unescaped in a string (line 2, column 9)"),
        ("{\"a\":\"\\x,]\"}", "`\\x` is no escape (line 2, column 8)"),
        ("+2", ""),
        ("NaN", ""),
    ] {
        let file = format!("[{{\"a\":1}},\n {element} ,\n {{\"a\":3}}]");
        if detail.is_empty() {
            assert_eq!(refusal(&file, &plain()).kind(), ErrorKind::MalformedFile, "{file}");
            continue;
        }
        let decoded = check(&file, &plain(), "a", &["1", "3"]);
        let [reject] = decoded.rejects.as_slice() else { panic!("{file}: {decoded:?}") };
        assert_eq!((reject.ordinal, reject.line, reject.byte_offset), (2, Some(2), Some(11)));
        assert_eq!((&reject.reason, reject.detail.as_str()), (&Reason::Syntax, detail));
        assert_eq!(reject.raw, element.as_bytes());
        assert_eq!(decoded.places.ordinals, [1, 3]);
    }
}

#[test]
fn broken_rows_are_rejected_first_last_and_by_name() {
    let decoded = check("[\n{\"a\":NaN},\n{\"a\":2},\n{\"a\":,}\n]", &plain(), "a", &["2"]);
    assert_eq!(decoded.rejects.len(), 2);
    let decoded = check("[{\"a\":NaN}]", &plain(), "", &[]);
    assert_eq!(decoded.rejects.len(), 1);
    let named_rows = r#"{"r":{"a":1},"s":{"a":NaN},"t":{"a":3}}"#;
    let decoded = check(named_rows, &super::named("json-index"), "index|a", &["r|1", "t|3"]);
    assert_eq!((decoded.rejects[0].ordinal, &decoded.rejects[0].raw[..]), (2, &b"{\"a\":NaN}"[..]));
    let split = r#"{"columns":["a"],"index":["r","s","t"],"data":[[1],[NaN],[3]]}"#;
    check(split, &plain(), "index|a", &["r|1", "t|3"]);
}

#[test]
fn where_a_broken_element_ends_cannot_always_be_told() {
    for file in [
        "[{\"a\":1},{\"a\":\"x},{\"a\":\"y\"},{\"a\":4}]",
        "[{\"a\":1},{\"a\":\"x},{\"a\":\"y\"},{\"a\":\"z}]",
        "[{\"a\":1},{\"a\":[2},{\"a\":3}]",
        "[{\"a\":1},,{\"a\":3}]",
        "[{\"a\":1},{\"a\":NaN} {\"a\":3}]",
        "[{\"a\":1},{\"a\":2",
    ] {
        assert_eq!(refusal(file, &plain()).kind(), ErrorKind::MalformedFile, "{file}");
    }
}

/// Rows of several lengths in each shape that has arrays for rows, and the
/// names of their columns.
fn ragged() -> [(&'static str, FormatOptions, &'static str); 4] {
    let header = FormatOptions { header: Some(Header::Rows(1)), ..plain() };
    [
        (r#"{"columns":["a","b"],"data":[[1,2],[3],[4,5,6],[],[7,8]]}"#, plain(), "a|b"),
        (r#"[["a","b"],[1,2],[3],[4,5,6],[],[7,8]]"#, header, "a|b"),
        ("[[1,2],[3],[4,5,6],[],[7,8]]", plain(), "column_1|column_2"),
        ("[1,2]\n[3]\n[4,5,6]\n[]\n[7,8]\n", plain(), "column_1|column_2"),
    ]
}

#[test]
fn arrays_of_another_length_than_the_first_are_rejected() {
    for (file, options, names) in ragged() {
        let decoded = check(file, &options, names, &["1|2", "7|8"]);
        let rejects: Vec<(u64, &Reason, &[u8])> = decoded
            .rejects
            .iter()
            .map(|reject| (reject.ordinal, &reject.reason, reject.raw.as_slice()))
            .collect();
        let reason = &Reason::FieldCount;
        let expected: [(u64, &Reason, &[u8]); 3] =
            [(2, reason, b"[3]"), (3, reason, b"[4,5,6]"), (4, reason, b"[]")];
        assert_eq!(rejects, expected, "{file}");
        let detail = &decoded.rejects[0].detail;
        assert!(detail.starts_with("the row has 1 value where the file has 2 columns"), "{detail}");
    }
}

#[test]
fn lenient_reading_pads_and_cuts_arrays() {
    for (file, options, names) in ragged() {
        let lenient = FormatOptions { lenient: true, ..options };
        let rows = ["1|2", "3|~", "4|5", "~|~", "7|8"];
        let decoded = check(file, &lenient, names, &rows);
        let repairs: Vec<(u64, RepairKind, &[String])> =
            decoded.repairs.iter().map(|(row, kind, cut, _)| (*row, *kind, &cut[..])).collect();
        let expected: [(u64, RepairKind, &[String]); 3] = [
            (2, RepairKind::Padded, &[]),
            (3, RepairKind::Cut, &["6".to_owned()]),
            (4, RepairKind::Padded, &[]),
        ];
        assert_eq!(repairs, expected, "{file}");
        let kept = decoded.repairs[1].3.as_ref().unwrap();
        assert_eq!(
            (kept.ordinal, &kept.reason, &kept.raw[..]),
            (3, &Reason::Repaired, &b"[4,5,6]"[..])
        );
        assert_eq!(kept.detail, "the row was too long; cut off: `6`");
        assert!(decoded.rejects.is_empty() && decoded.repairs[0].3.is_none());
    }
}

#[test]
fn repairs_are_told_by_the_rows_that_stay() {
    let target = |_: &str| Some(Target::new(ColumnType::Int64, true));
    let lenient = FormatOptions { lenient: true, ..plain() };
    let format = super::JsonFormat::new(&lenient).unwrap();
    let file = br#"[[1,2],["x",3],[4],["y",5,6],[7,8,9]]"#;
    let decoded = super::decode_with(file, format, &target, (1 << 20, 64)).unwrap();
    assert_eq!(decoded.rejects.len(), 2);
    let repairs: Vec<u64> = decoded.repairs.iter().map(|(ordinal, ..)| *ordinal).collect();
    assert_eq!(repairs, [3, 5]);
}

#[test]
fn an_element_that_is_too_long_is_rejected_and_passed_over() {
    let limited = FormatOptions { record_bytes_max: Some(30), ..plain() };
    let long = format!("{{\"a\":[\"{}\", {{}}]}}", "]} ".repeat(8));
    let file = format!("[{{\"a\":1}},\n{long}, {{\"a\":2}}]");
    let decoded = check(&file, &limited, "a", &["1", "2"]);
    assert_eq!(decoded.rejects[0].reason, Reason::TooLong);
    assert_eq!(decoded.rejects[0].line, Some(2));
    assert_eq!(decoded.rejects[0].raw, &long.as_bytes()[..30]);
}

#[test]
fn a_document_larger_than_a_row_says_where_its_rows_may_be() {
    let limited = FormatOptions { record_bytes_max: Some(50), ..plain() };
    let rows = "{\"a\":1},".repeat(20);
    let file = format!("{{\"n\":1,\"items\":[{}]}}", rows.trim_end_matches(','));
    let error = refusal(&file, &limited);
    assert!(error.hint().unwrap().contains("records_path: /items"), "{error:?}");
}

#[test]
fn long_white_space_is_not_kept() {
    let space = " ".repeat(5 << 20);
    let file = format!("{space}[{space}1{space},{space}2{space}]{space}");
    let format = super::JsonFormat::new(&plain()).unwrap();
    let decoded =
        super::decode_with(file.as_bytes(), format, &super::text, (1 << 20, 1 << 16)).unwrap();
    assert_eq!(decoded.rows.len(), 2);
}
