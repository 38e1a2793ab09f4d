//! Lists to the wire form of Postgres' arrays.
//!
//! As `array_send` in Postgres' `arrayfuncs.c` writes it: the number of
//! dimensions (none for an empty array), whether there are NULLs, the type of
//! the elements, the size and the lower bound of each dimension, then the
//! elements like the fields of a tuple. The elements come as formats deliver
//! them, in their canonical form; only a NUL in text is left to refuse.

use arrow_array::{Array as _, StringArray};
use bytes::{BufMut as _, BytesMut};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::list::{Element, ListElement, elements};

use super::encode::{EPOCH_DAYS, EPOCH_MICROSECONDS, nul_in_text, put_bytes, put_i64};
use super::numeric;

const NULL_LENGTH: i32 = -1;
const LOWER_BOUND: i32 = 1;
const DIMENSIONS: i32 = 1;
/// Where the header says whether there are NULLs, and how many elements.
const FLAG_AT: usize = 4;
const COUNT_AT: usize = 12;

/// The arrays of one column of a batch.
pub(crate) struct EncodedArrays {
    bytes: BytesMut,
    /// Where each row's array ends.
    ends: Vec<usize>,
}

/// Why a list has no array.
enum Fault {
    Nul,
    NotCanonical,
    TooLong,
}

impl EncodedArrays {
    /// Writes the lists of column `name`, whose elements have this type in the
    /// catalogue.
    ///
    /// Errors: `MalformedFile` with the row in the batch for text that
    /// Postgres cannot store.
    pub(crate) fn new(
        name: &str,
        element: ListElement,
        oid: u32,
        lists: &StringArray,
    ) -> Result<Self> {
        let mut bytes = BytesMut::new();
        let mut ends = Vec::with_capacity(lists.len());
        for row in 0..lists.len() {
            if lists.is_valid(row) {
                let written = write_array(element, oid, lists.value(row), &mut bytes);
                written.map_err(|fault| fault.explain(name, row, element))?;
            }
            ends.push(bytes.len());
        }
        Ok(Self { bytes, ends })
    }

    /// The array of a row; nothing for NULL.
    pub(crate) fn value(&self, row: usize) -> &[u8] {
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before));
        let range = start.copied().unwrap_or_default()..self.ends.get(row).copied().unwrap_or(0);
        self.bytes.get(range).unwrap_or_default()
    }
}

impl Fault {
    fn explain(self, column: &str, row: usize, element: ListElement) -> Error {
        match self {
            Self::Nul => nul_in_text(column, row),
            Self::NotCanonical => {
                let kind = element.column_type();
                let message = format!("column `{column}` came with what is no list of {kind}");
                Error::new(ErrorKind::Internal, message).with("batch_row", row.to_string())
            }
            Self::TooLong => {
                let message = format!("column `{column}`: a list has too many elements");
                Error::new(ErrorKind::MalformedFile, message)
                    .with("column", column)
                    .with("batch_row", row.to_string())
                    .with_hint("load the column as another type with --type")
            }
        }
    }
}

fn write_array(
    element: ListElement,
    oid: u32,
    list: &str,
    bytes: &mut BytesMut,
) -> std::result::Result<(), Fault> {
    let start = bytes.len();
    bytes.put_i32(DIMENSIONS);
    bytes.put_i32(0);
    bytes.put_u32(oid);
    bytes.put_i32(0);
    bytes.put_i32(LOWER_BOUND);
    let (mut count, mut nulls) = (0_usize, false);
    for found in elements(list) {
        count += 1;
        match found.map_err(|_| Fault::NotCanonical)? {
            Element::Null => {
                nulls = true;
                bytes.put_i32(NULL_LENGTH);
            }
            Element::Plain(text) => write_element(element, text, bytes)?,
            Element::Text(text) => write_element(element, &text, bytes)?,
        }
    }
    if count == 0 {
        bytes.truncate(start + COUNT_AT);
        set(bytes, start, 0);
        return Ok(());
    }
    set(bytes, start + FLAG_AT, i32::from(nulls));
    set(bytes, start + COUNT_AT, i32::try_from(count).map_err(|_| Fault::TooLong)?);
    Ok(())
}

fn set(bytes: &mut BytesMut, at: usize, value: i32) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&value.to_be_bytes());
    }
}

/// Writes an element that is not NULL, its length before it.
fn write_element(
    element: ListElement,
    text: &str,
    bytes: &mut BytesMut,
) -> std::result::Result<(), Fault> {
    if element == ListElement::Text {
        if text.contains('\0') {
            return Err(Fault::Nul);
        }
        return put_bytes(bytes, text.as_bytes()).map_err(|_| Fault::TooLong);
    }
    write_scalar(element, text, bytes).ok_or(Fault::NotCanonical)
}

fn write_scalar(element: ListElement, text: &str, bytes: &mut BytesMut) -> Option<()> {
    match element {
        ListElement::Bool => put_bytes(bytes, &[u8::from(text.parse::<bool>().ok()?)]).ok()?,
        ListElement::Int16 => put_bytes(bytes, &text.parse::<i16>().ok()?.to_be_bytes()).ok()?,
        ListElement::Int32 => put_bytes(bytes, &text.parse::<i32>().ok()?.to_be_bytes()).ok()?,
        ListElement::Int64 => put_i64(bytes, text.parse().ok()?),
        ListElement::Float32 => put_bytes(bytes, &text.parse::<f32>().ok()?.to_be_bytes()).ok()?,
        ListElement::Float64 => put_bytes(bytes, &text.parse::<f64>().ok()?.to_be_bytes()).ok()?,
        ListElement::Decimal(_) => {
            let (unscaled, scale) = decimal(text)?;
            numeric::write(bytes, unscaled, scale);
        }
        ListElement::Date => {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            put_bytes(bytes, &(date.to_epoch_days() - EPOCH_DAYS).to_be_bytes()).ok()?;
        }
        ListElement::Time => {
            let time = NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok()?;
            let seconds = i64::from(time.num_seconds_from_midnight());
            put_i64(bytes, seconds * 1_000_000 + i64::from(time.nanosecond() / 1_000));
        }
        ListElement::Timestamp => put_i64(bytes, timestamp(text)?),
        ListElement::TimestampTz => put_i64(bytes, timestamp(text.strip_suffix('Z')?)?),
        ListElement::Uuid => put_bytes(bytes, &hexadecimal(&text.replace('-', ""))?).ok()?,
        ListElement::Text => return None,
        ListElement::Binary => {
            put_bytes(bytes, &hexadecimal(text.strip_prefix("\\x")?)?).ok()?;
        }
    }
    Some(())
}

/// The digits of a decimal, and how many stand behind its point.
fn decimal(text: &str) -> Option<(i128, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let scale = u32::try_from(fraction.len()).ok().filter(|scale| *scale <= 38)?;
    Some((format!("{whole}{fraction}").parse().ok()?, scale))
}

/// Microseconds since Postgres' epoch.
fn timestamp(text: &str) -> Option<i64> {
    let timestamp = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    Some(timestamp.and_utc().timestamp_micros() - EPOCH_MICROSECONDS)
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(element: ListElement, list: &str) -> Result<Vec<u8>> {
        let lists = StringArray::from(vec![None, Some(list)]);
        let arrays = EncodedArrays::new("tags", element, 20, &lists)?;
        assert!(arrays.value(0).is_empty());
        Ok(arrays.value(1).to_vec())
    }

    #[test]
    fn an_array_is_its_header_and_its_elements() {
        let header = |flag: u8, count: u8| {
            [[0, 0, 0, 1], [0, 0, 0, flag], [0, 0, 0, 20], [0, 0, 0, count], [0, 0, 0, 1]].concat()
        };
        for (element, list, expected) in [
            (ListElement::Int64, "[]", vec![0; 11].into_iter().chain([20]).collect()),
            (
                ListElement::Int16,
                "[1,null,-2]",
                [header(1, 3), vec![0, 0, 0, 2, 0, 1], vec![255; 4], vec![0, 0, 0, 2, 255, 254]]
                    .concat(),
            ),
            (
                ListElement::Text,
                r#"["é",""]"#,
                [header(0, 2), vec![0, 0, 0, 2, 0xc3, 0xa9], vec![0; 4]].concat(),
            ),
            (
                ListElement::Date,
                r#"["2000-01-02"]"#,
                [header(0, 1), vec![0, 0, 0, 4, 0, 0, 0, 1]].concat(),
            ),
        ] {
            assert_eq!(encoded(element, list).unwrap(), expected, "{list}");
        }
    }

    #[test]
    fn a_nul_is_refused_with_its_row_and_what_is_no_list_is_our_own_fault() {
        let error = encoded(ListElement::Text, r#"["a\u0000b"]"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedFile);
        assert_eq!((error.fact("column"), error.fact("batch_row")), (Some("tags"), Some("1")));
        for (element, list) in [
            (ListElement::Int64, "[\"x\"]"),
            (ListElement::Int64, "1"),
            (ListElement::Int16, "[40000]"),
            (ListElement::Uuid, "[\"é\"]"),
            (ListElement::Binary, "[\"\\\\x0\"]"),
            (ListElement::TimestampTz, "[\"2024-01-01T00:00:00\"]"),
        ] {
            assert_eq!(encoded(element, list).unwrap_err().kind(), ErrorKind::Internal, "{list}");
        }
    }
}
