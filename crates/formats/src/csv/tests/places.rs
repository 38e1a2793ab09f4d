//! Where rows stand, values that are rescued, headers of several rows and
//! footers.

use decant_core::ErrorKind;
use decant_core::format::{OnMisfit, Target};
use decant_core::reject::Reason;
use decant_core::schema::ColumnType;
use decant_core::stream::{FormatOptions, Header};

use super::super::CsvFormat;
use super::{Decoded, check, decode, decode_with, exact, plain};

#[test]
fn good_rows_say_where_they_stand() {
    let file = "\u{feff}id,name\r\n1,a\r\n\r\n\"2\",\"x\r\ny\"\r\nbad\r\n3,c";
    let decoded = decode(file, &plain());
    let place = |ordinal, line, byte, raw: &str| (ordinal, line, byte, raw.to_owned());
    assert_eq!(
        decoded.places,
        [place(1, 2, 12, "1,a"), place(2, 4, 19, "\"2\",\"x\r\ny\""), place(4, 7, 36, "3,c"),]
    );
}

#[test]
fn values_that_do_not_fit_are_rescued_where_that_is_wanted() {
    let target = |column: usize| {
        let misfit = if column == 1 { OnMisfit::Rescue } else { OnMisfit::Reject };
        let column_type = if column == 2 { ColumnType::Text } else { ColumnType::Int64 };
        Some(Target { misfit, ..Target::new(column_type, true) })
    };
    let file = b"id,n,t\n1,2,x\n2,\"a \"\"b\"\"\",y\nz,c,d\n4,\xff,e\n5,,f\n6,g,h\n";
    let options = FormatOptions { encoding: Some("utf-8".into()), ..plain() };
    for sizes in [(1 << 20, 1 << 20), (1, 1), (8, 3)] {
        let decoded = decode_with(file, &options, &target, sizes).unwrap();
        let rescued = |ordinal, value: &str| (ordinal, 1, value.to_owned());
        assert_eq!(decoded.rescued, [rescued(2, r#""a \"b\"""#), rescued(6, "\"g\"")]);
        let rejects: Vec<_> =
            decoded.rejects.iter().map(|reject| (reject.ordinal, reject.reason.clone())).collect();
        assert_eq!(rejects, [(3, Reason::Type), (4, Reason::Encoding)]);
        let nulls: usize = decoded.arrays.iter().map(|batch| batch[1].null_count()).sum();
        assert_eq!(nulls, 3);
    }
}

#[test]
fn several_rows_can_name_the_columns() {
    let options = FormatOptions { header: Some(Header::Rows(2)), ..plain() };
    let decoded = check("a,,c\nx,y\n1,2,3\n", &options, &["1|2|3"]);
    assert_eq!(decoded.names(), ["a_x", "a_y", "c"]);
    assert!(decode("a,b\n", &options).arrays.is_empty());
    let seen = check(
        "name,age,height\n,years,cm\nbob,3,100\neve,4,110\nann,5,120\n",
        &plain(),
        &["bob|3|100", "eve|4|110", "ann|5|120"],
    );
    assert_eq!(seen.names(), ["name", "age_years", "height_cm"]);
}

#[test]
fn the_last_rows_are_left_out_where_that_is_asked_for() {
    let options = |rows| FormatOptions { skip_footer: Some(rows), ..plain() };
    let file = "a,b\n1,2\n3\n4,5\nTotal\nend,\n";
    let decoded = check(file, &options(2), &["1|2", "4|5"]);
    assert_eq!((decoded.rows_read, decoded.rejects.len()), (3, 1));
    assert_eq!(decoded.bytes, file.len() as u64);
    assert_eq!(check(file, &options(5), &[]).rows_read, 0);
    assert_eq!(check(file, &options(50), &[]).rows_read, 0);
    assert_eq!(check(file, &options(0), &["1|2", "4|5", "end|~"]).rejects.len(), 2);
    let many: String = (0..40_000).map(|row| format!("{row},x\n")).collect();
    let many = decode(format!("a,b\n{many}"), &options(1000));
    assert_eq!((many.rows_read, many.rows().len()), (39_000, 39_000));
    let error = CsvFormat::new(b',', &options(1001)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
}

#[test]
fn what_is_not_the_table_is_seen_and_left_out() {
    let file = "Sales report\n\nid;amount\n1;2,50\n3;4,50\nTotal;7,00\n";
    let decoded = decode_numbered(file);
    assert_eq!((decoded.rows_read, decoded.rejects.len()), (2, 0));
    assert_eq!(decoded.names(), ["id", "amount"]);
    assert_eq!(decoded.places[0].1, 4);
    assert_eq!(
        decoded.notes,
        [
            "lines 1 to 2 stand before the table and are passed over: `Sales report` …",
            "the last row is a footer and left out: `Total;7,00`",
        ]
    );
    check("sep=;\nid;amount\n1;10\n", &plain(), &["1|10"]);
}

/// Decodes a file whose first column is one of integers, in blocks of all
/// sizes.
fn decode_numbered(file: &str) -> Decoded {
    let target =
        &|column| Some(exact(if column == 0 { ColumnType::Int64 } else { ColumnType::Text }));
    let decode = |sizes| decode_with(file.as_bytes(), &plain(), target, sizes).unwrap();
    let whole = decode((1 << 20, 1 << 20));
    for sizes in [(16, 7), (1 << 16, 1 << 16)] {
        let pieces = decode(sizes);
        assert_eq!((pieces.rows_read, &pieces.notes), (whole.rows_read, &whole.notes), "{sizes:?}");
        assert_eq!(pieces.rejects, whole.rejects, "{sizes:?}");
    }
    whole
}

#[test]
fn totals_at_the_end_are_left_out_however_late_they_come() {
    let many: String = (0..60_000).map(|row| format!("{row},x\n")).collect();
    for (rows, first) in [(&many, "Subtotal,1"), (&many.replace('x', "1"), "Subtotal,")] {
        let decoded = decode_numbered(&format!("id,name\n{rows}{first}\nTotal,2\n"));
        assert_eq!((decoded.rows_read, decoded.rejects.len()), (60_000, 0));
        let note = format!("the last 2 rows are a footer and left out: `{first}`, `Total,2`");
        assert_eq!(decoded.notes, [note]);
    }
    for file in ["id,n\n1,2\nTotal,2\n3,4\n", "id,n\n1,2\n3,4\nTotal,all of it\n"] {
        let decoded = decode_numbered(file);
        assert_eq!(decoded.rows_read as usize, file.lines().count() - 1, "{file:?}");
        assert_eq!(decoded.rejects.len(), 1, "{file:?}");
    }
    // Where the first column is one of text, a total is a row like any other.
    for file in [
        "id,n\n1,2\n3,4\nTotal,6\n",
        "name,n\nbob,2\nTotal,2\n",
        "id,n\nTotal,2\n",
        "id,n\n1,x\n2,Total\n",
        "id,n\n1,2\n,Total\n",
    ] {
        let decoded = decode(file, &plain());
        assert_eq!(decoded.rows_read as usize, file.lines().count() - 1, "{file:?}");
        assert!(decoded.notes.is_empty());
    }
    let given = FormatOptions { skip_footer: Some(0), ..plain() };
    check("id,n\n1,2\nTotal,2\n", &given, &["1|2", "Total|2"]);
    // A line of fewer fields is no row, whatever the first column is.
    let decoded = decode("name,n\nbob,2\neve,3\nTotal 5\n", &plain());
    assert_eq!((decoded.rows_read, decoded.notes.len()), (2, 1));
}

#[test]
fn a_header_with_no_row_below_it_is_told() {
    assert_eq!(decode("id,name\n", &plain()).notes, ["there is a header, and no row below it"]);
    for file in ["", "\n", "id,name\n1,a\n", "id,name\n1\n", "1,a\n"] {
        assert!(decode(file, &plain()).notes.is_empty(), "{file:?}");
    }
}

#[test]
fn raw_rows_are_read_again_under_the_options_that_decoding_hands_out() {
    let file = "report\n\nid;amount\n1;'x;y'\n2;'z'\n";
    let decoded = decode(file, &plain());
    let options = decoded.columns.clone().unwrap().options;
    let raw: String = decoded.places.iter().map(|place| format!("{}\n", place.3)).collect();
    assert_eq!(decode(raw, &options).rows(), decoded.rows());
}

#[test]
fn delimiters_of_several_bytes_separate_like_those_of_one() {
    let options = |delimiter: &str| FormatOptions { delimiter: Some(delimiter.into()), ..plain() };
    check("a||b\n1|x||\"2||3\"\n|||\n||\n", &options("||"), &["1|x|2||3", "~||", "~|~"]);
    check("a, b\n\"1, 2\", 3\n4,5, 6\n", &options(", "), &["1, 2|3", "4,5|6"]);
    check("a§b\n1§2\n", &options("§"), &["1|2"]);
    let single = decode("a|b|c\n1|\"x|\"\"y\"|\n\n2|3\n4|5\"|6\n7|\"8\n", &options("|"));
    let double = decode("a||b||c\n1||\"x|\"\"y\"||\n\n2||3\n4||5\"||6\n7||\"8\n", &options("||"));
    assert_eq!(single.rows(), double.rows());
    let reasons = |decoded: &super::Decoded| {
        decoded
            .rejects
            .iter()
            .map(|reject| (reject.ordinal, reject.reason.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(reasons(&single), reasons(&double));
}
