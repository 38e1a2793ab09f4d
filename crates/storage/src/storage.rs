//! The storage as the rest of the house sees it: one bucket, or the local
//! file system, behind one type.

use std::sync::Arc;

use async_trait::async_trait;
use decant_core::selection::Scan;
use decant_core::{Content, Error, ErrorKind, FileVersion, Result, Store, Trigger};

use crate::backend::Backend;
use crate::traffic::Traffic;

/// One bucket of one endpoint, or the local file system. Cheap to share.
pub struct Storage {
    backend: Box<dyn Backend>,
}

impl Storage {
    pub(crate) fn new(backend: impl Backend + 'static) -> Arc<Self> {
        Arc::new(Self { backend: Box::new(backend) })
    }

    /// Arrivals of every key in these scans, unfiltered, page by page in
    /// ascending byte order within a scan. The scans must be in key order and
    /// without overlap, as [`Selection::scans`] makes them. Memory does not
    /// grow with the number of keys.
    ///
    /// Errors: `NotFound` for a bucket or a local folder that is not there,
    /// `AccessDenied`, `Unavailable` once the retries are used up or when the
    /// endpoint's pages contradict each other. After an error nothing
    /// follows.
    ///
    /// [`Selection::scans`]: decant_core::selection::Selection::scans
    pub fn listing(&self, scans: Vec<Scan>) -> Box<dyn Trigger> {
        self.backend.listing(scans)
    }

    /// The current version of exactly this key; `None` when there is none.
    pub async fn head(&self, key: &str) -> Result<Option<FileVersion>> {
        self.backend.head(key).await
    }

    /// Whether keys that begin with `prefix` can be listed: the first of
    /// them, `None` when there is none.
    pub async fn check_list(&self, prefix: &str) -> Result<Option<FileVersion>> {
        self.backend.first(prefix).await
    }

    /// Whether this file can be read: its first byte, or its being empty.
    pub async fn check_read(&self, file: &FileVersion) -> Result<()> {
        let content = self.open(file).await?;
        if file.size > 0 {
            return content.range(0..1).await.map(drop);
        }
        let mut stream = content.stream(0).await?;
        match futures::StreamExt::next(&mut stream).await {
            Some(Err(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// The source and the bucket of every file version in it.
    pub fn scope(&self) -> (&str, &str) {
        self.backend.scope()
    }

    /// Requests that were made again after a passing fault.
    pub fn retries(&self) -> u64 {
        self.traffic().retries
    }

    /// Requests and bytes so far.
    pub fn traffic(&self) -> Traffic {
        self.backend.traffic()
    }
}

#[async_trait]
impl Store for Storage {
    async fn open(&self, file: &FileVersion) -> Result<Box<dyn Content>> {
        let scope = self.scope();
        if (file.source.as_str(), file.bucket.as_str()) != scope {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("{file} is not in the storage that was asked for it"),
            )
            .with("source", scope.0)
            .with("bucket", scope.1));
        }
        Ok(self.backend.content(file))
    }
}
