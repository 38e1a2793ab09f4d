//! How a file's columns differ from the table's, in words for people: in a
//! plan what is going to be done about it, in a report what was.

use super::wanted::enumerate;
use crate::schema::RESCUED_COLUMN;

/// A difference between a file's columns and the table's that is put up with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Drift {
    /// Columns of the file that the table does not have: left out.
    LeftOut(Vec<String>),
    /// The same: kept in `_rescued`.
    Rescued(Vec<String>),
    /// The same: rows with a value in one are rejected.
    Refused(Vec<String>),
    /// Columns of the table that the file does not have.
    Missing(Vec<String>),
    /// Columns whose names are taken or too long, with the names that they
    /// have in the table.
    Renamed(Vec<(String, String)>),
}

impl Drift {
    /// What is to be said of `file`, its location.
    pub fn sentence(&self, file: &str) -> String {
        match self {
            Self::LeftOut(names) => format!("left out: {} of {file}", enumerate(names)),
            Self::Rescued(names) => {
                format!("kept in {RESCUED_COLUMN}: {} of {file}", enumerate(names))
            }
            Self::Refused(names) => {
                format!("rejected where it has a value: {} of {file}", enumerate(names))
            }
            Self::Missing(names) => format!("missing: {} in {file}", enumerate(names)),
            Self::Renamed(pairs) => {
                let pairs: Vec<String> =
                    pairs.iter().map(|(source, name)| format!("`{source}` to `{name}`")).collect();
                format!("renamed: {} for {file}", pairs.join(", "))
            }
        }
    }
}
