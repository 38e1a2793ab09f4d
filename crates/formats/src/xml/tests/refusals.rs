//! Documents that are refused, and rows that are rejected.

use decant_core::ErrorKind;
use decant_core::reject::Reason;
use decant_core::stream::FormatOptions;

use super::{check, plain, refusal, rows_of};

#[test]
fn a_document_that_is_not_well_formed_fails_with_line_and_column() {
    for (file, line, column, word) in [
        ("", 1, 1, "no element"),
        ("  \n ", 2, 2, "no element"),
        ("x<a/>", 1, 1, "`x` stands outside"),
        ("<a/>\nx", 2, 1, "`x` stands outside"),
        ("<a/><![CDATA[x]]>", 1, 5, "outside"),
        ("<a/><b/>", 1, 5, "second root"),
        ("</a>", 1, 1, "closes no element"),
        ("<d>\n <r/><r/>\n", 3, 1, "before `</d>`"),
        ("<d>\n <r/><r></r", 2, 12, "inside the row `<r>`"),
        ("<d><r/><r/></e>", 1, 12, "`</e>` stands where `</d>` is expected"),
        ("<d><r/>\n<r><b></c></r></d>", 2, 7, "`</c>` stands where `</b>` is expected"),
        ("<d><r/><r a=1/></d>", 1, 8, "value"),
        ("<d><r/><r>1 < 2</r></d>", 1, 13, "`&lt;`"),
        ("<d><r/><r/><!-- ", 1, 17, "inside markup"),
        ("<d><r/><r/><x", 1, 12, "inside a tag"),
        ("<d><r/><r/><", 1, 12, "inside markup"),
        ("<d><!DOCTYPE d><r/></d>", 1, 4, "`<!DOCTYPE`"),
        ("<!DOCTYPE d [", 1, 1, "document type"),
    ] {
        let error = refusal(file, &rows_of("r"));
        assert_eq!(error.kind(), ErrorKind::MalformedFile, "{file}");
        let message = error.to_string();
        assert!(message.contains(word), "{file}: {message}");
        let place = format!("(line {line}, column {column})");
        assert!(message.contains(&place), "{file}: {message}");
        assert_eq!(error.position().unwrap().line, Some(line), "{file}");
    }
}

#[test]
fn a_row_element_that_does_not_occur_is_an_error_that_names_those_that_do() {
    let file = "<x:shop><meta/><orders><order id='1'/><order id='2'/></orders></x:shop>";
    for row in ["item", "Order", "items/order", "order/orders"] {
        let error = refusal(file, &rows_of(row));
        assert_eq!(error.kind(), ErrorKind::MalformedFile);
        let expected = format!(
            "the document has no element `{row}`, which was said to be a row; it has `shop`, \
             `shop/meta`, `shop/orders`, `shop/orders/order`"
        );
        assert_eq!(error.message(), expected);
        assert!(error.hint().unwrap().contains("--row-element"));
    }
    let many = "<a><b/><c/><d/><e/><f/><g/></a>";
    assert!(refusal(many, &rows_of("r")).message().ends_with("`a/e`, `a/f`, …"));
}

#[test]
fn a_root_without_elements_has_no_rows() {
    for file in ["<orders/>", "<orders> </orders>", "<orders>none</orders>"] {
        check(file, &rows_of("order"), "", &[]);
    }
}

#[test]
fn entities_are_refused_by_name_and_never_expanded() {
    for (name, declaration) in [
        ("lol", "<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">"),
        ("xxe", "<!ENTITY xxe SYSTEM \"file:///etc/passwd\">"),
        ("p", "<!ELEMENT r ANY>\n<!ENTITY % p SYSTEM 'http://localhost/x.dtd'> %p;"),
    ] {
        let file = format!("<?xml version='1.0'?><!DOCTYPE r [{declaration}]><r>&lol2;</r>");
        let error = refusal(file, &plain());
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn a_row_that_is_wrong_but_ends_is_rejected_alone() {
    let rows = [
        "<r><a>1</a></r>",
        "<r><a>&nbsp;</a></r>",
        "<r><a>AT&T</a></r>",
        "<r><a>\u{b}</a></r>",
        "<r><a>2</a></r>",
    ];
    let file = format!("<d>\n{}\n</d>", rows.join("\n"));
    let decoded = check(file, &plain(), "a", &["1", "2"]);
    let rejects: Vec<_> = decoded
        .rejects
        .iter()
        .map(|reject| (reject.ordinal, reject.line.unwrap(), reject.raw.as_slice()))
        .collect();
    assert_eq!(
        rejects,
        [(2, 3, rows[1].as_bytes()), (3, 4, rows[2].as_bytes()), (4, 5, rows[3].as_bytes()),]
    );
    assert!(decoded.rejects.iter().all(|reject| reject.reason == Reason::Syntax));
    assert_eq!(decoded.rejects[0].detail, "there is no entity `&nbsp;` (line 3, column 7)");
}

#[test]
fn a_row_with_bytes_that_mean_nothing_is_rejected_alone() {
    let file = b"<d><r>\xc3\xbc</r><r>a\xffb</r><r>c</r></d>";
    let decoded = check(file, &plain(), "#text", &["ü", "c"]);
    let reject = &decoded.rejects[0];
    assert_eq!((&reject.reason, reject.ordinal), (&Reason::Encoding, 2));
    assert_eq!(reject.raw, b"<r>a\xffb</r>");
    assert!(reject.detail.contains("not UTF-8"), "{}", reject.detail);
}

#[test]
fn a_row_that_is_too_long_is_rejected_and_the_next_one_read() {
    let options = FormatOptions { record_bytes_max: Some(30), ..plain() };
    let long = format!("<r><a b='>'/><!-- </r> -->{}</r>", "x".repeat(3000));
    let tag = format!("<r a='{}'/>", "y".repeat(3000));
    let file = format!("<d>\n<r><a>1</a></r>\n{long}\n<r><a>2</a></r>{tag}<r><a>3</a></r></d>");
    let decoded = check(&file, &options, "a", &["1", "2", "3"]);
    let found: Vec<_> = decoded.rejects.iter().map(|it| (it.ordinal, it.line)).collect();
    assert_eq!(found, [(2, Some(3)), (4, Some(4))]);
    assert!(decoded.rejects.iter().all(|reject| reject.reason == Reason::TooLong));
    assert_eq!(decoded.rejects[0].raw, long.as_bytes()[..30]);
    assert_eq!(decoded.places.ordinals, [1, 3, 5]);
    let exactly = FormatOptions { record_bytes_max: Some(15), ..plain() };
    check("<d><r><a>1</a></r><r><a>22</a></r></d>", &exactly, "a", &["1"]);
    let cut = format!("<d><r/><r>{}", "x".repeat(3000));
    assert!(refusal(cut, &options).to_string().contains("ends inside a row"));
}

#[test]
fn a_tag_around_rows_is_bounded_too() {
    let options = FormatOptions { record_bytes_max: Some(30), ..rows_of("r") };
    let file = format!("<d a='{}'><r/></d>", "x".repeat(3000));
    assert!(refusal(file, &options).to_string().contains("record_bytes_max"));
    let deep = "<d>".repeat(600);
    assert!(refusal(deep, &options).to_string().contains("nested"));
}
