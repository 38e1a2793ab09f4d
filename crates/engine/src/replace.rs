//! Replacing a table: it becomes exactly the rows of the selected files, in
//! one transaction, or stays as it was.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use decant_core::destination::{FileTotals, LoadMode};
use decant_core::ledger::{HistoryFilter, Status};
use decant_core::stream::Reload;
use decant_core::{
    Arrival, Begun, Error, ErrorKind, FileId, FileVersion, Load, LoadPlan, Outcome, Result, Stream,
    TableName, Writer,
};

use crate::archives::ArchiveFile;
use crate::arrivals::{Arrivals, Judged, Verdict};
use crate::file_progress::{FileProgress, Undecoded};
use crate::ingest::{Ingest, PlannedFile, bad_end, count_bad_end, new_load_id, without};
use crate::observer::Event;
use crate::pipeline::{Run, no_members};
use crate::refusals::{LateRefusals, Refusals};
use crate::retry::Retry;
use crate::tables::{NoTable, Place, Table, TablePlan};

/// How often replacing begins again because the table changed.
const ROUNDS_MAX: usize = 8;

/// Files by their tables.
type Selected = BTreeMap<TableName, Vec<Arrival>>;

/// How one try at replacing a table ended.
enum Replaced {
    Committed(Vec<FileProgress>),
    /// The table is not what it was: plan again.
    SchemaChanged,
    /// A file is bad, so nothing was replaced.
    Undecoded(Box<PlannedFile>, Undecoded),
}

impl Run {
    pub(crate) async fn replace(&self, stream: &Arc<Stream>) -> Result<()> {
        let mut tables = self.tables(stream);
        let mut arrivals = Arrivals::new(&self.services, stream, self.started_at);
        self.create_missing(stream, &mut arrivals, &mut tables, None).await?;
        let selected = self.stop.unless_requested(self.select_all(stream, &mut arrivals)).await;
        // The archives stay known as long as their members are read.
        let Some((selected, _archives)) = selected.transpose()? else { return Ok(()) };
        if selected.is_empty() {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "stream {} selects no files, so there is nothing to replace with",
                    stream.name
                ),
            )
            .with_hint("the table is as it was; `decant plan` says why files are left out"));
        }
        for (name, files) in &selected {
            files.iter().for_each(|it| tables.spellings.see(stream, name, &it.file.key));
        }
        tables.tell_spellings();
        for (name, files) in selected {
            match tables.place(&name).await? {
                Place::Ready(table) => {
                    self.replace_table(stream, &table, files).await?;
                }
                Place::None(qualified, why) => match why.as_ref() {
                    NoTable::Empty => self.note(format!(
                        "table {qualified} was not created: the files for it are empty"
                    )),
                    NoTable::NoMembers => self.note(no_members(&qualified)),
                    NoTable::Failed(error) => {
                        self.fail_all(stream, &qualified, error, files).await?
                    }
                },
            }
        }
        Ok(())
    }

    async fn select_all(
        &self,
        stream: &Stream,
        arrivals: &mut Arrivals,
    ) -> Result<(Selected, Vec<Arc<ArchiveFile>>)> {
        let mut selected = Selected::new();
        let mut archives = Vec::new();
        while let Some(page) = arrivals.next().await? {
            let mut page = VecDeque::from(page);
            while let Some(part) = self.unfold_all(stream, &mut page).await? {
                archives.extend(part.archives);
                let empty = part.empty.len() as u64;
                self.tally.files(|files| {
                    files.listed += empty;
                    files.excluded += empty;
                });
                self.select_page(part.page, &mut selected)?;
            }
        }
        Ok((selected, archives))
    }

    fn select_page(&self, page: Vec<Judged>, selected: &mut Selected) -> Result<()> {
        self.tally.files(|files| files.listed += page.len() as u64);
        for Judged { arrival, verdict } in page {
            match verdict {
                Verdict::Goes(table) => selected.entry(table).or_default().push(arrival),
                Verdict::Excluded(_) => self.tally.files(|files| files.excluded += 1),
                Verdict::Refused(error) => {
                    return Err(error.in_file(arrival.file.location()));
                }
            }
        }
        Ok(())
    }

    async fn replace_table(
        &self,
        stream: &Arc<Stream>,
        table: &Arc<Table>,
        arrivals: Vec<Arrival>,
    ) -> Result<()> {
        let plan = table.plan().await;
        let files = planned(&plan, arrivals);
        let may_be_there = !table.is_new && stream.reload != Reload::Force;
        if may_be_there && self.is_there(stream, &plan, &files).await? {
            self.tally.files(|sum| sum.already_loaded += files.len() as u64);
            return Ok(());
        }
        let bytes = files.iter().map(|file| file.file.size).sum();
        let count = files.len() as u64;
        self.services.observer.observe(Event::Planned { files: count, bytes });
        self.ingest(stream, table).replace(files).await
    }

    /// Whether the table is what replacing it would make of it, as far as that
    /// can be told without reading: the last that happened to it was a replace
    /// by the same rules with exactly these files, and it has as many rows as
    /// that brought.
    async fn is_there(
        &self,
        stream: &Stream,
        plan: &TablePlan,
        files: &[PlannedFile],
    ) -> Result<bool> {
        let Some(digest) = stream.rules_digest() else { return Ok(false) };
        let filter = HistoryFilter {
            table: Some(plan.name().to_owned()),
            status: Some(Status::Loaded),
            limit: Some(files.len() as u64 + 1),
            ..HistoryFilter::default()
        };
        let loaded = self.services.destination.ledger().history(&filter).await?;
        let wanted: HashSet<FileId> = files.iter().map(|file| file.id).collect();
        let last = loaded.first().map(|entry| entry.load_id.clone()).unwrap_or_default();
        let is_same = loaded.len() == wanted.len()
            && last.ends_with(&format!("-{digest}"))
            && loaded.iter().all(|entry| entry.load_id == last && wanted.contains(&entry.id));
        if !is_same {
            return Ok(false);
        }
        let rows = loaded.iter().map(|entry| entry.rows_copied).sum::<u64>();
        Ok(self.services.destination.count_rows(&plan.state.name).await? == rows)
    }

    /// Every file ends with the error that kept its table from being made.
    pub(crate) async fn fail_all(
        &self,
        stream: &Arc<Stream>,
        table: &TableName,
        error: &Error,
        files: Vec<Arrival>,
    ) -> Result<()> {
        let known = self.known(files.iter()).await?;
        for Arrival { file, .. } in files {
            let id = FileId::of(&table.to_string(), &file);
            let own = known.row(&file, &table.to_string());
            let was_skipped = own.is_some_and(|entry| entry.status == Status::Skipped);
            if was_skipped && stream.reload == Reload::None {
                self.tally.files(|files| files.already_loaded += 1);
                continue;
            }
            let attempts = own.map_or(0, |entry| entry.attempts);
            let failure = error.told_of(&file.location());
            let status = self.status_without_table(stream, error, &file).await?;
            let counts = status != Status::Failed
                || attempts < stream.max_attempts
                || stream.reload != Reload::None;
            if counts {
                let settlement = decant_core::ledger::Settlement {
                    id,
                    target_table: table.to_string(),
                    stream: stream.name.clone(),
                    run_id: self.id.clone(),
                    status,
                    error: error.chain(),
                    processing_seconds: 0.0,
                    rejects: Vec::new(),
                    file: file.clone(),
                };
                self.services.destination.ledger().settle(&settlement).await?;
            }
            count_bad_end(&self.tally, status, &failure);
        }
        Ok(())
    }

    /// How a file ends whose table could not be made: as the policy wants it,
    /// unless the reason is that the file is gone.
    async fn status_without_table(
        &self,
        stream: &Stream,
        error: &Error,
        file: &FileVersion,
    ) -> Result<Status> {
        let is_gone =
            error.kind() == ErrorKind::NotFound && self.services.present(file).await?.is_none();
        Ok(if is_gone { Status::Vanished } else { bad_end(stream.on_error, error) })
    }
}

fn planned(plan: &TablePlan, arrivals: Vec<Arrival>) -> Vec<PlannedFile> {
    let table = plan.name();
    arrivals
        .into_iter()
        .map(|arrival| PlannedFile {
            id: FileId::of(table, &arrival.file),
            file: arrival.file,
            receipt: arrival.receipt,
            displaces: Vec::new(),
            only_version: false,
            again: true,
            upheld: Vec::new(),
            part: None,
        })
        .collect()
}

impl Ingest {
    async fn replace(&self, mut files: Vec<PlannedFile>) -> Result<()> {
        let mut retry = Retry::until(&self.decoder.stop);
        for _ in 0..ROUNDS_MAX {
            let plan = self.table.plan().await;
            match self.replace_once(&files, &plan).await {
                Ok(Replaced::Committed(progress)) => {
                    progress.iter().for_each(|progress| self.count(progress, &plan));
                    let count = files.len() as u64;
                    self.decoder.services.observer.observe(Event::Settled { files: count });
                    return Ok(());
                }
                Ok(Replaced::SchemaChanged) => self.table.look_again().await?,
                Ok(Replaced::Undecoded(file, Undecoded::NewColumns(new))) => {
                    self.extend(&file, &new).await?;
                }
                Ok(Replaced::Undecoded(file, Undecoded::Contradicted(columns))) => {
                    match self.widen(&file, columns).await {
                        Ok(upheld) => {
                            let same = files.iter_mut().filter(|known| known.id == file.id);
                            same.for_each(|known| known.upheld.clone_from(&upheld));
                        }
                        Err(error) => return self.kept_as_it_was(&file, error.into()).await,
                    }
                }
                Ok(Replaced::Undecoded(file, undecoded)) => {
                    return self.kept_as_it_was(&file, undecoded).await;
                }
                Err(error) => {
                    if let Err(error) = retry.pause(error).await {
                        return Err(self.located_among(error, &files, &plan).await);
                    }
                }
            }
        }
        Err(Error::new(ErrorKind::Conflict, "the table keeps changing while it is being replaced"))
    }

    async fn replace_once(&self, files: &[PlannedFile], plan: &Arc<TablePlan>) -> Result<Replaced> {
        let load_plan = LoadPlan {
            load_id: self.replace_id(),
            run_id: self.run_id.clone(),
            table: plan.state.name.clone(),
            schema: plan.schema.clone(),
            mode: LoadMode::Replace,
            files: files.iter().map(|file| self.load_file(file)).collect(),
        };
        let Begun::Ready { mut load, .. } = self.destination.begin(load_plan).await? else {
            return Ok(Replaced::SchemaChanged);
        };
        let mut writer = load.writer().await?;
        let mut progress = Vec::with_capacity(files.len());
        for file in files {
            match self.write_file(writer.as_mut(), file, plan).await {
                Ok(Ok(done)) => progress.push(done),
                Ok(Err(undecoded)) => {
                    abandon(writer, load).await?;
                    return Ok(Replaced::Undecoded(Box::new(file.clone()), undecoded));
                }
                Err(error) => {
                    abandon(writer, load).await?;
                    return Err(error);
                }
            }
        }
        if let Err(error) = self.refuse_late(writer.as_mut()).await {
            abandon(writer, load).await?;
            return Err(error);
        }
        let part = writer.finish().await?;
        let totals: Vec<FileTotals> = progress.iter().map(FileProgress::totals).collect();
        for outcome in load.commit(vec![part], totals).await? {
            match outcome {
                Outcome::Committed | Outcome::AlreadyLoaded => {}
                Outcome::SchemaChanged | Outcome::Overtaken => {
                    return Ok(Replaced::SchemaChanged);
                }
                Outcome::Failed(error) => return Err(error),
            }
        }
        Ok(Replaced::Committed(progress))
    }

    /// Names the transaction, and by which rules it was made.
    fn replace_id(&self) -> String {
        match self.stream.rules_digest() {
            Some(digest) => format!("{}-{digest}", new_load_id()),
            None => new_load_id(),
        }
    }

    async fn write_file(
        &self,
        writer: &mut dyn Writer,
        file: &PlannedFile,
        plan: &Arc<TablePlan>,
    ) -> Result<Result<FileProgress, Undecoded>> {
        let mut decoding =
            match self.decoder.stream(&file.file, file.piece(), plan, self.progress(file)).await {
                Ok(decoding) => decoding,
                Err(undecoded) => return Ok(Err(undecoded)),
            };
        let first = decoding.next().await;
        let mut refusals = Refusals::default();
        self.write_steps(writer, file, plan, (first, &mut decoding), &mut refusals).await?;
        Ok(decoding.end().await.and_then(|progress| without(progress, &refusals)))
    }

    /// A replace is not begun again for rows that are refused late.
    async fn refuse_late(&self, writer: &mut dyn Writer) -> Result<()> {
        let mut late = LateRefusals::default();
        match self.asked_for_late(writer, &mut late).await? {
            false => Ok(()),
            true => Err(late.error()),
        }
    }

    /// One bad file: the table is as it was, and the file has failed.
    async fn kept_as_it_was(&self, file: &PlannedFile, undecoded: Undecoded) -> Result<()> {
        let failure = match undecoded {
            Undecoded::Failed(failure) => failure,
            Undecoded::Abandoned
            | Undecoded::TooLarge
            | Undecoded::NewColumns(_)
            | Undecoded::Contradicted(_) => return Ok(()),
        };
        self.tally.note(format!(
            "table {} is as it was: a replace needs every one of its files",
            self.table.plan().await.name()
        ));
        self.settle(file, failure, &mut Vec::new()).await
    }
}

async fn abandon(writer: Box<dyn Writer>, load: Box<dyn Load>) -> Result<()> {
    drop(writer);
    load.abort().await
}
