//! Fields whose length differs from row to row: texts, bytes, decimals.
//!
//! Invariant: fields are written in the order of the output, so that what a
//! lane writes too much is written over by the fields behind it; what fields
//! of fixed length have there is written afterwards.

use arrow_buffer::NullBuffer;
use decant_core::error::Result;

use super::super::arrays::EncodedArrays;
use super::super::encode::ColumnValues;
use super::super::numeric::Numerics;
use super::super::output::LANE_BYTES;
use super::super::type_table::JSONB_VERSION;
use super::{COUNT_BYTES, LENGTH_BYTES, NULL_LENGTH, put as put_bytes, too_long};

/// A column whose fields have no fixed length.
pub(super) struct Flexible<'f> {
    source: Source<'f>,
    nulls: Option<&'f NullBuffer>,
    /// Where in its row each field is.
    fields: &'f [usize],
}

enum Source<'f> {
    /// Bytes between offsets.
    Bytes(&'f [i32], &'f [u8]),
    /// The same, each behind the version of a document.
    Jsonb(&'f [i32], &'f [u8]),
    Array(&'f EncodedArrays),
    Numeric(&'f Numerics),
}

impl<'f> Flexible<'f> {
    /// The column, if its fields have no fixed length. Its decimals stand in
    /// `numerics`.
    pub(super) fn of(
        column: &'f ColumnValues<'_>,
        numerics: &'f Numerics,
        fields: &'f [usize],
    ) -> Option<Self> {
        let source = match column {
            ColumnValues::Text(array) => Source::Bytes(array.value_offsets(), array.value_data()),
            ColumnValues::Binary(array) => Source::Bytes(array.value_offsets(), array.value_data()),
            ColumnValues::Jsonb(array) => Source::Jsonb(array.value_offsets(), array.value_data()),
            ColumnValues::Array(_, encoded) => Source::Array(encoded),
            ColumnValues::Decimal(..) => Source::Numeric(numerics),
            _ => return None,
        };
        Some(Self { source, nulls: column.nulls(), fields })
    }
}

/// Writes the beginning of each row and its fields of `columns`. `first` is
/// the number of the first row, `starts` are the places of all.
pub(super) fn put(
    columns: &[Flexible<'_>],
    count: [u8; COUNT_BYTES],
    first: usize,
    starts: &[usize],
    output: &mut [u8],
) -> Result<()> {
    for (nth, start) in starts.iter().enumerate() {
        put_bytes(output, *start, &count);
        for column in columns {
            let place = start + column.fields[nth];
            if column.nulls.is_some_and(|nulls| nulls.is_null(first + nth)) {
                put_bytes(output, place, &NULL_LENGTH);
                continue;
            }
            match column.source {
                Source::Bytes(offsets, data) => {
                    let (start, end) = (offsets[first + nth], offsets[first + nth + 1]);
                    put_bytes(output, place, &(end - start).to_be_bytes());
                    put_part(output, place + LENGTH_BYTES, data, (start as usize, end as usize));
                }
                Source::Jsonb(offsets, data) => {
                    let (start, end) = (offsets[first + nth], offsets[first + nth + 1]);
                    let length = (end - start).checked_add(1).ok_or_else(too_long)?;
                    put_bytes(output, place, &length.to_be_bytes());
                    put_bytes(output, place + LENGTH_BYTES, &[JSONB_VERSION]);
                    let place = place + LENGTH_BYTES + 1;
                    put_part(output, place, data, (start as usize, end as usize));
                }
                Source::Array(encoded) => {
                    let bytes = encoded.value(first + nth);
                    let length = i32::try_from(bytes.len()).map_err(|_| too_long())?;
                    put_bytes(output, place, &length.to_be_bytes());
                    put_part(output, place + LENGTH_BYTES, bytes, (0, bytes.len()));
                }
                Source::Numeric(numerics) => numerics.put(nth, place, output),
            }
        }
    }
    Ok(())
}

/// Writes what stands between two offsets of `source`, in one go where it is
/// short.
fn put_part(output: &mut [u8], place: usize, source: &[u8], (start, end): (usize, usize)) {
    let from = source.get(start..).and_then(<[u8]>::first_chunk::<LANE_BYTES>);
    let to = output.get_mut(place..).and_then(<[u8]>::first_chunk_mut::<LANE_BYTES>);
    match (from, to) {
        (Some(from), Some(to)) if end - start <= LANE_BYTES => *to = *from,
        _ => output[place..place + (end - start)].copy_from_slice(&source[start..end]),
    }
}
