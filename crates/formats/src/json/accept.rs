//! What becomes of a row that was taken apart: a row of the block, repaired or
//! not, or a reject.
//!
//! Not here: where it begins and ends.

use decant_core::format::RepairKind;
use decant_core::{Reject, Result};

use super::block::{Block, Repaired, Row};
use super::columns::{Refusal, names_of};
use super::fault::{Fault, What};
use super::plain::Example;
use super::reading::{Pending, Reading};
use super::scanner::Event;
use super::take::Taken;
use super::token::{Texts, Token};
use super::window::Place;

/// Bytes kept of a row that is too long.
const TOO_LONG_KEPT_BYTES: usize = 64 << 10;

/// What was done to a row of another length than the first, and the values
/// that were cut off.
type Fitted = (RepairKind, Vec<String>);

/// The good and the bad rows of a block in the making.
pub(super) struct Yield<'y> {
    pub(super) block: &'y mut Block,
    pub(super) rejects: &'y mut Vec<Reject>,
}

impl Reading<'_> {
    /// Makes a good row of what was taken, or a bad one.
    pub(super) fn accept(
        &mut self,
        rows: &mut Yield<'_>,
        (start, end, place): (usize, usize, Place),
        taken: Taken,
        name: Option<Token>,
    ) -> Result<()> {
        let (text, encoding_fault) = match taken {
            Taken::Bad(fault) => {
                self.reject(rows, (start, end), fault);
                return Ok(());
            }
            Taken::Mended(text, fault) => (Some(text), Some(fault)),
            _ => (None, None),
        };
        let text = text.as_deref();
        let fitted = match self.fit_elements(start, end, text) {
            Ok(fitted) => fitted,
            Err(fault) => {
                self.reject(rows, (start, end), fault);
                return Ok(());
            }
        };
        self.cells.clear();
        if let Some(name) = name {
            self.cells.push((self.columns.index(), name));
        }
        let named = self.cells.len();
        let bytes = text.unwrap_or(self.window.bytes());
        match self.columns.resolve(bytes, &self.events, &mut self.cells) {
            Ok(()) => {
                if self.learns && named == 0 && text.is_none() && fitted.is_none() {
                    self.learn(start, end);
                }
                let number = rows.block.rows.len();
                if let Some(text) = text {
                    self.keep_mended(text, named);
                    let kind = RepairKind::Replaced;
                    rows.block.repairs.push(Repaired { row: number, kind, cut: Vec::new() });
                }
                self.ordinal += 1;
                let row = Row { start, end, place: Some(place), ordinal: self.ordinal };
                let repair = fitted.map(|(kind, cut)| Repaired { row: number, kind, cut });
                rows.block.repairs.extend(repair);
                rows.block.push(row, &self.cells);
                rows.block.rows_read += 1;
            }
            Err(Refusal::Row(fault)) => {
                self.reject(rows, (start, end), encoding_fault.unwrap_or(fault));
            }
            Err(Refusal::File(error)) => return Err(*error),
        }
        Ok(())
    }

    /// Learns from the row whose parts are at hand.
    fn learn(&mut self, start: usize, end: usize) {
        self.plain.look_at(&Example {
            bytes: self.window.bytes(),
            start,
            end,
            events: &self.events,
            cells: &self.cells,
            flattened: self.settings.levels() > 0,
        });
    }

    /// Gives up the member of a container that begins at `start`, and nothing
    /// behind it; the file, where it cannot be told where the member ends.
    pub(super) fn reject_member(
        &mut self,
        rows: &mut Yield<'_>,
        start: usize,
        fault: Fault,
    ) -> Result<()> {
        let Some(end) = self.broken_end(start)? else {
            return Err(self.window.malformed(fault));
        };
        self.window.at = end;
        self.reject(rows, (start, end), fault);
        Ok(())
    }

    /// An array of another length than the first is a bad row; lenient reading
    /// cuts it, or leaves columns without a value.
    fn fit_elements(
        &mut self,
        start: usize,
        end: usize,
        mended: Option<&[u8]>,
    ) -> Result<Option<Fitted>, Fault> {
        if self.window.bytes().get(start) != Some(&b'[') {
            return Ok(None);
        }
        let found = self.events.len();
        let width = self.columns.width_where(found);
        if found == width {
            return Ok(None);
        }
        if !self.settings.options.lenient {
            return Err(Fault::new(start, end, What::FieldCount(found, width)));
        }
        let cut = self.events.split_off(width.min(found));
        let kind = if cut.is_empty() { RepairKind::Padded } else { RepairKind::Cut };
        let texts = Texts { window: mended.unwrap_or(self.window.bytes()), store: &[] };
        let cut = cut.iter().filter_map(|event| match event {
            Event::Element(token) => Some(*token),
            _ => None,
        });
        Ok(Some((kind, names_of(texts, &cut.collect::<Vec<_>>()))))
    }

    pub(super) fn reject(
        &mut self,
        rows: &mut Yield<'_>,
        (start, end): (usize, usize),
        fault: Fault,
    ) {
        self.ordinal += 1;
        rows.block.rows_read += 1;
        self.looked_at.push((self.ordinal, self.window.position_of(fault.seen_up_to())));
        let place = self.window.place(start);
        let trouble = self.window.place(fault.at);
        let sentence = fault.sentence(self.window.bytes());
        let raw = self.window.bytes().get(start..end).unwrap_or_default();
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        rows.rejects.push(Reject {
            ordinal: self.ordinal,
            line: Some(place.line),
            byte_offset: Some(place.byte),
            column: None,
            reason: fault.reason(),
            detail: format!("{sentence} (line {}, column {})", trouble.line, trouble.column),
            raw: raw.to_vec(),
        });
    }

    /// Gives up the row at hand, of which only the beginning is kept.
    pub(super) fn reject_long(&mut self, rows: &mut Yield<'_>, pending: Pending) {
        let start = self.window.at;
        let kept = TOO_LONG_KEPT_BYTES.min(self.settings.row_bytes_max);
        let end = (start + kept).min(self.window.bytes().len());
        self.reject(rows, (start, end), self.too_long_fault(start));
        self.pending = pending;
    }

    pub(super) fn too_long_fault(&self, start: usize) -> Fault {
        Fault::new(start, start, What::Long(self.settings.row_bytes_max))
    }
}
