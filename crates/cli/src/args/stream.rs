//! Options of a load: the keys of a stream, spelled for the command line.

use std::collections::BTreeMap;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};
use decant::config::ReloadOptions;
use decant::config::typed::{
    Age, ColumnNames, Columns, Decimals, Destination, Format, Hidden, IfExists, Letter, NewColumns,
    OnChange, OnError, Quote, RejectLimit, Size, StreamOptions, Texts, TypeName,
};
use decant::core::{Error, ErrorKind, Result};

use super::switch;

/// Where the rows go.
#[derive(Args)]
pub(crate) struct DestinationArgs {
    /// The database: sqlite:path.db or postgresql://user@host/db
    /// [default: sqlite:decant.db]
    #[arg(long, value_name = "DESTINATION", env = "DECANT_TO", hide_env_values = true)]
    pub(crate) to: Option<Hidden>,
    /// The table that keeps what has been loaded [default: processed_files]
    #[arg(long, value_name = "TABLE", env = "DECANT_LEDGER")]
    pub(crate) ledger: Option<String>,
    /// Connections that load at the same time [default: 4]
    #[arg(long, value_name = "N", env = "DECANT_CONNECTIONS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) connections: Option<u32>,
}

impl DestinationArgs {
    /// What was typed.
    pub(crate) fn typed(&self) -> Destination {
        Destination {
            url: self.to.clone(),
            ledger: self.ledger.clone(),
            connections: self.connections,
        }
    }
}

/// Which files are loaded although the ledger knows them.
#[derive(Args)]
#[command(next_help_heading = "Loading again")]
pub(crate) struct ReloadArgs {
    /// Make the tables exactly the rows of the selected files
    #[arg(long, env = "DECANT_FULL_REFRESH", value_parser = switch(), action = ArgAction::SetTrue)]
    pub(crate) full_refresh: bool,
    /// Try files again that gave up
    #[arg(long, env = "DECANT_RETRY_FAILED", value_parser = switch(), action = ArgAction::SetTrue)]
    pub(crate) retry_failed: bool,
    /// Load the selected files again; their rows are replaced
    #[arg(long, env = "DECANT_FORCE", value_parser = switch(), action = ArgAction::SetTrue)]
    pub(crate) force: bool,
    /// Let --force append to tables in which a file's rows cannot be told apart
    #[arg(long, env = "DECANT_ALLOW_DUPLICATES", value_parser = switch())]
    #[arg(action = ArgAction::SetTrue)]
    pub(crate) allow_duplicates: bool,
}

impl ReloadArgs {
    /// What was typed.
    pub(crate) fn options(&self) -> ReloadOptions {
        ReloadOptions {
            full_refresh: self.full_refresh,
            retry_failed: self.retry_failed,
            force: self.force,
            allow_duplicates: self.allow_duplicates,
        }
    }
}

/// The keys of a stream.
#[derive(Args)]
pub(crate) struct StreamArgs {
    /// name, schema.name, or a template with {folder}, {stem} or {path:NAME}
    /// [default: SOURCE's last folder, else the file's name]
    #[arg(long, value_name = "TABLE", env = "DECANT_TABLE")]
    pub(crate) table: Option<String>,
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    columns: ColumnArgs,
    #[command(flatten)]
    policy: PolicyArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Files")]
struct FileArgs {
    /// Leave out what this glob below SOURCE's folder matches; without a `/`
    /// it means names in any folder; may be given several times
    #[arg(long, value_name = "GLOB", env = "DECANT_EXCLUDE", value_delimiter = '\n')]
    exclude: Vec<String>,
    /// Only names that end so, with or without the dot, such as csv
    #[arg(long, value_name = "EXT", env = "DECANT_EXTENSION")]
    extension: Option<String>,
    /// Leave younger files, such as 30s or 5m, for the next run [default: 0s]
    #[arg(long, value_name = "AGE", env = "DECANT_MIN_AGE")]
    min_age: Option<Age>,
}

#[derive(Args)]
#[command(next_help_heading = "Format (detected, unless given)")]
struct FormatArgs {
    /// auto, csv, tsv or another [default: auto]
    #[arg(long, value_name = "FORMAT", env = "DECANT_FORMAT")]
    format: Option<String>,
    /// Separates fields: one character, or tab, comma, semicolon, pipe, space
    #[arg(long, value_name = "CHAR", env = "DECANT_DELIMITER", allow_hyphen_values = true)]
    delimiter: Option<Letter>,
    /// Encloses fields: one character, or none [default: "]
    #[arg(long, value_name = "CHAR", env = "DECANT_QUOTE")]
    quote: Option<Quote>,
    /// Escapes a quote inside a quoted field [default: the quote, doubled]
    #[arg(long, value_name = "CHAR", env = "DECANT_ESCAPE")]
    escape: Option<Letter>,
    /// Starts a line that is not data
    #[arg(long, value_name = "CHAR", env = "DECANT_COMMENT", allow_hyphen_values = true)]
    comment: Option<Letter>,
    /// The first row is data, not names
    #[arg(long, env = "DECANT_NO_HEADER", value_parser = switch(), action = ArgAction::SetTrue)]
    no_header: bool,
    /// Lines to pass over before the header [default: 0]
    #[arg(long, value_name = "N", env = "DECANT_SKIP_ROWS")]
    skip_rows: Option<u64>,
    /// A word that means NULL when it stands without quotes; may be given
    /// several times [default: nothing between two delimiters]
    #[arg(long, value_name = "WORD", env = "DECANT_NULL_VALUE", value_delimiter = '\n')]
    #[arg(allow_hyphen_values = true)]
    null_value: Vec<String>,
    /// The longest row, such as 16MiB
    #[arg(long, value_name = "SIZE", env = "DECANT_RECORD_BYTES_MAX")]
    record_bytes_max: Option<Size>,
}

#[derive(Args)]
#[command(next_help_heading = "Columns")]
struct ColumnArgs {
    /// Rename a column; may be given several times
    #[arg(long, value_name = "OLD=NEW", env = "DECANT_RENAME", value_delimiter = '\n')]
    #[arg(value_parser = pair::<String>)]
    rename: Vec<(String, String)>,
    /// A column's type, by its SQL, Arrow or pandas name, such as
    /// 'amount=numeric(12,2)'; the column by its old or new name; may be given
    /// several times
    #[arg(long = "type", value_name = "COLUMN=TYPE", env = "DECANT_TYPE", value_delimiter = '\n')]
    #[arg(value_parser = pair::<TypeName>)]
    types: Vec<(String, TypeName)>,
    /// Only these columns, by their old or new names
    #[arg(long, value_name = "A,B", env = "DECANT_SELECT", value_delimiter = ',')]
    select: Vec<String>,
    /// Every column as text
    #[arg(long, env = "DECANT_TEXT", value_parser = switch(), action = ArgAction::SetTrue)]
    text: bool,
    /// How a new table's columns are named [default: snake_case]
    #[arg(long, value_name = "HOW", env = "DECANT_COLUMN_NAMES")]
    #[arg(value_parser = word::<ColumnNames>(ColumnNames::WORDS, ColumnNames::LATER))]
    column_names: Option<ColumnNames>,
    /// How plain decimals are typed [default: exact]
    #[arg(long, value_name = "HOW", env = "DECANT_DECIMALS")]
    #[arg(value_parser = word::<Decimals>(Decimals::WORDS, Decimals::LATER))]
    decimals: Option<Decimals>,
    /// What happens to columns that the table does not have [default: add for
    /// tables that decant created, else fail]
    #[arg(long, value_name = "WHAT", env = "DECANT_NEW_COLUMNS")]
    #[arg(value_parser = word::<NewColumns>(NewColumns::WORDS, NewColumns::LATER))]
    new_columns: Option<NewColumns>,
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
#[command(next_help_heading = "Policy")]
struct PolicyArgs {
    /// What happens when the table exists [default: append]
    #[arg(long, value_name = "WHAT", env = "DECANT_IF_EXISTS")]
    #[arg(value_parser = word::<IfExists>(IfExists::WORDS, IfExists::LATER))]
    if_exists: Option<IfExists>,
    /// What happens to rows that cannot be loaded: the file fails, they are
    /// kept aside, or the file is passed over [default: fail]
    #[arg(long, value_name = "WHAT", env = "DECANT_ON_ERROR")]
    #[arg(value_parser = word::<OnError>(OnError::WORDS, OnError::LATER))]
    on_error: Option<OnError>,
    /// Rows of a file that may be rejected with --on-error reject: 100, or 2%
    /// [default: any number]
    #[arg(long, value_name = "N|N%", env = "DECANT_MAX_REJECTS")]
    max_rejects: Option<RejectLimit>,
    /// What happens when a file that was loaded comes back with other content
    /// [default: replace where the table has _file_id, else fail]
    #[arg(long, value_name = "WHAT", env = "DECANT_ON_CHANGE")]
    #[arg(value_parser = word::<OnChange>(OnChange::WORDS, OnChange::LATER))]
    on_change: Option<OnChange>,
    /// Attempts after which a failing file is given up [default: 5]
    #[arg(long, value_name = "N", env = "DECANT_MAX_ATTEMPTS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    max_attempts: Option<u32>,
}

impl StreamArgs {
    /// What was typed, as the keys of a stream.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` for a column that is renamed or typed twice.
    pub(crate) fn options(&self) -> Result<StreamOptions> {
        Ok(StreamOptions {
            files: None,
            pattern: None,
            exclude: texts(&self.files.exclude),
            extension: self.files.extension.clone(),
            table: self.table.clone(),
            format: self.format.typed(),
            columns: Some(self.columns.typed()?),
            if_exists: self.policy.if_exists,
            on_error: self.policy.on_error,
            max_rejects: self.policy.max_rejects,
            on_change: self.policy.on_change,
            new_columns: self.columns.new_columns,
            file_id: self.columns.carries_file_id(),
            min_age: self.files.min_age,
            max_attempts: self.policy.max_attempts,
        })
    }
}

impl FormatArgs {
    fn typed(&self) -> Option<Format> {
        let typed = Format {
            name: self.format.clone(),
            delimiter: self.delimiter,
            quote: self.quote,
            escape: self.escape,
            comment: self.comment,
            header: self.no_header.then_some(false),
            skip_rows: self.skip_rows,
            null_values: texts(&self.null_value),
            encoding: None,
            record_bytes_max: self.record_bytes_max,
        };
        (typed != Format::default()).then_some(typed)
    }
}

impl ColumnArgs {
    fn typed(&self) -> Result<Columns> {
        Ok(Columns {
            rename: map_of("--rename", &self.rename)?,
            types: map_of("--type", &self.types)?,
            select: texts(&self.select),
            text: self.text.then_some(true),
            names: self.column_names,
            decimals: self.decimals,
        })
    }

    fn carries_file_id(&self) -> Option<bool> {
        match (self.file_id, self.no_file_id) {
            (_, true) => Some(false),
            (true, false) => Some(true),
            (false, false) => None,
        }
    }
}

fn texts(given: &[String]) -> Option<Texts> {
    (!given.is_empty()).then(|| Texts(given.to_vec()))
}

fn map_of<T: Clone>(option: &str, pairs: &[(String, T)]) -> Result<BTreeMap<String, T>> {
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
fn pair<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<(String, T), String> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("there is no `=` in `{text}`"))?;
    let value = value.parse().map_err(|error: T::Err| error.to_string())?;
    Ok((name.to_owned(), value))
}

/// Reads one word of a few. Words that are planned are read as well: why they
/// are refused is said by the configuration.
fn word<T>(
    words: &'static [&'static str],
    later: &'static [&'static str],
) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    let shown = words.iter().map(|word| PossibleValue::new(*word));
    let hidden = later.iter().map(|word| PossibleValue::new(*word).hide(true));
    PossibleValuesParser::new(shown.chain(hidden)).try_map(|word| word.parse::<T>())
}
