//! The ledger: what has been loaded, kept inside the destination and
//! committed with the rows.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::Result;
use crate::file::{FileId, FileVersion};
use crate::reject::Reject;

/// The state of a file version in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its rows are in the table.
    Loaded,
    /// Rolled back; tried again up to the attempts allowed.
    Failed,
    /// Given up by `on_error: skip-file`.
    Skipped,
    /// A newer version of the key, or a replace, displaced its rows.
    Superseded,
    /// Taken back by hand.
    Undone,
    /// Its object was deleted and its rows with it.
    Removed,
    /// It was gone when it should have been read.
    Vanished,
    /// Some of its chunks are in.
    Loading,
}

impl Status {
    /// The word in the ledger's `status` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Superseded => "superseded",
            Self::Undone => "undone",
            Self::Removed => "removed",
            Self::Vanished => "vanished",
            Self::Loading => "loading",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Loaded,
            Self::Failed,
            Self::Skipped,
            Self::Superseded,
            Self::Undone,
            Self::Removed,
            Self::Vanished,
            Self::Loading,
        ]
        .into_iter()
        .find(|status| status.as_str() == word)
    }
}

/// One row of the ledger.
#[derive(Clone, Debug, Serialize)]
pub struct LedgerEntry {
    /// The hash of table and identity; the one unique key.
    pub id: FileId,
    /// The file version. The ledger does not keep version ids.
    pub file: FileVersion,
    /// The table, qualified as the catalogue has it.
    pub target_table: String,
    /// The stream that loaded it.
    pub stream: String,
    /// Its state.
    pub status: Status,
    /// When it reached this state.
    pub processed_at: DateTime<Utc>,
    /// Seconds that the last attempt took.
    pub processing_seconds: f64,
    /// Rows in the table.
    pub rows_copied: u64,
    /// Rows among the rejects.
    pub rows_rejected: u64,
    /// Order-free checksum of the rows, valid when they were committed. An
    /// archive has no rows of its own: [`members_checksum`](crate::archive::members_checksum).
    pub rows_checksum: Option<i64>,
    /// The transaction that brought it to this state. That of a replace ends
    /// in `-` and the mark of its rules
    /// ([`rules_digest`](crate::Stream::rules_digest)).
    pub load_id: String,
    /// The run that did.
    pub run_id: String,
    /// Attempts so far.
    pub attempts: u32,
    /// What went wrong at the last attempt.
    pub error: Option<String>,
    /// How the raw text of its rejects is read again
    /// ([`FileTotals::layout`](crate::destination::FileTotals::layout)).
    pub layout: Option<String>,
}

/// A part of a file that was committed by itself
/// ([`Chunk`](crate::destination::Chunk)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedChunk {
    /// Its bytes in the file as it is stored.
    pub bytes: Range<u64>,
    /// How large the chunks of the file were to be.
    pub chunk_bytes: u64,
    /// Rows read.
    pub rows_read: u64,
    /// Rows in the table.
    pub rows_copied: u64,
    /// Rows among the rejects.
    pub rows_rejected: u64,
}

/// What a decision needs of a ledger row, whose source and bucket are those
/// that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// As in [`LedgerEntry::id`].
    pub id: FileId,
    /// As in [`FileVersion::key`].
    pub key: String,
    /// As in [`FileVersion::member`].
    pub member: String,
    /// As in [`FileVersion::etag`].
    pub etag: String,
    /// As in [`FileVersion::size`].
    pub size: u64,
    /// The table, qualified as the catalogue has it; shared by rows that stand
    /// together.
    pub target_table: Arc<str>,
    /// Its state.
    pub status: Status,
    /// Attempts so far.
    pub attempts: u32,
    /// What went wrong at the last attempt.
    pub error: Option<String>,
    /// As in [`LedgerEntry::rows_checksum`].
    pub rows_checksum: Option<i64>,
}

impl KnownFile {
    /// Whether it is this file version, which has its source and bucket.
    pub fn is_of(&self, file: &FileVersion) -> bool {
        (&self.key, &self.member, &self.etag, self.size)
            == (&file.key, &file.member, &file.etag, file.size)
    }
}

impl From<&LedgerEntry> for KnownFile {
    fn from(entry: &LedgerEntry) -> Self {
        let file = &entry.file;
        Self {
            id: entry.id,
            key: file.key.clone(),
            member: file.member.clone(),
            etag: file.etag.clone(),
            size: file.size,
            target_table: entry.target_table.as_str().into(),
            status: entry.status,
            attempts: entry.attempts,
            error: entry.error.clone(),
            rows_checksum: entry.rows_checksum,
        }
    }
}

/// A range of keys of one bucket, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// As in [`FileVersion::source`].
    pub source: String,
    /// As in [`FileVersion::bucket`].
    pub bucket: String,
    /// First key, in byte order.
    pub first: String,
    /// Last key, in byte order.
    pub last: String,
}

/// A file's end without rows: failed, skipped or vanished.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// Its id in the table.
    pub id: FileId,
    /// The file version.
    pub file: FileVersion,
    /// The table, qualified as the catalogue has it.
    pub target_table: String,
    /// The stream.
    pub stream: String,
    /// The run.
    pub run_id: String,
    /// `Failed`, `Skipped` or `Vanished`.
    pub status: Status,
    /// What went wrong.
    pub error: String,
    /// Seconds that the attempt took.
    pub processing_seconds: f64,
    /// The first rows that were rejected, at most [`REJECTS_KEPT`].
    pub rejects: Vec<Reject>,
}

/// Rejects kept with a file that failed.
pub const REJECTS_KEPT: usize = 100;

/// Which ledger rows to show.
#[derive(Clone, Debug, Default)]
pub struct HistoryFilter {
    /// Only this table, qualified as the catalogue has it.
    pub table: Option<String>,
    /// Only this state.
    pub status: Option<Status>,
    /// Only this run.
    pub run_id: Option<String>,
    /// At most so many, the latest first.
    pub limit: Option<u64>,
}

/// Which rejects to show.
#[derive(Clone, Debug, Default)]
pub struct RejectsFilter {
    /// Only of this table, qualified as the catalogue has it.
    pub table: Option<String>,
    /// Only of this file.
    pub file: Option<FileId>,
    /// Only of files whose key (or path) contains this.
    pub key_contains: Option<String>,
    /// Only of this run.
    pub run_id: Option<String>,
    /// Only with this reason.
    pub reason: Option<String>,
    /// Only those that no replay has settled.
    pub unsettled: bool,
    /// Only those behind this one, by (file, id): for pages.
    pub after: Option<(FileId, i64)>,
    /// At most so many.
    pub limit: Option<u64>,
}

/// A reject as the destination keeps it.
#[derive(Clone, Debug)]
pub struct StoredReject {
    /// Its id in `rejected_rows`, never given to another.
    pub id: i64,
    /// The file's ledger row.
    pub file: Arc<LedgerEntry>,
    /// The row.
    pub reject: Reject,
    /// When it was rejected.
    pub rejected_at: DateTime<Utc>,
    /// When a replay loaded it.
    pub settled_at: Option<DateTime<Utc>>,
}

impl StoredReject {
    /// What tells its row from those of every other file, in eight letters:
    /// in an export it stands behind the id, which another ledger may have
    /// given as well.
    pub fn tag(&self) -> String {
        let mut row = self.file.id.0.to_le_bytes().to_vec();
        row.extend_from_slice(&self.reject.ordinal.to_le_bytes());
        format!("{:08x}", xxh3_64(&row) >> 32)
    }
}

/// What is known of files. A ledger that does not exist yet knows nothing,
/// and only writing creates it.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Every row of `range`, of all tables, ordered by key (as bytes): one
    /// query, however many files, and of each row no more than is needed, since
    /// a listing is as long as its bucket.
    async fn known(&self, range: &KeyRange) -> Result<Vec<KnownFile>>;

    /// The ids of the rows of `table` that are `loaded` or `loading`: the files
    /// that have rows in it.
    async fn loaded(&self, table: &str) -> Result<Vec<FileId>>;

    /// Writes a file's end without rows, and its rejects, in one transaction:
    /// inserts the row with one attempt, or updates it with one attempt more
    /// and replaces its rejects. Leaves a row that is `loaded` alone: somebody
    /// else succeeded meanwhile. One that is `loading` stays so, with what is
    /// in of it: it gets the error and one attempt more, and no rejects.
    async fn settle(&self, settlement: &Settlement) -> Result<()>;

    /// The chunks of a file that are in, by their bytes.
    async fn chunks(&self, file: FileId) -> Result<Vec<LoadedChunk>>;

    /// The rejects of one file, by ordinal.
    async fn rejects(&self, file: FileId) -> Result<Vec<Reject>>;

    /// The rejects that `filter` lets through, with the ledger rows of their
    /// files, by file and id: the order in which they were written.
    async fn stored_rejects(&self, filter: &RejectsFilter) -> Result<Vec<StoredReject>>;

    /// The rows that `filter` lets through, the latest first.
    async fn history(&self, filter: &HistoryFilter) -> Result<Vec<LedgerEntry>>;
}
