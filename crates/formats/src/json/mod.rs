//! JSON (RFC 8259) in all its shapes, read row by row: a pull parser over the
//! bytes at hand, never a tree of the document.
//!
//! Shapes, told apart by `open` and `shape`:
//!
//! - one value a line; objects behind each other
//! - one array: an element is a row
//! - pandas' orients `split`, `index` and `columns`, where they are clear; the
//!   names of their rows are the column `index`
//! - anything else is one row; `records_path` says where its rows are, and
//!   `json-index` and its kin what they look like
//!
//! Rows:
//!
//! - An object's keys are its columns, or with `flatten` the paths of keys
//!   inside it. A key that comes late is a new column; a key that is lacking
//!   is NULL, as `null` is. The empty object is a row of NULLs.
//! - An array's elements are the columns `column_1`, `column_2`, …; with
//!   `header` the first array names them. Arrays of other lengths than the
//!   first are bad rows, or cut and padded by lenient reading. Any other value
//!   is the column `value`.
//! - A repeated key makes a bad row; in a document that is one row the keys
//!   are a header, where the second of a name is a column of its own.
//! - A file of lines may have none; a document has a value.
//!
//! The text is UTF-8, or UTF-16 by its mark or its zeros, or what the options
//! say; no other encoding is guessed. Bytes without a meaning in it make a bad
//! row, as halves of surrogate pairs do; lenient reading puts U+FFFD in their
//! place. Positions are those of the file.
//!
//! Values:
//!
//! - Numbers are read from their digits, never by way of a double.
//! - Strings that look like dates, times or UUIDs are such; strings that look
//!   like numbers or truth values are text, since somebody chose to quote
//!   them.
//! - Nested values are JSON without white space, and so are all values of a
//!   column in which one is nested. In a column of text, strings are their
//!   text and anything else is its JSON.
//!
//! What is wrong with one row makes it a bad row where its end can be told;
//! else the file is refused.
//!
//! Invariants: memory is bounded by a block and a row, whatever the document
//! (`columns` aside, and `split` with its names behind its rows, which are
//! refused beyond their bound); every row is delivered once, as a row of a
//! batch or as a reject with its position, and nothing depends on the chunks of
//! the input.
//!
//! Rows of other formats that have keys go the same way from `keyed` on:
//! into the same columns, blocks, arrays and rejects.

mod accept;
mod around;
mod beginning;
pub(crate) mod block;
pub(crate) mod columns;
pub(crate) mod decode;
mod extent;
pub(crate) mod fault;
mod fill;
pub(crate) mod keyed;
mod mend;
mod open;
mod pieces;
mod plain;
mod reading;
pub(crate) mod sample;
pub(crate) mod scanner;
mod settings;
mod shape;
mod split;
mod take;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod token;
mod transposed;
pub(crate) mod window;

use decant_core::Result;
use decant_core::format::{Format, Input, Piece, Receiver, Sample, SampleLimits};
use decant_core::stream::FormatOptions;

use crate::compression::{Decompressed, Limits};
pub(crate) use beginning::is_beginning;
use reading::{BLOCK_BYTES, Reading};
use settings::Settings;

/// JSON, compressed or not.
#[derive(Clone, Debug)]
pub struct JsonFormat {
    settings: Settings,
    block_bytes: usize,
    /// Whether rows are expected to look like those before them.
    learns: bool,
}

impl JsonFormat {
    /// The format for `options`, whose `name` may be `json`, `jsonl`, or
    /// `json-` and an orient of pandas'.
    ///
    /// Errors: `InvalidConfig` for a `records_path` that is no JSON pointer,
    /// or a limit out of range.
    pub fn new(options: &FormatOptions) -> Result<Self> {
        Self::with(Settings::new(false, options)?)
    }

    /// The format of files that are called JSON lines. They are read as such,
    /// unless the first one turns out to be a document.
    ///
    /// Errors: as of [`JsonFormat::new`].
    pub fn lines(options: &FormatOptions) -> Result<Self> {
        Self::with(Settings::new(true, options)?)
    }

    fn with(settings: Settings) -> Result<Self> {
        Ok(Self { settings, block_bytes: BLOCK_BYTES, learns: true })
    }
}

impl Format for JsonFormat {
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample> {
        let mut input = Decompressed::new(input, Limits::default())?;
        let mut reading = Reading::open(&mut input, &self.settings)?;
        reading.block_bytes = self.block_bytes.min(limits.bytes.max(1));
        let mut sample = sample::sample(&mut reading, limits)?;
        sample.columns.options = reading.found_options();
        Ok(sample)
    }

    fn pieces(
        &self,
        input: &mut dyn Input,
        piece_bytes: u64,
        found: &mut dyn FnMut(Piece) -> bool,
    ) -> Result<Option<&'static str>> {
        self.cut(input, piece_bytes, found)
    }

    fn decode(
        &self,
        piece: &Piece,
        input: &mut dyn Input,
        receiver: &mut dyn Receiver,
    ) -> Result<()> {
        if piece.is_part_of(input) {
            return self.decode_piece(piece, input, receiver);
        }
        let mut input = Decompressed::new(input, Limits::default())?;
        let mut reading = Reading::open(&mut input, &self.settings)?;
        reading.block_bytes = self.block_bytes;
        reading.learns = self.learns;
        decode::decode(&mut reading, 0, receiver)
    }
}

/// Whether `text` is one JSON value and nothing else, which keeps its meaning
/// wherever it goes: no key comes twice and every escape is a character.
pub(crate) fn is_document(text: &[u8]) -> bool {
    let mut memory = scanner::Memory::default();
    let mut scanner = scanner::Scanner::new(text, 0, true, &mut memory);
    let scanned = scanner.value(0).is_ok();
    scanner.space();
    scanned && scanner.at == text.len() && memory.fault.is_none()
}
