//! To make a file fit a table: its columns are matched by name, and its
//! batches get the table's names, the columns that are not in the file, and
//! the file's id.
//!
//! Matching is decided once a file, from its columns alone ([`Conform::new`]);
//! batches are then fitted one by one ([`Conform::apply`]), which is only a
//! relabelling where no rule asks for more. Values were given their types by
//! the format already: nothing is cast here.

mod added;
mod conceal;
mod drift;
mod filter;
mod fit;
mod literal;
mod matching;
mod new_table;
mod place;
mod rendering;
mod rescue;
mod rules;
mod wanted;

use self::filter::BoundComparison;
use self::fit::Filling;
use self::matching::Matching;
use self::rescue::RescuedColumn;
use crate::destination::{Capabilities, TableState};
use crate::error::{Error, ErrorKind, Result};
use crate::format::{FileColumns, PlacesWanted, Target, Wishes};
use crate::schema::ColumnType;
use crate::stream::MissingColumns;

pub use self::added::FileFacts;
pub use self::drift::Drift;
pub use self::fit::{Fitted, Repairs};
pub use self::new_table::{added_columns, new_table_columns};
pub use self::rules::FitRules;

/// How one file's columns go into the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Conform {
    /// What to make of each of the file's columns; `None` leaves it out.
    pub targets: Vec<Option<Target>>,
    /// The table's columns that are filled, as positions in its schema: those
    /// of the file's columns in its order, then what is not in the file, and
    /// `_file_id`.
    pub columns: Vec<usize>,
    /// How the file's columns differ from the table's.
    pub drift: Vec<Drift>,
    /// The names of the columns in the table.
    names: Vec<String>,
    /// Where the values of the columns come from.
    fillings: Vec<Filling>,
    places: PlacesWanted,
    filter: Vec<BoundComparison>,
    /// Columns that no row may have a value in: positions in a batch, and
    /// names in the file.
    refused: Vec<(usize, String)>,
    rescues: bool,
    /// The file's columns as `_rescued` has them; empty where nothing is
    /// rescued.
    rescued_columns: Vec<RescuedColumn>,
    /// Columns of the table that the file should have and has not.
    missing: Vec<String>,
}

/// Why a file's columns do not go into the table.
#[derive(Debug)]
pub enum Mismatch {
    /// The table lacks these columns, and would have to be given them.
    NewColumns(Vec<NewColumn>),
    /// They do not fit.
    Refused(Error),
}

/// A column that a file has, or its stream's rules ask for, and its table has
/// not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewColumn {
    /// The name in the file; in the table where it is not of the file.
    pub source: String,
    /// The name that the table's column would have.
    pub name: String,
    /// The type that it would have, where it is not of the file: a column
    /// from elsewhere, or `_rescued`. The stream's rules need it, whatever
    /// they say of new columns.
    pub column_type: Option<ColumnType>,
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
        fit: &FitRules,
        capabilities: &Capabilities,
    ) -> Result<Self, Mismatch> {
        let Some(schema) = &table.schema else {
            return Err(refuse(ErrorKind::Internal, format!("table {} is not there", table.name)));
        };
        let matching = Matching::new(file, table, schema, fit, capabilities)?;
        let conform = matching.conform().map_err(Mismatch::Refused)?;
        if fit.missing_columns == MissingColumns::Fail && !file.may_grow() {
            conform.check_complete().map_err(Mismatch::Refused)?;
        }
        Ok(conform)
    }

    /// Matches again, now that the file was seen to have more columns than
    /// `self` knows.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); and `Refused` when the new columns change what
    /// becomes of those that were there before.
    pub fn grown(
        &self,
        file: &FileColumns,
        table: &TableState,
        fit: &FitRules,
        capabilities: &Capabilities,
    ) -> Result<Self, Mismatch> {
        let grown = Self::new(file, table, fit, capabilities)?;
        let known = self.targets.len();
        if grown.targets.get(..known) == Some(&self.targets)
            && grown.loaded_columns().take_while(|(at, _)| *at < known).eq(self.loaded_columns())
        {
            return Ok(grown);
        }
        let late = file.names.get(known..).unwrap_or_default();
        let message = format!(
            "the columns {} appear late in the file, and other columns of it have their names",
            wanted::enumerate(late)
        );
        Err(Mismatch::Refused(
            Error::new(ErrorKind::SchemaMismatch, message)
                .with_hint("rename one of the columns that are alike, or leave it out"),
        ))
    }

    /// The file's columns that go into the table: their positions in the file
    /// and in the table's schema.
    pub fn loaded_columns(&self) -> impl Iterator<Item = (usize, usize)> {
        let asked: Vec<usize> =
            (0..self.targets.len()).filter(|at| self.targets[*at].is_some()).collect();
        self.columns.iter().zip(&self.fillings).filter_map(move |(position, filling)| {
            let Filling::File { index, .. } = filling else { return None };
            asked.get(*index).map(|at| (*at, *position))
        })
    }

    /// Whether the filter compares a column of the file in a way that means
    /// something else for text.
    pub fn is_compared_as_it_is(&self, index: usize) -> bool {
        let asked = self.targets.iter().take(index).flatten().count();
        self.filter.iter().any(|comparison| comparison.depends_on_type_of(asked))
    }

    /// What to ask a format for.
    pub fn wishes(&self) -> Wishes {
        Wishes { targets: self.targets.clone(), places: self.places }
    }

    /// Refuses the file where it lacks columns of the table. To be asked at
    /// the end of a file whose columns may grow, where the rules say so.
    ///
    /// # Errors
    ///
    /// `SchemaMismatch` that names the columns.
    pub fn check_complete(&self) -> Result<()> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let names = wanted::enumerate(&self.missing);
        Err(Error::new(
            ErrorKind::SchemaMismatch,
            format!("the file has no column for the table's {names}"),
        )
        .with_hint("mend the file, or let such columns be NULL with `missing_columns: null`"))
    }
}

fn refuse(kind: ErrorKind, message: String) -> Mismatch {
    Mismatch::Refused(Error::new(kind, message))
}

#[cfg(test)]
mod tests;
