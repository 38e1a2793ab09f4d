//! What can be typed after `decant`, and nothing of what it means.
//!
//! Every option has an environment variable (`DECANT_…`), which counts where
//! the option is not typed. Values that may be secret are never shown in
//! help. What the options mean is decided by [`decant::config`], for a load as
//! for a configuration file.

mod columns;
mod format;
mod global;
mod rejects;
mod stream;

use std::path::PathBuf;

use clap::builder::{BoolishValueParser, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use decant::config::typed::{Age, Hidden, StreamOptions, Texts};
use decant::config::{DiscoverOptions, ListOptions, LoadOptions};
use decant::core::Result;
use decant::core::ledger::{HistoryFilter, Status};

pub(crate) use global::{GlobalArgs, OutputFormat};
pub(crate) use rejects::{RejectsArgs, ReplayArgs};
pub(crate) use stream::{DestinationArgs, ReloadArgs, StreamArgs};

const HELP_OF_VALUES: &str = "\
Sizes are written 64MB or 8MiB, lengths of time 30s, 5m, 2h or 1d.
Every option has an environment variable DECANT_…; options that may be given
several times take one value a line there.

Exit codes: 0 all loaded, 1 failed, 2 usage or configuration, 3 loaded with
rejects or without files that the policy allowed, 130 and 143 interrupted.";

/// Pours files from S3-compatible storage into database tables, exactly once.
#[derive(Parser)]
#[command(name = "decant", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = HELP_OF_VALUES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What is to be done.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Load files into one table, once
    #[command(after_help = LOAD_EXAMPLES)]
    Load(LoadArgs),
    /// Run the streams of the configuration: load what is new
    #[command(after_help = SYNC_EXAMPLES)]
    Sync(SyncArgs),
    /// List files; print them, or save them to a table or a file
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Show what a source holds: tables, files, formats, columns; write a configuration
    #[command(after_help = DISCOVER_EXAMPLES)]
    Discover(DiscoverArgs),
    /// Show what a sync or a load would do, and why each file is in or out
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(PlanArgs),
    /// Check that the source can be listed and read and the destination written
    Check(PlanArgs),
    /// Show the ledger: files, rows, durations, errors
    #[command(after_help = HISTORY_EXAMPLES)]
    History(HistoryArgs),
    /// Show or export the rows that could not be loaded
    #[command(after_help = REJECTS_EXAMPLES)]
    Rejects(RejectsArgs),
    /// Load rejected rows again: after an edit, with other types, or leniently
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay(Box<ReplayArgs>),
    /// Describe, begin or check a configuration file
    Config {
        /// What about it.
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Show the main job on bundled files: a local S3 endpoint, a sync into SQLite
    Demo,
    /// Print shell completions
    #[command(
        after_help = "Example:\n  decant completions bash > ~/.local/share/bash-completion/completions/decant"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

const LOAD_EXAMPLES: &str = "\
Examples:
  decant load s3://bucket/orders/2026-01.csv --to sqlite:shop.db
  decant load 's3://bucket/orders/**/*.csv' --to postgresql://me@host/shop --table staging.orders
  decant load data/*.csv --type 'amount=numeric(12,2)' --rename order_date=created_at
  decant load s3://bucket/logs/ --on-error reject --max-rejects 1%";

const SYNC_EXAMPLES: &str = "\
Examples:
  decant sync
  decant sync --stream orders --stream customers --profile production
  decant -c shop.yaml sync --retry-failed";

const LIST_EXAMPLES: &str = "\
Examples:
  decant list s3://bucket/incoming/ --extension json
  decant list s3://bucket/incoming/ --max-files 100 --output json
  decant list s3://bucket/incoming/ --to sqlite:work.db --table paths
  decant list s3://bucket/incoming/ --to-file paths.jsonl";

const DISCOVER_EXAMPLES: &str = "\
Examples:
  decant discover s3://bucket/incoming/
  decant discover s3://bucket/incoming/orders.csv --explain
  decant discover s3://bucket/incoming/ --to postgresql://me@host/shop --write
  decant discover --stream orders --output json";

const PLAN_EXAMPLES: &str = "\
Examples:
  decant plan
  decant plan --stream orders --output json
  decant plan 's3://bucket/orders/*.csv' --to sqlite:shop.db --table orders";

const HISTORY_EXAMPLES: &str = "\
Examples:
  decant history
  decant history --to sqlite:shop.db --status failed
  decant history --table public.orders --limit 10 --output json";

const REJECTS_EXAMPLES: &str = "\
Examples:
  decant rejects
  decant rejects --to sqlite:shop.db --table orders --reason type
  decant rejects --file orders/2026-01.csv --export mended.csv";

const REPLAY_EXAMPLES: &str = "\
Examples:
  decant replay --table orders --type 'amount=text'
  decant replay --reason field_count --lenient --dry-run
  decant rejects --export mended.csv && $EDITOR mended.csv && decant replay --from mended.csv

Exit codes: 0 every row is loaded, 3 some are still rejects, 1 failed.";

/// `decant load`.
#[derive(Args)]
pub(crate) struct LoadArgs {
    /// Files, folders or globs: s3://bucket/key, s3://bucket/prefix/,
    /// 's3://bucket/a/**/*.csv', file:///path or a path
    #[arg(value_name = "SOURCE", required = true)]
    pub(crate) sources: Vec<String>,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
    #[command(flatten)]
    pub(crate) stream: Box<StreamArgs>,
    #[command(flatten)]
    pub(crate) reload: ReloadArgs,
}

/// `decant sync`.
#[derive(Args)]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    pub(crate) chosen: ChosenStreams,
    #[command(flatten)]
    pub(crate) reload: ReloadArgs,
}

/// Which streams of the configuration are meant.
#[derive(Args)]
pub(crate) struct ChosenStreams {
    /// Only this stream of the configuration; may be given several times
    #[arg(long = "stream", value_name = "NAME", env = "DECANT_STREAM", value_delimiter = '\n')]
    pub(crate) names: Vec<String>,
}

/// `decant plan` and `decant check`: of the configuration, or of a load.
#[derive(Args)]
pub(crate) struct PlanArgs {
    /// Files, folders or globs, as for `load`; without them, the streams of
    /// the configuration
    #[arg(value_name = "SOURCE")]
    pub(crate) sources: Vec<String>,
    #[command(flatten)]
    pub(crate) chosen: ChosenStreams,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
    #[command(flatten)]
    pub(crate) stream: Box<StreamArgs>,
    #[command(flatten)]
    pub(crate) reload: ReloadArgs,
}

/// `decant discover`: of a location, or of the configuration.
#[derive(Args)]
pub(crate) struct DiscoverArgs {
    /// A folder, whose folders are tables each; a glob or a file; without it,
    /// the streams of the configuration
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Option<String>,
    #[command(flatten)]
    pub(crate) chosen: ChosenStreams,
    /// Say of each file why it is read as it is
    #[arg(long, env = "DECANT_EXPLAIN", value_parser = switch(), action = ArgAction::SetTrue)]
    pub(crate) explain: bool,
    /// Write a configuration that loads what was found [default: decant.yaml]
    #[arg(long, value_name = "FILE", env = "DECANT_WRITE", num_args = 0..=1)]
    #[arg(default_missing_value = "decant.yaml")]
    pub(crate) write: Option<PathBuf>,
    /// Let --write replace a file that is there
    #[arg(long, env = "DECANT_OVERWRITE", value_parser = switch(), action = ArgAction::SetTrue)]
    #[arg(requires = "write")]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
    #[command(flatten)]
    pub(crate) stream: Box<StreamArgs>,
}

/// `decant list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// A folder, a glob or a file
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,
    /// Only names that end so, with or without the dot, such as json
    #[arg(long, value_name = "EXT", env = "DECANT_EXTENSION")]
    pub(crate) extension: Option<String>,
    /// Leave out what this glob below SOURCE matches; may be given several times
    #[arg(long, value_name = "GLOB", env = "DECANT_EXCLUDE", value_delimiter = '\n')]
    pub(crate) exclude: Vec<String>,
    /// Only files that are so old, such as 30s or 5m
    #[arg(long, value_name = "AGE", env = "DECANT_MIN_AGE")]
    pub(crate) min_age: Option<Age>,
    /// At most so many files; 0 is none [default: all]
    #[arg(long, value_name = "N", env = "DECANT_MAX_FILES")]
    pub(crate) max_files: Option<u64>,
    /// Save the list to a table of this database
    #[arg(long, value_name = "DESTINATION", env = "DECANT_LIST_TO", hide_env_values = true)]
    #[arg(requires = "table", conflicts_with = "to_file")]
    pub(crate) to: Option<Hidden>,
    /// The table that the list replaces
    #[arg(long, value_name = "TABLE", env = "DECANT_LIST_TABLE", requires = "to")]
    pub(crate) table: Option<String>,
    /// Save the list to this file, one JSON object a line
    #[arg(long, value_name = "FILE", env = "DECANT_LIST_TO_FILE")]
    pub(crate) to_file: Option<PathBuf>,
}

/// `decant history`.
#[derive(Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
    /// Only this table, with its schema as the database has it
    #[arg(long, value_name = "TABLE", env = "DECANT_HISTORY_TABLE")]
    pub(crate) table: Option<String>,
    /// Only files in this state
    #[arg(long, value_name = "STATUS", env = "DECANT_STATUS", value_parser = statuses())]
    pub(crate) status: Option<Status>,
    /// Only files of this run
    #[arg(long, value_name = "RUN_ID", env = "DECANT_RUN")]
    pub(crate) run: Option<String>,
    /// At most so many, the latest first
    #[arg(long, value_name = "N", env = "DECANT_LIMIT", default_value_t = 50)]
    pub(crate) limit: u64,
}

/// `decant config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Print the JSON Schema of the configuration
    Schema,
    /// Print a commented configuration to begin with
    #[command(after_help = "Example:\n  decant config example > decant.yaml")]
    Example,
    /// Check the configuration and show how it is understood, without secrets
    Check,
}

impl Cli {
    /// Reads the command line. Ends the process where it cannot be read, or
    /// asks for help.
    pub(crate) fn read() -> Self {
        match Self::try_read(std::env::args_os()) {
            Ok(cli) => cli,
            Err(error) => error.exit(),
        }
    }

    fn try_read<I, T>(words: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        let matches = Self::command().try_get_matches_from(words)?;
        refuse_stray_options(&matches)?;
        Self::from_arg_matches(&matches)
    }
}

/// Options of a load say nothing about a configuration: `plan`, `check` and
/// `discover` take them with a SOURCE alone. Variables may be there for other verbs.
fn refuse_stray_options(matches: &ArgMatches) -> Result<(), clap::Error> {
    let Some((verb @ ("plan" | "check" | "discover"), given)) = matches.subcommand() else {
        return Ok(());
    };
    let is_typed = |id: &str| matches!(given.value_source(id), Some(ValueSource::CommandLine));
    let has_source = if verb == "discover" { is_typed("source") } else { is_typed("sources") };
    let command = PlanOptions::command();
    let stray = command.get_arguments().find(|option| is_typed(option.get_id().as_str()));
    match (stray, has_source) {
        (Some(option), false) => {
            let name = option.get_long().unwrap_or_default();
            let message = format!("--{name} is an option of a load: {verb} needs a SOURCE with it");
            Err(Cli::command().error(ErrorKind::MissingRequiredArgument, message))
        }
        _ => Ok(()),
    }
}

/// The options of `plan` that need a SOURCE, to ask clap for their names.
#[derive(Parser)]
struct PlanOptions {
    #[command(flatten)]
    _destination: DestinationArgs,
    #[command(flatten)]
    _stream: Box<StreamArgs>,
}

impl LoadArgs {
    /// What was typed, on its way to a meaning.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` for a column that is given twice.
    pub(crate) fn options(&self, global: &GlobalArgs) -> Result<LoadOptions> {
        load_options(&self.sources, &self.destination, &self.stream, &self.reload, global)
    }
}

impl PlanArgs {
    /// What a load of these sources would be; `None` where the configuration
    /// is meant.
    ///
    /// # Errors
    ///
    /// As [`LoadArgs::options`].
    pub(crate) fn options(&self, global: &GlobalArgs) -> Result<Option<LoadOptions>> {
        if self.sources.is_empty() {
            return Ok(None);
        }
        load_options(&self.sources, &self.destination, &self.stream, &self.reload, global).map(Some)
    }

    /// The overrides for the streams of the configuration.
    pub(crate) fn overrides(&self, global: &GlobalArgs) -> decant::config::Overrides {
        decant::config::Overrides {
            streams: self.chosen.names.clone(),
            reload: self.reload.options(),
            ..global.overrides()
        }
    }
}

fn load_options(
    sources: &[String],
    destination: &DestinationArgs,
    stream: &StreamArgs,
    reload: &ReloadArgs,
    global: &GlobalArgs,
) -> Result<LoadOptions> {
    Ok(LoadOptions {
        sources: sources.to_vec(),
        stream: stream.options()?,
        overrides: decant::config::Overrides {
            destination: destination.typed(),
            reload: reload.options(),
            ..global.overrides()
        },
    })
}

impl DiscoverArgs {
    /// What a location holds; `None` where the configuration is meant.
    ///
    /// # Errors
    ///
    /// As [`LoadArgs::options`].
    pub(crate) fn options(&self, global: &GlobalArgs) -> Result<Option<DiscoverOptions>> {
        let Some(source) = self.source.clone() else { return Ok(None) };
        let mut overrides = global.overrides();
        overrides.destination = self.destination.typed();
        Ok(Some(DiscoverOptions {
            source,
            stream: self.stream.options()?,
            key_variable: self.stream.key_variable().map(str::to_owned),
            overrides,
        }))
    }

    /// The overrides for the streams of the configuration.
    pub(crate) fn overrides(&self, global: &GlobalArgs) -> decant::config::Overrides {
        decant::config::Overrides { streams: self.chosen.names.clone(), ..global.overrides() }
    }
}

impl SyncArgs {
    /// The overrides for the streams of the configuration.
    pub(crate) fn overrides(&self, global: &GlobalArgs) -> decant::config::Overrides {
        decant::config::Overrides {
            streams: self.chosen.names.clone(),
            reload: self.reload.options(),
            ..global.overrides()
        }
    }
}

impl ListArgs {
    /// What was typed, on its way to a meaning.
    pub(crate) fn options(&self, global: &GlobalArgs) -> ListOptions {
        let mut overrides = global.overrides();
        overrides.destination.url.clone_from(&self.to);
        ListOptions {
            source: self.source.clone(),
            stream: StreamOptions {
                extension: self.extension.clone(),
                exclude: Some(Texts(self.exclude.clone())),
                min_age: self.min_age,
                ..StreamOptions::default()
            },
            overrides,
        }
    }
}

impl HistoryArgs {
    /// Which rows of the ledger are shown.
    pub(crate) fn filter(&self) -> HistoryFilter {
        HistoryFilter {
            table: self.table.clone(),
            status: self.status,
            run_id: self.run.clone(),
            limit: Some(self.limit),
        }
    }

    /// The destination as typed; without a URL it is the configuration's.
    pub(crate) fn overrides(&self, global: &GlobalArgs) -> decant::config::Overrides {
        decant::config::Overrides { destination: self.destination.typed(), ..global.overrides() }
    }
}

fn statuses() -> impl TypedValueParser<Value = Status> {
    let words =
        ["loaded", "failed", "skipped", "superseded", "undone", "removed", "vanished", "loading"];
    PossibleValuesParser::new(words).try_map(|word| {
        Status::parse(&word).ok_or_else(|| format!("`{word}` is not a state of the ledger"))
    })
}

/// Reads `1`, `true`, `yes` and `on`, so that a switch can be a variable.
fn switch() -> BoolishValueParser {
    BoolishValueParser::new()
}

#[cfg(test)]
mod tests;
