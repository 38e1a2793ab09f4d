//! A column's values made ready for SQLite, all of them at once.
//!
//! What `Values::bind` makes of one value this makes of every value of a
//! column, before SQLite asks for the first. It refuses nothing: where there
//! is a value that must be refused it answers `None`, and the way row by row
//! says which one and why.

use std::ops::Range;

use arrow_array::types::Decimal128Type;
use arrow_array::{Array, BinaryArray, PrimitiveArray, StringArray};
use arrow_buffer::{NullBuffer, ScalarBuffer};

use super::super::render;
use super::{Number, Typed, Values, becomes_another_number, number};

/// The values of one column of a batch, as SQLite keeps them.
pub(crate) struct ReadyColumn {
    nulls: Option<NullBuffer>,
    cells: Cells,
}

/// One value, as SQLite takes it: of text and bytes where they begin and how
/// many there are. They stand in the column that the value was taken from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Double(f64),
    Text(*const u8, i32),
    /// Text with a NUL behind it, which spares SQLite a copy where it looks
    /// for a number.
    TerminatedText(*const u8, i32),
    Bytes(*const u8, i32),
}

/// What stands where there is no value is never looked at.
enum Cells {
    Integers(ScalarBuffer<i64>),
    Doubles(ScalarBuffer<f64>),
    Numbers(Vec<Number>),
    Texts(StringArray),
    Rendered(Rendered),
    Dates(Dates),
    Bytes(BinaryArray),
}

/// Texts with a NUL behind each, and where each ends.
struct Rendered {
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// Days that lie so close together that each is rendered once.
struct Dates {
    days: ScalarBuffer<i32>,
    first: i32,
    /// The texts from the first day to the last, with a NUL behind each.
    texts: Vec<u8>,
}

/// Bytes of a date and its NUL.
const DATE_BYTES: usize = 11;

impl Values<'_> {
    /// All values of the column; `None` when one of them must be refused.
    pub(crate) fn ready(&self) -> Option<ReadyColumn> {
        let nulls = self.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        let is_valid = |row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let cells = match &self.typed {
            Typed::Bool(array) => integers(array.values().iter().map(i64::from)),
            Typed::Int16(array) => integers(array.values().iter().map(|value| (*value).into())),
            Typed::Int32(array) => integers(array.values().iter().map(|value| (*value).into())),
            Typed::Int64(array) => Cells::Integers(array.values().clone()),
            Typed::Float32(array) => {
                let doubles: Vec<f64> = array.values().iter().map(|it| (*it).into()).collect();
                Cells::Doubles(without_nan(doubles.into(), is_valid)?)
            }
            Typed::Float64(array) => Cells::Doubles(without_nan(array.values().clone(), is_valid)?),
            Typed::DecimalNumber(array, scale) => Cells::Numbers(numbers(array, *scale, is_valid)?),
            Typed::Text(array) => Cells::Texts((*array).clone()),
            Typed::TextAmongNumbers(array) => {
                let is_kept = |row| !is_valid(row) || !becomes_another_number(array.value(row));
                (0..array.len()).all(is_kept).then(|| Cells::Texts((*array).clone()))?
            }
            Typed::Binary(array) => Cells::Bytes((*array).clone()),
            Typed::Date(array) => Dates::of(array.values(), is_valid)?,
            Typed::Time(array) => {
                Rendered::of(array.values().iter(), 15, is_valid, |text, micros| {
                    render::time(text, *micros)
                })?
            }
            Typed::Timestamp(array, zone) => {
                Rendered::of(array.values().iter(), 32, is_valid, |text, micros| {
                    render::timestamp(text, *micros, zone)
                })?
            }
            Typed::Uuid(array) => Rendered::of(0..array.len(), 36, is_valid, |text, row| {
                render::uuid(text, array.value(row));
                Some(())
            })?,
            Typed::DecimalText(array, scale) => {
                Rendered::of(array.values().iter(), 20, is_valid, |text, unscaled| {
                    render::decimal(text, *unscaled, *scale);
                    Some(())
                })?
            }
        };
        Some(ReadyColumn { nulls, cells })
    }
}

impl ReadyColumn {
    /// Puts the values of some rows into every `stride`th of the places, which
    /// are NULL.
    pub(crate) fn place(&self, rows: Range<usize>, places: &mut [Cell], stride: usize) {
        let target = places.iter_mut().step_by(stride);
        match &self.cells {
            Cells::Integers(values) => {
                let values = values.get(rows.clone()).unwrap_or_default();
                fill(target, values.iter().map(|value| Cell::Integer(*value)));
            }
            Cells::Doubles(values) => {
                let values = values.get(rows.clone()).unwrap_or_default();
                fill(target, values.iter().map(|value| Cell::Double(*value)));
            }
            Cells::Numbers(values) => {
                let values = values.get(rows.clone()).unwrap_or_default();
                fill(target, values.iter().map(|value| Cell::from(*value)));
            }
            Cells::Texts(texts) => {
                let bounds = bounds(texts.value_offsets(), &rows);
                fill(target, between(bounds, texts.value_data(), Cell::Text));
            }
            Cells::Bytes(bytes) => {
                let bounds = bounds(bytes.value_offsets(), &rows);
                fill(target, between(bounds, bytes.value_data(), Cell::Bytes));
            }
            Cells::Rendered(rendered) => fill(target, rendered.cells(&rows)),
            Cells::Dates(dates) => fill(target, dates.cells(&rows)),
        }
        let Some(nulls) = &self.nulls else { return };
        for (row, place) in rows.zip(places.iter_mut().step_by(stride)) {
            if row >= nulls.len() || nulls.is_null(row) {
                *place = Cell::Null;
            }
        }
    }
}

fn fill<'p>(places: impl Iterator<Item = &'p mut Cell>, cells: impl Iterator<Item = Cell>) {
    places.zip(cells).for_each(|(place, cell)| *place = cell);
}

/// Where the values of the rows begin, and where the last one ends.
fn bounds<'o>(offsets: &'o [i32], rows: &Range<usize>) -> &'o [i32] {
    offsets.get(rows.start..=rows.end).unwrap_or_default()
}

fn between(
    bounds: &[i32],
    data: &[u8],
    cell: impl Fn(*const u8, i32) -> Cell,
) -> impl Iterator<Item = Cell> {
    bounds.windows(2).map(move |bounds| match *bounds {
        [start, end] => match data.get(start as usize..end as usize) {
            Some(value) => cell(value.as_ptr(), end.wrapping_sub(start)),
            None => Cell::Null,
        },
        _ => Cell::Null,
    })
}

impl From<Number> for Cell {
    fn from(number: Number) -> Self {
        match number {
            Number::Integer(integer) => Self::Integer(integer),
            Number::Double(double) => Self::Double(double),
        }
    }
}

/// Text that has its NUL.
fn terminated(text: Option<&[u8]>) -> Cell {
    let length = text.and_then(|text| i32::try_from(text.len()).ok()?.checked_sub(1));
    match (text, length) {
        (Some(text), Some(length)) => Cell::TerminatedText(text.as_ptr(), length),
        _ => Cell::Null,
    }
}

impl Rendered {
    /// Renders the values that are there, which take about so many bytes.
    fn of<T>(
        values: impl ExactSizeIterator<Item = T>,
        bytes: usize,
        is_valid: impl Fn(usize) -> bool,
        render: impl Fn(&mut Vec<u8>, T) -> Option<()>,
    ) -> Option<Cells> {
        let mut text = Vec::with_capacity(values.len().saturating_mul(bytes + 1));
        let mut ends = Vec::with_capacity(values.len());
        for (row, value) in values.enumerate() {
            if is_valid(row) {
                render(&mut text, value)?;
            }
            text.push(0);
            ends.push(text.len());
        }
        Some(Cells::Rendered(Self { text, ends }))
    }

    fn cells(&self, rows: &Range<usize>) -> impl Iterator<Item = Cell> {
        let before = rows.start.checked_sub(1).and_then(|before| self.ends.get(before));
        let mut start = before.copied().unwrap_or_default();
        self.ends.get(rows.clone()).unwrap_or_default().iter().map(move |end| {
            let text = self.text.get(start..*end);
            start = *end;
            terminated(text)
        })
    }
}

impl Dates {
    /// Where there are more days from the first to the last than rows, each
    /// row's is rendered.
    fn of(days: &ScalarBuffer<i32>, is_valid: impl Fn(usize) -> bool) -> Option<Cells> {
        let valid = days.iter().enumerate().filter(|(row, _)| is_valid(*row));
        let (first, last) = valid.fold((i32::MAX, i32::MIN), |(first, last), (_, day)| {
            (first.min(*day), last.max(*day))
        });
        if i64::from(last) - i64::from(first) >= days.len() as i64 {
            return Rendered::of(days.iter(), DATE_BYTES, is_valid, |text, day| {
                render::date(text, *day)
            });
        }
        let mut texts = Vec::with_capacity(days.len() * DATE_BYTES);
        for day in first..=last {
            render::date(&mut texts, day)?;
            texts.push(0);
        }
        Some(Cells::Dates(Self { days: days.clone(), first, texts }))
    }

    fn cells(&self, rows: &Range<usize>) -> impl Iterator<Item = Cell> {
        self.days.get(rows.clone()).unwrap_or_default().iter().map(|day| {
            let start = usize::try_from(day.wrapping_sub(self.first)).ok();
            let start = start.and_then(|day| day.checked_mul(DATE_BYTES));
            let text = start.and_then(|start| self.texts.get(start..)?.get(..DATE_BYTES));
            terminated(text)
        })
    }
}

fn integers(values: impl Iterator<Item = i64>) -> Cells {
    Cells::Integers(values.collect::<Vec<_>>().into())
}

fn without_nan(
    values: ScalarBuffer<f64>,
    is_valid: impl Fn(usize) -> bool,
) -> Option<ScalarBuffer<f64>> {
    let has_nan = values.iter().enumerate().any(|(row, value)| value.is_nan() && is_valid(row));
    (!has_nan).then_some(values)
}

fn numbers(
    decimals: &PrimitiveArray<Decimal128Type>,
    scale: i8,
    is_valid: impl Fn(usize) -> bool,
) -> Option<Vec<Number>> {
    let number_of = |(row, unscaled): (usize, &i128)| match is_valid(row) {
        true => number(*unscaled, scale),
        false => Some(Number::Integer(0)),
    };
    decimals.values().iter().enumerate().map(number_of).collect()
}
