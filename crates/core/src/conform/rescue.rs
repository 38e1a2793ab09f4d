//! `_rescued`: one JSON object for each row that has something to keep.
//!
//! `{"column": value, …, "_cut": ["…"], "_file": "location"}`; NULL for rows
//! that fit. Values are JSON as they were found: text formats have strings.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;
use serde::de::IgnoredAny;

use super::conceal::conceal_text;
use super::rendering::render;
use crate::error::Result;
use crate::format::DecodedBatch;
use crate::stream::Concealment;

const FILE_KEY: &str = "_file";
const CUT_KEY: &str = "_cut";

/// A column of the file, as `_rescued` has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RescuedColumn {
    pub(super) key: String,
    pub(super) conceal: Option<Concealment>,
    /// Its position in a batch, where the table does not have it: its every
    /// value is kept.
    pub(super) always: Option<usize>,
    /// Whether its text is JSON.
    pub(super) is_json: bool,
}

/// Keys for the columns of a file: their names, numbered where they repeat.
pub(super) fn keys<'a>(sources: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken = std::collections::HashSet::from([FILE_KEY.to_owned(), CUT_KEY.to_owned()]);
    let mut keys = Vec::new();
    for source in sources {
        let mut key = source.to_owned();
        let mut number = 2;
        while !taken.insert(key.clone()) {
            key = format!("{source}_{number}");
            number += 1;
        }
        keys.push(key);
    }
    keys
}

/// The column `_rescued` for a batch.
pub(super) fn rescued(
    columns: &[RescuedColumn],
    decoded: &DecodedBatch,
    location: &str,
) -> Result<ArrayRef> {
    let mut objects = Objects { rows: vec![None; decoded.batch.num_rows()] };
    for misfit in &decoded.rescued {
        if let Some(column) = columns.get(misfit.column) {
            let value = match &column.conceal {
                Some(how) => {
                    let text = serde_json::from_str::<String>(&misfit.value);
                    let text = text.unwrap_or_else(|_| misfit.value.clone());
                    string(&conceal_text(&text, how))
                }
                None => misfit.value.clone(),
            };
            objects.add(misfit.row, &column.key, &value);
        }
    }
    for column in columns {
        let Some(array) = column.always.and_then(|index| decoded.batch.columns().get(index)) else {
            continue;
        };
        for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
            objects.add(row, &column.key, &json(array, row, column)?);
        }
    }
    for repair in decoded.repairs.iter().filter(|repair| !repair.cut.is_empty()) {
        let cut: Vec<String> = repair.cut.iter().map(|field| string(field)).collect();
        objects.add(repair.row, CUT_KEY, &format!("[{}]", cut.join(",")));
    }
    Ok(objects.end(location))
}

/// Objects that are being written, by row.
struct Objects {
    rows: Vec<Option<String>>,
}

impl Objects {
    fn add(&mut self, row: usize, key: &str, value: &str) {
        let Some(object) = self.rows.get_mut(row) else { return };
        let object = object.get_or_insert_with(|| "{".to_owned());
        object.push_str(&string(key));
        object.push(':');
        object.push_str(value);
        object.push(',');
    }

    fn end(self, location: &str) -> ArrayRef {
        let end = format!("{}:{}}}", string(FILE_KEY), string(location));
        let whole = self.rows.into_iter().map(|object| object.map(|object| object + &end));
        Arc::new(whole.collect::<StringArray>())
    }
}

fn json(array: &ArrayRef, row: usize, column: &RescuedColumn) -> Result<String> {
    let mut bytes = Vec::new();
    render(array, row, &mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    if let Some(how) = &column.conceal {
        return Ok(string(&conceal_text(&text, how)));
    }
    let is_plain = match array.data_type() {
        DataType::Utf8 => {
            column.is_json
                && serde_json::from_str::<IgnoredAny>(array.as_string::<i32>().value(row)).is_ok()
        }
        DataType::Boolean | DataType::Int16 | DataType::Int32 | DataType::Int64 => true,
        DataType::Decimal128(_, _) => true,
        DataType::Float32 | DataType::Float64 => text.bytes().all(|it| !it.is_ascii_alphabetic()),
        _ => false,
    };
    Ok(if is_plain { text.into_owned() } else { string(&text) })
}

fn string(text: &str) -> String {
    // Writing a string as JSON does not fail.
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use arrow_array::{Int64Array, RecordBatch};

    use super::*;
    use crate::format::{Repair, RepairKind, Rescued};

    fn column(key: &str, always: Option<usize>, is_json: bool) -> RescuedColumn {
        RescuedColumn { key: key.into(), conceal: None, always, is_json }
    }

    #[test]
    fn only_rows_with_something_to_keep_have_an_object() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a\"b"), None, None]));
        let json: ArrayRef = Arc::new(StringArray::from(vec![None, None, Some("{\"x\":1e400}")]));
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![None, None, Some(7)]));
        let batch = [("t", texts), ("j", json), ("i", whole)];
        let batch = RecordBatch::try_from_iter_with_nullable(
            batch.map(|(name, array)| (name, array, true)),
        );
        let mut decoded = DecodedBatch::new(batch.unwrap(), Vec::new(), 3, 0);
        decoded.rescued = vec![Rescued { row: 0, column: 3, value: "\"x1\"".into() }];
        decoded.repairs = vec![Repair {
            kind: RepairKind::Cut,
            row: 2,
            cut: vec!["c".into(), String::new()],
            kept: None,
        }];
        let columns = [
            column("t", Some(0), false),
            column("j", Some(1), true),
            column("i", Some(2), false),
            column("amount", None, false),
        ];
        let found = rescued(&columns, &decoded, "s3://b/k").unwrap();
        let found: Vec<Option<&str>> = found.as_string::<i32>().iter().collect();
        assert_eq!(
            found,
            [
                Some(r#"{"amount":"x1","t":"a\"b","_file":"s3://b/k"}"#),
                None,
                Some(r#"{"j":{"x":1e400},"i":7,"_cut":["c",""],"_file":"s3://b/k"}"#),
            ]
        );
    }

    #[test]
    fn keys_do_not_repeat() {
        assert_eq!(keys(["a", "a", "_file", "a_2"].into_iter()), ["a", "a_2", "_file_2", "a_2_2"]);
    }
}
