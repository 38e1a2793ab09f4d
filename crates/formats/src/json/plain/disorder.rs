//! Rows whose keys are known and come in another order than usual, or not all
//! of them: keys are looked up one by one, until values come as usual again.
//!
//! Not here: keys with escapes, keys that no row had before, keys that come
//! twice, objects that are flattened.

use std::collections::HashMap;
use std::ops::Range;

use super::spans::string_end;
use super::{Layout, Taking};

/// The keys of rows that are objects.
#[derive(Default)]
pub(super) struct Keys {
    known: Vec<Key>,
    by_text: HashMap<Box<[u8]>, usize>,
    /// The key of each step of the layout.
    of_steps: Vec<usize>,
    /// Rows that were looked at here.
    row: u64,
}

struct Key {
    /// Without its quotes.
    text: Box<[u8]>,
    column: u32,
    /// The last row that had it.
    row: u64,
    /// Its step in the layout.
    step: Option<usize>,
    /// The key that came behind it when one was looked up there.
    next: usize,
}

impl Keys {
    /// Adds a key, whose text has no escapes, unless it is known.
    pub(super) fn add(&mut self, text: &[u8], column: u32) {
        if !self.by_text.contains_key(text) {
            self.by_text.insert(text.into(), self.known.len());
            self.known.push(Key { text: text.into(), column, row: 0, step: None, next: 0 });
        }
    }

    /// Notes which keys the steps of a layout have. Where one is not known
    /// here, only rows that come as usual can be taken.
    pub(super) fn lay_out(&mut self, layout: &Layout) {
        let steps: HashMap<u32, usize> =
            layout.steps.iter().enumerate().map(|(at, step)| (step.column, at)).collect();
        self.of_steps = vec![usize::MAX; layout.steps.len()];
        for (number, key) in self.known.iter_mut().enumerate() {
            key.step = steps.get(&key.column).copied();
            if let Some(of_step) = key.step.and_then(|step| self.of_steps.get_mut(step)) {
                *of_step = number;
            }
        }
    }

    /// Takes what is left of a row that came as usual up to a step, which is
    /// not what stands at `at`; answers where the row ends.
    pub(super) fn rest(
        &mut self,
        layout: &Layout,
        taking: &mut Taking<'_>,
        (mut step, mut at): (usize, usize),
    ) -> Option<usize> {
        if !layout.has_keys {
            return None;
        }
        self.row += 1;
        let mut last = self.pass(0..step)?;
        let mut is_first = step == 0;
        loop {
            at = match self.next(taking, at, is_first)? {
                Next::Key(at) => at,
                Next::End(end) => return Some(end),
            };
            is_first = false;
            let (key, value) = self.key(taking, at, last)?;
            let Key { column, step: known, .. } = self.known[key];
            at = taking.value(column, value)?;
            let from = known.map_or(layout.steps.len(), |step| step + 1);
            (step, at) = layout.follow(taking, from, at)?;
            last = self.pass(from..step)?.or(Some(key));
            if let Some(end) = layout.end(taking.bytes, step, at) {
                return Some(end);
            }
        }
    }

    /// Notes that the row has the keys of these steps; the last of them.
    /// `None` inside where there are none, outside where one comes twice.
    #[allow(clippy::option_option, reason = "one says that the row is not taken")]
    fn pass(&mut self, steps: Range<usize>) -> Option<Option<usize>> {
        let mut last = None;
        for step in steps {
            let key = *self.of_steps.get(step)?;
            self.pass_key(key)?;
            last = Some(key);
        }
        Some(last)
    }

    /// Notes that the row has a key; `None` where it has it already.
    fn pass_key(&mut self, key: usize) -> Option<()> {
        let row = self.row;
        let key = self.known.get_mut(key)?;
        (std::mem::replace(&mut key.row, row) != row).then_some(())
    }

    /// What follows the `{`, or the value, that was expected before `at`.
    fn next(&self, taking: &mut Taking<'_>, at: usize, is_first: bool) -> Option<Next> {
        let at = if is_first { at } else { taking.space(at) };
        let byte = *taking.bytes.get(at)?;
        if byte == b'}' && !is_first {
            return Some(Next::End(at + 1));
        }
        if byte != if is_first { b'{' } else { b',' } {
            return None;
        }
        let at = taking.space(at + 1);
        let is_empty = is_first && taking.bytes.get(at) == Some(&b'}');
        Some(if is_empty { Next::End(at + 1) } else { Next::Key(at) })
    }

    /// The key at `at`, and where its value begins.
    fn key(
        &mut self,
        taking: &mut Taking<'_>,
        at: usize,
        last: Option<usize>,
    ) -> Option<(usize, usize)> {
        let bytes = taking.bytes;
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let end = string_end(bytes, at + 1)?;
        let key = self.find(bytes.get(at + 1..end - 1)?, last)?;
        self.pass_key(key)?;
        let colon = taking.space(end);
        if bytes.get(colon) != Some(&b':') {
            return None;
        }
        Some((key, taking.space(colon + 1)))
    }

    /// The key of this text, which was often behind this one before.
    fn find(&mut self, text: &[u8], last: Option<usize>) -> Option<usize> {
        let guess = last.map(|last| self.known[last].next);
        if let Some(guess) = guess.filter(|guess| *self.known[*guess].text == *text) {
            return Some(guess);
        }
        let found = *self.by_text.get(text)?;
        if let Some(last) = last {
            self.known[last].next = found;
        }
        Some(found)
    }
}

/// What follows in a row.
enum Next {
    /// A key, where it begins.
    Key(usize),
    /// Nothing: where the row ends.
    End(usize),
}
