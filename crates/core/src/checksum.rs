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
            self.0 = self.0.wrapping_add(xxh3_64(&row.to_le_bytes()));
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

fn add_column(rows: &mut [u64], seed: u64, column: &ArrayRef) -> Result<()> {
    macro_rules! integers {
        ($arrow:ty) => {{
            let values = column.as_primitive::<$arrow>();
            add_values(rows, seed, column, |row| (values.value(row) as i64).to_le_bytes())
        }};
    }
    match column.data_type() {
        DataType::Int16 => integers!(Int16Type),
        DataType::Int32 => integers!(Int32Type),
        DataType::Int64 => integers!(Int64Type),
        DataType::Date32 => integers!(Date32Type),
        DataType::Time64(_) => integers!(Time64MicrosecondType),
        DataType::Timestamp(_, _) => integers!(TimestampMicrosecondType),
        DataType::Boolean => {
            let values = column.as_boolean();
            add_values(rows, seed, column, |row| [u8::from(values.value(row))]);
        }
        DataType::Float32 => {
            let values = column.as_primitive::<Float32Type>();
            add_values(rows, seed, column, |row| float_bytes(f64::from(values.value(row))));
        }
        DataType::Float64 => {
            let values = column.as_primitive::<Float64Type>();
            add_values(rows, seed, column, |row| float_bytes(values.value(row)));
        }
        DataType::Decimal128(_, scale) => {
            let values = column.as_primitive::<Decimal128Type>();
            add_values(rows, seed, column, |row| decimal_bytes(values.value(row), *scale));
        }
        DataType::Utf8 => {
            let values = column.as_string::<i32>();
            add_values(rows, seed, column, |row| values.value(row).as_bytes());
        }
        DataType::Binary => {
            let values = column.as_binary::<i32>();
            add_values(rows, seed, column, |row| values.value(row));
        }
        DataType::FixedSizeBinary(_) => {
            let values = column.as_fixed_size_binary();
            add_values(rows, seed, column, |row| values.value(row));
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

fn add_values<B: AsRef<[u8]>>(
    rows: &mut [u64],
    seed: u64,
    column: &ArrayRef,
    bytes: impl Fn(usize) -> B,
) {
    for (row, sum) in rows.iter_mut().enumerate() {
        if column.is_valid(row) {
            *sum = sum.wrapping_add(xxh3_64_with_seed(bytes(row).as_ref(), seed));
        }
    }
}

fn float_bytes(value: f64) -> [u8; 8] {
    // -0.0 equals 0.0, and a database may keep either.
    if value == 0.0 { 0f64.to_le_bytes() } else { value.to_le_bytes() }
}

fn decimal_bytes(mut unscaled: i128, mut scale: i8) -> [u8; 17] {
    while scale > 0 && unscaled % 10 == 0 {
        unscaled /= 10;
        scale -= 1;
    }
    let mut bytes = [0; 17];
    bytes[..16].copy_from_slice(&unscaled.to_le_bytes());
    bytes[16] = scale as u8;
    bytes
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
    fn the_scale_of_a_decimal_does_not_matter() {
        let decimals = |value: i128, scale: i8| -> ArrayRef {
            let values = Decimal128Array::from(vec![value]);
            Arc::new(values.with_precision_and_scale(38, scale).unwrap())
        };
        assert_eq!(checksum(vec![("a", decimals(150, 2))]), checksum(vec![("a", decimals(15, 1))]));
        assert_ne!(checksum(vec![("a", decimals(150, 1))]), checksum(vec![("a", decimals(15, 1))]));
    }
}
