//! Where in its file a row stands that the destination refused, and which
//! other rows it refuses.
//!
//! A destination counts rows; only the file knows lines and bytes. So the
//! file is read once more: it is only done for an error that somebody is
//! going to read.

use std::sync::Arc;
use std::time::Instant;

use decant_core::format::PlacesWanted;
use decant_core::ledger::REJECTS_KEPT;
use decant_core::{Begun, Error, ErrorKind, Position, Reject, Result, Writer};

use super::{Ingest, PlannedFile};
use crate::decode::{Decoder, Decoding, Step};
use crate::file_progress::FileFailure;
use crate::observer::NoObserver;
use crate::refusals::{LateRefusals, Refusals, Refusing};
use crate::tables::TablePlan;

impl Ingest {
    /// The failure of a file that the destination did not take, with the
    /// first of the rows that it refuses.
    pub(crate) async fn refused_by_destination(
        &self,
        error: Error,
        started: Instant,
        file: &PlannedFile,
        plan: &Arc<TablePlan>,
    ) -> FileFailure {
        let mut rejects = Vec::new();
        if error.kind() == ErrorKind::RejectedRows {
            // What cannot be found out is left unsaid: the error stands.
            rejects = self.refused_rows(file, plan).await.unwrap_or_default();
        }
        let error = match rejects.first() {
            None => self.located(error, file, plan).await,
            Some(Reject { line, byte_offset, column, .. }) => error.at(Position {
                file: file.file.location(),
                line: *line,
                byte: *byte_offset,
                column: column.clone(),
            }),
        };
        FileFailure { rejects, ..FileFailure::after(started, error) }
    }

    /// The first rows that the destination refuses, found by a load that is
    /// given up.
    async fn refused_rows(&self, file: &PlannedFile, plan: &Arc<TablePlan>) -> Result<Vec<Reject>> {
        let mut late = LateRefusals::default();
        loop {
            let mut refusals = late.of(file.id);
            let Some(mut decoding) = self.read_again(file, plan, PlacesWanted::Raw).await else {
                return Ok(Vec::new());
            };
            let begun = self.destination.begin(self.load_plan(&[file], plan)).await?;
            let Begun::Ready { mut load, already_loaded, overtaken } = begun else {
                return Ok(Vec::new());
            };
            let mut writer = load.writer().await?;
            let mut is_late = false;
            let mut written = Ok(());
            if !already_loaded.contains(&file.id) && !overtaken.contains(&file.id) {
                written = try_steps(writer.as_mut(), file, &mut decoding, &mut refusals).await;
                if written.is_ok() && refusals.first.is_empty() {
                    is_late = late.ask(writer.as_mut()).await.unwrap_or(false);
                }
            }
            drop(writer);
            load.abort().await?;
            written?;
            if !is_late {
                return Ok(refusals.first);
            }
        }
    }

    async fn read_again(
        &self,
        file: &PlannedFile,
        plan: &Arc<TablePlan>,
        places: PlacesWanted,
    ) -> Option<Decoding> {
        let mut decoder = Decoder { places, ..self.decoder.clone() };
        decoder.counter.observer = Arc::new(NoObserver);
        decoder.stream(&file.file, file.piece(), plan, self.progress(file)).await.ok()
    }

    /// The error with the place of the row that it is about, where that is
    /// known; with the file in any case.
    pub(crate) async fn located(
        &self,
        error: Error,
        file: &PlannedFile,
        plan: &Arc<TablePlan>,
    ) -> Error {
        let is_of_this = error.fact("file_id") == Some(file.id.to_string().as_str());
        let row = error.fact("row").filter(|_| is_of_this).and_then(|row| row.parse().ok());
        let place = match row {
            Some(row) => self.place_of(row, file, plan).await,
            None => None,
        };
        let known = error.position().and_then(|position| position.column.clone());
        let column = known.or_else(|| error.fact("column").map(str::to_owned));
        match place {
            Some((line, byte)) => {
                error.at(Position { file: file.file.location(), line, byte, column })
            }
            None => error.in_file(file.file.location()),
        }
    }

    /// The same where the destination named one of several files.
    pub(crate) async fn located_among(
        &self,
        error: Error,
        files: &[PlannedFile],
        plan: &Arc<TablePlan>,
    ) -> Error {
        let named = error.fact("file_id").map(str::to_owned);
        match files.iter().find(|file| named == Some(file.id.to_string())) {
            Some(file) => self.located(error, file, plan).await,
            None => error,
        }
    }

    /// Line and byte of a good row, by its number from 1.
    async fn place_of(
        &self,
        row: u64,
        file: &PlannedFile,
        plan: &Arc<TablePlan>,
    ) -> Option<(Option<u64>, Option<u64>)> {
        let mut decoding = self.read_again(file, plan, PlacesWanted::Positions).await?;
        let mut before = 0;
        while let Some(step) = decoding.next().await {
            let Step::Rows(batch) = step else { continue };
            let rows = batch.batch.num_rows() as u64;
            if let Some(index) = row.checked_sub(before + 1).filter(|index| *index < rows) {
                let index = usize::try_from(index).ok()?;
                let places = &batch.places;
                let line = places.lines.get(index).copied();
                return Some((line, places.byte_offsets.get(index).copied()));
            }
            before += rows;
        }
        None
    }
}

/// Writes rows until as many are refused as are kept.
async fn try_steps(
    writer: &mut dyn Writer,
    file: &PlannedFile,
    decoding: &mut Decoding,
    refusals: &mut Refusals,
) -> Result<()> {
    while let Some(step) = decoding.next().await {
        match step {
            Step::Columns(columns, _) => writer.start_file(file.id, &columns).await?,
            Step::Rows(batch) => refusals.write(writer, batch, Refusing::Rejects).await?,
        }
        if refusals.first.len() >= REJECTS_KEPT {
            return Ok(());
        }
    }
    Ok(())
}
