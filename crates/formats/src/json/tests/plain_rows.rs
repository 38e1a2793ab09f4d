//! Rows that look like those before them are what the scanner alone makes of
//! them, whatever else stands between them.

use arrow_array::Array;
use decant_core::format::{OnMisfit, Target};
use decant_core::schema::ColumnType;
use decant_core::stream::{Flatten, FormatOptions};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::JsonFormat;
use super::{decode_with, named, plain};

const KEYS: [&str; 7] =
    ["a", "b", "c", "é", "a key that is longer than thirty-two bytes", r"esc\u0061pe", "d"];
const VALUES: [&str; 28] = [
    "1",
    "-20",
    "123456789012345678",
    "12.50",
    "0",
    "-0.0",
    "1e3",
    "\"\"",
    "\"text\"",
    "\"2024-02-29\"",
    "\"a longer text, with ü and {brackets}: 12\"",
    r#""with \"escapes\"\n""#,
    "null",
    "true",
    "false",
    "[1, 2]",
    r#"{"x": 1, "y": [{}]}"#,
    r#"{"x":1,"x":2}"#,
    "{\n\"x\": 1}",
    "{}",
    "[]",
    r#""\ud800""#,
    "007",
    "NaN",
    "1.",
    "tru",
    "\"cut",
    "",
];

/// How a file is written.
#[derive(Clone, Debug)]
struct Style {
    keys: Vec<usize>,
    before_colon: &'static str,
    behind_colon: &'static str,
    behind_comma: &'static str,
    line_end: &'static str,
}

/// How one row differs from the others.
#[derive(Clone, Debug)]
enum Change {
    Nothing,
    Swapped(Index, Index),
    Lacking(Index),
    Repeated(Index),
    /// A key of its own at the end.
    Late,
    Spaced(Index),
    Instead(&'static str),
}

#[derive(Clone, Debug)]
struct RandomRow {
    change: Change,
    values: Vec<&'static str>,
    line_end: Option<&'static str>,
}

fn style() -> impl Strategy<Value = Style> {
    let space = || prop_oneof![3 => Just(""), 2 => Just(" "), 1 => Just("\n  ")];
    let keys = prop::sample::subsequence((0..KEYS.len()).collect::<Vec<_>>(), 1..6);
    let line_end = prop_oneof![4 => Just("\n"), 1 => Just("\r\n"), 1 => Just(" \n")];
    (keys.prop_shuffle(), space(), space(), space(), line_end).prop_map(
        |(keys, before_colon, behind_colon, behind_comma, line_end)| Style {
            keys,
            before_colon,
            behind_colon,
            behind_comma,
            line_end,
        },
    )
}

fn row() -> impl Strategy<Value = RandomRow> {
    let change = prop_oneof![
        12 => Just(Change::Nothing),
        2 => any::<(Index, Index)>().prop_map(|(one, other)| Change::Swapped(one, other)),
        2 => any::<Index>().prop_map(Change::Lacking),
        1 => any::<Index>().prop_map(Change::Repeated),
        1 => Just(Change::Late),
        1 => any::<Index>().prop_map(Change::Spaced),
        1 => select(vec!["{}", "[]", "[1,2]", "[1,\"x\"]", "12", "\"s\"", "{\"a\":1]", "[1}", "x", ""])
            .prop_map(Change::Instead),
    ];
    let value = prop_oneof![8 => select(&VALUES[..15]), 1 => select(&VALUES[..])];
    let line_end = prop_oneof![20 => Just(None), 1 => select(vec!["", "\n\n", " x\n", ",\n", "\r"]).prop_map(Some)];
    (change, prop::collection::vec(value, 7), line_end)
        .prop_map(|(change, values, line_end)| RandomRow { change, values, line_end })
}

fn write(style: &Style, row: &RandomRow, text: &mut String) {
    let mut keys = style.keys.clone();
    let mut spaced = None;
    match &row.change {
        Change::Nothing => {}
        Change::Swapped(one, other) => {
            let (one, other) = (one.index(keys.len()), other.index(keys.len()));
            keys.swap(one, other);
        }
        Change::Lacking(which) => drop(keys.remove(which.index(keys.len()))),
        Change::Repeated(which) => keys.push(keys[which.index(keys.len())]),
        Change::Late => keys.push(6),
        Change::Spaced(which) => spaced = Some(which.index(keys.len())),
        Change::Instead(other) => return text.push_str(other),
    }
    text.push('{');
    for (nth, key) in keys.iter().enumerate() {
        let Style { before_colon, behind_colon, behind_comma, .. } = style;
        if nth > 0 {
            text.push(',');
        }
        let space = if spaced == Some(nth) { " \t" } else { "" };
        let value = row.values[nth % row.values.len()];
        let value = if value.is_empty() && row.line_end.is_none() { "null" } else { value };
        text.push_str(&format!(
            "{behind_comma}{space}\"{}\"{before_colon}:{behind_colon}{value}{space}",
            KEYS[*key]
        ));
    }
    text.push('}');
}

fn joined(style: &Style, rows: &[RandomRow], separator: Option<&str>) -> String {
    let mut text = String::new();
    for (nth, row) in rows.iter().enumerate() {
        if let (Some(separator), true) = (separator, nth > 0) {
            text.push_str(separator);
        }
        write(style, row, &mut text);
        if separator.is_none() {
            text.push_str(row.line_end.unwrap_or(style.line_end));
        }
    }
    text
}

fn typed(name: &str) -> Option<Target> {
    let target = |column_type| Target::new(column_type, true);
    Some(match name {
        "a" => target(ColumnType::Int64),
        "b" => Target { misfit: OnMisfit::Rescue, ..target(ColumnType::Decimal(None)) },
        "c" => target(ColumnType::Date),
        "d" => return None,
        _ => target(ColumnType::Text),
    })
}

fn options() -> impl Strategy<Value = FormatOptions> {
    let flatten = Flatten { depth: 2, separator: "_".into() };
    let row_bytes = prop_oneof![4 => Just(None), 1 => (1_usize..80).prop_map(Some)];
    (prop::bool::weighted(0.2), prop::bool::weighted(0.2), row_bytes).prop_map(
        move |(flat, lenient, record_bytes_max)| FormatOptions {
            flatten: flat.then(|| flatten.clone()),
            lenient,
            record_bytes_max,
            ..plain()
        },
    )
}

/// Everything that comes out, or the error and its place.
fn outcome(file: &[u8], options: &FormatOptions, learns: bool, sizes: (usize, usize)) -> String {
    let format = JsonFormat { learns, ..JsonFormat::new(options).unwrap() };
    match decode_with(file, format, &typed, sizes) {
        Ok(decoded) => format!("{decoded:#?}"),
        Err(error) => format!("{error} at {:?}", error.position()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn rows_like_those_before_them_are_what_the_scanner_makes_of_them(
        style in style(),
        rows in prop::collection::vec(row(), 1..30),
        options in options(),
        damage in prop::option::weighted(0.3, (any::<Index>(), any::<u8>(), any::<bool>())),
        block_bytes in 1_usize..2000,
        chunk_bytes in 1_usize..2000,
        shape in 0..3,
    ) {
        let (name, text) = match shape {
            0 => ("jsonl", joined(&style, &rows, None)),
            1 => ("json", joined(&style, &rows, Some(""))),
            _ => ("json-records", format!("[{}]", joined(&style, &rows, Some(", ")))),
        };
        let mut file = text.into_bytes();
        if let Some((at, byte, inserts)) = damage {
            let at = at.index(file.len().max(1));
            file.splice(at..(at + usize::from(!inserts)).min(file.len()), [byte]);
        }
        let options = FormatOptions { name: named(name).name, ..options };
        for sizes in [(1 << 20, 1 << 20), (block_bytes, chunk_bytes)] {
            prop_assert_eq!(
                outcome(&file, &options, true, sizes),
                outcome(&file, &options, false, sizes),
                "{}", String::from_utf8_lossy(&file)
            );
        }
    }

    #[test]
    fn columns_that_every_row_has_are_as_those_that_a_row_lacks(
        rows in prop::collection::vec(prop::collection::vec(select(&VALUES[..18]), 5), 1..40),
    ) {
        let keys = [0, 1, 2, 3, 5];
        let line = |values: &Vec<&str>| {
            let member = |(key, value): (&usize, &&str)| format!("\"{}\":{value}", KEYS[*key]);
            let members: Vec<String> = keys.iter().zip(values).map(member).collect();
            format!("{{{}}}\n", members.join(","))
        };
        let file: String = rows.iter().map(line).collect();
        let lines = || JsonFormat::new(&named("jsonl")).unwrap();
        let decode = |file: &str| decode_with(file.as_bytes(), lines(), &typed, (1 << 20, 1 << 20));
        let (full, lacking) = (decode(&file).unwrap(), decode(&format!("{file}{{}}\n")).unwrap());
        prop_assert_eq!(&full.rejects, &lacking.rejects);
        prop_assert_eq!(&full.rescued, &lacking.rescued);
        let count = full.batches[0].first().map_or(0, |column| column.len());
        for (full, lacking) in full.batches[0].iter().zip(&lacking.batches[0]) {
            prop_assert_eq!(full, &lacking.slice(0, count));
        }
    }
}
