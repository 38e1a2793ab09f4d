//! Arrays to canonical text.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta};

/// The canonical text of a value; `None` for NULL.
pub fn render(array: &dyn Array, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float32 => format!("{:?}", array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            decimal(array.as_primitive::<Decimal128Type>().value(row), *scale)
        }
        DataType::Date32 => date(array.as_primitive::<Date32Type>().value(row)),
        DataType::Time64(_) => time(array.as_primitive::<Time64MicrosecondType>().value(row)),
        DataType::Timestamp(_, _) => {
            timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::FixedSizeBinary(_) => uuid(array.as_fixed_size_binary().value(row)),
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Binary => hexadecimal(array.as_binary::<i32>().value(row)),
        other => panic!("{other} is the representation of no column type"),
    })
}

/// The canonical texts of a batch's row.
pub fn render_row(batch: &RecordBatch, row: usize) -> Vec<Option<String>> {
    batch.columns().iter().map(|array| render(array, row)).collect()
}

fn decimal(unscaled: i128, scale: i8) -> String {
    let scale = usize::try_from(scale).expect("a scale from 0");
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    let point = if scale == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

fn date(days: i32) -> String {
    (NaiveDate::default() + TimeDelta::days(days.into())).to_string()
}

fn time(micros: i64) -> String {
    let (time, _) = NaiveTime::MIN.overflowing_add_signed(TimeDelta::microseconds(micros));
    without_zeros(&time.format("%H:%M:%S%.6f").to_string())
}

fn timestamp(micros: i64) -> String {
    let moment = DateTime::from_timestamp_micros(micros).expect("years 1 to 9999");
    without_zeros(&moment.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}

/// A fraction of seconds without the zeros at its end.
fn without_zeros(text: &str) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn uuid(bytes: &[u8]) -> String {
    let digits = hexadecimal(bytes);
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}
