//! Arrays of a type as arrays of a wider one, by value.

use arrow_array::{Array, ArrayRef};
use decant_core::schema::ColumnType;

use super::{column, render};

/// A double counts to this without leaving an integer out.
const DOUBLE_COUNTS_TO: u64 = 1 << 53;

/// The values of `array`, of type `from`, as values of type `to`; `None` when
/// one would not survive.
pub fn wider(array: &dyn Array, from: ColumnType, to: ColumnType) -> Option<ArrayRef> {
    let values: Option<Vec<Option<String>>> = (0..array.len())
        .map(|row| match render(array, row) {
            Some(value) => one(&value, from, to).map(Some),
            None => Some(None),
        })
        .collect();
    let values = values?;
    let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
    Some(column(to, &values))
}

fn one(value: &str, from: ColumnType, to: ColumnType) -> Option<String> {
    use ColumnType::{Binary, Date, Float32, Float64, Int64, Text, Timestamp, TimestampTz};
    Some(match (from, to) {
        (Date, Timestamp) => format!("{value} 00:00:00"),
        (TimestampTz, Text) => format!("{value}+00:00"),
        (Binary, Text) => format!("\\x{value}"),
        (Float32, Float64) => f64::from(value.parse::<f32>().ok()?).to_string(),
        (Int64, Float64) => {
            let integer: i64 = value.parse().ok()?;
            (integer.unsigned_abs() <= DOUBLE_COUNTS_TO).then(|| value.to_owned())?
        }
        _ => value.to_owned(),
    })
}
