//! The columns of a file that says itself what they hold.

use arrow_schema::{DataType, Field, Fields, Schema};
use decant_core::evidence::Evidence;
use decant_core::format::FileColumns;
use decant_core::list::ListElement;
use decant_core::schema::{ColumnType, DecimalBounds};
use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Result};

/// Levels of lists, maps and structs that are followed.
const DEPTH_MAX: usize = 64;

/// What the values of a column mean besides their Arrow type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// What the type says.
    #[default]
    Plain,
    /// Text that is a JSON document.
    Json,
    /// Sixteen bytes, or text, that are a UUID.
    Uuid,
    /// A union of what the column holds and of the values of bad rows, as
    /// text.
    WithBad,
}

/// The columns of a file, in its order.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourceColumns {
    columns: Vec<(String, DataType, Meaning)>,
    unnamed: bool,
}

impl SourceColumns {
    /// Reads a schema, with the meanings that its fields carry.
    ///
    /// Errors: `Unsupported` for types nested too deeply.
    pub(crate) fn new(schema: &Schema) -> Result<Self> {
        let meanings = schema.fields().iter().map(|field| meaning(field)).collect();
        Self::with_meanings(schema.fields(), meanings)
    }

    /// As [`SourceColumns::new`], with meanings known from elsewhere.
    pub(crate) fn with_meanings(fields: &Fields, meanings: Vec<Meaning>) -> Result<Self> {
        let mut columns = Vec::with_capacity(fields.len());
        for (field, meaning) in fields.iter().zip(meanings) {
            if !is_shallow(field.data_type(), DEPTH_MAX) {
                let message =
                    format!("column `{}` is nested more than {DEPTH_MAX} levels", field.name());
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
            columns.push((field.name().clone(), field.data_type().clone(), meaning));
        }
        Ok(Self { columns, unnamed: false })
    }

    /// The same columns, whose names do not stand in the file.
    pub(crate) fn unnamed(self) -> Self {
        Self { unnamed: true, ..self }
    }

    /// Number of columns.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The name of a column.
    pub(crate) fn name(&self, column: usize) -> &str {
        self.columns.get(column).map_or("", |(name, ..)| name)
    }

    /// What the values of a column mean.
    pub(crate) fn meaning(&self, column: usize) -> Meaning {
        self.columns.get(column).map_or(Meaning::Plain, |(_, _, meaning)| *meaning)
    }

    /// What the file says its columns hold.
    pub(crate) fn evidence(&self) -> Vec<Evidence> {
        self.types().map(|known| known.map_or(Evidence::Nothing, Evidence::Known)).collect()
    }

    fn types(&self) -> impl Iterator<Item = Option<ColumnType>> {
        self.columns.iter().map(|(_, data_type, meaning)| known_type(data_type, *meaning))
    }

    /// The columns as receivers see them. Rejects of such files are JSON.
    pub(crate) fn file_columns(&self) -> FileColumns {
        FileColumns {
            names: self.columns.iter().map(|(name, ..)| name.clone()).collect(),
            named: !self.unnamed,
            types: self.types().collect(),
            options: FormatOptions { name: Some("json".to_owned()), ..FormatOptions::default() },
            ..FileColumns::default()
        }
    }
}

/// What a field says of itself.
pub(crate) fn meaning(field: &Field) -> Meaning {
    let metadata = field.metadata();
    let is = |key: &str, value: &str| metadata.get(key).is_some_and(|held| held == value);
    if is("ARROW:extension:name", "arrow.uuid") || is("logicalType", "uuid") {
        Meaning::Uuid
    } else if is("ARROW:extension:name", "arrow.json") {
        Meaning::Json
    } else {
        Meaning::Plain
    }
}

fn is_shallow(data_type: &DataType, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else { return false };
    match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => is_shallow(field.data_type(), levels),
        DataType::Struct(fields) => {
            fields.iter().all(|field| is_shallow(field.data_type(), levels))
        }
        DataType::Union(fields, _) => {
            fields.iter().all(|(_, field)| is_shallow(field.data_type(), levels))
        }
        DataType::Dictionary(_, values) => is_shallow(values, levels),
        DataType::RunEndEncoded(_, values) => is_shallow(values.data_type(), levels),
        _ => true,
    }
}

/// The narrowest type of the house that holds what the file's type can hold;
/// `None` where it holds nothing but NULL.
pub(crate) fn known_type(data_type: &DataType, meaning: Meaning) -> Option<ColumnType> {
    use DataType::*;
    Some(match data_type {
        Null => return None,
        Boolean => ColumnType::Bool,
        Int8 | UInt8 | Int16 => ColumnType::Int16,
        UInt16 | Int32 => ColumnType::Int32,
        UInt32 | Int64 => ColumnType::Int64,
        UInt64 => ColumnType::Decimal(Some(DecimalBounds { precision: 20, scale: 0 })),
        Float16 | Float32 => ColumnType::Float32,
        Float64 => ColumnType::Float64,
        Decimal32(precision, scale)
        | Decimal64(precision, scale)
        | Decimal128(precision, scale)
        | Decimal256(precision, scale) => decimal_type(*precision, *scale),
        Date32 | Date64 => ColumnType::Date,
        Time32(_) | Time64(_) => ColumnType::Time,
        Timestamp(_, None) => ColumnType::Timestamp,
        Timestamp(_, Some(_)) => ColumnType::TimestampTz,
        Duration(_) | Interval(_) => ColumnType::Text,
        Union(fields, _) if meaning == Meaning::WithBad => {
            let held = fields.iter().next()?.1;
            return known_type(held.data_type(), Meaning::Plain);
        }
        Utf8 | LargeUtf8 | Utf8View => match meaning {
            Meaning::Plain | Meaning::WithBad => ColumnType::Text,
            Meaning::Json => ColumnType::Json,
            Meaning::Uuid => ColumnType::Uuid,
        },
        FixedSizeBinary(16) if meaning == Meaning::Uuid => ColumnType::Uuid,
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => ColumnType::Binary,
        Dictionary(_, values) => return known_type(values, meaning),
        RunEndEncoded(_, values) => return known_type(values.data_type(), meaning),
        List(element)
        | LargeList(element)
        | ListView(element)
        | LargeListView(element)
        | FixedSizeList(element, _) => list_type(element),
        Map(..) | Struct(_) | Union(..) => ColumnType::Json,
    })
}

/// A list of what is scalar; a JSON document of what is not, or nothing but
/// NULL.
fn list_type(element: &Field) -> ColumnType {
    let known = known_type(element.data_type(), meaning(element));
    known.and_then(ListElement::of).map_or(ColumnType::Json, ColumnType::List)
}

fn decimal_type(precision: u8, scale: i8) -> ColumnType {
    // A negative scale means zeros before the point.
    let (precision, scale) = match scale {
        ..0 => (precision.saturating_add(scale.unsigned_abs()), 0),
        _ => (precision.max(scale.unsigned_abs()), scale),
    };
    match precision {
        1..=38 => ColumnType::Decimal(Some(DecimalBounds { precision, scale })),
        _ => ColumnType::Text,
    }
}
