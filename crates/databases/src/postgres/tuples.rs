//! Columns to the tuples of COPY, column by column.
//!
//! Tuples stand row by row in the output, and yet are written a column at a
//! time: first each row's size is summed up, so that every row has its place,
//! then one column after the other fills its fields. That way a column's type
//! is looked at once for hundreds of rows instead of once a value.
//!
//! Invariant: the bytes are those that writing value by value would give.

use std::ops::Range;

use arrow_array::{ArrowPrimitiveType, PrimitiveArray};
use arrow_buffer::NullBuffer;
use bytes::BytesMut;
use decant_core::error::{Error, ErrorKind, Result};

use super::encode::{ColumnValues, EPOCH_DAYS, EPOCH_MICROSECONDS};
use super::numeric::Numerics;
use super::type_table::JSONB_VERSION;

/// Rows that are written together at most: what they become stays in the
/// processor's caches.
const GROUP_ROWS: usize = 512;
/// Bytes that they become, unless a single row has more.
const GROUP_BYTES: usize = 128 << 10;
const COUNT_BYTES: usize = 2;
const LENGTH_BYTES: usize = 4;
const NULL_LENGTH: [u8; LENGTH_BYTES] = (-1_i32).to_be_bytes();

/// Writes tuples, and keeps the space for it from group to group.
#[derive(Default)]
pub(crate) struct TupleWriter {
    /// The size of each row of a group; then where its next field goes.
    places: Vec<usize>,
    numerics: Vec<Numerics>,
}

impl TupleWriter {
    /// Appends the first of `rows` to `buffer`, as many as are written
    /// together; answers how many those were: at least one of them.
    pub(crate) fn write(
        &mut self,
        columns: &[ColumnValues<'_>],
        rows: Range<usize>,
        buffer: &mut BytesMut,
    ) -> Result<usize> {
        let rows = rows.start..rows.end.min(rows.start + GROUP_ROWS);
        self.numerics.resize_with(columns.len(), Numerics::default);
        self.places.clear();
        self.places.resize(rows.len(), COUNT_BYTES + LENGTH_BYTES * columns.len());
        for (column, numerics) in columns.iter().zip(&mut self.numerics) {
            column.add_sizes(rows.clone(), &mut self.places, numerics)?;
        }
        let (count, bytes) = self.take_places();
        let start = buffer.len();
        buffer.resize(start + bytes, 0);
        let output = &mut buffer[start..];
        let fields = (columns.len() as i16).to_be_bytes();
        self.places.iter_mut().for_each(|place| put(output, place, &fields));
        let rows = rows.start..rows.start + count;
        for (column, numerics) in columns.iter().zip(&self.numerics) {
            column.put(rows.clone(), &mut self.places, output, numerics)?;
        }
        Ok(count)
    }

    /// Makes places of sizes, for as many rows as are written now; answers
    /// their number and their bytes.
    fn take_places(&mut self) -> (usize, usize) {
        let mut bytes = 0;
        let mut count = 0;
        for place in &mut self.places {
            if count > 0 && bytes + *place > GROUP_BYTES {
                break;
            }
            let size = std::mem::replace(place, bytes);
            bytes += size;
            count += 1;
        }
        self.places.truncate(count);
        (count, bytes)
    }
}

impl ColumnValues<'_> {
    /// Adds to the size of each row what its field takes besides its length.
    fn add_sizes(
        &self,
        rows: Range<usize>,
        sizes: &mut [usize],
        numerics: &mut Numerics,
    ) -> Result<()> {
        let nulls = self.nulls();
        match self {
            Self::Bool(_) => add_fixed(rows, nulls, sizes, 1),
            Self::Int16(_) => add_fixed(rows, nulls, sizes, 2),
            Self::Int32(_) | Self::Float32(_) | Self::Date(_) => add_fixed(rows, nulls, sizes, 4),
            Self::Int64(_) | Self::Float64(_) | Self::Time(_) | Self::Timestamp(_) => {
                add_fixed(rows, nulls, sizes, 8);
            }
            Self::Uuid(_) => add_fixed(rows, nulls, sizes, 16),
            Self::Decimal(array, scale) => {
                numerics.encode(&array.values()[rows.clone()], *scale);
                add_each(rows.clone(), nulls, sizes, |row| numerics.bytes(row - rows.start));
            }
            Self::Text(array) => add_lengths(rows, nulls, sizes, array.value_offsets(), 0),
            Self::Jsonb(array) => add_lengths(rows, nulls, sizes, array.value_offsets(), 1),
            Self::Binary(array) => add_lengths(rows, nulls, sizes, array.value_offsets(), 0),
            Self::Array(_, encoded) => {
                add_each(rows, nulls, sizes, |row| encoded.value(row).len());
            }
        }
        Ok(())
    }

    /// Writes the field of each row at its place, and moves the places on.
    fn put(
        &self,
        rows: Range<usize>,
        places: &mut [usize],
        output: &mut [u8],
        numerics: &Numerics,
    ) -> Result<()> {
        let nulls = self.nulls();
        let first = rows.start;
        let mut fields = Fields { rows, nulls, places, output };
        match self {
            Self::Bool(array) => {
                fields.put_each(|row| prefixed::<1, 5>([u8::from(array.value(row))]));
            }
            Self::Int16(array) => {
                fields.put_values(array, |value| prefixed::<2, 6>(value.to_be_bytes()));
            }
            Self::Int32(array) => {
                fields.put_values(array, |value| prefixed::<4, 8>(value.to_be_bytes()));
            }
            Self::Int64(array) => {
                fields.put_values(array, |value| prefixed::<8, 12>(value.to_be_bytes()));
            }
            Self::Float32(array) => {
                fields.put_values(array, |value| prefixed::<4, 8>(value.to_be_bytes()));
            }
            Self::Float64(array) => {
                fields.put_values(array, |value| prefixed::<8, 12>(value.to_be_bytes()));
            }
            Self::Date(array) => fields.put_values(array, |value| {
                prefixed::<4, 8>(value.wrapping_sub(EPOCH_DAYS).to_be_bytes())
            }),
            Self::Time(array) => {
                fields.put_values(array, |value| prefixed::<8, 12>(value.to_be_bytes()));
            }
            Self::Timestamp(array) => fields.put_values(array, |value| {
                prefixed::<8, 12>(value.wrapping_sub(EPOCH_MICROSECONDS).to_be_bytes())
            }),
            Self::Decimal(..) => {
                fields.put_by(|row, place, output| numerics.put(row - first, place, output));
            }
            Self::Uuid(array) => fields.put_bytes(&[], |row| array.value(row))?,
            Self::Text(array) => fields.put_bytes(&[], |row| array.value(row).as_bytes())?,
            Self::Jsonb(array) => {
                fields.put_bytes(&[JSONB_VERSION], |row| array.value(row).as_bytes())?;
            }
            Self::Binary(array) => fields.put_bytes(&[], |row| array.value(row))?,
            Self::Array(_, encoded) => fields.put_bytes(&[], |row| encoded.value(row))?,
        }
        Ok(())
    }

    fn nulls(&self) -> Option<&NullBuffer> {
        self.array().nulls().filter(|nulls| nulls.null_count() > 0)
    }
}

/// The fields of one column in some rows.
struct Fields<'f> {
    rows: Range<usize>,
    nulls: Option<&'f NullBuffer>,
    places: &'f mut [usize],
    output: &'f mut [u8],
}

impl Fields<'_> {
    /// Writes fields of one size, their lengths included.
    fn put_values<T: ArrowPrimitiveType, const N: usize>(
        &mut self,
        array: &PrimitiveArray<T>,
        field: impl Fn(T::Native) -> [u8; N],
    ) {
        if self.nulls.is_some() {
            return self.put_each(|row| field(array.value(row)));
        }
        let values = &array.values()[self.rows.clone()];
        for (place, value) in self.places.iter_mut().zip(values) {
            put(self.output, place, &field(*value));
        }
    }

    fn put_each<const N: usize>(&mut self, field: impl Fn(usize) -> [u8; N]) {
        self.put_by(|row, place, output| put(output, place, &field(row)));
    }

    /// Writes each field that is not NULL by `write`.
    fn put_by(&mut self, write: impl Fn(usize, &mut usize, &mut [u8])) {
        for (place, row) in self.places.iter_mut().zip(self.rows.clone()) {
            match self.nulls {
                Some(nulls) if nulls.is_null(row) => put(self.output, place, &NULL_LENGTH),
                _ => write(row, place, self.output),
            }
        }
    }

    /// Writes fields of any size, each behind the same first bytes.
    fn put_bytes<'b>(&mut self, before: &[u8], bytes: impl Fn(usize) -> &'b [u8]) -> Result<()> {
        for (place, row) in self.places.iter_mut().zip(self.rows.clone()) {
            if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
                put(self.output, place, &NULL_LENGTH);
                continue;
            }
            let bytes = bytes(row);
            let length = i32::try_from(before.len() + bytes.len()).map_err(|_| too_long())?;
            put(self.output, place, &length.to_be_bytes());
            put_slice(self.output, place, before);
            put_slice(self.output, place, bytes);
        }
        Ok(())
    }
}

fn too_long() -> Error {
    Error::new(ErrorKind::MalformedFile, "a value has more than 2 GB, Postgres takes 1 GB")
}

/// A value behind its length: `M` is `N` and four more.
fn prefixed<const N: usize, const M: usize>(value: [u8; N]) -> [u8; M] {
    let mut field = [0; M];
    let (length, rest) = field.split_at_mut(LENGTH_BYTES);
    length.copy_from_slice(&(N as i32).to_be_bytes());
    rest.copy_from_slice(&value);
    field
}

/// Writes `bytes` at `place` and moves it behind them.
pub(super) fn put<const N: usize>(output: &mut [u8], place: &mut usize, bytes: &[u8; N]) {
    let end = *place + N;
    output[*place..end].copy_from_slice(bytes);
    *place = end;
}

fn put_slice(output: &mut [u8], place: &mut usize, bytes: &[u8]) {
    let end = *place + bytes.len();
    output[*place..end].copy_from_slice(bytes);
    *place = end;
}

fn add_fixed(rows: Range<usize>, nulls: Option<&NullBuffer>, sizes: &mut [usize], bytes: usize) {
    match nulls {
        None => sizes.iter_mut().for_each(|size| *size += bytes),
        Some(_) => add_each(rows, nulls, sizes, |_| bytes),
    }
}

fn add_lengths(
    rows: Range<usize>,
    nulls: Option<&NullBuffer>,
    sizes: &mut [usize],
    offsets: &[i32],
    more: usize,
) {
    if nulls.is_some() {
        return add_each(rows, nulls, sizes, |row| {
            (offsets[row + 1] - offsets[row]) as usize + more
        });
    }
    let ends = offsets[rows.start..=rows.end].windows(2);
    for (size, ends) in sizes.iter_mut().zip(ends) {
        *size += (ends[1] - ends[0]) as usize + more;
    }
}

fn add_each(
    rows: Range<usize>,
    nulls: Option<&NullBuffer>,
    sizes: &mut [usize],
    bytes: impl Fn(usize) -> usize,
) {
    for (size, row) in sizes.iter_mut().zip(rows) {
        if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
            *size += bytes(row);
        }
    }
}

#[cfg(test)]
mod tests;
