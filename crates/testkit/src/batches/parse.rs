//! Canonical text to arrays.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
    Float32Array, Float64Array, Int16Array, Int32Array, Int64Array, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use decant_core::schema::{ColumnType, DecimalBounds};

const DIGITS_MAX: u8 = 38;

/// An array of the Arrow type of `column_type` from canonical text. Decimals
/// without bounds get the scale that their values need.
pub fn column(column_type: ColumnType, values: &[Option<&str>]) -> ArrayRef {
    match column_type {
        ColumnType::Bool => Arc::new(BooleanArray::from(parsed(values, plain))),
        ColumnType::Int16 => Arc::new(Int16Array::from(parsed(values, plain))),
        ColumnType::Int32 => Arc::new(Int32Array::from(parsed(values, plain))),
        ColumnType::Int64 => Arc::new(Int64Array::from(parsed(values, plain))),
        ColumnType::Float32 => Arc::new(Float32Array::from(parsed(values, plain))),
        ColumnType::Float64 => Arc::new(Float64Array::from(parsed(values, plain))),
        ColumnType::Decimal(bounds) => decimals(bounds, values),
        ColumnType::Date => Arc::new(Date32Array::from(parsed(values, days))),
        ColumnType::Time => Arc::new(Time64MicrosecondArray::from(parsed(values, time))),
        ColumnType::Timestamp => {
            Arc::new(TimestampMicrosecondArray::from(parsed(values, timestamp)))
        }
        ColumnType::TimestampTz => {
            let moments = TimestampMicrosecondArray::from(parsed(values, timestamp));
            Arc::new(moments.with_timezone("UTC"))
        }
        ColumnType::Uuid => uuids(values),
        ColumnType::Text | ColumnType::Json | ColumnType::List(_) => {
            Arc::new(StringArray::from(values.to_vec()))
        }
        ColumnType::Binary => {
            let bytes = parsed(values, bytes);
            Arc::new(bytes.iter().map(Option::as_deref).collect::<BinaryArray>())
        }
    }
}

fn parsed<T>(values: &[Option<&str>], parse: fn(&str) -> T) -> Vec<Option<T>> {
    values.iter().map(|value| value.map(parse)).collect()
}

fn plain<T: FromStr<Err: Display>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("`{text}` is not canonical: {error}"))
}

fn days(text: &str) -> i32 {
    let days = plain::<NaiveDate>(text).signed_duration_since(NaiveDate::default()).num_days();
    i32::try_from(days).expect("years 1 to 9999")
}

fn time(text: &str) -> i64 {
    let time: NaiveTime = plain(text);
    time.signed_duration_since(NaiveTime::MIN).num_microseconds().expect("a time of day")
}

fn timestamp(text: &str) -> i64 {
    let moment = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f");
    let moment = moment.unwrap_or_else(|error| panic!("`{text}` is not canonical: {error}"));
    DateTime::timestamp_micros(&moment.and_utc())
}

fn bytes(text: &str) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).expect("a hexadecimal digit") as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn uuids(values: &[Option<&str>]) -> ArrayRef {
    let uuids = parsed(values, |text| bytes(&text.replace('-', "")));
    let array = FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids.into_iter(), 16);
    Arc::new(array.expect("16 bytes each"))
}

fn decimals(bounds: Option<DecimalBounds>, values: &[Option<&str>]) -> ArrayRef {
    let needed = values.iter().flatten().map(|text| fraction(text).len()).max().unwrap_or(0);
    let needed = i8::try_from(needed).expect("at most 38 digits");
    let bounds = bounds.unwrap_or(DecimalBounds { precision: DIGITS_MAX, scale: needed });
    let unscaled = values.iter().map(|value| value.map(|text| unscaled(text, bounds.scale)));
    let array = unscaled.collect::<Decimal128Array>();
    Arc::new(array.with_precision_and_scale(bounds.precision, bounds.scale).expect("a decimal"))
}

fn fraction(text: &str) -> &str {
    text.split_once('.').map_or("", |(_, fraction)| fraction)
}

fn unscaled(text: &str, scale: i8) -> i128 {
    let digits = text.replace('.', "");
    let missing = usize::try_from(scale).expect("a scale from 0") - fraction(text).len();
    plain(&format!("{digits}{}", "0".repeat(missing)))
}
