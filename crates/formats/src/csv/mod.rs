//! Delimiter-separated text (RFC 4180 and its relatives) and text of fixed
//! width, decoded in two stages.
//!
//! What is not said about a file is found out from its beginning (`detect`).
//! Stage one finds structure: `outline` takes many plain rows at a time; for
//! every other one, and in unusual dialects, `marks` looks for the bytes with
//! a meaning and `walk` makes rows and fields of them. `blocks` does so for a
//! whole file and leaves an `index` of field positions. Stage two (`column`) fills
//! one column at a time with typed values, straight from the file's bytes.
//! Rows that lenient reading repairs (`mend`), and lines of fixed width, are
//! written anew between the two stages.
//!
//! What a file may look like:
//!
//! - Lines end in LF, CR or CRLF, mixed as they come; the last one may lack
//!   its end. Text in any encoding is read as UTF-8 ([`crate::encoding`]).
//! - Blank lines are no rows, except in a file of one column, where a blank
//!   line below the first row is the empty field, which is how a NULL is
//!   written there.
//! - The empty field without quotes is NULL, the empty field in quotes is the
//!   empty string. Where null words are given, they alone are NULL (without
//!   quotes); the empty field is then the empty string in text, and stays
//!   NULL in every other type, which has no empty value to confuse it with.
//! - Names in a header are trimmed, values are not; a column without a name
//!   is `column_N`, counted from 1. Several header rows are joined by `_`.
//! - A quote that is never closed, or not within the longest row, costs the
//!   line on which it opens, and no other. Fields of several lines are never
//!   broken: a quote that is closed, however late, was meant.
//!
//! Positions and raw text: `byte_offset` counts the file's own bytes after
//! decompression, whatever its encoding. Raw text is as it stands in the file
//! where that is UTF-8, else transcribed to UTF-8, so that it can be mended
//! and read again in any editor and joined with other files' rows; what
//! decoding says of its columns' options is how this raw text is read again. A
//! sequence without a meaning in the file's encoding is the one byte 0xFF
//! there: the row stays bad until somebody mends it, and `byte_offset` says
//! where the file has the original.
//!
//! Invariant: every row of the file is delivered once, as a row of a batch or
//! as a reject with its position, whatever the chunks of the input.

mod blocks;
mod column;
pub(crate) mod complaint;
mod decode;
mod detect;
mod dialect;
mod field;
mod fixed_width;
mod footer;
mod groups;
mod header;
mod index;
mod marks;
mod mend;
mod outline;
mod pieces;
mod sample;
mod stretch;
#[cfg(test)]
mod tests;
mod texts;
mod walk;

use decant_core::Result;
use decant_core::format::{Format, Input, Piece, Receiver, Sample, SampleLimits};
use decant_core::stream::{FormatOptions, Header};

use crate::compression::{Decompressed, Limits};
use crate::encoding::Transcoded;
use blocks::{BLOCK_BYTES, Blocks};
use detect::Detected;
pub use dialect::{Delimiter, Dialect, RECORD_BYTES_MAX};

/// Delimiter-separated text or text of fixed width, compressed or not.
#[derive(Clone, Debug)]
pub struct CsvFormat {
    /// What was said.
    options: FormatOptions,
    kind: Kind,
    block_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// With this delimiter, unless another is given or seen.
    Delimited(u8),
    FixedWidth,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Delimited(b'\t') => "tsv",
            Self::Delimited(b'|') => "psv",
            Self::Delimited(_) => "csv",
            Self::FixedWidth => "fwf",
        }
    }

    fn dialect(self, options: &FormatOptions) -> Result<Dialect> {
        match self {
            Self::Delimited(delimiter) => Dialect::new(delimiter, options),
            Self::FixedWidth => Dialect::fixed_width(options),
        }
    }
}

impl CsvFormat {
    /// Delimited text for `options`, whose delimiter is `delimiter` unless
    /// they name one or the file shows another.
    ///
    /// Errors: `InvalidConfig` when delimiter, quote, escape and comment
    /// share a character, one is a line end, or the encoding is unknown.
    pub fn new(delimiter: u8, options: &FormatOptions) -> Result<Self> {
        Self::of_kind(Kind::Delimited(delimiter), options)
    }

    /// Text whose columns have the widths of `options`.
    ///
    /// Errors: `InvalidConfig` without widths, or when the encoding is
    /// unknown.
    pub fn fixed_width(options: &FormatOptions) -> Result<Self> {
        Self::of_kind(Kind::FixedWidth, options)
    }

    fn of_kind(kind: Kind, options: &FormatOptions) -> Result<Self> {
        kind.dialect(options)?;
        if let Some(label) = &options.encoding {
            crate::encoding::check_label(label)?;
        }
        Ok(Self { options: options.clone(), kind, block_bytes: BLOCK_BYTES })
    }

    /// What is said and seen of a file, as options, and the dialect of these.
    fn detect(&self, text: &mut Transcoded<'_>) -> Result<(Detected, Dialect)> {
        let mut detected = match self.kind {
            Kind::Delimited(delimiter) => {
                detect::detect(&text.beginning(detect::BEGINNING_BYTES)?, &self.options, delimiter)
            }
            Kind::FixedWidth => Detected::said(&self.options),
        };
        detected.options.name = Some(self.kind.name().to_owned());
        detected.options.encoding = Some(text.label());
        detected.shown.encoding = text.shown_label();
        detected.explanation.splice(0..0, text.explanation().map(str::to_owned));
        detected.notes.splice(0..0, text.guess().map(str::to_owned));
        let mut dialect = self.kind.dialect(&detected.options)?;
        dialect.footer = detected.footer.unwrap_or(dialect.footer);
        Ok((detected, dialect))
    }
}

const UTF_8: &str = "utf-8";

/// The options under which raw rows of a file with `options` are read again.
fn of_raw_rows(options: FormatOptions) -> FormatOptions {
    FormatOptions {
        encoding: Some(UTF_8.to_owned()),
        header: Some(Header::None),
        skip_rows: Some(0),
        skip_footer: Some(0),
        ..options
    }
}

impl Format for CsvFormat {
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample> {
        let mut input = Decompressed::new(input, Limits::default())?;
        let mut text = Transcoded::new(&mut input, &self.options)?;
        let (detected, dialect) = self.detect(&mut text)?;
        let block_bytes = self.block_bytes.min(limits.bytes);
        let mut blocks = Blocks::new(text, &dialect, block_bytes);
        let mut sample = sample::sample(&mut blocks, &dialect, limits)?;
        sample.columns.options = detected.options;
        sample.columns.shown = detected.shown;
        sample.explanation = detected.explanation;
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
        let mut text = Transcoded::new(&mut input, &self.options)?.with_offsets().with_originals();
        let encoding = Some(text.label()).filter(|label| label != UTF_8);
        let (detected, dialect) = self.detect(&mut text)?;
        detected.notes.into_iter().for_each(|note| receiver.note(note));
        let mut blocks = Blocks::new(text, &dialect, self.block_bytes);
        let Some(mut columns) = blocks.columns()? else { return Ok(()) };
        columns.options = of_raw_rows(detected.options);
        columns.encoding = encoding;
        columns.shown = detected.shown;
        decode::decode(&mut blocks, &columns, (&dialect, 0), receiver)
    }
}
