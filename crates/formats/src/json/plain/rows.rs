//! Plain rows of a file: one after the other where each is a line, one by one
//! elsewhere.

use super::super::accept::Yield;
use super::super::block::Row;
use super::super::reading::Reading;
use super::super::window::Place;
use super::TakenRow;

impl Reading<'_> {
    /// Takes lines as long as they are plain and at hand. Answers whether the
    /// next one has to wait for the next block.
    pub(in super::super) fn plain_lines(&mut self, rows: &mut Yield<'_>) -> bool {
        let mut line = None;
        while self.goes_on(rows.block) {
            let at = self.window.at;
            let start = behind_line_end(self.window.bytes(), at).unwrap_or(at);
            let ends_line = |bytes: &[u8], end| behind_line_end(bytes, end).is_some();
            let Some(taken) = self.take_plain(rows, start, ends_line) else { return false };
            let place = match line.filter(|_| start > at) {
                Some(line) => self.window.mark_line(start, line),
                None => self.window.mark_at(start),
            };
            line = (!taken.has_lines).then_some(place.line + 1);
            self.keep_plain(rows, (start, taken.end, place));
            self.pass_carriage_return();
        }
        true
    }

    /// Takes the value at hand, if it is a plain row.
    pub(in super::super) fn plain_value(&mut self, rows: &mut Yield<'_>) -> bool {
        let start = self.window.at;
        let Some(taken) = self.take_plain(rows, start, |_, _| true) else { return false };
        let place = self.window.mark_at(start);
        self.keep_plain(rows, (start, taken.end, place));
        true
    }

    #[inline]
    fn take_plain(
        &mut self,
        rows: &mut Yield<'_>,
        start: usize,
        ends: impl Fn(&[u8], usize) -> bool,
    ) -> Option<TakenRow> {
        if !self.plain.tries() {
            return None;
        }
        rows.block.widen(self.columns.names().len());
        let limit = self.settings.row_bytes_max;
        let text_end = self.window.text_end();
        let bytes = self.window.bytes();
        let is_good = |end: usize| end <= text_end && end - start <= limit && ends(bytes, end);
        self.plain.row((bytes, start), &mut self.memory, rows.block, is_good)
    }

    /// Goes to the line feed behind a row.
    #[inline]
    fn pass_carriage_return(&mut self) {
        self.window.at += usize::from(self.window.bytes().get(self.window.at) == Some(&b'\r'));
    }

    #[inline]
    fn keep_plain(&mut self, rows: &mut Yield<'_>, (start, end, place): (usize, usize, Place)) {
        self.window.at = end;
        self.ordinal += 1;
        let row = Row { start, end, place: Some(place), ordinal: self.ordinal };
        rows.block.rows.push(row);
        rows.block.rows_read += 1;
    }
}

/// Behind the line end at `at`, if there is one.
#[inline]
fn behind_line_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'\n' => Some(at + 1),
        b'\r' if bytes.get(at + 1) == Some(&b'\n') => Some(at + 2),
        _ => None,
    }
}
