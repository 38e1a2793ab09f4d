//! Stage two: one column of a block into one Arrow array, straight from the
//! file's bytes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, BooleanBuilder, StringBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, PrimitiveArray};
use decant_core::Result;
use decant_core::schema::ColumnType;

use super::dialect::Dialect;
use super::field::{Field, unescape};
use super::index::Index;
use crate::natives::Natives;
use crate::values::{Fit, Misfit, Reader, json};

/// Some rows of a block.
pub(super) struct Rows<'b> {
    pub(super) bytes: &'b [u8],
    /// Set when everything in `extent` of the bytes is UTF-8.
    pub(super) text: Option<&'b str>,
    pub(super) extent: Range<usize>,
    pub(super) index: &'b Index,
    pub(super) rows: Range<usize>,
    pub(super) dialect: &'b Dialect,
}

/// Why a value could not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Misfit(Misfit),
    Encoding,
}

/// Rows that could not be taken: the first column that is to blame.
pub(super) type Troubles = BTreeMap<usize, (usize, Trouble)>;

/// Makes the array of one column. `None` when the decimals among these rows
/// do not fit one scale together. A value that cannot be taken is NULL in the
/// array and stands in `troubles`.
pub(super) fn fill(
    rows: &Rows<'_>,
    column: usize,
    reader: &Reader,
    troubles: &mut Troubles,
) -> Result<Option<ArrayRef>> {
    let mut filling = Filling { rows, column, reader, troubles };
    let array = match reader.column_type() {
        ColumnType::Bool => filling.booleans(),
        ColumnType::Int16 => {
            filling.primitives::<Int16Type>(|value| reader.integer(value))?.into_ref()
        }
        ColumnType::Int32 => {
            filling.primitives::<Int32Type>(|value| reader.integer(value))?.into_ref()
        }
        ColumnType::Int64 => {
            filling.primitives::<Int64Type>(|value| reader.integer(value))?.into_ref()
        }
        ColumnType::Float32 => {
            filling.primitives::<Float32Type>(|value| reader.float(value))?.into_ref()
        }
        ColumnType::Float64 => {
            filling.primitives::<Float64Type>(|value| reader.float(value))?.into_ref()
        }
        ColumnType::Decimal(Some(bounds)) => filling
            .natives(|value| reader.bounded_decimal(value, bounds))
            .decimals_within(bounds)?,
        ColumnType::Decimal(None) => {
            return filling.natives(|value| reader.decimal(value)).decimals();
        }
        ColumnType::Date => {
            filling.primitives::<Date32Type>(|value| reader.date(value))?.into_ref()
        }
        ColumnType::Time => {
            filling.primitives::<Time64MicrosecondType>(|value| reader.time(value))?.into_ref()
        }
        ColumnType::Timestamp => {
            let read = |value: &[u8]| reader.timestamp(value);
            filling.primitives::<TimestampMicrosecondType>(read)?.into_ref()
        }
        ColumnType::TimestampTz => {
            let read = |value: &[u8]| reader.timestamp_tz(value);
            let moments = filling.primitives::<TimestampMicrosecondType>(read)?;
            moments.with_timezone("UTC").into_ref()
        }
        ColumnType::Uuid => filling.natives(|value| reader.uuid(value)).uuids()?,
        ColumnType::Text | ColumnType::Json => filling.texts(),
        ColumnType::List(_) => filling.lists(),
        ColumnType::Binary => filling.binaries(),
    };
    Ok(Some(array))
}

struct Filling<'f, 'b> {
    rows: &'f Rows<'b>,
    column: usize,
    reader: &'f Reader,
    troubles: &'f mut Troubles,
}

trait IntoRef {
    fn into_ref(self) -> ArrayRef;
}

impl<T: ArrowPrimitiveType> IntoRef for PrimitiveArray<T> {
    fn into_ref(self) -> ArrayRef {
        Arc::new(self)
    }
}

impl Filling<'_, '_> {
    #[inline]
    fn field(&self, range: Range<usize>, empty_is_null: bool) -> Field {
        let Rows { bytes, dialect, .. } = *self.rows;
        match self.reader.trims() {
            true => Field::read_trimmed(bytes, range, dialect, empty_is_null),
            false => Field::read(bytes, range, dialect, empty_is_null),
        }
    }

    /// Reads every value; `None` for NULL and for what cannot be taken.
    #[inline]
    fn each<T>(
        &mut self,
        empty_is_null: bool,
        mut parse: impl FnMut(&[u8]) -> Fit<T>,
        mut push: impl FnMut(Option<T>),
    ) {
        let Rows { bytes, index, dialect, .. } = *self.rows;
        let mut scratch = Vec::new();
        for row in self.rows.rows.clone() {
            let field = self.field(index.field(row, self.column), empty_is_null);
            let value = field.value(bytes, dialect, &mut scratch);
            push(match value.map(&mut parse) {
                None => None,
                Some(Ok(value)) => Some(value),
                Some(Err(misfit)) => {
                    self.troubles.entry(row).or_insert((self.column, Trouble::Misfit(misfit)));
                    None
                }
            });
        }
    }

    fn natives<T: Default>(&mut self, parse: impl FnMut(&[u8]) -> Fit<T>) -> Natives<T> {
        let mut natives = Natives::with_capacity(self.rows.rows.len());
        self.each(true, parse, |value| natives.push(value));
        natives
    }

    fn primitives<T: ArrowPrimitiveType>(
        &mut self,
        parse: impl FnMut(&[u8]) -> Fit<T::Native>,
    ) -> Result<PrimitiveArray<T>> {
        self.natives(parse).array()
    }

    fn booleans(&mut self) -> ArrayRef {
        let reader = self.reader;
        let mut builder = BooleanBuilder::with_capacity(self.rows.rows.len());
        self.each(true, |value| reader.boolean(value), |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    fn lists(&mut self) -> ArrayRef {
        let reader = self.reader;
        let mut builder = StringBuilder::with_capacity(self.rows.rows.len(), self.text_bytes());
        self.each(true, |value| reader.list(value), |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    fn binaries(&mut self) -> ArrayRef {
        let mut builder = BinaryBuilder::with_capacity(self.rows.rows.len(), 0);
        let reader = self.reader;
        let mut decoded = Vec::new();
        let parse = |value: &[u8]| {
            decoded.clear();
            reader.binary_into(value, &mut decoded)?;
            Ok(decoded.clone())
        };
        let empty_is_null = self.rows.dialect.empty_is_null;
        self.each(empty_is_null, parse, |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    fn texts(&mut self) -> ArrayRef {
        let Rows { bytes, index, dialect, .. } = *self.rows;
        let mut builder = StringBuilder::with_capacity(self.rows.rows.len(), self.text_bytes());
        let mut scratch = Vec::new();
        let is_json = self.reader.column_type() == ColumnType::Json;
        for row in self.rows.rows.clone() {
            let range = index.field(row, self.column);
            let text = match self.field(range, is_json || dialect.empty_is_null) {
                Field::Null => {
                    builder.append_null();
                    continue;
                }
                Field::Plain(range) => self.rows.text(range),
                Field::Escaped(range) => {
                    unescape(&bytes[range], dialect, &mut scratch);
                    simdutf8::basic::from_utf8(&scratch).ok()
                }
            };
            match text {
                Some(text) if is_json && json::check(text.as_bytes()).is_err() => {
                    let trouble = Trouble::Misfit(Misfit::Spelling);
                    self.troubles.entry(row).or_insert((self.column, trouble));
                    builder.append_null();
                }
                Some(text) => builder.append_value(self.reader.text(text)),
                None => {
                    self.troubles.entry(row).or_insert((self.column, Trouble::Encoding));
                    builder.append_null();
                }
            }
        }
        Arc::new(builder.finish())
    }

    fn text_bytes(&self) -> usize {
        self.rows.extent.len() / self.rows.index.columns.max(1)
    }
}

impl<'b> Rows<'b> {
    fn text(&self, range: Range<usize>) -> Option<&'b str> {
        match self.text {
            Some(text) => text.get(range.start - self.extent.start..range.end - self.extent.start),
            None => simdutf8::basic::from_utf8(&self.bytes[range]).ok(),
        }
    }
}
