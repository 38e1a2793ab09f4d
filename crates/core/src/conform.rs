//! To make a file fit a table: its columns are matched by name, and its
//! batches get the table's names and the file's id.
//!
//! Matching is decided once a file, from its header alone; batches are then
//! only relabelled. Values were given their types by the format already.

mod new_table;
mod wanted;

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{Field, Schema};

use crate::destination::{Capabilities, TableState};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::Decimals;
use crate::file::FileId;
use crate::format::{FileColumns, Target, Wishes};
use crate::names::snake_case;
use crate::schema::{Column, ColumnType, FILE_ID_COLUMN, TableSchema};
use crate::stream::{ColumnRules, NewColumns};

pub use self::new_table::{added_columns, new_table_columns};
use self::wanted::{Wanted, check_rule_names, enumerate, given_type, is_selected, wanted_columns};

/// How one file's columns go into the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conform {
    /// What to make of each of the file's columns; `None` leaves it out.
    pub targets: Vec<Option<Target>>,
    /// The table's columns that are filled, as positions in its schema: those
    /// of the wanted file columns in the file's order, then `_file_id`.
    pub columns: Vec<usize>,
    /// Their names in the table.
    names: Vec<String>,
    /// Columns of the file that the table does not have and that are left out.
    pub ignored: Vec<String>,
}

/// Why a file's columns do not go into the table.
#[derive(Debug)]
pub enum Mismatch {
    /// The table lacks these columns of the file, and may be given them.
    NewColumns(Vec<NewColumn>),
    /// They do not fit.
    Refused(Error),
}

/// A column that a file has and its table has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewColumn {
    /// The name in the file.
    pub source: String,
    /// The name that the table's column would have.
    pub name: String,
}

impl Conform {
    /// Matches a file's columns with those of the table.
    ///
    /// # Errors
    ///
    /// `Refused` when the names are ambiguous, when nothing matches, when a
    /// rule names a column that neither has, or a given type contradicts the
    /// table's; `NewColumns` when only columns are lacking that may be added.
    pub fn new(
        file: &FileColumns,
        table: &TableState,
        rules: &ColumnRules,
        new_columns: NewColumns,
        capabilities: &Capabilities,
    ) -> Result<Self, Mismatch> {
        let Some(schema) = &table.schema else {
            return Err(refuse(ErrorKind::Internal, format!("table {} is not there", table.name)));
        };
        let wanted = wanted_columns(file, rules, capabilities.identifier_bytes_max);
        check_rule_names(rules, &[&wanted], Some(schema)).map_err(Mismatch::Refused)?;
        let places = places(file, &wanted, schema, rules).map_err(Mismatch::Refused)?;
        refuse_shared_places(&wanted, &places, schema)?;
        if places.iter().all(|place| matches!(place, Place::New | Place::NotSelected))
            && places.contains(&Place::New)
        {
            return Err(Mismatch::Refused(nothing_matches(&wanted, table, schema)));
        }
        let ignored = settle_new_columns(&wanted, &places, table, new_columns)?;
        Self::with_places(&wanted, &places, table, schema, rules, ignored)
    }

    fn with_places(
        wanted: &[Wanted],
        places: &[Place],
        table: &TableState,
        schema: &TableSchema,
        rules: &ColumnRules,
        ignored: Vec<String>,
    ) -> Result<Self, Mismatch> {
        let mut conform =
            Self { targets: Vec::new(), columns: Vec::new(), names: Vec::new(), ignored };
        for (column, place) in wanted.iter().zip(places) {
            let Place::At(position) = *place else {
                conform.targets.push(None);
                continue;
            };
            let table_column = &schema.columns[position];
            let target = target(column, table_column, table, rules).map_err(Mismatch::Refused)?;
            conform.targets.push(Some(target));
            conform.columns.push(position);
            conform.names.push(table_column.name.clone());
        }
        if let Some(position) = schema.position(FILE_ID_COLUMN) {
            conform.columns.push(position);
            conform.names.push(FILE_ID_COLUMN.to_owned());
        }
        Ok(conform)
    }

    /// What to ask a format for.
    pub fn wishes(&self) -> Wishes {
        Wishes { targets: self.targets.clone(), ..Wishes::default() }
    }

    /// The batch with the table's names and, where the table has the column,
    /// the file's id.
    pub fn apply(&self, batch: RecordBatch, file: FileId) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
        if columns.len() < self.names.len() {
            columns.push(Arc::new(Int64Array::from(vec![file.0; rows])));
        }
        let fields: Vec<Field> = self
            .names
            .iter()
            .zip(&columns)
            .map(|(name, column)| Field::new(name, column.data_type().clone(), true))
            .collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|error| {
            Error::new(ErrorKind::Internal, "a batch does not have the columns that were asked for")
                .caused_by(error)
        })
    }
}

/// Where a file's column goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The table's column at this position.
    At(usize),
    /// The table has none for it.
    New,
    /// The rules leave it out.
    NotSelected,
}

fn places(
    file: &FileColumns,
    wanted: &[Wanted],
    schema: &TableSchema,
    rules: &ColumnRules,
) -> Result<Vec<Place>> {
    let selected = |column: &Wanted| is_selected(column, rules);
    let by_computation: Option<Vec<Place>> = wanted
        .iter()
        .map(|column| match schema.position(&column.name) {
            _ if !selected(column) => Some(Place::NotSelected),
            Some(position) => Some(Place::At(position)),
            None => None,
        })
        .collect();
    if let Some(places) = by_computation {
        return Ok(places);
    }
    if !file.named {
        return places_by_position(wanted, schema);
    }
    wanted
        .iter()
        .map(|column| match selected(column) {
            true => place_by_name(column, schema),
            false => Ok(Place::NotSelected),
        })
        .collect()
}

/// A file without names fills the table's columns from left to right.
fn places_by_position(wanted: &[Wanted], schema: &TableSchema) -> Result<Vec<Place>> {
    let positions: Vec<usize> = (0..schema.columns.len())
        .filter(|position| schema.columns[*position].name != FILE_ID_COLUMN)
        .collect();
    if positions.len() != wanted.len() {
        return Err(Error::new(
            ErrorKind::SchemaMismatch,
            format!(
                "the file has {} columns and no names, the table has {}",
                wanted.len(),
                positions.len()
            ),
        )
        .with_hint("rename column_1, column_2, … to the table's columns"));
    }
    Ok(positions.into_iter().map(Place::At).collect())
}

fn place_by_name(column: &Wanted, schema: &TableSchema) -> Result<Place> {
    let sought = column.sought();
    if let Some(position) = schema.position(sought) {
        return Ok(Place::At(position));
    }
    let lower = sought.to_lowercase();
    let snake = snake_case(sought);
    let alike: [&dyn Fn(&str) -> bool; 2] =
        [&|name| name.to_lowercase() == lower, &|name| snake_case(name) == snake];
    for is_alike in alike {
        let candidates: Vec<usize> = (0..schema.columns.len())
            .filter(|position| is_alike(&schema.columns[*position].name))
            .filter(|position| schema.columns[*position].name != FILE_ID_COLUMN)
            .collect();
        match candidates.as_slice() {
            [] => {}
            [position] => return Ok(Place::At(*position)),
            several => return Err(ambiguous(column, several, schema)),
        }
    }
    Ok(Place::New)
}

fn ambiguous(column: &Wanted, candidates: &[usize], schema: &TableSchema) -> Error {
    let names: Vec<&str> =
        candidates.iter().map(|position| schema.columns[*position].name.as_str()).collect();
    Error::new(
        ErrorKind::SchemaMismatch,
        format!("column `{}` could be any of the table's {}", column.source, enumerate(&names)),
    )
    .with_hint("say which with a rename")
}

fn refuse_shared_places(
    wanted: &[Wanted],
    places: &[Place],
    schema: &TableSchema,
) -> Result<(), Mismatch> {
    for (index, place) in places.iter().enumerate() {
        let Place::At(position) = place else { continue };
        if let Some(earlier) = places[..index].iter().position(|earlier| earlier == place) {
            return Err(refuse(
                ErrorKind::SchemaMismatch,
                format!(
                    "columns `{}` and `{}` both go to the table's `{}`",
                    wanted[earlier].source, wanted[index].source, schema.columns[*position].name
                ),
            ));
        }
    }
    Ok(())
}

/// What becomes of columns that the table does not have: the names that are
/// left out.
fn settle_new_columns(
    wanted: &[Wanted],
    places: &[Place],
    table: &TableState,
    new_columns: NewColumns,
) -> Result<Vec<String>, Mismatch> {
    let new: Vec<&Wanted> = wanted
        .iter()
        .zip(places)
        .filter(|(_, place)| **place == Place::New)
        .map(|(column, _)| column)
        .collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let sources: Vec<&str> = new.iter().map(|column| column.source.as_str()).collect();
    match new_columns {
        NewColumns::Ignore => Ok(sources.into_iter().map(str::to_owned).collect()),
        NewColumns::Add => Err(Mismatch::NewColumns(
            new.iter()
                .map(|column| NewColumn {
                    source: column.source.clone(),
                    name: column.name.clone(),
                })
                .collect(),
        )),
        NewColumns::Rescue | NewColumns::Reject | NewColumns::Fail => Err(Mismatch::Refused(
            Error::new(
                ErrorKind::SchemaMismatch,
                format!("table {} has no column for {}", table.name, enumerate(&sources)),
            )
            .with_hint(
                "add the columns to the table, rename them in the file's stream, or choose \
                 `new_columns: add` or `ignore`",
            ),
        )),
    }
}

fn nothing_matches(wanted: &[Wanted], table: &TableState, schema: &TableSchema) -> Error {
    let file: Vec<&str> = wanted.iter().map(|column| column.source.as_str()).collect();
    let columns: Vec<&str> = schema
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|name| *name != FILE_ID_COLUMN)
        .collect();
    Error::new(
        ErrorKind::SchemaMismatch,
        format!(
            "the file's columns ({}) and those of table {} ({}) have no name in common",
            enumerate(&file),
            table.name,
            enumerate(&columns)
        ),
    )
    .with_hint(
        "is this the right table? Columns are matched by the header's names: rename them, or \
         say that there is no header",
    )
}

fn target(
    column: &Wanted,
    table_column: &Column,
    table: &TableState,
    rules: &ColumnRules,
) -> Result<Target> {
    let Some(column_type) = table_column.column_type else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "column `{}` of table {} is {}, which cannot be loaded",
                table_column.name, table.name, table_column.declared
            ),
        )
        .with_hint("leave the column out with `select`, or load into a text column"));
    };
    let given = given_type(column, rules);
    if let Some(given) = given.as_ref().map(|given| given.column_type)
        && !given.fits_into(column_type)
    {
        return Err(Error::new(
            ErrorKind::SchemaMismatch,
            format!(
                "column `{}` was to be {given}, but table {} has it as {column_type}",
                column.source, table.name
            ),
        )
        .with_hint("drop the given type, or change the table's column"));
    }
    let rounds = rules.decimals == Decimals::Float && column_type == ColumnType::Float64;
    let exact = table.created_by_decant && given.is_none() && !rounds;
    let format = given.and_then(|given| given.format).map(Arc::new);
    Ok(Target { format, ..Target::new(column_type, exact) })
}

fn refuse(kind: ErrorKind, message: String) -> Mismatch {
    Mismatch::Refused(Error::new(kind, message))
}

#[cfg(test)]
mod tests;
