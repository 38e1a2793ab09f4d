//! Arrow batches to the tuples of `COPY ... FROM STDIN (FORMAT binary)`.
//!
//! A tuple is the number of its fields, then for each its length (-1 for
//! NULL) and its bytes as the type's `send` function would write them. Formats
//! deliver values that fit their column; the two things checked here are those
//! that Postgres' types cannot hold and that the Arrow types can: a NUL in
//! text, and days outside of the years 1 to 9999.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, FixedSizeBinaryArray, PrimitiveArray, StringArray,
};
use arrow_schema::DataType;
use bytes::{BufMut as _, BytesMut};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::schema::ColumnType;

use super::arrays::EncodedArrays;
use super::type_table::Encoding;

/// What a COPY in binary begins with: signature, flags, length of extensions.
pub(crate) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with.
pub(crate) const TRAILER: &[u8] = &[0xff, 0xff];

pub(super) const EPOCH_DAYS: i32 = 10_957;
pub(super) const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;
const FIRST_DAY: i32 = -719_162;
const LAST_DAY: i32 = 2_932_896;
const DAY_MICROSECONDS: i64 = 86_400_000_000;

/// One column of a batch, ready to be written value by value.
pub(crate) enum ColumnValues<'a> {
    Bool(&'a BooleanArray),
    Int16(&'a PrimitiveArray<Int16Type>),
    Int32(&'a PrimitiveArray<Int32Type>),
    Int64(&'a PrimitiveArray<Int64Type>),
    Float32(&'a PrimitiveArray<Float32Type>),
    Float64(&'a PrimitiveArray<Float64Type>),
    Decimal(&'a PrimitiveArray<Decimal128Type>, u32),
    Date(&'a PrimitiveArray<Date32Type>),
    Time(&'a PrimitiveArray<Time64MicrosecondType>),
    Timestamp(&'a PrimitiveArray<TimestampMicrosecondType>),
    Uuid(&'a FixedSizeBinaryArray),
    Text(&'a StringArray),
    Jsonb(&'a StringArray),
    Binary(&'a BinaryArray),
    Array(&'a StringArray, EncodedArrays),
}

impl<'a> ColumnValues<'a> {
    /// Looks at a whole column: that it is of its type, and that Postgres can
    /// hold its values.
    pub(crate) fn new(name: &str, encoding: Encoding, array: &'a ArrayRef) -> Result<Self> {
        if let (ColumnType::List(element), Some(lists)) =
            (encoding.column_type, array.as_string_opt::<i32>())
        {
            let encoded = EncodedArrays::new(name, element, encoding.element_oid, lists)?;
            return Ok(Self::Array(lists, encoded));
        }
        let values = Self::of_type(encoding, array).ok_or_else(|| {
            let message = format!(
                "column `{name}` is {} in Arrow, {} was expected",
                array.data_type(),
                encoding.column_type.arrow()
            );
            Error::new(ErrorKind::Internal, message)
        })?;
        values.check(name)?;
        Ok(values)
    }

    fn of_type(encoding: Encoding, array: &'a ArrayRef) -> Option<Self> {
        Some(match encoding.column_type {
            ColumnType::Bool => Self::Bool(array.as_boolean_opt()?),
            ColumnType::Int16 => Self::Int16(array.as_primitive_opt()?),
            ColumnType::Int32 => Self::Int32(array.as_primitive_opt()?),
            ColumnType::Int64 => Self::Int64(array.as_primitive_opt()?),
            ColumnType::Float32 => Self::Float32(array.as_primitive_opt()?),
            ColumnType::Float64 => Self::Float64(array.as_primitive_opt()?),
            ColumnType::Decimal(_) => {
                Self::Decimal(array.as_primitive_opt()?, decimal_scale(array.data_type())?)
            }
            ColumnType::Date => Self::Date(array.as_primitive_opt()?),
            ColumnType::Time => Self::Time(array.as_primitive_opt()?),
            ColumnType::Timestamp | ColumnType::TimestampTz => {
                Self::Timestamp(array.as_primitive_opt()?)
            }
            ColumnType::Uuid => Self::Uuid(
                array.as_fixed_size_binary_opt().filter(|uuid| uuid.value_length() == 16)?,
            ),
            ColumnType::Json if encoding.is_jsonb => Self::Jsonb(array.as_string_opt()?),
            ColumnType::Text | ColumnType::Json => Self::Text(array.as_string_opt()?),
            ColumnType::Binary => Self::Binary(array.as_binary_opt()?),
            ColumnType::List(_) => return None,
        })
    }

    fn check(&self, name: &str) -> Result<()> {
        match self {
            Self::Text(array) | Self::Jsonb(array) => check_text(name, array),
            Self::Date(array) => check_range(name, array, FIRST_DAY, LAST_DAY),
            Self::Timestamp(array) => {
                let first = i64::from(FIRST_DAY) * DAY_MICROSECONDS;
                let last = (i64::from(LAST_DAY) + 1) * DAY_MICROSECONDS - 1;
                check_range(name, array, first, last)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn array(&self) -> &dyn Array {
        match self {
            Self::Bool(array) => array,
            Self::Int16(array) => array,
            Self::Int32(array) => array,
            Self::Int64(array) => array,
            Self::Float32(array) => array,
            Self::Float64(array) => array,
            Self::Decimal(array, _) => array,
            Self::Date(array) => array,
            Self::Time(array) => array,
            Self::Timestamp(array) => array,
            Self::Uuid(array) => array,
            Self::Text(array) | Self::Jsonb(array) => array,
            Self::Binary(array) => array,
            Self::Array(array, _) => array,
        }
    }
}

fn decimal_scale(data_type: &DataType) -> Option<u32> {
    match data_type {
        DataType::Decimal128(_, scale) => u32::try_from(*scale).ok(),
        _ => None,
    }
}

pub(super) fn put_i64(buffer: &mut BytesMut, value: i64) {
    buffer.put_i32(8);
    buffer.put_i64(value);
}

pub(super) fn put_bytes(buffer: &mut BytesMut, bytes: &[u8]) -> Result<()> {
    buffer.put_i32(length(bytes.len())?);
    buffer.put_slice(bytes);
    Ok(())
}

fn length(bytes: usize) -> Result<i32> {
    i32::try_from(bytes).map_err(|_| {
        Error::new(ErrorKind::MalformedFile, "a value has more than 2 GB, Postgres takes 1 GB")
    })
}

/// Text may hold anything but NUL. The values of a column lie side by side:
/// one look at all of them says whether to search.
fn check_text(name: &str, array: &StringArray) -> Result<()> {
    let (Some(first), Some(end)) = (array.value_offsets().first(), array.value_offsets().last())
    else {
        return Ok(());
    };
    let bytes = &array.value_data()[*first as usize..*end as usize];
    if !bytes.contains(&0) {
        return Ok(());
    }
    let row = (0..array.len()).find(|row| array.is_valid(*row) && array.value(*row).contains('\0'));
    row.map_or(Ok(()), |row| Err(nul_in_text(name, row)))
}

pub(super) fn nul_in_text(column: &str, row: usize) -> Error {
    let message =
        format!("column `{column}`: the text has the character NUL, which Postgres cannot store");
    refused(message, column, row)
}

fn check_range<T: ArrowPrimitiveType>(
    name: &str,
    array: &PrimitiveArray<T>,
    first: T::Native,
    last: T::Native,
) -> Result<()> {
    let outside = |value: T::Native| !(first..=last).contains(&value);
    if !array.values().iter().any(|value| outside(*value)) {
        return Ok(());
    }
    let row = (0..array.len()).find(|row| array.is_valid(*row) && outside(array.value(*row)));
    row.map_or(Ok(()), |row| {
        let message = format!("column `{name}`: the date is outside of the years 1 to 9999");
        Err(refused(message, name, row))
    })
}

fn refused(message: String, column: &str, row: usize) -> Error {
    Error::new(ErrorKind::MalformedFile, message)
        .with("column", column)
        .with("batch_row", row.to_string())
        .with_hint("mend the value, or load the column as another type with --type")
}
