//! The shapes that rows stand in.

use decant_core::stream::{Flatten, FormatOptions, Header};

use super::{check, decode, named, plain, refusal};

const ROWS: [&str; 2] = ["1|x", "2|y"];

#[test]
fn one_table_is_read_from_every_shape() {
    for file in [
        "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n",
        "{\"a\":1,\"b\":\"x\"}\r\n\r\n{\"b\":\"y\",\"a\":2}",
        "\u{feff}[{\"a\":1,\"b\":\"x\"},{\"a\":2,\"b\":\"y\"}]",
        "[\n  {\"a\": 1, \"b\": \"x\"},\n  {\"a\": 2, \"b\": \"y\"}\n]\n",
        "{\"a\":1,\"b\":\"x\"}{\"a\":2,\"b\":\"y\"}",
        "{\n\"a\": 1,\n\"b\": \"x\"\n}\n{\n\"a\": 2,\n\"b\": \"y\"\n}\n",
        "{\"columns\":[\"a\",\"b\"],\"data\":[[1,\"x\"],[2,\"y\"]]}",
    ] {
        check(file, &plain(), "a|b", &ROWS);
    }
}

#[test]
fn the_names_of_rows_are_the_column_index() {
    for (name, file) in [
        ("json-split", r#"{"columns":["a","b"],"index":["r","s"],"data":[[1,"x"],[2,"y"]]}"#),
        ("json-index", r#"{"r":{"a":1,"b":"x"},"s":{"a":2,"b":"y"}}"#),
        ("json-columns", r#"{"a":{"r":1,"s":2},"b":{"s":"y","r":"x"}}"#),
    ] {
        let decoded = check(file, &named(name), "index|a|b", &["r|1|x", "s|2|y"]);
        let raw = String::from_utf8(decoded.places.bytes.to_vec()).unwrap();
        assert_eq!(
            raw,
            "{\"index\":\"r\",\"a\":1,\"b\":\"x\"}\n{\"index\":\"s\",\"a\":2,\"b\":\"y\"}\n"
        );
    }
}

#[test]
fn pandas_documents_are_told_apart_where_they_are_clear() {
    for file in [
        r#"{"columns":["a","b"],"index":[0,1],"data":[[1,"x"],[2,"y"]]}"#,
        r#"{"0":{"a":1,"b":"x"},"1":{"a":2,"b":"y"}}"#,
        r#"{"a":{"0":1,"1":2},"b":{"0":"x","1":"y"}}"#,
    ] {
        check(file, &plain(), "index|a|b", &["0|1|x", "1|2|y"]);
    }
    let row = r#"{"a":{"x":1},"b":{"x":2}}"#;
    check(row, &plain(), "a|b", &[r#"{"x":1}|{"x":2}"#]);
    let as_row = FormatOptions { records_path: Some(String::new()), ..plain() };
    check(r#"{"a":{"0":1}}"#, &as_row, "a", &[r#"{"0":1}"#]);
}

#[test]
fn rows_without_keys_have_numbered_columns() {
    let decoded = check("[[1,\"x\"],[2,\"y\"]]", &plain(), "column_1|column_2", &ROWS);
    assert!(!decoded.columns.named);
    check("[1,\"x\"]\n[2,\"y\"]\n", &plain(), "column_1|column_2", &ROWS);
    check("[[1,\"x\"],[2,\"y\"]]", &named("json-values"), "column_1|column_2", &ROWS);
    let header = FormatOptions { header: Some(Header::Rows(1)), ..plain() };
    let decoded = check("[[\"a\",\"b\"],[1,\"x\"],[2,\"y\"]]", &header, "a|b", &ROWS);
    assert!(decoded.columns.named);
}

#[test]
fn values_that_are_no_containers_are_the_column_value() {
    check("[1,\"x\",null,true]", &plain(), "value", &["1", "x", "~", "true"]);
    check("1\n\"x\"\n", &plain(), "value", &["1", "x"]);
    check("42", &plain(), "value", &["42"]);
    check("[null, 1, {\"a\":2}, []]", &plain(), "value|a", &["~|~", "1|~", "~|2", "~|~"]);
}

#[test]
fn empty_documents_have_no_rows_or_an_empty_one() {
    let decoded = check("[]", &plain(), "", &[]);
    assert_eq!(decoded.announced, 0);
    check("{}", &plain(), "", &[""]);
    check("[{},{\"a\":1}]", &plain(), "a", &["~", "1"]);
    check("{\"columns\":[\"a\"],\"data\":[]}", &plain(), "a", &[]);
}

#[test]
fn a_file_of_lines_may_have_none_and_a_document_has_a_value() {
    let below = FormatOptions { records_path: Some("/data".into()), ..plain() };
    for file in ["", " \n", "\r\n\t\r\n", "\u{feff}"] {
        let decoded = check(file, &named("jsonl"), "", &[]);
        assert_eq!((decoded.announced, decoded.rows_read), (0, 0), "{file:?}");
        for options in [plain(), named("json"), named("json-split"), below.clone()] {
            let error = refusal(file, &options);
            assert_eq!(error.message().split(" (").next(), Some("the text ends inside a value"));
            assert!(error.hint().unwrap().contains("--format jsonl"), "{error:?}");
        }
    }
}

#[test]
fn a_pointer_names_the_rows_of_a_wrapped_document() {
    let file = r#"{"meta":{"n":[{"a":9}],"b":"]}"},"da/ta":[null,{"rows":[{"a":1},{"a":2}],"z":[]}],"t":{}}"#;
    let at = |path: &str| FormatOptions { records_path: Some(path.into()), ..plain() };
    check(file, &at("/da~1ta/1/rows"), "a", &["1", "2"]);
    check(file, &at("/meta/n/0"), "a", &["9"]);
    check(file, &at("/da~1ta/0"), "", &[]);
    check(
        r#"{"t":{"r":{"a":1}},"u":1}"#,
        &FormatOptions { name: Some("json-index".into()), ..at("/t") },
        "index|a",
        &["r|1"],
    );
    let error = refusal(file, &at("/data"));
    assert_eq!(error.message(), "the document has nothing at `/data`");
    assert!(error.hint().unwrap().contains("meta, da/ta, t"), "{error:?}");
    refusal(&file[..file.len() - 1], &at("/meta/n"));
    refusal(file.replace("\"t\":{}", "\"t\":{,}"), &at("/meta/n"));
    refusal(format!("{file} x"), &at("/meta/n"));
}

#[test]
fn objects_are_flattened_as_deep_as_was_asked() {
    let flat = |depth, separator: &str| FormatOptions {
        flatten: Some(Flatten { depth, separator: separator.into() }),
        ..plain()
    };
    let file = "{\"a\":{\"b\":{\"c\":1},\"d\":[{\"e\":1}]},\"f\":2}\n{\"a\":3,\"f\":null}\n{\"a\":{\"b\":null,\"g\":{}}}";
    check(
        file,
        &flat(1, "_"),
        "a_b|a_d|f|a|a_g",
        &[r#"{"c":1}|[{"e":1}]|2|~|~"#, "~|~|~|3|~", "~|~|~|~|{}"],
    );
    check(file, &flat(9, "."), "a.b.c|a.d|f|a", &[r#"1|[{"e":1}]|2|~"#, "~|~|~|3", "~|~|~|~"]);
    check("[{\"a_b\":1,\"a\":{\"b\":2}}]", &flat(1, "_"), "a_b|a_b_2", &["1|2"]);
    check(
        "[{\"a\":{\"b\":1},\"a_b\":2,\"a_b_2\":3},{\"a_b\":4,\"a\":{\"b\":5}}]",
        &flat(1, "_"),
        "a_b|a_b_2|a_b_2_2",
        &["1|2|3", "5|4|~"],
    );
}

#[test]
fn a_key_that_comes_late_is_a_new_column() {
    let file: String = (0..200).map(|row| format!("{{\"k{}\":{row}}}\n", row / 50)).collect();
    let decoded = decode(&file, &plain());
    assert_eq!(decoded.columns.names, ["k0", "k1", "k2", "k3"]);
    assert_eq!(decoded.rows[199], [None, None, None, Some("199".to_owned())]);
    let format = super::JsonFormat::new(&plain()).unwrap();
    let small = super::decode_with(file.as_bytes(), format, &super::text, (16, 16)).unwrap();
    assert_eq!(small.announced, 4);
}

#[test]
fn keys_without_letters_and_names_that_are_taken_have_names_all_the_same() {
    check(r#"{"":1,"\u0061":2}"#, &plain(), "column_1|a", &["1|2"]);
    check(r#"[1,{"value":2}]"#, &plain(), "value|value_2", &["1|~", "~|2"]);
    check(
        r#"{"r":{"index":1},"s":{"index":2}}"#,
        &named("json-index"),
        "index|index_2",
        &["r|1", "s|2"],
    );
}

#[test]
fn documents_that_are_not_as_they_were_said_to_be_are_refused() {
    for (name, file) in [
        ("json-split", "[1]"),
        ("json-split", r#"{"columns":["a"],"index":[0]}"#),
        ("json-split", r#"{"data":[[1]],"index":[0]}"#),
        ("json-split", r#"{"columns":["a"],"data":[[1]],"total":1}"#),
        ("json-split", r#"{"columns":["a"],"data":[[1]],"columns":["a"]}"#),
        ("json-split", r#"{"columns":["a"],"data":[[1]]"#),
        ("json-split", r#"{"columns":["a"],"data":3}"#),
        ("json-index", r#"{"a":1}"#),
        ("json-columns", r#"{"a":1}"#),
        ("json-columns", r#"{"a":{"0":1},"a":{"0":1}}"#),
        ("json-columns", r#"{"a":{"0":1,"0":1}}"#),
        ("json-records", "3"),
    ] {
        let error = refusal(file, &named(name));
        assert_eq!(error.kind(), decant_core::ErrorKind::MalformedFile, "{file}");
        assert!(error.position().is_some(), "{file}");
    }
}

#[test]
fn documents_of_pandas_are_told_whatever_names_their_rows_have() {
    for (first, second) in [("10", "20"), ("2024-01-01", "2024-02-01"), ("r1", "r2"), ("-1", "7")] {
        let rows = [format!("{first}|1|x"), format!("{second}|2|y")];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        for file in [
            format!(r#"{{"a":{{"{first}":1,"{second}":2}},"b":{{"{first}":"x","{second}":"y"}}}}"#),
            format!(r#"{{"{first}":{{"a":1,"b":"x"}},"{second}":{{"a":2,"b":"y"}}}}"#),
            format!(
                r#"{{"columns":["a","b"],"index":["{first}","{second}"],"data":[[1,"x"],[2,"y"]]}}"#
            ),
        ] {
            check(&file, &plain(), "index|a|b", &rows);
        }
    }
}

#[test]
fn the_parts_of_a_split_document_stand_in_any_order() {
    let columns = r#""columns":["a","b"]"#;
    let index = r#""index" : [ "r", "s" ]"#;
    let data = "\n \"data\": [ [1,\"x\"] ,\n [2,\"y\"] ]";
    let with_index = [
        [columns, index, data],
        [columns, data, index],
        [index, columns, data],
        [index, data, columns],
        [data, columns, index],
        [data, index, columns],
    ];
    for options in [plain(), named("json-split")] {
        for parts in with_index {
            let file = format!("{{{}}}", parts.join(","));
            let decoded = check(&file, &options, "index|a|b", &["r|1|x", "s|2|y"]);
            let offset = |row: &str| file.find(row).unwrap() as u64;
            assert_eq!(decoded.places.byte_offsets, [offset("[1"), offset("[2")], "{file}");
            assert_eq!(decoded.places.lines, [2, 3]);
        }
        for parts in [[columns, data], [data, columns]] {
            check(format!("{{{}}}\n", parts.join(",")), &options, "a|b", &ROWS);
        }
    }
}

#[test]
fn a_split_document_is_refused_where_its_names_are_too_far_behind() {
    let rows = vec!["[1,\"x\"]"; 5000].join(",");
    let bounded = |name: &str| FormatOptions { memory_bytes: Some(10_000), ..named(name) };
    let behind = format!(r#"{{"data":[{rows}],"columns":["a","b"]}}"#);
    let error = refusal(&behind, &bounded("json-split"));
    assert_eq!(error.kind(), decant_core::ErrorKind::Unsupported);
    assert!(error.message().contains("`columns` stands behind `data`"), "{error}");
    assert!(error.hint().unwrap().contains("more memory"));
    assert_eq!(decode(&behind, &plain()).rows.len(), 5000);
    let before = format!(r#"{{"columns":["a","b"],"data":[{rows}]}}"#);
    assert_eq!(decode(&before, &bounded("json-split")).rows.len(), 5000);
    let index_behind = format!(r#"{{"columns":["a","b"],"data":[{rows}],"index":[1]}}"#);
    let error = refusal(&index_behind, &bounded("json-split"));
    assert!(error.hint().unwrap().contains("before `data`"), "{error:?}");
}

#[test]
fn a_document_that_may_be_of_pandas_is_one_row_and_says_so() {
    let file = r#"{"home":{"lat":1,"lon":2},"work":{"lat":3,"lon":4}}"#;
    check(file, &plain(), "home|work", &[r#"{"lat":1,"lon":2}|{"lat":3,"lon":4}"#]);
    let format = super::JsonFormat::new(&plain()).unwrap();
    let mut input = crate::testing::Chunks::new(file.as_bytes(), 10);
    let sample =
        decant_core::format::Format::sample(&format, &mut input, Default::default()).unwrap();
    assert!(sample.explanation[0].contains("`--format json-index`"), "{:?}", sample.explanation);
}

#[test]
fn rows_that_stand_in_a_document_twice_are_refused() {
    let at = FormatOptions { records_path: Some("/data".into()), ..plain() };
    let error = refusal(r#"{"data":[1],"n":1,"data":[2]}"#, &at);
    assert!(error.message().contains("`\"data\"` is repeated (line 1, column 19)"), "{error}");
}

#[test]
fn documents_of_columns_are_refused_beyond_their_memory() {
    let values: Vec<String> = (0..5000).map(|row| format!("\"{row}\":{row}")).collect();
    let file = format!("{{\"a\":{{{}}}}}", values.join(","));
    let bounded = FormatOptions { memory_bytes: Some(10_000), ..named("json-columns") };
    let error = refusal(&file, &bounded);
    assert_eq!(error.kind(), decant_core::ErrorKind::Unsupported);
    assert!(error.hint().unwrap().contains("orient=\"records\""));
    assert_eq!(decode(&file, &plain()).rows.len(), 5000);
}
