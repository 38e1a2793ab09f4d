//! Rows with keys, block by block, whatever format they stand in: what
//! decoding and sampling ask of a format.
//!
//! Not here: how rows are found and taken apart.

use decant_core::Result;
use decant_core::format::FileColumns;
use decant_core::reject::Reject;

use super::block::Block;
use super::reading::Reading;
use super::token::Texts;
use crate::untyped::Untyped;

/// A file whose rows have keys.
pub(crate) trait KeyedRows {
    /// Reads the next rows; bad ones are added to `rejects`. `false` at the
    /// end of the file.
    fn next_block(&mut self, block: &mut Block, rejects: &mut Vec<Reject>) -> Result<bool>;

    /// The bytes that the values of the last block stand in.
    fn texts(&self) -> Texts<'_>;

    /// The columns found so far.
    fn file_columns(&self) -> FileColumns;

    /// How many columns were found so far.
    fn column_count(&self) -> usize;

    /// Bytes of the file that have been passed.
    fn position(&self) -> u64;

    /// Whether there are no more rows, as far as can be told without reading
    /// far ahead. Ends the last block.
    fn is_finished(&mut self) -> Result<bool>;

    /// Why the file is read as it is.
    fn explanation(&self) -> Vec<String>;

    /// What is to be said of the file's end, once it has been read.
    fn end(&self) -> Option<&'static str>;

    /// What strings mean where the format has nothing else; `None` where it
    /// has types of its own.
    fn untyped(&self) -> Option<&Untyped>;
}

impl KeyedRows for Reading<'_> {
    fn next_block(&mut self, block: &mut Block, rejects: &mut Vec<Reject>) -> Result<bool> {
        self.read_block(block, rejects)
    }

    fn texts(&self) -> Texts<'_> {
        let window = self.window.bytes().get(..self.window.at).unwrap_or_default();
        Texts { window, store: &self.store }
    }

    fn file_columns(&self) -> FileColumns {
        FileColumns {
            names: self.columns.names().to_vec(),
            named: self.columns.named(),
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
        self.has_finished()
    }

    fn explanation(&self) -> Vec<String> {
        self.explanation.iter().chain(self.columns.notes()).cloned().collect()
    }

    fn end(&self) -> Option<&'static str> {
        self.window.input.end()
    }

    fn untyped(&self) -> Option<&Untyped> {
        None
    }
}
