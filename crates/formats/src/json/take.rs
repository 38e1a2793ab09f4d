//! One value at hand: as a row in its parts, or whole. Where it is cut, more
//! is read and it is scanned again.

use decant_core::Result;

use super::extent::{self, Extent};
use super::fault::{Fault, What};
use super::reading::{Reading, Source};
use super::scanner::{Scanner, Stop};
use super::token::{Key, Token};

/// What came of reading a row.
pub(super) enum Taken {
    Row,
    /// Good only in this text, of which its parts are places; what is wrong
    /// with it as it stands.
    Mended(Vec<u8>, Fault),
    /// Its structure is sound, its content is not.
    Bad(Fault),
    Broken(Fault),
    TooLong,
}

impl Reading<'_> {
    /// Reads the row at hand and leaves its parts in `events`.
    pub(super) fn take(&mut self) -> Result<Taken> {
        let start = self.window.at;
        let limit = self.settings.row_bytes_max;
        let levels = self.settings.levels();
        loop {
            let ended = self.window.has_ended();
            let mut scanner = Scanner::new(self.window.bytes(), start, ended, &mut self.memory);
            let scanned = scanner.row(levels, &mut self.events);
            let end = scanner.at;
            match scanned {
                Err(Stop::Incomplete) => {
                    if !self.window.more(start, limit)? {
                        return Ok(Taken::TooLong);
                    }
                }
                Err(Stop::Fault(fault)) if fault.end.saturating_sub(start) <= limit => {
                    return Ok(Taken::Broken(fault));
                }
                Ok(()) if end.saturating_sub(start) <= limit => {
                    self.window.at = end;
                    let Some(fault) = self.content_fault(start, end) else {
                        return Ok(Taken::Row);
                    };
                    return Ok(match self.mended(start, end, &fault) {
                        Some(text) => Taken::Mended(text, fault),
                        None => Taken::Bad(fault),
                    });
                }
                _ => return Ok(Taken::TooLong),
            }
        }
    }

    /// Where the value ends that begins at `start` and breaks the grammar;
    /// `None` where that cannot be told.
    pub(super) fn broken_end(&mut self, start: usize) -> Result<Option<usize>> {
        let closer = match self.source {
            Source::Members(_) => b'}',
            _ => b']',
        };
        let limit = self.settings.row_bytes_max;
        loop {
            let ended = self.window.has_ended();
            match extent::of_member(self.window.bytes(), start, closer, ended) {
                Extent::Ends(end) => return Ok((end - start <= limit).then_some(end)),
                Extent::Unknown => return Ok(None),
                Extent::Incomplete => {
                    if !self.window.more(start, limit)? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn content_fault(&self, start: usize, end: usize) -> Option<Fault> {
        let raw = self.window.bytes().get(start..end).unwrap_or_default();
        if simdutf8::basic::from_utf8(raw).is_ok() {
            return self.memory.fault;
        }
        let valid = std::str::from_utf8(raw).map_or_else(|error| error.valid_up_to(), str::len);
        Some(Fault::new(start + valid, start + valid + 1, What::Encoding(self.window.input.name())))
    }

    /// Reads a key and its colon. What is wrong with it fails the file.
    pub(super) fn take_key(&mut self) -> Result<Key> {
        self.take_part(|scanner| scanner.key())
    }

    /// Reads a value of whatever kind. What is wrong with it fails the file.
    pub(super) fn take_value(&mut self) -> Result<Token> {
        self.take_part(|scanner| scanner.value(0))
    }

    fn take_part<T>(&mut self, scan: impl Fn(&mut Scanner<'_>) -> Result<T, Stop>) -> Result<T> {
        let start = self.window.at;
        let limit = self.settings.row_bytes_max;
        loop {
            let ended = self.window.has_ended();
            let mut scanner = Scanner::new(self.window.bytes(), start, ended, &mut self.memory);
            let scanned = scan(&mut scanner);
            let end = scanner.at;
            match scanned {
                Ok(part) if end.saturating_sub(start) <= limit => {
                    self.window.at = end;
                    return match self.content_fault(start, end) {
                        Some(fault) => Err(self.window.malformed(fault)),
                        None => Ok(part),
                    };
                }
                Err(Stop::Fault(fault)) if fault.end.saturating_sub(start) <= limit => {
                    return Err(self.window.malformed(fault));
                }
                Err(Stop::Incomplete) => {
                    if !self.window.more(start, limit)? {
                        return Err(self.too_long());
                    }
                }
                _ => return Err(self.too_long()),
            }
        }
    }
}
