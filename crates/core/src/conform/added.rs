//! Columns that are not in the file: where it is, when it was modified, on
//! which line a row stands, when it was loaded, what its key says.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray, new_null_array,
};
use chrono::{DateTime, SecondsFormat, Utc};
use regex::Regex;

use super::literal::Literal;
use crate::error::{Error, ErrorKind, Result};
use crate::file::{FileId, FileVersion};
use crate::format::RowPlaces;
use crate::schema::{Column, ColumnType};
use crate::selection::folder_of;
use crate::stream::{AddedColumn, AddedValue, ColumnRules, Stream};
use crate::value_format::ValueFormat;

/// What is known of a file besides its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct FileFacts {
    /// Its id in the table.
    pub id: FileId,
    /// Where it is, as a person would type it.
    pub location: String,
    /// As listed.
    pub last_modified: DateTime<Utc>,
    /// The moment at which the run began.
    pub loaded_at: DateTime<Utc>,
    /// What its key says, by the names that the rules ask for: no entry where
    /// it says nothing, `None` where it says NULL.
    pub path: BTreeMap<String, Option<String>>,
}

impl FileFacts {
    /// What is known of `file`, of `stream`, in a run that began at
    /// `loaded_at`.
    pub fn new(id: FileId, file: &FileVersion, stream: &Stream, loaded_at: DateTime<Utc>) -> Self {
        let mut path = BTreeMap::new();
        for added in &stream.columns.added {
            if let AddedValue::Path(name) = &added.value
                && let Some(value) = path_value(&file.key, name, stream.selection.named_groups())
            {
                path.insert(name.clone(), value);
            }
        }
        let (location, last_modified) = (file.location(), file.last_modified);
        Self { id, location, last_modified, loaded_at, path }
    }
}

/// What a Hive partition is called whose column is NULL.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The named group of the selection's pattern (NULL where the group took no
/// part), else the Hive partition, percent-decoded.
fn path_value(key: &str, name: &str, groups: Option<&Regex>) -> Option<Option<String>> {
    let captures = groups
        .filter(|regex| regex.capture_names().flatten().any(|group| group == name))
        .and_then(|regex| regex.captures(key));
    if let Some(captures) = captures {
        return Some(captures.name(name).map(|capture| capture.as_str().to_owned()));
    }
    let parts = folder_of(key).split('/').filter_map(|part| part.split_once('='));
    parts
        .map(|(known, value)| (percent_decoded(known), value))
        .find(|(known, _)| known == name)
        .map(|(_, value)| Some(percent_decoded(value)).filter(|value| value != HIVE_NULL))
}

/// `%3A` -> `:`. What does not decode to UTF-8 stays as it is.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digit = |at: usize| behind.get(at).and_then(|byte| (*byte as char).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

pub(super) fn find<'a>(rules: &'a ColumnRules, name: &str) -> Option<&'a AddedColumn> {
    rules.added.iter().find(|added| added.name == name)
}

/// The type of the column in a table that is created for it.
pub(super) fn created_type(added: &AddedColumn, rules: &ColumnRules) -> ColumnType {
    if let Some(given) = rules.types.get(&added.name) {
        return given.column_type;
    }
    match added.value {
        AddedValue::File | AddedValue::Path(_) | AddedValue::RowHash { .. } => ColumnType::Text,
        AddedValue::LastModified | AddedValue::LoadedAt => ColumnType::TimestampTz,
        AddedValue::Line => ColumnType::Int64,
    }
}

/// A column of the table that gets the same kind of value in every file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AddedFilling {
    value: AddedValue,
    column: String,
    column_type: ColumnType,
    format: Option<ValueFormat>,
}

impl AddedFilling {
    /// # Errors
    ///
    /// `SchemaMismatch` when the table's column cannot hold such values.
    pub(super) fn new(added: &AddedColumn, column: &Column, rules: &ColumnRules) -> Result<Self> {
        use ColumnType::{Binary, Int32, Int64, Json, List, Text, Timestamp, TimestampTz};
        let column_type = column.column_type;
        let holds = match (&added.value, column_type) {
            (_, None) | (AddedValue::Path(_), Some(Json | List(_) | Binary)) => false,
            (_, Some(Text)) | (AddedValue::Path(_), Some(_)) => true,
            (AddedValue::LastModified | AddedValue::LoadedAt, Some(it)) => {
                matches!(it, Timestamp | TimestampTz)
            }
            (AddedValue::Line, Some(it)) => matches!(it, Int32 | Int64),
            (AddedValue::RowHash { .. }, Some(it)) => it == Binary,
            (AddedValue::File, Some(_)) => false,
        };
        let Some(column_type) = column_type.filter(|_| holds) else {
            let declared = column_type.map_or(column.declared.clone(), |it| it.to_string());
            return Err(Error::new(
                ErrorKind::SchemaMismatch,
                format!("column `{}` is {declared}, which does not hold {}", column.name, {
                    added.value.described()
                }),
            )
            .with_hint("give the column another type, or add it under another name"));
        };
        let given = rules.types.get(&added.name);
        let format = given.filter(|given| given.column_type == column_type);
        Ok(Self {
            value: added.value.clone(),
            column: column.name.clone(),
            column_type,
            format: format.and_then(|given| given.format.clone()),
        })
    }

    pub(super) fn needs_positions(&self) -> bool {
        self.value == AddedValue::Line
    }

    /// The column for the rows at `places`.
    ///
    /// # Errors
    ///
    /// `SchemaMismatch` when the file's key lacks the value or has one that
    /// is not of the column's type.
    pub(super) fn array(
        &self,
        facts: &FileFacts,
        places: &RowPlaces,
        rows: usize,
    ) -> Result<ArrayRef> {
        match &self.value {
            AddedValue::File => Ok(texts(&facts.location, rows)),
            AddedValue::LastModified => Ok(self.moments(facts.last_modified, rows)),
            AddedValue::LoadedAt => Ok(self.moments(facts.loaded_at, rows)),
            AddedValue::Line => self.lines(places, rows),
            AddedValue::Path(name) => self.path(name, facts, rows),
            AddedValue::RowHash { .. } => {
                Err(Error::new(ErrorKind::Internal, "a row hash is not of the file"))
            }
        }
    }

    fn moments(&self, moment: DateTime<Utc>, rows: usize) -> ArrayRef {
        let array = TimestampMicrosecondArray::from(vec![moment.timestamp_micros(); rows]);
        match self.column_type {
            ColumnType::TimestampTz => Arc::new(array.with_timezone("UTC")),
            ColumnType::Timestamp => Arc::new(array),
            _ => texts(&moment.to_rfc3339_opts(SecondsFormat::AutoSi, true), rows),
        }
    }

    fn lines(&self, places: &RowPlaces, rows: usize) -> Result<ArrayRef> {
        let known = [&places.lines, &places.ordinals].into_iter().find(|it| it.len() == rows);
        let Some(lines) = known else {
            return Err(Error::new(ErrorKind::Internal, "the lines of rows were asked for"));
        };
        Ok(match self.column_type {
            ColumnType::Int64 => {
                Arc::new(Int64Array::from_iter(lines.iter().map(|line| i64::try_from(*line).ok())))
            }
            ColumnType::Int32 => {
                let narrow = Int32Array::from_iter(lines.iter().map(|it| i32::try_from(*it).ok()));
                if narrow.null_count() > 0 {
                    return Err(self.refusal("a line's number is too large for the column"));
                }
                Arc::new(narrow)
            }
            _ => Arc::new(StringArray::from_iter_values(lines.iter().map(u64::to_string))),
        })
    }

    fn path(&self, name: &str, facts: &FileFacts, rows: usize) -> Result<ArrayRef> {
        let Some(value) = facts.path.get(name) else {
            return Err(self.refusal(&format!("the file's key has no `{name}`")).with_hint(
                "name a group of `pattern` so, or use Hive partitions (`name=value/`)",
            ));
        };
        let Some(text) = value else {
            return Ok(new_null_array(&self.column_type.arrow(), rows));
        };
        Literal::read_as(text, self.column_type, self.format.as_ref())
            .and_then(|literal| literal.array(self.column_type, rows))
            .ok_or_else(|| {
                self.refusal(&format!("`{text}` in the file's key is not {}", self.column_type))
            })
    }

    fn refusal(&self, message: &str) -> Error {
        Error::new(ErrorKind::SchemaMismatch, format!("{message}, for column `{}`", self.column))
    }
}

impl AddedValue {
    fn described(&self) -> &'static str {
        match self {
            Self::File => "a file's location",
            Self::LastModified | Self::LoadedAt => "a moment",
            Self::Line => "a line's number",
            Self::Path(_) => "what a key says",
            Self::RowHash { .. } => "a hash: make it text or binary",
        }
    }
}

fn texts(text: &str, rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, rows)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_what_its_group_or_its_partition_has() {
        let regex = Regex::new(r"^(?P<shop>[a-z]+)(-(?P<till>\d+))?/").unwrap();
        let some = |text: &str| Some(Some(text.to_owned()));
        for (key, name, expected) in [
            ("paris-12/a.csv", "till", some("12")),
            ("paris/a.csv", "till", Some(None)),
            ("paris/shop=rome/a.csv", "shop", some("paris")),
            ("x/day=2024-01-02/a.csv", "day", some("2024-01-02")),
            ("x/at=10%3A30%20h/a.csv", "at", some("10:30 h")),
            ("x/at=100%/a.csv", "at", some("100%")),
            ("x/at=%FF/a.csv", "at", some("%FF")),
            ("x/day=__HIVE_DEFAULT_PARTITION__/a.csv", "day", Some(None)),
            ("x/day=/a.csv", "day", some("")),
            ("x/a=b.csv", "a", None),
            ("x/a.csv", "day", None),
        ] {
            assert_eq!(path_value(key, name, Some(&regex)), expected, "{name} of {key}");
        }
    }
}
