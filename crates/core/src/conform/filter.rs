//! Which rows of a batch are loaded: comparisons with constants, bound to the
//! columns of one file.
//!
//! A NULL satisfies `is null` and nothing else; so does a NaN no comparison
//! but `<>` and `not in`. Decimals and integers are compared exactly, text
//! byte by byte, a timestamp with a zone in UTC.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;

use super::literal::{Exact, Literal, Number, number};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::ColumnType;
use crate::stream::{Comparator, Comparison};

/// A comparison of one column of the batches of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BoundComparison {
    /// The column's position in a batch; `None` where the file does not have
    /// it: it is NULL in every row.
    column: Option<usize>,
    comparator: Comparator,
    constants: Vec<Literal>,
    /// Whether one of them was written as a number.
    numeric: bool,
}

impl BoundComparison {
    /// Reads the comparison's constants in the column's type.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` when one of them is no value of that type.
    pub(super) fn new(
        comparison: &Comparison,
        column: Option<usize>,
        column_type: ColumnType,
    ) -> Result<Self> {
        if comparison.numeric && matches!(column_type, ColumnType::Text | ColumnType::Json) {
            return Err(number_beside_text(comparison, column_type));
        }
        let constants = comparison
            .values
            .iter()
            .map(|text| {
                Literal::read(text, column_type).ok_or_else(|| {
                    Error::new(
                        ErrorKind::InvalidConfig,
                        format!(
                            "`where` compares column `{}`, which is {column_type}, with `{text}`",
                            comparison.column
                        ),
                    )
                    .with_hint(
                        "numbers are written plainly, days as 2024-01-31, timestamps as \
                         2024-01-31T12:00:00, truth values as true and false",
                    )
                })
            })
            .collect::<Result<_>>()?;
        let Comparison { comparator, numeric, .. } = *comparison;
        Ok(Self { column, comparator, constants, numeric })
    }

    /// Whether it compares this column of a batch, and as text would do so
    /// otherwise.
    pub(super) fn depends_on_type_of(&self, column: usize) -> bool {
        use Comparator::{Greater, GreaterOrEqual, Less, LessOrEqual};
        let orders = matches!(self.comparator, Less | LessOrEqual | Greater | GreaterOrEqual);
        self.column == Some(column) && (orders || self.numeric)
    }

    /// Takes the rows out of `keep` that do not satisfy the comparison.
    pub(super) fn sift(&self, batch: &RecordBatch, keep: &mut [bool]) -> Result<()> {
        let Some(column) = self.column else {
            if self.comparator != Comparator::IsNull {
                keep.fill(false);
            }
            return Ok(());
        };
        let Some(array) = batch.columns().get(column) else {
            return Err(internal("a column of the filter is not in the batch".into()));
        };
        match self.comparator {
            Comparator::IsNull => keep_rows(keep, |row| array.is_null(row)),
            Comparator::IsNotNull => keep_rows(keep, |row| array.is_valid(row)),
            _ => self.sift_values(array, keep)?,
        }
        Ok(())
    }

    fn sift_values(&self, array: &ArrayRef, keep: &mut [bool]) -> Result<()> {
        macro_rules! primitive {
            ($arrow:ty, $literal:pat => $constant:expr) => {{
                let values = array.as_primitive::<$arrow>();
                self.keep(array, keep, |row, literal| match literal {
                    $literal => Some(values.value(row).cmp(&$constant)),
                    _ => None,
                })
            }};
        }
        macro_rules! number {
            ($arrow:ty, $compare:expr) => {{
                let values = array.as_primitive::<$arrow>();
                self.keep(array, keep, |row, literal| $compare(values.value(row).into(), literal))
            }};
        }
        match array.data_type() {
            DataType::Int16 => number!(Int16Type, compare_whole),
            DataType::Int32 => number!(Int32Type, compare_whole),
            DataType::Int64 => number!(Int64Type, compare_whole),
            DataType::Float32 => number!(Float32Type, compare_float),
            DataType::Float64 => number!(Float64Type, compare_float),
            DataType::Date32 => primitive!(Date32Type, Literal::Date(it) => *it),
            DataType::Time64(_) => primitive!(Time64MicrosecondType, Literal::Time(it) => *it),
            DataType::Timestamp(_, _) => {
                primitive!(TimestampMicrosecondType, Literal::Timestamp(it) => *it)
            }
            DataType::Decimal128(_, scale) => {
                let (values, scale) =
                    (array.as_primitive::<Decimal128Type>(), u32::try_from(*scale).unwrap_or(0));
                self.keep(array, keep, |row, literal| {
                    compare_exactly(Exact { unscaled: values.value(row), scale }, literal)
                });
            }
            DataType::Boolean => {
                let values = array.as_boolean();
                self.keep(array, keep, |row, literal| match literal {
                    Literal::Bool(it) => Some(values.value(row).cmp(it)),
                    _ => None,
                });
            }
            DataType::Utf8 => {
                let values = array.as_string::<i32>();
                self.keep(array, keep, |row, literal| match literal {
                    Literal::Text(it) => Some(values.value(row).cmp(it.as_str())),
                    _ => None,
                });
            }
            DataType::FixedSizeBinary(_) => {
                let values = array.as_fixed_size_binary();
                self.keep(array, keep, |row, literal| match literal {
                    Literal::Uuid(it) => Some(values.value(row).cmp(it.as_slice())),
                    _ => None,
                });
            }
            other => return Err(internal(format!("Arrow's {other} is not compared"))),
        }
        Ok(())
    }

    /// Keeps the rows whose value compares as it should. `None` is a value
    /// that is comparable with nothing.
    fn keep(
        &self,
        array: &ArrayRef,
        keep: &mut [bool],
        compare: impl Fn(usize, &Literal) -> Option<Ordering>,
    ) {
        let is_equal = |row: usize| {
            self.constants.iter().any(|literal| compare(row, literal) == Some(Ordering::Equal))
        };
        let holds = |row: usize, expected: &[Ordering]| {
            let compared = self.constants.first().and_then(|literal| compare(row, literal));
            compared.is_some_and(|ordering| expected.contains(&ordering))
        };
        keep_rows(keep, |row| {
            array.is_valid(row)
                && match self.comparator {
                    Comparator::Equal | Comparator::In => is_equal(row),
                    Comparator::NotEqual | Comparator::NotIn => !is_equal(row),
                    Comparator::Less => holds(row, &[Ordering::Less]),
                    Comparator::LessOrEqual => holds(row, &[Ordering::Less, Ordering::Equal]),
                    Comparator::Greater => holds(row, &[Ordering::Greater]),
                    Comparator::GreaterOrEqual => holds(row, &[Ordering::Greater, Ordering::Equal]),
                    Comparator::IsNull | Comparator::IsNotNull => false,
                }
        });
    }
}

/// Text compares letter by letter, so that `'10' < '9'`: nobody who writes a
/// number means that.
fn number_beside_text(comparison: &Comparison, column_type: ColumnType) -> Error {
    let Comparison { column, values, .. } = comparison;
    let value = values.first().map(String::as_str).unwrap_or_default();
    let message = format!(
        "`where` compares column `{column}`, which is {column_type}, with the number {value}"
    );
    Error::new(ErrorKind::InvalidConfig, message).with_hint(format!(
        "give the column a type of numbers, or write '{value}' in quotes to compare letter by letter"
    ))
}

/// The type of a column that nobody knows: the narrowest that reads every
/// constant, of few. A day may stand for its first moment on either side.
pub(super) fn type_by_constants(values: &[String], numeric: bool) -> ColumnType {
    let all = |column_type: ColumnType| {
        values.iter().all(|text| Literal::read(text, column_type).is_some())
    };
    use ColumnType::{Bool, Decimal, Text, Timestamp};
    match values {
        [] => Text,
        _ if numeric && values.iter().all(|text| number(text).is_some()) => Decimal(None),
        _ => [Bool, Timestamp].into_iter().find(|known| all(*known)).unwrap_or(Text),
    }
}

fn keep_rows(keep: &mut [bool], holds: impl Fn(usize) -> bool) {
    for (row, keep) in keep.iter_mut().enumerate() {
        *keep = *keep && holds(row);
    }
}

fn compare_whole(value: i128, literal: &Literal) -> Option<Ordering> {
    compare_exactly(Exact { unscaled: value, scale: 0 }, literal)
}

fn compare_float(value: f64, literal: &Literal) -> Option<Ordering> {
    match literal {
        Literal::Number(number) => value.partial_cmp(&number.float),
        _ => None,
    }
}

fn compare_exactly(value: Exact, literal: &Literal) -> Option<Ordering> {
    match literal {
        Literal::Number(Number { exact: Some(exact), .. }) => Some(value.compare(*exact)),
        Literal::Number(Number { float, .. }) => value.to_float().partial_cmp(float),
        _ => None,
    }
}

fn internal(message: String) -> Error {
    Error::new(ErrorKind::Internal, message)
}
