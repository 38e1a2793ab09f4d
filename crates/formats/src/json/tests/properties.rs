//! Random tables in random shapes equal themselves.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::JsonFormat;
use super::{decode_with, named, plain, text};

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::String),
        "[a-z0-9 \"\\\\{},:\\[\\]]{0,12}".prop_map(Value::String),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[a-c\"é]{1,2}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Rows of one width.
fn table() -> impl Strategy<Value = Vec<Vec<Value>>> {
    (1_usize..5).prop_flat_map(|width| {
        prop::collection::vec(prop::collection::vec(value(), width..=width), 1..12)
    })
}

/// What a value is in a column of text.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn name(column: usize) -> String {
    format!("k \"{column}\"")
}

fn object(row: &[Value]) -> Value {
    let members = row.iter().enumerate().map(|(column, value)| (name(column), value.clone()));
    Value::Object(members.collect::<Map<_, _>>())
}

fn labelled(rows: &[Vec<Value>]) -> Value {
    let members = rows.iter().enumerate().map(|(row, values)| (format!("r{row}"), object(values)));
    Value::Object(members.collect())
}

fn by_column(rows: &[Vec<Value>]) -> Value {
    let column = |column: usize| {
        let members = rows.iter().enumerate();
        let members = members.map(|(row, values)| (format!("r{row}"), values[column].clone()));
        (name(column), Value::Object(members.collect()))
    };
    Value::Object((0..rows[0].len()).map(column).collect())
}

fn split(rows: &[Vec<Value>]) -> Value {
    let names: Vec<String> = (0..rows[0].len()).map(name).collect();
    let index: Vec<String> = (0..rows.len()).map(|row| format!("r{row}")).collect();
    json!({"columns": names, "index": index, "data": rows})
}

/// The table in each shape: the format's name, the text, and whether rows
/// have names.
fn shapes(rows: &[Vec<Value>]) -> Vec<(&'static str, String, bool)> {
    let objects: Vec<Value> = rows.iter().map(|row| object(row)).collect();
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let joined = |separator: &str, write: &dyn Fn(&Value) -> String| {
        objects.iter().map(write).collect::<Vec<_>>().join(separator)
    };
    vec![
        ("jsonl", joined("\n", &Value::to_string), false),
        ("jsonl", joined("\r\n", &pretty), false),
        ("json-records", Value::Array(objects.clone()).to_string(), false),
        ("json-records", pretty(&Value::Array(objects.clone())), false),
        ("json-index", labelled(rows).to_string(), true),
        ("json-index", pretty(&labelled(rows)), true),
        ("json-columns", by_column(rows).to_string(), true),
        ("json-split", split(rows).to_string(), true),
        ("json-split", pretty(&split(rows)), true),
    ]
}

proptest! {
    #[test]
    fn a_table_equals_itself_in_every_shape(
        rows in table(),
        block_bytes in 1_usize..200,
        chunk_bytes in 1_usize..200,
    ) {
        for (format, file, labels) in shapes(&rows) {
            let format = JsonFormat::new(&named(format)).unwrap();
            let decoded = decode_with(file.as_bytes(), format, &text, (block_bytes, chunk_bytes));
            let decoded = decoded.unwrap();
            let label = |row: usize| labels.then(|| Some(format!("r{row}")));
            let expected: Vec<Vec<Option<String>>> = rows
                .iter()
                .enumerate()
                .map(|(row, values)| label(row).into_iter().chain(values.iter().map(as_text)).collect())
                .collect();
            prop_assert_eq!(decoded.rejects, vec![]);
            prop_assert_eq!(decoded.rows, expected, "{}", file);
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_does_not_depend_on_its_chunks(
        rows in table(),
        cut in 0_usize..400,
        junk in "[\\[\\]{}\",:a0\\\\\n]{0,3}",
        block_bytes in 1_usize..100,
        chunk_bytes in 1_usize..100,
    ) {
        for (name, file, _) in shapes(&rows) {
            for options in [named(name), plain()] {
                let mut cut = cut.min(file.len());
                while !file.is_char_boundary(cut) {
                    cut -= 1;
                }
                let file = format!("{}{junk}{}", &file[..cut], &file[cut..]);
                let outcome = |sizes| {
                    let format = JsonFormat::new(&options).unwrap();
                    match decode_with(file.as_bytes(), format, &text, sizes) {
                        Ok(decoded) => Ok((decoded.rejects, decoded.rows_read, decoded.places)),
                        Err(error) => Err(format!("{error} at {:?}", error.position())),
                    }
                };
                prop_assert_eq!(outcome((1 << 20, 1 << 20)), outcome((block_bytes, chunk_bytes)), "{}", file);
            }
        }
    }
}
