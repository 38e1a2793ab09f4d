//! Pieces of a file: its rows are found as decoding finds them, from the first
//! byte on, since a quote that is never closed changes what a line end is; but
//! no value is read.
//!
//! A piece is decoded by the dialect that the file's beginning shows. Invariant:
//! the rows, rejects and positions of all pieces are those of the file.

use decant_core::Result;
use decant_core::format::{FileColumns, Input, Piece, Receiver};

use super::blocks::Blocks;
use super::decode;
use super::detect::Detected;
use super::dialect::Dialect;
use super::footer::Leaving;
use super::index::Index;
use super::{CsvFormat, of_raw_rows};
use crate::cuts::Cuts;
use crate::encoding::Transcoded;
use crate::head::Head;

/// What a file's beginning says of all of it.
struct Beginning {
    detected: Detected,
    dialect: Dialect,
    /// `None` for a file without a row.
    columns: Option<FileColumns>,
    /// Whether rows can be read from anywhere on: elsewhere in a text of many
    /// encodings nobody knows where a character begins.
    is_utf_8: bool,
    /// Bytes of the mark before the text.
    mark_bytes: u64,
}

impl CsvFormat {
    fn beginning(&self, input: &mut dyn Input) -> Result<Beginning> {
        let mut head = Head::of(input);
        let mut text = Transcoded::new(&mut head, &self.options)?;
        let (is_utf_8, mark_bytes) = (text.passes(), text.offsets().in_file(0));
        let (detected, dialect) = self.detect(&mut text)?;
        let columns = Blocks::new(text, &dialect, self.block_bytes).columns()?;
        Ok(Beginning { detected, dialect, columns, is_utf_8, mark_bytes })
    }

    /// Cuts a file that is not compressed.
    pub(super) fn cut(
        &self,
        input: &mut dyn Input,
        piece_bytes: u64,
        found: &mut dyn FnMut(Piece) -> bool,
    ) -> Result<Option<&'static str>> {
        let size = input.size().unwrap_or_default();
        let mut cuts = Cuts::new(size, piece_bytes, found);
        let beginning = self.beginning(input)?;
        if !beginning.is_utf_8 {
            cuts.end();
            return Ok(Some("it is not in UTF-8"));
        }
        let text = Transcoded::new(input, &self.options)?;
        let block_bytes = usize::try_from(piece_bytes).unwrap_or(usize::MAX).min(self.block_bytes);
        let mut blocks = Blocks::new(text, &beginning.dialect, block_bytes);
        if let Some(columns) = blocks.columns()? {
            pass_rows(&mut blocks, &columns, &mut cuts)?;
        }
        cuts.end();
        Ok(None)
    }

    /// Decodes a piece of a file that is not compressed.
    pub(super) fn decode_piece(
        &self,
        piece: &Piece,
        input: &mut dyn Input,
        receiver: &mut dyn Receiver,
    ) -> Result<()> {
        let Beginning { detected, mut dialect, columns, mark_bytes, .. } = self.beginning(input)?;
        let Some(mut columns) = columns else { return Ok(()) };
        if input.size().is_some_and(|size| piece.bytes.end < size) {
            // The file's last rows are elsewhere.
            dialect.footer = Leaving::Rows(0);
        }
        let text = Transcoded::of_piece(input, piece, mark_bytes)?;
        let mut blocks = Blocks::new(text, &dialect, self.block_bytes);
        if piece.is_later() {
            blocks = blocks.behind(piece);
        } else {
            detected.notes.into_iter().for_each(|note| receiver.note(note));
            blocks.columns()?;
        }
        columns.options = of_raw_rows(detected.options);
        columns.shown = detected.shown;
        decode::decode(&mut blocks, &columns, (&dialect, piece.bytes.start), receiver)
    }
}

fn pass_rows(blocks: &mut Blocks<'_>, columns: &FileColumns, cuts: &mut Cuts<'_>) -> Result<()> {
    let (mut index, mut rejects) = (Index::default(), Vec::new());
    while cuts.are_wanted()
        && let Some(block) = blocks.next(columns, &mut index, &mut rejects)?
    {
        rejects.clear();
        let mut seen = 0;
        loop {
            let at = |row: usize| block.file_offset(index.raw(row).start);
            let rows = index.rows.len();
            let mut far = seen..rows;
            while !far.is_empty() {
                let middle = far.start + far.len() / 2;
                match at(middle) < cuts.next() {
                    true => far.start = middle + 1,
                    false => far.end = middle,
                }
            }
            let Some(row) = index.rows.get(far.start) else { break };
            let rows_before = index.first_ordinal + u64::from(row.ordinal) - 1;
            let lines_before = index.first_line + u64::from(row.line) - 1;
            cuts.before(at(far.start), rows_before, lines_before);
            seen = far.start + 1;
        }
    }
    Ok(())
}
