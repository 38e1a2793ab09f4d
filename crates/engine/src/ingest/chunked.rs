//! A huge file, committed chunk by chunk over several connections.
//!
//! While one thread cuts the file, the pieces that are missing are loaded: the
//! first alone, since it claims the file and may still widen the table's
//! types, the others as many at a time as the destination takes loads. Each
//! fetches, decodes and commits its own bytes as a file of its own would.
//!
//! Invariant: a chunk that is in is never loaded again; what is in stays when
//! another one fails.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use decant_core::destination::Chunk;
use decant_core::format::Piece;
use decant_core::ledger::LoadedChunk;
use decant_core::stream::{Atomic, TypePolicy};
use decant_core::{Error, ErrorKind, Receipt, Result};
use tokio::task::JoinSet;

use super::admission::Admission;
use super::streamed::Streamed;
use super::{FileEnd, Ingest, Part, PlannedFile};
use crate::decode::Cutting;
use crate::file_progress::{FileProgress, Undecoded};
use crate::refusals::LateRefusals;
use crate::retry::Retry;
use crate::tables::TablePlan;

/// How one chunk ended.
enum ChunkEnd {
    Committed(Box<FileProgress>),
    /// Somebody else has committed it.
    AlreadyLoaded,
    Bad(BadEnd),
}

/// Why a file did not come to its end.
enum BadEnd {
    /// Another version of it was loaded meanwhile, or it was taken back.
    Overtaken,
    Undecoded(Undecoded),
    /// The destination did not take the chunk of this file.
    Refused(Error, Box<PlannedFile>, Instant),
}

/// A file whose chunks are being loaded.
struct Chunks {
    file: PlannedFile,
    chunk_bytes: u64,
    known: Vec<LoadedChunk>,
    admission: Arc<Admission>,
    /// Whether the ledger has the file as `loading`, by what is known here.
    is_open: bool,
    /// What this run brought.
    brought: Option<FileProgress>,
    bad_end: Option<BadEnd>,
}

impl Ingest {
    /// Whether a file is committed in chunks, if it can be cut.
    pub(super) fn is_chunked(&self, file: &PlannedFile) -> bool {
        let chunk_bytes = self.settings.chunk_bytes;
        let is_large = file.file.size > chunk_bytes && file.part.is_none();
        // A range of a member may cost all bytes before it.
        self.stream.atomic == Atomic::Chunk && is_large && file.file.member.is_empty()
    }

    /// Loads what is missing of a file, chunk by chunk; as a whole where it
    /// cannot be cut.
    pub(super) async fn load_in_chunks(
        &self,
        file: PlannedFile,
        plan: &Arc<TablePlan>,
        settled: &mut Vec<Receipt>,
    ) -> Result<Option<PlannedFile>> {
        let known = match file.again {
            true => Vec::new(),
            false => self.destination.ledger().chunks(file.id).await?,
        };
        let chunk_bytes = known.first().map_or(self.settings.chunk_bytes, |it| it.chunk_bytes);
        let Ok(mut cutting) = self.decoder.cut(&file.file, chunk_bytes).await else {
            // What is wrong with the file is said by whoever reads it.
            return self.stream_whole(file, plan, settled).await;
        };
        let whole = 0..file.file.size;
        let first = match self.decoder.stop.unless_requested(cutting.next()).await {
            Some(Some(first)) if first.bytes != whole => first,
            Some(_) => {
                if let Ok(Some(why)) = cutting.end().await {
                    self.tally.note(format!("{}: loaded in one chunk: {why}", file.file));
                }
                return self.stream_whole(file, plan, settled).await;
            }
            None => return Ok(None),
        };
        let mut chunks = Chunks::new(file, chunk_bytes, known, self.stream.max_rejects);
        self.load_pieces(&mut chunks, first, cutting).await;
        self.end_of_chunks(chunks, plan, settled).await
    }

    async fn load_pieces(&self, chunks: &mut Chunks, first: Piece, mut cutting: Cutting) {
        let at_once = self.destination.capabilities().concurrent_loads.max(1);
        let mut next = Some(first);
        let mut loads: JoinSet<ChunkEnd> = JoinSet::new();
        loop {
            while let Some(piece) = next.take() {
                match chunks.part_for(&piece) {
                    Ok(Some(part)) => {
                        let (ingest, freezes) = (self.clone(), chunks.has_rows());
                        loads.spawn(async move { ingest.load_chunk(part, freezes).await });
                    }
                    Ok(None) => {}
                    Err(error) => chunks.fail(BadEnd::Undecoded(error.into())),
                }
                let room = if chunks.is_open { at_once } else { 1 };
                if chunks.bad_end.is_none() && loads.len() < room {
                    next = self.next_piece(&mut cutting).await;
                }
            }
            let Some(ended) = loads.join_next().await else { break };
            chunks.enter(ended.unwrap_or_else(|error| {
                let error = Error::new(ErrorKind::Internal, "a load ended badly").caused_by(error);
                ChunkEnd::Bad(BadEnd::Undecoded(error.into()))
            }));
            if chunks.bad_end.is_none() {
                next = self.next_piece(&mut cutting).await;
            }
        }
        let cut = self.decoder.stop.unless_requested(cutting.end()).await;
        if let (Some(Err(error)), None) = (cut, &chunks.bad_end) {
            let error = error.in_file(chunks.file.file.location());
            chunks.fail(BadEnd::Undecoded(error.into()));
        }
    }

    async fn next_piece(&self, cutting: &mut Cutting) -> Option<Piece> {
        if self.decoder.stop.is_requested() {
            return None;
        }
        self.decoder.stop.unless_requested(cutting.next()).await.flatten()
    }

    /// Loads one chunk, tried again as a whole file would be.
    async fn load_chunk(&self, mut file: PlannedFile, freezes: bool) -> ChunkEnd {
        // Closed by nobody.
        let _permit = Arc::clone(&self.chunk_loads).acquire_owned().await.ok();
        let started = Instant::now();
        let mut retry = Retry::until(&self.decoder.stop);
        let mut late = LateRefusals::default();
        loop {
            let plan = self.plan_of_chunk(freezes).await;
            match self.stream_once(&file, &plan, &mut late).await {
                Ok(Streamed::Late) => {}
                Ok(Streamed::Ended(FileEnd::Committed, Some(progress))) => {
                    return ChunkEnd::Committed(progress);
                }
                Ok(Streamed::Ended(FileEnd::Overtaken, _)) => {
                    return ChunkEnd::Bad(BadEnd::Overtaken);
                }
                Ok(Streamed::Ended(_, progress)) => {
                    if let (Some(part), None) = (&file.part, progress) {
                        part.admission.is_in(part.bytes());
                    }
                    return ChunkEnd::AlreadyLoaded;
                }
                Ok(Streamed::SchemaChanged) => {
                    if let Err(error) = self.table.look_again().await {
                        return ChunkEnd::Bad(BadEnd::Refused(error, Box::new(file), started));
                    }
                }
                Ok(Streamed::Undecoded(undecoded)) => {
                    match self.change_table(&mut file, undecoded).await {
                        Ok(()) => {}
                        Err(undecoded) => return ChunkEnd::Bad(BadEnd::Undecoded(undecoded)),
                    }
                }
                Err(error) => {
                    if let Err(error) = retry.pause(error).await {
                        return ChunkEnd::Bad(BadEnd::Refused(error, Box::new(file), started));
                    }
                }
            }
        }
    }

    /// The table as it is planned now; its types stay once rows of the file
    /// are in.
    async fn plan_of_chunk(&self, freezes: bool) -> Arc<TablePlan> {
        let plan = self.table.plan().await;
        if !freezes {
            return plan;
        }
        let mut frozen = TablePlan::clone(&plan);
        frozen.fit.types = TypePolicy::Frozen;
        Arc::new(frozen)
    }

    /// Gives the table what the chunk needs, if that is why it could not be
    /// decoded.
    async fn change_table(
        &self,
        file: &mut PlannedFile,
        undecoded: Undecoded,
    ) -> Result<(), Undecoded> {
        let named = |error: Error| Undecoded::from(error.in_file(file.file.location()));
        match undecoded {
            Undecoded::NewColumns(new) => self.extend(file, &new).await.map_err(named),
            Undecoded::Contradicted(columns) => {
                file.upheld = self.widen(file, columns).await.map_err(named)?;
                Ok(())
            }
            undecoded => Err(undecoded),
        }
    }

    /// Counts what was brought, and settles what went wrong.
    async fn end_of_chunks(
        &self,
        chunks: Chunks,
        plan: &Arc<TablePlan>,
        settled: &mut Vec<Receipt>,
    ) -> Result<Option<PlannedFile>> {
        let Chunks { file, brought, bad_end, admission, .. } = chunks;
        let left = admission.bytes_left();
        match (bad_end, brought) {
            (None, brought) if left == 0 => {
                let end = match &brought {
                    Some(_) => FileEnd::Committed,
                    None => FileEnd::AlreadyLoaded,
                };
                self.record_one(&file, end, brought.as_ref(), plan, settled);
                Ok(None)
            }
            (bad_end, brought) => {
                if let Some(brought) = &brought {
                    self.tally.chunks(&plan.state.name, brought);
                }
                if left < file.file.size {
                    let done = file.file.size - left;
                    self.tally.note(format!(
                        "{}: {done} of {} bytes are in; the next run goes on with the rest",
                        file.file, file.file.size
                    ));
                }
                match bad_end {
                    Some(bad_end) => self.settle_chunks(file, bad_end, plan, settled).await,
                    None => Ok(None),
                }
            }
        }
    }

    async fn settle_chunks(
        &self,
        file: PlannedFile,
        bad_end: BadEnd,
        plan: &Arc<TablePlan>,
        settled: &mut Vec<Receipt>,
    ) -> Result<Option<PlannedFile>> {
        match bad_end {
            BadEnd::Overtaken => self.overtaken(file, settled).await,
            BadEnd::Undecoded(undecoded) => self.undecoded(file, undecoded, settled).await,
            BadEnd::Refused(error, part, started) => {
                if self.ends_the_run(&error, plan).await {
                    return Err(error);
                }
                let failure = self.refused_by_destination(error, started, &part, plan).await;
                self.settle(&file, failure, settled).await?;
                Ok(None)
            }
        }
    }
}

impl Chunks {
    fn new(
        file: PlannedFile,
        chunk_bytes: u64,
        known: Vec<LoadedChunk>,
        max_rejects: decant_core::stream::MaxRejects,
    ) -> Self {
        let admission = Arc::new(Admission::new(file.file.size, max_rejects, &known));
        Self { file, chunk_bytes, known, admission, is_open: false, brought: None, bad_end: None }
    }

    /// Whether rows of the file are in, so that its types stay.
    fn has_rows(&self) -> bool {
        self.is_open || !self.known.is_empty()
    }

    /// The file with one of its pieces to be loaded; `None` for one that is in.
    fn part_for(&self, piece: &Piece) -> Result<Option<PlannedFile>> {
        let Range { start, end } = piece.bytes;
        let mut known = self.known.iter();
        let overlaps = |it: &&LoadedChunk| it.bytes.start < end && it.bytes.end > start;
        match known.find(overlaps) {
            Some(known) if known.bytes == piece.bytes => return Ok(None),
            Some(known) => return Err(self.cut_elsewhere(&known.bytes)),
            None => {}
        }
        let opens = !self.is_open;
        let chunk = Chunk { bytes: piece.bytes.clone(), chunk_bytes: self.chunk_bytes, opens };
        let admission = Arc::clone(&self.admission);
        Ok(Some(PlannedFile {
            displaces: if opens { self.file.displaces.clone() } else { Vec::new() },
            again: opens && self.file.again,
            part: Some(Part { piece: piece.clone(), chunk, admission }),
            ..self.file.clone()
        }))
    }

    fn cut_elsewhere(&self, known: &Range<u64>) -> Error {
        let message = format!(
            "bytes {} to {} of it are in, which does not fit how it is read now",
            known.start, known.end
        );
        Error::new(ErrorKind::SchemaMismatch, message)
            .in_file(self.file.file.location())
            .with_hint("load it by the same options as before, or anew with --force")
    }

    fn enter(&mut self, end: ChunkEnd) {
        match end {
            ChunkEnd::Committed(progress) => {
                self.is_open = true;
                match &mut self.brought {
                    Some(brought) => brought.absorb(*progress),
                    None => self.brought = Some(*progress),
                }
            }
            ChunkEnd::AlreadyLoaded => self.is_open = true,
            ChunkEnd::Bad(bad_end) => self.fail(bad_end),
        }
    }

    /// The first bad end is told.
    fn fail(&mut self, bad_end: BadEnd) {
        self.bad_end.get_or_insert(bad_end);
    }
}
