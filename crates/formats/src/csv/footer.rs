//! The last rows read, held back until it is known whether they are the
//! file's last: a number of them that was asked for, or those that call
//! themselves totals.

use std::collections::VecDeque;

use super::blocks::Place;

/// Rows that can be totals at the end of a table.
pub(super) const TOTALS_MAX: usize = 3;
/// Bytes of a row that can be a total.
const TOTAL_BYTES_MAX: usize = 4 << 10;
/// What the rows of a footer begin with.
const TOTALS: [&str; 22] = [
    "total",
    "totals",
    "grand total",
    "subtotal",
    "sum",
    "summe",
    "gesamt",
    "gesamtsumme",
    "somme",
    "totale",
    "totaal",
    "suma",
    "итого",
    "合計",
    "总计",
    "count",
    "row count",
    "record count",
    "rows",
    "records",
    "end of",
    "eof",
];

/// Which rows at a file's end are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    /// So many, whatever they are.
    Rows(usize),
    /// Those that call themselves totals and are not like the table's rows.
    Totals {
        /// Whether the first column has numbers, dates and the like.
        begins_typed: bool,
    },
}

impl Leaving {
    /// Rows that are held back.
    fn rows_max(self) -> usize {
        match self {
            Self::Rows(rows) => rows,
            Self::Totals { .. } => TOTALS_MAX,
        }
    }
}

/// The last few rows, by where they begin.
pub(super) struct Footer {
    rows: VecDeque<Held>,
    rows_max: usize,
    bytes_max: usize,
}

/// A row that is held back.
#[derive(Clone, Copy)]
pub(super) struct Held {
    /// Where it begins.
    pub(super) place: Place,
    /// Good rows before it.
    pub(super) rows: usize,
    /// Bad rows before it.
    pub(super) rejects: usize,
}

impl Footer {
    /// Holds the last rows that may have to be left out.
    pub(super) fn new(leaving: Leaving) -> Self {
        let bytes_max = match leaving {
            Leaving::Rows(_) => usize::MAX,
            Leaving::Totals { .. } => TOTAL_BYTES_MAX,
        };
        Self { rows: VecDeque::new(), rows_max: leaving.rows_max(), bytes_max }
    }

    /// Rows that are held at most.
    pub(super) fn rows_max(&self) -> usize {
        self.rows_max
    }

    /// A row of so many bytes begins here.
    #[inline]
    pub(super) fn hold(&mut self, place: Place, bytes: usize, rows: usize, rejects: usize) {
        if self.rows_max == 0 {
            return;
        }
        if bytes > self.bytes_max {
            return self.let_go();
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

    /// The rows that are held, in their order.
    pub(super) fn held(&self) -> &VecDeque<Held> {
        &self.rows
    }
}

/// Whether the first value of a row says that it is a total.
pub(super) fn is_total_word(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value).trim().to_lowercase();
    let begins = |word: &&str| {
        let behind = text.strip_prefix(*word);
        behind.is_some_and(|behind| !behind.starts_with(char::is_alphanumeric))
    };
    let inner = text.trim_matches(['(', ')']);
    let counted = inner.split_once(' ').is_some_and(|(count, noun)| {
        count.parse::<u64>().is_ok() && matches!(noun, "row" | "rows" | "record" | "records")
    });
    counted || TOTALS.iter().any(begins)
}
