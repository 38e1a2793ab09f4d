//! Where each of a file's columns goes in a table that exists.

use super::wanted::{Wanted, enumerate, is_selected};
use super::{FitRules, Mismatch, refuse};
use crate::destination::TableState;
use crate::error::{Error, ErrorKind, Result};
use crate::format::FileColumns;
use crate::names::snake_case;
use crate::schema::{FILE_ID_COLUMN, RESCUED_COLUMN, TableSchema};

/// Where a file's column goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The table's column at this position.
    At(usize),
    /// The table has none for it.
    New,
    /// The rules leave it out.
    NotSelected,
}

/// The places of a file's columns, in its order.
pub(super) fn places(
    file: &FileColumns,
    wanted: &[Wanted],
    table: &TableState,
    schema: &TableSchema,
    fit: &FitRules,
) -> Result<Vec<Place>, Mismatch> {
    let places = match by_computation(wanted, schema, fit) {
        Some(places) => places,
        None if !file.named => by_position(wanted, schema, fit).map_err(Mismatch::Refused)?,
        None => by_name(wanted, schema, fit).map_err(Mismatch::Refused)?,
    };
    refuse_shared_places(wanted, &places, schema)?;
    let nothing_goes = !places.iter().any(|place| matches!(place, Place::At(_)));
    if nothing_goes && places.contains(&Place::New) {
        return Err(Mismatch::Refused(nothing_matches(wanted, table, schema, fit)));
    }
    Ok(places)
}

/// Whether the column is filled by decant and never by a file's column.
pub(super) fn is_our_own(name: &str, fit: &FitRules) -> bool {
    name == FILE_ID_COLUMN
        || (name == RESCUED_COLUMN && fit.rescues())
        || fit.columns.added.iter().any(|added| added.name == name)
}

/// The places by the names that a new table would have, where the table has
/// all of them.
fn by_computation(wanted: &[Wanted], schema: &TableSchema, fit: &FitRules) -> Option<Vec<Place>> {
    wanted
        .iter()
        .map(|column| match is_selected(column, &fit.columns) {
            true => schema.position(&column.name).map(Place::At),
            false => Some(Place::NotSelected),
        })
        .collect()
}

fn by_name(wanted: &[Wanted], schema: &TableSchema, fit: &FitRules) -> Result<Vec<Place>> {
    wanted
        .iter()
        .map(|column| match is_selected(column, &fit.columns) {
            true => place_by_name(column, schema, fit),
            false => Ok(Place::NotSelected),
        })
        .collect()
}

/// A file without names fills the table's columns from left to right.
fn by_position(wanted: &[Wanted], schema: &TableSchema, fit: &FitRules) -> Result<Vec<Place>> {
    let positions: Vec<usize> = (0..schema.columns.len())
        .filter(|position| !is_our_own(&schema.columns[*position].name, fit))
        .filter(|position| schema.columns[*position].name != RESCUED_COLUMN)
        .collect();
    let selected = wanted.iter().filter(|column| is_selected(column, &fit.columns)).count();
    if positions.len() != selected {
        return Err(Error::new(
            ErrorKind::SchemaMismatch,
            format!(
                "the file has {selected} columns and no names, the table has {}",
                positions.len()
            ),
        )
        .with_hint("rename column_1, column_2, … to the table's columns"));
    }
    let mut positions = positions.into_iter();
    let place = |column: &Wanted| match is_selected(column, &fit.columns) {
        true => positions.next().map_or(Place::New, Place::At),
        false => Place::NotSelected,
    };
    Ok(wanted.iter().map(place).collect())
}

fn place_by_name(column: &Wanted, schema: &TableSchema, fit: &FitRules) -> Result<Place> {
    let sought = column.sought();
    let has_suffix = column.name != column.asked;
    let exactly = [Some(sought), has_suffix.then_some(column.name.as_str())];
    for name in exactly.into_iter().flatten().filter(|name| !is_our_own(name, fit)) {
        if let Some(position) = schema.position(name) {
            return Ok(Place::At(position));
        }
    }
    let lower = sought.to_lowercase();
    let snake = snake_case(sought);
    let alike: [&dyn Fn(&str) -> bool; 2] =
        [&|name| name.to_lowercase() == lower, &|name| snake_case(name) == snake];
    for is_alike in alike {
        let candidates: Vec<usize> = (0..schema.columns.len())
            .filter(|position| is_alike(&schema.columns[*position].name))
            .filter(|position| !is_our_own(&schema.columns[*position].name, fit))
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
    let mut takers: Vec<Option<usize>> = vec![None; schema.columns.len()];
    for (index, place) in places.iter().enumerate() {
        let Place::At(position) = place else { continue };
        if let Some(earlier) = takers[*position].replace(index) {
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

fn nothing_matches(
    wanted: &[Wanted],
    table: &TableState,
    schema: &TableSchema,
    fit: &FitRules,
) -> Error {
    let file: Vec<&str> = wanted.iter().map(|column| column.source.as_str()).collect();
    let columns: Vec<&str> = schema
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|name| !is_our_own(name, fit))
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
