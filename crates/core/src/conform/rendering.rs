//! One rendering a value: the bytes that a row hash is made of.
//!
//! Equal values have equal bytes, whatever the type of their column: `1` is
//! the same as an integer, as a decimal and as a double.

use std::io::Write as _;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_schema::DataType;
use chrono::{DateTime, NaiveDate, NaiveTime};

use crate::error::{Error, ErrorKind, Result};

/// Appends the rendering of the value at `row`, which is not NULL.
///
/// Truth values are `true` and `false`; numbers plain decimals without
/// trailing zeros; days `2024-01-31`; times `12:00:00.000000`; timestamps
/// both with a `T` between, and a `Z` behind where they have a zone; UUIDs 32
/// hexadecimal digits; text and JSON their UTF-8; binary its bytes.
pub(super) fn render(array: &dyn Array, row: usize, into: &mut Vec<u8>) -> Result<()> {
    let text = match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float32 => float(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            decimal(array.as_primitive::<Decimal128Type>().value(row), *scale)
        }
        DataType::Date32 => date(array.as_primitive::<Date32Type>().value(row)),
        DataType::Time64(_) => time(array.as_primitive::<Time64MicrosecondType>().value(row)),
        DataType::Timestamp(_, zone) => {
            let value = array.as_primitive::<TimestampMicrosecondType>().value(row);
            timestamp(value) + if zone.is_some() { "Z" } else { "" }
        }
        DataType::Utf8 => {
            into.extend_from_slice(array.as_string::<i32>().value(row).as_bytes());
            return Ok(());
        }
        DataType::Binary => {
            into.extend_from_slice(array.as_binary::<i32>().value(row));
            return Ok(());
        }
        DataType::FixedSizeBinary(_) => {
            for byte in array.as_fixed_size_binary().value(row) {
                write!(into, "{byte:02x}").map_err(internal)?;
            }
            return Ok(());
        }
        other => return Err(internal(format!("Arrow's {other} has no rendering"))),
    };
    into.extend_from_slice(text.as_bytes());
    Ok(())
}

fn internal(message: impl ToString) -> Error {
    Error::new(ErrorKind::Internal, message.to_string())
}

/// The shortest plain decimal that reads back as the same double.
fn float(value: f64) -> String {
    // -0.0 equals 0.0.
    if value == 0.0 { "0".to_owned() } else { value.to_string() }
}

fn decimal(mut unscaled: i128, mut scale: i8) -> String {
    while scale > 0 && unscaled % 10 == 0 {
        unscaled /= 10;
        scale -= 1;
    }
    let digits = unscaled.unsigned_abs().to_string();
    let sign = if unscaled < 0 { "-" } else { "" };
    let scale = usize::try_from(scale).unwrap_or(0);
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

fn date(days: i32) -> String {
    NaiveDate::from_epoch_days(days).map_or_else(|| format!("day {days}"), |day| day.to_string())
}

fn time(microseconds: i64) -> String {
    let seconds = u32::try_from(microseconds.div_euclid(1_000_000)).unwrap_or(u32::MAX);
    let nanoseconds = (microseconds.rem_euclid(1_000_000) * 1000) as u32;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanoseconds)
        .map_or_else(|| format!("time {microseconds}"), |it| it.format("%H:%M:%S%.6f").to_string())
}

fn timestamp(microseconds: i64) -> String {
    DateTime::from_timestamp_micros(microseconds).map_or_else(
        || format!("timestamp {microseconds}"),
        |it| it.format("%Y-%m-%dT%H:%M:%S%.6f").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array,
        Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    };

    use super::*;

    fn rendered(array: impl Array + 'static) -> String {
        let array: ArrayRef = Arc::new(array);
        let mut bytes = Vec::new();
        render(&array, 0, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn each_type_has_its_rendering() {
        let decimal = |value: i128, scale: i8| {
            rendered(
                Decimal128Array::from(vec![value]).with_precision_and_scale(38, scale).unwrap(),
            )
        };
        for (found, expected) in [
            (rendered(BooleanArray::from(vec![true])), "true"),
            (rendered(Int64Array::from(vec![-7])), "-7"),
            (rendered(Float64Array::from(vec![-0.0])), "0"),
            (rendered(Float64Array::from(vec![1e21])), "1000000000000000000000"),
            (rendered(Float64Array::from(vec![0.1])), "0.1"),
            (decimal(100, 2), "1"),
            (decimal(-5, 3), "-0.005"),
            (rendered(Date32Array::from(vec![-1])), "1969-12-31"),
            (rendered(Time64MicrosecondArray::from(vec![1])), "00:00:00.000001"),
            (rendered(TimestampMicrosecondArray::from(vec![-1])), "1969-12-31T23:59:59.999999"),
            (
                rendered(TimestampMicrosecondArray::from(vec![0]).with_timezone("UTC")),
                "1970-01-01T00:00:00.000000Z",
            ),
            (rendered(StringArray::from(vec!["é"])), "é"),
            (
                rendered(FixedSizeBinaryArray::try_from_iter([[0xab_u8; 16]].iter()).unwrap()),
                "abababababababababababababababab",
            ),
        ] {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn equal_numbers_are_rendered_alike_in_every_type() {
        let decimal = Decimal128Array::from(vec![120]).with_precision_and_scale(38, 1).unwrap();
        assert_eq!(rendered(decimal), rendered(Int64Array::from(vec![12])));
        assert_eq!(rendered(Float64Array::from(vec![12.0])), rendered(Int64Array::from(vec![12])));
    }
}
