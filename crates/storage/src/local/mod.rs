//! Files on the local file system.
//!
//! A key is an absolute path, the ETag its modification time in nanoseconds.
//! What the clock of the file system cannot tell apart (two writes of the
//! same number of bytes within one tick), decant cannot either.

mod listing;
mod path;
mod read;

use std::fs::{File, Metadata};
use std::io;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use decant_core::file::LOCAL_SOURCE;
use decant_core::selection::Scan;
use decant_core::{Content, Error, ErrorKind, FileVersion, Result, Trigger};

use crate::backend::Backend;
use crate::traffic::{Counters, Traffic};

pub(crate) use path::escape;

/// The local file system.
pub(crate) struct Files {
    counters: Arc<Counters>,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self { counters: Arc::default() }
    }
}

#[async_trait]
impl Backend for Files {
    fn scope(&self) -> (&str, &str) {
        (LOCAL_SOURCE, "")
    }

    fn listing(&self, scans: Vec<Scan>) -> Box<dyn Trigger> {
        Box::new(listing::Listing::new(scans))
    }

    async fn head(&self, key: &str) -> Result<Option<FileVersion>> {
        let key = key.to_owned();
        blocking(move || current(&key)).await
    }

    async fn first(&self, prefix: &str) -> Result<Option<FileVersion>> {
        let prefix = prefix.to_owned();
        blocking(move || listing::first(&prefix)).await
    }

    fn content(&self, file: &FileVersion) -> Box<dyn Content> {
        Box::new(read::LocalContent::new(file, Arc::clone(&self.counters)))
    }

    fn traffic(&self) -> Traffic {
        self.counters.traffic()
    }
}

/// Runs what may block on a thread that may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        Error::new(ErrorKind::Internal, "work on local files was cut off").caused_by(error)
    })?
}

/// The version of a file as it is now; `None` when there is no such file.
fn current(key: &str) -> Result<Option<FileVersion>> {
    match std::fs::metadata(path::unescape(key)) {
        Ok(metadata) if metadata.is_dir() => Ok(None),
        Ok(metadata) if !metadata.is_file() => {
            Err(Error::new(ErrorKind::Unsupported, format!("`{key}` is not a regular file")))
        }
        Ok(metadata) => version(key, &metadata).map(Some),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(key, error)),
    }
}

fn version(key: &str, metadata: &Metadata) -> Result<FileVersion> {
    let modified = metadata.modified().map_err(|error| failure(key, error))?;
    let nanoseconds = match modified.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    };
    Ok(FileVersion {
        source: LOCAL_SOURCE.to_owned(),
        bucket: String::new(),
        key: key.to_owned(),
        member: String::new(),
        etag: nanoseconds.to_string(),
        size: metadata.len(),
        version_id: None,
        last_modified: DateTime::<Utc>::from(modified),
    })
}

/// Fails with `Conflict` unless the open file still is this version.
fn verify(file: &File, expected: &FileVersion) -> Result<()> {
    let metadata = file.metadata().map_err(|error| failure(&expected.key, error))?;
    let now = version(&expected.key, &metadata)?;
    if now == *expected {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Conflict, "the file was changed after it was listed")
        .in_file(&expected.key)
        .with("listed_size", expected.size.to_string())
        .with("size", now.size.to_string())
        .with_hint("load it once its writer has finished"))
}

/// Whether nothing is there (a file in a folder's place leaves room for
/// nothing below it).
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// An error of the file system, by what the operator must do.
fn failure(key: &str, error: io::Error) -> Error {
    let (kind, message) = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            (ErrorKind::NotFound, format!("`{key}` does not exist"))
        }
        io::ErrorKind::PermissionDenied => {
            (ErrorKind::AccessDenied, format!("`{key}` may not be read"))
        }
        _ => (ErrorKind::Unavailable, format!("`{key}` cannot be read")),
    };
    Error::new(kind, message).caused_by(error)
}
