//! Saving a listing: into a table of any destination, or as JSON lines.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use chrono::Utc;
use decant_core::checksum::RowsChecksum;
use decant_core::destination::{
    Begun, FileTotals, LoadFile, LoadMode, LoadPlan, Outcome, TableChange, TableState,
};
use decant_core::{
    Column, ColumnType, Destination, Error, ErrorKind, FileId, FileVersion, Load, Result,
    TableName, Writer,
};

use super::{ListedFile, Listing};

/// The columns of a saved listing.
const COLUMNS: [(&str, ColumnType); 5] = [
    ("bucket", ColumnType::Text),
    ("path", ColumnType::Text),
    ("size", ColumnType::Int64),
    ("etag", ColumnType::Text),
    ("last_modified", ColumnType::TimestampTz),
];

/// Writes the listing as JSON lines; the file appears whole or not at all.
/// Answers the number of files listed.
pub async fn save_to_file(listing: &mut Listing, path: &Path) -> Result<u64> {
    let refused = |error: std::io::Error| {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::PermissionDenied => ErrorKind::AccessDenied,
            _ => ErrorKind::Unavailable,
        };
        Error::new(kind, format!("cannot write {}", path.display())).caused_by(error)
    };
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}.part", std::process::id()));
    let unfinished = Unfinished(unfinished.into());
    let files = write_lines(listing, &unfinished.0, &refused).await?;
    std::fs::rename(&unfinished.0, path).map_err(refused)?;
    Ok(files)
}

/// A file that goes when nobody writes it any longer, unless it has its name
/// by then.
struct Unfinished(std::path::PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // What is left of it is of no use, and the error that counts is known.
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn write_lines(
    listing: &mut Listing,
    path: &Path,
    refused: &impl Fn(std::io::Error) -> Error,
) -> Result<u64> {
    let mut lines = BufWriter::new(std::fs::File::create(path).map_err(refused)?);
    let mut files = 0;
    while let Some(page) = listing.next().await? {
        for file in &page {
            serde_json::to_writer(&mut lines, file).map_err(|error| refused(error.into()))?;
            lines.write_all(b"\n").map_err(refused)?;
        }
        files += page.len() as u64;
    }
    let file = lines.into_inner().map_err(|error| refused(error.into_error()))?;
    file.sync_all().map_err(refused)?;
    Ok(files)
}

/// Makes `table` hold exactly the listing, in one transaction; creates it if
/// it is missing. `origin` names what was listed. Answers the number of files.
pub async fn save_to_table(
    listing: &mut Listing,
    destination: &dyn Destination,
    table: &TableName,
    origin: FileVersion,
) -> Result<u64> {
    let state = table_for_listing(destination, table).await?;
    let plan = load_plan(&state, origin);
    let file = plan.files[0].id;
    let columns = columns_of(&state)?;
    let Begun::Ready { mut load, .. } = destination.begin(plan).await? else {
        return Err(Error::new(ErrorKind::Conflict, format!("table {} was changed", state.name)));
    };
    let mut writer = load.writer().await?;
    let mut totals = FileTotals {
        id: file,
        rows_read: 0,
        rows_loaded: 0,
        rows_rejected: 0,
        rows_checksum: 0,
        processing_seconds: 0.0,
        repairs_kept: 0,
        layout: None,
        settles: Vec::new(),
    };
    match write_rows(listing, writer.as_mut(), &columns, &mut totals).await {
        Ok(()) => {}
        Err(error) => {
            drop(writer);
            load.abort().await?;
            return Err(error);
        }
    }
    let files = totals.rows_loaded;
    commit(load, writer, totals).await?;
    Ok(files)
}

async fn write_rows(
    listing: &mut Listing,
    writer: &mut dyn Writer,
    columns: &[usize],
    totals: &mut FileTotals,
) -> Result<()> {
    let started = std::time::Instant::now();
    let mut checksum = RowsChecksum::default();
    writer.start_file(totals.id, columns).await?;
    while let Some(page) = listing.next().await? {
        let batch = batch_of(&page)?;
        checksum.add(&batch)?;
        totals.rows_loaded += page.len() as u64;
        writer.write(batch).await?;
    }
    totals.rows_checksum = checksum.value();
    totals.processing_seconds = started.elapsed().as_secs_f64();
    Ok(())
}

async fn commit(load: Box<dyn Load>, writer: Box<dyn Writer>, totals: FileTotals) -> Result<()> {
    let part = writer.finish().await?;
    for outcome in load.commit(vec![part], vec![totals]).await? {
        match outcome {
            Outcome::Committed | Outcome::AlreadyLoaded => {}
            Outcome::Failed(error) => return Err(error),
            Outcome::SchemaChanged | Outcome::Overtaken => {
                return Err(Error::new(ErrorKind::Conflict, "the table was changed meanwhile"));
            }
        }
    }
    Ok(())
}

async fn table_for_listing(destination: &dyn Destination, table: &TableName) -> Result<TableState> {
    let state = destination.describe(table).await?;
    if state.schema.is_some() {
        return Ok(state);
    }
    let columns = COLUMNS.iter().map(|(name, kind)| Column::new(*name, *kind)).collect();
    let change = TableChange::Create { table: state.name.clone(), columns };
    destination.apply(&change, false).await?;
    destination.describe(&state.name).await
}

fn columns_of(state: &TableState) -> Result<Vec<usize>> {
    COLUMNS
        .iter()
        .map(|(name, kind)| {
            let schema = state.schema.as_ref();
            schema
                .and_then(|schema| {
                    let position = schema.position(name)?;
                    (schema.columns[position].column_type == Some(*kind)).then_some(position)
                })
                .ok_or_else(|| {
                    Error::new(
                        ErrorKind::SchemaMismatch,
                        format!("table {} has no column {name} of type {kind}", state.name),
                    )
                    .with_hint("a listing has the columns bucket, path, size, etag, last_modified")
                })
        })
        .collect()
}

fn load_plan(state: &TableState, origin: FileVersion) -> LoadPlan {
    let run_id = format!("list-{}", origin.etag);
    LoadPlan {
        load_id: run_id.clone(),
        run_id,
        table: state.name.clone(),
        schema: state.schema.clone().unwrap_or_default(),
        mode: LoadMode::Replace,
        files: vec![LoadFile {
            id: FileId::of(&state.name.to_string(), &origin),
            file: origin,
            stream: "list".into(),
            displaces: Vec::new(),
            only_version: false,
            again: true,
            chunk: None,
        }],
    }
}

/// What stands in the ledger for a listing of everything below `folder`, in
/// the scope (source and bucket) of a storage.
pub fn listing_origin((source, bucket): (&str, &str), folder: &str) -> FileVersion {
    let now = Utc::now();
    FileVersion {
        source: source.to_owned(),
        bucket: bucket.to_owned(),
        key: folder.to_owned(),
        member: String::new(),
        etag: format!("listing-{}", now.timestamp_micros()),
        size: 0,
        version_id: None,
        last_modified: now,
    }
}

fn batch_of(files: &[ListedFile]) -> Result<RecordBatch> {
    let texts = |text: fn(&ListedFile) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(files.iter().map(text)))
    };
    let sizes = files.iter().map(|file| i64::try_from(file.size).unwrap_or(i64::MAX));
    let times = files.iter().map(|file| file.last_modified.timestamp_micros());
    let times = TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC");
    let arrays: [ArrayRef; 5] = [
        texts(|file| &file.bucket),
        texts(|file| &file.path),
        Arc::new(Int64Array::from_iter_values(sizes)),
        texts(|file| &file.etag),
        Arc::new(times),
    ];
    let columns = COLUMNS.iter().map(|(name, _)| *name).zip(arrays);
    RecordBatch::try_from_iter(columns).map_err(|error| {
        Error::new(ErrorKind::Internal, "a listing does not make a batch").caused_by(error)
    })
}
