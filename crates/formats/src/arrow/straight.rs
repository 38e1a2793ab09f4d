//! Arrays whose values need no look one by one: they are what was asked for
//! already, or are copied as they are.
//!
//! Not here: values of another type, and those that do not fit, which are for
//! [`super::convert`] to read and to refuse. What is made here is what it would
//! make.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, PrimitiveArray, StringViewArray};
use arrow_schema::DataType;
use decant_core::Result;
use decant_core::format::Target;
use decant_core::schema::{ColumnType, DecimalBounds};

use super::convert::{ARRAY_BYTES_MAX, DAYS, MICROSECONDS, SECONDS_PER_DAY};
use crate::natives::internal;
use crate::strings::Strings;
use crate::values::decimal::power_of_ten;

/// What became of some rows.
pub(super) enum Straight {
    Array(ArrayRef),
    /// They are more than one array may hold.
    TooMany,
    /// They have to be looked at.
    No,
}

/// Takes `rows` of an array as they are, where that makes what `target` asks
/// for.
pub(super) fn column(array: &ArrayRef, rows: &Range<usize>, target: &Target) -> Result<Straight> {
    if target.format.is_some() || target.trim {
        return Ok(Straight::No);
    }
    match (target.column_type, array.data_type()) {
        (ColumnType::Text, DataType::Utf8View) => texts(array.as_string_view(), rows),
        (ColumnType::Decimal(Some(bounds)), DataType::Decimal128(_, scale))
            if *scale == bounds.scale =>
        {
            decimals(array.as_primitive(), rows, bounds)
        }
        (column_type, _) => Ok(match unchanged(array, rows, column_type) {
            true => Straight::Array(Arc::clone(array)),
            false => Straight::No,
        }),
    }
}

/// Whether an array is already what was asked for, and all of its values are
/// in the type's range.
fn unchanged(array: &ArrayRef, rows: &Range<usize>, column_type: ColumnType) -> bool {
    if *rows != (0..array.len()) || *array.data_type() != column_type.arrow() {
        return false;
    }
    match column_type {
        ColumnType::Bool
        | ColumnType::Int16
        | ColumnType::Int32
        | ColumnType::Int64
        | ColumnType::Float32
        | ColumnType::Float64 => true,
        ColumnType::Text => array.get_array_memory_size() <= ARRAY_BYTES_MAX,
        ColumnType::Date => {
            let in_range = |days: &i32| DAYS.contains(&i64::from(*days));
            array.as_primitive::<Date32Type>().values().iter().all(in_range)
        }
        ColumnType::Timestamp | ColumnType::TimestampTz => {
            let in_range =
                |micros: &i64| DAYS.contains(&micros.div_euclid(SECONDS_PER_DAY * MICROSECONDS));
            array.as_primitive::<TimestampMicrosecondType>().values().iter().all(in_range)
        }
        _ => false,
    }
}

/// Decimals of the same scale, if all of them are within the bounds.
fn decimals(
    array: &PrimitiveArray<Decimal128Type>,
    rows: &Range<usize>,
    bounds: DecimalBounds,
) -> Result<Straight> {
    let array = array.slice(rows.start, rows.len());
    let limit = power_of_ten(u32::from(bounds.precision)).unwrap_or(i128::MAX).unsigned_abs();
    if !array.values().iter().all(|value| value.unsigned_abs() < limit) {
        return Ok(Straight::No);
    }
    let array = array.with_precision_and_scale(bounds.precision, bounds.scale).map_err(internal)?;
    Ok(Straight::Array(Arc::new(array)))
}

/// Texts that stand in other buffers, or in their views.
fn texts(array: &StringViewArray, rows: &Range<usize>) -> Result<Straight> {
    let array = array.slice(rows.start, rows.len());
    let views = array.views();
    let bytes: usize = views.iter().map(|view| *view as u32 as usize).sum();
    if bytes > ARRAY_BYTES_MAX && array.len() > 1 {
        return Ok(Straight::TooMany);
    }
    let (inline, buffers) = (views.inner().as_slice(), array.data_buffers());
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    let mut strings = Strings::with_capacity(array.len(), bytes);
    for (row, view) in views.iter().enumerate() {
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            strings.push(None);
            continue;
        }
        let length = *view as u32 as usize;
        let (source, offset) = if length <= INLINE_BYTES {
            (inline, row * VIEW_BYTES + LENGTH_BYTES)
        } else {
            let buffer = buffers.get((*view >> 64) as u32 as usize);
            let buffer = buffer.map(|buffer| buffer.as_slice()).unwrap_or_default();
            (buffer, (*view >> 96) as u32 as usize)
        };
        strings.push_part(source, offset..offset + length);
    }
    Ok(Straight::Array(Arc::new(strings.finish()?)))
}

/// Bytes of a text that stands in its view, behind its length:
/// <https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-view-layout>.
const INLINE_BYTES: usize = 12;
const VIEW_BYTES: usize = 16;
const LENGTH_BYTES: usize = 4;

#[cfg(test)]
mod tests {
    use super::super::cells::Cells;
    use super::super::convert::{Troubles, by_value};
    use super::super::source::Meaning;
    use super::*;
    use arrow_array::builder::StringViewBuilder;
    use arrow_array::{Date32Array, Decimal128Array};
    use proptest::prelude::*;

    /// Asserts that what is taken straight is what is made value by value.
    fn check(array: &ArrayRef, rows: Range<usize>, column_type: ColumnType) -> bool {
        let target = Target::new(column_type, true);
        let cells = Cells::new(array, Meaning::Plain).unwrap();
        let mut troubles = Troubles::new();
        let expected = by_value(array, &cells, rows.clone(), &target, &mut troubles).unwrap();
        match column(array, &rows, &target).unwrap() {
            Straight::Array(array) => {
                assert_eq!(&array, expected.as_ref().unwrap());
                assert!(troubles.is_empty());
                true
            }
            Straight::TooMany => panic!("these are few bytes"),
            Straight::No => false,
        }
    }

    fn rows_of(count: usize, start: usize, end: usize) -> Range<usize> {
        let start = start.min(count);
        start..end.clamp(start, count)
    }

    proptest! {
        #[test]
        fn texts_are_copied_as_they_are(
            texts in prop::collection::vec(prop::option::of("[a-zü]{0,40}"), 0..60),
            start in 0_usize..60,
            end in 0_usize..60,
        ) {
            let mut builder = StringViewBuilder::new().with_fixed_block_size(100);
            texts.iter().for_each(|text| builder.append_option(text.as_deref()));
            let array: ArrayRef = Arc::new(builder.finish());
            prop_assert!(check(&array, rows_of(texts.len(), start, end), ColumnType::Text));
        }

        #[test]
        fn decimals_keep_their_digits_within_their_bounds(
            values in prop::collection::vec(prop::option::of(-1200_i128..1200), 0..60),
            precision in 3_u8..6,
            start in 0_usize..60,
            end in 0_usize..60,
        ) {
            let array = Decimal128Array::from(values.clone());
            let array: ArrayRef = Arc::new(array.with_precision_and_scale(5, 2).unwrap());
            let rows = rows_of(values.len(), start, end);
            let bounds = DecimalBounds { precision, scale: 2 };
            let fits = |value: &Option<i128>| {
                value.is_none_or(|value| value.abs() < 10_i128.pow(precision.into()))
            };
            let expected = values[rows.clone()].iter().all(fits);
            prop_assert_eq!(check(&array, rows, ColumnType::Decimal(Some(bounds))), expected);
        }
    }

    #[test]
    fn dates_beyond_the_calendar_are_looked_at() {
        for (day, expected) in [(0, true), (2_932_896, true), (2_932_897, false)] {
            let array: ArrayRef = Arc::new(Date32Array::from(vec![Some(day), None]));
            assert_eq!(check(&array, 0..2, ColumnType::Date), expected);
            assert!(!check(&array, 0..1, ColumnType::Date));
        }
    }

    #[test]
    fn more_than_one_array_may_hold_is_told() {
        let text = "x".repeat(ARRAY_BYTES_MAX);
        let array: ArrayRef =
            Arc::new(StringViewArray::from(vec![text.as_str(), "more than 12 bytes"]));
        let target = Target::new(ColumnType::Text, true);
        assert!(matches!(column(&array, &(0..2), &target).unwrap(), Straight::TooMany));
        assert!(matches!(column(&array, &(0..1), &target).unwrap(), Straight::Array(_)));
    }
}
