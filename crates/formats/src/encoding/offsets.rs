//! From positions in the text back to positions in the file.

use std::collections::VecDeque;

/// Where some bytes of the text stand in the file.
///
/// Invariant: the known positions ascend in both.
pub(crate) struct Offsets {
    /// Text of UTF-8 keeps its distances.
    is_constant: bool,
    remembers: bool,
    /// Positions in the text and in the file, of lines and of the end.
    known: VecDeque<(u64, u64)>,
    text: u64,
    file: u64,
}

impl Offsets {
    /// The text begins `file` bytes behind the file's beginning.
    pub(super) fn new(file: u64, is_constant: bool) -> Self {
        Self { is_constant, remembers: false, known: VecDeque::from([(0, file)]), text: 0, file }
    }

    pub(super) fn remember(&mut self) {
        self.remembers = !self.is_constant;
    }

    /// So many bytes of the file have become so many of the text. The last
    /// ones may be no text yet: they belong to the character that they begin.
    pub(super) fn passed(&mut self, text: u64, file: u64) {
        self.text += text;
        self.file += file;
    }

    /// Notes that a line begins here.
    pub(super) fn at_line(&mut self) {
        if self.remembers && self.known.back().is_none_or(|(text, _)| *text < self.text) {
            self.known.push_back((self.text, self.file));
        }
    }

    /// Notes that the text ends here.
    pub(super) fn at_end(&mut self) {
        match self.known.back_mut() {
            Some((text, file)) if *text == self.text => *file = self.file,
            _ => self.known.push_back((self.text, self.file)),
        }
    }

    /// The position in the file of the text's byte at `offset`.
    pub(crate) fn in_file(&self, offset: u64) -> u64 {
        let behind = self.known.partition_point(|(text, _)| *text <= offset);
        let (text, file) = self.known_before(offset);
        let there = file + offset.saturating_sub(text);
        match self.known.get(behind) {
            Some((_, next)) => there.min(*next),
            None => there,
        }
    }

    /// The last position at or before the text's byte at `offset` that is
    /// known in both: in the text, and in the file.
    pub(crate) fn known_before(&self, offset: u64) -> (u64, u64) {
        let behind = self.known.partition_point(|(text, _)| *text <= offset);
        let before = behind.checked_sub(1).and_then(|at| self.known.get(at));
        before.copied().unwrap_or_default()
    }

    /// The first position at or behind the text's byte at `offset` that is
    /// known in both.
    pub(crate) fn known_behind(&self, offset: u64) -> Option<(u64, u64)> {
        let before = self.known.partition_point(|(text, _)| *text < offset);
        self.known.get(before).copied()
    }

    /// Forgets what is known of the text before `offset`.
    pub(super) fn forget_before(&mut self, offset: u64) {
        while self.known.get(1).is_some_and(|(text, _)| *text <= offset) {
            self.known.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_starts_are_exact_and_utf_8_is_shifted_by_its_mark() {
        let mut offsets = Offsets::new(2, false);
        offsets.remember();
        offsets.passed(4, 7);
        offsets.passed(1, 1);
        offsets.at_line();
        offsets.passed(3, 6);
        offsets.at_line();
        assert_eq!([0, 5, 8].map(|at| offsets.in_file(at)), [2, 10, 16]);
        offsets.forget_before(6);
        assert_eq!([5, 8].map(|at| offsets.in_file(at)), [10, 16]);
        let mut constant = Offsets::new(3, true);
        constant.remember();
        assert_eq!([0, 1000].map(|at| constant.in_file(at)), [3, 1003]);
    }
}
