//! The values of one column, NULLs among them, as an Arrow array: the end of
//! every decoder that reads value by value.
//!
//! Not here: how values are read. Its invariant: decimals of one array have
//! one scale, and no digit is lost for it.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Decimal128Type};
use arrow_array::{ArrayRef, FixedSizeBinaryArray, PrimitiveArray};
use arrow_buffer::{ArrowNativeType, Buffer, NullBuffer, NullBufferBuilder};
use arrow_schema::ArrowError;
use decant_core::schema::DecimalBounds;
use decant_core::{Error, ErrorKind, Result};

use crate::values::decimal::{DIGITS_MAX, Unscaled};
use crate::values::plain::Decimal;

const DECIMAL_PRECISION_MAX: u8 = DIGITS_MAX as u8;
const UUID_BYTES: i32 = 16;

/// Values of fixed width.
pub(crate) struct Natives<T> {
    values: Vec<T>,
    valid: Validity,
}

/// Which values of a column are NULL. What is said of none is a value.
pub(crate) struct Validity {
    bits: NullBufferBuilder,
}

impl Validity {
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self { bits: NullBufferBuilder::new(count) }
    }

    /// The value behind `before` others is NULL, and they are values unless
    /// it was said of them.
    #[inline]
    pub(crate) fn push_null(&mut self, before: usize) {
        self.bits.append_n_non_nulls(before - self.bits.len());
        self.bits.append_null();
    }

    /// The bits of `count` values; `None` where there is no NULL.
    pub(crate) fn finish(mut self, count: usize) -> Option<NullBuffer> {
        self.bits.append_n_non_nulls(count - self.bits.len());
        self.bits.finish()
    }
}

impl<T: Default> Natives<T> {
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self { values: Vec::with_capacity(count), valid: Validity::with_capacity(count) }
    }

    /// So many values, to be filled in.
    pub(crate) fn with_room(count: usize) -> Self
    where
        T: Clone,
    {
        Self { values: vec![T::default(); count], valid: Validity::with_capacity(count) }
    }

    /// The values, and which of them are NULL: to be said in their order.
    pub(crate) fn parts(&mut self) -> (&mut [T], &mut Validity) {
        (&mut self.values, &mut self.valid)
    }

    /// Adds a value, or NULL.
    #[inline]
    pub(crate) fn push(&mut self, value: Option<T>) {
        if value.is_none() {
            self.valid.push_null(self.values.len());
        }
        self.values.push(value.unwrap_or_default());
    }
}

impl<T: ArrowNativeType> Natives<T> {
    pub(crate) fn array<A: ArrowPrimitiveType<Native = T>>(self) -> Result<PrimitiveArray<A>> {
        let valid = self.valid.finish(self.values.len());
        PrimitiveArray::try_new(self.values.into(), valid).map_err(internal)
    }
}

impl Natives<i128> {
    /// Decimals of the type that has these bounds.
    pub(crate) fn decimals_within(self, bounds: DecimalBounds) -> Result<ArrayRef> {
        let array = self.array::<Decimal128Type>()?;
        let array = array.with_precision_and_scale(bounds.precision, bounds.scale);
        Ok(Arc::new(array.map_err(internal)?))
    }

    fn decimals_of_scale(self, scale: i8) -> Result<ArrayRef> {
        self.decimals_within(DecimalBounds { precision: DECIMAL_PRECISION_MAX, scale })
    }
}

impl Natives<Decimal> {
    /// Decimals of the scale that they need together, which they always fit.
    pub(crate) fn decimals(self) -> Result<ArrayRef> {
        let scale = self.values.iter().map(|value| value.scale).max().unwrap_or_default();
        let values = self.values.iter().map(|value| value.at_scale(scale)).collect();
        Natives { values, valid: self.valid }.decimals_of_scale(scale as i8)
    }
}

impl Natives<Unscaled> {
    /// Decimals of the scale that they need; `None` when they do not fit one
    /// scale together.
    pub(crate) fn decimals(self) -> Result<Option<ArrayRef>> {
        let scales = self.values.iter().map(|value| value.scale);
        let scale = scales.max().unwrap_or_default() as i8;
        let at_scale = |value: &Unscaled| value.at_scale(scale, DECIMAL_PRECISION_MAX);
        let mantissas: Option<Vec<i128>> = self.values.iter().map(at_scale).collect();
        let Some(values) = mantissas else { return Ok(None) };
        Natives { values, valid: self.valid }.decimals_of_scale(scale).map(Some)
    }
}

impl Natives<[u8; UUID_BYTES as usize]> {
    pub(crate) fn uuids(self) -> Result<ArrayRef> {
        let valid = self.valid.finish(self.values.len());
        let values = Buffer::from_vec(self.values.into_flattened());
        let array = FixedSizeBinaryArray::try_new(UUID_BYTES, values, valid);
        Ok(Arc::new(array.map_err(internal)?))
    }
}

/// What was made here is not what Arrow allows: a fault of ours.
pub(crate) fn internal(cause: ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "a column could not be built").caused_by(cause)
}
