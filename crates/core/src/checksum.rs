//! An order-free checksum of rows.
//!
//! Two sets of rows have the same checksum when they are equal as multisets,
//! whatever their order, how they were cut into batches, in which order their
//! columns stand, and whether a NULL column is there or left out. It proves
//! accidents, not attacks.

mod words;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use xxhash_rust::xxh3::xxh3_64;

use self::words::{Tenths, mixed, stirred};
use crate::error::{Error, ErrorKind, Result};

/// The running checksum of the rows of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowsChecksum(u64);

impl RowsChecksum {
    /// Adds every row of `batch`; columns are told apart by the batch's names.
    /// Fails with `Internal` on an Arrow type that no column has.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let fields = batch.schema_ref().fields().iter();
        let seeds: Vec<u64> = fields.map(|field| xxh3_64(field.name().as_bytes())).collect();
        let mut block = [0; BLOCK_ROWS];
        let mut total = self.0;
        for start in (0..batch.num_rows()).step_by(BLOCK_ROWS) {
            let rows = BLOCK_ROWS.min(batch.num_rows() - start);
            let sums = &mut block[..rows];
            sums.fill(0);
            for (seed, column) in seeds.iter().zip(batch.columns()) {
                add_column(sums, *seed, &column.slice(start, rows))?;
            }
            total = sums.iter().fold(total, |total, sum| total.wrapping_add(mixed(*sum)));
        }
        self.0 = total;
        Ok(())
    }

    /// Takes rows out whose checksum is `other`.
    pub fn remove(&mut self, other: Self) {
        self.0 = self.0.wrapping_sub(other.0);
    }

    /// The checksum as a ledger keeps it.
    pub fn value(self) -> i64 {
        self.0 as i64
    }
}

/// Rows that are summed up together: their sums stay in the processor's
/// nearest cache while one column after the other is added.
const BLOCK_ROWS: usize = 1024;

fn add_column(rows: &mut [u64], seed: u64, column: &ArrayRef) -> Result<()> {
    let nulls = column.nulls().filter(|nulls| nulls.null_count() > 0);
    macro_rules! integers {
        ($arrow:ty) => {
            add_values(rows, nulls, column.as_primitive::<$arrow>().values().iter(), |value| {
                stirred(i64::from(*value) as u64, seed)
            })
        };
    }
    match column.data_type() {
        DataType::Int16 => integers!(Int16Type),
        DataType::Int32 => integers!(Int32Type),
        DataType::Int64 => integers!(Int64Type),
        DataType::Date32 => integers!(Date32Type),
        DataType::Time64(_) => integers!(Time64MicrosecondType),
        DataType::Timestamp(_, _) => integers!(TimestampMicrosecondType),
        DataType::Boolean => {
            let values = column.as_boolean().values().iter();
            add_values(rows, nulls, values, |value| stirred(u64::from(value), seed));
        }
        DataType::Float32 => {
            let values = column.as_primitive::<Float32Type>().values().iter();
            add_values(rows, nulls, values, |value| float(f64::from(*value), seed));
        }
        DataType::Float64 => {
            let values = column.as_primitive::<Float64Type>().values().iter();
            add_values(rows, nulls, values, |value| float(*value, seed));
        }
        DataType::Decimal128(_, scale) => {
            let tenths = Tenths::new(*scale);
            let values = column.as_primitive::<Decimal128Type>().values().iter();
            add_values(rows, nulls, values, |value| stirred(tenths.of(*value), seed));
        }
        DataType::Utf8 => {
            let values = column.as_string::<i32>();
            add_bytes(rows, nulls, values.value_offsets(), values.value_data(), seed);
        }
        DataType::Binary => {
            let values = column.as_binary::<i32>();
            add_bytes(rows, nulls, values.value_offsets(), values.value_data(), seed);
        }
        DataType::FixedSizeBinary(_) => {
            let values = column.as_fixed_size_binary();
            let bytes = values.value_size();
            let parts = (0..values.len()).map(|row| row * bytes..(row + 1) * bytes);
            add_values(rows, nulls, parts, |part| words::bytes(values.value_data(), part, seed));
        }
        other => {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("no checksum is defined for Arrow's {other}"),
            ));
        }
    }
    Ok(())
}

/// Adds what `checksum` makes of each value that is there.
#[inline(always)]
fn add_values<T>(
    rows: &mut [u64],
    nulls: Option<&NullBuffer>,
    values: impl Iterator<Item = T>,
    checksum: impl Fn(T) -> u64,
) {
    let sums = rows.iter_mut().zip(values);
    match nulls {
        None => sums.for_each(|(sum, value)| *sum = sum.wrapping_add(checksum(value))),
        Some(nulls) => {
            for ((sum, value), valid) in sums.zip(nulls.iter()) {
                if valid {
                    *sum = sum.wrapping_add(checksum(value));
                }
            }
        }
    }
}

fn add_bytes(
    rows: &mut [u64],
    nulls: Option<&NullBuffer>,
    offsets: &[i32],
    data: &[u8],
    seed: u64,
) {
    let values = offsets.windows(2).map(|ends| ends[0] as usize..ends[1] as usize);
    add_values(rows, nulls, values, |value| words::bytes(data, value, seed));
}

fn float(value: f64, seed: u64) -> u64 {
    // -0.0 equals 0.0, and a database may keep either.
    stirred(if value == 0.0 { 0 } else { value.to_bits() }, seed)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Decimal128Array, Int64Array, StringArray};

    use super::*;

    fn checksum(columns: Vec<(&str, ArrayRef)>) -> i64 {
        let mut checksum = RowsChecksum::default();
        checksum.add(&RecordBatch::try_from_iter(columns).unwrap()).unwrap();
        checksum.value()
    }

    fn ints(values: &[Option<i64>]) -> ArrayRef {
        Arc::new(Int64Array::from(values.to_vec()))
    }

    fn texts(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn order_of_rows_and_columns_does_not_matter() {
        let one =
            checksum(vec![("a", ints(&[Some(1), Some(2)])), ("b", texts(&[Some("x"), Some("y")]))]);
        let other =
            checksum(vec![("b", texts(&[Some("y"), Some("x")])), ("a", ints(&[Some(2), Some(1)]))]);
        assert_eq!(one, other);
    }

    #[test]
    fn values_that_swap_rows_or_columns_do_matter() {
        let straight =
            checksum(vec![("a", ints(&[Some(1), Some(2)])), ("b", ints(&[Some(3), Some(4)]))]);
        let crossed =
            checksum(vec![("a", ints(&[Some(1), Some(2)])), ("b", ints(&[Some(4), Some(3)]))]);
        assert_ne!(straight, crossed);
        assert_ne!(
            checksum(vec![("a", ints(&[Some(1)])), ("b", ints(&[Some(2)]))]),
            checksum(vec![("a", ints(&[Some(2)])), ("b", ints(&[Some(1)]))])
        );
    }

    #[test]
    fn a_row_twice_is_not_a_row_once() {
        assert_ne!(
            checksum(vec![("a", ints(&[Some(1)]))]),
            checksum(vec![("a", ints(&[Some(1), Some(1)]))])
        );
        assert_ne!(checksum(vec![("a", ints(&[None]))]), checksum(vec![("a", ints(&[]))]));
    }

    #[test]
    fn null_is_the_same_as_absent_and_not_as_empty() {
        let absent = checksum(vec![("a", ints(&[Some(1)]))]);
        assert_eq!(checksum(vec![("a", ints(&[Some(1)])), ("b", texts(&[None]))]), absent);
        assert_ne!(checksum(vec![("a", ints(&[Some(1)])), ("b", texts(&[Some("")]))]), absent);
    }

    #[test]
    fn a_slice_counts_its_own_values_alone() {
        let all = texts(&[Some("x"), None, Some("y"), Some("z")]);
        let slice = all.slice(1, 2);
        assert_eq!(checksum(vec![("a", slice)]), checksum(vec![("a", texts(&[None, Some("y")]))]));
    }

    #[test]
    fn the_scale_of_a_decimal_does_not_matter() {
        let decimals = |value: i128, scale: i8| -> ArrayRef {
            let values = Decimal128Array::from(vec![value]);
            Arc::new(values.with_precision_and_scale(38, scale).unwrap())
        };
        assert_eq!(checksum(vec![("a", decimals(150, 2))]), checksum(vec![("a", decimals(15, 1))]));
        assert_ne!(checksum(vec![("a", decimals(150, 1))]), checksum(vec![("a", decimals(15, 1))]));
        let wide = i128::from(i64::MAX) * 10;
        assert_eq!(
            checksum(vec![("a", decimals(wide, 3))]),
            checksum(vec![("a", decimals(wide / 10, 2))])
        );
        assert_ne!(
            checksum(vec![("a", decimals(1 + (1 << 64), 0))]),
            checksum(vec![("a", decimals(1, 0))])
        );
    }
}
