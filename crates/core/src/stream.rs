//! The rules for the files that feed one table, as they are meant: every
//! default decided, nothing left to guess.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::evidence::Decimals;
use crate::names::ColumnNames;
use crate::schema::ColumnType;
use crate::selection::Selection;
use crate::table_template::TableTemplate;

/// The files that feed one table (or, with a template, one table each), and
/// the rules for them.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its name in configuration, ledger and report.
    pub name: String,
    /// Which files belong to it.
    pub selection: Selection,
    /// Which table a file goes to.
    pub table: TableTemplate,
    /// What the files look like.
    pub format: FormatOptions,
    /// What becomes of their columns.
    pub columns: ColumnRules,
    /// How rows meet what is in the table.
    pub write_mode: WriteMode,
    /// What happens to rows that cannot be loaded.
    pub on_error: OnError,
    /// How many rows of a file may be rejected.
    pub max_rejects: MaxRejects,
    /// What happens when a key comes back with other content; `None`:
    /// `Replace` where the table has `_file_id`, else `Fail`.
    pub on_change: Option<OnChange>,
    /// What happens to columns that the table does not have; `None`: `Add`
    /// for tables that decant created, else `Fail`.
    pub new_columns: Option<NewColumns>,
    /// Whether a table that is created carries `_file_id`.
    pub file_id: bool,
    /// Attempts after which a failing file is given up.
    pub max_attempts: u32,
    /// Which files are loaded although the ledger knows them.
    pub reload: Reload,
    /// Lets `Reload::Force` append where old rows cannot be told apart.
    pub allow_duplicates: bool,
}

/// What to know about files before reading them. `None` is "find out".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormatOptions {
    /// The format's name; `None` is auto.
    pub name: Option<String>,
    /// Separates fields.
    pub delimiter: Option<u8>,
    /// Encloses fields; `Some(None)` switches quoting off.
    pub quote: Option<Option<u8>>,
    /// Escapes a quote inside a quoted field; `None`: it is doubled.
    pub escape: Option<u8>,
    /// Starts a line that is not data.
    pub comment: Option<u8>,
    /// Whether the first row names the columns; `None` is yes.
    pub header: Option<bool>,
    /// Lines to pass over before the header.
    pub skip_rows: u64,
    /// Words that mean NULL when they stand unquoted; `None`: only the empty
    /// field.
    pub null_values: Option<Vec<String>>,
    /// Longest row, in bytes; `None` is the format's default.
    pub record_bytes_max: Option<usize>,
}

/// What becomes of a file's columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnRules {
    /// New names by the file's names.
    pub rename: BTreeMap<String, String>,
    /// Types by either name.
    pub types: BTreeMap<String, ColumnType>,
    /// Only these, by either name; empty is all.
    pub select: Vec<String>,
    /// Every column as text.
    pub all_text: bool,
    /// How a new table's columns are named.
    pub names: ColumnNames,
    /// How plain decimals are typed.
    pub decimals: Decimals,
}

/// How rows meet what is in the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteMode {
    /// Rows of new file versions are added.
    #[default]
    Append,
    /// The table becomes exactly the rows of the selected files.
    Replace,
    /// Refuses when the table exists.
    Fail,
}

/// What happens to rows that cannot be loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// The file is rolled back and `failed`.
    #[default]
    Fail,
    /// They are kept as rejects and the rest is loaded.
    Reject,
    /// The file is rolled back and `skipped`.
    SkipFile,
}

/// How many rows of a file may be rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum MaxRejects {
    /// Any number.
    #[default]
    Unlimited,
    /// So many rows.
    Rows(u64),
    /// So many in a hundred rows read.
    Percent(f64),
}

impl MaxRejects {
    /// Whether a file with so many bad rows among so many is too bad.
    /// `finished` says that the file has no more rows: a percentage is only
    /// judged then.
    pub fn is_exceeded(self, rejected: u64, read: u64, finished: bool) -> bool {
        match self {
            Self::Unlimited => false,
            Self::Rows(rows) => rejected > rows,
            Self::Percent(percent) => finished && rejected as f64 * 100.0 > percent * read as f64,
        }
    }
}

/// What happens when a key that was loaded comes back with other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnChange {
    /// Its rows are replaced.
    Replace,
    /// The new rows are added to the old ones.
    Append,
    /// The new content is left alone.
    Ignore,
    /// The file fails.
    Fail,
}

/// What happens to columns that the table does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewColumns {
    /// The table gets them.
    Add,
    /// They are left out, and the report says so.
    Ignore,
    /// The file fails.
    Fail,
}

/// Which files are loaded although the ledger knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reload {
    /// None.
    #[default]
    None,
    /// Those that gave up (`failed` too often, or `skipped`).
    Failed,
    /// All that are selected.
    Force,
}

/// How files share transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupLimits {
    /// Files in one transaction.
    pub files: usize,
    /// Decoded bytes that one transaction may hold back in memory; a larger
    /// file has a transaction of its own and streams.
    pub bytes: u64,
}

impl Default for GroupLimits {
    fn default() -> Self {
        Self { files: 256, bytes: 8 << 20 }
    }
}

/// Age below which a file is left for the next run: its writer may not have
/// finished.
pub type MinAge = Duration;
