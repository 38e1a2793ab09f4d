//! Options of a load: the keys of a stream, spelled for the command line.

use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};
use decant::config::ReloadOptions;
use decant::config::typed::{
    Age, Atomic, Destination, Hidden, IfExists, OnChange, OnError, RejectLimit, StreamOptions,
    Texts,
};
use decant::core::Result;

use super::columns::{ColumnArgs, DriftArgs};
use super::format::FormatArgs;
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
    drift: DriftArgs,
    #[command(flatten)]
    policy: PolicyArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Files")]
struct FileArgs {
    /// Only keys in which this regular expression is found; its named groups,
    /// (?P<day>[0-9]+), are {path:day} in --table and --add-column
    #[arg(long, value_name = "REGEX", env = "DECANT_PATH_PATTERN")]
    path_pattern: Option<String>,
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
#[command(next_help_heading = "Policy")]
struct PolicyArgs {
    /// What happens when the table exists [default: append]
    #[arg(long, value_name = "WHAT", env = "DECANT_IF_EXISTS")]
    #[arg(value_parser = word::<IfExists>(IfExists::WORDS, IfExists::LATER))]
    if_exists: Option<IfExists>,
    /// Only rows for which this holds: comparisons joined by `and`, such as
    /// "amount > 10 and country in ('FR', 'DE')"
    #[arg(long = "where", value_name = "CONDITION", env = "DECANT_WHERE")]
    filter: Option<String>,
    /// What becomes visible at once: a file, or each chunk of a huge one; its
    /// chunks are committed over several connections, and a run that was cut
    /// short goes on with those that are missing [default: file]
    #[arg(long, value_name = "WHAT", env = "DECANT_ATOMIC")]
    #[arg(value_parser = word::<Atomic>(Atomic::WORDS, Atomic::LATER))]
    atomic: Option<Atomic>,
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
    /// The variable that holds the key of hashes.
    pub(crate) fn key_variable(&self) -> Option<&str> {
        self.columns.key_variable()
    }

    /// What was typed, as the keys of a stream.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` for a column that is renamed or typed twice.
    pub(crate) fn options(&self) -> Result<StreamOptions> {
        Ok(StreamOptions {
            files: None,
            pattern: self.files.path_pattern.clone(),
            exclude: texts(&self.files.exclude),
            extension: self.files.extension.clone(),
            table: self.table.clone(),
            format: self.format.typed(),
            columns: Some(self.columns.typed()?),
            if_exists: self.policy.if_exists,
            atomic: self.policy.atomic,
            on_error: self.policy.on_error,
            max_rejects: self.policy.max_rejects,
            on_change: self.policy.on_change,
            new_columns: self.drift.new_columns,
            missing_columns: self.drift.missing_columns,
            types: self.drift.types,
            on_conflict: self.drift.on_conflict,
            filter: self.policy.filter.clone(),
            file_id: self.columns.carries_file_id(),
            min_age: self.files.min_age,
            max_attempts: self.policy.max_attempts,
        })
    }
}

pub(super) fn texts(given: &[String]) -> Option<Texts> {
    (!given.is_empty()).then(|| Texts(given.to_vec()))
}

/// Reads one word of a few. Words that are planned are read as well: why they
/// are refused is said by the configuration.
pub(super) fn word<T>(
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
