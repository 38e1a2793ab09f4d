//! Rejects on their way into the tables: which rules hold for them, and the
//! run that replays them.
//!
//! A stream of the configuration says how its files' rows are read now; where
//! there is none, the layout says how they were read when they were loaded.

use std::sync::Arc;

use decant_core::layout::Layout;
use decant_core::selection::Selection;
use decant_core::stream::{
    Atomic, MaxRejects, MissingColumns, OnConflict, OnError, Reload, WriteMode,
};
use decant_core::table_template::TableTemplate;
use decant_core::{
    Arrival, Content, Destination, Error, ErrorKind, FileVersion, LedgerEntry, Receipt, Result,
    Store, Stream, Trigger,
};
use decant_engine::{NoObserver, Replay, ReplayDoors, Run, RunReport, Services, Stop};
use decant_formats::raw_rows::{header_line, raw_document, transcribed};

use super::edited::edited_row;
use crate::config::DEFAULT_MAX_ATTEMPTS;
use crate::registry::format_for;

/// Replays rejects of `destination` by the rules of `streams`, and reports.
pub async fn replay(
    destination: Arc<dyn Destination>,
    streams: Vec<Stream>,
    replay: &Replay,
    stop: &Stop,
) -> RunReport {
    let services = Services {
        store: Arc::new(NoFiles),
        list: Arc::new(|_| Box::new(NoFiles)),
        format: Arc::new(format_for),
        archive: Arc::new(|_, _| Ok(None)),
        destination,
        observer: Arc::new(NoObserver),
    };
    let doors = ReplayDoors {
        document: Arc::new(|file, options, names, raw| {
            let document = raw_document(file, options, names, raw);
            (document.options, document.bytes)
        }),
        transcribed: Arc::new(transcribed),
        edited: Arc::new(edited_row),
        header: Arc::new(header_line),
        stream: Arc::new(move |entry, layout| stream_for(&streams, entry, layout)),
    };
    let run = Run::new(services, decant_engine::Settings::default(), stop.clone());
    // The error is in the report.
    let _ = run.replay(replay, &doors).await;
    let mut report = run.report();
    if replay.dry_run {
        report.notes.push("nothing was written: this was a dry run".into());
    }
    report
}

fn stream_for(streams: &[Stream], entry: &LedgerEntry, layout: &Layout) -> Result<Stream> {
    let known = streams.iter().find(|stream| stream.name == entry.stream);
    let stream = match known {
        Some(stream) => stream.clone(),
        None => as_it_was_loaded(entry, layout)?,
    };
    Ok(Stream {
        write_mode: WriteMode::Append,
        atomic: Atomic::default(),
        on_error: OnError::Reject,
        max_rejects: MaxRejects::Unlimited,
        reload: Reload::None,
        on_conflict: match stream.on_conflict {
            OnConflict::Fail => OnConflict::Reject,
            other => other,
        },
        ..stream
    })
}

fn as_it_was_loaded(entry: &LedgerEntry, layout: &Layout) -> Result<Stream> {
    if layout.keyed {
        return Err(keyed(entry));
    }
    Ok(Stream {
        name: entry.stream.clone(),
        selection: Selection::key(entry.file.key.clone()),
        table: TableTemplate::new("rejects", "", layout.columns.names)?,
        format: layout.options.clone(),
        columns: layout.columns.clone(),
        write_mode: WriteMode::Append,
        filter: layout.filter.clone(),
        atomic: Atomic::default(),
        on_error: OnError::Reject,
        max_rejects: MaxRejects::Unlimited,
        on_change: None,
        new_columns: layout.new_columns,
        missing_columns: MissingColumns::default(),
        types: None,
        on_conflict: OnConflict::default(),
        file_id: true,
        max_attempts: DEFAULT_MAX_ATTEMPTS,
        reload: Reload::None,
        allow_duplicates: false,
    })
}

/// Without the key a value would be hashed into something else.
fn keyed(entry: &LedgerEntry) -> Error {
    Error::new(
        ErrorKind::InvalidConfig,
        format!(
            "stream `{}` hashes values with a key, which the ledger does not keep",
            entry.stream
        ),
    )
    .with_hint("replay with the configuration of the stream, or load the file again with --force")
}

/// No files at all: a replay reads none.
struct NoFiles;

#[async_trait::async_trait]
impl Store for NoFiles {
    async fn open(&self, file: &FileVersion) -> Result<Box<dyn Content>> {
        Err(Error::new(ErrorKind::Internal, "a replay reads no files").in_file(file.location()))
    }
}

#[async_trait::async_trait]
impl Trigger for NoFiles {
    async fn next(&mut self) -> Result<Option<Vec<Arrival>>> {
        Ok(None)
    }

    async fn acknowledge(&mut self, _receipt: &Receipt) -> Result<()> {
        Ok(())
    }
}
