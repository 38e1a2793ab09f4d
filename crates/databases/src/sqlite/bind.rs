//! Arrow values as SQLite's: bound without allocation, checked so that none
//! changes on its way in.
//!
//! SQLite turns NaN into NULL and, in columns with a numeric affinity, text
//! that looks like a number into that number. Both are refused here.

mod ready;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{
    Array, BinaryArray, BooleanArray, FixedSizeBinaryArray, PrimitiveArray, StringArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use decant_core::error::{Error, ErrorKind, Position, Result};
use decant_core::schema::{Column, ColumnType};
use rusqlite::types::{Null, ToSqlOutput, ValueRef};
use rusqlite::{Statement, ToSql};

use super::error::explain;
use super::render;
use super::type_table::Affinity;

pub(super) use self::ready::{Cell, ReadyColumn};

/// The type that means another thing in a table that is STRICT.
const ANY: &str = "ANY";
/// The largest number that a double of 15 digits counts to.
const FIFTEEN_DIGITS: u128 = 1_000_000_000_000_000;
/// The powers of ten up to that.
const POWERS: [i64; 16] = powers_of_ten();
/// The largest power of ten that a double holds exactly.
const EXACT_POWER: i8 = 22;

/// A target column: what it is given, and what SQLite does to that.
#[derive(Clone, Debug)]
pub(super) struct TargetColumn {
    name: String,
    column_type: ColumnType,
    affinity: Affinity,
}

impl TargetColumn {
    /// The column as the catalogue has it, of a table that may be STRICT:
    /// there `ANY` converts nothing.
    pub(super) fn new(column: &Column, is_strict: bool) -> Result<Self> {
        let column_type = column.column_type.ok_or_else(|| {
            let message = format!(
                "the column `{}` of type `{}` cannot be written to",
                column.name, column.declared
            );
            Error::new(ErrorKind::SchemaMismatch, message)
                .with_hint("leave it out with --select, or rename the file's column")
        })?;
        let affinity = match is_strict && column.declared.eq_ignore_ascii_case(ANY) {
            true => Affinity::Blob,
            false => Affinity::of(&column.declared),
        };
        Ok(Self { name: column.name.clone(), column_type, affinity })
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// The values of one column of a batch.
pub(super) struct Values<'a> {
    column: &'a TargetColumn,
    typed: Typed<'a>,
}

enum Typed<'a> {
    Bool(&'a BooleanArray),
    Int16(&'a PrimitiveArray<Int16Type>),
    Int32(&'a PrimitiveArray<Int32Type>),
    Int64(&'a PrimitiveArray<Int64Type>),
    Float32(&'a PrimitiveArray<Float32Type>),
    Float64(&'a PrimitiveArray<Float64Type>),
    DecimalNumber(&'a PrimitiveArray<Decimal128Type>, i8),
    DecimalText(&'a PrimitiveArray<Decimal128Type>, i8),
    Date(&'a PrimitiveArray<Date32Type>),
    Time(&'a PrimitiveArray<Time64MicrosecondType>),
    Timestamp(&'a PrimitiveArray<TimestampMicrosecondType>, &'static str),
    Uuid(&'a FixedSizeBinaryArray),
    Text(&'a StringArray),
    TextAmongNumbers(&'a StringArray),
    Binary(&'a BinaryArray),
}

impl<'a> Values<'a> {
    /// Looks at `array` as the Arrow representation of the column's type.
    pub(super) fn new(column: &'a TargetColumn, array: &'a dyn Array) -> Result<Self> {
        let typed = downcast(column, array).ok_or_else(|| {
            let message = format!(
                "the column `{}` of type {} was given {}",
                column.name,
                column.column_type,
                array.data_type()
            );
            Error::new(ErrorKind::Internal, message)
        })?;
        Ok(Self { column, typed })
    }

    /// Binds the value of `row` to the parameter `parameter`, from 1.
    /// `scratch` is for text that must be made first.
    pub(super) fn bind(
        &self,
        statement: &mut Statement<'_>,
        parameter: usize,
        row: usize,
        scratch: &mut Vec<u8>,
    ) -> Result<()> {
        if self.is_null(row) {
            return bind(statement, parameter, Null);
        }
        scratch.clear();
        match &self.typed {
            Typed::Bool(array) => bind(statement, parameter, array.value(row)),
            Typed::Int16(array) => bind(statement, parameter, array.value(row)),
            Typed::Int32(array) => bind(statement, parameter, array.value(row)),
            Typed::Int64(array) => bind(statement, parameter, array.value(row)),
            Typed::Float32(array) => {
                let value = f64::from(array.value(row));
                bind(statement, parameter, self.checked_double(value, row)?)
            }
            Typed::Float64(array) => {
                bind(statement, parameter, self.checked_double(array.value(row), row)?)
            }
            Typed::DecimalNumber(array, scale) => match number(array.value(row), *scale) {
                Some(Number::Integer(value)) => bind(statement, parameter, value),
                Some(Number::Double(value)) => bind(statement, parameter, value),
                None => {
                    render::decimal(scratch, array.value(row), *scale);
                    Err(self.too_precise(&String::from_utf8_lossy(scratch), row))
                }
            },
            Typed::Text(array) => bind(statement, parameter, array.value(row)),
            Typed::TextAmongNumbers(array) => {
                let text = self.checked_text(array.value(row), row)?;
                bind(statement, parameter, text)
            }
            Typed::Binary(array) => bind(statement, parameter, array.value(row)),
            rendered => {
                render(rendered, row, scratch).ok_or_else(|| self.out_of_range(row))?;
                bind(statement, parameter, ToSqlOutput::Borrowed(ValueRef::Text(scratch)))
            }
        }
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls().is_some_and(|nulls| nulls.is_null(row))
    }

    fn nulls(&self) -> Option<&NullBuffer> {
        self.array().nulls()
    }

    fn array(&self) -> &dyn Array {
        match &self.typed {
            Typed::Bool(array) => *array,
            Typed::Int16(array) => *array,
            Typed::Int32(array) => *array,
            Typed::Int64(array) => *array,
            Typed::Float32(array) => *array,
            Typed::Float64(array) => *array,
            Typed::DecimalNumber(array, _) | Typed::DecimalText(array, _) => *array,
            Typed::Date(array) => *array,
            Typed::Time(array) => *array,
            Typed::Timestamp(array, _) => *array,
            Typed::Uuid(array) => *array,
            Typed::Text(array) | Typed::TextAmongNumbers(array) => *array,
            Typed::Binary(array) => *array,
        }
    }

    fn checked_double(&self, value: f64, row: usize) -> Result<f64> {
        if value.is_nan() {
            return Err(self.refuse(row, "SQLite cannot keep NaN, it would store NULL".to_owned()));
        }
        Ok(value)
    }

    fn checked_text<'t>(&self, text: &'t str, row: usize) -> Result<&'t str> {
        if !becomes_another_number(text) {
            return Ok(text);
        }
        Err(self.refuse(row, format!("SQLite would store the text `{text}` as a number")))
    }

    fn too_precise(&self, text: &str, row: usize) -> Error {
        self.refuse(row, format!("SQLite would round `{text}`, it has more than 15 digits"))
    }

    fn out_of_range(&self, row: usize) -> Error {
        self.refuse(row, "a date or time is outside the years 1 to 9999".to_owned())
    }

    fn refuse(&self, row: usize, problem: String) -> Error {
        let column = Some(self.column.name.clone());
        Error::new(ErrorKind::RejectedRows, format!("column `{}`: {problem}", self.column.name))
            .at(Position { column, ..Position::default() })
            .with("row_of_batch", row.to_string())
            .with_hint(
                "load the column as text with --type COLUMN=text, into a column of type TEXT",
            )
    }
}

fn bind(statement: &mut Statement<'_>, parameter: usize, value: impl ToSql) -> Result<()> {
    statement.raw_bind_parameter(parameter, value).map_err(explain)
}

fn downcast<'a>(column: &TargetColumn, array: &'a dyn Array) -> Option<Typed<'a>> {
    Some(match column.column_type {
        ColumnType::Bool => Typed::Bool(array.as_boolean_opt()?),
        ColumnType::Int16 => Typed::Int16(array.as_primitive_opt()?),
        ColumnType::Int32 => Typed::Int32(array.as_primitive_opt()?),
        ColumnType::Int64 => Typed::Int64(array.as_primitive_opt()?),
        ColumnType::Float32 => Typed::Float32(array.as_primitive_opt()?),
        ColumnType::Float64 => Typed::Float64(array.as_primitive_opt()?),
        ColumnType::Decimal(_) => {
            let DataType::Decimal128(_, scale) = array.data_type() else { return None };
            let decimals = array.as_primitive_opt()?;
            if column.affinity.converts_text() {
                Typed::DecimalNumber(decimals, *scale)
            } else {
                Typed::DecimalText(decimals, *scale)
            }
        }
        ColumnType::Date => Typed::Date(array.as_primitive_opt()?),
        ColumnType::Time => Typed::Time(array.as_primitive_opt()?),
        ColumnType::Timestamp => Typed::Timestamp(array.as_primitive_opt()?, ""),
        ColumnType::TimestampTz => Typed::Timestamp(array.as_primitive_opt()?, "+00:00"),
        ColumnType::Uuid => {
            let uuids = array.as_fixed_size_binary_opt()?;
            (uuids.value_length() == 16).then_some(Typed::Uuid(uuids))?
        }
        ColumnType::Text | ColumnType::Json | ColumnType::List(_) => {
            let texts = array.as_string_opt()?;
            if column.affinity.converts_text() {
                Typed::TextAmongNumbers(texts)
            } else {
                Typed::Text(texts)
            }
        }
        ColumnType::Binary => Typed::Binary(array.as_binary_opt()?),
    })
}

/// Makes the text of a value that is kept as text.
fn render(typed: &Typed<'_>, row: usize, text: &mut Vec<u8>) -> Option<()> {
    match typed {
        Typed::Date(array) => render::date(text, array.value(row)),
        Typed::Time(array) => render::time(text, array.value(row)),
        Typed::Timestamp(array, zone) => render::timestamp(text, array.value(row), zone),
        Typed::Uuid(array) => {
            render::uuid(text, array.value(row));
            Some(())
        }
        Typed::DecimalText(array, scale) => {
            render::decimal(text, array.value(row), *scale);
            Some(())
        }
        _ => None,
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Integer(i64),
    Double(f64),
}

const fn powers_of_ten() -> [i64; 16] {
    let mut powers = [1; 16];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
}

/// The decimal as a number that SQLite keeps by value, if there is one.
fn number(unscaled: i128, scale: i8) -> Option<Number> {
    let power = usize::try_from(scale).ok().and_then(|scale| POWERS.get(scale));
    match power {
        Some(power) if unscaled.unsigned_abs() < FIFTEEN_DIGITS => {
            let unscaled = unscaled as i64;
            Some(match unscaled % power {
                0 => Number::Integer(unscaled / power),
                _ => Number::Double(unscaled as f64 / *power as f64),
            })
        }
        _ => any_number(unscaled, scale),
    }
}

fn any_number(unscaled: i128, scale: i8) -> Option<Number> {
    let (unscaled, scale) = without_trailing_zeros(unscaled, scale);
    if scale <= 0 {
        let factor = 10_i128.checked_pow(u32::from(scale.unsigned_abs()))?;
        let integer = i64::try_from(unscaled.checked_mul(factor)?).ok()?;
        return Some(Number::Integer(integer));
    }
    if unscaled.unsigned_abs() >= FIFTEEN_DIGITS {
        return None;
    }
    Some(Number::Double(double(unscaled, scale)?))
}

fn without_trailing_zeros(mut unscaled: i128, mut scale: i8) -> (i128, i8) {
    while scale > 0 && unscaled % 10 == 0 {
        unscaled /= 10;
        scale -= 1;
    }
    (unscaled, scale)
}

/// The double next to a decimal of at most 15 digits. One division of two
/// exact doubles rounds correctly; smaller ones are read from text.
fn double(unscaled: i128, scale: i8) -> Option<f64> {
    if scale <= EXACT_POWER {
        return Some(unscaled as f64 / 10_f64.powi(scale.into()));
    }
    format!("{unscaled}e-{scale}").parse().ok()
}

/// Whether a numeric affinity would turn the text into a number that is
/// written in another way. Errs on the side of yes.
fn becomes_another_number(text: &str) -> bool {
    let trimmed =
        text.trim_matches(|letter: char| letter.is_ascii_whitespace() || letter == '\u{b}');
    let starts_like_a_number =
        trimmed.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    if !starts_like_a_number || trimmed.parse::<f64>().is_err() {
        return false;
    }
    trimmed.parse::<i64>().map_or(true, |integer| integer.to_string() != text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_numbers_only_by_value() {
        for (unscaled, scale, expected) in [
            (1250, 2, Some(Number::Double(12.5))),
            (1200, 2, Some(Number::Integer(12))),
            (-1, 1, Some(Number::Double(-0.1))),
            (5, -2, Some(Number::Integer(500))),
            (i128::from(i64::MAX), 0, Some(Number::Integer(i64::MAX))),
            (i128::from(i64::MAX) + 1, 0, None),
            (999_999_999_999_999, 4, Some(Number::Double(99_999_999_999.999_9))),
            (1_234_567_890_123_456, 4, None),
            (1, 38, Some(Number::Double(1e-38))),
        ] {
            assert_eq!(number(unscaled, scale), expected, "{unscaled} {scale}");
        }
    }

    #[test]
    fn text_that_sqlite_would_rewrite_is_recognised() {
        for text in ["007", "1.0", "1e5", " 5", "5\n", "+5", ".5", "-0", "99999999999999999999"] {
            assert!(becomes_another_number(text), "{text:?}");
        }
        for text in
            ["", "5", "-5", "abc", "2024-01-02", "10:00:00", "0x1F", "inf", "NaN", "1e", "-"]
        {
            assert!(!becomes_another_number(text), "{text:?}");
        }
    }

    /// What SQLite answers, as text, for a value in a column with a numeric
    /// affinity.
    fn through_numeric(value: impl ToSql) -> String {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (v NUMERIC)").unwrap();
        connection.execute("INSERT INTO t VALUES (?1)", [value]).unwrap();
        connection.query_row("SELECT CAST(v AS TEXT) FROM t", [], |row| row.get(0)).unwrap()
    }

    proptest::proptest! {
        #[test]
        fn text_that_is_let_through_comes_back(text in "[-+.0-9eExX_ \\t\\n]{0,8}") {
            if !becomes_another_number(&text) {
                proptest::prop_assert_eq!(through_numeric(&text), text);
            }
        }

        #[test]
        fn numbers_come_back_by_value(unscaled in -(1_i64 << 49)..1 << 49, scale in 0_i8..16) {
            let bound = match number(unscaled.into(), scale) {
                Some(Number::Integer(value)) => through_numeric(value),
                Some(Number::Double(value)) => through_numeric(value),
                None => return Err(proptest::test_runner::TestCaseError::fail("15 digits fit")),
            };
            let mut sent = Vec::new();
            render::decimal(&mut sent, unscaled.into(), scale);
            let sent = String::from_utf8(sent).unwrap();
            proptest::prop_assert_eq!(bound.parse::<f64>(), sent.parse::<f64>());
        }
    }
}
