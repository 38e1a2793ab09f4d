//! Stage one for the usual dialect, many rows at a time: where fields and
//! rows end in a stride of the block.
//!
//! The usual dialect has a delimiter of one byte, doubled quotes or none, and
//! no comments. Quotes then come in pairs, and whether a byte is inside is
//! told by how many stand before it: delimiters and line ends inside quotes
//! never become marks. That holds as long as each opening quote begins a
//! field and each closing one ends it; where one does not, the stride ends,
//! and the row is for [`super::walk`], as is every other row about which
//! there is anything to say.
//!
//! Invariant: a row that is taken is the one that the walk would find, with
//! the same ends, line and length.

use std::ops::Range;

use super::dialect::Dialect;
use super::groups::{GROUP_BYTES, Group, Lanes, Scan};
use super::index::{Index, RowStart};

/// Bytes that are looked at before their rows are taken: all of them and
/// their marks stay in the nearest cache.
const STRIDE_BYTES: usize = 8 << 10;
/// Bytes in which there is a whole row, or the walk has to find it.
const STRIDE_BYTES_MAX: usize = 1 << 20;
/// Marks of a group that are written whether they are there or not.
const MARKS_AT_ONCE: usize = 8;

/// Where rows and fields end.
pub(super) struct Outline {
    lanes: Lanes,
    delimiter: u8,
    /// The quote; a line feed where there is none.
    quote: u8,
    /// All bits where there are quotes.
    has_quotes: u64,
    row_bytes_max: usize,
    stride_bytes: usize,
    /// Ends of fields, one behind the other. What lies behind `marks_count`
    /// means nothing.
    marks: Vec<u32>,
    marks_count: usize,
    /// For each row, what there is up to its end.
    rows: Vec<Counts>,
    /// Line ends up to the group that is looked at.
    lines_count: u32,
    /// Rows that have been taken, and what there is up to their end.
    rows_taken: usize,
    taken: Counts,
    /// Where the next row begins.
    start: usize,
    /// Whether line ends have carriage returns.
    has_returns: bool,
    /// Whether the stride ended where quoting did not hold.
    is_broken: bool,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    marks: u32,
    /// Line ends, those inside quotes and that of the row itself included.
    lines: u32,
}

/// What surrounds the rows that are to be taken.
#[derive(Clone, Copy)]
pub(super) struct Block<'b> {
    pub(super) bytes: &'b [u8],
    /// Whether no bytes follow.
    pub(super) ended: bool,
}

/// Rows that were taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) rows: usize,
    pub(super) lines: u64,
    /// Where the next line begins.
    pub(super) next: usize,
}

impl Outline {
    /// For `dialect`, if it is a usual one.
    pub(super) fn new(dialect: &Dialect, stride_bytes_max: usize) -> Option<Self> {
        let (delimiter, follows) = dialect.delimiter.parts();
        let is_usual = follows.is_empty()
            && dialect.escape.is_none()
            && dialect.comment.is_none()
            && dialect.widths.is_none();
        is_usual.then(|| Self {
            lanes: Lanes::best(),
            delimiter,
            quote: dialect.quote.unwrap_or(b'\n'),
            has_quotes: dialect.quote.map_or(0, |_| u64::MAX),
            row_bytes_max: dialect.record_bytes_max,
            stride_bytes: STRIDE_BYTES.min(stride_bytes_max).next_multiple_of(GROUP_BYTES),
            marks: Vec::new(),
            marks_count: 0,
            rows: Vec::new(),
            lines_count: 0,
            rows_taken: 0,
            taken: Counts::default(),
            start: 0,
            has_returns: false,
            is_broken: false,
        })
    }

    /// Forgets what was found: the block has moved.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        (self.rows_taken, self.taken) = (0, Counts::default());
    }

    /// Takes the rows of `columns` fields that stand at `start`, one behind
    /// the other, `rows_max` at most. None, when the row there is another.
    ///
    /// The first row's ordinal is `ordinal`, and it stands on line `line`.
    pub(super) fn take(
        &mut self,
        block: Block<'_>,
        start: usize,
        rows_max: usize,
        (ordinal, line): (u64, u64),
        index: &mut Index,
    ) -> Passed {
        let mut passed = Passed { next: start, ..Passed::default() };
        while passed.rows < rows_max && self.reach(block, passed.next) {
            let (ordinal, line) = (ordinal + passed.rows as u64, line + passed.lines);
            let taken = self.take_of_stride(block, rows_max - passed.rows, (ordinal, line), index);
            passed = Passed {
                rows: passed.rows + taken.rows,
                lines: passed.lines + taken.lines,
                next: taken.next,
            };
            if self.rows_taken < self.rows.len() {
                break;
            }
        }
        passed
    }

    /// Finds the row at `start`. Answers whether there is a whole one.
    fn reach(&mut self, block: Block<'_>, start: usize) -> bool {
        let is_known = self.rows_taken < self.rows.len();
        if is_known && self.start == start {
            return true;
        }
        if is_known && self.pass_row(block).is_some_and(|next| next == start) {
            self.start = start;
            if self.rows_taken < self.rows.len() {
                return true;
            }
        }
        let mut stride_bytes = self.stride_bytes;
        loop {
            let end = start.saturating_add(stride_bytes).min(block.bytes.len());
            self.outline(block.bytes, start..end);
            if !self.rows.is_empty() {
                return true;
            }
            if self.is_broken || end == block.bytes.len() || stride_bytes >= STRIDE_BYTES_MAX {
                return false;
            }
            stride_bytes *= 2;
        }
    }

    /// Passes the next row of the stride, whatever it is; answers where the
    /// line behind it begins.
    fn pass_row(&mut self, block: Block<'_>) -> Option<usize> {
        let last = *self.rows.get(self.rows_taken)?;
        let end = *self.marks.get((last.marks as usize).checked_sub(1)?)? as usize;
        self.rows_taken += 1;
        self.taken = last;
        Some(next_line(block.bytes, end))
    }

    /// Takes rows that are known.
    fn take_of_stride(
        &mut self,
        block: Block<'_>,
        rows_max: usize,
        (ordinal, line): (u64, u64),
        index: &mut Index,
    ) -> Passed {
        let first = self.taken;
        let (first_ordinal, first_line) = index.relative((ordinal, line));
        let (mut start, mut taken, mut rows) = (self.start, first, 0);
        for last in self.rows[self.rows_taken..].iter().take(rows_max) {
            let end = self.marks[last.marks as usize - 1] as usize;
            let fields = (last.marks - taken.marks) as usize;
            if fields != index.columns || end - start > self.row_bytes_max {
                break;
            }
            let next = if self.has_returns { next_line(block.bytes, end) } else { end + 1 };
            if self.has_returns && next == block.bytes.len() && !block.ended {
                break;
            }
            let line = first_line + (taken.lines - first.lines);
            index.rows.push(RowStart { start: start as u32, line, ordinal: first_ordinal + rows });
            (start, taken, rows) = (next, *last, rows + 1);
        }
        index.ends.extend_from_slice(&self.marks[first.marks as usize..taken.marks as usize]);
        (self.start, self.taken) = (start, taken);
        self.rows_taken += rows as usize;
        Passed { rows: rows as usize, lines: u64::from(taken.lines - first.lines), next: start }
    }

    /// Finds the rows of `stride`, which begins with one.
    fn outline(&mut self, bytes: &[u8], stride: Range<usize>) {
        self.clear();
        (self.marks_count, self.lines_count, self.start) = (0, 0, stride.start);
        (self.has_returns, self.is_broken) = (false, false);
        self.lanes.scan(Outlining { bytes, stride, inside: 0, returned: 0, outline: self });
    }

    /// Appends the positions of the bits.
    #[inline(always)]
    fn mark(&mut self, mut mask: u64, base: usize) {
        let base = base as u32;
        let behind = self.marks_count + GROUP_BYTES;
        if behind > self.marks.len() {
            self.marks.resize(behind * 2, 0);
        }
        let Some(room) = self.marks[self.marks_count..].first_chunk_mut::<GROUP_BYTES>() else {
            return;
        };
        let count = mask.count_ones() as usize;
        let mut at = 0;
        while at < count {
            for place in &mut room[at..at + MARKS_AT_ONCE] {
                *place = base.wrapping_add(mask.trailing_zeros());
                mask &= mask.wrapping_sub(1);
            }
            at += MARKS_AT_ONCE;
        }
        self.marks_count += count;
    }
}

/// Where the line begins behind a line end.
#[inline]
fn next_line(bytes: &[u8], end: usize) -> usize {
    let is_pair = bytes[end] == b'\r' && bytes.get(end + 1) == Some(&b'\n');
    end + 1 + usize::from(is_pair)
}

struct Outlining<'o> {
    outline: &'o mut Outline,
    bytes: &'o [u8],
    stride: Range<usize>,
    /// All bits when the next byte is inside quotes.
    inside: u64,
    /// 1 when the last byte was a carriage return.
    returned: u64,
}

/// Which bytes of a group are what.
struct Masks {
    /// Delimiters and line feeds.
    separators: u64,
    line_feeds: u64,
    /// Quotes and carriage returns.
    others: u64,
}

impl Scan for Outlining<'_> {
    type Found = ();

    #[inline(always)]
    fn scan(mut self, find: impl Fn(&Group, u8, u8) -> u64) {
        let (delimiter, quote) = (self.outline.delimiter, self.outline.quote);
        let masks = |group: &Group| Masks {
            separators: find(group, delimiter, b'\n'),
            line_feeds: find(group, b'\n', b'\n'),
            others: find(group, quote, b'\r'),
        };
        let quotes = |group: &Group| find(group, quote, quote);
        let (groups, rest) = self.bytes[self.stride.clone()].as_chunks::<GROUP_BYTES>();
        let mut base = self.stride.start;
        for group in groups {
            if !self.group(masks(group), || quotes(group), u64::MAX, base) {
                return;
            }
            base += GROUP_BYTES;
        }
        if !rest.is_empty() {
            let mut group = [0; GROUP_BYTES];
            group[..rest.len()].copy_from_slice(rest);
            let is_there = !(u64::MAX << rest.len());
            self.group(masks(&group), || quotes(&group), is_there, base);
        }
    }
}

impl Outlining<'_> {
    /// Takes one group; answers whether quoting held.
    #[inline(always)]
    fn group(
        &mut self,
        masks: Masks,
        quotes: impl FnOnce() -> u64,
        is_there: u64,
        base: usize,
    ) -> bool {
        let Masks { separators, line_feeds, others } = masks;
        let has_quotes = self.outline.has_quotes;
        let others = if has_quotes == 0 { others & !line_feeds } else { others };
        if (others & is_there) | self.inside | self.returned == 0 {
            let line_feeds = line_feeds & is_there;
            self.take(separators & is_there, line_feeds, line_feeds, base);
            return true;
        }
        let quotes = quotes() & has_quotes & is_there;
        let returns = others & !quotes & is_there;
        self.take_quoted(separators & is_there, line_feeds & is_there, quotes, returns, base)
    }

    /// Takes the marks of a group: those of fields, and among them those that
    /// end a row. Rows end where lines do, but not every line is one.
    #[inline(always)]
    fn take(&mut self, marks: u64, mut row_ends: u64, line_ends: u64, base: usize) {
        let before =
            Counts { marks: self.outline.marks_count as u32, lines: self.outline.lines_count };
        while row_ends != 0 {
            let up_to_this = row_ends ^ (row_ends - 1);
            self.outline.rows.push(Counts {
                marks: before.marks + (marks & up_to_this).count_ones(),
                lines: before.lines + (line_ends & up_to_this).count_ones(),
            });
            row_ends &= row_ends - 1;
        }
        self.outline.lines_count += line_ends.count_ones();
        self.outline.mark(marks, base);
    }

    /// The same where there are quotes or carriage returns, in the group or
    /// before it.
    #[inline(always)]
    fn take_quoted(
        &mut self,
        separators: u64,
        line_feeds: u64,
        quotes: u64,
        returns: u64,
        base: usize,
    ) -> bool {
        let first_line_ends = returns | (line_feeds & !(returns << 1 | self.returned));
        let inside = up_to_each(quotes) ^ self.inside;
        let structure = separators | returns | quotes;
        let opens = quotes & inside;
        let closes = quotes & !inside;
        let stray = opens & !(structure << 1 | u64::from(self.may_open(base)));
        let followed = closes & !(structure >> 1 | u64::from(self.may_follow(base)) << 63);
        let broken = stray | followed & !self.at_end(base);
        let holds = broken ^ broken.wrapping_sub(1);
        let holds = if broken == 0 { u64::MAX } else { holds >> 1 };
        let line_ends = first_line_ends & holds;
        let delimiters = separators & !line_feeds & holds;
        let marks = (delimiters | line_ends) & !inside;
        self.take(marks, line_ends & !inside, line_ends, base);
        self.outline.has_returns |= returns != 0;
        self.outline.is_broken = broken != 0;
        self.inside = ((inside as i64) >> 63) as u64;
        self.returned = returns >> 63;
        broken == 0
    }

    /// Whether a quote at `base` begins a field, if it opens one.
    fn may_open(&self, base: usize) -> bool {
        base == self.stride.start || self.has_meaning(self.bytes[base - 1])
    }

    /// Whether a closing quote may be the last byte of the group at `base`.
    fn may_follow(&self, base: usize) -> bool {
        self.bytes.get(base + GROUP_BYTES).is_none_or(|byte| self.has_meaning(*byte))
    }

    /// The bit of the block's last byte: nothing is known of what follows it.
    fn at_end(&self, base: usize) -> u64 {
        let rest = self.bytes.len() - base;
        if rest <= GROUP_BYTES { 1 << (rest - 1) } else { 0 }
    }

    fn has_meaning(&self, byte: u8) -> bool {
        let Outline { delimiter, quote, .. } = *self.outline;
        byte == delimiter || byte == quote || byte == b'\n' || byte == b'\r'
    }
}

/// For each bit, whether an odd number of bits is set up to it.
#[inline(always)]
fn up_to_each(mut mask: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        mask ^= mask << shift;
    }
    mask
}

#[cfg(test)]
mod tests;
