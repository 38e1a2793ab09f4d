//! An array of whatever Arrow type, value by value.
//!
//! The type is looked at once an array; after that each value costs one call.

use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions::MILLISECONDS_IN_DAY;
use arrow_array::types::*;
use arrow_array::{Array, ArrayAccessor, ArrayRef};
use arrow_buffer::{ArrowNativeType, NullBuffer, i256};
use arrow_schema::{DataType, IntervalUnit, TimeUnit, UnionFields};
use decant_core::{Error, ErrorKind, Result};

use super::render::{self, Document};
use super::source::{self, Meaning};

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Bool(bool),
    Integer(i128),
    Single(f32),
    Double(f64),
    /// The mantissa divided by ten to the power of the scale.
    Decimal(i128, i8),
    /// Days since 1970-01-01.
    Date(i64),
    /// Nanoseconds since midnight.
    Time(i64),
    /// Seconds since 1970-01-01T00:00:00, nanoseconds within the second, and
    /// whether that is in UTC.
    Moment(i64, u32, bool),
    Text(&'a str),
    /// Text that says it is JSON.
    JsonText(&'a str),
    /// What has no type in the house, as text.
    Rendered(String),
    Bytes(&'a [u8]),
    Uuid([u8; 16]),
    /// A nested value as JSON; `None` where that is absurdly large.
    Document(Option<String>),
}

type Get<'a> = Box<dyn Fn(usize) -> Scalar<'a> + 'a>;

/// The values of one array.
pub(crate) struct Cells<'a> {
    nulls: Option<NullBuffer>,
    kind: Kind<'a>,
    /// Whether the second child of a union has the values of bad rows.
    with_bad: bool,
}

enum Kind<'a> {
    Leaf(Get<'a>),
    Nested(Document<'a>),
    /// Each value is one of the children's: which one, and where in it.
    Union(Box<dyn Fn(usize) -> (usize, usize) + 'a>, Vec<Cells<'a>>),
}

impl<'a> Cells<'a> {
    /// Looks at an array.
    ///
    /// Errors: `Unsupported` for types that are none of ours.
    pub(crate) fn new(array: &'a ArrayRef, meaning: Meaning) -> Result<Self> {
        let nulls = array.logical_nulls();
        let kind = match (array.data_type(), Document::new(array)?) {
            (DataType::Union(fields, _), _) => union(array, fields)?,
            (_, Some(document)) => Kind::Nested(document),
            (_, None) => Kind::Leaf(leaf(array, meaning)?),
        };
        Ok(Self { nulls, kind, with_bad: meaning == Meaning::WithBad })
    }

    /// Whether each value says itself of which type it is.
    pub(crate) fn is_union(&self) -> bool {
        matches!(self.kind, Kind::Union(..)) && !self.with_bad
    }

    /// Whether the file says that the value at `row` is bad.
    pub(crate) fn is_bad(&self, row: usize) -> bool {
        match &self.kind {
            Kind::Union(place, _) => self.with_bad && place(row).0 == 1,
            Kind::Leaf(_) | Kind::Nested(_) => false,
        }
    }

    /// The value at `row`; `None` for NULL.
    pub(crate) fn get(&self, row: usize) -> Option<Scalar<'a>> {
        if self.is_null(row) {
            return None;
        }
        match &self.kind {
            Kind::Leaf(get) => Some(get(row)),
            Kind::Nested(document) => Some(Scalar::Document(document.render(row))),
            Kind::Union(place, children) => {
                let (child, place) = place(row);
                children.get(child).and_then(|cells| cells.get(place))
            }
        }
    }

    /// Appends the value's JSON.
    pub(crate) fn write_json(&self, row: usize, json: &mut String) -> render::Written {
        if self.is_null(row) {
            json.push_str("null");
            return Ok(());
        }
        match &self.kind {
            Kind::Leaf(get) => render::write_json(&get(row), json),
            Kind::Nested(document) => document.write(row, json),
            Kind::Union(place, children) => {
                let (child, place) = place(row);
                match children.get(child) {
                    Some(cells) => cells.write_json(place, json),
                    None => {
                        json.push_str("null");
                        Ok(())
                    }
                }
            }
        }
    }

    /// Whether the value at `row` is NULL.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }
}

fn union<'a>(array: &'a ArrayRef, fields: &UnionFields) -> Result<Kind<'a>> {
    let union = array.as_union();
    let ids: Vec<i8> = fields.iter().map(|(id, _)| id).collect();
    let children = fields.iter().map(|(id, of)| Cells::new(union.child(id), source::meaning(of)));
    let children = children.collect::<Result<_>>()?;
    let place = move |row| {
        let id = union.type_id(row);
        let child = ids.iter().position(|known| *known == id).unwrap_or_default();
        (child, union.value_offset(row))
    };
    Ok(Kind::Union(Box::new(place), children))
}

fn leaf<'a>(array: &'a ArrayRef, meaning: Meaning) -> Result<Get<'a>> {
    use DataType::*;
    Ok(match array.data_type() {
        Null => Box::new(|_| Scalar::Rendered(String::new())),
        Boolean => {
            let array = array.as_boolean();
            Box::new(move |row| Scalar::Bool(array.value(row)))
        }
        Int8 => integers::<Int8Type>(array),
        Int16 => integers::<Int16Type>(array),
        Int32 => integers::<Int32Type>(array),
        Int64 => integers::<Int64Type>(array),
        UInt8 => integers::<UInt8Type>(array),
        UInt16 => integers::<UInt16Type>(array),
        UInt32 => integers::<UInt32Type>(array),
        UInt64 => integers::<UInt64Type>(array),
        Float16 => values::<Float16Type>(array, |value| Scalar::Single(value.to_f32())),
        Float32 => values::<Float32Type>(array, Scalar::Single),
        Float64 => values::<Float64Type>(array, Scalar::Double),
        Decimal32(_, scale) => decimals::<Decimal32Type>(array, *scale),
        Decimal64(_, scale) => decimals::<Decimal64Type>(array, *scale),
        Decimal128(_, scale) => decimals::<Decimal128Type>(array, *scale),
        Decimal256(_, scale) => {
            let scale = *scale;
            values::<Decimal256Type>(array, move |value| wide_decimal(value, scale))
        }
        Utf8 => texts(array.as_string::<i32>(), meaning),
        LargeUtf8 => texts(array.as_string::<i64>(), meaning),
        Utf8View => texts(array.as_string_view(), meaning),
        Binary => bytes(array.as_binary::<i32>(), meaning),
        LargeBinary => bytes(array.as_binary::<i64>(), meaning),
        BinaryView => bytes(array.as_binary_view(), meaning),
        FixedSizeBinary(_) => bytes(array.as_fixed_size_binary(), meaning),
        Dictionary(..) => dictionary(array, meaning)?,
        RunEndEncoded(ends, _) => match ends.data_type() {
            Int16 => runs::<Int16Type>(array, meaning)?,
            Int32 => runs::<Int32Type>(array, meaning)?,
            _ => runs::<Int64Type>(array, meaning)?,
        },
        _ => moments(array)?,
    })
}

fn moments(array: &ArrayRef) -> Result<Get<'_>> {
    use TimeUnit::*;
    Ok(match array.data_type() {
        DataType::Date32 => values::<Date32Type>(array, |days| Scalar::Date(days.into())),
        DataType::Date64 => values::<Date64Type>(array, |milliseconds| {
            match milliseconds.rem_euclid(MILLISECONDS_IN_DAY) {
                0 => Scalar::Date(milliseconds.div_euclid(MILLISECONDS_IN_DAY)),
                _ => moment(milliseconds, Millisecond, false),
            }
        }),
        DataType::Time32(Second) => values::<Time32SecondType>(array, |v| time(v.into(), Second)),
        DataType::Time32(_) => {
            values::<Time32MillisecondType>(array, |v| time(v.into(), Millisecond))
        }
        DataType::Time64(Microsecond) => {
            values::<Time64MicrosecondType>(array, |v| time(v, Microsecond))
        }
        DataType::Time64(_) => values::<Time64NanosecondType>(array, |v| time(v, Nanosecond)),
        DataType::Timestamp(unit, zone) => {
            let (unit, zoned) = (*unit, zone.is_some());
            let read = move |value| moment(value, unit, zoned);
            match unit {
                Second => values::<TimestampSecondType>(array, read),
                Millisecond => values::<TimestampMillisecondType>(array, read),
                Microsecond => values::<TimestampMicrosecondType>(array, read),
                Nanosecond => values::<TimestampNanosecondType>(array, read),
            }
        }
        DataType::Duration(unit) => {
            let unit = *unit;
            let read =
                move |value: i64| Scalar::Rendered(render::duration(value, units_per_second(unit)));
            match unit {
                Second => values::<DurationSecondType>(array, read),
                Millisecond => values::<DurationMillisecondType>(array, read),
                Microsecond => values::<DurationMicrosecondType>(array, read),
                Nanosecond => values::<DurationNanosecondType>(array, read),
            }
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            values::<IntervalYearMonthType>(array, |months| {
                Scalar::Rendered(render::interval(months, 0, 0))
            })
        }
        DataType::Interval(IntervalUnit::DayTime) => values::<IntervalDayTimeType>(array, |v| {
            Scalar::Rendered(render::interval(0, v.days, i64::from(v.milliseconds) * 1_000_000))
        }),
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            values::<IntervalMonthDayNanoType>(array, |v| {
                Scalar::Rendered(render::interval(v.months, v.days, v.nanoseconds))
            })
        }
        other => {
            let message = format!("columns of type {other} cannot be loaded");
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("leave the column out with `select` or `exclude`"));
        }
    })
}

fn values<'a, T: ArrowPrimitiveType>(
    array: &'a ArrayRef,
    read: impl Fn(T::Native) -> Scalar<'a> + 'a,
) -> Get<'a> {
    let array = array.as_primitive::<T>();
    Box::new(move |row| read(array.value(row)))
}

fn integers<T: ArrowPrimitiveType<Native: Into<i128>>>(array: &ArrayRef) -> Get<'_> {
    values::<T>(array, |value| Scalar::Integer(value.into()))
}

fn decimals<T: DecimalType<Native: Into<i128>>>(array: &ArrayRef, scale: i8) -> Get<'_> {
    values::<T>(array, move |value| Scalar::Decimal(value.into(), scale))
}

fn wide_decimal<'a>(value: i256, scale: i8) -> Scalar<'a> {
    match value.to_i128() {
        Some(narrow) => Scalar::Decimal(narrow, scale),
        None => Scalar::Rendered(render::decimal(&value.to_string(), scale)),
    }
}

fn texts<'a, A: ArrayAccessor<Item = &'a str> + 'a>(array: A, meaning: Meaning) -> Get<'a> {
    match meaning {
        Meaning::Json => Box::new(move |row| Scalar::JsonText(array.value(row))),
        _ => Box::new(move |row| Scalar::Text(array.value(row))),
    }
}

fn bytes<'a, A: ArrayAccessor<Item = &'a [u8]> + 'a>(array: A, meaning: Meaning) -> Get<'a> {
    Box::new(move |row| {
        let value = array.value(row);
        match (meaning, <[u8; 16]>::try_from(value)) {
            (Meaning::Uuid, Ok(uuid)) => Scalar::Uuid(uuid),
            _ => Scalar::Bytes(value),
        }
    })
}

fn dictionary<'a>(array: &'a ArrayRef, meaning: Meaning) -> Result<Get<'a>> {
    let dictionary = array.as_any_dictionary();
    let cells = Cells::new(dictionary.values(), meaning)?;
    if dictionary.values().is_empty() {
        // Every key is NULL then.
        return Ok(Box::new(|_| Scalar::Rendered(String::new())));
    }
    let keys = dictionary.normalized_keys();
    Ok(Box::new(move |row| {
        let key = keys.get(row).copied().unwrap_or_default();
        cells.get(key).unwrap_or(Scalar::Rendered(String::new()))
    }))
}

fn runs<'a, E: RunEndIndexType>(array: &'a ArrayRef, meaning: Meaning) -> Result<Get<'a>> {
    let Some(runs) = array.as_any().downcast_ref::<arrow_array::RunArray<E>>() else {
        return Err(Error::new(ErrorKind::Internal, "a run-end encoded array is of another type"));
    };
    let cells = Cells::new(runs.values(), meaning)?;
    Ok(Box::new(move |row| {
        let run = runs.get_physical_index(row);
        cells.get(run).unwrap_or(Scalar::Rendered(String::new()))
    }))
}

fn units_per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

fn time<'a>(value: i64, unit: TimeUnit) -> Scalar<'a> {
    Scalar::Time(value.saturating_mul(1_000_000_000 / units_per_second(unit)))
}

fn moment<'a>(value: i64, unit: TimeUnit, zoned: bool) -> Scalar<'a> {
    let units = units_per_second(unit);
    let nanoseconds = value.rem_euclid(units) * (1_000_000_000 / units);
    Scalar::Moment(value.div_euclid(units), nanoseconds.as_usize() as u32, zoned)
}
