//! An order-free checksum of rows.
//!
//! Two sets of rows have the same checksum when they are equal as multisets,
//! whatever their order, how they were cut into batches, in which order their
//! columns stand, and whether a NULL column is there or left out. It proves
//! accidents, not attacks.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::error::{Error, ErrorKind, Result};

/// The running checksum of the rows of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowsChecksum(u64);

impl RowsChecksum {
    /// Adds every row of `batch`; columns are told apart by the batch's names.
    /// Fails with `Internal` on an Arrow type that no column has.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut rows = vec![0u64; batch.num_rows()];
        for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            add_column(&mut rows, xxh3_64(field.name().as_bytes()), column)?;
        }
        for row in rows {
            self.0 = self.0.wrapping_add(mixed(row, ROW_SEED));
        }
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

const ROW_SEED: u64 = 0x51_7c_c1_b7_27_22_0a_95;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
/// Tells the scales of decimals apart, and the upper half of a wide one.
const SCALE_STEP: u64 = 0xd6e8_feb8_6659_fd93;

/// A word, stirred: the folded product of twice 64 bits. A handful of
/// instructions, where a hash of bytes would take most of the time that a
/// number costs altogether.
fn mixed(word: u64, seed: u64) -> u64 {
    let product = u128::from(word ^ seed) * u128::from(MULTIPLIER);
    let folded = (product as u64) ^ (product >> 64) as u64;
    folded.wrapping_mul(MULTIPLIER) ^ (folded >> 32)
}

fn add_column(rows: &mut [u64], seed: u64, column: &ArrayRef) -> Result<()> {
    let nulls = column.nulls().filter(|nulls| nulls.null_count() > 0);
    macro_rules! integers {
        ($arrow:ty) => {
            add_values(rows, nulls, column.as_primitive::<$arrow>().values().iter(), |value| {
                mixed(i64::from(*value) as u64, seed)
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
            add_values(rows, nulls, values, |value| mixed(u64::from(value), seed));
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
            let values = column.as_primitive::<Decimal128Type>().values().iter();
            add_values(rows, nulls, values, |value| decimal(*value, *scale, seed));
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
            let values = (0..values.len()).map(|row| values.value(row));
            add_values(rows, nulls, values, |value| xxh3_64_with_seed(value, seed));
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
    let values = offsets.windows(2).map(|ends| {
        let (start, end) = (ends[0] as usize, ends[1] as usize);
        data.get(start..end).unwrap_or_default()
    });
    add_values(rows, nulls, values, |value| xxh3_64_with_seed(value, seed));
}

fn float(value: f64, seed: u64) -> u64 {
    // -0.0 equals 0.0, and a database may keep either.
    mixed(if value == 0.0 { 0 } else { value.to_bits() }, seed)
}

/// The same for every way to write a decimal: zeros at its end do not count.
fn decimal(unscaled: i128, scale: i8, seed: u64) -> u64 {
    let (unscaled, scale) = match i64::try_from(unscaled) {
        Ok(mut narrow) => {
            let mut scale = scale;
            while scale > 0 && narrow % 10 == 0 {
                narrow /= 10;
                scale -= 1;
            }
            (i128::from(narrow), scale)
        }
        Err(_) => {
            let (mut wide, mut scale) = (unscaled, scale);
            while scale > 0 && wide % 10 == 0 {
                wide /= 10;
                scale -= 1;
            }
            (wide, scale)
        }
    };
    let seed = seed.wrapping_add((scale as u64).wrapping_mul(SCALE_STEP));
    let low = mixed(unscaled as u64, seed);
    match i64::try_from(unscaled) {
        Ok(_) => low,
        Err(_) => low.wrapping_add(mixed((unscaled >> 64) as u64, !seed)),
    }
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
