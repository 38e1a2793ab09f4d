//! Cells as values, and values as arrays.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, NullArray, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, UnionArray,
};
use arrow_schema::{Field, UnionFields};
use calamine::Data;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use decant_core::Result;

use super::moment::moment;
use crate::arrow::cells::Scalar;
use crate::arrow::render;
use crate::natives::internal;

/// Whole numbers up to this are exact in a cell.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    Whole(i64),
    Number(f64),
    Date(NaiveDate),
    Time(NaiveTime),
    Timestamp(NaiveDateTime),
    Text(String),
    /// No value: an error, or a number that is to be a date and is none.
    Bad(String),
}

/// What all values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Nothing,
    Bool,
    Whole,
    Number,
    Date,
    Time,
    Timestamp,
    Text,
}

impl Kind {
    pub(super) fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, known) | (known, Self::Nothing) => known,
            (mine, theirs) if mine == theirs => mine,
            (Self::Whole, Self::Number) | (Self::Number, Self::Whole) => Self::Number,
            (Self::Date, Self::Timestamp) | (Self::Timestamp, Self::Date) => Self::Timestamp,
            _ => Self::Text,
        }
    }
}

pub(super) fn read(data: Data) -> Value {
    match data {
        Data::Int(value) => Value::Whole(value),
        Data::Float(value) => number(value),
        Data::Bool(value) => Value::Bool(value),
        Data::DateTime(value) => moment(value),
        Data::DateTimeIso(text) => iso(text),
        Data::String(text) | Data::DurationIso(text) => Value::Text(text),
        Data::Error(error) => Value::Bad(error.to_string()),
        Data::Empty => Value::Text(String::new()),
    }
}

fn iso(text: String) -> Value {
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Value::Date(date);
    }
    match text.parse::<NaiveDateTime>() {
        Ok(moment) if moment.nanosecond() % 1_000 == 0 => Value::Timestamp(moment),
        _ => Value::Text(text),
    }
}

pub(super) fn kind(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Bool,
        Value::Whole(_) => Kind::Whole,
        Value::Number(_) => Kind::Number,
        Value::Date(_) => Kind::Date,
        Value::Time(_) => Kind::Time,
        Value::Timestamp(_) => Kind::Timestamp,
        Value::Text(_) => Kind::Text,
        Value::Bad(_) => Kind::Nothing,
    }
}

pub(super) fn number(value: f64) -> Value {
    match value.fract() == 0.0 && value.abs() <= WHOLE_MAX {
        true => Value::Whole(value as i64),
        false => Value::Number(value),
    }
}

fn microseconds(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond() / 1_000)
}

fn days(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

pub(super) fn text(value: &Value) -> String {
    let scalar = match value {
        Value::Bool(value) => Scalar::Bool(*value),
        Value::Whole(value) => Scalar::Integer((*value).into()),
        Value::Number(value) => Scalar::Double(*value),
        Value::Date(date) => Scalar::Date(days(*date)),
        Value::Time(time) => Scalar::Time(microseconds(*time) * 1_000),
        Value::Timestamp(at) => {
            let at = at.and_utc();
            Scalar::Moment(at.timestamp(), at.timestamp_subsec_nanos(), false)
        }
        Value::Text(text) | Value::Bad(text) => Scalar::Text(text),
    };
    render::text(&scalar)
}

/// The values of a column of this kind as an array; where bad ones may be
/// among them, as a union with their text.
pub(super) fn array(values: &[Option<Value>], kind: Kind, may_be_bad: bool) -> Result<ArrayRef> {
    if kind == Kind::Text || !may_be_bad {
        return Ok(typed(values, kind));
    }
    let bad = |value: &Option<Value>| match value {
        Some(Value::Bad(text)) => Some(text.clone()),
        _ => None,
    };
    let bad: StringArray = values.iter().map(bad).collect();
    let good = match kind {
        Kind::Nothing => Arc::new(NullArray::new(values.len())),
        _ => typed(values, kind),
    };
    let ids = bad.iter().map(|bad| i8::from(bad.is_some())).collect();
    let fields = [("value", good.data_type()), ("bad", bad.data_type())];
    let fields = fields.map(|(name, held)| Field::new(name, held.clone(), true));
    let children = vec![good, Arc::new(bad) as ArrayRef];
    let union = UnionArray::try_new(UnionFields::from_fields(fields), ids, None, children);
    Ok(Arc::new(union.map_err(internal)?))
}

fn typed(values: &[Option<Value>], kind: Kind) -> ArrayRef {
    let each = values.iter().map(Option::as_ref);
    macro_rules! take {
        ($array:ty, $($pattern:pat => $value:expr),+) => {
            Arc::new(<$array>::from_iter(each.map(|value| match value {
                $(Some($pattern) => Some($value),)+
                _ => None,
            })))
        };
    }
    match kind {
        Kind::Bool => take!(BooleanArray, Value::Bool(value) => *value),
        Kind::Whole => take!(Int64Array, Value::Whole(value) => *value),
        Kind::Number => {
            take!(Float64Array, Value::Number(v) => *v, Value::Whole(v) => *v as f64)
        }
        Kind::Date => take!(Date32Array, Value::Date(date) => days(*date) as i32),
        Kind::Time => take!(Time64MicrosecondArray, Value::Time(time) => microseconds(*time)),
        Kind::Timestamp => take!(
            TimestampMicrosecondArray,
            Value::Timestamp(at) => at.and_utc().timestamp_micros(),
            Value::Date(date) => days(*date) * 86_400_000_000
        ),
        Kind::Nothing | Kind::Text => {
            let mut builder = StringBuilder::new();
            each.for_each(|value| builder.append_option(value.map(text)));
            Arc::new(builder.finish())
        }
    }
}
