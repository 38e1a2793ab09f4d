//! The rows of a text in one dialect.

use std::borrow::Cow;
use std::ops::Range;

use decant_core::evidence::Evidence;
use decant_core::value_format::NumberFormat;

use super::super::dialect::Dialect;
use super::super::field::Field;
use super::super::marks::Marker;
use super::super::walk::{Extent, Found, Walk};
use crate::infer;

const COMMA: NumberFormat = NumberFormat { decimal: ',', thousands: Some('.') };

/// A text as it looks in a dialect. Blank lines and comments are no rows.
pub(super) struct Rows<'t> {
    text: &'t [u8],
    dialect: Dialect,
    /// Whether a number may have a decimal comma.
    has_commas: bool,
    rows: Vec<Row>,
    ends: Vec<u32>,
}

/// A row.
struct Row {
    start: usize,
    end: usize,
    /// Lines of the file before it.
    lines_before: u64,
    /// Its fields' ends; none when its quotes break the rules.
    ends: Range<usize>,
}

impl<'t> Rows<'t> {
    /// The rows of `text`; the last one may be cut unless it is `whole`.
    pub(super) fn new(text: &'t [u8], whole: bool, dialect: Dialect) -> Self {
        let mut marks = Vec::new();
        Marker::new(&dialect).mark(text, 0, &mut marks);
        let (mut rows, mut ends) = (Vec::new(), Vec::new());
        let mut walk = Walk::new(text, &marks, 0, whole, &dialect);
        let (mut start, mut lines_before) = (0, 0);
        while lines_before < dialect.skip_lines {
            let Some(next) = walk.next_line(start) else { break };
            start = next;
            lines_before += 1;
        }
        if lines_before == dialect.skip_lines {
            loop {
                let first = ends.len();
                let found = walk.line(start, &mut ends);
                let Some(Extent { end, next, lines }) = found.extent() else { break };
                let is_row = matches!(found, Found::Row(_) | Found::Bad(..)) && end > start;
                match is_row {
                    true => rows.push(Row { start, end, lines_before, ends: first..ends.len() }),
                    false => ends.truncate(first),
                }
                if found.goes_on() {
                    break;
                }
                start = next;
                lines_before += u64::from(lines);
            }
        }
        let has_commas = !dialect.delimiter.to_bytes().contains(&b',');
        Self { text, rows, ends, dialect, has_commas }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Fields of a row; 0 when its quotes break the rules.
    pub(super) fn fields(&self, row: usize) -> usize {
        self.rows[row].ends.len()
    }

    /// A row's bytes.
    pub(super) fn raw(&self, row: usize) -> &'t [u8] {
        let Row { start, end, .. } = self.rows[row];
        &self.text[start..end]
    }

    /// Whether a byte stands anywhere in the text.
    pub(super) fn contains(&self, byte: u8) -> bool {
        memchr::memchr(byte, self.text).is_some()
    }

    pub(super) fn lines_before(&self, row: usize) -> u64 {
        self.rows[row].lines_before
    }

    /// Whether there is a blank line before a row.
    pub(super) fn follows_blank_line(&self, row: usize) -> bool {
        let before = &self.text[..self.rows[row].start];
        let trimmed = before.strip_suffix(b"\n").unwrap_or(before);
        let trimmed = trimmed.strip_suffix(b"\r").unwrap_or(trimmed);
        row > 0 && (trimmed.ends_with(b"\n") || trimmed.ends_with(b"\r"))
    }

    /// A field as it is written, without what surrounds it.
    pub(super) fn written(&self, row: usize, column: usize) -> &'t [u8] {
        self.range(row, column).map_or(&[], |range| &self.text[range])
    }

    /// A field's value; nothing for NULL and for what is not there.
    pub(super) fn value(&self, row: usize, column: usize) -> Option<Cow<'t, [u8]>> {
        let range = self.range(row, column)?;
        let mut scratch = Vec::new();
        match Field::read(self.text, range, &self.dialect, true) {
            Field::Null => None,
            Field::Plain(range) => Some(Cow::Borrowed(&self.text[range])),
            field => {
                field.value(self.text, &self.dialect, &mut scratch)?;
                Some(Cow::Owned(scratch))
            }
        }
    }

    /// What a value looks like; between other delimiters than a comma it may be
    /// a number with a decimal comma.
    pub(super) fn evidence_of(&self, value: &[u8]) -> Evidence {
        let evidence = infer::evidence(value);
        match evidence {
            Evidence::Text if self.has_commas => infer::evidence_with(value, Some(COMMA)),
            evidence => evidence,
        }
    }

    fn range(&self, row: usize, column: usize) -> Option<Range<usize>> {
        let Row { start, ends, .. } = &self.rows[row];
        let ends = &self.ends[ends.clone()];
        let end = *ends.get(column)? as usize;
        let start = match column {
            0 => *start,
            _ => ends[column - 1] as usize + self.dialect.delimiter.len(),
        };
        Some(start..end)
    }
}
