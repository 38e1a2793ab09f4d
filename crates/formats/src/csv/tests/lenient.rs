//! Lenient reading: what is repaired, what is said of it, and what stays bad.

use decant_core::format::RepairKind::{self, *};
use decant_core::reject::Reason;
use decant_core::stream::FormatOptions;
use proptest::prelude::*;

use super::{Decoded, check, decode, plain};

fn lenient() -> FormatOptions {
    FormatOptions { lenient: true, ..plain() }
}

fn kinds(decoded: &Decoded) -> Vec<(u64, RepairKind)> {
    decoded.repairs.iter().map(|(ordinal, kind, ..)| (*ordinal, *kind)).collect()
}

#[test]
fn ragged_rows_are_padded_or_cut_and_what_is_cut_is_kept() {
    let file = "a,b\n1,2\n3\n4,5,\"six, 6\",\n7,8\n";
    let decoded = check(file, &lenient(), &["1|2", "3|~", "4|5", "7|8"]);
    assert_eq!(kinds(&decoded), [(2, Padded), (3, Cut)]);
    let (_, _, cut, kept) = &decoded.repairs[1];
    assert_eq!(cut, &["six, 6", ""]);
    let kept = kept.as_ref().unwrap();
    assert_eq!((kept.reason.clone(), kept.ordinal, kept.line), (Reason::Repaired, 3, Some(4)));
    assert_eq!(kept.raw, b"4,5,\"six, 6\",");
    assert_eq!(kept.byte_offset, Some(10));
    assert_eq!(decoded.places[2], (3, 4, 10, "4,5,\"six, 6\",".to_owned()));
    assert_eq!(decoded.places[3].2, 24);
}

#[test]
fn quotes_that_break_the_rules_are_data_or_closed() {
    let file = "a,b\n5\" pipe,1\n\"x\"y,2\n3,\"four\n5,6\n";
    let expected = ["5\" pipe|1", "\"x\"y|2", "3|four", "5|6"];
    let decoded = check(file, &lenient(), &expected);
    assert_eq!(kinds(&decoded), [(1, StrayQuote), (2, StrayQuote), (3, ClosedQuote)]);
}

#[test]
fn legal_fields_of_several_lines_are_left_alone() {
    let file = "a,b\n\"1\n2\",x\n3,\"\"\"y\"\"\n\"\n";
    let decoded = check(file, &lenient(), &["1\n2|x", "3|\"y\"\n"]);
    assert_eq!(decoded.repairs, []);
}

#[test]
fn what_has_no_clear_repair_is_still_rejected() {
    let decoded = check("a,b,c\n1,\"two,3,4\n5,6,7\n", &lenient(), &["5|6|7"]);
    assert_eq!(decoded.rejects[0].reason, Reason::Quote);
    let long = "x".repeat(50);
    let options = FormatOptions { record_bytes_max: Some(20), ..lenient() };
    let decoded = check(format!("a,b\n{long},1\n2,3\n"), &options, &["2|3"]);
    assert_eq!(decoded.rejects[0].reason, Reason::TooLong);
}

#[test]
fn bytes_without_a_meaning_are_replaced_and_counted() {
    let options = FormatOptions { encoding: Some("utf-8".into()), ..lenient() };
    let decoded =
        check(b"a,b\n1,\xff\n2,x\xfey\n3,z\n", &options, &["1|\u{fffd}", "2|x\u{fffd}y", "3|z"]);
    assert_eq!(kinds(&decoded), [(1, Replaced), (2, Replaced)]);
    let decoded = check(b"a,b\n\xff\n", &options, &["\u{fffd}|~"]);
    assert_eq!(kinds(&decoded), [(1, Replaced), (1, Padded)]);
}

#[test]
fn a_header_that_breaks_the_rules_still_names_the_columns() {
    let decoded = check("size 5\",\"b\n1,2\n", &lenient(), &["1|2"]);
    assert_eq!(decoded.names(), ["size 5\"", "\"b"]);
}

#[test]
fn padding_is_null_where_null_has_a_word() {
    let options = FormatOptions { null_values: Some(vec!["NA".into()]), ..lenient() };
    check("a,b\n1\n2,\n", &options, &["1|~", "2|"]);
}

proptest! {
    #[test]
    fn whatever_the_bytes_are_rows_are_whole_and_counted(body in "[ab,,\"\"\\\\\r\n\n]{0,60}") {
        let strict = decode(format!("a,b\n1,2\n{body}"), &plain());
        let loose = decode(format!("a,b\n1,2\n{body}"), &lenient());
        prop_assert_eq!(strict.rows_read, loose.rows_read);
        prop_assert!(loose.rejects.len() <= strict.rejects.len());
        let good: Vec<_> = strict.rows();
        let repaired = loose.rows();
        prop_assert!(good.iter().all(|row| repaired.contains(row)));
    }
}
