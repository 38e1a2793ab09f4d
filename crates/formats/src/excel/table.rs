//! Cells as named and typed columns.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, NullArray, RecordBatch,
    StringArray, Time64MicrosecondArray, TimestampMicrosecondArray, UnionArray,
};
use arrow_schema::{DataType, Field, Schema, UnionFields};
use calamine::Data;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use decant_core::{Error, ErrorKind, Result};

use super::header::header_rows;
use super::moment::moment;
use super::workbook::{Area, Cell};
use crate::arrow::cells::Scalar;
use crate::arrow::render;
use crate::arrow::source::{Meaning, SourceColumns};
use crate::natives::internal;

/// Columns of a sheet at most, as in the programs that write them.
const COLUMNS_MAX: u32 = 16_384;
/// Whole numbers up to this are exact in a cell.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
/// What a value takes in memory, roughly.
const VALUE_BYTES: u64 = 32;

/// The rows of a sheet.
pub(super) struct Table {
    pub(super) columns: SourceColumns,
    pub(super) batch: RecordBatch,
    /// Bytes that the rows take, roughly.
    pub(super) bytes: u64,
    /// What was found out about its names.
    pub(super) explanation: Option<&'static str>,
}

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

impl Table {
    /// Takes the first rows as names and the others as values; `given` says
    /// how many.
    pub(super) fn new(cells: Vec<Cell>, area: Area, given: Option<u32>) -> Result<Self> {
        let left = match area.columns {
            (left, u32::MAX) => cells.iter().map(|(_, column, _)| *column).min().unwrap_or(left),
            (left, _) => left,
        };
        let right = cells.iter().map(|(_, column, _)| *column).max();
        let right = if area.columns.1 == u32::MAX { right } else { Some(area.columns.1) };
        let width = right.map_or(0, |right| right - left + 1);
        if width > COLUMNS_MAX || cells.is_empty() {
            return match width {
                ..=COLUMNS_MAX => Self::empty(),
                _ => Err(Error::new(ErrorKind::MalformedFile, "the sheet has too many columns")),
            };
        }
        let rows_of_names = given.unwrap_or_else(|| header_rows(&cells));
        let mut rows = Rows::new(cells);
        let names = names(&mut rows, left, width, rows_of_names);
        let mut columns: Vec<Vec<Option<Value>>> = vec![Vec::new(); width as usize];
        let mut count = 0;
        while let Some(row) = rows.next() {
            for (_, column, value) in row {
                if let Some(place) = columns.get_mut((column - left) as usize) {
                    place.resize(count, None);
                    place.push((value != Data::Empty).then(|| read(value)));
                }
            }
            count += 1;
        }
        columns.iter_mut().for_each(|values| values.resize(count, None));
        let table = Self::of_columns(&names, &columns, rows_of_names > 0)?;
        let explanation = (given.is_none() && rows_of_names == 0)
            .then_some("there is no header: the first row has values like those below it");
        Ok(Self { explanation, ..table })
    }

    fn empty() -> Result<Self> {
        let batch = RecordBatch::new_empty(Arc::new(Schema::empty()));
        Ok(Self { columns: SourceColumns::default(), batch, bytes: 0, explanation: None })
    }

    fn of_columns(names: &[String], columns: &[Vec<Option<Value>>], named: bool) -> Result<Self> {
        let arrays = columns.iter().map(|values| array(values));
        let arrays = arrays.collect::<Result<Vec<ArrayRef>>>()?;
        let fields = names.iter().zip(&arrays);
        let fields = fields.map(|(name, array)| Field::new(name, array.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let meanings = arrays.iter().map(|array| match array.data_type() {
            DataType::Union(..) => Meaning::WithBad,
            _ => Meaning::Plain,
        });
        let columns = SourceColumns::with_meanings(schema.fields(), meanings.collect())?;
        let columns = if named { columns } else { columns.unnamed() };
        let batch = RecordBatch::try_new(schema, arrays).map_err(internal)?;
        let bytes = batch.num_rows() as u64 * columns.len() as u64 * VALUE_BYTES;
        Ok(Self { columns, batch, bytes, explanation: None })
    }
}

/// Cells, row by row.
struct Rows {
    cells: std::iter::Peekable<std::vec::IntoIter<Cell>>,
}

impl Rows {
    fn new(cells: Vec<Cell>) -> Self {
        Self { cells: cells.into_iter().peekable() }
    }

    fn next(&mut self) -> Option<Vec<Cell>> {
        let row = self.cells.peek()?.0;
        let mut cells = Vec::new();
        while let Some(cell) = self.cells.next_if(|cell| cell.0 == row) {
            cells.push(cell);
        }
        Some(cells)
    }
}

/// The columns' names: those of several rows joined by `_`; `column_N` where
/// there is none.
fn names(rows: &mut Rows, left: u32, width: u32, header_rows: u32) -> Vec<String> {
    let mut names = vec![String::new(); width as usize];
    for _ in 0..header_rows {
        for (_, column, value) in rows.next().unwrap_or_default() {
            if let Some(name) = names.get_mut((column - left) as usize) {
                if !name.is_empty() {
                    name.push('_');
                }
                name.push_str(text(&read(value)).trim());
            }
        }
    }
    for (nth, name) in names.iter_mut().enumerate().filter(|(_, name)| name.is_empty()) {
        *name = format!("column_{}", nth + 1);
    }
    names
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

/// The values of a column as an array of their type; with bad ones among them
/// a union with their text.
fn array(values: &[Option<Value>]) -> Result<ArrayRef> {
    let joined = values.iter().flatten().map(kind).fold(Kind::Nothing, Kind::join);
    let bad = |value: &Option<Value>| match value {
        Some(Value::Bad(text)) => Some(text.clone()),
        _ => None,
    };
    let bad: StringArray = values.iter().map(bad).collect();
    if joined == Kind::Text || bad.null_count() == bad.len() {
        return Ok(typed(values, joined));
    }
    let good = match joined {
        Kind::Nothing => Arc::new(NullArray::new(values.len())),
        _ => typed(values, joined),
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
