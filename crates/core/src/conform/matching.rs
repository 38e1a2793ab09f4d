//! A file's columns beside the table's: what becomes of each, and which of
//! the table's columns are filled with what.

use std::sync::Arc;

use super::added::AddedFilling;
use super::filter::{BoundComparison, type_by_constants};
use super::fit::Filling;
use super::new_table::own_columns;
use super::place::{Place, is_our_own, places};
use super::rescue::{RescuedColumn, keys};
use super::wanted::{
    Wanted, check_filter, check_rule_names, concealment, enumerate, given_type, is_selected,
    is_trimmed, unknown_column, wanted_columns,
};
use super::{Conform, Drift, FitRules, Mismatch, NewColumn};
use crate::destination::{Capabilities, TableState};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::Decimals;
use crate::format::{FileColumns, OnMisfit, PlacesWanted, Target};
use crate::schema::{Column, ColumnType, FILE_ID_COLUMN, RESCUED_COLUMN, TableSchema};
use crate::stream::{AddedValue, Comparison, Concealment, NewColumns, OnConflict, TypePolicy};

/// All that decides what becomes of a file's columns.
pub(super) struct Matching<'a> {
    file: &'a FileColumns,
    table: &'a TableState,
    schema: &'a TableSchema,
    fit: &'a FitRules,
    wanted: Vec<Wanted>,
    places: Vec<Place>,
}

impl<'a> Matching<'a> {
    pub(super) fn new(
        file: &'a FileColumns,
        table: &'a TableState,
        schema: &'a TableSchema,
        fit: &'a FitRules,
        capabilities: &Capabilities,
    ) -> Result<Self, Mismatch> {
        let wanted = wanted_columns(file, fit, capabilities.identifier_bytes_max)
            .map_err(Mismatch::Refused)?;
        check_filter(fit, &[&wanted]).map_err(Mismatch::Refused)?;
        if !file.may_grow() {
            check_rule_names(fit, &[&wanted], Some(schema)).map_err(Mismatch::Refused)?;
        }
        let places = places(file, &wanted, table, schema, fit)?;
        let matching = Self { file, table, schema, fit, wanted, places };
        matching.refuse_new_columns().map_err(Mismatch::Refused)?;
        match matching.lacking() {
            lacking if lacking.is_empty() => Ok(matching),
            lacking => Err(Mismatch::NewColumns(lacking)),
        }
    }

    /// The file's columns that the table does not have.
    fn new_columns(&self) -> impl Iterator<Item = &Wanted> {
        let columns = self.wanted.iter().zip(&self.places);
        columns.filter(|(_, place)| **place == Place::New).map(|(column, _)| column)
    }

    fn refuse_new_columns(&self) -> Result<()> {
        let new: Vec<&str> = self.new_columns().map(|column| column.source.as_str()).collect();
        if new.is_empty() || self.fit.new_columns != NewColumns::Fail {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::SchemaMismatch,
            format!("table {} has no column for {}", self.table.name, enumerate(&new)),
        )
        .with_hint(
            "add the columns to the table, rename them in the file's stream, or choose \
             `new_columns: add`, `ignore`, `rescue` or `reject`",
        ))
    }

    /// The columns that the table must be given first.
    fn lacking(&self) -> Vec<NewColumn> {
        let of_file = self.new_columns().filter(|_| self.fit.new_columns == NewColumns::Add);
        let of_file = of_file.map(|column| NewColumn {
            source: column.source.clone(),
            name: column.name.clone(),
            column_type: None,
        });
        let own = own_columns(self.fit).into_iter();
        let own = own.filter(|(name, _)| self.schema.position(name).is_none());
        let own = own.map(|(name, column_type)| NewColumn {
            source: name.to_owned(),
            name: name.to_owned(),
            column_type: Some(column_type),
        });
        of_file.chain(own).collect()
    }

    pub(super) fn conform(&self) -> Result<Conform> {
        let mut conform = Conform {
            targets: Vec::with_capacity(self.wanted.len()),
            columns: Vec::new(),
            drift: Vec::new(),
            names: Vec::new(),
            fillings: Vec::new(),
            places: PlacesWanted::None,
            filter: Vec::new(),
            refused: Vec::new(),
            rescues: self.fit.rescues(),
            rescued_columns: Vec::new(),
            missing: Vec::new(),
        };
        let indexes = self.fill_from_file(&mut conform)?;
        self.fill_from_elsewhere(&mut conform)?;
        self.bind_filter(&mut conform, &indexes)?;
        self.keep_new_columns(&mut conform, &indexes);
        conform.places = self.places_wanted(&conform);
        conform.missing = self.missing(&conform);
        conform.drift = self.drift(&conform);
        Ok(conform)
    }

    /// Decides what to ask for, and answers where each of the file's columns
    /// will stand in a batch.
    fn fill_from_file(&self, conform: &mut Conform) -> Result<Vec<Option<usize>>> {
        let mut next = 0;
        let mut indexes = Vec::with_capacity(self.wanted.len());
        for (at, (column, place)) in self.wanted.iter().zip(&self.places).enumerate() {
            let mut target = self.target(at, column, *place)?;
            let is_bytes = self.file.types.get(at) == Some(&Some(ColumnType::Binary));
            if is_bytes && matches!(place, Place::At(_)) {
                target = target.map(|target| self.of_bytes(column, target)).transpose()?;
            }
            let index = target.is_some().then_some(next);
            next += usize::from(target.is_some());
            indexes.push(index);
            conform.targets.push(target);
            if let (Place::At(position), Some(index)) = (*place, index) {
                let conceal = concealment(column, &self.fit.columns).cloned();
                self.fill(conform, position, Filling::File { index, conceal });
            }
        }
        Ok(indexes)
    }

    fn fill(&self, conform: &mut Conform, position: usize, filling: Filling) {
        conform.columns.push(position);
        conform.names.push(self.schema.columns[position].name.clone());
        conform.fillings.push(filling);
    }

    /// What to ask for of a column of bytes: as such where they are hashed.
    fn of_bytes(&self, column: &Wanted, target: Target) -> Result<Target> {
        match concealment(column, &self.fit.columns) {
            None => Ok(target),
            Some(Concealment::Hash { .. }) => {
                Ok(Target { column_type: ColumnType::Binary, format: None, ..target })
            }
            Some(Concealment::Mask { .. }) => Err(Error::new(
                ErrorKind::Unsupported,
                format!("column `{}` has bytes, and a mask is for characters", column.source),
            )
            .with_hint("hash the column, or leave it out with `exclude`")),
        }
    }

    fn target(&self, at: usize, column: &Wanted, place: Place) -> Result<Option<Target>> {
        let target = match place {
            Place::At(position) => Some(self.loaded(column, &self.schema.columns[position])?),
            Place::New | Place::NotSelected => match self.filtered_type(at, column) {
                Some(filtered) => Some(Target::new(filtered, false)),
                None if place == Place::New => self.kept_type(at).map(|it| Target::new(it, false)),
                None => None,
            },
        };
        let trim = is_trimmed(column, &self.fit.columns);
        Ok(target.map(|target| Target { trim, ..target }))
    }

    /// What to ask for of a column that goes into the table.
    fn loaded(&self, column: &Wanted, table_column: &Column) -> Result<Target> {
        let Some(column_type) = table_column.column_type else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "column `{}` of table {} is {}, which cannot be loaded",
                    table_column.name, self.table.name, table_column.declared
                ),
            )
            .with_hint("leave the column out with `exclude`, or load into a text column"));
        };
        let rules = &self.fit.columns;
        let concealed = concealment(column, rules).is_some();
        let given = given_type(column, rules);
        let fits = |given: ColumnType| match concealed {
            true => column_type == ColumnType::Text,
            false => given.fits_into(column_type),
        };
        if let Some(given) = given.as_ref().map(|given| given.column_type)
            && !fits(given)
        {
            return Err(Error::new(
                ErrorKind::SchemaMismatch,
                format!(
                    "column `{}` was to be {given}, but table {} has it as {column_type}",
                    column.source, self.table.name
                ),
            )
            .with_hint("drop the given type, or change the table's column"));
        }
        let rounds = rules.decimals == Decimals::Float && column_type == ColumnType::Float64;
        let widens = self.fit.types == TypePolicy::Widen;
        let exact = (self.table.created_by_decant || widens) && given.is_none() && !rounds;
        let misfit = match self.fit.on_conflict {
            OnConflict::Rescue if !(exact && widens) => OnMisfit::Rescue,
            OnConflict::Rescue | OnConflict::Reject | OnConflict::Fail => OnMisfit::Reject,
        };
        let format = given.and_then(|given| given.format).map(Arc::new);
        Ok(Target { format, misfit, ..Target::new(column_type, exact) })
    }

    /// What a column is asked for as that the table does not have, where
    /// somebody looks at it.
    fn kept_type(&self, at: usize) -> Option<ColumnType> {
        match self.fit.new_columns {
            NewColumns::Rescue if self.file.may_grow() => Some(ColumnType::Json),
            NewColumns::Rescue => Some(rescued_type(self.own_type(at))),
            NewColumns::Reject => Some(ColumnType::Text),
            NewColumns::Add | NewColumns::Ignore | NewColumns::Fail => None,
        }
    }

    /// The type that the file itself says of a column.
    fn own_type(&self, at: usize) -> Option<ColumnType> {
        self.file.types.get(at).copied().flatten()
    }

    fn is_filtered_by(&self, column: &Wanted, comparison: &Comparison) -> bool {
        column.is_called(&comparison.column)
            || self.fit.columns.names.apply(&column.source) == comparison.column
    }

    /// The type of a column that is not loaded but filtered on: given, or the
    /// table's, or the file's own, or what its constants are.
    fn filtered_type(&self, at: usize, column: &Wanted) -> Option<ColumnType> {
        let comparisons: Vec<&Comparison> = self
            .fit
            .filter
            .comparisons
            .iter()
            .filter(|comparison| self.is_filtered_by(column, comparison))
            .collect();
        if comparisons.is_empty() {
            return None;
        }
        let given = given_type(column, &self.fit.columns).map(|given| given.column_type);
        let values: Vec<String> =
            comparisons.iter().flat_map(|comparison| comparison.values.clone()).collect();
        let tables = self.table_type(column.sought()).or_else(|| self.table_type(&column.name));
        let numeric = comparisons.iter().any(|comparison| comparison.numeric);
        given.or(tables).or(self.own_type(at)).or_else(|| Some(type_by_constants(&values, numeric)))
    }

    fn table_type(&self, name: &str) -> Option<ColumnType> {
        self.schema.columns[self.schema.position(name)?].column_type
    }

    fn bind_filter(&self, conform: &mut Conform, indexes: &[Option<usize>]) -> Result<()> {
        for comparison in &self.fit.filter.comparisons {
            let of_file =
                self.wanted.iter().position(|column| self.is_filtered_by(column, comparison));
            let target = of_file.and_then(|at| conform.targets[at].as_ref());
            let (index, column_type) = match (of_file, target) {
                (Some(at), Some(target)) => (indexes[at], target.column_type),
                _ => (None, self.absent_type(comparison)?),
            };
            conform.filter.push(BoundComparison::new(comparison, index, column_type)?);
        }
        Ok(())
    }

    /// The type of a column that the file does not have: the table's.
    fn absent_type(&self, comparison: &Comparison) -> Result<ColumnType> {
        let named = self.fit.columns.names.apply(&comparison.column);
        let known = self.table_type(&comparison.column).or_else(|| self.table_type(&named));
        match known {
            Some(known) => Ok(known),
            None if self.file.may_grow() => {
                Ok(type_by_constants(&comparison.values, comparison.numeric))
            }
            None => {
                let known: Vec<&str> =
                    self.wanted.iter().map(|column| column.source.as_str()).collect();
                let kind = ErrorKind::SchemaMismatch;
                Err(unknown_column(kind, "where", &comparison.column, &known))
            }
        }
    }

    fn fill_from_elsewhere(&self, conform: &mut Conform) -> Result<()> {
        let mut hashes = Vec::new();
        for added in &self.fit.columns.added {
            let Some(position) = self.schema.position(&added.name) else { continue };
            let column = &self.schema.columns[position];
            let filling = AddedFilling::new(added, column, &self.fit.columns)?;
            if let AddedValue::RowHash { columns, key } = &added.value {
                let column_type = column.column_type.unwrap_or(ColumnType::Text);
                hashes.push((position, columns, key, column_type));
            } else {
                self.fill(conform, position, Filling::Added(filling));
            }
        }
        for (position, columns, key, column_type) in hashes {
            let fillings = self.hashed(conform, columns)?;
            let filling = Filling::RowHash { fillings, key: key.clone(), column_type };
            self.fill(conform, position, filling);
        }
        let rescued = conform.rescues.then_some((RESCUED_COLUMN, Filling::Rescued));
        for (name, filling) in rescued.into_iter().chain([(FILE_ID_COLUMN, Filling::FileId)]) {
            if let Some(position) = self.schema.position(name) {
                self.check_own_type(position, &filling)?;
                self.fill(conform, position, filling);
            }
        }
        Ok(())
    }

    /// Refuses a column of decant's name that somebody gave a type that does
    /// not hold what decant fills it with.
    fn check_own_type(&self, position: usize, filling: &Filling) -> Result<()> {
        let column = &self.schema.columns[position];
        let (is_held, needed) = match (filling, column.column_type) {
            (Filling::FileId, Some(ColumnType::Int64)) => (true, ""),
            (Filling::FileId, _) => (false, "64-bit integers (bigint)"),
            (_, Some(ColumnType::Json | ColumnType::Text)) => (true, ""),
            _ => (false, "JSON, or text"),
        };
        if is_held {
            return Ok(());
        }
        let message = format!(
            "column `{}` of table {} is {}; what decant fills it with are {needed}",
            column.name, self.table.name, column.declared
        );
        Err(Error::new(ErrorKind::SchemaMismatch, message)
            .with_hint("give the column that type, or rename it"))
    }

    /// The positions of what a row hash is over: all of the file's columns by
    /// their names in the table, or those that are named, in that order.
    fn hashed(&self, conform: &Conform, columns: &[String]) -> Result<Vec<Option<usize>>> {
        if columns.is_empty() {
            let mut of_file: Vec<usize> = (0..conform.fillings.len())
                .filter(|at| matches!(conform.fillings[*at], Filling::File { .. }))
                .collect();
            of_file.sort_by_key(|at| &conform.names[*at]);
            return Ok(of_file.into_iter().map(Some).collect());
        }
        columns
            .iter()
            .map(|name| {
                let found = conform.names.iter().position(|known| known == name);
                match found.is_some() || self.schema.position(name).is_some() {
                    true => Ok(found
                        .filter(|at| !matches!(conform.fillings[*at], Filling::RowHash { .. }))),
                    false => {
                        let known: Vec<&str> = conform.names.iter().map(String::as_str).collect();
                        Err(unknown_column(ErrorKind::SchemaMismatch, "row_hash", name, &known))
                    }
                }
            })
            .collect()
    }

    /// What is rescued, or refused, of the columns that the table lacks.
    fn keep_new_columns(&self, conform: &mut Conform, indexes: &[Option<usize>]) {
        let new = |at: usize| indexes[at].filter(|_| self.places[at] == Place::New);
        if self.fit.new_columns == NewColumns::Reject {
            for (at, column) in self.wanted.iter().enumerate() {
                conform.refused.extend(new(at).map(|index| (index, column.source.clone())));
            }
        }
        if !conform.rescues {
            return;
        }
        let keys = keys(self.wanted.iter().map(|column| column.source.as_str()));
        let rescued = keys.into_iter().zip(&self.wanted).enumerate().map(|(at, (key, column))| {
            let target = conform.targets[at].as_ref();
            RescuedColumn {
                key,
                conceal: concealment(column, &self.fit.columns).cloned(),
                always: new(at).filter(|_| self.fit.new_columns == NewColumns::Rescue),
                is_json: target.is_some_and(|it| it.column_type == ColumnType::Json),
            }
        });
        conform.rescued_columns = rescued.collect();
    }

    fn places_wanted(&self, conform: &Conform) -> PlacesWanted {
        let refuses = !conform.refused.is_empty()
            || (self.fit.new_columns == NewColumns::Reject && self.file.may_grow());
        let needs_positions = conform
            .fillings
            .iter()
            .any(|filling| matches!(filling, Filling::Added(it) if it.needs_positions()));
        match (refuses, needs_positions) {
            (true, _) => PlacesWanted::Raw,
            (false, true) => PlacesWanted::Positions,
            (false, false) => PlacesWanted::None,
        }
    }

    fn missing(&self, conform: &Conform) -> Vec<String> {
        let left_out = |name: &str| {
            let mut columns = self.wanted.iter().zip(&self.places);
            columns.any(|(column, place)| {
                *place == Place::NotSelected && (column.name == name || column.sought() == name)
            })
        };
        let ruled_out = |name: &str| {
            let rules = &self.fit.columns;
            rules.exclude.iter().any(|excluded| excluded == name)
                || (!rules.select.is_empty() && !rules.select.iter().any(|it| it == name))
        };
        (0..self.schema.columns.len())
            .filter(|position| !conform.columns.contains(position))
            .map(|position| self.schema.columns[position].name.as_str())
            .filter(|name| !is_our_own(name, self.fit) && *name != RESCUED_COLUMN)
            .filter(|name| !left_out(name) && !ruled_out(name))
            .map(str::to_owned)
            .collect()
    }

    /// How the file's columns differ. A table that others made may have
    /// columns that no file ever fills: they are not spoken of.
    fn drift(&self, conform: &Conform) -> Vec<Drift> {
        let mut drift = Vec::new();
        let new: Vec<String> = self.new_columns().map(|column| column.source.clone()).collect();
        if !new.is_empty() {
            drift.extend(match self.fit.new_columns {
                NewColumns::Ignore => Some(Drift::LeftOut(new)),
                NewColumns::Rescue => Some(Drift::Rescued(new)),
                NewColumns::Reject => Some(Drift::Refused(new)),
                NewColumns::Add | NewColumns::Fail => None,
            });
        }
        if self.table.created_by_decant && !conform.missing.is_empty() {
            drift.push(Drift::Missing(conform.missing.clone()));
        }
        let renamed: Vec<(String, String)> = self
            .wanted
            .iter()
            .zip(&self.places)
            .filter(|(column, place)| match place {
                Place::At(position) => {
                    column.name != column.asked
                        && self.schema.columns[*position].name == column.name
                        && is_selected(column, &self.fit.columns)
                }
                Place::New | Place::NotSelected => false,
            })
            .map(|(column, _)| (column.source.clone(), column.name.clone()))
            .collect();
        if !renamed.is_empty() {
            drift.push(Drift::Renamed(renamed));
        }
        drift
    }
}

/// What a column is asked for as that goes into `_rescued`: what JSON has, else
/// text.
fn rescued_type(own: Option<ColumnType>) -> ColumnType {
    use ColumnType::{Bool, Decimal, Float32, Float64, Int16, Int32, Int64, Json, List, Text};
    match own {
        Some(known @ (Bool | Int16 | Int32 | Int64 | Float32 | Float64 | Decimal(Some(_)))) => {
            known
        }
        Some(Json | List(_)) => Json,
        _ => Text,
    }
}
