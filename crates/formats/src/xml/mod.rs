//! XML (1.0), read row by row: the outline of the document is followed, and
//! only one row element at a time is taken apart.
//!
//! - `outline`: where markup begins and ends, however long it is.
//! - `reading`, `around`: the rows of a document, block by block, and what
//!   stands around them.
//! - `shape`: which element is a row, where nobody said so.
//! - `tree`, `cells`: one row as elements, by quick-xml, and its values.
//!
//! Rows:
//!
//! - The row element is named, with those around it or without, or it is the
//!   first child of the root that is repeated. What stands around the rows is
//!   not loaded.
//! - A row's attributes and child elements are its columns, by their local
//!   names. An absent one is NULL, and so is one with `xsi:nil`; an empty one
//!   is NULL as an empty field is, by `null_values`.
//! - XML has no types: values are read and inferred as those of CSV. An
//!   element with attributes or elements, or one that is repeated, is JSON.
//! - From there on rows go the way of JSON's: the same columns that come late,
//!   the same `flatten`, the same batches and rejects.
//!
//! Faults: a document that is not well-formed fails as a whole, since nobody
//! knows where its rows end. A row that ends where it seems to, but is too
//! long, or has an unknown entity or a character that is none, is rejected.
//! Document types are passed over and nothing is ever fetched; one that
//! declares entities is refused.
//!
//! Invariants: memory is bounded by a block and a row; every row is delivered
//! once, as a row of a batch or as a reject with its position; nothing
//! depends on the chunks of the input.

mod around;
mod cells;
mod declaration;
mod fault;
mod outline;
mod reading;
mod settings;
mod shape;
#[cfg(test)]
mod tests;
mod tree;

use decant_core::Result;
use decant_core::format::{Format, Input, Piece, Receiver, Sample, SampleLimits};
use decant_core::stream::FormatOptions;

use self::declaration::Begun;
use self::reading::{BLOCK_BYTES, Reading};
use self::settings::Settings;
use crate::json::{decode, sample};

/// XML documents.
#[derive(Clone, Debug)]
pub(crate) struct XmlFormat {
    settings: Settings,
    block_bytes: usize,
}

impl XmlFormat {
    /// The format with a stream's options: `row_element`, `flatten`,
    /// `null_values`, `numbers`, `encoding` and `record_bytes_max`.
    ///
    /// Errors: `InvalidConfig` for a row element that none can be called, or
    /// a limit out of range.
    pub(crate) fn new(options: &FormatOptions) -> Result<Self> {
        Ok(Self { settings: Settings::new(options)?, block_bytes: BLOCK_BYTES })
    }
}

impl Format for XmlFormat {
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample> {
        let mut input = Begun::new(input)?;
        let block_bytes = self.block_bytes.min(limits.bytes.max(1));
        let mut reading = Reading::open(&mut input, &self.settings, block_bytes)?;
        let mut sample = sample::sample(&mut reading, limits)?;
        sample.columns.options = reading.found_options();
        Ok(sample)
    }

    fn decode(&self, _: &Piece, input: &mut dyn Input, receiver: &mut dyn Receiver) -> Result<()> {
        let mut input = Begun::new(input)?;
        let mut reading = Reading::open(&mut input, &self.settings, self.block_bytes)?;
        decode::decode(&mut reading, 0, receiver)
    }
}
