//! The rows of a document, block by block.
//!
//! A row is followed to its end before it is taken apart; of one that is too
//! long only the beginning is kept.
//!
//! Invariant: the window is only emptied between blocks, so that the rows of
//! a block stay where they are.

use decant_core::format::FileColumns;
use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Position, Reject, Result};

use super::cells::Cells;
use super::declaration::Begun;
use super::fault::Fault;
use super::outline::{Extent, Inside, Progress, name};
use super::settings::Settings;
use super::shape::shape_of;
use super::tree::{Tree, Trouble};
use crate::encoding::Transcoded;
use crate::json::block::{Block, Row};
use crate::json::columns::{Columns, Refusal};
use crate::json::keyed::KeyedRows;
use crate::json::scanner::Event;
use crate::json::token::{Texts, Token};
use crate::json::window::{Place, Window};
use crate::untyped::Untyped;
use crate::values::complaint::quoted;

/// Bytes of a block, unless a row is longer.
pub(super) const BLOCK_BYTES: usize = 1 << 20;
/// Rows of a block, good and bad.
const BLOCK_ROWS: u64 = 16_384;
/// Bytes of a block's values, unless those of a row are more.
const STORE_BYTES: usize = 4 << 20;
/// Bytes of a document that are looked at to find its rows.
const LOOK_BYTES: usize = 1 << 20;
/// Bytes kept of a row that is too long.
const TOO_LONG_KEPT_BYTES: usize = 64 << 10;
/// Bytes that are quoted around one that has no meaning.
const QUOTED_BYTES: usize = 24;

/// A document being read.
pub(super) struct Reading<'i> {
    pub(super) window: Window<'i>,
    pub(super) settings: Settings,
    columns: Columns,
    explanation: Vec<String>,
    block_bytes: usize,
    tree: Tree,
    /// The values of a block, as JSON.
    store: Vec<u8>,
    events: Vec<Event>,
    cells: Vec<(u32, Token)>,
    /// The names of the elements around what is at hand, with their prefixes.
    pub(super) around: Vec<Box<[u8]>>,
    pub(super) root_seen: bool,
    /// The first elements that are no rows, with those around them.
    pub(super) seen: Vec<String>,
    /// What is being passed.
    pub(super) passing: Option<Inside>,
    /// A row that is too long, of which the rest is being passed.
    pub(super) long: Option<Extent>,
    pub(super) ordinal: u64,
    pub(super) done: bool,
}

/// How far a row goes.
enum Extended {
    To(usize),
    /// Further than a row may go.
    TooLong,
}

impl<'i> Reading<'i> {
    /// Looks at the beginning of the text and finds its rows.
    pub(super) fn open(
        input: &'i mut Begun<'_>,
        settings: &Settings,
        block_bytes: usize,
    ) -> Result<Self> {
        let mut settings = settings.clone();
        let declared = match &settings.options.encoding {
            Some(_) => None,
            None => input.declared_encoding()?,
        };
        let options = FormatOptions {
            encoding: settings.options.encoding.clone().or(declared.clone()),
            ..settings.options.clone()
        };
        let mut text = Transcoded::new(input, &options)?.with_offsets();
        let mut explanation: Vec<String> =
            text.explanation().map(String::from).into_iter().collect();
        if let (Some(_), Some(sentence)) = (declared, explanation.first_mut()) {
            *sentence = format!("the text is {}, as the document declares", text.name());
        }
        if settings.path.is_empty() {
            let shape = shape_of(&text.beginning(LOOK_BYTES)?.text);
            settings.path = shape.path;
            explanation.push(shape.explanation);
        } else {
            let name = settings.path.join("/");
            explanation.push(format!("a row is an element `{name}`, as was said"));
        }
        Ok(Self {
            window: Window::new(text),
            columns: Columns::new(settings.flatten.clone()),
            settings,
            explanation,
            block_bytes,
            tree: Tree::default(),
            store: Vec::new(),
            events: Vec::new(),
            cells: Vec::new(),
            around: Vec::new(),
            root_seen: false,
            seen: Vec::new(),
            passing: None,
            long: None,
            ordinal: 0,
            done: false,
        })
    }

    /// The options under which the document itself is read like this.
    pub(super) fn found_options(&self) -> FormatOptions {
        let path = &self.settings.path;
        FormatOptions {
            name: Some("xml".to_owned()),
            encoding: Some(self.window.input.label()),
            row_element: (!path.is_empty()).then(|| path.join("/")),
            ..self.settings.options.clone()
        }
    }

    /// Follows the row at hand to its end, as far as a row may go.
    fn extend(&mut self, start: usize) -> Result<Extended> {
        let limit = self.settings.row_bytes_max;
        let mut extent = Extent::new();
        let mut at = start;
        loop {
            match extent.advance(self.window.bytes(), at).map_err(|fault| self.malformed(fault))? {
                Progress::Ended(end) if end - start <= limit => return Ok(Extended::To(end)),
                Progress::Ended(end) => {
                    self.window.at = end;
                    return Ok(Extended::TooLong);
                }
                Progress::More(_) if self.window.has_ended() => return Err(self.cut(start)),
                Progress::More(resume) => at = resume,
            }
            if !self.window.more(start, limit)? {
                self.window.at = at;
                self.long = Some(extent);
                return Ok(Extended::TooLong);
            }
        }
    }

    /// The document ends inside the row that begins at `start`.
    fn cut(&self, start: usize) -> Error {
        let bytes = self.window.bytes();
        let tag = bytes.get(start..).unwrap_or_default();
        let tag = [b"<", name(tag.get(1..).unwrap_or_default()), b">"].concat();
        self.malformed(Fault::end(bytes.len(), &format!("the row {}", quoted(&tag))))
    }

    pub(super) fn pass_long(&mut self) -> Result<()> {
        let Some(extent) = &mut self.long else { return Ok(()) };
        let progress = extent.advance(self.window.bytes(), self.window.at);
        match progress.map_err(|fault| self.malformed(fault))? {
            Progress::Ended(end) => {
                self.window.at = end;
                self.long = None;
                Ok(())
            }
            Progress::More(_) if self.window.has_ended() => {
                Err(self.malformed(Fault::end(self.window.bytes().len(), "a row")))
            }
            Progress::More(resume) => {
                self.window.at = resume;
                self.more()
            }
        }
    }

    /// Reads the row at hand.
    fn row(&mut self, block: &mut Block, rejects: &mut Vec<Reject>) -> Result<()> {
        let start = self.window.at;
        let place = self.window.mark_at(start);
        let Extended::To(end) = self.extend(start)? else {
            let kept = TOO_LONG_KEPT_BYTES.min(self.settings.row_bytes_max);
            let fault = Fault::too_long(start, self.settings.row_bytes_max, kept);
            rejects.push(self.reject(start..start + kept, place, fault));
            block.rows_read += 1;
            return Ok(());
        };
        self.window.at = end;
        block.rows_read += 1;
        match self.take_apart(start, end)? {
            None => {
                self.ordinal += 1;
                let row = Row { start, end, place: Some(place), ordinal: self.ordinal };
                block.push(row, &self.cells);
            }
            Some(fault) => rejects.push(self.reject(start..end, place, fault)),
        }
        Ok(())
    }

    /// Finds the values of a row, and their columns. What is wrong with it, if
    /// anything.
    fn take_apart(&mut self, start: usize, end: usize) -> Result<Option<Fault>> {
        let raw = self.window.bytes().get(start..end).unwrap_or_default();
        let Ok(text) = simdutf8::basic::from_utf8(raw) else {
            return Ok(Some(undecodable(raw, self.window.input.name()).behind(start)));
        };
        match self.tree.read(text) {
            Ok(()) => {}
            Err(Trouble::Bad(fault)) => return Ok(Some(fault.behind(start))),
            Err(Trouble::Broken(fault)) => return Err(self.malformed(fault.behind(start))),
        }
        let mut cells = Cells {
            tree: &self.tree,
            untyped: &self.settings.untyped,
            store: &mut self.store,
            events: &mut self.events,
        };
        if let Err(fault) = cells.write(self.settings.levels()) {
            return Ok(Some(fault.behind(start)));
        }
        self.cells.clear();
        match self.columns.resolve(&self.store, &self.events, &mut self.cells) {
            Ok(()) => Ok(None),
            Err(Refusal::Row(fault)) => Ok(Some(Fault::new(start, fault.sentence(&self.store)))),
            Err(Refusal::File(error)) => Err(*error),
        }
    }

    fn reject(&mut self, raw: std::ops::Range<usize>, place: Place, fault: Fault) -> Reject {
        self.ordinal += 1;
        let trouble = self.window.place(fault.at);
        let sentence = fault.sentence;
        Reject {
            ordinal: self.ordinal,
            line: Some(place.line),
            byte_offset: Some(place.byte),
            column: None,
            reason: fault.reason,
            detail: format!("{sentence} (line {}, column {})", trouble.line, trouble.column),
            raw: self.window.bytes().get(raw).unwrap_or_default().to_vec(),
        }
    }

    pub(super) fn malformed(&self, fault: Fault) -> Error {
        self.error(ErrorKind::MalformedFile, fault)
    }

    pub(super) fn error(&self, kind: ErrorKind, fault: Fault) -> Error {
        let place = self.window.place(fault.at);
        let sentence = fault.sentence;
        let message = format!("{sentence} (line {}, column {})", place.line, place.column);
        Error::new(kind, message).at(Position {
            file: String::new(),
            line: Some(place.line),
            byte: Some(place.byte),
            column: None,
        })
    }
}

/// A row with bytes that have no meaning in its encoding.
fn undecodable(raw: &[u8], encoding: &str) -> Fault {
    let valid = std::str::from_utf8(raw).map_or_else(|error| error.valid_up_to(), str::len);
    let around = valid.saturating_sub(QUOTED_BYTES)..raw.len().min(valid + QUOTED_BYTES);
    Fault::encoding(valid, raw.get(around).unwrap_or_default(), encoding)
}

impl KeyedRows for Reading<'_> {
    fn next_block(&mut self, block: &mut Block, rejects: &mut Vec<Reject>) -> Result<bool> {
        loop {
            block.clear();
            block.whole = true;
            self.store.clear();
            self.window.forget();
            while !self.done
                && block.rows_read < BLOCK_ROWS
                && self.window.at < self.block_bytes
                && self.store.len() < STORE_BYTES
            {
                if self.seek()? {
                    self.row(block, rejects)?;
                }
            }
            if block.rows_read > 0 || self.done {
                return Ok(block.rows_read > 0);
            }
        }
    }

    fn texts(&self) -> Texts<'_> {
        let window = self.window.bytes().get(..self.window.at).unwrap_or_default();
        Texts { window, store: &self.store }
    }

    fn file_columns(&self) -> FileColumns {
        FileColumns {
            names: self.columns.names().to_vec(),
            named: true,
            options: self.settings.of_rows(),
            ..FileColumns::default()
        }
    }

    fn column_count(&self) -> usize {
        self.columns.names().len()
    }

    fn position(&self) -> u64 {
        self.window.input.offsets().in_file(self.window.position())
    }

    fn is_finished(&mut self) -> Result<bool> {
        while !self.done && self.window.at < self.block_bytes {
            if self.seek()? {
                break;
            }
        }
        Ok(self.done)
    }

    fn explanation(&self) -> Vec<String> {
        self.explanation.clone()
    }

    fn end(&self) -> Option<&'static str> {
        self.window.input.end()
    }

    fn untyped(&self) -> Option<&Untyped> {
        Some(&self.settings.untyped)
    }
}
