//! The loop: pages of arrivals, merged with the ledger, planned, cut into
//! groups and loaded.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use decant_core::format::PlacesWanted;
use decant_core::stream::{Atomic, GroupLimits, Reload, WriteMode};
use decant_core::{Arrival, Error, FileVersion, Receipt, Result, Stream, TableName};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::archives::Archives;
use crate::arrivals::{Arrivals, Judged, Verdict};
use crate::decisions::{Known, carry_out, decide_on};
use crate::decode::Decoder;
use crate::early::{self, Early, Offers, Room};
use crate::feeds::Feeds;
use crate::fetch_budget::FetchBudget;
use crate::ingest::{Ingest, PlannedFile, shared_file_bytes_max};
use crate::input::FetchCounter;
use crate::interruptible::{Interruptible, is_interruption};
use crate::observer::{Event, NoObserver};
use crate::report::{RunReport, Tally};
use crate::sampling::{Looks, look_at_stream};
use crate::services::{Services, Settings};
use crate::stop::Stop;
use crate::tables::{NoTable, Place, Table, TablePlan, Tables};

/// Groups that are worked on at the same time, for each thread.
const GROUPS_PER_THREAD: usize = 2;

/// One execution of a pipeline: any number of streams, one report.
pub struct Run {
    pub(crate) id: String,
    pub(crate) started_at: DateTime<Utc>,
    clock: Instant,
    /// Its store opens the members of archives too.
    pub(crate) services: Services,
    pub(crate) archives: Arc<Archives>,
    pub(crate) settings: Settings,
    budget: FetchBudget,
    pub(crate) stop: Stop,
    pub(crate) tally: Arc<Tally>,
    feeds: Arc<Feeds>,
    chunk_loads: Arc<Semaphore>,
}

/// What is to be done with the files of a page.
#[derive(Default)]
struct PagePlan {
    /// Files to load, by table.
    loads: Vec<(Arc<Table>, Vec<PlannedFile>)>,
    /// Receipts of files that have been dealt with before.
    settled: Vec<Receipt>,
}

impl Run {
    /// A run that has not done anything yet.
    pub fn new(mut services: Services, settings: Settings, stop: Stop) -> Self {
        let started_at = Utc::now();
        let store = Arc::clone(&services.store);
        let at_once = services.destination.capabilities().concurrent_loads;
        services.destination = Arc::new(Interruptible::new(services.destination, stop.clone()));
        let archives = Arc::new(Archives::new(store, Arc::clone(&services.archive)));
        services.store = Arc::<Archives>::clone(&archives);
        Self {
            id: format!("{}-{:08x}", started_at.format("%Y%m%dT%H%M%SZ"), rand::random::<u32>()),
            started_at,
            clock: Instant::now(),
            services,
            archives,
            budget: budget(&settings),
            settings,
            stop,
            tally: Arc::new(Tally::new()),
            feeds: Arc::default(),
            chunk_loads: Arc::new(Semaphore::new(at_once.max(1))),
        }
    }

    /// Names the run in the ledger.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Loads what is new in a stream. What goes wrong with single files is in
    /// the report and the ledger; an error means that the stream could not go
    /// on, and is in the report as well.
    pub async fn sync(&self, stream: &Stream) -> Result<()> {
        let stream = Arc::new(stream.clone());
        let synced = match stream.write_mode {
            WriteMode::Replace => self.replace(&stream).await,
            WriteMode::Append | WriteMode::Fail => self.append(&stream).await,
        };
        if self.stop.is_requested() {
            self.tally.interrupted();
        }
        self.ended(synced)
    }

    /// Enters how a stream ended. That it was to end is no error.
    pub(crate) fn ended(&self, ended: Result<()>) -> Result<()> {
        match ended {
            Err(error) if is_interruption(&error) => Ok(()),
            Err(error) => {
                self.tally.error(&error);
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// What the run did so far.
    pub fn report(&self) -> RunReport {
        self.tally.report(&self.id, self.started_at, self.clock.elapsed().as_secs_f64())
    }

    /// Says in the report what a user should know.
    pub fn note(&self, note: impl Into<String>) {
        self.tally.note(note.into());
    }

    async fn append(&self, stream: &Arc<Stream>) -> Result<()> {
        let mut tables = self.tables(stream);
        let mut arrivals = Arrivals::new(&self.services, stream, self.started_at);
        let (mut offers, early) = self.early(stream);
        // What is loaded by force may have been loaded, whatever the tables say.
        let offered_to = (stream.reload != Reload::Force).then_some(&mut offers);
        self.create_missing(stream, &mut arrivals, &mut tables, offered_to).await?;
        let mut groups: JoinSet<Result<Vec<Receipt>>> = JoinSet::new();
        let loading = self.load_pages(stream, &mut arrivals, &mut tables, &mut groups, &early);
        let loaded = loading.await;
        drop(offers);
        tables.tell_spellings();
        // Whatever happened to the listing, what has begun comes to its end.
        let mut first_error = loaded.err();
        while let Some(ended) = groups.join_next().await {
            match settled(ended) {
                Ok(receipts) => self.acknowledge(stream, &mut arrivals, &receipts).await?,
                Err(error) => {
                    if !is_interruption(&error) {
                        tracing::error!(error = %error.chain(), "a load failed");
                    }
                    // What went wrong is told before that it was to end.
                    if first_error.as_ref().is_none_or(is_interruption) {
                        first_error = Some(error);
                    }
                }
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    /// Fetches files of missing tables early: those that are decoded whole, as
    /// many bytes as a group holds.
    fn early(&self, stream: &Stream) -> (Offers, Early) {
        let group = self.settings.group;
        let of_a_file = match stream.atomic {
            Atomic::File => shared_file_bytes_max(group),
            Atomic::Chunk => shared_file_bytes_max(group).min(self.settings.chunk_bytes),
        };
        let room = Room { bytes: group.bytes, of_a_file };
        let store = Arc::clone(&self.services.store);
        early::start(store, self.budget.clone(), room, self.stop.clone())
    }

    async fn load_pages(
        &self,
        stream: &Arc<Stream>,
        arrivals: &mut Arrivals,
        tables: &mut Tables,
        groups: &mut JoinSet<Result<Vec<Receipt>>>,
        early: &Early,
    ) -> Result<()> {
        while let Some(next) = self.stop.unless_requested(arrivals.next()).await {
            let Some(page) = next? else { return Ok(()) };
            let mut page = VecDeque::from(page);
            loop {
                let unfolding = self.unfold_new(stream, &mut page, tables, arrivals);
                let Some(part) = self.stop.unless_requested(unfolding).await.transpose()?.flatten()
                else {
                    break;
                };
                let plan = self.plan_page(stream, part, tables).await?;
                self.acknowledge(stream, arrivals, &plan.settled).await?;
                self.begin_loads(stream, plan.loads, arrivals, groups, early).await?;
            }
        }
        Ok(())
    }

    /// Starts loading planned files, more groups at a time than there are
    /// threads: while some commit, others fetch.
    async fn begin_loads(
        &self,
        stream: &Arc<Stream>,
        loads: Vec<(Arc<Table>, Vec<PlannedFile>)>,
        arrivals: &mut Arrivals,
        groups: &mut JoinSet<Result<Vec<Receipt>>>,
        early: &Early,
    ) -> Result<()> {
        for (table, files) in loads {
            let ingest = Ingest { early: early.clone(), ..self.ingest(stream, &table) };
            for group in into_groups(files, self.settings.group) {
                while groups.len() >= GROUPS_PER_THREAD * self.settings.threads.max(1) {
                    let Some(ended) = groups.join_next().await else { break };
                    self.acknowledge(stream, arrivals, &settled(ended)?).await?;
                }
                let ingest = ingest.clone();
                groups.spawn(async move { ingest.group(group).await });
            }
        }
        Ok(())
    }

    /// Which files of a page are loaded, by table; the others are counted.
    async fn plan_page(
        &self,
        stream: &Arc<Stream>,
        page: Vec<Judged>,
        tables: &mut Tables,
    ) -> Result<PagePlan> {
        let going = self.count_and_keep(page);
        let known = self.known(going.iter().map(|(_, arrival)| arrival)).await?;
        let mut by_table: BTreeMap<TableName, Vec<Arrival>> = BTreeMap::new();
        for (name, arrival) in going {
            tables.spellings.see(stream, &name, &arrival.file.key);
            by_table.entry(name).or_default().push(arrival);
        }
        let mut page = PagePlan::default();
        for (name, files) in by_table {
            match tables.place(&name).await? {
                Place::Ready(table) => {
                    let plan = table.plan().await;
                    let files = self.decide_files(&plan, files, &known, &mut page.settled);
                    let bytes = files.iter().map(|file| file.file.size).sum();
                    let count = files.len() as u64;
                    self.services.observer.observe(Event::Planned { files: count, bytes });
                    page.loads.push((table, files));
                }
                Place::None(qualified, why) => {
                    self.without_table(stream, &qualified, &why, files).await?;
                }
            }
        }
        Ok(page)
    }

    /// Counts a page, and keeps what goes to a table.
    fn count_and_keep(&self, page: Vec<Judged>) -> Vec<(TableName, Arrival)> {
        self.tally.files(|files| files.listed += page.len() as u64);
        let mut going = Vec::with_capacity(page.len());
        for Judged { arrival, verdict } in page {
            match verdict {
                Verdict::Goes(table) => going.push((table, arrival)),
                Verdict::Excluded(_) => self.tally.files(|files| files.excluded += 1),
                Verdict::Refused(error) => {
                    self.tally.files(|files| files.failed += 1);
                    self.tally.error(&error.in_file(arrival.file.location()));
                }
            }
        }
        going
    }

    fn decide_files(
        &self,
        plan: &TablePlan,
        files: Vec<Arrival>,
        known: &Known,
        settled: &mut Vec<Receipt>,
    ) -> Vec<PlannedFile> {
        let decided = files.into_iter().map(|arrival| {
            let decision = decide_on(plan, &arrival, known);
            carry_out(&self.tally, arrival, decision, settled)
        });
        decided.flatten().collect()
    }

    /// What the ledger knows of these files' keys: one query.
    pub(crate) async fn known(&self, files: impl Iterator<Item = &Arrival>) -> Result<Known> {
        Known::of(&*self.services.destination.ledger(), files).await
    }

    /// Files whose table could not be made: nothing to make it from, or a
    /// failure that is each file's own.
    async fn without_table(
        &self,
        stream: &Arc<Stream>,
        table: &TableName,
        why: &NoTable,
        files: Vec<Arrival>,
    ) -> Result<()> {
        match why {
            NoTable::Empty => {
                self.tally.files(|sum| sum.excluded += files.len() as u64);
                self.tally.note(format!(
                    "table {table} was not created: the files for it are empty; they are looked \
                     at again next time"
                ));
                Ok(())
            }
            NoTable::NoMembers => {
                self.tally.files(|sum| sum.excluded += files.len() as u64);
                self.tally.note(no_members(table));
                Ok(())
            }
            NoTable::Failed(error) => self.fail_all(stream, table, error, files).await,
        }
    }

    /// Creates the tables that are missing, from samples of their files.
    pub(crate) async fn create_missing(
        &self,
        stream: &Arc<Stream>,
        arrivals: &mut Arrivals,
        tables: &mut Tables,
        early: Option<&mut Offers>,
    ) -> Result<()> {
        let surveyed = self.stop.unless_requested(arrivals.survey(tables, early)).await;
        for (name, candidates) in surveyed.transpose()?.into_iter().flatten() {
            let looking = self.look_at_candidates(stream, candidates.chosen());
            match self.stop.unless_requested(looking).await {
                Some(looks) => tables.create(&name, looks).await?,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Looks at files, and into the archives among them.
    pub(crate) async fn look_at_candidates(
        &self,
        stream: &Stream,
        files: Vec<FileVersion>,
    ) -> Result<Looks> {
        let counter = self.sample_counter();
        // The archives stay open as long as their members are looked at.
        let (chosen, _archives) = self.with_members(stream, files).await?;
        look_at_stream(&chosen, &self.services, &self.settings, &stream.format, &counter).await
    }

    pub(crate) fn tables(&self, stream: &Arc<Stream>) -> Tables {
        let destination = Arc::clone(&self.services.destination);
        let (tally, feeds) = (Arc::clone(&self.tally), Arc::clone(&self.feeds));
        Tables::new(Arc::clone(stream), destination, tally, feeds)
    }

    /// Counts what samples fetch: it is no progress on the way to the rows.
    pub(crate) fn sample_counter(&self) -> FetchCounter {
        FetchCounter { tally: Arc::clone(&self.tally), observer: Arc::new(NoObserver) }
    }

    fn fetch_counter(&self) -> FetchCounter {
        FetchCounter {
            tally: Arc::clone(&self.tally),
            observer: Arc::clone(&self.services.observer),
        }
    }

    pub(crate) fn ingest(&self, stream: &Arc<Stream>, table: &Arc<Table>) -> Ingest {
        Ingest {
            run_id: self.id.clone(),
            started_at: self.started_at,
            stream: Arc::clone(stream),
            table: Arc::clone(table),
            destination: Arc::clone(&self.services.destination),
            decoder: Decoder {
                services: self.services.clone(),
                counter: self.fetch_counter(),
                format: table.format(),
                stop: self.stop.clone(),
                ahead_bytes: self.settings.ahead_bytes,
                places: PlacesWanted::None,
            },
            settings: self.settings,
            budget: self.budget.clone(),
            early: Early::default(),
            tally: Arc::clone(&self.tally),
            chunk_loads: Arc::clone(&self.chunk_loads),
        }
    }
}

/// Small files may be fetched ahead by half of what a group holds back for each
/// thread; large files are streamed by as many as there are threads.
fn budget(settings: &Settings) -> FetchBudget {
    let threads = settings.threads.max(1);
    let bytes = settings.group.bytes.saturating_mul(threads as u64) / 2;
    FetchBudget::new(settings.requests, bytes, threads)
}

/// Why archives alone made no table.
pub(crate) fn no_members(table: &TableName) -> String {
    format!(
        "table {table} was not created: the archives for it have no members, or all of them are \
         left out"
    )
}

/// Consecutive files that share a transaction.
fn into_groups(files: Vec<PlannedFile>, limits: GroupLimits) -> Vec<Vec<PlannedFile>> {
    let mut groups: Vec<Vec<PlannedFile>> = Vec::new();
    let mut bytes = 0;
    for file in files {
        let size = file.file.size;
        match groups.last_mut() {
            Some(group) if group.len() < limits.files && bytes + size <= limits.bytes => {
                bytes += size;
                group.push(file);
            }
            _ => {
                bytes = size;
                groups.push(vec![file]);
            }
        }
    }
    groups
}

fn settled(ended: Result<Result<Vec<Receipt>>, tokio::task::JoinError>) -> Result<Vec<Receipt>> {
    ended.unwrap_or_else(|error| {
        Err(Error::new(decant_core::ErrorKind::Internal, "a load ended badly").caused_by(error))
    })
}
