//! Stage two: one column of a block into one Arrow array, straight from the
//! file's bytes.

use std::cell::OnceCell;
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
use super::groups::{Group, Lanes, Scan};
use super::index::Index;
use super::texts;
use crate::natives::Natives;
use crate::values::plain::{self, Never, Plain};
use crate::values::{Fit, Misfit, Reader, json};

/// Some rows of a block.
pub(super) struct Rows<'b> {
    pub(super) bytes: &'b [u8],
    /// `extent` of the bytes, if all of it is UTF-8; looked at when a value
    /// is asked for.
    pub(super) text: &'b OnceCell<Option<&'b str>>,
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
            let read = |value: &[u8]| reader.integer(value);
            filling.primitives::<Int16Type>(plain::Int16, read)?.into_ref()
        }
        ColumnType::Int32 => {
            let read = |value: &[u8]| reader.integer(value);
            filling.primitives::<Int32Type>(plain::Int32, read)?.into_ref()
        }
        ColumnType::Int64 => {
            let read = |value: &[u8]| reader.integer(value);
            filling.primitives::<Int64Type>(plain::Int64, read)?.into_ref()
        }
        ColumnType::Float32 => {
            let read = |value: &[u8]| reader.float(value);
            filling.primitives::<Float32Type>(Never::new(), read)?.into_ref()
        }
        ColumnType::Float64 => {
            let read = |value: &[u8]| reader.float(value);
            filling.primitives::<Float64Type>(plain::Float64, read)?.into_ref()
        }
        ColumnType::Decimal(Some(bounds)) => filling
            .natives(plain::Bounded(bounds), |value| reader.bounded_decimal(value, bounds))
            .decimals_within(bounds)?,
        ColumnType::Decimal(None) => return filling.decimals(),
        ColumnType::Date => {
            let read = |value: &[u8]| reader.date(value);
            filling.primitives::<Date32Type>(plain::Dates, read)?.into_ref()
        }
        ColumnType::Time => {
            let read = |value: &[u8]| reader.time(value);
            filling.primitives::<Time64MicrosecondType>(plain::Times, read)?.into_ref()
        }
        ColumnType::Timestamp => {
            let read = |value: &[u8]| reader.timestamp(value);
            filling.primitives::<TimestampMicrosecondType>(plain::Timestamps, read)?.into_ref()
        }
        ColumnType::TimestampTz => {
            let read = |value: &[u8]| reader.timestamp_tz(value);
            let moments = filling.primitives::<TimestampMicrosecondType>(plain::Moments, read)?;
            moments.with_timezone("UTC").into_ref()
        }
        ColumnType::Uuid => filling.natives(Never::new(), |value| reader.uuid(value)).uuids()?,
        ColumnType::Text => filling.texts()?,
        ColumnType::Json => filling.checked_texts(),
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
    fn each<T>(
        &mut self,
        empty_is_null: bool,
        plain: impl Plain<Value = T>,
        mut parse: impl FnMut(&[u8]) -> Fit<T>,
        mut push: impl FnMut(Option<T>),
    ) {
        let plain = Some(plain).filter(|plain| self.takes_plain(plain));
        let mut scratch = Vec::new();
        let rows = self.rows.rows.clone();
        for (row, field) in rows.clone().zip(self.rows.index.fields(rows, self.column)) {
            let field = self.field(field.0..field.1, empty_is_null);
            push(self.value(row, field, plain.as_ref(), &mut parse, &mut scratch));
        }
    }

    /// Reads one value, whatever it is.
    #[inline(never)]
    fn value<T>(
        &mut self,
        row: usize,
        field: Field,
        plain: Option<&impl Plain<Value = T>>,
        parse: &mut impl FnMut(&[u8]) -> Fit<T>,
        scratch: &mut Vec<u8>,
    ) -> Option<T> {
        let Rows { bytes, dialect, .. } = *self.rows;
        if let (Field::Plain(range), Some(plain)) = (&field, plain)
            && let Some(value) = plain.read(bytes, range.start, range.end)
        {
            return Some(value);
        }
        match field.value(bytes, dialect, scratch).map(parse)? {
            Ok(value) => Some(value),
            Err(misfit) => {
                self.troubles.entry(row).or_insert((self.column, Trouble::Misfit(misfit)));
                None
            }
        }
    }

    /// Whether plain values may be read without the reader: it would do
    /// nothing else, and no word that means NULL is such a value.
    fn takes_plain(&self, plain: &impl Plain) -> bool {
        const AROUND: &[u8] = &[b' '; 8];
        let is_value = |word: &Vec<u8>| {
            let text = [AROUND, word].concat();
            plain.read(&text, AROUND.len(), text.len()).is_some()
        };
        self.reader.is_plain() && !self.rows.dialect.null_words.iter().any(is_value)
    }

    fn natives<P: Plain<Value: Default + Clone>>(
        &mut self,
        plain: P,
        parse: impl FnMut(&[u8]) -> Fit<P::Value>,
    ) -> Natives<P::Value> {
        Lanes::best().scan(Reading { filling: self, plain, parse })
    }

    fn primitives<T: ArrowPrimitiveType>(
        &mut self,
        plain: impl Plain<Value = T::Native>,
        parse: impl FnMut(&[u8]) -> Fit<T::Native>,
    ) -> Result<PrimitiveArray<T>> {
        self.natives(plain, parse).array()
    }

    /// Decimals of the scale that they need, as long as none has more digits
    /// than are plain.
    fn decimals(&mut self) -> Result<Option<ArrayRef>> {
        let reader = self.reader;
        let mut has_many_digits = false;
        let read = |value: &[u8]| {
            if has_many_digits {
                return Ok(plain::Decimal::default());
            }
            let plain = plain::Decimal::of(reader.decimal(value)?);
            has_many_digits |= plain.is_none();
            Ok(plain.unwrap_or_default())
        };
        let decimals = self.natives(plain::Decimals, read);
        if has_many_digits {
            self.troubles.clear();
            return self.natives(Never::new(), |value| reader.decimal(value)).decimals();
        }
        decimals.decimals().map(Some)
    }

    fn booleans(&mut self) -> ArrayRef {
        let reader = self.reader;
        let mut builder = BooleanBuilder::with_capacity(self.rows.rows.len());
        let append = |value| builder.append_option(value);
        self.each(true, plain::Booleans, |value| reader.boolean(value), append);
        Arc::new(builder.finish())
    }

    fn lists(&mut self) -> ArrayRef {
        let reader = self.reader;
        let mut builder = StringBuilder::with_capacity(self.rows.rows.len(), self.text_bytes());
        let append = |value| builder.append_option(value);
        self.each(true, Never::new(), |value| reader.list(value), append);
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
        self.each(empty_is_null, Never::new(), parse, |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    /// Texts as they are, copied many bytes at a time; where one is no text,
    /// or is to be looked at, value by value.
    fn texts(&mut self) -> Result<ArrayRef> {
        if !self.reader.trims()
            && let Some(texts) = texts::copy(self.rows, self.column)?
        {
            return Ok(Arc::new(texts));
        }
        Ok(self.checked_texts())
    }

    fn checked_texts(&mut self) -> ArrayRef {
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

/// Reads a column of values of fixed width.
struct Reading<'r, 'f, 'b, P, F> {
    filling: &'r mut Filling<'f, 'b>,
    plain: P,
    parse: F,
}

impl<P, F> Scan for Reading<'_, '_, '_, P, F>
where
    P: Plain<Value: Default + Clone>,
    F: FnMut(&[u8]) -> Fit<P::Value>,
{
    type Found = Natives<P::Value>;

    #[inline(always)]
    fn scan(self, _: impl Fn(&Group, u8, u8) -> u64) -> Self::Found {
        let Self { filling, plain, mut parse } = self;
        let Rows { bytes, index, ref rows, .. } = *filling.rows;
        let mut natives = Natives::with_room(rows.len());
        let (values, valid) = natives.parts();
        let takes_plain = filling.takes_plain(&plain);
        let mut scratch = Vec::new();
        let fields = index.fields(rows.clone(), filling.column);
        for (number, (value, (start, end))) in values.iter_mut().zip(fields).enumerate() {
            if takes_plain && let Some(read) = plain.read(bytes, start, end) {
                *value = read;
                continue;
            }
            if start == end {
                valid.push_null(number);
                continue;
            }
            let field = filling.field(start..end, true);
            let plain = takes_plain.then_some(&plain);
            match filling.value(rows.start + number, field, plain, &mut parse, &mut scratch) {
                Some(read) => *value = read,
                None => valid.push_null(number),
            }
        }
        natives
    }
}

impl<'b> Rows<'b> {
    fn text(&self, range: Range<usize>) -> Option<&'b str> {
        let is_text = || simdutf8::basic::from_utf8(&self.bytes[self.extent.clone()]).ok();
        match self.text.get_or_init(is_text) {
            Some(text) => text.get(range.start - self.extent.start..range.end - self.extent.start),
            None => simdutf8::basic::from_utf8(&self.bytes[range]).ok(),
        }
    }
}
