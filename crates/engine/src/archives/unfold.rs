//! Archives among the arrivals become their members.
//!
//! An archive that the ledger has whole is not opened. One that cannot be
//! opened ends by its own name, as a file that cannot be read does.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use decant_core::archive::members_checksum;
use decant_core::decide::Decision;
use decant_core::ledger::{KnownFile, Status};
use decant_core::{
    Arrival, Error, ErrorKind, FileId, FileVersion, Receipt, Result, Stream, TableName,
};
use futures::{StreamExt, stream};

use super::row::{has_left_overs, row_of, settled_members, vanished_members};
use super::shares::Sharing;
use super::{ArchiveFile, Opened};
use crate::arrivals::{Arrivals, Judged, Verdict};
use crate::decisions::{Known, decide_on};
use crate::file_progress::FileFailure;
use crate::ingest::PlannedFile;
use crate::pipeline::Run;
use crate::sampling::Candidates;
use crate::tables::{Place, Table, Tables};

/// Archives that are opened for one part of a page at most.
const ARCHIVES_TOGETHER: usize = 16;
/// Archives that are opened at the same time.
const OPENED_TOGETHER: usize = 4;
/// How often an archive may be overwritten while it is opened.
const OVERWRITES_MAX: usize = 8;

/// Part of a page, its archives replaced by their members.
#[derive(Default)]
pub(crate) struct Unfolded {
    pub(crate) page: Vec<Judged>,
    /// Archives that have no members.
    pub(crate) empty: Vec<Judged>,
    /// Keeps the members readable.
    pub(crate) archives: Vec<Arc<ArchiveFile>>,
}

/// An archive, open.
struct Open {
    arrival: Arrival,
    archive: Arc<ArchiveFile>,
    opened: Arc<Opened>,
}

impl Run {
    /// The next part of `page` with every archive opened; `None` at its end.
    /// One that cannot be opened is refused.
    pub(crate) async fn unfold_all(
        &self,
        stream: &Stream,
        page: &mut VecDeque<Judged>,
    ) -> Result<Option<Unfolded>> {
        let Some(part) = self.next_part(stream, page)? else { return Ok(None) };
        let opening = part.into_iter().map(|judged| async move {
            match &judged.verdict {
                Verdict::Goes(_) => {
                    let opened = self.open_archive(stream, judged.arrival.clone()).await;
                    (judged, opened)
                }
                Verdict::Excluded(_) | Verdict::Refused(_) => (judged, Ok(None)),
            }
        });
        let mut opening = stream::iter(opening).buffered(OPENED_TOGETHER);
        let mut unfolded = Unfolded::default();
        while let Some((judged, opened)) = opening.next().await {
            match (opened, &judged.verdict) {
                (Ok(Some(open)), Verdict::Goes(_)) if open.opened.members().is_empty() => {
                    unfolded.empty.push(judged);
                }
                (Ok(Some(open)), Verdict::Goes(table)) => {
                    unfolded.page.extend(members(stream, &open, table, &Receipt::None));
                    unfolded.archives.push(open.archive);
                }
                (Ok(_), _) => unfolded.page.push(judged),
                (Err(error), _) => {
                    unfolded.page.push(Judged { verdict: Verdict::Refused(error), ..judged });
                }
            }
        }
        Ok(Some(unfolded))
    }

    /// The next part of `page`, with the members of those archives that the
    /// ledger does not have whole; `None` at its end. What became of the
    /// others is counted.
    pub(crate) async fn unfold_new(
        &self,
        stream: &Arc<Stream>,
        page: &mut VecDeque<Judged>,
        tables: &mut Tables,
        arrivals: &mut Arrivals,
    ) -> Result<Option<Vec<Judged>>> {
        let Some(part) = self.next_part(stream, page)? else { return Ok(None) };
        let is_archive = |judged: &&Judged| self.is_archive(stream, judged);
        if !part.iter().any(|judged| is_archive(&judged)) {
            return Ok(Some(part));
        }
        let known = self.known(part.iter().filter(is_archive).map(|one| &one.arrival)).await?;
        let mut unfolded = Vec::new();
        let mut new = Vec::new();
        for judged in part {
            match self.new_archive(stream, &judged, tables, &known).await? {
                Some((name, table)) => new.push((judged.arrival, name, table)),
                None if self.is_whole(stream, &judged, tables, &known).await? => {
                    self.acknowledge(stream, arrivals, &[judged.arrival.receipt]).await?;
                }
                None => unfolded.push(judged),
            }
        }
        let opening = new.into_iter().map(|(arrival, name, table)| async move {
            let opened = self.open_archive(stream, arrival.clone()).await;
            (arrival, name, table, opened)
        });
        let mut opening = stream::iter(opening).buffered(OPENED_TOGETHER);
        while let Some((arrival, name, table, opened)) = opening.next().await {
            match opened {
                Ok(Some(open)) => {
                    let members = self.share(stream, open, &name, table, &known, arrivals).await?;
                    unfolded.extend(members);
                }
                Ok(None) => {}
                Err(error) => self.end_archive(stream, &table, arrival, error, arrivals).await?,
            }
        }
        // In the order of their keys, as they were listed.
        unfolded.sort_by(|one, other| one.arrival.file.key.cmp(&other.arrival.file.key));
        Ok(Some(unfolded))
    }

    /// The members of the archives among `files`, to look at: as if they had
    /// been listed.
    pub(crate) async fn with_members(
        &self,
        stream: &Stream,
        files: Vec<FileVersion>,
    ) -> Result<(Vec<FileVersion>, Vec<Arc<ArchiveFile>>)> {
        let options = &stream.format;
        if !files.iter().any(|file| self.archives.is_archive(file, options).unwrap_or(false)) {
            return Ok((files, Vec::new()));
        }
        let (mut candidates, mut archives) = (Candidates::default(), Vec::new());
        let mut first_error = None;
        for file in files {
            let arrival = Arrival { file: file.clone(), receipt: Receipt::None };
            match self.open_archive(stream, arrival).await {
                Ok(None) => candidates.offer(&file),
                Ok(Some(open)) => {
                    let members = open.opened.members().iter();
                    members
                        .filter(|one| stream.selection.judge_member(&file.key, one).is_none())
                        .for_each(|one| candidates.offer(&member_of(&open.arrival.file, one)));
                    archives.push(open.archive);
                }
                Err(error) => {
                    tracing::warn!(error = %error.chain(), "an archive cannot be looked at");
                    first_error.get_or_insert(error);
                }
            }
        }
        let chosen = candidates.chosen();
        match first_error {
            Some(error) if chosen.is_empty() => Err(error),
            _ => Ok((chosen, archives)),
        }
    }

    /// As much of `page` as has not too many archives to open together.
    fn next_part(
        &self,
        stream: &Stream,
        page: &mut VecDeque<Judged>,
    ) -> Result<Option<Vec<Judged>>> {
        let mut part = Vec::new();
        let mut archives = 0;
        while let Some(judged) = page.pop_front() {
            archives += usize::from(self.is_archive(stream, &judged));
            part.push(judged);
            if archives >= ARCHIVES_TOGETHER {
                break;
            }
        }
        Ok((!part.is_empty()).then_some(part))
    }

    fn is_archive(&self, stream: &Stream, judged: &Judged) -> bool {
        // An error shows again, as the file's own, when it is opened.
        matches!(judged.verdict, Verdict::Goes(_))
            && self.archives.is_archive(&judged.arrival.file, &stream.format).unwrap_or(true)
    }

    /// The table of an archive that must be opened.
    async fn new_archive(
        &self,
        stream: &Stream,
        judged: &Judged,
        tables: &mut Tables,
        known: &Known,
    ) -> Result<Option<(TableName, Arc<Table>)>> {
        let Verdict::Goes(name) = &judged.verdict else { return Ok(None) };
        if !self.is_archive(stream, judged) {
            return Ok(None);
        }
        let Place::Ready(table) = tables.place(name).await? else { return Ok(None) };
        let plan = table.plan().await;
        let is_new = match decide_on(&plan, &judged.arrival, known).1 {
            Decision::Load { .. } => true,
            Decision::Settled(Status::Loaded) => {
                let row = known.row(&judged.arrival.file, plan.name());
                let members = settled_members(&judged.arrival, plan.name(), known, stream);
                row.and_then(|row| row.rows_checksum) != Some(members.checksum)
                    || has_left_overs(&judged.arrival, &plan, known, stream)
            }
            Decision::Settled(status) => status != Status::Skipped,
            Decision::GaveUp { .. } | Decision::ChangeIgnored | Decision::Refused(_) => false,
        };
        Ok(is_new.then(|| (name.clone(), table)))
    }

    /// Whether the ledger has the archive with all of its members; they are
    /// counted then.
    async fn is_whole(
        &self,
        stream: &Stream,
        judged: &Judged,
        tables: &mut Tables,
        known: &Known,
    ) -> Result<bool> {
        let Verdict::Goes(name) = &judged.verdict else { return Ok(false) };
        if !self.is_archive(stream, judged) {
            return Ok(false);
        }
        let Place::Ready(table) = tables.place(name).await? else { return Ok(false) };
        let plan = table.plan().await;
        let decision = decide_on(&plan, &judged.arrival, known).1;
        if !matches!(decision, Decision::Settled(Status::Loaded)) {
            return Ok(false);
        }
        let members = settled_members(&judged.arrival, plan.name(), known, stream).count;
        // One that has nothing for the table counts as itself.
        let count = members.max(1);
        self.tally.files(|files| {
            files.listed += count;
            files.already_loaded += count;
        });
        Ok(true)
    }

    /// Opens an archive; as what it is now, if it was overwritten since it
    /// was listed. `None` for what is no archive.
    async fn open_archive(&self, stream: &Stream, mut arrival: Arrival) -> Result<Option<Open>> {
        for _ in 0..OVERWRITES_MAX {
            let location = arrival.file.location();
            let named = |error: Error| error.in_file(location.clone());
            let archive = self.archives.archive(&arrival.file, &stream.format);
            let Some(archive) = archive.map_err(&named)? else { return Ok(None) };
            match self.archives.opened(&archive).await {
                Ok(opened) => {
                    for note in opened.notes() {
                        self.tally.note(format!("{location}: {note}"));
                    }
                    return Ok(Some(Open { arrival, archive, opened }));
                }
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    match self.services.present(&arrival.file).await? {
                        Some(now) if now.file != arrival.file => arrival.file = now.file,
                        Some(_) => return Err(named(error)),
                        None => {
                            let gone = "was deleted while it was read";
                            return Err(named(Error::new(ErrorKind::NotFound, gone)));
                        }
                    }
                }
                Err(error) => return Err(named(error)),
            }
        }
        let error = Error::new(ErrorKind::Conflict, "the object keeps being overwritten");
        Err(error.in_file(arrival.file.location()))
    }

    /// The members of an archive, each with a share of its receipt. One that
    /// has no members is settled at once.
    async fn share(
        &self,
        stream: &Arc<Stream>,
        open: Open,
        name: &TableName,
        table: Arc<Table>,
        known: &Known,
        arrivals: &mut Arrivals,
    ) -> Result<Vec<Judged>> {
        let plan = table.plan().await;
        let mut judged = members(stream, &open, name, &Receipt::None);
        let ids = judged.iter().filter(|one| matches!(one.verdict, Verdict::Goes(_)));
        let ids: Vec<FileId> = ids.map(|one| FileId::of(plan.name(), &one.arrival.file)).collect();
        let count = ids.len();
        let checksum = members_checksum(ids, &stream.selection.member_rules());
        let own = known.row(&open.arrival.file, plan.name());
        let paths = open.opened.members().iter().map(|member| member.path.as_str());
        let paths: HashSet<&str> = paths.collect();
        let is_present = |file: &KnownFile| paths.contains(file.member.as_str());
        let vanished = vanished_members(&open.arrival, &plan, known, is_present);
        let is_as_it_is = own.and_then(|row| row.rows_checksum) == Some(checksum);
        let decided = decide_on(&plan, &open.arrival, known);
        let mut row = row_of(&open.arrival, decided, is_as_it_is && vanished.is_empty());
        if let Some(row) = &mut row {
            row.displaces.extend(vanished);
        }
        let Open { arrival, archive, .. } = open;
        let is_loaded = row.is_some();
        let sharing = Sharing { row, checksum, table, receipt: arrival.receipt, archive };
        if count == 0 {
            let is_settled = self.settle_archive(stream, arrivals, sharing).await?;
            if judged.is_empty() {
                self.tally.files(|files| match (is_settled, is_loaded) {
                    (true, true) => files.loaded += 1,
                    (true, false) => files.excluded += 1,
                    (false, _) => files.failed += 1,
                });
                self.tally.files(|files| files.listed += 1);
            }
            return Ok(judged);
        }
        let share = arrivals.shares.hand_out(count, sharing);
        judged.iter_mut().for_each(|one| one.arrival.receipt = share.clone());
        Ok(judged)
    }

    /// The end of an archive that could not be opened.
    async fn end_archive(
        &self,
        stream: &Arc<Stream>,
        table: &Arc<Table>,
        arrival: Arrival,
        error: Error,
        arrivals: &mut Arrivals,
    ) -> Result<()> {
        if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::InvalidConfig) {
            return Err(error);
        }
        self.tally.files(|files| files.listed += 1);
        let id = FileId::of(table.plan().await.name(), &arrival.file);
        let Arrival { file, receipt } = arrival;
        let planned = PlannedFile {
            file,
            id,
            receipt,
            displaces: Vec::new(),
            only_version: false,
            again: false,
            upheld: Vec::new(),
            part: None,
        };
        let is_gone = error.kind() == ErrorKind::NotFound;
        let failure: FileFailure = error.into();
        let mut settled = Vec::new();
        let ingest = self.ingest(stream, table);
        match is_gone {
            true => ingest.settle_as(Status::Vanished, &planned, failure, &mut settled).await?,
            false => ingest.settle(&planned, failure, &mut settled).await?,
        }
        self.acknowledge(stream, arrivals, &settled).await
    }
}

/// The members of an archive as if they had been listed.
fn members(stream: &Stream, open: &Open, table: &TableName, receipt: &Receipt) -> Vec<Judged> {
    let archive = &open.arrival.file;
    let judge = |member| match stream.selection.judge_member(&archive.key, member) {
        Some(exclusion) => Verdict::Excluded(exclusion),
        None => Verdict::Goes(table.clone()),
    };
    let members = open.opened.members().iter();
    members
        .map(|member| Judged {
            arrival: Arrival { file: member_of(archive, member), receipt: receipt.clone() },
            verdict: judge(member),
        })
        .collect()
}

fn member_of(archive: &FileVersion, member: &decant_core::Member) -> FileVersion {
    FileVersion { member: member.path.clone(), size: member.size, ..archive.clone() }
}
