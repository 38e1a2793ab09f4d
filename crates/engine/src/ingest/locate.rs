//! Where in its file a row stands that the destination refused.
//!
//! A destination counts rows; only the file knows lines and bytes. So the
//! file is read once more, up to that row: it is only done for an error that
//! somebody is going to read.

use std::sync::Arc;

use decant_core::format::PlacesWanted;
use decant_core::{Error, Position};

use super::{Ingest, PlannedFile};
use crate::decode::{Decoder, Step};
use crate::observer::NoObserver;
use crate::tables::TablePlan;

impl Ingest {
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
        let mut decoder = Decoder { places: PlacesWanted::Positions, ..self.decoder.clone() };
        decoder.counter.observer = Arc::new(NoObserver);
        let mut decoding = decoder.stream(&file.file, plan, self.progress(file)).await.ok()?;
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
