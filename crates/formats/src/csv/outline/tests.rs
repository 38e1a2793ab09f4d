//! The outline against the walk: row by row, byte by byte.

use decant_core::stream::{FormatOptions, Mark};
use proptest::prelude::*;

use super::*;
use crate::csv::stretch::Stretch;
use crate::csv::walk::Found;

fn dialect(quote: Mark, row_bytes_max: usize) -> Dialect {
    let options = FormatOptions {
        quote: Some(quote),
        record_bytes_max: Some(row_bytes_max),
        ..FormatOptions::default()
    };
    Dialect::new(b',', &options).unwrap()
}

/// Takes what the outline takes, and the next row by the walk, to the end.
/// Answers how many rows the outline took and how many it should have.
fn compare(
    bytes: &[u8],
    columns: usize,
    dialect: &Dialect,
    ended: bool,
    lanes: Lanes,
) -> [usize; 2] {
    let block = Block { bytes, ended };
    let mut outline = Outline { lanes, ..Outline::new(dialect, GROUP_BYTES).unwrap() };
    let (mut walked, mut stretch) = (Stretch::new(dialect, 64), Stretch::new(dialect, 64));
    let mut index = Index::default();
    index.begin(columns, 1, 1);
    let (mut start, mut line, mut taken, mut expected) = (0, 1, 0, 0);
    loop {
        let (first_row, first_end) = (index.rows.len(), index.ends.len());
        let passed = outline.take(block, start, 3, (1, line), &mut index);
        assert_eq!(index.rows.len() - first_row, passed.rows);
        let mut walked_ends = Vec::new();
        for row in &index.rows[first_row..] {
            assert_eq!((row.start as usize, u64::from(row.line) + 1), (start, line));
            let Found::Row(extent) = walked.line(bytes, ended, start, &mut walked_ends) else {
                panic!("no row at {start} of {:?}", String::from_utf8_lossy(bytes));
            };
            (start, line) = (extent.next, line + u64::from(extent.lines));
        }
        assert_eq!(index.ends[first_end..], walked_ends);
        assert_eq!(passed.next, start);
        taken += passed.rows;
        expected += passed.rows;
        if passed.rows == 3 {
            continue;
        }
        let mut ends = Vec::new();
        let found = stretch.line(bytes, ended, start, &mut ends);
        let Some(extent) = found.extent() else { return [taken, expected] };
        let is_good = matches!(found, Found::Row(_)) && ends.len() == columns;
        expected += usize::from(is_good && extent.next < bytes.len());
        (start, line) = (extent.next, line + u64::from(extent.lines));
        if found.goes_on() {
            return [taken, expected];
        }
    }
}

proptest! {
    #[test]
    fn rows_are_those_of_the_walk(
        text in prop_oneof![
            "[ab,\"\r\n]{0,200}",
            "((a|b,|,|\"\"|\"[ab,\r\n]{0,9}\"|\"a\"\"b\"){1,3}(\n|\r\n|\r)){0,60}",
            "((a{0,70}|\"[ab,\n]{0,150}\"),(a|\"\")(\n|\r\n)){0,20}",
        ],
        columns in 1_usize..4,
        quote in prop_oneof![3 => Just(Mark::Byte(b'"')), 1 => Just(Mark::Off)],
        row_bytes_max in prop_oneof![Just(1 << 20), 1_usize..100],
        ended: bool,
    ) {
        for lanes in Lanes::all() {
            let dialect = dialect(quote, row_bytes_max);
            let [taken, expected] = compare(text.as_bytes(), columns, &dialect, ended, lanes);
            prop_assert_eq!(taken, expected);
        }
    }
}

#[test]
fn unusual_dialects_have_no_outline() {
    let usual = dialect(Mark::Byte(b'"'), 100);
    assert!(Outline::new(&usual, 64).is_some());
    let escaped = Dialect { escape: Some(b'\\'), ..usual.clone() };
    let commented = Dialect { comment: Some(b'#'), ..usual.clone() };
    let widths = Dialect { widths: Some(vec![1]), ..usual };
    for dialect in [escaped, commented, widths] {
        assert!(Outline::new(&dialect, 64).is_none());
    }
}

#[test]
fn a_row_longer_than_a_stride_is_found() {
    let long = format!("{},\"{}\"\n1,2\n", "a".repeat(10_000), "b\n".repeat(20_000));
    let dialect = dialect(Mark::Byte(b'"'), 1 << 20);
    assert_eq!(compare(long.as_bytes(), 2, &dialect, false, Lanes::best()), [2, 2]);
}
