//! What a configuration means: every default and every conflict decided once.
//!
//! Nothing after this module asks whether something was typed. It reads no
//! configuration file and no network; the local file system it only asks
//! where a folder is.

use std::num::NonZeroUsize;

use decant_core::Stream;
use decant_core::error::{Error, ErrorKind};
use decant_core::names::did_you_mean;
use decant_core::schema::TableName;
use decant_core::secret::Secret;
use decant_core::stream::{GroupLimits, WriteMode};

use super::access::{SourceSettings, source_settings};
use super::choices::NotYet;
use super::deserialize::{listed, suggestion};
use super::location::Location;
use super::stream_rules::{Ground, stream_of};
use super::typed::{Configuration, Destination, Limits, Size, Source};

/// The destination where none is named.
pub const DEFAULT_DESTINATION: &str = "sqlite:decant.db";
/// The ledger's table where none is named.
pub const DEFAULT_LEDGER: &str = "processed_files";
/// Connections that load at the same time where nothing is said.
pub const DEFAULT_CONNECTIONS: usize = 4;
/// Memory for data under way where nothing is said, in bytes.
pub const DEFAULT_MEMORY_BYTES: u64 = 512 << 20;

/// Less would not hold one row group or a few blocks per thread.
const MEMORY_BYTES_MIN: u64 = 32 << 20;

/// What a run does, with nothing left to guess.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the files are.
    pub source: SourceSettings,
    /// Where the tables are.
    pub destination: DestinationSettings,
    /// The streams to run, in the order of the configuration.
    pub streams: Vec<Stream>,
    /// Files that are decoded at the same time; at least 1.
    pub threads: usize,
    /// Small files that are fetched at the same time; at least 1.
    pub requests: usize,
    /// Bytes for data under way.
    pub memory_bytes: u64,
    /// How files share transactions.
    pub groups: GroupLimits,
    /// Bytes of a chunk, where files are committed in chunks.
    pub chunk_bytes: u64,
}

/// Where the tables are.
#[derive(Clone, Debug)]
pub struct DestinationSettings {
    /// The URL; it may hold a password.
    pub url: Secret,
    /// The ledger's table.
    pub ledger: String,
    /// Connections that load at the same time; at least 1.
    pub connections: usize,
}

/// What the command line says over the configuration.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Endpoint of the S3-compatible service.
    pub endpoint: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// A profile of the shared AWS files, instead of other credentials.
    pub aws_profile: Option<String>,
    /// No credentials at all.
    pub anonymous: bool,
    /// What is given replaces the configuration's destination key by key.
    pub destination: Destination,
    /// What is given replaces the configuration's limits.
    pub limits: Limits,
    /// Only these streams; empty is all.
    pub streams: Vec<String>,
    /// Which files are loaded again.
    pub reload: ReloadOptions,
}

/// Which files are loaded although the ledger knows them.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReloadOptions {
    /// Everything: the tables become exactly the rows of the selected files.
    pub full_refresh: bool,
    /// Files that gave up.
    pub retry_failed: bool,
    /// All selected files.
    pub force: bool,
    /// Lets `force` append where old rows cannot be told apart.
    pub allow_duplicates: bool,
}

/// The names that plug-ins go by, so that a wrong one is found before
/// anything is opened. An empty list is not checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vocabulary<'a> {
    /// Formats, without `auto`.
    pub formats: &'a [&'a str],
    /// Schemes of destinations' URLs.
    pub destinations: &'a [&'a str],
}

/// An error about one setting, named by its dotted path in the configuration.
#[derive(Debug)]
pub(super) struct Objection {
    pub(super) setting: String,
    pub(super) error: Error,
}

pub(super) type Meant<T> = Result<T, Objection>;

impl Objection {
    /// Two settings, or a setting and its value, do not go together.
    pub(super) fn new(setting: impl Into<String>, message: impl Into<String>) -> Self {
        let error = Error::new(ErrorKind::InvalidConfig, message);
        Self { setting: setting.into(), error }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.error = self.error.with_hint(hint);
        self
    }

    pub(super) fn not_yet(setting: impl Into<String>, not_yet: NotYet) -> Self {
        let error =
            Error::new(ErrorKind::Unsupported, format!("`{}` is not supported yet", not_yet.word))
                .with_hint(format!("allowed are {}", listed(not_yet.allowed)));
        Self { setting: setting.into(), error }
    }
}

/// Says which setting an error is about.
pub(super) trait About<T> {
    fn about(self, setting: impl Into<String>) -> Meant<T>;
}

impl<T> About<T> for Result<T, Error> {
    fn about(self, setting: impl Into<String>) -> Meant<T> {
        self.map_err(|error| Objection { setting: setting.into(), error })
    }
}

impl Overrides {
    /// The destination that the command line alone names, for verbs that
    /// need nothing else.
    ///
    /// # Errors
    ///
    /// `InvalidConfig`.
    pub fn destination(&self) -> Result<DestinationSettings, Error> {
        destination_settings(&Destination::default(), &self.destination)
            .map_err(|objection| objection.error)
    }
}

/// What a configuration means for a run with these overrides.
pub(super) fn settle(
    configuration: &Configuration,
    overrides: &Overrides,
    vocabulary: &Vocabulary<'_>,
) -> Meant<Settings> {
    let folder = source_folder(&configuration.source)?;
    let streams = chosen_streams(configuration, &folder, overrides, vocabulary)?;
    assemble(configuration, overrides, folder, streams, vocabulary)
}

/// Settings from streams whose meaning is decided already.
pub(super) fn assemble(
    configuration: &Configuration,
    overrides: &Overrides,
    location: Location,
    streams: Vec<Stream>,
    vocabulary: &Vocabulary<'_>,
) -> Meant<Settings> {
    let destination = destination_settings(&configuration.destination, &overrides.destination)?;
    refuse_unknown_destination(&destination, vocabulary)?;
    let limits = overridden_limits(&configuration.limits, &overrides.limits);
    Ok(Settings {
        source: source_settings(&configuration.source, location.root, overrides)?,
        destination,
        streams,
        threads: threads_of(&limits)?,
        requests: requests_of(&limits)?,
        memory_bytes: memory_of(&limits)?,
        groups: groups_of(&limits)?,
        chunk_bytes: chunk_bytes_of(&limits)?,
    })
}

fn source_folder(source: &Source) -> Meant<Location> {
    let url = source.url.as_deref().ok_or_else(|| {
        Objection::new("source", "`source.url` is missing")
            .hint("write it as s3://bucket/folder/, or as a path")
    })?;
    Location::parse(url).and_then(Location::into_folder).about("source.url")
}

fn chosen_streams(
    configuration: &Configuration,
    folder: &Location,
    overrides: &Overrides,
    vocabulary: &Vocabulary<'_>,
) -> Meant<Vec<Stream>> {
    if configuration.streams.is_empty() {
        return Err(Objection::new("streams", "there are no streams").hint(
            "`streams: {all: {}}` loads each folder below `source.url` into a table of its name",
        ));
    }
    let ground = Ground { folder, reload: overrides.reload, vocabulary };
    // All of them are settled, so that a run of one finds errors in each.
    let mut streams = Vec::new();
    for (name, options) in &configuration.streams {
        streams.push(stream_of(name, options, &ground)?);
    }
    let destination = destination_settings(&configuration.destination, &overrides.destination)?;
    refuse_shared_replaces(&streams, destination.url.expose())?;
    only_named(streams, &overrides.streams)
}

fn only_named(streams: Vec<Stream>, wanted: &[String]) -> Meant<Vec<Stream>> {
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(Objection::new("streams", format!("there is no stream `{unknown}`"))
            .hint(suggestion(unknown, &names)));
    }
    let is_wanted = |stream: &Stream| wanted.is_empty() || wanted.contains(&stream.name);
    Ok(streams.into_iter().filter(is_wanted).collect())
}

/// The table of which a name is one spelling, as far as the destination's URL
/// tells: SQLite compares names without case, and `main` is its only schema.
fn spelled_alike(table: TableName, destination: &str) -> TableName {
    if !destination.to_ascii_lowercase().starts_with("sqlite") {
        return table;
    }
    let name = table.to_string().to_ascii_lowercase();
    let name = name.strip_prefix("main.").map_or_else(|| name.clone(), str::to_owned);
    TableName { schema: None, name }
}

fn refuse_shared_replaces(streams: &[Stream], destination: &str) -> Meant<()> {
    let table_of =
        |stream: &Stream| stream.table.fixed().map(|table| spelled_alike(table, destination));
    for (index, stream) in streams.iter().enumerate() {
        let Some(table) = table_of(stream) else { continue };
        let other = streams[..index].iter().find(|other| {
            let replaces = [other, stream].map(|one| one.write_mode == WriteMode::Replace);
            replaces.contains(&true) && table_of(other).as_ref() == Some(&table)
        });
        if let Some(other) = other {
            let (first, second) = match other.write_mode {
                WriteMode::Replace => (&other.name, &stream.name),
                WriteMode::Append | WriteMode::Fail => (&stream.name, &other.name),
            };
            let message = format!(
                "table `{table}` is replaced by stream `{first}`, and stream `{second}` feeds it \
                 as well"
            );
            return Err(Objection::new(format!("streams.{}.table", stream.name), message)
                .hint("give each its own table, or join them into one stream"));
        }
    }
    Ok(())
}

/// Where the tables are; what `over` gives wins key by key.
pub(super) fn destination_settings(
    typed: &Destination,
    over: &Destination,
) -> Meant<DestinationSettings> {
    let url = over.url.as_ref().or(typed.url.as_ref());
    let ledger = over.ledger.as_ref().or(typed.ledger.as_ref());
    let connections = over.connections.or(typed.connections);
    if url.is_some_and(|url| url.0.expose().trim().is_empty()) {
        return Err(Objection::new("destination.url", "the destination is empty")
            .hint("write it as sqlite:decant.db or postgresql://user@host/database"));
    }
    if ledger.is_some_and(|ledger| ledger.trim().is_empty()) {
        return Err(Objection::new("destination.ledger", "the ledger's name is empty"));
    }
    Ok(DestinationSettings {
        url: url.map_or_else(|| Secret::new(DEFAULT_DESTINATION), |url| url.0.clone()),
        ledger: ledger.map_or(DEFAULT_LEDGER, String::as_str).to_owned(),
        connections: positive(connections, "destination.connections")?
            .unwrap_or(DEFAULT_CONNECTIONS),
    })
}

/// Databases that are known by name and not supported.
const NOT_DESTINATIONS: [&str; 14] = [
    "mysql",
    "mariadb",
    "mssql",
    "sqlserver",
    "oracle",
    "snowflake",
    "bigquery",
    "redshift",
    "duckdb",
    "clickhouse",
    "databricks",
    "trino",
    "cockroachdb",
    "mongodb",
];

/// The URL is never shown: it may hold a password.
fn refuse_unknown_destination(
    destination: &DestinationSettings,
    vocabulary: &Vocabulary<'_>,
) -> Meant<()> {
    let known = vocabulary.destinations;
    let schemes: Vec<String> = known.iter().map(|scheme| format!("`{scheme}:`")).collect();
    let begins = format!("a destination begins with one of {}", schemes.join(", "));
    let refuse = |message: String| Objection::new("destination.url", message);
    let scheme = destination.url.expose().split_once(':').map(|(scheme, _)| scheme);
    let Some(scheme) = scheme.filter(|scheme| scheme.len() > 1) else {
        let hint = format!("a file of SQLite is `sqlite:PATH`; {begins}");
        let refusal = refuse("the destination is no URL: it has no scheme".into()).hint(hint);
        return if known.is_empty() { Ok(()) } else { Err(refusal) };
    };
    let database = scheme.split('+').next().unwrap_or(scheme).to_ascii_lowercase();
    if known.is_empty() || known.contains(&database.as_str()) {
        return Ok(());
    }
    let is_word = database.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let named = if is_word { format!(" `{database}`") } else { String::new() };
    let all = [known, &NOT_DESTINATIONS[..]].concat();
    let meant = NOT_DESTINATIONS.iter().find(|name| **name == database);
    let close = did_you_mean(&database, all.iter().copied());
    let hint = match (meant, close) {
        (Some(_), _) | (None, None) => begins,
        (None, Some(close)) if known.contains(&close) => {
            format!("did you mean `{close}:`? {begins}")
        }
        (None, Some(close)) => {
            format!("did you mean `{close}:`, which is not supported? {begins}")
        }
    };
    let message = match meant {
        Some(name) => format!("`{name}` is not supported as a destination"),
        None => format!("there is no destination{named}"),
    };
    Err(refuse(message).hint(hint))
}

fn overridden_limits(typed: &Limits, over: &Limits) -> Limits {
    Limits {
        threads: over.threads.or(typed.threads),
        requests: over.requests.or(typed.requests),
        memory: over.memory.or(typed.memory),
        transaction_files: over.transaction_files.or(typed.transaction_files),
        transaction_bytes: over.transaction_bytes.or(typed.transaction_bytes),
        chunk_bytes: over.chunk_bytes.or(typed.chunk_bytes),
    }
}

fn threads_of(limits: &Limits) -> Meant<usize> {
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Ok(positive(limits.threads, "defaults.threads")?.unwrap_or_else(cores))
}

fn requests_of(limits: &Limits) -> Meant<usize> {
    let requests = positive(limits.requests, "defaults.requests")?;
    Ok(requests.unwrap_or(decant_engine::Settings::REQUESTS))
}

fn memory_of(limits: &Limits) -> Meant<u64> {
    match limits.memory {
        None => Ok(DEFAULT_MEMORY_BYTES),
        Some(Size(bytes)) if bytes >= MEMORY_BYTES_MIN => Ok(bytes),
        Some(Size(bytes)) => {
            Err(Objection::new("defaults.memory", format!("memory of {bytes} bytes is too little"))
                .hint("allow at least 32MiB"))
        }
    }
}

fn chunk_bytes_of(limits: &Limits) -> Meant<u64> {
    match limits.chunk_bytes {
        None => Ok(decant_engine::CHUNK_BYTES),
        Some(Size(0)) => {
            Err(Objection::new("defaults.chunk_bytes", "a chunk needs at least one byte")
                .hint("allow some hundred megabytes, such as 256MiB"))
        }
        Some(Size(bytes)) => Ok(bytes),
    }
}

fn groups_of(limits: &Limits) -> Meant<GroupLimits> {
    let standard = GroupLimits::default();
    let files = positive(limits.transaction_files, "defaults.transaction_files")?;
    Ok(GroupLimits {
        files: files.unwrap_or(standard.files),
        bytes: limits.transaction_bytes.map_or(standard.bytes, |Size(bytes)| bytes),
    })
}

/// A count that must not be 0.
fn positive(count: Option<u32>, setting: &str) -> Meant<Option<usize>> {
    match count {
        Some(0) => {
            let name = setting.rsplit('.').next().unwrap_or(setting);
            Err(Objection::new(setting, format!("`{name}` must be at least 1")))
        }
        Some(count) => usize::try_from(count)
            .map(Some)
            .map_err(|error| Objection::new(setting, format!("{count} is too many: {error}"))),
        None => Ok(None),
    }
}
