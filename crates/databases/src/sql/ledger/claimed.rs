//! What the ledger had of a file when it was claimed, and its words read back.

use std::sync::Arc;

use decant_core::destination::{FileTotals, LoadFile};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::file::{FileId, FileVersion};
use decant_core::ledger::{KnownFile, Status};

/// A ledger row as [`LedgerSql::claim`] and [`LedgerSql::settle`] answer it,
/// in this order.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    /// The file's `source`.
    pub(crate) source: String,
    /// The file's `bucket`.
    pub(crate) bucket: String,
    /// The file's `key`.
    pub(crate) key: String,
    /// The file's `member`.
    pub(crate) member: String,
    /// The file's `etag`.
    pub(crate) etag: String,
    /// The file's `size`.
    pub(crate) size: i64,
    /// The table, qualified as the catalogue has it.
    pub(crate) target_table: String,
    /// The word in `status`.
    pub(crate) status: String,
    /// Attempts so far; none when the row was just inserted by a claim.
    pub(crate) attempts: i64,
}

impl Claimed {
    /// Refuses a row that has the id of `file` in `table` but is of another.
    pub(crate) fn check_identity(&self, id: FileId, file: &FileVersion, table: &str) -> Result<()> {
        let mine = (&file.source, &file.bucket, &file.key, &file.member, &file.etag);
        let theirs = (&self.source, &self.bucket, &self.key, &self.member, &self.etag);
        if mine == theirs && i64::try_from(file.size) == Ok(self.size) && table == self.target_table
        {
            return Ok(());
        }
        let message = format!(
            "the ledger has the id {id} of {file} (ETag {}, {} bytes, table {table}) for another \
             file: {}/{} (ETag {}, {} bytes, table {})",
            file.etag, file.size, self.bucket, self.key, self.etag, self.size, self.target_table
        );
        Err(Error::new(ErrorKind::Internal, message)
            .with_hint("load this file under another ledger with --ledger, and report it"))
    }

    /// Whether the file is loaded.
    pub(crate) fn is_loaded(&self) -> bool {
        self.status == Status::Loaded.as_str()
    }
}

/// Rejects are only replayed into files whose rows are there.
pub(crate) fn not_loaded(file: &LoadFile) -> Error {
    let message = format!("{} is not loaded any more", file.file);
    Error::new(ErrorKind::Conflict, message)
        .with_hint("its rejects went with its rows; look at what is left with `decant rejects`")
}

/// A reject is replayed once.
pub(crate) fn settled_already(reject: i64) -> Error {
    let message = format!("the reject {reject} has been settled meanwhile, or is gone");
    Error::new(ErrorKind::Conflict, message)
        .with("reject", reject.to_string())
        .with_hint("look at what is left with `decant rejects`, and replay that")
}

/// What a replay adds to a file's rejects: those that it wrote, less those
/// that it settles.
pub(crate) fn replayed_counts(totals: &FileTotals) -> Result<i64> {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut settles = totals.settles.clone();
    settles.sort_unstable();
    if let Some(pair) = settles.windows(2).find(|pair| pair[0] == pair[1]) {
        let message = format!("the reject {} is settled twice by one load", pair[0]);
        return Err(Error::new(ErrorKind::Internal, message));
    }
    Ok(signed(totals.rows_rejected).saturating_sub(signed(settles.len() as u64)))
}

/// The state that a ledger row names.
pub(crate) fn status_of(word: &str) -> Result<Status> {
    Status::parse(word).ok_or_else(|| unknown_word("status", word))
}

/// The name of a table that `before`, the row before, may have as well: rows
/// of one table share one text.
pub(crate) fn shared_name(before: Option<&KnownFile>, name: &str) -> Arc<str> {
    match before {
        Some(before) if *before.target_table == *name => Arc::clone(&before.target_table),
        _ => name.into(),
    }
}

fn unknown_word(what: &str, word: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("the ledger names an unknown {what}: `{word}`"))
        .with_hint("it was written by a newer decant, or by hand")
}
