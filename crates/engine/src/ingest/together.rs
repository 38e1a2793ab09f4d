//! Files that share a transaction: decoded before it begins, found by
//! bisection when the database refuses one of them.

use std::collections::HashMap;
use std::sync::Arc;

use decant_core::destination::FileTotals;
use decant_core::{Begun, Error, ErrorKind, FileId, Receipt, Result, Writer};

use super::{FileEnd, Ingest, PlannedFile, good_ends};
use crate::decode::WholeFile;
use crate::file_progress::{FileFailure, FileProgress};
use crate::refusals::{LateRefusals, Refusing};
use crate::retry::{ATTEMPTS_MAX, Retry};
use crate::tables::TablePlan;

/// A file with all of its rows.
pub(super) type Decoded = (PlannedFile, WholeFile);

/// What became of a transaction.
enum Attempt {
    /// One outcome a file, in order: whether it was this load's doing, and
    /// what it brought if so.
    Done(Vec<(FileEnd, Option<FileProgress>)>),
    /// The database refused more rows of this file than is allowed.
    Refused(FileId, FileFailure),
    /// Rows were refused once all were there: again, without them.
    Late,
    /// The table is not what it was: plan again.
    SchemaChanged,
}

/// How far the writing of files came.
enum Written {
    Whole,
    /// The database refused more rows of this file than is allowed.
    Refused(FileId, FileFailure),
    Late,
}

impl Ingest {
    /// Commits decoded files in one transaction; when the database refuses
    /// it, in two halves, until the file at fault stands alone.
    pub(super) async fn commit_held(
        &self,
        held: Vec<Decoded>,
        plan: &Arc<TablePlan>,
        settled: &mut Vec<Receipt>,
    ) -> Result<Vec<PlannedFile>> {
        self.commit_or_halve(held, plan, ATTEMPTS_MAX, settled).await
    }

    async fn commit_or_halve(
        &self,
        mut held: Vec<Decoded>,
        plan: &Arc<TablePlan>,
        attempts_max: u32,
        settled: &mut Vec<Receipt>,
    ) -> Result<Vec<PlannedFile>> {
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let error = match self.commit_patiently(&held, plan, attempts_max).await {
            Ok(Attempt::Done(ends)) => {
                self.record(&held, &ends, plan, settled);
                return self.overtaken_among(held, &ends, settled).await;
            }
            Ok(Attempt::Refused(id, failure)) => {
                if let Some(at) = held.iter().position(|(file, _)| file.id == id) {
                    let (file, _) = held.remove(at);
                    self.settle(&file, failure, settled).await?;
                }
                return Box::pin(self.commit_or_halve(held, plan, attempts_max, settled)).await;
            }
            Ok(Attempt::SchemaChanged | Attempt::Late) => {
                self.table.look_again().await?;
                return Ok(held.into_iter().map(|(file, _)| file).collect());
            }
            Err(error) => error,
        };
        if self.ends_the_run(&error, plan).await {
            return Err(error);
        }
        if held.len() == 1 || !may_be_one_files_fault(&error) {
            self.refused(&held, &error, plan, settled).await?;
            return Ok(Vec::new());
        }
        let mut first = held;
        let second = first.split_off(first.len() / 2);
        let mut again = Vec::new();
        for half in [first, second] {
            let attempts_max = attempts_of_half(&half, &error, attempts_max);
            let halved = self.commit_or_halve(half, plan, attempts_max, settled);
            again.extend(Box::pin(halved).await?);
        }
        Ok(again)
    }

    /// Settles files that the destination did not take, all for one error.
    async fn refused(
        &self,
        held: &[Decoded],
        error: &Error,
        plan: &Arc<TablePlan>,
        settled: &mut Vec<Receipt>,
    ) -> Result<()> {
        let message = error.chain();
        for (file, whole) in held {
            let (copy, started) = (copy_of(error, &message), whole.progress.started());
            let failure = self.refused_by_destination(copy, started, file, plan).await;
            self.settle(file, failure, settled).await?;
        }
        Ok(())
    }

    /// What comes of those files that others have loaded another version of.
    async fn overtaken_among(
        &self,
        held: Vec<Decoded>,
        ends: &[(FileEnd, Option<FileProgress>)],
        settled: &mut Vec<Receipt>,
    ) -> Result<Vec<PlannedFile>> {
        let mut again = Vec::new();
        for ((file, _), (end, _)) in held.into_iter().zip(ends) {
            if *end == FileEnd::Overtaken {
                again.extend(self.overtaken(file, settled).await?);
            }
        }
        Ok(again)
    }

    async fn commit_patiently(
        &self,
        held: &[Decoded],
        plan: &Arc<TablePlan>,
        attempts_max: u32,
    ) -> Result<Attempt> {
        let mut retry = Retry::until(&self.decoder.stop).at_most(attempts_max);
        let mut late = LateRefusals::default();
        loop {
            match self.commit_once(held, plan, &mut late).await {
                Ok(Attempt::Late) => {}
                Err(error) => retry.pause(error).await?,
                done => return done,
            }
        }
    }

    async fn commit_once(
        &self,
        held: &[Decoded],
        plan: &Arc<TablePlan>,
        late: &mut LateRefusals,
    ) -> Result<Attempt> {
        let files: Vec<&PlannedFile> = held.iter().map(|(file, _)| file).collect();
        let begun = self.destination.begin(self.load_plan(&files, plan)).await?;
        let Begun::Ready { mut load, already_loaded, overtaken } = begun else {
            return Ok(Attempt::SchemaChanged);
        };
        let is_ours = |id: &FileId| !already_loaded.contains(id) && !overtaken.contains(id);
        let ours: Vec<&Decoded> = held.iter().filter(|(file, _)| is_ours(&file.id)).collect();
        let mut parts = Vec::new();
        let mut brought: Vec<FileProgress> =
            ours.iter().map(|(_, whole)| whole.progress.clone()).collect();
        if ours.iter().any(|(_, whole)| !whole.batches.is_empty()) {
            let mut writer = load.writer().await?;
            let unwritten = match write_whole(writer.as_mut(), &ours, &mut brought, late).await {
                Ok(Written::Whole) => None,
                Ok(Written::Refused(id, failure)) => Some(Ok(Attempt::Refused(id, failure))),
                Ok(Written::Late) => Some(Ok(Attempt::Late)),
                Err(error) => Some(Err(error)),
            };
            if let Some(unwritten) = unwritten {
                drop(writer);
                load.abort().await?;
                return unwritten;
            }
            parts.push(writer.finish().await?);
        }
        let totals: Vec<FileTotals> = brought.iter().map(FileProgress::totals).collect();
        let ids: Vec<FileId> = totals.iter().map(|totals| totals.id).collect();
        let ends = good_ends(&ids, load.commit(parts, totals).await?)?;
        let Some(ends) = ends else { return Ok(Attempt::SchemaChanged) };
        let mut ours: HashMap<FileId, (FileEnd, FileProgress)> =
            ids.into_iter().zip(ends.into_iter().zip(brought)).collect();
        let end_of = |(file, _): &Decoded| match ours.remove(&file.id) {
            Some((end, progress)) => (end, Some(progress)),
            None if overtaken.contains(&file.id) => (FileEnd::Overtaken, None),
            None => (FileEnd::AlreadyLoaded, None),
        };
        Ok(Attempt::Done(held.iter().map(end_of).collect()))
    }
}

/// Writes files whole, and counts what of them the destination took.
async fn write_whole(
    writer: &mut dyn Writer,
    files: &[&Decoded],
    brought: &mut [FileProgress],
    late: &mut LateRefusals,
) -> Result<Written> {
    let mut rejects = false;
    for ((file, whole), progress) in files.iter().zip(brought) {
        let mut started: Option<&[usize]> = None;
        let mut refusals = late.of(file.id);
        rejects |= progress.refusing() == Refusing::Rejects;
        for batch in &whole.batches {
            if started != Some(&*batch.columns) {
                writer.start_file(file.id, &batch.columns).await?;
                started = Some(&batch.columns);
            }
            refusals.write(writer, batch.clone(), progress.refusing()).await?;
        }
        if let Err(failure) = progress.refuse(&refusals) {
            return Ok(Written::Refused(file.id, failure));
        }
    }
    match rejects && late.ask(writer).await? {
        true => Ok(Written::Late),
        false => Ok(Written::Whole),
    }
}

/// What did not pass by waiting is looked for without: each half is tried
/// once, and a file that stands alone twice.
fn attempts_of_half(half: &[Decoded], error: &Error, attempts_max: u32) -> u32 {
    match (error.is_retryable(), half.len()) {
        (true, 1) => 2,
        (true, _) => 1,
        (false, _) => attempts_max,
    }
}

/// Whether the other files of the group might do without this one.
fn may_be_one_files_fault(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::AccessDenied | ErrorKind::NotFound | ErrorKind::Unsupported)
}

/// An error for one more file: errors have one owner.
fn copy_of(error: &Error, message: &str) -> Error {
    let mut copy = Error::new(error.kind(), message);
    for (name, value) in error.context() {
        copy = copy.with(name, value.clone());
    }
    match error.hint() {
        Some(hint) => copy.with_hint(hint),
        None => copy,
    }
}
