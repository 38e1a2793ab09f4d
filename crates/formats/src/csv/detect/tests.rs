//! Files and what is seen in them.

use std::sync::Arc;

use bytes::Bytes;
use decant_core::habits::Habits;
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
        ("a~|~b\n1~|~x\n3~|~y\n", "~|~"),
        ("a|;b|;c\n1|;2|;3\n", "|;"),
        ("$a,$b\n$1,$2\n$3,$4\n", ","),
        ("sep=;\nid;amount\n1;10\n2;20\n", ";"),
        ("\"sep=|\"\r\nid|x,y\r\n", "|"),
        ("sep=;;\n1\n", ","),
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
fn one_ragged_row_makes_no_delimiter_shorter() {
    for (file, delimiter) in [
        ("k||v\n1||a\n2||b\n3||b||c\n4||d\n5||e\n", "||"),
        ("k||v\n1||a\n2||b\n3\n4||d\n5||e\n", "||"),
        ("k||v\n1||a\n2||b\n3||b|c\n4||d\n5||e\n", "||"),
        ("k;;v\n1;;a\n2;;b\n3;;b;;c\n4;;d\n", ";;"),
        ("k\t\tv\n1\t\ta\n2\t\tb\n3\t\tb\t\tc\n4\t\td\n", "\t\t"),
        ("k::v\n1::a\n2::b\n3::b::c\n4::d\n", "::"),
        ("k~|~v\n1~|~a\n2~|~b\n3~|~b~|~c\n4~|~d\n", "~|~"),
        ("k^^v\n1^^a\n2^^b\n3\n4^^d\n", "^^"),
        ("k\u{1}v\n1\u{1}a\n2\u{1}b\n3\u{1}b\u{1}c\n4\u{1}d\n", "\u{1}"),
        ("k, v\n1, a\n2, b\n3, b, c\n4, d\n", ", "),
        ("k; v\n1; a\n2; b\n3; b; c\n4; d\n", "; "),
        ("k\t v\n1\t a\n2\t b\n3\t b\t c\n4\t d\n", "\t "),
        ("k\t v\n1\t \"a\tb\"\n2\t \"b\"\n", "\t "),
        // What is ragged besides is not widened.
        ("k|v\n1|a\n2|b\n3||b|c\n4|d\n", "|"),
        ("a,b\n1, 2\n3,4\n5, 6, 7\n8,9\n", ","),
        ("note\nuse std::fmt\nuse std::io\nstd::io::Read\nstd::env\n", ","),
        ("std::a\nplain\nstd::b\nstd::c::d\nstd::e\n", ","),
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
        (
            "\"a\";\"b\"\n\"x\";\"y\"\n\"y\";\"a\\\"b\"\n\"z\";\"w\"\n",
            Mark::Byte(b'"'),
            Mark::Byte(b'\\'),
        ),
        ("\"a\"\t\"b\"\n\"x\"\t\"y\"\n\"y\"\t\"a\\\"b\"\n", Mark::Byte(b'"'), Mark::Byte(b'\\')),
        ("a,b\n \"1\",x\n \"2\",y\n", Mark::Byte(b'"'), Mark::Off),
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
        ("1,a\n", Header::None),
        ("name,city\n", Header::Rows(1)),
        ("0x1F,a\n0x2E,b\n", Header::None),
        ("+33612345678,a\n+33687654321,b\n", Header::None),
        ("bob@x.org,a\neve@y.org,b\n", Header::None),
        ("https://x.org/1,a\nhttps://x.org/2,b\n", Header::None),
        ("007,a\n008,b\n", Header::None),
        ("mail,who\nbob@x.org,a\neve@y.org,b\n", Header::Rows(1)),
        ("1,2\n3,x\n", Header::None),
        ("1,2,3\n", Header::None),
        ("1,5;x\n2,5;y\n", Header::None),
        ("1,5;x\n", Header::None),
        ("a;x\n2,5;y\n", Header::Rows(1)),
        ("2020,2021\n", Header::None),
        ("temp,hum\nmissing,missing\n20.5,40\n21.0,41\n22.0,42\n", Header::Rows(1)),
        ("id,amount\ntest,test\n1,2\n3,4\n5,6\n", Header::Rows(1)),
        ("id,amount\ntest,probe\n1,2\n3,4\n5,6\n", Header::Rows(1)),
        ("id,,n\nx,y,z\n1,2,3\n4,5,6\n", Header::Rows(1)),
        ("Sales,,Cost,\nq1,q2,q1,q2\n1,2,3,4\n5,6,7,8\n", Header::Rows(2)),
        (",Sales,,Cost,\nid,q1,q2,q1,q2\n1,1,2,3,4\n2,5,6,7,8\n", Header::Rows(2)),
        ("Sales,,Cost,\nq1,q1,q1,q2\n1,2,3,4\n5,6,7,8\n", Header::Rows(1)),
        ("speed,weight\n[km/h],[kg]\n1,2\n3,4\n", Header::Rows(2)),
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
        ("sep=;\nid;amount\n1;10\n2;20\n", 1),
        ("Report,,\n,,\na,b,c\n1,2,3\n4,5,6\n", 2),
        ("My report, 2024\n\na,b,c\n1,2,3\n4,5,6\n", 2),
        ("a,b\n\n1,2,3\n4,5,6\n7,8,9\n", 0),
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
        ("id,amount\n1,2\n3,4\nSubtotal,6\nTotal,6\n", 2),
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
        ("a;b\n1,5;1.234\n2,25;5.678\n", format(',', None)),
        ("a;b\n1,5;1.234\n2,25;1.234.567\n", format(',', None)),
        ("a;b\n1,5;0.234\n2,25;5.678\n", usual),
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

#[test]
fn what_a_file_leaves_open_is_decided_by_the_stream_and_nothing_else_is() {
    let habits = |options: FormatOptions, names: &[&str]| FormatOptions {
        habits: Some(Arc::new(Habits {
            options,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        })),
        ..FormatOptions::default()
    };
    let numbers = |decimal, thousands| FormatOptions {
        numbers: Some(NumberFormat { decimal, thousands }),
        ..FormatOptions::default()
    };
    let comma = habits(numbers(',', Some('.')), &[]);
    for (file, decimal) in [
        ("a;b\n1.234;z\n5.678;w\n", ','),
        ("a;b\n1,5;z\n5,25;w\n", ','),
        ("a;b\n1.5;z\n5.25;w\n", '.'),
    ] {
        let options = seen(file, &comma).options;
        assert_eq!(options.numbers.unwrap().decimal, decimal, "{file:?}");
        assert_eq!(options.habits, None);
    }
    let header = |header| FormatOptions { header, ..FormatOptions::default() };
    let nameless = habits(header(Some(Header::None)), &[]);
    let named = habits(header(Some(Header::Rows(1))), &["2020", "2021"]);
    let numbered = habits(FormatOptions::default(), &["column_1", "column_2"]);
    for (file, given, expected) in [
        ("x,y\nbob,paris\n", &nameless, Header::None),
        ("x,y\nbob,paris\n", &numbered, Header::None),
        ("id,n\nbob,1\neve,2\n", &nameless, Header::Rows(1)),
        ("7,8\n", &named, Header::None),
        ("7,8\n9,10\n", &named, Header::None),
        ("2021,2020\n7,8\n", &named, Header::Rows(1)),
    ] {
        assert_eq!(seen(file, given).options.header, Some(expected), "{file:?}");
    }
    let marks = FormatOptions {
        delimiter: Some(";".into()),
        escape: Some(Mark::Byte(b'\\')),
        ..FormatOptions::default()
    };
    let marked = habits(marks, &[]);
    for (file, delimiter, escape) in [
        ("a\nx\n", ";", Mark::Byte(b'\\')),
        ("a,b\n1,2\n", ",", Mark::Byte(b'\\')),
        ("a;b\n1;\"x\"\"y\"\n", ";", Mark::Off),
    ] {
        let options = seen(file, &marked).options;
        assert_eq!(options.delimiter.as_deref(), Some(delimiter), "{file:?}");
        assert_eq!(options.escape, Some(escape), "{file:?}");
    }
}

#[test]
fn only_what_leaves_no_doubt_is_shown() {
    for (file, shown) in [
        ("", FormatOptions::default()),
        ("name\nbob\n", FormatOptions::default()),
        ("1,2,3\n", FormatOptions::default()),
        (
            "a;b\n1.234;z\n5.678;w\n",
            FormatOptions {
                delimiter: Some(";".into()),
                header: Some(Header::Rows(1)),
                ..FormatOptions::default()
            },
        ),
        (
            "1;'x'\n2,5;'y'\n3;'z'\n",
            FormatOptions {
                delimiter: Some(";".into()),
                quote: Some(Mark::Byte(b'\'')),
                header: Some(Header::None),
                numbers: Some(NumberFormat { decimal: ',', thousands: None }),
                ..FormatOptions::default()
            },
        ),
    ] {
        assert_eq!(seen(file, &FormatOptions::default()).shown, shown, "{file:?}");
    }
}

#[test]
fn a_column_that_could_be_read_in_two_ways_says_so() {
    let note = |file: &str| seen(file, &FormatOptions::default()).notes.join("|");
    assert!(note("a;b\n1,5;1.234\n2,25;5.678\n").starts_with("`1.234` stays text"));
    assert!(note("a;b\n1.234;x\n5.678;y\n").starts_with("`1.234` is read with a decimal point"));
    assert_eq!(note("a,b\n1.234,x\n5.678,y\n"), "");
    assert_eq!(note("a;b\n1.5;x\n5.678;y\n"), "");
}
