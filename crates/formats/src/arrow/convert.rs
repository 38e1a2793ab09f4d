//! One column of a batch into the type that was asked for.
//!
//! Values of the same family go straight from one type to the other; all
//! others go through their text, which is read as the text of any other
//! format is.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, BooleanBuilder, StringBuilder};
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef};
use decant_core::Result;
use decant_core::format::Target;
use decant_core::list::ListElement;
use decant_core::schema::{ColumnType, DecimalBounds};

use super::cells::{Cells, Scalar};
use super::render;
use super::source::{Meaning, known_type};
use super::straight::{self, Straight};
use crate::natives::Natives;
use crate::values::decimal::{DIGITS_MAX, Unscaled};
use crate::values::{Fit, Misfit, Reader, Reading, binary};

/// Bytes of text or of anything else of variable length in one array, but for
/// a single row.
pub(super) const ARRAY_BYTES_MAX: usize = 8 << 20;
pub(super) const SECONDS_PER_DAY: i64 = 86_400;
pub(super) const MICROSECONDS: i64 = 1_000_000;
/// Days of 0001-01-01 and 9999-12-31, counted from 1970-01-01.
pub(super) const DAYS: Range<i64> = -719_162..2_932_897;

/// A value that does not fit: why, and the value as text and as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) misfit: Misfit,
    pub(crate) text: String,
    pub(crate) json: String,
    /// Whether the file itself says that the value is bad.
    pub(crate) is_bad: bool,
}

/// How text is read where values go through it, and how literally.
struct By {
    reader: Reader,
    reading: Reading,
}

/// The values of one column that do not fit, by row.
pub(crate) type Troubles = BTreeMap<usize, Trouble>;

/// Makes the array of one column out of `rows` of an array. `None` when they
/// do not fit one array together: decimals that share no scale, or too many
/// bytes. A value that cannot be taken is NULL in the array and stands in
/// `troubles`.
pub(crate) fn column(
    array: &ArrayRef,
    cells: &Cells<'_>,
    rows: Range<usize>,
    target: &Target,
    troubles: &mut Troubles,
) -> Result<Option<ArrayRef>> {
    match straight::column(array, &rows, target)? {
        Straight::Array(array) => Ok(Some(array)),
        Straight::TooMany => Ok(None),
        Straight::No => by_value(array, cells, rows, target, troubles),
    }
}

/// The same, whatever the array: value by value.
pub(super) fn by_value(
    array: &ArrayRef,
    cells: &Cells<'_>,
    rows: Range<usize>,
    target: &Target,
    troubles: &mut Troubles,
) -> Result<Option<ArrayRef>> {
    let by = &By { reader: Reader::new(target, None)?, reading: Reading::of(target) };
    let mut taking = Taking { cells, rows, target, troubles };
    let array = match target.column_type {
        ColumnType::Bool => taking.booleans(by)?,
        ColumnType::Int16 => taking.primitives::<Int16Type>(|v| whole(v, by))?,
        ColumnType::Int32 => taking.primitives::<Int32Type>(|v| whole(v, by))?,
        ColumnType::Int64 => taking.primitives::<Int64Type>(|v| whole(v, by))?,
        ColumnType::Float32 => taking.primitives::<Float32Type>(|v| single(v, by))?,
        ColumnType::Float64 => taking.primitives::<Float64Type>(|v| double(v, by))?,
        ColumnType::Decimal(Some(bounds)) => {
            taking.natives(|v| bounded(v, bounds, by)).decimals_within(bounds)?
        }
        ColumnType::Decimal(None) => return taking.natives(|v| unscaled(v, by)).decimals(),
        ColumnType::Date => taking.primitives::<Date32Type>(|v| date(v, by))?,
        ColumnType::Time => taking.primitives::<Time64MicrosecondType>(|v| time(v, by))?,
        ColumnType::Timestamp => {
            taking.primitives::<TimestampMicrosecondType>(|v| timestamp(v, by))?
        }
        ColumnType::TimestampTz => {
            let read = |v: &Scalar<'_>| timestamp_tz(v, by);
            let moments = taking.natives(read).array::<TimestampMicrosecondType>()?;
            Arc::new(moments.with_timezone("UTC"))
        }
        ColumnType::Uuid => taking.uuids(by)?,
        ColumnType::Text => return taking.texts(|v| text(v, by)),
        // A string of a union is one of JSON, and no document.
        ColumnType::Json if cells.is_union() => return taking.texts(as_json),
        ColumnType::Json => return taking.texts(|v| json(v, by)),
        ColumnType::List(element) if is_canonical(array, element) => {
            return taking.texts(|v| json(v, by));
        }
        ColumnType::List(_) => return taking.texts(|v| list(v, by)),
        ColumnType::Binary => return taking.binaries(),
    };
    Ok(Some(array))
}

struct Taking<'t, 'a> {
    cells: &'t Cells<'a>,
    rows: Range<usize>,
    target: &'t Target,
    troubles: &'t mut Troubles,
}

impl Taking<'_, '_> {
    /// Reads every value; `None` for NULL and for what cannot be taken.
    /// Pushing says whether to go on.
    fn each<T>(
        &mut self,
        mut read: impl FnMut(&Scalar<'_>) -> Fit<T>,
        mut push: impl FnMut(Option<T>) -> bool,
    ) -> bool {
        for row in self.rows.clone() {
            let value = self.cells.get(row).and_then(|scalar| {
                let fit = match &scalar {
                    Scalar::Text(text) if self.target.trim => {
                        read(&Scalar::Text(text.trim_matches(is_space)))
                    }
                    other => read(other),
                };
                fit.inspect_err(|misfit| self.refuse(row, *misfit, &scalar)).ok()
            });
            if !push(value) {
                return false;
            }
        }
        true
    }

    fn refuse(&mut self, row: usize, misfit: Misfit, scalar: &Scalar<'_>) {
        let trouble = Trouble {
            misfit,
            text: render::text(scalar),
            json: render::json(scalar),
            is_bad: self.cells.is_bad(row),
        };
        self.troubles.entry(row).or_insert(trouble);
    }

    fn natives<T: Default>(&mut self, read: impl FnMut(&Scalar<'_>) -> Fit<T>) -> Natives<T> {
        let mut natives = Natives::with_capacity(self.rows.len());
        self.each(read, |value| {
            natives.push(value);
            true
        });
        natives
    }

    fn primitives<T: ArrowPrimitiveType>(
        &mut self,
        read: impl FnMut(&Scalar<'_>) -> Fit<T::Native>,
    ) -> Result<ArrayRef> {
        Ok(Arc::new(self.natives(read).array::<T>()?))
    }

    fn booleans(&mut self, by: &By) -> Result<ArrayRef> {
        let mut builder = BooleanBuilder::with_capacity(self.rows.len());
        let read = |scalar: &Scalar<'_>| match scalar {
            Scalar::Bool(value) => Ok(*value),
            Scalar::Integer(0) if by.reading == Reading::Given => Ok(false),
            Scalar::Integer(1) if by.reading == Reading::Given => Ok(true),
            other => by.reader.boolean(render::text(other).as_bytes()),
        };
        self.each(read, |value| {
            builder.append_option(value);
            true
        });
        Ok(Arc::new(builder.finish()))
    }

    fn uuids(&mut self, by: &By) -> Result<ArrayRef> {
        let natives = self.natives(|scalar| match scalar {
            Scalar::Uuid(bytes) => Ok(*bytes),
            Scalar::Bytes(bytes) if by.reading == Reading::Given => {
                <[u8; 16]>::try_from(*bytes).map_err(|_| Misfit::Spelling)
            }
            other => by.reader.uuid(render::text(other).as_bytes()),
        });
        natives.uuids()
    }

    fn texts(
        &mut self,
        mut read: impl FnMut(&Scalar<'_>) -> Fit<String>,
    ) -> Result<Option<ArrayRef>> {
        let rows = self.rows.len();
        let mut builder = StringBuilder::with_capacity(rows, 0);
        let mut bytes = 0;
        let complete = self.each(&mut read, |value| {
            bytes += value.as_ref().map_or(0, String::len);
            builder.append_option(value);
            rows == 1 || bytes <= ARRAY_BYTES_MAX
        });
        Ok(complete.then(|| Arc::new(builder.finish()) as ArrayRef))
    }

    fn binaries(&mut self) -> Result<Option<ArrayRef>> {
        let rows = self.rows.len();
        let mut builder = BinaryBuilder::with_capacity(rows, 0);
        let mut held = 0;
        let complete = self.each(bytes, |value| {
            held += value.as_ref().map_or(0, Vec::len);
            builder.append_option(value);
            rows == 1 || held <= ARRAY_BYTES_MAX
        });
        Ok(complete.then(|| Arc::new(builder.finish()) as ArrayRef))
    }
}

fn is_space(character: char) -> bool {
    character.is_ascii_whitespace() || character == '\u{a0}'
}

/// A decimal without zeros at the end of its fraction.
fn normal(mantissa: i128, scale: i8) -> Fit<Unscaled> {
    let (mut mantissa, mut scale) = (mantissa, scale);
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    while scale < 0 {
        mantissa = mantissa.checked_mul(10).ok_or(Misfit::Range)?;
        scale += 1;
    }
    let scale = scale.unsigned_abs();
    // Digits before the point and behind it are 38 together at most.
    let fits = u32::from(scale) <= DIGITS_MAX && mantissa.unsigned_abs() < 10_u128.pow(DIGITS_MAX);
    fits.then_some(Unscaled { mantissa, scale }).ok_or(Misfit::Range)
}

fn unscaled(scalar: &Scalar<'_>, by: &By) -> Fit<Unscaled> {
    match scalar {
        Scalar::Integer(value) => normal(*value, 0),
        Scalar::Decimal(mantissa, scale) => normal(*mantissa, *scale),
        other => by.reader.decimal(render::text(other).as_bytes()),
    }
}

fn bounded(scalar: &Scalar<'_>, bounds: DecimalBounds, by: &By) -> Fit<i128> {
    let value = unscaled(scalar, by)?;
    let loses = i16::from(value.scale) > i16::from(bounds.scale);
    let misfit = if loses { Misfit::Precision } else { Misfit::Range };
    value.at_scale(bounds.scale, bounds.precision).ok_or(misfit)
}

fn whole<T: TryFrom<i128> + TryFrom<i64>>(scalar: &Scalar<'_>, by: &By) -> Fit<T> {
    let value = match scalar {
        Scalar::Integer(value) => *value,
        Scalar::Bool(value) if by.reading == Reading::Given => i128::from(*value),
        Scalar::Decimal(mantissa, scale) => match normal(*mantissa, *scale)? {
            Unscaled { mantissa, scale: 0 } => mantissa,
            _ => return Err(Misfit::Precision),
        },
        other => i128::from(by.reader.integer::<i64>(render::text(other).as_bytes())?),
    };
    T::try_from(value).map_err(|_| Misfit::Range)
}

fn single(scalar: &Scalar<'_>, by: &By) -> Fit<f32> {
    let double = match scalar {
        Scalar::Single(value) => return Ok(*value),
        Scalar::Double(value) => *value,
        other => return by.reader.float(render::text(other).as_bytes()),
    };
    let single = double as f32;
    match f64::from(single) {
        back if back == double || double.is_nan() => Ok(single),
        back if back.is_infinite() || back == 0.0 => Err(Misfit::Range),
        _ if by.reading == Reading::Exact => Err(Misfit::Precision),
        _ => Ok(single),
    }
}

fn double(scalar: &Scalar<'_>, by: &By) -> Fit<f64> {
    match scalar {
        Scalar::Double(value) => Ok(*value),
        Scalar::Single(value) => Ok(f64::from(*value)),
        other => by.reader.float(render::text(other).as_bytes()),
    }
}

fn date(scalar: &Scalar<'_>, by: &By) -> Fit<i32> {
    match scalar {
        Scalar::Date(days) => in_range(*days).map(|_| *days as i32),
        Scalar::Moment(seconds, 0, false) if seconds % SECONDS_PER_DAY == 0 => {
            date(&Scalar::Date(seconds / SECONDS_PER_DAY), by)
        }
        Scalar::Moment(_, _, false) => Err(Misfit::Precision),
        other => by.reader.date(render::text(other).as_bytes()),
    }
}

fn time(scalar: &Scalar<'_>, by: &By) -> Fit<i64> {
    match scalar {
        Scalar::Time(nanoseconds) => {
            let within = 0..SECONDS_PER_DAY * MICROSECONDS * 1_000;
            match within.contains(nanoseconds) {
                true if nanoseconds % 1_000 == 0 => Ok(nanoseconds / 1_000),
                true => Err(Misfit::Precision),
                false => Err(Misfit::Range),
            }
        }
        other => by.reader.time(render::text(other).as_bytes()),
    }
}

fn timestamp(scalar: &Scalar<'_>, by: &By) -> Fit<i64> {
    match scalar {
        Scalar::Moment(seconds, nanoseconds, false) => microseconds(*seconds, *nanoseconds),
        Scalar::Date(days) => in_range(*days).map(|days| days * SECONDS_PER_DAY * MICROSECONDS),
        other => by.reader.timestamp(render::text(other).as_bytes()),
    }
}

fn timestamp_tz(scalar: &Scalar<'_>, by: &By) -> Fit<i64> {
    match scalar {
        Scalar::Moment(seconds, nanoseconds, true) => microseconds(*seconds, *nanoseconds),
        other => by.reader.timestamp_tz(render::text(other).as_bytes()),
    }
}

fn microseconds(seconds: i64, nanoseconds: u32) -> Fit<i64> {
    in_range(seconds.div_euclid(SECONDS_PER_DAY))?;
    match nanoseconds % 1_000 {
        0 => Ok(seconds * MICROSECONDS + i64::from(nanoseconds / 1_000)),
        _ => Err(Misfit::Precision),
    }
}

fn in_range(days: i64) -> Fit<i64> {
    DAYS.contains(&days).then_some(days).ok_or(Misfit::Range)
}

fn text(scalar: &Scalar<'_>, by: &By) -> Fit<String> {
    match scalar {
        // Somebody knows that the bytes are text.
        Scalar::Bytes(bytes) if by.reading == Reading::Given => {
            std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Misfit::Spelling)
        }
        Scalar::Document(None) => Err(Misfit::Range),
        other => Ok(render::text(other)),
    }
}

fn json(scalar: &Scalar<'_>, by: &By) -> Fit<String> {
    match scalar {
        Scalar::Text(text) if by.reading == Reading::Given => document(text),
        other => as_json(other),
    }
}

fn as_json(scalar: &Scalar<'_>) -> Fit<String> {
    match scalar {
        Scalar::JsonText(text) => document(text),
        Scalar::Document(None) => Err(Misfit::Range),
        other => Ok(render::json(other)),
    }
}

/// Whether lists of this array need no look at their elements: they are of the
/// element's own type, and every one of it is in canonical form.
fn is_canonical(array: &ArrayRef, element: ListElement) -> bool {
    use ListElement::{Binary, Bool, Float32, Float64, Int16, Int32, Int64, Text};
    matches!(element, Bool | Int16 | Int32 | Int64 | Float32 | Float64 | Text | Binary)
        && known_type(array.data_type(), Meaning::Plain) == Some(ColumnType::List(element))
}

fn list(scalar: &Scalar<'_>, by: &By) -> Fit<String> {
    match scalar {
        Scalar::Document(None) => Err(Misfit::Range),
        Scalar::Document(Some(text)) => by.reader.list(text.as_bytes()),
        Scalar::Text(text) | Scalar::JsonText(text) => by.reader.list(text.as_bytes()),
        _ => Err(Misfit::Spelling),
    }
}

fn document(text: &str) -> Fit<String> {
    render::is_json(text).then(|| text.to_owned()).ok_or(Misfit::Spelling)
}

fn bytes(scalar: &Scalar<'_>) -> Fit<Vec<u8>> {
    match scalar {
        Scalar::Bytes(bytes) => Ok(bytes.to_vec()),
        Scalar::Uuid(bytes) => Ok(bytes.to_vec()),
        other => {
            let mut bytes = Vec::new();
            binary::parse_into(render::text(other).as_bytes(), &mut bytes)?;
            Ok(bytes)
        }
    }
}
