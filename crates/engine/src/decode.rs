//! Decoding on a thread of its own: whole into memory, or handed over batch
//! by batch.
//!
//! A decoder that panics fails its file and nothing else.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use decant_core::conform::Drift;
use decant_core::format::{DecodedBatch, FileColumns, Piece, PlacesWanted, Receiver, Wishes};
use decant_core::stream::FormatOptions;
use decant_core::{Content, Error, ErrorKind, Input, Result};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::conforming::{Conforming, Matched};
use crate::file_progress::{FileBatch, FileProgress, Undecoded};
use crate::held::Held;
use crate::input::{ContentInput, FetchCounter, Reading};
use crate::observer::NoObserver;
use crate::piece_input::PieceInput;
use crate::queue::{self, queue};
use crate::services::Services;
use crate::stop::Stop;
use crate::tables::TablePlan;

/// What decoding a file needs besides the file.
#[derive(Clone)]
pub(crate) struct Decoder {
    pub(crate) services: Services,
    pub(crate) counter: FetchCounter,
    pub(crate) format: FormatOptions,
    pub(crate) stop: Stop,
    /// Bytes that may wait to be decoded, and decoded ones to be written.
    pub(crate) ahead_bytes: u64,
    /// What is to be known of each row, whatever the stream's rules need.
    pub(crate) places: PlacesWanted,
}

/// A file that has been decoded whole.
#[derive(Debug)]
pub(crate) struct WholeFile {
    pub(crate) progress: FileProgress,
    /// How its columns differ from the table's.
    pub(crate) drift: Vec<Drift>,
    pub(crate) batches: Vec<FileBatch>,
    /// Bytes that it takes in memory.
    pub(crate) bytes: u64,
}

/// A file whose bytes are there, or can be asked for.
pub(crate) struct Opened {
    format: Arc<dyn decant_core::Format>,
    input: ContentInput,
    size: u64,
}

/// A file that is still to be decoded, and whose it is.
pub(crate) struct Undone<K> {
    pub(crate) of: K,
    pub(crate) opened: Opened,
    pub(crate) progress: FileProgress,
}

/// A file that is being decoded.
pub(crate) struct Decoding {
    steps: queue::Receiver<Step>,
    thread: JoinHandle<Result<FileProgress, Undecoded>>,
    stop: Stop,
}

/// What a decoding thread hands over.
pub(crate) enum Step {
    /// The table's columns that are filled from now on, and how the file's
    /// columns differ; first, and again where later rows bring more.
    Columns(Vec<usize>, Vec<Drift>),
    /// Rows.
    Rows(FileBatch),
}

impl Step {
    /// Bytes that it takes in memory, about.
    fn bytes(&self) -> u64 {
        match self {
            Self::Columns(..) => 0,
            Self::Rows(batch) => batch.bytes(),
        }
    }
}

impl Decoder {
    /// Fetches a file whole.
    pub(crate) async fn fetch(&self, file: &decant_core::FileVersion) -> Result<Opened, Undecoded> {
        let fetched = self.stop.unless_requested(self.open(file, Reading::Whole)).await;
        fetched.unwrap_or(Err(Undecoded::Abandoned))
    }

    /// Takes a file whose bytes have been fetched already.
    pub(crate) async fn take(
        &self,
        file: &decant_core::FileVersion,
        bytes: Bytes,
    ) -> Result<Opened, Undecoded> {
        let format = self.format_of(file)?;
        self.open_content(file, format, Box::new(Held(bytes)), Reading::Whole).await
    }

    /// Decodes fetched files into memory, one after the other on one thread,
    /// until their rows take more than `bytes_left`; each may take
    /// `bytes_max`. Answers what became of the first of them, in order, one at
    /// least, and those that are left; nothing when the run is to end. `likely`
    /// is how the columns of the file before matched with the table of `plan`.
    pub(crate) async fn wholes<K: Send + 'static>(
        &self,
        files: VecDeque<Undone<K>>,
        plan: &Arc<TablePlan>,
        (bytes_left, bytes_max): (u64, u64),
        likely: &mut Option<Arc<Matched>>,
    ) -> (Vec<(K, Result<WholeFile, Undecoded>)>, VecDeque<Undone<K>>) {
        let (plan, places, stop) = (Arc::clone(plan), self.places, self.stop.clone());
        let mut matched = likely.take();
        let thread = tokio::task::spawn_blocking(move || {
            let (mut files, mut done, mut bytes) = (files, Vec::new(), 0);
            while bytes <= bytes_left && !stop.is_requested() {
                let Some(Undone { of, opened, progress }) = files.pop_front() else { break };
                let before = matched.clone();
                let conforming = || Conforming::new(&plan, progress, places, before);
                let whole = opened.whole(conforming, bytes_max, &mut matched);
                bytes += whole.as_ref().map_or(0, |whole| whole.bytes);
                done.push((of, whole));
            }
            (done, files, matched)
        });
        let decoded = self.stop.unless_requested(thread).await;
        let (done, files, matched) = decoded.and_then(Result::ok).unwrap_or_default();
        *likely = matched;
        (done, files)
    }

    /// Decodes one file into memory, unless it takes more than `bytes_max` or
    /// the run is to end.
    pub(crate) async fn whole(
        &self,
        file: &decant_core::FileVersion,
        plan: &Arc<TablePlan>,
        progress: FileProgress,
        bytes_max: u64,
    ) -> Result<WholeFile, Undecoded> {
        let opened = self.fetch(file).await?;
        let one = VecDeque::from([Undone { of: (), opened, progress }]);
        let (mut done, _) = self.wholes(one, plan, (bytes_max, bytes_max), &mut None).await;
        done.pop().map_or(Err(Undecoded::Abandoned), |(_, whole)| whole)
    }

    /// Starts decoding a piece of a file, handing it over step by step.
    pub(crate) async fn stream(
        &self,
        file: &decant_core::FileVersion,
        piece: Piece,
        plan: &Arc<TablePlan>,
        progress: FileProgress,
    ) -> Result<Decoding, Undecoded> {
        let opened = self.stop.unless_requested(self.open_piece(file, &piece)).await;
        let (format, mut input) = opened.unwrap_or(Err(Undecoded::Abandoned))?;
        let (sender, steps) = queue(self.ahead_bytes);
        let mut handover = Handover {
            conforming: Conforming::new(plan, progress, self.places, None)
                .of_piece(&piece, file.size),
            steps: sender,
            stop: self.stop.clone(),
        };
        let thread = tokio::task::spawn_blocking(move || {
            let decoded = run(format.as_ref(), &piece, input.as_mut(), &mut handover);
            handover.conforming.end(decoded)
        });
        Ok(Decoding { steps, thread, stop: self.stop.clone() })
    }

    /// Starts cutting a file into pieces of about so many bytes.
    pub(crate) async fn cut(
        &self,
        file: &decant_core::FileVersion,
        piece_bytes: u64,
    ) -> Result<Cutting, Undecoded> {
        let mut silent = self.clone();
        // The bytes are fetched once more for their rows, and counted then.
        silent.counter.observer = Arc::new(NoObserver);
        let Opened { format, mut input, .. } = silent.open(file, Reading::AsAsked).await?;
        let (sender, pieces) = mpsc::unbounded_channel();
        let stop = self.stop.clone();
        let thread = tokio::task::spawn_blocking(move || {
            let mut found = |piece| !stop.is_requested() && sender.send(piece).is_ok();
            let guarded = AssertUnwindSafe(|| format.pieces(&mut input, piece_bytes, &mut found));
            catch_unwind(guarded).unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
        });
        Ok(Cutting { pieces, thread })
    }

    async fn open_piece(
        &self,
        file: &decant_core::FileVersion,
        piece: &Piece,
    ) -> Result<(Arc<dyn decant_core::Format>, Box<dyn Input>), Undecoded> {
        if *piece == Piece::whole(file.size) {
            let Opened { format, input, .. } = self.open(file, Reading::AsAsked).await?;
            return Ok((format, Box::new(input)));
        }
        let named = |error: Error| error.in_file(file.location());
        let format = (self.services.format)(file.name(), &self.format).map_err(named)?;
        let content = self.services.store.open(file).await.map_err(named)?;
        let input = PieceInput::open(content, file, piece, self.ahead_bytes, self.counter.clone());
        let input = input.await;
        Ok((format, Box::new(input.map_err(named)?)))
    }

    async fn open(
        &self,
        file: &decant_core::FileVersion,
        reading: Reading,
    ) -> Result<Opened, Undecoded> {
        let format = self.format_of(file)?;
        let content = self.services.store.open(file).await;
        let content = content.map_err(|error| error.in_file(file.location()))?;
        self.open_content(file, format, content, reading).await
    }

    fn format_of(&self, file: &decant_core::FileVersion) -> Result<Arc<dyn decant_core::Format>> {
        let format = (self.services.format)(file.name(), &self.format);
        format.map_err(|error| error.in_file(file.location()))
    }

    async fn open_content(
        &self,
        file: &decant_core::FileVersion,
        format: Arc<dyn decant_core::Format>,
        content: Box<dyn Content>,
        reading: Reading,
    ) -> Result<Opened, Undecoded> {
        let (ahead, counter) = (self.ahead_bytes, self.counter.clone());
        let input = ContentInput::open(content, file, ahead, counter, reading).await;
        let input = input.map_err(|error| error.in_file(file.location()))?;
        Ok(Opened { format, input, size: file.size })
    }
}

impl Opened {
    /// Decodes it into memory, on the thread that calls, and leaves in
    /// `likely` how its columns matched.
    fn whole(
        mut self,
        conforming: impl FnOnce() -> Conforming,
        bytes_max: u64,
        likely: &mut Option<Arc<Matched>>,
    ) -> Result<WholeFile, Undecoded> {
        let guarded = AssertUnwindSafe(|| {
            let (conforming, batches) = (conforming(), Vec::new());
            let mut keeper = Keeper { conforming, batches, bytes: 0, bytes_max };
            let piece = Piece::whole(self.size);
            let decoded = run(self.format.as_ref(), &piece, &mut self.input, &mut keeper);
            likely.clone_from(&keeper.conforming.likely);
            keeper.end(decoded)
        });
        catch_unwind(guarded).unwrap_or_else(|panic| Err(panicked(panic.as_ref()).into()))
    }
}

/// A file that is being cut.
pub(crate) struct Cutting {
    pieces: mpsc::UnboundedReceiver<Piece>,
    thread: JoinHandle<Result<Option<&'static str>>>,
}

impl Cutting {
    /// The next piece; `None` when there are no more, good or bad.
    pub(crate) async fn next(&mut self) -> Option<Piece> {
        self.pieces.recv().await
    }

    /// Why the file is one piece, if it is. Ends it early where pieces are left.
    pub(crate) async fn end(self) -> Result<Option<&'static str>> {
        drop(self.pieces);
        self.thread.await.unwrap_or_else(|error| {
            Err(Error::new(ErrorKind::Internal, "a thread ended badly").caused_by(error))
        })
    }
}

impl Decoding {
    /// The next step; `None` at the end, good or bad, or when the run is to
    /// end.
    pub(crate) async fn next(&mut self) -> Option<Step> {
        self.stop.unless_requested(self.steps.receive()).await.flatten()
    }

    /// How it ended. Dropping the steps first ends it early.
    pub(crate) async fn end(self) -> Result<FileProgress, Undecoded> {
        drop(self.steps);
        // The thread may be waiting for bytes that are long in coming.
        match self.stop.unless_requested(self.thread).await {
            Some(ended) => ended.unwrap_or_else(|error| Err(ended_badly(error))),
            None => Err(Undecoded::Abandoned),
        }
    }
}

/// Decodes a piece of a file; a panic becomes its error.
fn run(
    format: &dyn decant_core::Format,
    piece: &Piece,
    input: &mut dyn Input,
    receiver: &mut dyn Receiver,
) -> Result<()> {
    let guarded = AssertUnwindSafe(|| format.decode(piece, input, receiver));
    catch_unwind(guarded).unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let said = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Error::new(ErrorKind::MalformedFile, format!("the decoder panicked: {said}"))
        .with_hint("this is a fault of decant's: please report it with the file")
}

fn ended_badly(error: tokio::task::JoinError) -> Undecoded {
    Error::new(ErrorKind::Internal, "the decoding thread ended badly").caused_by(error).into()
}

/// Keeps everything in memory.
struct Keeper {
    conforming: Conforming,
    batches: Vec<FileBatch>,
    bytes: u64,
    bytes_max: u64,
}

impl Keeper {
    fn end(self, decoded: Result<()>) -> Result<WholeFile, Undecoded> {
        let drift = self.conforming.drift();
        let progress = self.conforming.end(decoded)?;
        Ok(WholeFile { progress, drift, batches: self.batches, bytes: self.bytes })
    }
}

impl Receiver for Keeper {
    fn columns(&mut self, columns: &FileColumns) -> Result<Wishes> {
        let matched = self.conforming.columns(columns)?;
        Ok(self.conforming.wishes(&matched.conform))
    }

    fn batch(&mut self, decoded: DecodedBatch) -> Result<()> {
        let batch = self.conforming.batch(decoded)?;
        self.bytes += batch.bytes();
        if self.bytes > self.bytes_max {
            return Err(self.conforming.ends(Undecoded::TooLarge));
        }
        self.batches.push(batch);
        Ok(())
    }

    fn note(&mut self, note: String) {
        self.conforming.progress.note(note);
    }
}

/// Hands everything over to the writer.
struct Handover {
    conforming: Conforming,
    steps: queue::Sender<Step>,
    stop: Stop,
}

impl Handover {
    fn send(&mut self, step: Step) -> Result<()> {
        let bytes = step.bytes();
        if self.stop.is_requested() || self.steps.send_blocking(step, bytes).is_err() {
            return Err(self.conforming.ends(Undecoded::Abandoned));
        }
        Ok(())
    }
}

impl Receiver for Handover {
    fn columns(&mut self, columns: &FileColumns) -> Result<Wishes> {
        let matched = self.conforming.columns(columns)?;
        let conform = &matched.conform;
        let wishes = self.conforming.wishes(conform);
        self.send(Step::Columns(conform.columns.clone(), self.conforming.drift()))?;
        Ok(wishes)
    }

    fn batch(&mut self, decoded: DecodedBatch) -> Result<()> {
        let batch = self.conforming.batch(decoded)?;
        self.send(Step::Rows(batch))
    }

    fn note(&mut self, note: String) {
        self.conforming.progress.note(note);
    }
}
