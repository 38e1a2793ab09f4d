//! Delimiter-separated text (RFC 4180 and its relatives), decoded in two
//! stages.
//!
//! Stage one finds structure: `marks` looks for the bytes with a meaning,
//! `walk` makes rows and fields of them, `blocks` does so for a whole file
//! and leaves an `index` of field positions. Stage two (`column`) fills
//! one column at a time with typed values, straight from the file's bytes.
//!
//! What a file may look like:
//!
//! - Lines end in LF, CR or CRLF, mixed as they come; the last one may lack
//!   its end. A UTF-8 byte-order mark is passed over. Text is UTF-8.
//! - Blank lines are no rows, except in a file of one column, where a blank
//!   line below the first row is the empty field, which is how a NULL is
//!   written there.
//! - The empty field without quotes is NULL, the empty field in quotes is the
//!   empty string. Where null words are given, they alone are NULL (without
//!   quotes); the empty field is then the empty string in text, and stays
//!   NULL in every other type, which has no empty value to confuse it with.
//! - Names in a header are trimmed, values are not; a column without a name
//!   is `column_N`, counted from 1.
//!
//! Invariant: every row of the file is delivered once, as a row of a batch or
//! as a reject with its position, whatever the chunks of the input.

mod blocks;
mod column;
pub(crate) mod complaint;
mod decode;
mod delimiter;
mod dialect;
mod field;
mod index;
mod marks;
mod sample;
#[cfg(test)]
mod tests;
mod walk;

use decant_core::Result;
use decant_core::format::{Format, Input, Piece, Receiver, Sample, SampleLimits};
use decant_core::stream::FormatOptions;

use crate::compression::{Decompressed, Limits};
use blocks::{BLOCK_BYTES, Blocks};
use delimiter::Replayed;
pub use dialect::{Dialect, RECORD_BYTES_MAX};

/// Delimiter-separated text, compressed or not.
#[derive(Clone, Debug)]
pub struct CsvFormat {
    dialect: Dialect,
    /// Whether nobody said what separates fields.
    detects: bool,
    block_bytes: usize,
}

impl CsvFormat {
    /// The format for `options`, whose delimiter is `delimiter` unless they
    /// name one.
    ///
    /// Errors: `InvalidConfig` when delimiter, quote, escape and comment are
    /// not four different ASCII characters, or one is a line end.
    pub fn new(delimiter: u8, options: &FormatOptions) -> Result<Self> {
        Ok(Self {
            dialect: Dialect::new(delimiter, options)?,
            detects: options.delimiter.is_none(),
            block_bytes: BLOCK_BYTES,
        })
    }

    /// The dialect that is read.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }
}

impl CsvFormat {
    fn dialect_of(&self, input: &mut Replayed<'_>) -> Result<Dialect> {
        if self.detects { input.detect(&self.dialect) } else { Ok(self.dialect.clone()) }
    }
}

impl Format for CsvFormat {
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample> {
        let mut input = Decompressed::new(input, Limits::default())?;
        let mut input = Replayed::new(&mut input);
        let dialect = self.dialect_of(&mut input)?;
        let block_bytes = self.block_bytes.min(limits.bytes);
        let mut blocks = Blocks::new(&mut input, &dialect, block_bytes);
        sample::sample(&mut blocks, &dialect, limits)
    }

    fn decode(&self, _: &Piece, input: &mut dyn Input, receiver: &mut dyn Receiver) -> Result<()> {
        let mut input = Decompressed::new(input, Limits::default())?;
        let mut input = Replayed::new(&mut input);
        let dialect = self.dialect_of(&mut input)?;
        let mut blocks = Blocks::new(&mut input, &dialect, self.block_bytes);
        match blocks.columns()? {
            Some(columns) => decode::decode(&mut blocks, &columns, &dialect, receiver),
            None => Ok(()),
        }
    }
}
