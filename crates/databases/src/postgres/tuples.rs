//! Columns to the tuples of COPY, some hundred rows at a time.
//!
//! Tuples stand row by row in the output, and yet are not written value by
//! value: first each column says where its fields are, so that every field has
//! its place. Fields whose length is not known are then written in the order
//! of the output, each with all bytes of a lane of fixed size, as that takes no
//! call and no loop: what is too much is written over by what comes behind it.
//! Fields of fixed length are filled in last, a column at a time.
//!
//! Invariant: the bytes are those that writing value by value would give.

mod flexible;

use std::ops::Range;

use arrow_array::{ArrowPrimitiveType, PrimitiveArray};
use arrow_buffer::NullBuffer;
use decant_core::error::{Error, ErrorKind, Result};

use self::flexible::Flexible;
use super::encode::{ColumnValues, EPOCH_DAYS, EPOCH_MICROSECONDS};
use super::numeric::Numerics;
use super::output::Output;

/// Rows that are written together at most: what is known of their fields
/// stays in the processor's nearest cache.
const GROUP_ROWS: usize = 256;
/// Bytes that they become, unless a single row has more.
const GROUP_BYTES: usize = 128 << 10;
const COUNT_BYTES: usize = 2;
const LENGTH_BYTES: usize = 4;
const NULL_LENGTH: [u8; LENGTH_BYTES] = (-1_i32).to_be_bytes();

/// Writes tuples, and keeps the space for it from group to group.
#[derive(Default)]
pub(crate) struct TupleWriter {
    /// Where each row begins in what is written together.
    starts: Vec<usize>,
    /// The size of each row, as far as its columns have been looked at.
    sizes: Vec<usize>,
    /// Where in its row each field is, column by column.
    fields: Vec<usize>,
    numerics: Vec<Numerics>,
}

impl TupleWriter {
    /// Appends the first of `rows` to `output`, as many as are written
    /// together; answers how many those were: at least one of them.
    pub(crate) fn write(
        &mut self,
        columns: &[ColumnValues<'_>],
        rows: Range<usize>,
        output: &mut Output,
    ) -> Result<usize> {
        let rows = rows.start..rows.end.min(rows.start + GROUP_ROWS);
        self.look(columns, rows.clone());
        let bytes = self.take_starts();
        let (count, stride) = (self.starts.len(), rows.len());
        let rows = rows.start..rows.start + count;
        let room = output.room(bytes);
        flexible::put(
            &flexibles(columns, &self.numerics, &self.fields, stride),
            (columns.len() as i16).to_be_bytes(),
            rows.start,
            &self.starts,
            room,
        )?;
        for (column, fields) in columns.iter().zip(self.fields.chunks_exact(stride)) {
            let rows = rows.clone();
            let mut places =
                Places { rows, nulls: column.nulls(), starts: &self.starts, fields, output: room };
            column.put_fixed(&mut places);
        }
        output.keep(bytes);
        Ok(count)
    }

    /// Finds out where in its row each field is, and the size of each row.
    fn look(&mut self, columns: &[ColumnValues<'_>], rows: Range<usize>) {
        self.numerics.resize_with(columns.len(), Numerics::default);
        self.fields.clear();
        self.sizes.clear();
        self.sizes.resize(rows.len(), COUNT_BYTES);
        for (column, numerics) in columns.iter().zip(&mut self.numerics) {
            self.fields.extend_from_slice(&self.sizes);
            column.add_sizes(rows.clone(), &mut self.sizes, numerics);
        }
    }

    /// Says where each row begins that is written now; answers their bytes.
    fn take_starts(&mut self) -> usize {
        let mut bytes = 0;
        self.starts.clear();
        for size in &self.sizes {
            if bytes > 0 && bytes + size > GROUP_BYTES {
                break;
            }
            self.starts.push(bytes);
            bytes += size;
        }
        bytes
    }
}

/// The columns whose fields have no fixed length.
fn flexibles<'f>(
    columns: &'f [ColumnValues<'_>],
    numerics: &'f [Numerics],
    fields: &'f [usize],
    stride: usize,
) -> Vec<Flexible<'f>> {
    let columns = columns.iter().zip(numerics).zip(fields.chunks_exact(stride));
    columns.filter_map(|((column, numerics), at)| Flexible::of(column, numerics, at)).collect()
}

impl ColumnValues<'_> {
    /// Adds to the size of each row what its field takes.
    fn add_sizes(&self, rows: Range<usize>, sizes: &mut [usize], numerics: &mut Numerics) {
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
                let lengths = numerics.lengths();
                match nulls {
                    None => sizes.iter_mut().zip(lengths).for_each(|(size, length)| {
                        *size += *length as usize;
                    }),
                    Some(_) => add_each(rows.clone(), nulls, sizes, |row| {
                        lengths[row - rows.start] as usize - LENGTH_BYTES
                    }),
                }
            }
            Self::Text(array) => add_lengths(rows, nulls, sizes, array.value_offsets(), 0),
            Self::Jsonb(array) => add_lengths(rows, nulls, sizes, array.value_offsets(), 1),
            Self::Binary(array) => add_lengths(rows, nulls, sizes, array.value_offsets(), 0),
            Self::Array(_, encoded) => {
                add_each(rows, nulls, sizes, |row| encoded.value(row).len());
            }
        }
    }

    /// Writes the fields, where they are of a fixed length.
    fn put_fixed(&self, places: &mut Places<'_>) {
        match self {
            Self::Bool(array) => {
                places.put_each(|row| prefixed::<1, 5>([u8::from(array.value(row))]));
            }
            Self::Int16(array) => {
                places.put_values(array, |value| prefixed::<2, 6>(value.to_be_bytes()));
            }
            Self::Int32(array) => {
                places.put_values(array, |value| prefixed::<4, 8>(value.to_be_bytes()));
            }
            Self::Int64(array) => {
                places.put_values(array, |value| prefixed::<8, 12>(value.to_be_bytes()));
            }
            Self::Float32(array) => {
                places.put_values(array, |value| prefixed::<4, 8>(value.to_be_bytes()));
            }
            Self::Float64(array) => {
                places.put_values(array, |value| prefixed::<8, 12>(value.to_be_bytes()));
            }
            Self::Date(array) => places.put_values(array, |value| {
                prefixed::<4, 8>(value.wrapping_sub(EPOCH_DAYS).to_be_bytes())
            }),
            Self::Time(array) => {
                places.put_values(array, |value| prefixed::<8, 12>(value.to_be_bytes()));
            }
            Self::Timestamp(array) => places.put_values(array, |value| {
                prefixed::<8, 12>(value.wrapping_sub(EPOCH_MICROSECONDS).to_be_bytes())
            }),
            Self::Uuid(array) => places.put_each(|row| {
                let mut uuid = [0; 16];
                uuid.copy_from_slice(array.value(row));
                prefixed::<16, 20>(uuid)
            }),
            Self::Decimal(..)
            | Self::Text(_)
            | Self::Jsonb(_)
            | Self::Binary(_)
            | Self::Array(..) => {}
        }
    }

    fn nulls(&self) -> Option<&NullBuffer> {
        self.array().nulls().filter(|nulls| nulls.null_count() > 0)
    }
}

/// Where the fields of one column go in some rows.
struct Places<'p> {
    rows: Range<usize>,
    nulls: Option<&'p NullBuffer>,
    starts: &'p [usize],
    fields: &'p [usize],
    output: &'p mut [u8],
}

impl Places<'_> {
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
        for ((start, at), value) in self.starts.iter().zip(self.fields).zip(values) {
            put(self.output, start + at, &field(*value));
        }
    }

    fn put_each<const N: usize>(&mut self, field: impl Fn(usize) -> [u8; N]) {
        for ((start, at), row) in self.starts.iter().zip(self.fields).zip(self.rows.clone()) {
            match self.nulls {
                Some(nulls) if nulls.is_null(row) => put(self.output, start + at, &NULL_LENGTH),
                _ => put(self.output, start + at, &field(row)),
            }
        }
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

/// Writes `bytes` at `place`.
fn put<const N: usize>(output: &mut [u8], place: usize, bytes: &[u8; N]) {
    output[place..place + N].copy_from_slice(bytes);
}

fn add_fixed(rows: Range<usize>, nulls: Option<&NullBuffer>, sizes: &mut [usize], bytes: usize) {
    match nulls {
        None => sizes.iter_mut().for_each(|size| *size += LENGTH_BYTES + bytes),
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
    let (starts, ends) = (&offsets[rows.start..rows.end], &offsets[rows.start + 1..=rows.end]);
    for ((size, start), end) in sizes.iter_mut().zip(starts).zip(ends) {
        *size += (end - start) as usize + LENGTH_BYTES + more;
    }
}

fn add_each(
    rows: Range<usize>,
    nulls: Option<&NullBuffer>,
    sizes: &mut [usize],
    bytes: impl Fn(usize) -> usize,
) {
    for (size, row) in sizes.iter_mut().zip(rows) {
        *size += LENGTH_BYTES;
        if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
            *size += bytes(row);
        }
    }
}

#[cfg(test)]
mod tests;
