//! A file's rows, block by block, whatever shape they stand in.
//!
//! One row is at hand at a time: a document's containers are followed, never
//! kept. What is wrong with one row makes it a reject where it is known where
//! the row ends: always in JSON lines; elsewhere when its structure is sound,
//! or brackets and quotes tell. Anything else fails the file.
//!
//! Invariant: the window is only emptied between blocks, so that the values
//! of a block stay where they are.

use decant_core::format::{Input, Piece};
use decant_core::stream::FormatOptions;
use decant_core::{Error, Reject, Result};

use super::accept::Yield;
use super::around::Around;
use super::block::Block;
use super::columns::{Columns, is_name, names_of};
use super::fault::{Fault, What};
use super::plain::Plain;
use super::scanner::{Event, Memory};
use super::settings::{Orient, Settings};
use super::take::Taken;
use super::token::{Texts, Token};
use super::transposed::Transposed;
use super::window::{Place, Window};
use crate::encoding::Transcoded;

/// Bytes of a block, unless a row is longer: so few that they and their cells
/// stay in a core's own cache until columns have been made of them.
pub(super) const BLOCK_BYTES: usize = 512 << 10;
/// Rows of a block, good and bad.
pub(super) const BLOCK_ROWS: u64 = 16_384;

/// How the rows follow each other.
pub(super) enum Source {
    /// A value a line.
    Lines,
    /// Values behind each other.
    Values,
    /// The only value of the document.
    One,
    /// The elements of an array; their names where the document has them.
    Elements(Next, Option<std::vec::IntoIter<Token>>),
    /// The members of an object.
    Members(Next),
    /// Rows that were made of columns.
    Transposed(Transposed),
    /// There is nothing to read.
    Nothing,
}

/// What may follow in a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    First,
    Comma,
    Value,
}

/// What is to be done before the next block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pending {
    Nothing,
    /// Pass over a value that is too long.
    Value,
    /// Pass over the rest of a line that is too long.
    Line,
    /// Read what stands behind the rows.
    Rest,
}

/// A file being read.
pub(super) struct Reading<'i> {
    pub(super) window: Window<'i>,
    pub(super) settings: Settings,
    pub(super) columns: Columns,
    pub(super) memory: Memory,
    /// Bytes of values that do not stand in the window as they are: what is
    /// kept longer than a block, and behind it the mended rows of a block.
    pub(super) store: Vec<u8>,
    /// Bytes of the store that are kept longer than a block.
    kept_bytes: usize,
    pub(super) source: Source,
    /// Containers around the rows, the innermost last.
    pub(super) around: Vec<Around>,
    pub(super) explanation: Vec<String>,
    /// Bytes of a block.
    pub(super) block_bytes: usize,
    pub(super) events: Vec<Event>,
    pub(super) cells: Vec<(u32, Token)>,
    pub(super) plain: Plain,
    /// Whether rows are expected to look like those before them.
    pub(super) learns: bool,
    pub(super) ordinal: u64,
    pub(super) pending: Pending,
    paused: bool,
    pub(super) done: bool,
    /// The bad rows of the block, and up to where the text was looked at to
    /// tell what is wrong with each.
    pub(super) looked_at: Vec<(u64, u64)>,
}

impl<'i> Reading<'i> {
    /// Looks at the beginning of the text and finds its rows.
    pub(super) fn open(input: &'i mut dyn Input, settings: &Settings) -> Result<Self> {
        let text = Transcoded::of_json(input, &settings.options)?.with_offsets();
        let explanation = text.explanation().map(str::to_owned).into_iter().collect();
        let mut reading = Self { explanation, ..Self::of(Window::new(text), settings) };
        reading.find_rows()?;
        reading.kept_bytes = reading.store.len();
        Ok(reading)
    }

    /// Rows of `source` in `piece` of a file, of which `text` begins there.
    pub(super) fn of_piece(
        text: Transcoded<'i>,
        settings: &Settings,
        source: Source,
        piece: &Piece,
    ) -> Self {
        let window = Window::behind(text, piece.lines_before);
        Self { source, ordinal: piece.rows_before, ..Self::of(window, settings) }
    }

    fn of(window: Window<'i>, settings: &Settings) -> Self {
        Self {
            window,
            settings: settings.clone(),
            columns: Columns::new(settings.flatten.clone()),
            memory: Memory::default(),
            store: Vec::new(),
            kept_bytes: 0,
            source: Source::Nothing,
            around: Vec::new(),
            explanation: Vec::new(),
            block_bytes: BLOCK_BYTES,
            events: Vec::new(),
            cells: Vec::new(),
            plain: Plain::default(),
            learns: true,
            ordinal: 0,
            pending: Pending::Nothing,
            paused: false,
            done: false,
            looked_at: Vec::new(),
        }
    }

    /// The options under which the file itself is read like this.
    pub(super) fn found_options(&self) -> FormatOptions {
        let options = &self.settings.options;
        let name = if matches!(self.source, Source::Lines) { Orient::Lines } else { Orient::Auto };
        FormatOptions {
            name: Some(options.name.clone().unwrap_or_else(|| name.name().to_owned())),
            encoding: Some(self.window.input.label()),
            habits: None,
            ..options.clone()
        }
    }

    /// Whether there are no more rows, as far as can be told without reading
    /// far ahead. Ends the last block.
    pub(super) fn has_finished(&mut self) -> Result<bool> {
        let closer = match self.source {
            Source::Elements(..) => Some(b']'),
            Source::Members(_) => Some(b'}'),
            _ => None,
        };
        if let (Some(closer), Pending::Nothing, false) = (closer, self.pending, self.done) {
            self.follow(closer)?;
        }
        match self.source {
            _ if self.done => Ok(true),
            Source::Lines | Source::Values => Ok(self.window.next_byte()?.is_none()),
            _ if self.pending == Pending::Rest && self.window.has_ended() => {
                self.pass_pending()?;
                Ok(self.done)
            }
            _ => Ok(false),
        }
    }

    /// Reads the next rows. `false` at the end of the file.
    pub(super) fn read_block(
        &mut self,
        block: &mut Block,
        rejects: &mut Vec<Reject>,
    ) -> Result<bool> {
        loop {
            block.clear();
            self.looked_at.clear();
            self.window.forget();
            self.store.truncate(self.kept_bytes);
            self.pass_pending()?;
            if matches!(self.source, Source::Lines | Source::Values | Source::Elements(..)) {
                self.window.fill(self.block_bytes)?;
            }
            self.paused = false;
            let mut rows = Yield { block, rejects };
            while self.goes_on(rows.block) {
                self.next_row(&mut rows)?;
            }
            block.whole = self.rows_are_whole();
            if block.rows_read > 0 || self.done {
                return Ok(block.rows_read > 0);
            }
        }
    }

    /// Whether the block takes more rows.
    pub(super) fn goes_on(&self, block: &Block) -> bool {
        !self.done
            && !self.paused
            && self.pending == Pending::Nothing
            && block.rows_read < BLOCK_ROWS
            && self.window.at < self.block_bytes
    }

    /// Whether a row stands in the file as one value with all of its columns.
    fn rows_are_whole(&self) -> bool {
        match self.source {
            Source::Members(_) | Source::Elements(_, Some(_)) | Source::Transposed(_) => false,
            _ => !self.columns.are_fixed(),
        }
    }

    fn next_row(&mut self, rows: &mut Yield<'_>) -> Result<()> {
        match &mut self.source {
            Source::Lines => self.next_lines(rows),
            Source::Values => self.next_value(rows),
            Source::One => self.only_value(rows),
            Source::Elements(..) => self.next_element(rows),
            Source::Members(_) => self.next_member(rows),
            Source::Transposed(transposed) => {
                let more = transposed.rows(rows.block, &mut self.ordinal);
                self.done = !more;
                Ok(())
            }
            Source::Nothing => {
                self.pending = Pending::Rest;
                Ok(())
            }
        }
    }

    fn next_lines(&mut self, rows: &mut Yield<'_>) -> Result<()> {
        if self.plain_lines(rows) { Ok(()) } else { self.next_line(rows) }
    }

    fn next_line(&mut self, rows: &mut Yield<'_>) -> Result<()> {
        if self.byte()?.is_none() {
            return Ok(());
        }
        let start = self.window.at;
        let place = self.window.mark_at(start);
        let fault = match self.take()? {
            taken @ (Taken::Row | Taken::Mended(..) | Taken::Bad(_)) => {
                let end = self.window.at;
                match self.window.next_byte_of_line()? {
                    None | Some(b'\n') => {
                        return self.accept(rows, (start, end, place), taken, None);
                    }
                    Some(_) => self.behind_in_line()?,
                }
            }
            Taken::Broken(fault) => fault,
            Taken::TooLong => self.too_long_fault(start),
        };
        self.reject_line(rows, start, fault)
    }

    fn behind_in_line(&mut self) -> Result<Fault> {
        let at = self.window.at;
        let end = self.window.line_end(at, self.settings.row_bytes_max)?.unwrap_or(at + 1);
        let rest = self.window.bytes().get(at..end).unwrap_or_default().trim_ascii_end();
        Ok(Fault::new(at, at + rest.len(), What::Behind))
    }

    /// Gives up the line that begins at `start`, and nothing behind it.
    fn reject_line(&mut self, rows: &mut Yield<'_>, start: usize, fault: Fault) -> Result<()> {
        let limit = self.settings.row_bytes_max;
        self.window.at = start;
        match self.window.line_end(start, limit)? {
            Some(end) => {
                self.window.at = end;
                self.reject(rows, (start, end), fault);
            }
            None => self.reject_long(rows, Pending::Line),
        }
        Ok(())
    }

    fn next_value(&mut self, rows: &mut Yield<'_>) -> Result<()> {
        match self.byte()? {
            None => return Ok(()),
            Some(b'{') => {}
            Some(_) if self.ordinal == 0 => {}
            Some(_) => return Err(self.behind()),
        }
        if self.plain_value(rows) {
            return Ok(());
        }
        let start = self.window.at;
        let place = self.window.mark_at(start);
        match self.take()? {
            Taken::Broken(fault) => Err(self.window.malformed(fault)),
            Taken::TooLong => Err(self.too_long()),
            taken => self.accept(rows, (start, self.window.at, place), taken, None),
        }
    }

    fn only_value(&mut self, rows: &mut Yield<'_>) -> Result<()> {
        self.next_value(rows)?;
        if !self.paused {
            self.pending = Pending::Rest;
        }
        Ok(())
    }

    fn next_element(&mut self, rows: &mut Yield<'_>) -> Result<()> {
        if !self.follow(b']')? || self.plain_value(rows) {
            return Ok(());
        }
        let start = self.window.at;
        let place = self.window.mark_at(start);
        let taken = self.take()?;
        if let Source::Elements(_, Some(names)) = &mut self.source {
            let name = names.next();
            return self.element(rows, (start, place), taken, name);
        }
        let is_first = self.ordinal == 0 && self.columns.names().is_empty();
        if self.settings.header
            && is_first
            && let (Taken::Row, Some(names)) = (&taken, self.header())
        {
            self.columns.name_elements(names);
            return Ok(());
        }
        self.element(rows, (start, place), taken, None)
    }

    fn element(
        &mut self,
        rows: &mut Yield<'_>,
        (start, place): (usize, Place),
        taken: Taken,
        name: Option<Token>,
    ) -> Result<()> {
        match taken {
            Taken::Broken(fault) => self.reject_member(rows, start, fault),
            Taken::TooLong => {
                self.window.at = start;
                self.reject_long(rows, Pending::Value);
                Ok(())
            }
            taken => self.accept(rows, (start, self.window.at, place), taken, name),
        }
    }

    /// The names that the row just read gives, if it is an array of names.
    fn header(&self) -> Option<Vec<String>> {
        let element = |event: &Event| match event {
            Event::Element(token) => Some(*token),
            _ => None,
        };
        let elements: Vec<Token> = self.events.iter().map(element).collect::<Option<_>>()?;
        let texts = Texts { window: self.window.bytes(), store: &self.store };
        let names = !elements.is_empty() && elements.iter().all(is_name);
        names.then(|| names_of(texts, &elements))
    }

    fn next_member(&mut self, rows: &mut Yield<'_>) -> Result<()> {
        if !self.follow(b'}')? {
            return Ok(());
        }
        let start = self.window.at;
        let place = self.window.mark_at(start);
        let key = self.take_key()?;
        self.window.next_byte()?;
        let value = self.window.at;
        let taken = self.take()?;
        if let (Taken::Row | Taken::Mended(..), Some(Event::Scalar(_) | Event::Element(_))) =
            (&taken, self.events.first())
        {
            let fault = Fault::new(value, value + 1, What::Expected("an object of values"));
            return Err(self.window.malformed(fault));
        }
        self.element(rows, (value, place), taken, Some(key.token))
    }

    /// Goes to the next value of the container; `false` at its end, or when
    /// the block has to end first.
    fn follow(&mut self, closer: u8) -> Result<bool> {
        loop {
            let next = match &self.source {
                Source::Elements(next, _) | Source::Members(next) => *next,
                _ => return Ok(false),
            };
            let Some(byte) = self.window.next_byte()? else {
                return Err(self.fault_here(What::End));
            };
            let then = match (next, byte) {
                (_, b' ') => {
                    self.paused = true;
                    return Ok(false);
                }
                (Next::First | Next::Comma, byte) if byte == closer => {
                    self.window.at += 1;
                    self.pending = Pending::Rest;
                    return Ok(false);
                }
                (Next::Comma, b',') => Next::Value,
                (Next::Comma, _) if closer == b']' => {
                    return Err(self.fault_here(What::Expected("`,` or `]`")));
                }
                (Next::Comma, _) => return Err(self.fault_here(What::Expected("`,` or `}`"))),
                (Next::Value, byte) if byte == closer => {
                    return Err(self.fault_here(What::TrailingComma));
                }
                (Next::First | Next::Value, _) => Next::Comma,
            };
            if let Source::Elements(next, _) | Source::Members(next) = &mut self.source {
                *next = then;
            }
            match then {
                Next::Comma => return Ok(true),
                _ => self.window.at += 1,
            }
        }
    }

    /// The next byte that is no white space; `None` ends the rows, or the
    /// block.
    fn byte(&mut self) -> Result<Option<u8>> {
        let byte = self.window.next_byte()?;
        self.done |= byte.is_none();
        self.paused |= byte == Some(b' ');
        Ok(byte.filter(|byte| *byte != b' '))
    }

    pub(super) fn too_long(&self) -> Error {
        self.window.malformed(self.too_long_fault(self.window.at)).with_hint(
            "if the rows stand inside the document, name the place with `records_path` (such as \
             `/data`), or say how they stand (`--format json-index`, `json-columns`); else allow \
             a larger `record_bytes_max`",
        )
    }

    pub(super) fn fault_here(&self, what: What) -> Error {
        let at = self.window.at;
        self.window.malformed(Fault::new(at, at + 1, what))
    }

    pub(super) fn behind(&self) -> Error {
        self.fault_here(What::Behind).with_hint(
            "a document is one value, or objects behind each other; values on lines of their own \
             are read with `--format jsonl`",
        )
    }

    fn pass_pending(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Nothing => Ok(()),
            Pending::Line => self.window.pass_line(),
            Pending::Value => self.pass_value(),
            Pending::Rest => self.pass_rest(),
        }
    }
}
