//! The rules by which files are made to fit a table, every default decided.

use crate::stream::{
    ColumnRules, MissingColumns, NewColumns, OnConflict, RowFilter, Stream, TypePolicy,
};

/// How a stream's files are made to fit a table, every default decided.
#[derive(Clone, Debug, PartialEq)]
pub struct FitRules {
    /// What becomes of the files' columns.
    pub columns: ColumnRules,
    /// Which rows are loaded.
    pub filter: RowFilter,
    /// What happens to columns that the table does not have.
    pub new_columns: NewColumns,
    /// What happens when a file lacks columns of the table.
    pub missing_columns: MissingColumns,
    /// Whether a value that contradicts an inferred type widens its column.
    pub types: TypePolicy,
    /// What happens to a value that contradicts a type that stays.
    pub on_conflict: OnConflict,
}

impl FitRules {
    /// The rules of `stream` for a table. Tables that decant created are
    /// given columns and widened, others are not, unless the stream says
    /// otherwise.
    pub fn new(stream: &Stream, created_by_decant: bool) -> Self {
        let (new_columns, types) = match created_by_decant {
            true => (NewColumns::Add, TypePolicy::Widen),
            false => (NewColumns::Fail, TypePolicy::Frozen),
        };
        Self {
            columns: stream.columns.clone(),
            filter: stream.filter.clone(),
            new_columns: stream.new_columns.unwrap_or(new_columns),
            missing_columns: stream.missing_columns,
            types: stream.types.unwrap_or(types),
            on_conflict: stream.on_conflict,
        }
    }

    /// Whether what does not fit is kept in the table's column `_rescued`.
    pub fn rescues(&self) -> bool {
        self.new_columns == NewColumns::Rescue || self.on_conflict == OnConflict::Rescue
    }
}
