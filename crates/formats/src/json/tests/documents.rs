//! Documents: what is broken in them fails the file, with line and column;
//! what is wrong inside a sound element makes a bad row.

use decant_core::ErrorKind;
use decant_core::reject::Reason;
use decant_core::stream::FormatOptions;

use super::{check, plain, refusal};

#[test]
fn a_broken_document_is_refused_with_line_and_column() {
    for (file, message, line, byte) in [
        (
            "[{\"a\":1},\n {\"a\":2,}]",
            "a comma stands behind the last member (line 2, column 9)",
            2,
            18,
        ),
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
    assert!(refusal(&deep, &plain()).message().contains("nested more than 512 deep"));
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
fn rows_of_a_split_document_have_all_columns() {
    let file = r#"{"columns":["a","b"],"data":[[1,2],[3],[4,5,6],[7,8]]}"#;
    let decoded = check(file, &plain(), "a|b", &["1|2", "7|8"]);
    let details: Vec<&str> = decoded.rejects.iter().map(|reject| reject.detail.as_str()).collect();
    assert!(details[0].starts_with("the row has 1 values where the document has 2 columns"));
    assert!(details[1].starts_with("the row has 3 values where the document has 2 columns"));
    assert_eq!(decoded.rejects[0].reason, Reason::FieldCount);
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
