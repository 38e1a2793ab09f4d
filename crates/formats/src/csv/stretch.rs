//! The walk over a block, with as many marks as it needs: those of a stretch
//! around the place that is looked at.
//!
//! Invariant: how long a stretch is makes no difference to what is found.

use super::dialect::Dialect;
use super::marks::Marker;
use super::walk::{Found, Walk};

/// Bytes whose marks are found together.
const STRETCH_BYTES: usize = 16 << 10;
/// So many that a line end of two bytes is in one stretch.
const STRETCH_BYTES_MIN: usize = 2;

/// A stretch of a block, and its marks.
#[derive(Clone)]
pub(super) struct Stretch {
    marker: Marker,
    /// How rows are found.
    structure: Dialect,
    bytes: usize,
    marks: Vec<u32>,
    from: usize,
    to: usize,
    /// The first mark that has not been passed.
    mark: usize,
}

impl Stretch {
    /// Of a file in `dialect`, no longer than `bytes_max` where that does.
    pub(super) fn new(dialect: &Dialect, bytes_max: usize) -> Self {
        let structure = dialect.structure();
        let marker = Marker::new(&structure);
        let bytes = bytes_max.clamp(STRETCH_BYTES_MIN, STRETCH_BYTES);
        Self { marker, structure, bytes, marks: Vec::new(), from: 0, to: 0, mark: 0 }
    }

    /// Forgets the marks: the block has moved.
    pub(super) fn clear(&mut self) {
        (self.from, self.to) = (0, 0);
    }

    /// Says what stands at `start` of `block`, the first byte of a line.
    /// `ended` says that no bytes follow those of the block. Only a `Row`
    /// leaves anything in `ends`.
    pub(super) fn line(
        &mut self,
        block: &[u8],
        ended: bool,
        start: usize,
        ends: &mut Vec<u32>,
    ) -> Found {
        self.reach(block, start);
        loop {
            let is_all = self.to == block.len();
            let (bytes, ended) = (&block[..self.to], ended && is_all);
            let mut walk = Walk::new(bytes, &self.marks, self.mark, ended, &self.structure);
            let found = walk.line(start, ends);
            if found != Found::Incomplete || is_all {
                self.mark = walk.mark();
                return found;
            }
            self.begin(block, start, (self.to - start) * 2);
        }
    }

    /// Where the line begins that follows the one `start` is on, or `None`
    /// when the block has no whole line end.
    pub(super) fn next_line(&mut self, block: &[u8], ended: bool, start: usize) -> Option<usize> {
        self.reach(block, start);
        loop {
            let is_all = self.to == block.len();
            let (bytes, ended) = (&block[..self.to], ended && is_all);
            let mut walk = Walk::new(bytes, &self.marks, self.mark, ended, &self.structure);
            let next = walk.next_line(start);
            if next.is_some() || is_all {
                self.mark = walk.mark();
                return next;
            }
            self.begin(block, start.max(self.to - 1), STRETCH_BYTES_MIN);
        }
    }

    /// Lets the next mark be the first one at or behind `start`.
    fn reach(&mut self, block: &[u8], start: usize) {
        if !(self.from..self.to).contains(&start) {
            return self.begin(block, start, 0);
        }
        let is_before = |mark: &u32| (*mark as usize) < start;
        let is_first = self.mark.checked_sub(1).is_none_or(|last| is_before(&self.marks[last]));
        if !is_first || self.marks.get(self.mark).is_some_and(is_before) {
            self.mark = self.marks.partition_point(is_before);
        }
    }

    fn begin(&mut self, block: &[u8], from: usize, bytes_min: usize) {
        let bytes = self.bytes.max(bytes_min);
        (self.from, self.to) = (from, from.saturating_add(bytes).min(block.len()));
        self.mark = 0;
        self.marks.clear();
        self.marker.mark(&block[from..self.to], from, &mut self.marks);
    }
}
