//! A bucket in memory, a format of one text column, and a faulty destination.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use async_trait::async_trait;
use bytes::Bytes;
use decant_core::archive::{Archive, Directory, Member, MemberKind};
use decant_core::evidence::{Evidence, NumberEvidence};
use decant_core::format::{
    DecodedBatch, FileColumns, Format, Input, OnMisfit, Piece, PlacesWanted, Receiver, Repair,
    RepairKind, Rescued, RowPlaces, Sample, SampleLimits, Wishes,
};
use decant_core::names::ColumnNames;
use decant_core::reject::Reason;
use decant_core::selection::{Scan, Selection};
use decant_core::stream::{
    Atomic, ColumnRules, FormatOptions, GroupLimits, MaxRejects, MissingColumns, OnConflict,
    OnError, Reload, RowFilter, WriteMode,
};
use decant_core::table_template::TableTemplate;
use decant_core::{
    Arrival, ByteStream, ColumnType, Content, Error, ErrorKind, FileVersion, Receipt, Reject,
    Result, Store, Stream, TableName, Trigger,
};
use decant_engine::{FilePlan, NoObserver, Run, RunReport, Services, Settings, Stop, TablePlanned};
use decant_testkit::faulty::Faulty;
use decant_testkit::memory::MemoryDatabase;
use futures::{StreamExt, stream};
use tokio::sync::Barrier;

/// Files by key: an ETag and lines, of which the first names the columns.
#[derive(Clone, Default)]
pub(crate) struct Bucket {
    files: Arc<Mutex<BTreeMap<String, (String, String)>>>,
    opened: Arc<AtomicUsize>,
    read: Arc<AtomicUsize>,
    /// Where requests wait for each other, while there is one.
    gate: Gate,
    /// Where the next listing waits for a test before it ends.
    held_listing: Gate,
}

type Gate = Arc<Mutex<Option<Arc<Barrier>>>>;

impl Bucket {
    /// From now on requests are answered when there are so many of them.
    pub(crate) fn answer_together(&self, requests: usize) {
        *self.gate.lock().unwrap() = Some(Arc::new(Barrier::new(requests)));
    }

    /// The next listing to have told all of its files waits twice before it
    /// ends: until the test is there, and until the test lets it go.
    pub(crate) fn hold_listing(&self) -> Arc<Barrier> {
        let hold = Arc::new(Barrier::new(2));
        *self.held_listing.lock().unwrap() = Some(Arc::clone(&hold));
        hold
    }

    /// How often a file was read from its beginning.
    pub(crate) fn read(&self) -> usize {
        self.read.load(Ordering::SeqCst)
    }

    /// How often a file was opened.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    pub(crate) fn put(&self, key: &str, etag: &str, lines: &str) {
        self.files.lock().unwrap().insert(key.into(), (etag.into(), lines.into()));
    }

    pub(crate) fn delete(&self, key: &str) {
        self.files.lock().unwrap().remove(key);
    }

    fn versions(&self, scans: &[Scan]) -> Vec<FileVersion> {
        let files = self.files.lock().unwrap();
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
        assert!(file.member.is_empty(), "a store knows nothing of members");
        self.opened.fetch_add(1, Ordering::SeqCst);
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
        let gate = self.bucket.gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.wait().await;
        }
        let bytes = self.range(offset..self.file.size).await?;
        self.bucket.read.fetch_add(1, Ordering::SeqCst);
        Ok(stream::iter([Ok(bytes)]).boxed())
    }

    async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        let files = self.bucket.files.lock().unwrap();
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
        let Some(scans) = self.scans.take() else {
            let hold = self.bucket.held_listing.lock().unwrap().take();
            if let Some(hold) = hold {
                hold.wait().await;
                hold.wait().await;
            }
            return Ok(None);
        };
        let files = self.bucket.versions(&scans).into_iter();
        Ok(Some(files.map(|file| Arrival { file, receipt: Receipt::None }).collect()))
    }

    async fn acknowledge(&mut self, _receipt: &Receipt) -> Result<()> {
        Ok(())
    }
}

/// Lines of text under comma-separated names. `!panic` panics, `!bad` is a
/// bad row, `!broken` a broken file; `!columns a,b` are its columns from here
/// on, of which a first line `!json` warns; `!cut a,b` is a row that was cut
/// behind its first field. An empty field is NULL, and a column that is to be
/// int64 takes digits. A column called `n` looks like integers, as long as all
/// of its cells are some.
struct Lines;

impl Format for Lines {
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample> {
        let text = text_of(input)?;
        let mut names = columns_of(&text).names;
        for line in text.lines().filter_map(|line| line.strip_prefix("!columns ")) {
            names = fields(line).map(str::to_owned).collect();
        }
        let rows: Vec<&str> = text.lines().skip(1).take(limits.rows).collect();
        let evidence_of = |(index, name): (usize, &String)| {
            let is_integer =
                |row: &&str| fields(row).nth(index).is_some_and(|cell| cell.parse::<i64>().is_ok());
            match name == "n" && rows.iter().all(is_integer) {
                true => INTEGERS,
                false => Evidence::Text,
            }
        };
        let evidence = names.iter().enumerate().map(evidence_of).collect();
        let columns = FileColumns { names, ..columns_of(&text) };
        Ok(Sample { columns, evidence, rows: 1, complete: true, ..Sample::default() })
    }

    fn decode(
        &self,
        _piece: &Piece,
        input: &mut dyn Input,
        receiver: &mut dyn Receiver,
    ) -> Result<()> {
        let text = text_of(input)?;
        let mut columns = columns_of(&text);
        let mut wishes = receiver.columns(&columns)?;
        let mut ordinal = 0;
        for (number, line) in text.lines().enumerate().skip(1 + usize::from(is_json(&text))) {
            match line {
                "!panic" => panic!("asked to"),
                "!broken" => return Err(Error::new(ErrorKind::MalformedFile, "is broken")),
                _ => {}
            }
            if let Some(names) = line.strip_prefix("!columns ") {
                columns.names = fields(names).map(str::to_owned).collect();
                wishes = receiver.columns(&columns)?;
                continue;
            }
            ordinal += 1;
            let row = Row { line, number: number as u64 + 1, ordinal };
            receiver.batch(row.decoded(&columns, &wishes))?;
        }
        Ok(())
    }
}

const INTEGERS: Evidence = Evidence::Number(NumberEvidence {
    integer_digits: 3,
    scale: 0,
    significant_digits: 3,
    int64: true,
    exponent: false,
    float_exact: true,
});

/// A line that is a row.
struct Row<'a> {
    line: &'a str,
    number: u64,
    ordinal: u64,
}

impl Row<'_> {
    fn decoded(&self, columns: &FileColumns, wishes: &Wishes) -> DecodedBatch {
        let bytes = self.line.len() as u64;
        let cut = self.line.strip_prefix("!cut ");
        let cells: Vec<&str> = fields(cut.unwrap_or(self.line)).collect();
        let kept = if cut.is_some() { 1 } else { cells.len() };
        let mut bad = (self.line == "!bad").then_some(None);
        let mut rescued = Vec::new();
        let mut arrays: Vec<(&str, ArrayRef, bool)> = Vec::new();
        for (column, (name, target)) in columns.names.iter().zip(&wishes.targets).enumerate() {
            let Some(target) = target else { continue };
            let cell = cells[..kept].get(column).copied().filter(|cell| !cell.is_empty());
            let array: ArrayRef = if target.column_type == ColumnType::Int64 {
                let value = cell.and_then(|cell| cell.parse::<i64>().ok());
                if let (Some(cell), None) = (cell, value) {
                    match target.misfit {
                        OnMisfit::Reject => bad = Some(Some(name.clone())),
                        OnMisfit::Rescue => {
                            rescued.push(Rescued { row: 0, column, value: format!("\"{cell}\"") });
                        }
                    }
                }
                Arc::new(Int64Array::from(vec![value]))
            } else {
                Arc::new(StringArray::from(vec![cell]))
            };
            arrays.push((name, array, true));
        }
        let batch = RecordBatch::try_from_iter_with_nullable(arrays).unwrap();
        if let Some(column) = bad {
            let rejects = vec![self.reject(Reason::Type, column)];
            return DecodedBatch::new(batch.slice(0, 0), rejects, 1, bytes);
        }
        let mut decoded = DecodedBatch::new(batch, Vec::new(), 1, bytes);
        decoded.rescued = rescued;
        if cut.is_some() {
            decoded.repairs.push(Repair {
                kind: RepairKind::Cut,
                row: 0,
                cut: cells[1..].iter().map(|cell| cell.to_string()).collect(),
                kept: Some(Box::new(self.reject(Reason::Repaired, None))),
            });
        }
        decoded.places = self.places(wishes.places);
        decoded
    }

    fn places(&self, wanted: PlacesWanted) -> RowPlaces {
        let mut places = RowPlaces::default();
        if wanted >= PlacesWanted::Positions {
            places.ordinals = vec![self.ordinal];
            places.lines = vec![self.number];
        }
        if wanted == PlacesWanted::Raw {
            places.bytes = self.line.as_bytes().to_vec().into();
            places.raw = std::iter::once(0..self.line.len()).collect();
        }
        places
    }

    fn reject(&self, reason: Reason, column: Option<String>) -> Reject {
        Reject {
            ordinal: self.ordinal,
            line: Some(self.number),
            byte_offset: None,
            column,
            reason,
            detail: "is bad".into(),
            raw: self.line.into(),
        }
    }
}

fn is_json(text: &str) -> bool {
    text.starts_with("!json\n")
}

fn columns_of(text: &str) -> FileColumns {
    let header = text.lines().nth(usize::from(is_json(text))).unwrap_or_default();
    let name = is_json(text).then(|| "json".to_owned());
    FileColumns {
        names: fields(header).map(str::to_owned).collect(),
        named: true,
        options: FormatOptions { name, ..FormatOptions::default() },
        ..FileColumns::default()
    }
}

fn fields(line: &str) -> impl Iterator<Item = &str> {
    line.split(',')
}

/// An archive of text: `== PATH` and the lines of that file, again and again.
/// `!unreadable` makes it one that cannot be opened.
struct Pack;

struct PackDirectory {
    members: Vec<Member>,
    places: Vec<Range<u64>>,
}

impl Archive for Pack {
    fn unpacked<'i>(&self, _: &'i mut dyn Input) -> Result<Option<Box<dyn Input + 'i>>> {
        Ok(None)
    }

    fn open(&self, input: &mut dyn Input) -> Result<Box<dyn Directory>> {
        let bytes = input.range(0..input.size().unwrap())?;
        let text = std::str::from_utf8(&bytes).unwrap();
        if text.contains("!unreadable") {
            return Err(Error::new(ErrorKind::MalformedFile, "is no archive"));
        }
        let mut directory = PackDirectory { members: Vec::new(), places: Vec::new() };
        for part in text.split("== ").skip(1) {
            let (path, lines) = part.split_once('\n').unwrap();
            let start = (lines.as_ptr() as usize - text.as_ptr() as usize) as u64;
            let size = lines.len() as u64;
            directory.members.push(Member { path: path.into(), size, kind: MemberKind::File });
            directory.places.push(start..start + size);
        }
        Ok(Box::new(directory))
    }
}

impl Directory for PackDirectory {
    fn members(&self) -> &[Member] {
        &self.members
    }

    fn read<'i>(&self, position: usize, input: &'i mut dyn Input) -> Result<Box<dyn Input + 'i>> {
        let bytes = input.range(self.places[position].clone())?;
        Ok(Box::new(Packed(Some(bytes))))
    }
}

struct Packed(Option<Bytes>);

impl Input for Packed {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        Ok(self.0.take().filter(|bytes| !bytes.is_empty()))
    }

    fn range(&mut self, _: Range<u64>) -> Result<Bytes> {
        Err(Error::new(ErrorKind::Unsupported, "has no ranges"))
    }

    fn size(&self) -> Option<u64> {
        None
    }
}

fn text_of(input: &mut dyn Input) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = input.next_chunk()? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(bytes).unwrap())
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
        let run = self.run();
        // What went wrong is in the report.
        let _ = run.sync(stream).await;
        run.report()
    }

    /// What a sync would do to the tables.
    pub(crate) async fn plan(&self, stream: &Stream) -> Vec<TablePlanned> {
        self.run().preview(stream, &mut |_| {}).await.unwrap()
    }

    /// What a sync would do, by file: `location action`.
    pub(crate) async fn preview(&self, stream: &Stream) -> Vec<String> {
        let mut plans = Vec::new();
        let mut keep = |plan: FilePlan| {
            plans.push(format!("{} {}", plan.file, plan.verdict.action));
        };
        self.run().preview(stream, &mut keep).await.unwrap();
        plans
    }

    fn run(&self) -> Run {
        let bucket = self.bucket.clone();
        let services = Services {
            store: Arc::new(self.bucket.clone()),
            list: Arc::new(move |scans| {
                Box::new(Listing { bucket: bucket.clone(), scans: Some(scans) })
            }),
            format: Arc::new(|_, _| Ok(Arc::new(Lines))),
            archive: Arc::new(|name, _| {
                Ok(name.ends_with(".pack").then(|| Arc::new(Pack) as Arc<dyn Archive>))
            }),
            destination: Arc::<Faulty>::clone(&self.destination),
            observer: Arc::new(NoObserver),
        };
        Run::new(services, self.settings, self.stop.clone())
    }

    /// What is in these columns of the table, sorted; NULL is `-`.
    pub(crate) async fn rows(&self, columns: &[&str]) -> Vec<String> {
        let rows = self.database.rows(&self.table_name().await, columns);
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".into());
        let mut rows: Vec<String> = rows
            .into_iter()
            .map(|row| row.into_iter().map(text).collect::<Vec<_>>().join("|"))
            .collect();
        rows.sort();
        rows
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

impl World {
    /// The ledger as `key!member status rows`, sorted.
    pub(crate) fn members(&self) -> Vec<String> {
        let entries = self.database.ledger_entries(decant_testkit::memory::DEFAULT_LEDGER);
        let mut members: Vec<String> = entries
            .into_iter()
            .map(|entry| {
                let (file, status) = (&entry.file, entry.status.as_str());
                format!("{}!{} {} {status}", file.key, file.member, file.etag)
            })
            .collect();
        members.sort();
        members
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
        atomic: Atomic::default(),
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
