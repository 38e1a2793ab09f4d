//! Rows that are rejected by their structure, and where they say they are.

use super::{check, plain};
use decant_core::Reject;
use decant_core::reject::Reason;
use decant_core::stream::{FormatOptions, Mark};

fn place(reject: &Reject) -> (u64, u64, u64, Reason, &str) {
    let raw = std::str::from_utf8(&reject.raw).unwrap();
    (reject.ordinal, reject.line.unwrap(), reject.byte_offset.unwrap(), reject.reason.clone(), raw)
}

#[test]
fn ragged_rows_are_rejected_where_they_stand() {
    let file = "\u{feff}a,b\r\n1,2\r\n\"x\r\ny\",2\r\n3\r\n4,5,6\r\n7,8";
    let decoded = check(file, &plain(), &["1|2", "x\r\ny|2", "7|8"]);
    let places: Vec<_> = decoded.rejects.iter().map(place).collect();
    assert_eq!(
        places,
        [(3, 5, 23, Reason::FieldCount, "3"), (4, 6, 26, Reason::FieldCount, "4,5,6")]
    );
    assert_eq!(decoded.rejects[0].detail, "the row has 1 field where the file has 2 columns");
}

#[test]
fn a_stray_quote_costs_one_row() {
    let file = "a,b\n5\" pipe,1\n\"x\"y,2\n3,4\n";
    let decoded = check(file, &plain(), &["3|4"]);
    let places: Vec<_> = decoded.rejects.iter().map(place).collect();
    assert_eq!(
        places,
        [(1, 2, 4, Reason::Quote, "5\" pipe,1"), (2, 3, 14, Reason::Quote, "\"x\"y,2")]
    );
    assert_eq!(decoded.rejects[1].column.as_deref(), Some("a"));
}

#[test]
fn an_unclosed_quote_costs_the_line_on_which_it_opens() {
    let file = "a,b\n1,\"two\n3,4\n5,6\n";
    let decoded = check(file, &plain(), &["3|4", "5|6"]);
    assert_eq!(place(&decoded.rejects[0]), (1, 2, 4, Reason::Quote, "1,\"two"));
    assert!(decoded.rejects[0].detail.contains("never closed"));

    let file = "a,b\n\"1\n1\",\"two\n3,4\n5,\"six\"\n7,8\n";
    let decoded = check(file, &plain(), &["3|4", "5|six", "7|8"]);
    assert_eq!(place(&decoded.rejects[0]), (1, 2, 4, Reason::Quote, "\"1\n1\",\"two"));

    let decoded = check("a,b\n1,\"two", &plain(), &[]);
    assert_eq!(place(&decoded.rejects[0]), (1, 2, 4, Reason::Quote, "1,\"two"));
}

#[test]
fn a_quote_is_not_waited_for_beyond_the_longest_row() {
    let options = FormatOptions { record_bytes_max: Some(20), ..plain() };
    let file = "a,b\n1,\"two\n3,4\n5,6\n7,8\n9,10\n11,12\n13,\"\"\n";
    let expected = ["3|4", "5|6", "7|8", "9|10", "11|12", "13|"];
    let decoded = check(file, &options, &expected);
    assert_eq!(place(&decoded.rejects[0]), (1, 2, 4, Reason::Quote, "1,\"two"));
    assert!(decoded.rejects[0].detail.contains("within 20 bytes"));
}

#[test]
fn rows_that_are_too_long_are_passed_over_to_their_line_end() {
    let options = FormatOptions { record_bytes_max: Some(8), ..plain() };
    let long = "x".repeat(100);
    let file = format!("a,b\n1234,678\n1234,6789\n{long},2\r\n\"{long}\",2\r\n3,4\n{long}");
    let decoded = check(&file, &options, &["1234|678", "3|4"]);
    let lines: Vec<_> = decoded
        .rejects
        .iter()
        .map(|reject| (reject.ordinal, reject.line, reject.reason.clone()))
        .collect();
    let long = |ordinal, line| (ordinal, Some(line), Reason::TooLong);
    assert_eq!(lines, [long(2, 3), long(3, 4), long(4, 5), long(6, 7)]);
    assert_eq!(decoded.rejects[0].raw, b"1234,678");
    assert_eq!(decoded.rejects[3].byte_offset, Some(4 + 9 + 10 + 104 + 106 + 4));
}

#[test]
fn comments_and_skipped_lines_are_counted_as_lines_and_not_as_rows() {
    let options = FormatOptions {
        comment: Some(Mark::Byte(b'#')),
        skip_rows: Some(1),
        record_bytes_max: Some(8),
        ..plain()
    };
    let file = "title\n# a long comment\na,b\n\n#\n1\n# another long one\n2\n";
    let decoded = check(file, &options, &[]);
    let lines: Vec<_> =
        decoded.rejects.iter().map(|reject| (reject.ordinal, reject.line.unwrap())).collect();
    assert_eq!(lines, [(1, 6), (2, 8)]);
}

#[test]
fn bytes_that_are_not_utf_8_reject_their_row() {
    let file = b"a,b\n1,M\xfcnchen\n2,\"\xc3\"\n3,caf\xc3\xa9\n\xa9,4\n";
    let decoded = check(file, &plain(), &["3|café"]);
    let places: Vec<_> = decoded
        .rejects
        .iter()
        .map(|reject| (reject.ordinal, reject.line.unwrap(), reject.column.as_deref().unwrap()))
        .collect();
    assert_eq!(places, [(1, 2, "b"), (2, 3, "b"), (4, 5, "a")]);
    assert!(decoded.rejects.iter().all(|reject| reject.reason == Reason::Encoding));
    assert_eq!(decoded.rejects[0].raw, b"1,M\xfcnchen");
    assert!(decoded.rejects[0].detail.contains("byte 1 of it is 0xFC"));
}
