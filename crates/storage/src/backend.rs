//! What S3 and the local file system have in common, as [`Storage`] uses them.
//!
//! [`Storage`]: crate::Storage

use async_trait::async_trait;
use decant_core::selection::Scan;
use decant_core::{Content, FileVersion, Result, Trigger};

use crate::traffic::Traffic;

/// One place that holds files.
#[async_trait]
pub(crate) trait Backend: Send + Sync {
    /// Source and bucket of every file version in it.
    fn scope(&self) -> (&str, &str);

    /// Arrivals of every key in these scans.
    fn listing(&self, scans: Vec<Scan>) -> Box<dyn Trigger>;

    /// The current version of a key, if there is one.
    async fn head(&self, key: &str) -> Result<Option<FileVersion>>;

    /// The first file whose key begins with `prefix`, by one page.
    async fn first(&self, prefix: &str) -> Result<Option<FileVersion>>;

    /// The content of a version. Costs no request.
    fn content(&self, file: &FileVersion) -> Box<dyn Content>;

    /// What it was asked for so far.
    fn traffic(&self) -> Traffic;
}
