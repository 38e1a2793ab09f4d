//! Keys that come twice: what one of them says would be lost.

use decant_core::reject::Reason;
use decant_core::stream::{Flatten, FormatOptions};

use super::{check, decode, named, plain};

#[test]
fn a_row_with_a_repeated_key_is_rejected_whatever_its_shape() {
    let flat =
        FormatOptions { flatten: Some(Flatten { depth: 2, separator: "_".into() }), ..plain() };
    for (file, options, key, column) in [
        (r#"{"a":1,"b":{"x":1,"x":2}}"#, plain(), "x", 19),
        (r#"{"a":1,"b":{"x":1,"x":2}}"#, flat.clone(), "x", 19),
        (r#"{"a":1,"b":[{"x":[{"y":1,"y":2}]}]}"#, plain(), "y", 26),
        (r#"[{"a":1,"a":2}]"#, plain(), "a", 9),
        (r#"[{"a":1,"\u0061":2}]"#, plain(), "\\u0061", 9),
        (r#"[{"a":1,"a":1}]"#, named("json"), "a", 9),
        (r#"[{"b":{"c":{"a":1,"a":2}}}]"#, flat, "a", 19),
        ("{\"a\":1,\"a\":2}\n", named("jsonl"), "a", 8),
        (r#"{"r":{"a":1,"a":2}}"#, named("json-index"), "a", 13),
    ] {
        let decoded = decode(file, &options);
        let [reject] = decoded.rejects.as_slice() else { panic!("{file}: {decoded:?}") };
        assert_eq!((decoded.rows_read, reject.line), (1, Some(1)), "{file}");
        assert_eq!(reject.reason, Reason::Syntax, "{file}");
        let detail = format!("the key `\"{key}\"` is repeated (line 1, column {column})");
        assert_eq!(reject.detail, detail, "{file}");
    }
}

#[test]
fn a_row_of_many_keys_is_searched_too() {
    let keys: Vec<String> = (0..100).map(|key| format!("\"k{key}\":{key}")).collect();
    let file = format!("{{{},\"k42\":0}}", keys.join(","));
    assert_eq!(decode(format!("[{file}]"), &plain()).rejects.len(), 1);
    let file = format!("[{{{}}},{file}]", keys.join(","));
    let decoded = decode(&file, &plain());
    assert_eq!((decoded.rows.len(), decoded.rejects.len()), (1, 1));
}

#[test]
fn a_document_that_is_one_row_is_its_own_header() {
    for (file, columns) in [
        (r#"{"a":1,"a":2}"#, &["a", "a_2"][..]),
        (r#"{"a":1,"\u0061":2,"a":3}"#, &["a", "a_2", "a_3"]),
        (r#"{"a":1,"a":1}"#, &["a", "a_2"]),
    ] {
        let decoded = decode(file, &plain());
        assert_eq!(
            (
                decoded.columns.names.iter().map(String::as_str).collect::<Vec<_>>(),
                decoded.rows.len()
            ),
            (columns.to_vec(), 1),
            "{file}"
        );
    }
}

#[test]
fn one_key_at_different_depths_is_not_repeated() {
    check(
        r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}"#,
        &plain(),
        "a|b",
        &[r#"{"a":{"a":1}}|[{"a":1},{"a":2}]"#],
    );
}
