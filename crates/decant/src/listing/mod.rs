//! Listing files as a purpose of its own: the selected ones, one by one, or
//! saved into a table or a file.
//!
//! A saved listing is a snapshot: it replaces the one before it in one
//! transaction (a table) or by one rename (a file).

mod save;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use decant_core::selection::Selection;
use decant_core::{FileVersion, Result};
use decant_storage::Storage;
use serde::Serialize;

pub use save::{listing_origin, save_to_file, save_to_table};

/// A file as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedFile {
    /// The bucket; empty for local files.
    pub bucket: String,
    /// The key, or the path of a local file.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Without quotes; for local files the modification time in nanoseconds.
    pub etag: String,
    /// As listed.
    pub last_modified: DateTime<Utc>,
}

impl From<FileVersion> for ListedFile {
    fn from(file: FileVersion) -> Self {
        Self {
            bucket: file.bucket,
            path: file.key,
            size: file.size,
            etag: file.etag,
            last_modified: file.last_modified,
        }
    }
}

/// The selected files of a storage, page by page, in key order.
pub struct Listing {
    trigger: Box<dyn decant_core::Trigger>,
    selection: Selection,
    now: DateTime<Utc>,
    left: Option<u64>,
}

impl Listing {
    /// At most `files_max` of the selected files; `Some(0)` is none.
    pub fn new(storage: &Arc<Storage>, selection: Selection, files_max: Option<u64>) -> Self {
        Self {
            trigger: storage.listing(selection.scans()),
            selection,
            now: Utc::now(),
            left: files_max,
        }
    }

    /// The next files, possibly none on a page where nothing is selected;
    /// `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<ListedFile>>> {
        if self.left == Some(0) {
            return Ok(None);
        }
        let Some(page) = self.trigger.next().await? else { return Ok(None) };
        let (selection, now) = (&self.selection, self.now);
        let mut files: Vec<ListedFile> = page
            .into_iter()
            .map(|arrival| arrival.file)
            .filter(|file| selection.judge(&file.key, file.size, file.last_modified, now).is_none())
            .map(ListedFile::from)
            .collect();
        if let Some(left) = &mut self.left {
            files.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= files.len() as u64;
        }
        Ok(Some(files))
    }
}
