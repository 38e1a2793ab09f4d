//! The last rows read, held back until it is known that they are not the
//! file's last.

use std::collections::VecDeque;

use super::blocks::Place;

/// The last few rows, by where they begin.
pub(super) struct Footer {
    rows: VecDeque<Held>,
    rows_max: usize,
}

/// A row that is held back.
#[derive(Clone, Copy)]
pub(super) struct Held {
    /// Where it begins, and the first mark behind that.
    pub(super) place: (Place, usize),
    /// Good rows before it.
    pub(super) rows: usize,
    /// Bad rows before it.
    pub(super) rejects: usize,
}

impl Footer {
    /// Holds the last `rows_max` rows.
    pub(super) fn new(rows_max: usize) -> Self {
        Self { rows: VecDeque::new(), rows_max }
    }

    /// A row begins here.
    #[inline]
    pub(super) fn hold(&mut self, place: (Place, usize), rows: usize, rejects: usize) {
        if self.rows_max == 0 {
            return;
        }
        if self.rows.len() == self.rows_max {
            self.rows.pop_front();
        }
        self.rows.push_back(Held { place, rows, rejects });
    }

    /// The rows so far are none of the last: behind them stands one that is
    /// too long to be held.
    pub(super) fn let_go(&mut self) {
        self.rows.clear();
    }

    /// The first row that is held.
    pub(super) fn first(&self) -> Option<Held> {
        self.rows.front().copied()
    }
}
