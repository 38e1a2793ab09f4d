//! The values of one column, NULLs among them, as an Arrow array: the end of
//! every decoder that reads value by value.
//!
//! Not here: how values are read. Its invariant: decimals of one array have
//! one scale, and no digit is lost for it.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Decimal128Type};
use arrow_array::{ArrayRef, FixedSizeBinaryArray, PrimitiveArray};
use arrow_buffer::{ArrowNativeType, Buffer, NullBufferBuilder};
use arrow_schema::ArrowError;
use decant_core::schema::DecimalBounds;
use decant_core::{Error, ErrorKind, Result};

use crate::values::decimal::{DIGITS_MAX, Unscaled};

const DECIMAL_PRECISION_MAX: u8 = DIGITS_MAX as u8;
const UUID_BYTES: i32 = 16;

/// Values of fixed width.
pub(crate) struct Natives<T> {
    values: Vec<T>,
    valid: NullBufferBuilder,
}

impl<T: Default> Natives<T> {
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self { values: Vec::with_capacity(count), valid: NullBufferBuilder::new(count) }
    }

    /// Adds a value, or NULL.
    #[inline]
    pub(crate) fn push(&mut self, value: Option<T>) {
        self.valid.append(value.is_some());
        self.values.push(value.unwrap_or_default());
    }
}

impl<T: ArrowNativeType> Natives<T> {
    pub(crate) fn array<A: ArrowPrimitiveType<Native = T>>(mut self) -> Result<PrimitiveArray<A>> {
        PrimitiveArray::try_new(self.values.into(), self.valid.finish()).map_err(internal)
    }
}

impl Natives<i128> {
    /// Decimals of the type that has these bounds.
    pub(crate) fn decimals_within(self, bounds: DecimalBounds) -> Result<ArrayRef> {
        let array = self.array::<Decimal128Type>()?;
        let array = array.with_precision_and_scale(bounds.precision, bounds.scale);
        Ok(Arc::new(array.map_err(internal)?))
    }
}

impl Natives<Unscaled> {
    /// Decimals of the scale that they need; `None` when they do not fit one
    /// scale together.
    pub(crate) fn decimals(mut self) -> Result<Option<ArrayRef>> {
        let scales = self.values.iter().map(|value| value.scale);
        let scale = scales.max().unwrap_or_default() as i8;
        let at_scale = |value: &Unscaled| value.at_scale(scale, DECIMAL_PRECISION_MAX);
        let mantissas: Option<Vec<i128>> = self.values.iter().map(at_scale).collect();
        let Some(mantissas) = mantissas else { return Ok(None) };
        let array =
            PrimitiveArray::<Decimal128Type>::try_new(mantissas.into(), self.valid.finish());
        let array =
            array.and_then(|array| array.with_precision_and_scale(DECIMAL_PRECISION_MAX, scale));
        Ok(Some(Arc::new(array.map_err(internal)?)))
    }
}

impl Natives<[u8; UUID_BYTES as usize]> {
    pub(crate) fn uuids(mut self) -> Result<ArrayRef> {
        let values = Buffer::from_vec(self.values.into_flattened());
        let array = FixedSizeBinaryArray::try_new(UUID_BYTES, values, self.valid.finish());
        Ok(Arc::new(array.map_err(internal)?))
    }
}

/// What was made here is not what Arrow allows: a fault of ours.
pub(crate) fn internal(cause: ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "a column could not be built").caused_by(cause)
}
