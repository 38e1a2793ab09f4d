//! Files and what is seen in them.

use bytes::Bytes;
use decant_core::stream::{FormatOptions, Header, Mark};
use decant_core::value_format::NumberFormat;

use super::{Detected, detect};
use crate::encoding::Beginning;

fn seen(file: &str, given: &FormatOptions) -> Detected {
    let beginning = Beginning { text: Bytes::copy_from_slice(file.as_bytes()), whole: true };
    detect(&beginning, given, b',')
}

fn plain(file: &str) -> FormatOptions {
    seen(file, &FormatOptions::default()).options
}

#[test]
fn the_delimiter_is_the_one_that_every_row_has() {
    for (file, delimiter) in [
        ("", ","),
        ("id\n1\n", ","),
        ("id;name\n1;a\n", ";"),
        ("id\tname\r\n", "\t"),
        ("id|name\n", "|"),
        ("\"x,y\";b\n", ";"),
        ("id,name;first\n", ","),
        ("id;name|first\n", ","),
        ("id\n1;2\n", ","),
        ("id,note\n1,a;b;c\n2,d;e\n3,f\n", ","),
        ("id;name, first;amount\n1;Bob, A;1,5\n2;Eve;2,5\n", ";"),
        ("1,5;abc;2\n2,5;def;3\n", ";"),
        ("1,a|b|c\n2,d|e|f\n", ","),
        ("a||b||c\n1||2||3\n", "||"),
        ("a|b||c\n1|2||3\n", "|"),
        ("a, b, c\n1, 2, 3\n4, 5, 6\n", ", "),
        ("a, b\n1,2\n3, 4\n", ","),
        ("a::b\n1::2\n", "::"),
        ("a\u{1}b\n1\u{1}2\n", "\u{1}"),
        ("a~b\n1~2\n", "~"),
        ("time\n10:00:00\n11:00:00\n12:00:00\n", ","),
        ("name:age\nbob:3\neve:4\nann:5\n", ":"),
        ("name age\nbob 3\neve 4\nann 5\n", " "),
        ("The quick\nbrown fox\njumps over\n", ","),
        ("email\na@b.com\nc@d.com\n", ","),
        ("name\nSmith, John\nDoe, Jane\nRoe, Rich\n", ","),
        ("a,b\n1,2\n3\n4,5,6\n7,8\n", ","),
        ("a,b\n1,\"x|y\n2,z|w\n", ","),
    ] {
        assert_eq!(plain(file).delimiter.as_deref(), Some(delimiter), "{file:?}");
    }
}

#[test]
fn quotes_and_escapes_are_those_that_every_row_obeys() {
    for (file, quote, escape) in [
        ("a,b\n1,\"x\"\"y\"\n", Mark::Byte(b'"'), Mark::Off),
        ("a,b\n1,\"x\\\"y, z\"\n2,b\n", Mark::Byte(b'"'), Mark::Byte(b'\\')),
        ("a,b\n1,\"C:\\\"\n2,b\n", Mark::Byte(b'"'), Mark::Off),
        ("a,b\n'1','x, y'\n'2','it''s'\n", Mark::Byte(b'\''), Mark::Off),
        ("a,b\n1,'tis\n2,rock 'n' roll\n", Mark::Byte(b'"'), Mark::Off),
        ("a\tb\n5\" pipe\t1\n3\" pipe\t2\n", Mark::Off, Mark::Off),
        ("a,b\n5\" pipe,1\n\"x\"y,2\n3,4\n", Mark::Byte(b'"'), Mark::Off),
    ] {
        let options = plain(file);
        assert_eq!((options.quote, options.escape), (Some(quote), Some(escape)), "{file:?}");
    }
}

#[test]
fn comments_are_lines_that_do_not_fit_and_are_a_habit() {
    for (file, comment) in [
        ("# made by, a, tool\na,b\n1,2\n# more\n3,4\n", Mark::Byte(b'#')),
        ("#id,name\n1,a\n2,b\n", Mark::Off),
        ("a,b\n#1,2\n3,4\n", Mark::Off),
        ("a,b\n1,2\n", Mark::Off),
    ] {
        assert_eq!(plain(file).comment, Some(comment), "{file:?}");
    }
    let beginning = Beginning { text: Bytes::from("# tool\na,b,c\n1,2,3\n4,5,6\n"), whole: false };
    let cut = detect(&beginning, &FormatOptions::default(), b',').options;
    assert_eq!((cut.comment, cut.skip_rows), (Some(Mark::Off), Some(1)));
}

#[test]
fn the_first_row_is_the_header_unless_it_is_like_the_rows_below() {
    for (file, header) in [
        ("id,name\n1,a\n", Header::Rows(1)),
        ("name,city\nbob,paris\n", Header::Rows(1)),
        ("1,a\n2,b\n", Header::None),
        ("2024-01-01,a\n2024-01-02,b\n", Header::None),
        ("5\n6\n7\n", Header::None),
        ("1,a\n", Header::Rows(1)),
        ("1,2\n3,x\n", Header::None),
        ("1,2\nx,y\n", Header::Rows(1)),
        ("country,2020,2021\nFR,1,2\nDE,3,4\n", Header::Rows(1)),
        (",a\n1,2\n", Header::Rows(1)),
        (",5\n1,2\n", Header::None),
        ("name,age,height\n,years,cm\nbob,3,100\neve,4,110\nann,5,120\n", Header::Rows(2)),
        ("name,age,height\nbob,n/a,n/a\neve,4,110\nann,5,120\njim,5,120\n", Header::Rows(1)),
        ("name,age,height\nbob,x,100\neve,4,110\nann,5,120\njim,5,120\n", Header::Rows(1)),
    ] {
        assert_eq!(plain(file).header, Some(header), "{file:?}");
    }
}

#[test]
fn lines_before_the_table_are_passed_over_only_when_they_are_clearly_none() {
    for (file, skip_rows) in [
        ("a,b\n1,2\n", 0),
        ("Sales report 2024\nid,amount\n1,2\n3,4\n", 1),
        ("Sales report\n\nname,city\nbob,paris\neve,rome\n", 2),
        ("Report:;2024\nMade by:;me\n\nid;a;b;c\n1;2;3;4\n5;6;7;8\n", 3),
        ("Report,,\nid,a,b\n1,2,3\n4,5,6\n", 1),
        ("name\nSmith, John\nDoe, Jane\nRoe, Rich\n", 0),
        ("Full name\nSmith, John\nDoe, Jane\nRoe, Rich\n", 0),
        ("a,b\n1,2,3\n4,5,6\n7,8,9\n", 0),
        ("a,b,c\n1,2,3,4\n5,6,7,8\n", 0),
    ] {
        let detected = seen(file, &FormatOptions::default());
        assert_eq!(detected.options.skip_rows, Some(skip_rows), "{file:?}");
        let says_so = detected.explanation.iter().any(|said| said.contains("passed over"));
        assert_eq!(says_so, skip_rows > 0, "{file:?}");
    }
}

#[test]
fn rows_behind_the_table_are_left_out_only_when_they_call_themselves_totals() {
    for (file, skip_footer) in [
        ("id,amount\n1,2\n3,4\nTotal,6\n", 1),
        ("id,amount,x\n1,2,y\n3,4,y\nTotal;6\n(2 rows)\n", 2),
        ("id,amount,x\n1,2,y\n3,4,y\nSumme: 6\n", 1),
        ("id,amount\n1,2\n3,4\n5\n", 0),
        ("name,amount\nbob,2\neve,4\nTotal,6\n", 0),
        ("name,amount\nbob,2\nTotalEnergies,4,x\n", 0),
        ("id,amount\nTotal,6\n", 0),
    ] {
        let detected = seen(file, &FormatOptions::default());
        assert_eq!(detected.options.skip_footer, Some(skip_footer), "{file:?}");
        let says_so = detected.explanation.iter().any(|said| said.contains("footer"));
        assert_eq!(says_so, skip_footer > 0, "{file:?}");
    }
    let text = Bytes::from("id,amount\n1,2\n3,4\nTotal,6\n");
    let cut = detect(&Beginning { text, whole: false }, &FormatOptions::default(), b',');
    assert_eq!(cut.options.skip_footer, Some(0));
}

#[test]
fn numbers_have_the_signs_that_a_whole_column_needs() {
    let format = |decimal, thousands| NumberFormat { decimal, thousands };
    let usual = NumberFormat::default();
    for (file, expected) in [
        ("id;amount\n1;12,50\n2;3,5\n", format(',', None)),
        ("id;amount\n1;1.234,50\n2;3,5\n", format(',', Some('.'))),
        ("id;amount\n1;1 234,50\n2;3\n", format(',', Some(' '))),
        ("id,amount\n1,\"1,234.50\"\n2,3\n", format('.', Some(','))),
        ("id,amount\n1,\"1,234,567\"\n2,\"3,000\"\n", format('.', Some(','))),
        ("id,amount\n1,\"1,234\"\n", usual),
        ("id;amount\n1;1,234\n", usual),
        ("id;amount\n1;1.234\n", usual),
        ("id;amount\n1;12,50\n2;x\n", usual),
        ("id;a;b\n1;12,50;1.5\n2;1,5;2.5\n", usual),
        ("id,pair\n1,\"1,5\"\n2,\"3,4\"\n", usual),
        ("id,amount\n1,12.50\n", usual),
    ] {
        assert_eq!(plain(file).numbers, Some(expected), "{file:?}");
    }
}

#[test]
fn what_is_given_is_never_overruled() {
    let given = FormatOptions {
        delimiter: Some(",".into()),
        quote: Some(Mark::Off),
        escape: Some(Mark::Off),
        comment: Some(Mark::Byte(b'%')),
        header: Some(Header::None),
        skip_rows: Some(1),
        skip_footer: Some(2),
        numbers: Some(NumberFormat::default()),
        null_values: Some(vec!["NA".into()]),
        ..FormatOptions::default()
    };
    let detected = seen("# x\na;b\n'1';'2,5'\nTotal;3\n", &given);
    assert_eq!(detected.options, given);
    assert_eq!(detected.explanation, Vec::<String>::new());
}

#[test]
fn each_thing_that_was_seen_is_explained() {
    let file = "Sales report\nid;amount\n1;2,50\n3;4,50\nTotal;7,00\n";
    let detected = seen(file, &FormatOptions::default());
    assert_eq!(
        detected.explanation,
        [
            "`;` separates fields: each of the 3 rows seen has 2",
            "line 1 stands before the table and is passed over: `Sales report`",
            "the last row is a footer and left out: `Total;7,00`",
            "the first row names the columns: the values below it are of another kind",
            "numbers have a decimal comma, as in `2,50`",
        ]
    );
}
