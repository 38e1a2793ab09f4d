//! A column's values made ready for SQLite, all of them at once.
//!
//! What `Values::bind` makes of one value this makes of every value of a
//! column, before SQLite asks for the first. It refuses nothing: where there
//! is a value that must be refused it answers `None`, and the way row by row
//! says which one and why.

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

/// One value, as SQLite takes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Integer(i64),
    Double(f64),
    Text(&'a [u8]),
    /// Text and a NUL behind it, which spares SQLite a copy where it looks
    /// for a number.
    TerminatedText(&'a [u8]),
    Bytes(&'a [u8]),
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
    /// The value of `row`.
    #[inline]
    pub(crate) fn cell(&self, row: usize) -> Cell<'_> {
        if self.nulls.as_ref().is_some_and(|nulls| row >= nulls.len() || nulls.is_null(row)) {
            return Cell::Null;
        }
        let cell = match &self.cells {
            Cells::Integers(values) => values.get(row).map(|value| Cell::Integer(*value)),
            Cells::Doubles(values) => values.get(row).map(|value| Cell::Double(*value)),
            Cells::Numbers(values) => values.get(row).map(|number| match number {
                Number::Integer(integer) => Cell::Integer(*integer),
                Number::Double(double) => Cell::Double(*double),
            }),
            Cells::Texts(texts) => {
                between(texts.value_offsets(), texts.value_data(), row).map(Cell::Text)
            }
            Cells::Bytes(bytes) => {
                between(bytes.value_offsets(), bytes.value_data(), row).map(Cell::Bytes)
            }
            Cells::Rendered(rendered) => rendered.get(row).map(Cell::TerminatedText),
            Cells::Dates(dates) => dates.get(row).map(Cell::TerminatedText),
        };
        cell.unwrap_or(Cell::Null)
    }
}

#[inline]
fn between<'a>(offsets: &[i32], data: &'a [u8], row: usize) -> Option<&'a [u8]> {
    let [start, end] = *offsets.get(row..)?.first_chunk::<2>()?;
    data.get(start as usize..end as usize)
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

    /// The text with its NUL.
    #[inline]
    fn get(&self, row: usize) -> Option<&[u8]> {
        let start = match row.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(start..*self.ends.get(row)?)
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

    /// The text with its NUL.
    #[inline]
    fn get(&self, row: usize) -> Option<&[u8]> {
        let day = self.days.get(row)?.wrapping_sub(self.first);
        let start = usize::try_from(day).ok()?.checked_mul(DATE_BYTES)?;
        self.texts.get(start..)?.get(..DATE_BYTES)
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
