//! A bucket in memory, a format of one text column, and a faulty destination.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use async_trait::async_trait;
use bytes::Bytes;
use decant_core::format::{
    DecodedBatch, FileColumns, Format, Input, Piece, Receiver, Sample, SampleLimits,
};
use decant_core::names::ColumnNames;
use decant_core::reject::Reason;
use decant_core::selection::{Scan, Selection};
use decant_core::stream::{
    ColumnRules, FormatOptions, GroupLimits, MaxRejects, MissingColumns, OnConflict, OnError,
    Reload, RowFilter, WriteMode,
};
use decant_core::table_template::TableTemplate;
use decant_core::{
    Arrival, ByteStream, Content, Error, ErrorKind, FileVersion, Receipt, Reject, Result, Store,
    Stream, TableName, Trigger,
};
use decant_engine::{NoObserver, Run, RunReport, Services, Settings, Stop};
use decant_testkit::faulty::Faulty;
use decant_testkit::memory::MemoryDatabase;
use futures::{StreamExt, stream};

/// Files by key: an ETag and lines, of which the first names the columns.
#[derive(Clone, Default)]
pub(crate) struct Bucket(Arc<Mutex<BTreeMap<String, (String, String)>>>);

impl Bucket {
    pub(crate) fn put(&self, key: &str, etag: &str, lines: &str) {
        self.0.lock().unwrap().insert(key.into(), (etag.into(), lines.into()));
    }

    pub(crate) fn delete(&self, key: &str) {
        self.0.lock().unwrap().remove(key);
    }

    fn versions(&self, scans: &[Scan]) -> Vec<FileVersion> {
        let files = self.0.lock().unwrap();
        let is_meant = |key: &str| {
            scans.iter().any(|scan| match scan {
                Scan::Key(wanted) => wanted == key,
                Scan::Prefix(prefix) => key.starts_with(prefix.as_str()),
            })
        };
        files
            .iter()
            .filter(|(key, _)| is_meant(key))
            .map(|(key, (etag, lines))| {
                let mut file = decant_testkit::batches::version(key, etag);
                file.size = lines.len() as u64;
                file
            })
            .collect()
    }
}

#[async_trait]
impl Store for Bucket {
    async fn open(&self, file: &FileVersion) -> Result<Box<dyn Content>> {
        Ok(Box::new(Opened { bucket: self.clone(), file: file.clone() }))
    }
}

struct Opened {
    bucket: Bucket,
    file: FileVersion,
}

#[async_trait]
impl Content for Opened {
    async fn stream(&self, offset: u64) -> Result<ByteStream> {
        let bytes = self.range(offset..self.file.size).await?;
        Ok(stream::iter([Ok(bytes)]).boxed())
    }

    async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        let files = self.bucket.0.lock().unwrap();
        match files.get(&self.file.key) {
            None => Err(Error::new(ErrorKind::NotFound, "is gone")),
            Some((etag, _)) if *etag != self.file.etag => {
                Err(Error::new(ErrorKind::Conflict, "was overwritten"))
            }
            Some((_, lines)) => {
                let bytes = lines.as_bytes()[range.start as usize..range.end as usize].to_vec();
                Ok(bytes.into())
            }
        }
    }
}

/// One page with everything that there is when it is asked for.
struct Listing {
    bucket: Bucket,
    scans: Option<Vec<Scan>>,
}

#[async_trait]
impl Trigger for Listing {
    async fn next(&mut self) -> Result<Option<Vec<Arrival>>> {
        let Some(scans) = self.scans.take() else { return Ok(None) };
        let files = self.bucket.versions(&scans).into_iter();
        Ok(Some(files.map(|file| Arrival { file, receipt: Receipt::None }).collect()))
    }

    async fn acknowledge(&mut self, _receipt: &Receipt) -> Result<()> {
        Ok(())
    }
}

/// Lines of text under comma-separated names. `!panic` panics, `!bad` is a
/// bad row, `!broken` a broken file.
struct Lines;

impl Format for Lines {
    fn sample(&self, input: &mut dyn Input, _limits: SampleLimits) -> Result<Sample> {
        let text = text_of(input)?;
        let names = names_of(&text);
        let evidence = vec![decant_core::evidence::Evidence::Text; names.len()];
        let columns = FileColumns { names, named: true, ..FileColumns::default() };
        Ok(Sample { columns, evidence, rows: 1, complete: true, ..Sample::default() })
    }

    fn decode(
        &self,
        _piece: &Piece,
        input: &mut dyn Input,
        receiver: &mut dyn Receiver,
    ) -> Result<()> {
        let text = text_of(input)?;
        let names = names_of(&text);
        let columns = FileColumns { names: names.clone(), named: true, ..FileColumns::default() };
        let wanted = receiver.columns(&columns)?.targets;
        for (number, line) in text.lines().enumerate().skip(1) {
            match line {
                "!panic" => panic!("asked to"),
                "!broken" => return Err(Error::new(ErrorKind::MalformedFile, "is broken")),
                _ => {}
            }
            let bad = line == "!bad";
            let cells: Vec<&str> = line.split(',').collect();
            let columns =
                wanted.iter().zip(&names).enumerate().filter(|(_, (want, _))| want.is_some());
            let columns: Vec<(&str, ArrayRef)> = columns
                .map(|(index, (_, name))| {
                    let cell = (!bad).then(|| cells.get(index).copied());
                    let array: ArrayRef = Arc::new(StringArray::from_iter(cell));
                    (name.as_str(), array)
                })
                .collect();
            let reject = Reject {
                ordinal: number as u64,
                line: Some(number as u64 + 1),
                byte_offset: None,
                column: None,
                reason: Reason::Type,
                detail: "is bad".into(),
                raw: line.into(),
            };
            receiver.batch(DecodedBatch::new(
                RecordBatch::try_from_iter(columns).unwrap(),
                bad.then_some(reject).into_iter().collect(),
                1,
                line.len() as u64,
            ))?;
        }
        Ok(())
    }
}

fn text_of(input: &mut dyn Input) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = input.next_chunk()? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(bytes).unwrap())
}

fn names_of(text: &str) -> Vec<String> {
    text.lines().next().unwrap_or_default().split(',').map(str::to_owned).collect()
}

pub(crate) struct World {
    pub(crate) bucket: Bucket,
    pub(crate) database: MemoryDatabase,
    pub(crate) destination: Arc<Faulty>,
    pub(crate) settings: Settings,
    pub(crate) stop: Stop,
}

impl World {
    pub(crate) fn new() -> Self {
        let database = MemoryDatabase::new();
        Self {
            bucket: Bucket::default(),
            destination: Faulty::new(database.destination()),
            database,
            settings: Settings { threads: 2, ..Settings::default() },
            stop: Stop::default(),
        }
    }

    /// Files so large that none shares a transaction.
    pub(crate) fn streaming(mut self) -> Self {
        self.settings.group = GroupLimits { files: 1, bytes: 1 };
        self
    }

    pub(crate) async fn sync(&self, stream: &Stream) -> RunReport {
        let bucket = self.bucket.clone();
        let services = Services {
            store: Arc::new(self.bucket.clone()),
            list: Arc::new(move |scans| {
                Box::new(Listing { bucket: bucket.clone(), scans: Some(scans) })
            }),
            format: Arc::new(|_, _| Ok(Arc::new(Lines))),
            destination: Arc::<Faulty>::clone(&self.destination),
            observer: Arc::new(NoObserver),
        };
        let run = Run::new(services, self.settings, self.stop.clone());
        // What went wrong is in the report.
        let _ = run.sync(stream).await;
        run.report()
    }

    /// What is in the table, sorted.
    pub(crate) async fn texts(&self) -> Vec<String> {
        let name = self.table_name().await;
        let rows = self.database.rows(&name, &["text"]);
        let mut texts: Vec<String> = rows.into_iter().map(|row| row[0].clone().unwrap()).collect();
        texts.sort();
        texts
    }

    pub(crate) async fn table_name(&self) -> TableName {
        let destination = self.database.destination();
        destination.describe(&TableName::parse("t")).await.unwrap().name
    }

    /// Status and attempts in the ledger, by key.
    pub(crate) fn ledger(&self) -> Vec<(String, &'static str, u32)> {
        let entries = self.database.ledger_entries(decant_testkit::memory::DEFAULT_LEDGER);
        let mut ledger: Vec<_> = entries
            .into_iter()
            .map(|entry| (entry.file.key.clone(), entry.status.as_str(), entry.attempts))
            .collect();
        ledger.sort();
        ledger
    }
}

pub(crate) fn stream_of(on_error: OnError) -> Stream {
    Stream {
        name: "s".into(),
        selection: Selection::path("in/").unwrap(),
        table: TableTemplate::new("t", "", ColumnNames::SnakeCase).unwrap(),
        format: FormatOptions::default(),
        columns: ColumnRules::default(),
        write_mode: WriteMode::Append,
        filter: RowFilter::default(),
        on_error,
        max_rejects: MaxRejects::Unlimited,
        on_change: None,
        new_columns: None,
        missing_columns: MissingColumns::default(),
        types: None,
        on_conflict: OnConflict::default(),
        file_id: true,
        max_attempts: 5,
        reload: Reload::None,
        allow_duplicates: false,
    }
}
