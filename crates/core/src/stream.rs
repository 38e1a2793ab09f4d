//! The rules for the files that feed one table, as they are meant: every
//! default decided, nothing left to guess.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::evidence::Decimals;
use crate::names::ColumnNames;
use crate::secret::Secret;
use crate::selection::Selection;
use crate::table_template::TableTemplate;
use crate::value_format::{GivenType, NumberFormat};

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
    /// Which rows are loaded.
    pub filter: RowFilter,
    /// What becomes visible at once.
    pub atomic: Atomic,
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
    /// What happens when a file lacks columns of the table.
    pub missing_columns: MissingColumns,
    /// Whether a value that contradicts an inferred type widens its column;
    /// `None`: `Widen` for tables that decant created, else `Frozen`.
    pub types: Option<TypePolicy>,
    /// What happens to a value that contradicts a frozen type.
    pub on_conflict: OnConflict,
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
///
/// Serialised with a file's rejects, so that their raw text can be read
/// again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FormatOptions {
    /// The format's name; `None` is auto.
    pub name: Option<String>,
    /// The compression's name, where magic bytes cannot tell (`brotli`).
    pub compression: Option<String>,
    /// The encoding's name, by the WHATWG's labels.
    pub encoding: Option<String>,
    /// Whether malformed rows are repaired rather than rejected.
    pub lenient: bool,
    /// Separates fields: one byte or several.
    pub delimiter: Option<String>,
    /// Encloses fields.
    pub quote: Option<Mark>,
    /// Escapes a quote inside a quoted field; off: it is doubled.
    pub escape: Option<Mark>,
    /// Starts a line that is not data.
    pub comment: Option<Mark>,
    /// Which rows name the columns.
    pub header: Option<Header>,
    /// Lines to pass over before the header.
    pub skip_rows: Option<u64>,
    /// Rows to leave out at the end: totals, footers.
    pub skip_footer: Option<u64>,
    /// Words that mean NULL when they stand unquoted; `None`: only the empty
    /// field.
    pub null_values: Option<Vec<String>>,
    /// How numbers are written.
    pub numbers: Option<NumberFormat>,
    /// Widths of the columns of fixed-width text, in characters.
    pub widths: Option<Vec<usize>>,
    /// Where the rows stand in a JSON document, as a JSON pointer.
    pub records_path: Option<String>,
    /// Whether nested JSON values become columns of their own.
    pub flatten: Option<Flatten>,
    /// The element that is a row of an XML document.
    pub row_element: Option<String>,
    /// The sheet of a workbook; `None` is the first.
    pub sheet: Option<String>,
    /// The range of cells of a sheet, as in `B2:F100`; `None` is what is used.
    pub range: Option<String>,
    /// Longest row, in bytes; `None` is the format's default.
    pub record_bytes_max: Option<usize>,
    /// Most bytes that one file may have after decompression.
    pub decompressed_bytes_max: Option<u64>,
    /// Most bytes after decompression for each byte before.
    pub decompression_ratio_max: Option<u64>,
    /// Memory that decoding one file may take, in bytes; `None` is the
    /// format's default.
    pub memory_bytes: Option<u64>,
    /// What the stream's other files are like, for a file that does not show
    /// it itself.
    #[serde(skip)]
    pub habits: Option<std::sync::Arc<crate::habits::Habits>>,
}

/// A byte with a meaning, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Nothing has this meaning.
    Off,
    /// This byte has it.
    Byte(u8),
}

impl Mark {
    /// The byte, if any.
    pub fn byte(self) -> Option<u8> {
        match self {
            Self::Off => None,
            Self::Byte(byte) => Some(byte),
        }
    }
}

/// Which rows name the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// None: columns are numbered.
    None,
    /// The first so many, joined by `_` where there are several; at least 1.
    Rows(u32),
}

/// How nested JSON values become columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flatten {
    /// Levels of objects that become columns; what is deeper stays JSON.
    pub depth: u32,
    /// Between the names of the levels.
    pub separator: String,
}

/// What becomes of a file's columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ColumnRules {
    /// New names by the file's names.
    pub rename: BTreeMap<String, String>,
    /// Other names that a column has in some files, by the column's name.
    pub aliases: BTreeMap<String, Vec<String>>,
    /// Types by either name.
    pub types: BTreeMap<String, GivenType>,
    /// Only these, by either name; empty is all.
    pub select: Vec<String>,
    /// All but these, by either name.
    pub exclude: Vec<String>,
    /// Every column as text.
    pub all_text: bool,
    /// How a new table's columns are named.
    pub names: ColumnNames,
    /// How plain decimals are typed.
    pub decimals: Decimals,
    /// Columns whose values lose the white space around them.
    pub trim: Trim,
    /// Columns of text that are made unreadable, by either name.
    pub conceal: BTreeMap<String, Concealment>,
    /// Columns that are not in the file.
    pub added: Vec<AddedColumn>,
}

/// Columns whose values lose the white space around them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trim {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// These, by either name.
    Columns(Vec<String>),
}

/// How a column's values are made unreadable. NULL stays NULL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concealment {
    /// SHA-256 as lower-case hexadecimal; with a key, HMAC-SHA-256.
    Hash {
        /// The key.
        #[serde(skip)]
        key: Option<Secret>,
    },
    /// All characters but the last so many become `*`; all of a value that
    /// has no more of them.
    Mask {
        /// Characters that stay.
        keep_last: usize,
    },
}

/// A column that is not in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedColumn {
    /// Its name in the table.
    pub name: String,
    /// Where its value comes from.
    pub value: AddedValue,
}

/// Where the value of a column comes from that is not in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddedValue {
    /// `{file}`: the file's location.
    File,
    /// `{last_modified}`: as listed.
    LastModified,
    /// `{line}`: the line of the row's first byte; the row's number where
    /// there are no lines.
    Line,
    /// `{loaded_at}`: the moment at which the run began.
    LoadedAt,
    /// `{path:NAME}`: a named group of the selection's pattern, or a Hive
    /// partition.
    Path(String),
    /// A hash of the row over these columns, by their names in the table;
    /// empty is all of the file's.
    RowHash {
        /// The columns.
        columns: Vec<String>,
        /// The key.
        #[serde(skip)]
        key: Option<Secret>,
    },
}

/// Which rows are loaded: those for which every comparison holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RowFilter {
    /// All must hold; none lets every row through.
    pub comparisons: Vec<Comparison>,
}

/// A comparison of a column with a constant. A NULL only satisfies
/// [`Comparator::IsNull`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The column, by either name.
    pub column: String,
    /// What must hold.
    pub comparator: Comparator,
    /// The constants as text, read in the column's type: one, or several for
    /// `In` and `NotIn`, or none.
    pub values: Vec<String>,
    /// Whether one of them was written as a number, without quotes.
    #[serde(default)]
    pub numeric: bool,
}

/// What a comparison asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparator {
    /// `=`
    Equal,
    /// `<>` or `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `in (…)`
    In,
    /// `not in (…)`
    NotIn,
    /// `is null`
    IsNull,
    /// `is not null`
    IsNotNull,
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

/// What becomes visible at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Atomic {
    /// A file, whatever its size.
    #[default]
    File,
    /// A chunk of a file that is larger than one.
    Chunk,
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

impl std::fmt::Display for MaxRejects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unlimited => f.write_str("any number"),
            Self::Rows(rows) => write!(f, "{rows}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
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
    /// They are kept in the table's column `_rescued`.
    Rescue,
    /// Rows that have a value in one are rejected.
    Reject,
    /// The file fails.
    Fail,
}

/// What happens when a file lacks columns of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingColumns {
    /// They take their default, or NULL.
    #[default]
    Null,
    /// The file fails.
    Fail,
}

/// Whether contradicting values change a table's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypePolicy {
    /// The column is widened until it keeps the value.
    Widen,
    /// The types stay.
    Frozen,
}

/// What happens to a value that contradicts a frozen type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// Its row is a bad row.
    #[default]
    Reject,
    /// It is kept in the table's column `_rescued`, and the row is loaded.
    Rescue,
    /// The file fails, whatever `on_error` says.
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
