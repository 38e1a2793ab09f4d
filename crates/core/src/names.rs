//! Column names: how a new table's are made and how a file's are matched.

use serde::{Deserialize, Serialize};

/// How a new table's columns are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnNames {
    /// `OrderDate` and `Order Date` become `order_date`.
    #[default]
    SnakeCase,
    /// As in the file.
    Source,
}
