//! A pipeline: a source, its streams and a destination, opened and ready to
//! run.

use std::sync::Arc;

use decant_core::ledger::HistoryFilter;
use decant_core::selection::Scan;
use decant_core::stream::{Atomic, GroupLimits};
use decant_core::{Destination, Error, ErrorKind, LedgerEntry, Result, Stream};
use decant_databases::DatabaseOptions;
use decant_engine::{
    Discovered, FilePlan, NoObserver, Observer, Run, RunReport, RunStatus, Services, Stop,
    TablePlanned,
};
use decant_storage::{Credentials, Location, Storage, StorageOptions};

use crate::config::{CredentialSettings, DestinationSettings, Root, Settings, SourceSettings};
use crate::registry::{archive_for, format_for, open_destination};

/// Groups that a thread may hold in memory: decoded, being decoded, fetched
/// ahead or early, and on their way as encoded bytes.
const GROUPS_PER_THREAD: u64 = 4;

/// Into so many shares each thread's memory is cut for what waits between two
/// stages; ten of them are in use where a file is fetched in parts.
const AHEAD_SHARES: u64 = 64;
/// Less than this makes stages wait for each other.
const AHEAD_BYTES_MIN: u64 = 128 << 10;

/// A source, its streams and a destination.
pub struct Pipeline {
    settings: Settings,
    storage: Arc<Storage>,
    destination: Arc<dyn Destination>,
}

impl Pipeline {
    /// Opens source and destination. Nothing is changed by it.
    pub async fn open(settings: Settings) -> Result<Self> {
        check_formats(&settings)?;
        let storage = open_storage(&settings.source).await?;
        let destination = open_destination_of(&settings.destination).await?;
        Ok(Self { settings: with_decoding_memory(settings), storage, destination })
    }

    /// Runs every stream, one after the other; what goes wrong with one does
    /// not keep the next from running. `required` makes it a failure when
    /// there is no file at all.
    pub async fn run(&self, observer: Arc<dyn Observer>, stop: &Stop, required: bool) -> RunReport {
        let run = self.new_run(observer, stop);
        for stream in &self.settings.streams {
            if stop.is_requested() {
                break;
            }
            // The error is in the report, with all others.
            let _ = run.sync(stream).await;
        }
        let mut report = run.report();
        report.retries = self.storage.retries();
        if report.files.listed == 0 && report.errors.is_empty() && !report.interrupted {
            self.say_nothing_found(&mut report, required);
        }
        report
    }

    /// Says of each file what a run would do, and of each table.
    pub async fn preview(
        &self,
        on_file: &mut (dyn FnMut(FilePlan) + Send),
    ) -> Result<Vec<TablePlanned>> {
        let run = self.new_run(Arc::new(NoObserver), &Stop::default());
        let mut tables = Vec::new();
        for stream in &self.settings.streams {
            tables.extend(run.preview(stream, on_file).await?);
        }
        Ok(tables)
    }

    /// Opens the source alone, for what takes no rows anywhere.
    pub(crate) async fn without_destination(
        settings: Settings,
        destination: Arc<dyn Destination>,
    ) -> Result<Self> {
        check_formats(&settings)?;
        let storage = open_storage(&settings.source).await?;
        Ok(Self { settings: with_decoding_memory(settings), storage, destination })
    }

    /// Looks at what the files of every stream hold. `folder` is what their
    /// keys are told below of; `None` is each stream's own.
    pub(crate) async fn discover(&self, folder: Option<&str>) -> Result<Vec<Discovered>> {
        let run = self.new_run(Arc::new(NoObserver), &Stop::default());
        let mut discovered = Vec::new();
        for stream in &self.settings.streams {
            let folder = folder.unwrap_or_else(|| stream.selection.folder());
            discovered.extend(run.discover(stream, folder).await?);
        }
        Ok(discovered)
    }

    /// Where the files are.
    pub fn storage(&self) -> &Arc<Storage> {
        &self.storage
    }

    /// Where the tables are.
    pub fn destination(&self) -> &Arc<dyn Destination> {
        &self.destination
    }

    /// What it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn new_run(&self, observer: Arc<dyn Observer>, stop: &Stop) -> Run {
        let storage = Arc::clone(&self.storage);
        let services = Services {
            store: Arc::<Storage>::clone(&self.storage),
            list: Arc::new(move |scans: Vec<Scan>| storage.listing(scans)),
            format: Arc::new(format_for),
            archive: Arc::new(archive_for),
            destination: Arc::clone(&self.destination),
            observer,
        };
        let settings = decant_engine::Settings {
            threads: self.settings.threads,
            requests: self.settings.requests,
            group: self.groups(),
            ahead_bytes: self.ahead_bytes(),
            chunk_bytes: self.settings.chunk_bytes,
            ..decant_engine::Settings::default()
        };
        Run::new(services, settings, stop.clone())
    }

    /// A thread holds one group back while it decodes the next and sends the
    /// one before: what all of them hold together stays within the memory.
    fn groups(&self) -> GroupLimits {
        let threads = self.settings.threads.max(1) as u64;
        let bytes_max = self.settings.memory_bytes / (GROUPS_PER_THREAD * threads);
        let GroupLimits { files, bytes } = self.settings.groups;
        GroupLimits { files, bytes: bytes.min(bytes_max) }
    }

    /// What waits between the stages of a file is a small part of the memory,
    /// and no more than helps.
    fn ahead_bytes(&self) -> u64 {
        let at_work = self.settings.streams.iter().map(|it| decoded_at_once(&self.settings, it));
        let at_work = at_work.max().unwrap_or(1);
        let share = self.settings.memory_bytes / (AHEAD_SHARES * at_work);
        share.clamp(AHEAD_BYTES_MIN, decant_engine::Settings::AHEAD_BYTES)
    }

    /// Where the files of all streams would be.
    fn place(&self) -> String {
        let folders: Vec<String> = self
            .settings
            .streams
            .iter()
            .flat_map(|stream| stream.selection.scans())
            .map(|scan| match (scan, &self.settings.source.root) {
                (Scan::Key(path) | Scan::Prefix(path), Root::Bucket(bucket)) => {
                    format!("s3://{bucket}/{path}")
                }
                (Scan::Key(path) | Scan::Prefix(path), Root::Local) => path,
            })
            .collect();
        folders.join(", ")
    }

    fn say_nothing_found(&self, report: &mut RunReport, required: bool) {
        let place = self.place();
        let hint = "check the spelling of bucket and folder; `decant list` shows what is there";
        if required {
            let error = Error::new(ErrorKind::NotFound, format!("no file was found at {place}"));
            report.errors.push((&error.with_hint(hint)).into());
            report.status = RunStatus::Failed;
        } else {
            report.notes.push(format!("no file was found at {place}: {hint}"));
        }
    }
}

/// Options that no file can be read with fail before anything is opened.
fn check_formats(settings: &Settings) -> Result<()> {
    for stream in &settings.streams {
        if stream.format.name.is_some() || stream.format.encoding.is_some() {
            format_for("", &stream.format)?;
        }
    }
    Ok(())
}

/// Half of the memory is for decoding: each file at work gets its share.
fn with_decoding_memory(mut settings: Settings) -> Settings {
    let mut streams = std::mem::take(&mut settings.streams);
    for stream in &mut streams {
        let share = settings.memory_bytes / 2 / decoded_at_once(&settings, stream);
        stream.format.memory_bytes.get_or_insert(share);
    }
    Settings { streams, ..settings }
}

/// Files and chunks of files that are decoded at the same time.
fn decoded_at_once(settings: &Settings, stream: &Stream) -> u64 {
    let chunks = match stream.atomic {
        Atomic::File => 0,
        Atomic::Chunk => settings.destination.connections,
    };
    (settings.threads.max(1) + chunks) as u64
}

/// Opens a source alone.
pub async fn open_storage(source: &SourceSettings) -> Result<Arc<Storage>> {
    let location = match &source.root {
        Root::Bucket(bucket) => Location::S3 { bucket: bucket.clone(), key: String::new() },
        Root::Local => Location::Local { path: "/".into() },
    };
    Storage::open(&location, &storage_options(source)).await
}

/// Opens a destination alone.
pub async fn open_destination_of(settings: &DestinationSettings) -> Result<Arc<dyn Destination>> {
    let options = DatabaseOptions {
        ledger: settings.ledger.clone(),
        connections: settings.connections,
        ..DatabaseOptions::default()
    };
    open_destination(settings.url.expose(), &options).await
}

/// The ledger's rows, the latest first.
pub async fn history(
    destination: &Arc<dyn Destination>,
    filter: &HistoryFilter,
) -> Result<Vec<LedgerEntry>> {
    destination.ledger().history(filter).await
}

fn storage_options(source: &SourceSettings) -> StorageOptions {
    let defaults = StorageOptions::default();
    let (credentials, profile) = credentials(&source.credentials);
    StorageOptions {
        endpoint: source.endpoint.clone(),
        region: source.region.clone(),
        profile,
        credentials,
        requester_pays: source.requester_pays,
        sse_customer_key: source.sse_customer_key.clone(),
        retry_count: source.retry_count.unwrap_or(defaults.retry_count),
        ..defaults
    }
}

fn credentials(settings: &CredentialSettings) -> (Credentials, Option<String>) {
    match settings {
        CredentialSettings::Chain => (Credentials::Default, None),
        CredentialSettings::Profile(profile) => (Credentials::Profile, Some(profile.clone())),
        CredentialSettings::Keys { access_key_id, secret_access_key, session_token } => {
            let keys = Credentials::Static {
                access_key_id: access_key_id.expose().to_owned(),
                secret_access_key: secret_access_key.clone(),
                session_token: session_token.clone(),
            };
            (keys, None)
        }
        CredentialSettings::Role { arn, external_id, source_profile } => {
            let role = Credentials::AssumeRole {
                role_arn: arn.clone(),
                external_id: external_id.clone(),
                session_name: None,
            };
            (role, source_profile.clone())
        }
        CredentialSettings::Anonymous => (Credentials::Anonymous, None),
    }
}
