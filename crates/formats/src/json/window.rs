//! The part of a file that is at hand: bytes from the last block on, grown
//! where a value needs more.
//!
//! Invariant: nothing is dropped but by [`Window::forget`], so that positions
//! in the window stay what they are between two calls of it.

use bytes::{Buf, Bytes};
use decant_core::format::Input;
use decant_core::{Error, ErrorKind, Position, Result};

use super::fault::Fault;
use crate::encoding::Transcoded;

/// Bytes that are asked for at once.
const READ_BYTES: usize = 256 << 10;
/// White space that may stand in the window besides a block.
const SPACE_BYTES_MAX: usize = 4 << 20;

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Offset in the file, from 0.
    pub(crate) byte: u64,
    /// Offset in the file's text, from 0.
    text: u64,
    /// Line, from 1.
    pub(crate) line: u64,
    /// Character of the line, from 1.
    pub(crate) column: u64,
}

impl Place {
    fn start_of(text: &Transcoded<'_>) -> Self {
        Self { byte: text.offsets().in_file(0), text: 0, line: 1, column: 1 }
    }

    /// The place behind `bytes` of the text, which begin here.
    fn behind(self, bytes: &[u8], text: &Transcoded<'_>) -> Self {
        let end = self.text + bytes.len() as u64;
        let known = text.offsets().known_before(end);
        let (from, byte) = if known.0 >= self.text { known } else { (self.text, self.byte) };
        let rest = usize::try_from(from - self.text).unwrap_or(usize::MAX);
        let byte = byte + text.encoded_bytes(bytes.get(rest..).unwrap_or_default());
        let characters =
            |bytes: &[u8]| bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u64;
        let (line, column) = match memchr::memrchr(b'\n', bytes) {
            None => (self.line, self.column + characters(bytes)),
            Some(last) => (
                self.line + memchr::memchr_iter(b'\n', bytes).count() as u64,
                1 + characters(&bytes[last + 1..]),
            ),
        };
        Self { byte, text: end, line, column }
    }
}

/// The bytes at hand.
pub(crate) struct Window<'i> {
    pub(crate) input: Transcoded<'i>,
    chunk: Bytes,
    bytes: Vec<u8>,
    /// The next byte to be read.
    pub(crate) at: usize,
    ended: bool,
    start: Place,
    /// A place that is known behind the start.
    mark: (usize, Place),
    /// The bytes from the next one up to here are known to be UTF-8.
    text_end: usize,
    read_bytes: usize,
}

impl<'i> Window<'i> {
    pub(crate) fn new(input: Transcoded<'i>) -> Self {
        Self::behind(input, 0)
    }

    /// Of a text behind so many lines of its file.
    pub(crate) fn behind(input: Transcoded<'i>, lines_before: u64) -> Self {
        let mut start = Place::start_of(&input);
        start.line += lines_before;
        Self {
            input,
            chunk: Bytes::new(),
            bytes: Vec::new(),
            at: 0,
            ended: false,
            start,
            mark: (0, start),
            text_end: 0,
            read_bytes: READ_BYTES,
        }
    }

    /// All bytes at hand.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether there are no more than these.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Offset in the text of the next byte.
    pub(crate) fn position(&self) -> u64 {
        self.position_of(self.at)
    }

    /// Offset in the text of the byte at `at`.
    pub(crate) fn position_of(&self, at: usize) -> u64 {
        self.start.text + at as u64
    }

    /// Appends about `count` bytes; `false` at the end of the file.
    fn read(&mut self, count: usize) -> Result<bool> {
        let target = self.bytes.len().saturating_add(count);
        while self.bytes.len() < target && !self.ended {
            if self.chunk.is_empty() {
                self.chunk = self.input.next_chunk()?.unwrap_or_default();
                self.ended = self.chunk.is_empty();
            }
            let taken = self.chunk.len().min(self.read_bytes);
            self.bytes.extend_from_slice(&self.chunk[..taken]);
            self.chunk.advance(taken);
        }
        Ok(!self.ended)
    }

    /// Reads until so many bytes are at hand, or all there are.
    pub(crate) fn fill(&mut self, count: usize) -> Result<()> {
        match count.saturating_sub(self.bytes.len()) {
            0 => Ok(()),
            missing => self.read(missing).map(|_| ()),
        }
    }

    /// Reads more of the value that begins at `from`, at least doubling what
    /// is there. `false` when it is longer than `limit` already.
    pub(crate) fn more(&mut self, from: usize, limit: usize) -> Result<bool> {
        let there = self.bytes.len().saturating_sub(from);
        if there > limit {
            return Ok(false);
        }
        let room = (limit - there).saturating_add(1);
        self.read(there.max(1).min(room))?;
        Ok(true)
    }

    /// Passes over white space; the byte behind it, or `None` at the end. A
    /// space means that there is so much of it that the window had better be
    /// emptied first.
    pub(crate) fn next_byte(&mut self) -> Result<Option<u8>> {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
            if let Some(found) = rest.iter().position(|byte| !is_space(byte)) {
                let byte = rest.get(found).copied();
                self.at += found;
                return Ok(byte);
            }
            self.at = self.bytes.len();
            if self.ended {
                return Ok(None);
            }
            if self.at > SPACE_BYTES_MAX {
                return Ok(Some(b' '));
            }
            self.read(1)?;
        }
    }

    /// Passes over white space within the line; the byte behind it, a line
    /// feed included, or a space after very many of them.
    pub(crate) fn next_byte_of_line(&mut self) -> Result<Option<u8>> {
        let start = self.at;
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\r') if self.at - start <= SPACE_BYTES_MAX => self.at += 1,
                Some(byte) => return Ok(Some(*byte)),
                None if self.ended => return Ok(None),
                None => {
                    self.read(1)?;
                }
            }
        }
    }

    /// Where the line ends that `from` is in, line feed not included; `None`
    /// when it has more than `limit` bytes behind `from`.
    pub(crate) fn line_end(&mut self, from: usize, limit: usize) -> Result<Option<usize>> {
        let mut seen = from;
        loop {
            let rest = self.bytes.get(seen..).unwrap_or_default();
            if let Some(found) = memchr::memchr(b'\n', rest) {
                let end = seen + found;
                return Ok((end - from <= limit).then_some(end));
            }
            seen = self.bytes.len();
            if self.ended {
                return Ok((seen - from <= limit).then_some(seen));
            }
            if !self.more(from, limit)? {
                return Ok(None);
            }
        }
    }

    /// Passes over the rest of the line, however long.
    pub(crate) fn pass_line(&mut self) -> Result<()> {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            if let Some(found) = memchr::memchr(b'\n', rest) {
                self.at += found;
                return Ok(());
            }
            self.at = self.bytes.len();
            if self.ended {
                return Ok(());
            }
            self.forget();
            self.read(1)?;
        }
    }

    /// Drops the bytes that have been read.
    pub(crate) fn forget(&mut self) {
        let at = self.at.min(self.bytes.len());
        self.start = self.mark_at(at);
        self.bytes.drain(..at);
        self.text_end = self.text_end.saturating_sub(at);
        self.input.forget_before(self.start.text);
        self.at = 0;
        self.mark = (0, self.start);
    }

    /// Where `at` is. Faster when it is never asked for what stands before a
    /// mark.
    pub(crate) fn place(&self, at: usize) -> Place {
        let (known, place) = if at >= self.mark.0 { self.mark } else { (0, self.start) };
        let between = self.bytes.get(known..at.min(self.bytes.len())).unwrap_or_default();
        place.behind(between, &self.input)
    }

    /// Where `at` is, remembered.
    pub(crate) fn mark_at(&mut self, at: usize) -> Place {
        let place = self.place(at);
        self.mark = (at, place);
        place
    }

    /// Remembers that `line` begins at `at`, and answers where that is.
    pub(crate) fn mark_line(&mut self, at: usize, line: u64) -> Place {
        let text = self.position_of(at);
        let place = Place { byte: self.input.offsets().in_file(text), text, line, column: 1 };
        self.mark = (at, place);
        place
    }

    /// Up to where the bytes from the next one on are UTF-8, as far as they are
    /// at hand.
    pub(crate) fn text_end(&mut self) -> usize {
        let from = self.text_end.max(self.at);
        if let Some(rest) = self.bytes.get(from..).filter(|rest| !rest.is_empty()) {
            let valid = match simdutf8::compat::from_utf8(rest) {
                Ok(text) => text.len(),
                Err(error) => error.valid_up_to(),
            };
            self.text_end = from + valid;
        }
        self.text_end
    }

    /// The error of a file that cannot be read for `fault`.
    pub(crate) fn malformed(&self, fault: Fault) -> Error {
        let place = self.place(fault.at);
        let sentence = fault.sentence(&self.bytes);
        let message = format!("{sentence} (line {}, column {})", place.line, place.column);
        Error::new(ErrorKind::MalformedFile, message).at(Position {
            file: String::new(),
            line: Some(place.line),
            byte: Some(place.byte),
            column: None,
        })
    }
}
