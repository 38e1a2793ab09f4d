//! Lists of scalars: the text of one JSON array, each element of which is
//! read as a value of the element's type, or NULL.
//!
//! What comes out is the same list in the canonical form of
//! [`decant_core::list`]. Lists within lists and objects are misfits, and so
//! is a list of which one element is.

use decant_core::list::{Element, elements};
use decant_core::schema::ColumnType;

use super::complaint::quoted;
use super::float::Float;
use super::{Fit, Misfit, Reader, json};
use crate::arrow::cells::Scalar;
use crate::arrow::render::write_json;

const MICROSECONDS: i64 = 1_000_000;

impl Reader {
    /// Reads a list. Answers it in canonical form.
    pub fn list(&self, value: &[u8]) -> Fit<String> {
        let element = self.element.as_deref().ok_or(Misfit::Spelling)?;
        let value = self.bare(value);
        json::check(value)?;
        let text = std::str::from_utf8(value).map_err(|_| Misfit::Spelling)?;
        let mut list = String::with_capacity(text.len());
        list.push('[');
        for (nth, found) in elements(text).enumerate() {
            if nth > 0 {
                list.push(',');
            }
            match found.map_err(|_| Misfit::Spelling)? {
                Element::Null => list.push_str("null"),
                Element::Plain(text) => element.write_element(text, &mut list)?,
                Element::Text(text) => element.write_element(&text, &mut list)?,
            }
        }
        list.push(']');
        Ok(list)
    }

    /// Why an element of the list `value` does not fit; `None` where none is
    /// to blame alone.
    pub(super) fn element_complaint(&self, value: &[u8]) -> Option<String> {
        let element = self.element.as_deref()?;
        let text = std::str::from_utf8(self.bare(value)).ok()?;
        let complaint = elements(text).find_map(|found| {
            let misfit = |text: &str| {
                let misfit = element.write_element(text, &mut String::new()).err()?;
                Some(element.complaint(misfit, text.as_bytes()))
            };
            match found.ok()? {
                Element::Null => None,
                Element::Plain(text) => misfit(text),
                Element::Text(text) => misfit(&text),
            }
        })?;
        Some(format!("{complaint} in {}", quoted(value)))
    }

    /// Appends what a value of this reader's own type is in canonical form.
    fn write_element(&self, text: &str, list: &mut String) -> Fit<()> {
        let value = text.as_bytes();
        let mut bytes = Vec::new();
        let scalar = match self.column_type {
            ColumnType::Bool => Scalar::Bool(self.boolean(value)?),
            ColumnType::Int16 => Scalar::Integer(self.integer::<i16>(value)?.into()),
            ColumnType::Int32 => Scalar::Integer(self.integer::<i32>(value)?.into()),
            ColumnType::Int64 => Scalar::Integer(self.integer::<i64>(value)?.into()),
            ColumnType::Float32 => Scalar::Single(self.float_element(text)?),
            ColumnType::Float64 => Scalar::Double(self.float_element(text)?),
            ColumnType::Decimal(None) => {
                let decimal = self.decimal(value)?;
                Scalar::Decimal(decimal.mantissa, decimal.scale as i8)
            }
            ColumnType::Decimal(Some(bounds)) => {
                Scalar::Decimal(self.bounded_decimal(value, bounds)?, bounds.scale)
            }
            ColumnType::Date => Scalar::Date(self.date(value)?.into()),
            ColumnType::Time => Scalar::Time(self.time(value)?.saturating_mul(1_000)),
            ColumnType::Timestamp => moment(self.timestamp(value)?, false),
            ColumnType::TimestampTz => moment(self.timestamp_tz(value)?, true),
            ColumnType::Uuid => Scalar::Uuid(self.uuid(value)?),
            ColumnType::Text => Scalar::Text(text),
            ColumnType::Binary => {
                self.binary_into(value, &mut bytes)?;
                Scalar::Bytes(&bytes)
            }
            ColumnType::Json | ColumnType::List(_) => return Err(Misfit::Spelling),
        };
        write_json(&scalar, list).map_err(|_| Misfit::Range)
    }

    /// JSON has no other way to write what is no number than as a string.
    fn float_element<T: Float>(&self, text: &str) -> Fit<T> {
        match text {
            "NaN" => Ok(T::from(f32::NAN)),
            "Infinity" => Ok(T::from(f32::INFINITY)),
            "-Infinity" => Ok(T::from(f32::NEG_INFINITY)),
            _ => self.float(text.as_bytes()),
        }
    }
}

fn moment<'a>(microseconds: i64, zoned: bool) -> Scalar<'a> {
    let nanoseconds = microseconds.rem_euclid(MICROSECONDS) * 1_000;
    Scalar::Moment(microseconds.div_euclid(MICROSECONDS), nanoseconds as u32, zoned)
}

#[cfg(test)]
mod tests {
    use decant_core::format::Target;
    use decant_core::list::ListElement;
    use decant_core::schema::DecimalBounds;

    use super::*;

    fn reader(element: ListElement, exact: bool) -> Reader {
        Reader::new(&Target::new(ColumnType::List(element), exact), None).unwrap()
    }

    #[test]
    fn each_element_is_read_as_a_value_of_its_type_and_written_in_canonical_form() {
        use ListElement::*;
        let cents = Decimal(Some(DecimalBounds { precision: 5, scale: 2 }));
        for (element, text, expected) in [
            (Int64, "[]", "[]"),
            (Int64, " [ 1 , null, -2 ] ", "[1,null,-2]"),
            (Int64, r#"["7", 12.0]"#, "[7,12]"),
            (Bool, r#"[true, false, "no", 1]"#, "[true,false,false,true]"),
            (
                Float64,
                r#"[0.1, 1e300, -0.0, "NaN", "-Infinity"]"#,
                r#"[0.1,1e300,-0,"NaN","-Infinity"]"#,
            ),
            (Float32, "[0.1, 16777217]", "[0.1,1.6777216e7]"),
            (
                Decimal(None),
                "[1.50, 99999999999999999999999999999999999999]",
                "[1.5,99999999999999999999999999999999999999]",
            ),
            (cents, r#"[1, "1.5"]"#, "[1.00,1.50]"),
            (Date, r#"["2024-01-31"]"#, r#"["2024-01-31"]"#),
            (Time, r#"["10:00", "10:00:00.5"]"#, r#"["10:00:00","10:00:00.5"]"#),
            (
                Timestamp,
                r#"["2024-01-31 10:00", "0001-01-01T00:00:00.000001"]"#,
                r#"["2024-01-31T10:00:00","0001-01-01T00:00:00.000001"]"#,
            ),
            (TimestampTz, r#"["2024-01-31 10:00:00+02"]"#, r#"["2024-01-31T08:00:00Z"]"#),
            (
                Uuid,
                r#"["123E4567E89B12D3A456426614174000"]"#,
                r#"["123e4567-e89b-12d3-a456-426614174000"]"#,
            ),
            (
                Text,
                r#"["", "a\"b\\c\u00e9\n", 1.50, true, "null"]"#,
                r#"["","a\"b\\cé\n","1.50","true","null"]"#,
            ),
            (Binary, r#"["\\x00FF", "plain"]"#, r#"["\\x00ff","\\x706c61696e"]"#),
        ] {
            let list = reader(element, false).list(text.as_bytes());
            assert_eq!(list.as_deref(), Ok(expected), "{text} as {element:?}");
            let again = reader(element, true).list(expected.as_bytes());
            assert_eq!(again.as_deref(), Ok(expected), "canonical forms are kept: {element:?}");
        }
    }

    #[test]
    fn what_is_inferred_is_read_without_licence() {
        for (element, text, misfit) in [
            (ListElement::Int64, "[\"+7\"]", Misfit::Spelling),
            (ListElement::Bool, "[1]", Misfit::Spelling),
            (ListElement::Float64, "[9007199254740993]", Misfit::Precision),
        ] {
            assert_eq!(reader(element, true).list(text.as_bytes()), Err(misfit), "{text}");
            assert!(reader(element, false).list(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_misfit_names_the_element_that_is_to_blame() {
        for (element, text, complaint) in [
            (ListElement::Int64, "[1,\"x\"]", "`x` is not a number (int64) in `[1,\"x\"]`"),
            (ListElement::Int16, "[1,40000]", "`40000` is out of range (int16) in `[1,40000]`"),
            (ListElement::Int64, "[1,[2]]", "`[1,[2]]` is not a JSON list of scalars (int64[])"),
            (ListElement::Int64, "{1,2}", "`{1,2}` is not a JSON list of scalars (int64[])"),
            (ListElement::Int64, "5", "`5` is not a JSON list of scalars (int64[])"),
            (ListElement::Text, "[\"a\"", "`[\"a\"` is not a JSON list of scalars (text[])"),
            (ListElement::Text, "", "`` is not a JSON list of scalars (text[])"),
        ] {
            let reader = reader(element, false);
            let misfit = reader.list(text.as_bytes()).unwrap_err();
            assert_eq!(reader.complaint(misfit, text.as_bytes()), complaint);
        }
    }
}
