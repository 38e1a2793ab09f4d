//! Pieces of a file of objects behind each other, mostly one a line. Rows are
//! found as decoding finds them, from the first byte on, since a row may go
//! over several lines, and a line feed in a broken one ends it or does not.
//!
//! Invariant: the rows, rejects and positions of all pieces are those of the
//! file. What would depend on rows of other pieces ends the cutting before the
//! piece that has it is handed over.

use decant_core::format::{Input, Piece, Receiver};
use decant_core::{Error, ErrorKind, Result};

use super::block::Block;
use super::reading::{Reading, Source};
use super::{JsonFormat, decode};
use crate::cuts::Cuts;
use crate::encoding::Transcoded;
use crate::head::Head;

/// What a file's beginning says of all of it.
struct Beginning {
    /// How its rows follow each other; why it cannot be cut, if it cannot.
    source: std::result::Result<Source, &'static str>,
    /// Bytes of the mark before the text.
    mark_bytes: u64,
}

impl JsonFormat {
    fn beginning(&self, input: &mut dyn Input) -> Result<Beginning> {
        let mut head = Head::of(input);
        let reading = Reading::open(&mut head, &self.settings)?;
        let text = &reading.window.input;
        let (is_utf_8, mark_bytes) = (text.passes(), text.offsets().in_file(0));
        let first = reading.window.bytes().get(reading.window.at);
        let source = match reading.source {
            _ if !is_utf_8 => Err("it is not in UTF-8"),
            _ if self.settings.levels() > 0 => Err("which keys have columns depends on all rows"),
            Source::Lines | Source::Values if first != Some(&b'{') => {
                Err("its rows are not objects")
            }
            Source::Lines => Ok(Source::Lines),
            Source::Values => Ok(Source::Values),
            _ => Err("its rows stand in one document"),
        };
        Ok(Beginning { source, mark_bytes })
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
        match self.beginning(input)?.source {
            Err(why) => {
                cuts.end();
                Ok(Some(why))
            }
            Ok(source) => {
                let text = Transcoded::of_json(input, &self.settings.options)?;
                let mut reading = self.reading(text, source, &Piece::whole(size));
                pass_rows(&mut reading, &mut cuts)?;
                cuts.end();
                Ok(None)
            }
        }
    }

    /// Decodes a piece of a file that is not compressed.
    pub(super) fn decode_piece(
        &self,
        piece: &Piece,
        input: &mut dyn Input,
        receiver: &mut dyn Receiver,
    ) -> Result<()> {
        let Beginning { source, mark_bytes } = self.beginning(input)?;
        let source = source.map_err(|why| {
            Error::new(ErrorKind::Internal, format!("a file was cut although {why}"))
        })?;
        let text = Transcoded::of_piece(input, piece, mark_bytes)?;
        decode::decode(&mut self.reading(text, source, piece), piece.bytes.start, receiver)
    }

    fn reading<'i>(&self, text: Transcoded<'i>, source: Source, piece: &Piece) -> Reading<'i> {
        let mut reading = Reading::of_piece(text, &self.settings, source, piece);
        reading.block_bytes = self.block_bytes;
        reading.learns = self.learns;
        reading
    }
}

/// Passes over the rows of a file and cuts it before good ones that begin a
/// line, of which every position is known that is ever told, and to which
/// nobody looked to tell what is wrong with rows before them.
fn pass_rows(reading: &mut Reading<'_>, cuts: &mut Cuts<'_>) -> Result<()> {
    let (mut block, mut rejects) = (Block::default(), Vec::new());
    let mut looked_at = 0;
    while cuts.are_wanted() && reading.read_block(&mut block, &mut rejects)? {
        rejects.clear();
        if reading.columns.depend_on_order() {
            return Err(in_order_alone());
        }
        let in_file = |text| reading.window.input.offsets().in_file(text);
        let mut bad = reading.looked_at.iter().peekable();
        for row in &block.rows {
            while let Some((_, seen)) = bad.next_if(|(ordinal, _)| *ordinal < row.ordinal) {
                looked_at = looked_at.max(in_file(*seen));
            }
            let Some(place) = row.place.filter(|place| place.byte >= cuts.next()) else { continue };
            if place.column == 1 && place.byte >= looked_at {
                cuts.before(place.byte, row.ordinal - 1, place.line - 1);
            }
        }
        for (_, seen) in bad {
            looked_at = looked_at.max(in_file(*seen));
        }
    }
    Ok(())
}

fn in_order_alone() -> Error {
    let message = "a row is an array, or has two keys for one name: what such rows mean depends \
                   on all rows before them, so that it cannot be loaded in chunks";
    Error::new(ErrorKind::Unsupported, message)
        .with_hint("load it anew as a whole: `--atomic file --force`")
}
