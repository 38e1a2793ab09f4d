//! Rows that look like the ones before them: what stands between the values
//! of a row is learnt, and then compared as one, so that only values are
//! looked at byte by byte. Where keys come in another order, or are lacking,
//! they are looked up one by one.
//!
//! Whatever else differs is not for here: such a row is left to the scanner,
//! with nothing of it in the block.
//!
//! Invariant: a row that is taken is one that the scanner would have taken,
//! and leaves the same cells.

mod disorder;
mod learning;
mod literal;
mod rows;
mod spans;

use super::block::{Block, Cell};
use super::scanner::{Memory, Scanner};
use super::token::{Kind, Token};
use disorder::Keys;
pub(super) use learning::Example;
use learning::Habit;
use literal::Literal;
use spans::{number_end, string_end};

/// What is known of rows by those before them.
#[derive(Default)]
pub(super) struct Plain {
    layout: Layout,
    keys: Keys,
    habit: Habit,
}

/// How a row stood in the text.
#[derive(Default)]
struct Layout {
    /// Its values, one after the other.
    steps: Vec<Step>,
    /// What stood behind the last one.
    closing: Literal,
    /// Whether lines end inside it.
    has_lines: bool,
    /// Whether its values may be containers, which then stand one deep.
    nests: bool,
    /// Whether it is an object whose keys are its columns.
    has_keys: bool,
}

/// One value of a row.
struct Step {
    /// What stands before it.
    before: Literal,
    column: u32,
}

/// A row in the making.
struct Taking<'t> {
    bytes: &'t [u8],
    memory: &'t mut Memory,
    block: &'t mut Block,
    /// The row's number in the block.
    number: u32,
    nests: bool,
    /// Whether lines end inside the row.
    has_lines: bool,
}

/// A row that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TakenRow {
    /// Behind its last byte.
    end: usize,
    /// Whether lines end inside it.
    has_lines: bool,
}

impl Plain {
    /// Whether it is worth while to try a row.
    fn tries(&self) -> bool {
        !self.layout.steps.is_empty() && self.habit.tries()
    }

    /// Takes the row apart that begins at `start`, into the cells of `block`,
    /// if it ends where `is_good` says. `None` leaves the block as it was.
    #[inline]
    fn row(
        &mut self,
        (bytes, start): (&[u8], usize),
        memory: &mut Memory,
        block: &mut Block,
        is_good: impl Fn(usize) -> bool,
    ) -> Option<TakenRow> {
        let Layout { has_lines, nests, .. } = self.layout;
        let number = block.rows.len() as u32;
        let mut taking = Taking { bytes, memory, block, number, nests, has_lines };
        match self.row_end(&mut taking, start).filter(|end| is_good(*end)) {
            Some(end) => {
                self.habit.took();
                Some(TakenRow { end, has_lines: taking.has_lines })
            }
            None => {
                taking.undo();
                None
            }
        }
    }

    #[inline]
    fn row_end(&mut self, taking: &mut Taking<'_>, start: usize) -> Option<usize> {
        let (steps, at) = self.layout.follow(taking, 0, start)?;
        if let Some(end) = self.layout.end(taking.bytes, steps, at) {
            self.habit.was_usual();
            return Some(end);
        }
        if self.habit.wants_to_learn() {
            return None;
        }
        self.habit.was_unusual();
        self.keys.rest(&self.layout, taking, (steps, at))
    }
}

impl Layout {
    /// Takes values from the step `from` on, which is expected at `at`, as
    /// long as they come as usual. Answers which step did not, and where it
    /// should have; `None` when a value is not plain.
    #[inline]
    fn follow(&self, taking: &mut Taking<'_>, from: usize, at: usize) -> Option<(usize, usize)> {
        let mut at = at;
        for (passed, step) in self.steps.get(from..)?.iter().enumerate() {
            let Some(value) = step.before.end_at(taking.bytes, at) else {
                return Some((from + passed, at));
            };
            at = taking.value(step.column, value)?;
        }
        Some((self.steps.len(), at))
    }

    /// Behind the row, when all of its steps have come.
    #[inline]
    fn end(&self, bytes: &[u8], steps: usize, at: usize) -> Option<usize> {
        if steps < self.steps.len() { None } else { self.closing.end_at(bytes, at) }
    }
}

impl Taking<'_> {
    /// Takes the value at `at` as that of a column; answers where it ends.
    #[inline(always)]
    fn value(&mut self, column: u32, at: usize) -> Option<usize> {
        let token = match plain_value(self.bytes, at) {
            Some(token) => token,
            None => self.careful_value(at)?,
        };
        let cells = self.block.cells.get_mut(column as usize)?;
        cells.push(Cell { row: self.number, token });
        Some(token.end as usize)
    }

    /// A value that has to be looked at more closely.
    #[cold]
    fn careful_value(&mut self, at: usize) -> Option<Token> {
        let mut scanner = Scanner::new(self.bytes, at, false, self.memory);
        let token = scanner.value(1).ok()?;
        if token.start as usize != at || self.memory.fault.is_some() {
            return None;
        }
        if token.kind.is_nested() {
            let text = self.bytes.get(at..token.end as usize)?;
            self.has_lines |= memchr::memchr(b'\n', text).is_some();
            return self.nests.then_some(token);
        }
        Some(token)
    }

    /// Behind the white space at `at`.
    fn space(&mut self, mut at: usize) -> usize {
        while let Some(byte @ (b' ' | b'\t' | b'\n' | b'\r')) = self.bytes.get(at) {
            self.has_lines |= *byte == b'\n';
            at += 1;
        }
        at
    }

    /// Takes the cells of this row out of the block again.
    #[cold]
    fn undo(&mut self) {
        for cells in &mut self.block.cells {
            while cells.pop_if(|cell| cell.row == self.number).is_some() {}
        }
    }
}

/// A value whose end is told by a look.
#[inline]
fn plain_value(bytes: &[u8], at: usize) -> Option<Token> {
    let (end, kind) = match bytes.get(at)? {
        b'"' => (string_end(bytes, at + 1)?, Kind::Text),
        b'-' | b'0'..=b'9' => (number_end(bytes, at)?, Kind::Number),
        b't' => (word_end(bytes, at, b"true")?, Kind::True),
        b'f' => (word_end(bytes, at, b"false")?, Kind::False),
        b'n' => (word_end(bytes, at, b"null")?, Kind::Null),
        _ => return None,
    };
    Some(Token::new(at, end, kind))
}

#[inline]
fn word_end(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    bytes.get(at..)?.starts_with(word).then_some(at + word.len())
}
