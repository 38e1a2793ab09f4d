//! Replaying rejects: rows that could not be loaded are read again from their
//! raw text, after a mend, and join the rows of their file.
//!
//! Each row is read in a document of its own, so that a row that is still bad
//! can never take its neighbours with it. What loads is settled in the
//! transaction that writes it; what does not stays the reject that it was.
//! Invariant: a reject is settled at most once, whoever replays beside us.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use decant_core::format::FileColumns;
use decant_core::layout::Layout;
use decant_core::ledger::{RejectsFilter, Status, StoredReject};
use decant_core::reject::{Reason, Reject};
use decant_core::stream::{FormatOptions, TypePolicy};
use decant_core::value_format::GivenType;
use decant_core::{Content, Error, ErrorKind, FileVersion, LedgerEntry, Result, Store, Stream};

use crate::held::Held;
use crate::pipeline::Run;

mod edits;
mod given;
mod header;
mod relabelled;
mod write;

use self::edits::Meeting;
pub use self::edits::{Edit, Edits};

/// Rejects that are asked for at once.
const PAGE: u64 = 1000;
/// Rows that one transaction replays at most.
const ROWS_MAX: usize = 5000;

/// What to replay, and how.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// Which rejects; those that are settled never are.
    pub filter: RejectsFilter,
    /// Mended rows: only these are replayed.
    pub edits: Option<Edits>,
    /// Types over those of the load, by column.
    pub types: BTreeMap<String, GivenType>,
    /// Whether malformed rows are repaired.
    pub lenient: bool,
    /// Only try: write nothing.
    pub dry_run: bool,
}

/// The document in which one raw row is read: file name, options, names, row
/// to options and bytes.
pub type DocumentFor =
    dyn Fn(&str, &FormatOptions, &[String], &[u8]) -> (FormatOptions, Vec<u8>) + Send + Sync;
/// A raw row in the encoding of this name as UTF-8.
pub type Transcribed = dyn Fn(&[u8], &str) -> Result<Vec<u8>> + Send + Sync;
/// The row (or header) in what stands behind the id in an edited export: file
/// name, options, text to row, or why there is none.
pub type EditedRow =
    dyn Fn(&str, &FormatOptions, &[u8]) -> std::result::Result<Vec<u8>, String> + Send + Sync;
/// The header above the rows of an export: file name, options, names to text;
/// `None` for formats that have none.
pub type HeaderFor = dyn Fn(&str, &FormatOptions, &[String]) -> Option<String> + Send + Sync;
/// The rules for the rows of a file, by what the ledger and the layout say.
pub type StreamFor = dyn Fn(&LedgerEntry, &Layout) -> Result<Stream> + Send + Sync;

/// What a replay needs besides a run's services.
#[derive(Clone)]
pub struct ReplayDoors {
    /// Makes documents of raw rows.
    pub document: Arc<DocumentFor>,
    /// Reads raw rows that stand in their file's encoding.
    pub transcribed: Arc<Transcribed>,
    /// Reads edited exports.
    pub edited: Arc<EditedRow>,
    /// Knows the headers of exports.
    pub header: Arc<HeaderFor>,
    /// Knows the streams.
    pub stream: Arc<StreamFor>,
}

/// Rejects of one file that are replayed together.
struct Batch {
    entry: Arc<LedgerEntry>,
    rejects: Vec<StoredReject>,
}

/// How rows of one file are read again.
struct Reading {
    layout: Layout,
    stream: Arc<Stream>,
    /// Whether columns may become wider; `None` leaves it to who made the
    /// table.
    policy: Option<TypePolicy>,
}

impl Reading {
    /// The encoding in which a raw row stands: its file's, or the one that the
    /// configuration names by now.
    fn raw_encoding<'r>(&'r self, reject: &Reject) -> Option<&'r str> {
        let known = self.layout.raw_encoding(reject)?;
        let named = self.stream.format.encoding.as_deref();
        Some(named.filter(|_| self.stream.format != self.layout.options).unwrap_or(known))
    }

    /// The columns as their file had them.
    fn columns(&self) -> FileColumns {
        FileColumns {
            names: self.layout.names.clone(),
            named: self.layout.named,
            options: self.layout.options.clone(),
            ..FileColumns::default()
        }
    }
}

impl Run {
    /// Replays what the filter lets through; what became of it is in the
    /// report, in which rows are those of the rejects.
    ///
    /// # Errors
    ///
    /// What keeps the replay from going on; it is in the report as well.
    pub async fn replay(&self, replay: &Replay, doors: &ReplayDoors) -> Result<()> {
        let replayed = self.replay_pages(replay, doors).await;
        if self.stop.is_requested() {
            self.tally.interrupted();
        }
        self.ended(replayed)
    }

    async fn replay_pages(&self, replay: &Replay, doors: &ReplayDoors) -> Result<()> {
        self.check_types(replay, doors).await?;
        let ledger = self.services.destination.ledger();
        // What an edited row has become of is only known of all of them.
        let unsettled = replay.edits.is_none();
        let mut filter = RejectsFilter { unsettled, limit: Some(PAGE), ..replay.filter.clone() };
        let mut meeting = replay.edits.as_ref().map(Meeting::new);
        let mut left = replay.filter.limit.unwrap_or(u64::MAX);
        let mut waiting: Option<Batch> = None;
        while left > 0 && !self.stop.is_requested() {
            filter.limit = Some(PAGE.min(left));
            let page = ledger.stored_rejects(&filter).await?;
            let Some(last) = page.last() else { break };
            filter.after = Some((last.file.id, last.id));
            left = left.saturating_sub(page.len() as u64);
            for reject in page {
                let is_meant = match &mut meeting {
                    None => is_open(&reject),
                    Some(meeting) => meeting.meets(&reject),
                };
                if !is_meant {
                    continue;
                }
                let is_full = waiting.as_ref().is_some_and(|batch| !batch.takes(&reject));
                if is_full && let Some(full) = waiting.take() {
                    self.replay_batch(full, replay, doors).await?;
                }
                let entry = Arc::clone(&reject.file);
                let batch = waiting.get_or_insert_with(|| Batch { entry, rejects: Vec::new() });
                batch.rejects.push(reject);
            }
        }
        if self.stop.is_requested() {
            return Ok(());
        }
        if let Some(last) = waiting {
            self.replay_batch(last, replay, doors).await?;
        }
        if let Some(meeting) = meeting {
            meeting.tell(&self.tally);
        }
        Ok(())
    }

    /// What is wrong with one file does not keep the next from being replayed.
    async fn replay_batch(&self, batch: Batch, replay: &Replay, doors: &ReplayDoors) -> Result<()> {
        let location = batch.entry.file.location();
        self.tally.files(|files| files.listed += 1);
        let error = match reading(&batch.entry, replay, doors) {
            Err(error) => error,
            Ok(reading) => match self.replay_rows(batch, reading, replay, doors).await {
                Ok(()) => return Ok(()),
                Err(error) if ends_the_replay(&error) => return Err(error),
                Err(error) => error,
            },
        };
        self.tally.files(|files| files.failed += 1);
        self.tally.error(&error.in_file(location));
        Ok(())
    }
}

/// The destination is out of reach, or what was typed is wrong for every file.
fn ends_the_replay(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::InvalidConfig)
}

/// Rows of files that are loaded, but for those that are in already.
fn is_open(stored: &StoredReject) -> bool {
    stored.file.status == Status::Loaded
        && stored.settled_at.is_none()
        && stored.reject.reason != Reason::Repaired
}

impl Batch {
    fn takes(&self, reject: &StoredReject) -> bool {
        self.entry.id == reject.file.id && self.rejects.len() < ROWS_MAX
    }
}

/// The layout that the load left, with what the replay says over it.
fn reading(entry: &LedgerEntry, replay: &Replay, doors: &ReplayDoors) -> Result<Reading> {
    let Some(layout) = &entry.layout else {
        let message = "the ledger does not say how the rows of this file are read";
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with_hint("load the file again with --force"));
    };
    let mut layout = Layout::parse(layout)?;
    layout.options.lenient |= replay.lenient;
    let mut stream = (doors.stream)(entry, &layout)?;
    // Rows that do not fit stay rejects: only what was asked for widens a
    // column.
    let policy = stream.types.replace(TypePolicy::Frozen);
    Ok(Reading { layout, stream: Arc::new(stream), policy })
}

/// A store that holds one document, whatever is asked for.
struct OneDocument(Held);

#[async_trait]
impl Store for OneDocument {
    async fn open(&self, _file: &FileVersion) -> Result<Box<dyn Content>> {
        Ok(Box::new(self.0.clone()))
    }
}
