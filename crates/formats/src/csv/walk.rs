//! Stage one, second half: from marks to rows and fields.
//!
//! Walks the marks of a block and says what stands at a position: a row with
//! the ends of its fields, a comment, a row that breaks the rules, or too few
//! bytes to tell. What it says depends on the bytes of the file alone, never
//! on where a block ends.
//!
//! The rules of quoting are RFC 4180's. A field is quoted when its first byte
//! is a quote; behind the closing quote there must be a delimiter, a line end
//! or the end of the file; in a field that is not quoted there is no quote.
//! When the rules are broken, the row ends with the line on which the field
//! at fault begins, so that one lost quote costs one line.

use super::dialect::Dialect;

/// What stands at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A row; the ends of its fields have been appended.
    Row(Extent),
    /// A comment line.
    Comment(Extent),
    /// A row that cannot be taken apart.
    Bad(Extent, Fault),
    /// A line longer than the longest row; what follows the extent belongs to
    /// it up to the next line end.
    TooLong(Extent),
    /// A comment longer than the longest row, likewise.
    LongComment(Extent),
    /// More bytes are needed to tell.
    Incomplete,
    /// Nothing: the file ends here.
    End,
}

impl Found {
    /// Where it is, if there is anything.
    pub(super) fn extent(self) -> Option<Extent> {
        match self {
            Self::Row(extent)
            | Self::Comment(extent)
            | Self::Bad(extent, _)
            | Self::TooLong(extent)
            | Self::LongComment(extent) => Some(extent),
            Self::Incomplete | Self::End => None,
        }
    }

    /// Whether its line goes on behind the extent.
    pub(super) fn goes_on(self) -> bool {
        matches!(self, Self::TooLong(_) | Self::LongComment(_))
    }
}

/// A stretch of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// Behind its last byte, the line end aside.
    pub(super) end: usize,
    /// Where the next line begins.
    pub(super) next: usize,
    /// Line ends in it, its own included.
    pub(super) lines: u32,
}

/// A broken rule of quoting, with the number of the field at fault, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A quote in a field that is not quoted.
    StrayQuote(usize),
    /// Something behind a closing quote.
    TextAfterQuote(usize),
    /// A quote that is not closed before the end of the file.
    Unclosed(usize),
    /// A quote that is not closed within the longest row.
    UnclosedWithinLimit(usize),
}

/// A walk over the rows of a block.
pub(super) struct Walk<'b> {
    bytes: &'b [u8],
    marks: &'b [u32],
    ended: bool,
    dialect: &'b Dialect,
    /// The delimiter's first byte, and what must follow it.
    delimiter: u8,
    follows: &'b [u8],
    mark: usize,
    limit: usize,
    quoted_lines: u32,
}

enum Stop {
    Incomplete,
    TooLong,
    Fault { fault: Fault, mark: usize },
}

impl<'b> Walk<'b> {
    /// A walk that begins at mark number `mark`. `ended` says that no bytes
    /// follow those of the block.
    pub(super) fn new(
        bytes: &'b [u8],
        marks: &'b [u32],
        mark: usize,
        ended: bool,
        dialect: &'b Dialect,
    ) -> Self {
        let (delimiter, follows) = dialect.delimiter.parts();
        let (limit, quoted_lines) = (0, 0);
        Self { bytes, marks, ended, dialect, delimiter, follows, mark, limit, quoted_lines }
    }

    /// The number of the first mark that has not been passed.
    pub(super) fn mark(&self) -> usize {
        self.mark
    }

    /// Says what stands at `start`, the first byte of a line, and passes it
    /// unless it is `Incomplete`. Only a `Row` leaves anything in `ends`.
    pub(super) fn line(&mut self, start: usize, ends: &mut Vec<u32>) -> Found {
        let (first_mark, first_end) = (self.mark, ends.len());
        self.limit = start.saturating_add(self.dialect.record_bytes_max);
        self.quoted_lines = 0;
        let found = match self.bytes.get(start) {
            None if self.ended => Found::End,
            None => Found::Incomplete,
            Some(byte) if self.dialect.comment == Some(*byte) => self.comment(start),
            Some(_) => match self.fields(start, ends) {
                Ok(extent) => return Found::Row(extent),
                Err(stop) => {
                    ends.truncate(first_end);
                    self.stopped(start, stop)
                }
            },
        };
        if found == Found::Incomplete {
            self.mark = first_mark;
        }
        found
    }

    /// Passes the line end that follows `start`: where the next line begins,
    /// or `None` when the block has no whole one.
    pub(super) fn next_line(&mut self, start: usize) -> Option<usize> {
        while let Some(at) = self.marks.get(self.mark).map(|mark| *mark as usize) {
            if at >= start && is_line_end(self.bytes[at]) {
                return self.pass_line_end(at);
            }
            self.mark += 1;
        }
        None
    }

    fn fields(&mut self, start: usize, ends: &mut Vec<u32>) -> Result<Extent, Stop> {
        let first_end = ends.len();
        let mut field = start;
        loop {
            if self.dialect.quote.is_some() && self.bytes.get(field).copied() == self.dialect.quote
            {
                self.quoted(ends.len() - first_end)?;
            }
            let Some(at) = self.peek() else {
                self.require_end()?;
                ends.push(self.bytes.len() as u32);
                return Ok(self.extent(self.bytes.len(), self.bytes.len()));
            };
            let byte = self.bytes[at];
            if byte == self.delimiter && self.separates(at)? {
                ends.push(at as u32);
                field = at + 1 + self.follows.len();
                self.pass_marks_before(field);
            } else if is_line_end(byte) {
                let next = self.pass_line_end(at).ok_or(Stop::Incomplete)?;
                ends.push(at as u32);
                return Ok(self.extent(at, next));
            } else if Some(byte) == self.dialect.quote {
                let fault = Fault::StrayQuote(ends.len() - first_end);
                return Err(Stop::Fault { fault, mark: self.mark });
            } else {
                self.mark += 1;
            }
        }
    }

    /// Passes a quoted field and checks what follows it.
    fn quoted(&mut self, field: usize) -> Result<(), Stop> {
        let opening_mark = self.mark;
        self.mark += 1;
        let close = self.closing_quote(field, opening_mark)?;
        let after = close + 1;
        let at_end = after == self.bytes.len() && self.ended;
        let meets_mark = self.marks.get(self.mark).is_some_and(|mark| *mark as usize == after)
            && (is_line_end(self.bytes[after])
                || (self.bytes[after] == self.delimiter && self.separates(after)?));
        if at_end || meets_mark {
            return Ok(());
        }
        if after == self.bytes.len() {
            return Err(Stop::Incomplete);
        }
        Err(Stop::Fault { fault: Fault::TextAfterQuote(field), mark: opening_mark })
    }

    fn closing_quote(&mut self, field: usize, mark: usize) -> Result<usize, Stop> {
        loop {
            let Some(at) = self.peek() else {
                return Err(self.unclosed(field, mark));
            };
            self.mark += 1;
            let byte = self.bytes[at];
            let follower = self.bytes.get(at + 1).copied();
            if Some(byte) == self.dialect.escape {
                if follower.is_none() && !self.ended {
                    return Err(Stop::Incomplete);
                }
                if follower.is_some() && self.is_escapable(follower) {
                    self.mark += 1;
                }
            } else if Some(byte) == self.dialect.quote {
                if follower.is_none() && !self.ended {
                    return Err(Stop::Incomplete);
                }
                if follower != self.dialect.quote || self.dialect.escape.is_some() {
                    return Ok(at);
                }
                self.mark += 1;
            } else if byte == b'\r' || (byte == b'\n' && self.bytes[at - 1] != b'\r') {
                self.quoted_lines += 1;
            }
        }
    }

    /// Whether the delimiter's first byte at `at` begins a whole delimiter.
    #[inline]
    fn separates(&self, at: usize) -> Result<bool, Stop> {
        if self.follows.is_empty() {
            return Ok(true);
        }
        let behind = &self.bytes[at + 1..];
        if !self.ended && behind.len() < self.follows.len() && self.follows.starts_with(behind) {
            return Err(Stop::Incomplete);
        }
        Ok(behind.starts_with(self.follows))
    }

    #[inline]
    fn pass_marks_before(&mut self, position: usize) {
        self.mark += 1;
        if !self.follows.is_empty() {
            while self.marks.get(self.mark).is_some_and(|mark| (*mark as usize) < position) {
                self.mark += 1;
            }
        }
    }

    fn is_escapable(&self, byte: Option<u8>) -> bool {
        byte == self.dialect.quote || byte == self.dialect.escape
    }

    fn unclosed(&self, field: usize, mark: usize) -> Stop {
        if self.bytes.len() > self.limit {
            Stop::Fault { fault: Fault::UnclosedWithinLimit(field), mark }
        } else if self.ended {
            Stop::Fault { fault: Fault::Unclosed(field), mark }
        } else {
            Stop::Incomplete
        }
    }

    fn comment(&mut self, start: usize) -> Found {
        match self.end_of_line(start) {
            Ok(extent) => Found::Comment(extent),
            Err(Stop::TooLong) => Found::LongComment(self.beyond_limit(start)),
            Err(_) => Found::Incomplete,
        }
    }

    fn stopped(&mut self, start: usize, stop: Stop) -> Found {
        let fault = match stop {
            Stop::Incomplete => return Found::Incomplete,
            Stop::TooLong => return Found::TooLong(self.beyond_limit(start)),
            Stop::Fault { fault, mark } => {
                self.mark = mark;
                fault
            }
        };
        match self.end_of_line(start) {
            Ok(extent) => Found::Bad(extent, fault),
            Err(Stop::TooLong) => Found::TooLong(self.beyond_limit(start)),
            Err(_) => Found::Incomplete,
        }
    }

    /// Passes the rest of the line that the current mark is on; `start` is
    /// where the row began.
    fn end_of_line(&mut self, start: usize) -> Result<Extent, Stop> {
        let (end, next) = loop {
            match self.peek() {
                Some(at) if is_line_end(self.bytes[at]) => {
                    break (at, self.pass_line_end(at).ok_or(Stop::Incomplete)?);
                }
                Some(_) => self.mark += 1,
                None => {
                    self.require_end()?;
                    break (self.bytes.len(), self.bytes.len());
                }
            }
        };
        Ok(Extent { end, next, lines: count_line_ends(&self.bytes[start..next]) })
    }

    fn beyond_limit(&mut self, start: usize) -> Extent {
        let end = (self.limit + 1).min(self.bytes.len());
        while self.marks.get(self.mark).is_some_and(|mark| (*mark as usize) < end) {
            self.mark += 1;
        }
        Extent { end, next: end, lines: count_line_ends(&self.bytes[start..end]) }
    }

    /// The next mark within the longest row.
    fn peek(&self) -> Option<usize> {
        let at = *self.marks.get(self.mark)? as usize;
        (at <= self.limit).then_some(at)
    }

    /// Whether running out of marks means the end of the file.
    fn require_end(&self) -> Result<(), Stop> {
        if self.bytes.len() > self.limit {
            Err(Stop::TooLong)
        } else if self.ended {
            Ok(())
        } else {
            Err(Stop::Incomplete)
        }
    }

    /// Passes the line end at `at`, which is the current mark: where the next
    /// line begins, or `None` while a line feed may still follow.
    fn pass_line_end(&mut self, at: usize) -> Option<usize> {
        self.mark += 1;
        if self.bytes[at] == b'\n' {
            return Some(at + 1);
        }
        match self.bytes.get(at + 1) {
            Some(b'\n') => {
                self.mark += 1;
                Some(at + 2)
            }
            None if !self.ended => None,
            _ => Some(at + 1),
        }
    }

    fn extent(&self, end: usize, next: usize) -> Extent {
        Extent { end, next, lines: self.quoted_lines + 1 }
    }
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// Line ends in a stretch: LF, CR, or both together.
pub(super) fn count_line_ends(bytes: &[u8]) -> u32 {
    let mut count = 0;
    for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        let second_half = bytes[at] == b'\n' && at > 0 && bytes[at - 1] == b'\r';
        count += u32::from(!second_half);
    }
    count
}
