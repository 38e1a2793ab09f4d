//! Trying what a run would need: listing, reading, writing.

use std::sync::Arc;

use decant_core::selection::Scan;
use decant_core::{Destination, FileVersion, Result, Stream};
use decant_storage::Storage;

use crate::config::Settings;
use crate::pipeline::{open_destination_of, open_storage};

/// Something that was tried.
pub struct Check {
    /// What.
    pub what: String,
    /// What was found, or why it does not work.
    pub outcome: Result<String>,
}

/// Tries to list and read the source and to write the destination, and leaves
/// nothing behind. What cannot be tried because something before it failed is
/// left out.
pub async fn check(settings: &Settings) -> Vec<Check> {
    let mut checks = Vec::new();
    match open_storage(&settings.source).await {
        Ok(storage) => {
            for stream in &settings.streams {
                check_stream(&storage, stream, &mut checks).await;
            }
        }
        Err(error) => checks.push(Check { what: "open the source".into(), outcome: Err(error) }),
    }
    let destination = open_destination_of(&settings.destination).await;
    let outcome = match destination {
        Ok(destination) => write(&destination).await,
        Err(error) => Err(error),
    };
    checks.push(Check { what: "write the destination".into(), outcome });
    checks
}

async fn check_stream(storage: &Arc<Storage>, stream: &Stream, checks: &mut Vec<Check>) {
    let mut first = None;
    for scan in stream.selection.scans() {
        let what = match &scan {
            Scan::Key(key) => format!("stream {}: find `{key}`", stream.name),
            Scan::Prefix(prefix) => format!("stream {}: list `{prefix}`", stream.name),
        };
        let found = match &scan {
            Scan::Key(key) => storage.head(key).await,
            Scan::Prefix(prefix) => storage.check_list(prefix).await,
        };
        let outcome = found.map(|found| {
            let said = found.as_ref().map_or("nothing is there".into(), FileVersion::location);
            first = first.take().or(found);
            said
        });
        checks.push(Check { what, outcome });
    }
    if let Some(file) = first {
        let outcome = storage.check_read(&file).await.map(|()| format!("{} bytes", file.size));
        checks.push(Check { what: format!("read {file}"), outcome });
    }
}

async fn write(destination: &Arc<dyn Destination>) -> Result<String> {
    destination.check_write().await?;
    Ok(format!("{} takes tables and rows", destination.capabilities().name))
}
