//! Options that say what becomes of columns and rows: the keys of `columns`
//! and of a table's drift, spelled for the command line.

use std::collections::BTreeMap;
use std::str::FromStr;

use clap::{ArgAction, Args};
use decant::config::typed::{
    AddedColumns, ColumnNames, Columns, Decimals, HashedColumns, Hidden, MaskedColumns,
    MissingColumns, NewColumns, OnConflict, Origin, RowHash, Texts, TrimmedColumns, TypeName,
    TypePolicy,
};
use decant::core::{Error, ErrorKind, Result};

use super::stream::{texts, word};
use super::switch;

#[derive(Args)]
#[command(next_help_heading = "Columns")]
pub(super) struct ColumnArgs {
    /// Rename a column; may be given several times
    #[arg(long, value_name = "OLD=NEW", env = "DECANT_RENAME", value_delimiter = '\n')]
    #[arg(value_parser = pair::<String>)]
    rename: Vec<(String, String)>,
    /// Another name that a column has in some files; may be given several times
    #[arg(long, value_name = "COLUMN=NAME", env = "DECANT_ALIAS", value_delimiter = '\n')]
    #[arg(value_parser = pair::<String>)]
    alias: Vec<(String, String)>,
    /// A column's type, by its SQL, Arrow or pandas name, such as
    /// 'amount=numeric(12,2)'; the column by its old or new name; may be given
    /// several times
    #[arg(long = "type", value_name = "COLUMN=TYPE", env = "DECANT_TYPE", value_delimiter = '\n')]
    #[arg(value_parser = pair::<TypeName>)]
    pub(super) column_types: Vec<(String, TypeName)>,
    /// Only these columns, by their old or new names
    #[arg(long, value_name = "A,B", env = "DECANT_SELECT", value_delimiter = ',')]
    select: Vec<String>,
    /// All but these columns, by their old or new names
    #[arg(long, value_name = "A,B", env = "DECANT_EXCLUDE_COLUMNS", value_delimiter = ',')]
    exclude_columns: Vec<String>,
    /// Every column as text
    #[arg(long, env = "DECANT_TEXT", value_parser = switch(), action = ArgAction::SetTrue)]
    text: bool,
    /// Drop white space around values: of all columns, or --trim=A,B
    #[arg(long, value_name = "A,B", env = "DECANT_TRIM", value_delimiter = ',')]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    trim: Vec<String>,
    /// Replace values by their SHA-256, in hexadecimal
    #[arg(long, value_name = "A,B", env = "DECANT_HASH", value_delimiter = ',')]
    hash: Vec<String>,
    /// The environment variable that holds the key of --hash and --row-hash,
    /// which are HMAC-SHA-256 with one
    #[arg(long, value_name = "VARIABLE", env = "DECANT_HASH_KEY_FROM")]
    hash_key_from: Option<String>,
    /// Replace the characters of values by *, but for the last N of longer
    /// ones; may be given several times
    #[arg(long, value_name = "COLUMN[=N]", env = "DECANT_MASK", value_delimiter = '\n')]
    #[arg(value_parser = masked)]
    mask: Vec<(String, usize)>,
    /// A column that is not in the file: {file}, {last_modified}, {line},
    /// {loaded_at} or {path:NAME} (a Hive partition); may be given several times
    #[arg(long, value_name = "NAME=EXPR", env = "DECANT_ADD_COLUMN", value_delimiter = '\n')]
    #[arg(value_parser = pair::<Origin>)]
    add_column: Vec<(String, Origin)>,
    /// A column with a hash of the row, over these columns or all of the file's
    #[arg(long, value_name = "NAME[=A,B]", env = "DECANT_ROW_HASH")]
    row_hash: Option<String>,
    /// How a new table's columns are named [default: snake_case]
    #[arg(long, value_name = "HOW", env = "DECANT_COLUMN_NAMES")]
    #[arg(value_parser = word::<ColumnNames>(ColumnNames::WORDS, ColumnNames::LATER))]
    column_names: Option<ColumnNames>,
    /// How plain decimals are typed [default: exact]
    #[arg(long, value_name = "HOW", env = "DECANT_DECIMALS")]
    #[arg(value_parser = word::<Decimals>(Decimals::WORDS, Decimals::LATER))]
    decimals: Option<Decimals>,
    /// Tables that decant creates carry _file_id, the ledger row's id (default)
    #[arg(long, env = "DECANT_FILE_ID", value_parser = switch(), action = ArgAction::SetTrue)]
    #[arg(overrides_with = "no_file_id")]
    file_id: bool,
    /// Tables that decant creates carry no _file_id
    #[arg(long, env = "DECANT_NO_FILE_ID", value_parser = switch(), action = ArgAction::SetTrue)]
    #[arg(overrides_with = "file_id")]
    no_file_id: bool,
}

#[derive(Args)]
#[command(next_help_heading = "Drift")]
pub(super) struct DriftArgs {
    /// What happens to columns that the table does not have [default: add for
    /// tables that decant created, else fail]
    #[arg(long, value_name = "WHAT", env = "DECANT_NEW_COLUMNS")]
    #[arg(value_parser = word::<NewColumns>(NewColumns::WORDS, NewColumns::LATER))]
    pub(super) new_columns: Option<NewColumns>,
    /// What happens when a file lacks columns of the table [default: null]
    #[arg(long, value_name = "WHAT", env = "DECANT_MISSING_COLUMNS")]
    #[arg(value_parser = word::<MissingColumns>(MissingColumns::WORDS, MissingColumns::LATER))]
    pub(super) missing_columns: Option<MissingColumns>,
    /// Whether a value that contradicts an inferred type widens its column
    /// [default: widen for tables that decant created, else frozen]
    #[arg(long, value_name = "HOW", env = "DECANT_TYPES")]
    #[arg(value_parser = word::<TypePolicy>(TypePolicy::WORDS, TypePolicy::LATER))]
    pub(super) types: Option<TypePolicy>,
    /// What happens to a value that contradicts a frozen type [default: reject]
    #[arg(long, value_name = "WHAT", env = "DECANT_ON_CONFLICT")]
    #[arg(value_parser = word::<OnConflict>(OnConflict::WORDS, OnConflict::LATER))]
    pub(super) on_conflict: Option<OnConflict>,
}

impl ColumnArgs {
    /// What was typed, as the keys of `columns`.
    pub(super) fn typed(&self) -> Result<Columns> {
        let key = self.hash_key_from.as_deref().map(key_from).transpose()?;
        if key.is_some() && self.hash.is_empty() && self.row_hash.is_none() {
            let message = "--hash-key-from says nothing without --hash or --row-hash";
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        let hash = texts(&self.hash).map(|columns| HashedColumns { columns, key: key.clone() });
        let row_hash = self.row_hash.as_deref().map(|text| row_hash(text, key));
        Ok(Columns {
            rename: map_of("--rename", &self.rename)?,
            aliases: aliases(&self.alias),
            types: map_of("--type", &self.column_types)?,
            select: texts(&self.select),
            exclude: texts(&self.exclude_columns),
            text: self.text.then_some(true),
            names: self.column_names,
            decimals: self.decimals,
            trim: texts(&self.trim).map(TrimmedColumns::from),
            hash,
            mask: (!self.mask.is_empty()).then(|| MaskedColumns(self.mask.clone())),
            add: (!self.add_column.is_empty()).then(|| AddedColumns(self.add_column.clone())),
            row_hash,
        })
    }

    pub(super) fn key_variable(&self) -> Option<&str> {
        self.hash_key_from.as_deref()
    }

    pub(super) fn carries_file_id(&self) -> Option<bool> {
        match (self.file_id, self.no_file_id) {
            (_, true) => Some(false),
            (true, false) => Some(true),
            (false, false) => None,
        }
    }
}

/// The key stands in a variable, never among the arguments that everybody on
/// the machine can see.
fn key_from(variable: &str) -> Result<Hidden> {
    let refuse = |message: String| {
        Error::new(ErrorKind::InvalidConfig, message)
            .with_hint("--hash-key-from takes the name of a variable, not the key itself")
    };
    match std::env::var(variable) {
        Ok(key) if !key.is_empty() => key.parse().map_err(refuse),
        _ => Err(refuse(format!("the environment variable `{variable}` is not set"))),
    }
}

fn row_hash(text: &str, key: Option<Hidden>) -> RowHash {
    let (name, columns) = text.split_once('=').unwrap_or((text, ""));
    let columns = columns.split(',').filter(|column| !column.is_empty()).map(str::to_owned);
    RowHash { name: name.to_owned(), columns: Texts(columns.collect()), key }
}

fn aliases(pairs: &[(String, String)]) -> BTreeMap<String, Texts> {
    let mut aliases: BTreeMap<String, Texts> = BTreeMap::new();
    for (column, alias) in pairs {
        aliases.entry(column.clone()).or_default().0.push(alias.clone());
    }
    aliases
}

pub(super) fn map_of<T: Clone>(option: &str, pairs: &[(String, T)]) -> Result<BTreeMap<String, T>> {
    let mut map = BTreeMap::new();
    for (column, value) in pairs {
        if map.insert(column.clone(), value.clone()).is_some() {
            let message = format!("{option} is given twice for column `{column}`");
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
    }
    Ok(map)
}

/// Reads `NAME=VALUE`; the first `=` counts.
pub(super) fn pair<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<(String, T), String> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("there is no `=` in `{text}`"))?;
    let value = value.parse().map_err(|error: T::Err| error.to_string())?;
    Ok((name.to_owned(), value))
}

/// Reads `COLUMN` or `COLUMN=N`.
fn masked(text: &str) -> Result<(String, usize), String> {
    let Some((column, keep)) = text.rsplit_once('=') else { return Ok((text.to_owned(), 0)) };
    let keep = keep.parse().map_err(|_| format!("`{keep}` is not a number of characters"))?;
    Ok((column.to_owned(), keep))
}
