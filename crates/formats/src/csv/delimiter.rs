//! Which character separates fields, where nobody said.
//!
//! The default (a comma for CSV, a tab for TSV) stands wherever the first row
//! has one. A first row without it, and with exactly one of the other usual
//! delimiters, is separated by that one: files that spreadsheets write as
//! `.csv` with semicolons. Anything less clear keeps the default.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use decant_core::Result;
use decant_core::format::Input;

use super::dialect::Dialect;

const USUAL: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How far the first row is looked for.
const BEGINNING_BYTES: usize = 64 << 10;

/// An input whose beginning has been looked at and is read again.
pub(super) struct Replayed<'a> {
    beginning: VecDeque<Bytes>,
    rest: &'a mut dyn Input,
}

impl<'a> Replayed<'a> {
    pub(super) fn new(rest: &'a mut dyn Input) -> Self {
        Self { beginning: VecDeque::new(), rest }
    }

    /// `dialect` with the delimiter that the file's first row shows.
    pub(super) fn detect(&mut self, dialect: &Dialect) -> Result<Dialect> {
        let mut bytes = Vec::new();
        while bytes.len() < BEGINNING_BYTES {
            let Some(chunk) = self.rest.next_chunk()? else { break };
            bytes.extend_from_slice(&chunk);
            self.beginning.push_back(chunk);
        }
        let delimiter = first_row(&bytes, dialect)
            .and_then(|row| delimiter_of(row, dialect))
            .unwrap_or(dialect.delimiter);
        Ok(Dialect { delimiter, ..dialect.clone() })
    }
}

impl Input for Replayed<'_> {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        match self.beginning.pop_front() {
            Some(chunk) => Ok(Some(chunk)),
            None => self.rest.next_chunk(),
        }
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        self.rest.range(range)
    }

    fn size(&self) -> Option<u64> {
        self.rest.size()
    }
}

fn first_row<'a>(bytes: &'a [u8], dialect: &Dialect) -> Option<&'a [u8]> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let skipped = usize::try_from(dialect.skip_lines).unwrap_or(usize::MAX);
    text.split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter(|line| !line.is_empty())
        .skip(skipped)
        .find(|line| line.first().copied() != dialect.comment)
}

/// The only usual delimiter outside quotes, if the default is not there.
fn delimiter_of(row: &[u8], dialect: &Dialect) -> Option<u8> {
    let mut quoted = false;
    let mut seen = Vec::new();
    for byte in row {
        quoted ^= dialect.quote == Some(*byte);
        let separates = *byte == dialect.delimiter || USUAL.contains(byte);
        if !quoted && separates && !seen.contains(byte) {
            seen.push(*byte);
        }
    }
    match seen.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use decant_core::stream::{FormatOptions, Mark};

    use super::*;

    #[test]
    fn only_a_clear_case_changes_the_default() {
        let options = FormatOptions { comment: Some(Mark::Byte(b'#')), ..FormatOptions::default() };
        let dialect = Dialect::new(b',', &options).unwrap();
        for (file, delimiter) in [
            (&b"id;name\n1;a\n"[..], b';'),
            (b"id\tname\r\n", b'\t'),
            (b"\xef\xbb\xbfid|name\n", b'|'),
            (b"# a, comment\n\n\"x,y\";b\n", b';'),
            (b"id,name;first\n", b','),
            (b"id;name|first\n", b','),
            (b"id\n1;2\n", b','),
            (b"", b','),
        ] {
            let found = first_row(file, &dialect).and_then(|row| delimiter_of(row, &dialect));
            assert_eq!(found.unwrap_or(dialect.delimiter), delimiter, "{file:?}");
        }
    }
}
