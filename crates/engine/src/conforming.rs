//! How what is decoded fits the table: a file's columns are matched with the
//! table's as they are announced, and its batches conformed; what stands in the
//! way ends the decoding and is remembered.
//!
//! Not here: on which thread that happens, and where the rows go.

use std::sync::Arc;

use decant_core::conform::{Conform, Drift, Mismatch};
use decant_core::format::{DecodedBatch, FileColumns, Piece, PlacesWanted, Wishes};
use decant_core::layout::Layout;
use decant_core::{Error, ErrorKind, Result};

use crate::file_progress::{FileBatch, FileFailure, FileProgress, Undecoded};
use crate::refusals::Refusing;
use crate::tables::TablePlan;

/// How columns of a file go into the table of a plan.
#[derive(Debug)]
pub(crate) struct Matched {
    columns: FileColumns,
    pub(crate) conform: Conform,
    layout: Arc<Layout>,
}

/// Makes decoded rows fit the table, and remembers why decoding was ended.
pub(crate) struct Conforming {
    plan: Arc<TablePlan>,
    pub(crate) progress: FileProgress,
    places: PlacesWanted,
    /// Whether other rows of the file are decoded elsewhere.
    is_part: bool,
    matched: Option<Arc<Matched>>,
    /// How those of this or the last file began, which the next may do too.
    pub(crate) likely: Option<Arc<Matched>>,
    /// Why the receiver ended the decoding. The error that travels through
    /// the format only says that it did.
    ended: Option<Undecoded>,
}

impl Conforming {
    pub(crate) fn new(
        plan: &Arc<TablePlan>,
        progress: FileProgress,
        places: PlacesWanted,
        likely: Option<Arc<Matched>>,
    ) -> Self {
        let plan = Arc::clone(plan);
        Self { plan, progress, places, is_part: false, matched: None, likely, ended: None }
    }

    /// The same for a piece of a file of so many bytes.
    pub(crate) fn of_piece(mut self, piece: &Piece, size: u64) -> Self {
        self.is_part = *piece != Piece::whole(size);
        self
    }

    pub(crate) fn columns(&mut self, columns: &FileColumns) -> Result<Arc<Matched>> {
        self.progress.keep_shown(&columns.shown);
        // Columns that come late go by those before them.
        let is_first = self.matched.is_none();
        let same = self.likely.as_ref().filter(|likely| is_first && likely.columns == *columns);
        let matched = match same {
            Some(matched) => Arc::clone(matched),
            None => Arc::new(self.matched_anew(columns)?),
        };
        self.progress.keep_layout(Arc::clone(&matched.layout));
        self.matched = Some(Arc::clone(&matched));
        if is_first {
            self.likely = Some(Arc::clone(&matched));
        }
        Ok(matched)
    }

    fn matched_anew(&mut self, columns: &FileColumns) -> Result<Matched> {
        let layout = Arc::new(self.plan.layout(columns));
        // A file that is refused keeps it too.
        self.progress.keep_layout(Arc::clone(&layout));
        let before = self.matched.as_ref().map(|matched| &matched.conform);
        match self.plan.conform(columns, before) {
            Ok(conform) => Ok(Matched { columns: columns.clone(), conform, layout }),
            Err(Mismatch::NewColumns(new)) => Err(self.ends(Undecoded::NewColumns(new))),
            Err(Mismatch::Refused(error)) => {
                let failure = self.progress.failure(error);
                Err(self.ends(Undecoded::Failed(failure)))
            }
        }
    }

    pub(crate) fn batch(&mut self, decoded: DecodedBatch) -> Result<FileBatch> {
        let Some(Matched { columns, conform, .. }) = self.matched.as_deref() else {
            return Err(Error::new(ErrorKind::Internal, "a batch came before its columns"));
        };
        let names = &columns.names;
        let mut contradictions = self.plan.contradictions(conform, names, &decoded.rejects);
        contradictions.retain(|contradiction| !self.progress.upholds(contradiction));
        if !contradictions.is_empty() {
            return Err(self.ends(Undecoded::Contradicted(contradictions)));
        }
        match self.progress.accept(conform, decoded) {
            Ok(batch) => Ok(batch),
            Err(failure) => Err(self.ends(Undecoded::Failed(failure))),
        }
    }

    /// What to ask of the format.
    pub(crate) fn wishes(&self, conform: &Conform) -> Wishes {
        let mut wishes = conform.wishes();
        wishes.places = wishes.places.max(self.places);
        if self.progress.refusing() == Refusing::Rejects {
            wishes.places = PlacesWanted::Raw;
        }
        wishes
    }

    fn check_complete(&self) -> Result<()> {
        let Some(matched) = &self.matched else { return Ok(()) };
        let complete = self.plan.check_complete(&matched.conform);
        match self.is_part && matched.columns.may_grow() {
            true => complete.map_err(unknown_of_parts),
            false => complete,
        }
    }

    /// How the columns known so far differ from the table's. What the rows of
    /// a part lack may be elsewhere in its file.
    pub(crate) fn drift(&self) -> Vec<Drift> {
        let Some(Matched { columns, conform, .. }) = self.matched.as_deref() else {
            return Vec::new();
        };
        let mut drift = conform.drift.clone();
        if self.is_part && columns.may_grow() {
            drift.retain(|drift| !matches!(drift, Drift::Missing(_)));
        }
        drift
    }

    pub(crate) fn ends(&mut self, why: Undecoded) -> Error {
        self.ended = Some(why);
        Error::new(ErrorKind::Internal, "the decoding was ended")
    }

    pub(crate) fn end(mut self, decoded: Result<()>) -> Result<FileProgress, Undecoded> {
        if let Some(why) = self.ended {
            return Err(why);
        }
        if let Err(error) = decoded {
            return Err(Undecoded::Failed(self.progress.failure(error)));
        }
        if let Err(error) = self.check_complete() {
            return Err(Undecoded::Failed(self.progress.failure(error)));
        }
        self.progress.finish().map_err(Undecoded::Failed)?;
        Ok(self.progress)
    }
}

/// Columns have to be in every file, and some are not in a part of one.
fn unknown_of_parts(lacking: Error) -> Error {
    let message = "rows of one of its chunks lack columns; whether the file has them is not known \
                   before all of its rows are read";
    Error::new(ErrorKind::Unsupported, message).caused_by(lacking).with_hint(
        "load it anew as a whole (`--atomic file --force`), or let columns that are missing be \
         NULL with `missing_columns: null`",
    )
}

/// So that a failure can be handed on as it is.
impl From<FileFailure> for Undecoded {
    fn from(failure: FileFailure) -> Self {
        Self::Failed(failure)
    }
}
