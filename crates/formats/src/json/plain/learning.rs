//! Learning how rows stand, from those that the scanner took apart; when to
//! learn, and when to leave it.
//!
//! Invariant: rows that have nothing in common cost no more than a constant
//! part of what the scanner costs.

use super::super::scanner::Event;
use super::super::token::{Kind, Token};
use super::{Layout, Literal, Plain, Step};

/// Rows in a row that were not as usual before another layout is learnt;
/// doubled each time that this does not help.
const PATIENCE: u32 = 8;
const PATIENCE_MAX: u32 = 4096;
/// Rows in a row that were not taken before few are tried.
const FAILURES_MAX: u32 = 16;
/// Of so many rows one is tried then.
const RARELY: u32 = 64;

/// How well things have gone of late.
#[derive(Default)]
pub(super) struct Habit {
    /// Rows in a row that did not come as usual.
    unusual: u32,
    /// Rows that may do so before another layout is learnt.
    patience: u32,
    /// Rows in a row that were left to the scanner.
    failures: u32,
}

/// A row that the scanner took apart.
pub(in super::super) struct Example<'e> {
    pub(in super::super) bytes: &'e [u8],
    pub(in super::super) start: usize,
    pub(in super::super) end: usize,
    pub(in super::super) events: &'e [Event],
    /// Its values, each with its column.
    pub(in super::super) cells: &'e [(u32, Token)],
    /// Whether objects inside it become columns.
    pub(in super::super) flattened: bool,
}

impl Habit {
    /// Whether it is worth while to try a row.
    pub(super) fn tries(&self) -> bool {
        self.failures < FAILURES_MAX || self.failures.is_multiple_of(RARELY)
    }

    #[inline]
    pub(super) fn was_usual(&mut self) {
        (self.unusual, self.patience) = (0, PATIENCE);
    }

    pub(super) fn was_unusual(&mut self) {
        self.unusual = self.unusual.saturating_add(1);
    }

    #[inline]
    pub(super) fn took(&mut self) {
        self.failures = 0;
    }

    pub(super) fn wants_to_learn(&self) -> bool {
        self.unusual >= self.patience
    }
}

impl Plain {
    /// Looks at a good row that was left to the scanner.
    pub(in super::super) fn look_at(&mut self, example: &Example<'_>) {
        let wants_to_learn = self.habit.wants_to_learn();
        self.habit.was_unusual();
        self.habit.failures = self.habit.failures.saturating_add(1);
        if !example.flattened {
            self.add_keys(example);
        }
        if wants_to_learn {
            self.habit.patience = (self.habit.patience * 2).clamp(PATIENCE, PATIENCE_MAX);
            self.layout = Layout::of(example).unwrap_or_default();
            self.keys.lay_out(&self.layout);
        }
    }

    fn add_keys(&mut self, example: &Example<'_>) {
        for (event, (column, _)) in example.events.iter().zip(example.cells) {
            let Event::Member(key, _) = event else { return };
            let Token { start, end, kind, .. } = key.token;
            if let (Kind::Text, Some(text)) =
                (kind, example.bytes.get(start as usize + 1..end as usize - 1))
            {
                self.keys.add(text, *column);
            }
        }
    }
}

impl Layout {
    /// How this row stands.
    fn of(example: &Example<'_>) -> Option<Self> {
        let mut at = example.start;
        let mut steps = Vec::with_capacity(example.cells.len());
        for (column, token) in example.cells {
            let before = Literal::new(example.bytes.get(at..token.start as usize)?);
            steps.push(Step { before, column: *column });
            at = token.end as usize;
        }
        let closing = Literal::new(example.bytes.get(at..example.end)?);
        let mut literals = steps.iter().map(|step| &step.before).chain([&closing]);
        let has_lines = literals.any(|literal| literal.bytes().contains(&b'\n'));
        drop(literals);
        let opener = example.bytes.get(example.start);
        let nests = matches!(opener, Some(b'{' | b'[')) && !example.flattened;
        let has_keys = opener == Some(&b'{') && !example.flattened;
        Some(Self { steps, closing, has_lines, nests, has_keys })
    }
}
