//! Tables as JSON, in every shape.

use serde_json::{Map, Value as Json, json};

use super::random::Random;
use super::table::{Table, Value};
use super::{Written, compressed};

/// Shapes that cannot be mistaken for another.
pub(super) const CLEAR: [&str; 5] = ["lines", "array", "concatenated", "indented", "split"];
/// Every shape that names its columns; the last three need to be told.
pub(super) const ALL: [&str; 7] =
    ["lines", "array", "concatenated", "split", "records", "index", "columns"];

pub(super) fn write(random: &mut Random, table: &Table, shapes: &[&'static str]) -> Written {
    let shape = random.one_of(shapes);
    let text = in_shape(table, shape);
    let (bytes, ending) = compressed::compress(random, text.as_bytes());
    let mut format = match shape {
        "lines" | "array" | "concatenated" => "type: json".to_owned(),
        orient => format!("type: json, json_orient: {orient}"),
    };
    if ending == ".br" {
        format.push_str(", compression: brotli");
    }
    let how = format!("JSON, {shape}, {ending:?}");
    Written { name: format!("data.json{ending}"), bytes, format, how }
}

fn in_shape(table: &Table, shape: &str) -> String {
    let objects: Vec<Json> = table.rows.iter().map(|row| object(table, row)).collect();
    let joined = |separator: &str| {
        let texts: Vec<String> = objects.iter().map(Json::to_string).collect();
        texts.join(separator)
    };
    let array = |row: &Vec<Value>| Json::from(row.iter().map(scalar).collect::<Vec<_>>());
    let arrays = || table.rows.iter().map(array).collect::<Vec<_>>();
    match shape {
        "lines" => joined("\n"),
        "concatenated" => joined(" "),
        "indented" => serde_json::to_string_pretty(&objects).expect("JSON"),
        "split" => {
            let index: Vec<usize> = (0..table.rows.len()).collect();
            json!({"columns": table.names, "index": index, "data": arrays()}).to_string()
        }
        "index" => {
            let rows = objects.iter().enumerate();
            Json::from(
                rows.map(|(row, object)| (row.to_string(), object.clone())).collect::<Map<_, _>>(),
            )
            .to_string()
        }
        "columns" => {
            let column = |position: usize| {
                let values = table.rows.iter().enumerate();
                values.map(|(row, values)| (row.to_string(), scalar(&values[position]))).collect()
            };
            let columns = table.names.iter().enumerate();
            Json::from(
                columns
                    .map(|(position, name)| (name.clone(), Json::Object(column(position))))
                    .collect::<Map<_, _>>(),
            )
            .to_string()
        }
        _ => Json::from(objects).to_string(),
    }
}

fn object(table: &Table, row: &[Value]) -> Json {
    let members = table.names.iter().zip(row).filter(|(_, value)| {
        // A key that is absent is a NULL too.
        **value != Value::Null || table.rows.len().is_multiple_of(2)
    });
    members.map(|(name, value)| (name.clone(), scalar(value))).collect::<Map<_, _>>().into()
}

fn scalar(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(number) => json!(number),
        Value::Bool(truth) => json!(truth),
        Value::Decimal(hundredths) => json!(*hundredths as f64 / 100.0),
        other => json!(other.text()),
    }
}
