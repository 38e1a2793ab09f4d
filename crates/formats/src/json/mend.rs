//! Lenient reading: rows whose strings have bytes without a meaning or halves
//! of surrogate pairs, read again with U+FFFD in their place.
//!
//! Not here: arrays that are too long or too short ([`super::accept`]), and
//! whatever else is wrong with a row, which stays bad.
//!
//! Invariant: a row has the same structure as before.

use super::fault::{Fault, What};
use super::reading::Reading;
use super::scanner::Scanner;
use super::token::{Token, hexadecimal};

/// How U+FFFD is written in place of half of a surrogate pair.
const REPLACEMENT: &[u8; 6] = br"\ufffd";

impl Reading<'_> {
    /// The text of the row from `start` to `end` with U+FFFD where there is
    /// no character, and its parts, as places in this text, in `events`;
    /// `None` where this is not asked for, or does not make it good.
    pub(super) fn mended(&mut self, start: usize, end: usize, fault: &Fault) -> Option<Vec<u8>> {
        let is_character = matches!(fault.what, What::Encoding(_) | What::Surrogate);
        if !self.settings.options.lenient || !is_character {
            return None;
        }
        let text = with_characters(self.window.bytes().get(start..end)?);
        let mut scanner = Scanner::new(&text, 0, true, &mut self.memory);
        let scanned = scanner.row(self.settings.levels(), &mut self.events);
        (scanned.is_ok() && self.memory.fault.is_none()).then_some(text)
    }

    /// Keeps the text of a mended row, to which its values, the cells from
    /// `first` on, refer.
    pub(super) fn keep_mended(&mut self, text: &[u8], first: usize) {
        let base = self.store.len() as u32;
        self.store.extend_from_slice(text);
        for (_, token) in self.cells.iter_mut().skip(first) {
            let Token { start, end, kind, .. } = *token;
            *token = Token { start: start + base, end: end + base, kind, stored: true };
        }
    }
}

/// A row's text with U+FFFD in place of what is no character.
fn with_characters(raw: &[u8]) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(raw).into_owned().into_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', text.get(at..).unwrap_or_default()) {
        at += found;
        let rest = text.get_mut(at..).unwrap_or_default();
        let unit = |from: usize| match rest.get(from..from + 6) {
            Some([b'\\', b'u', digits @ ..]) => hexadecimal(digits),
            _ => None,
        };
        at += match (unit(0), unit(6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 2 * REPLACEMENT.len(),
            (Some(0xd800..=0xdfff), _) => {
                rest[..REPLACEMENT.len()].copy_from_slice(REPLACEMENT);
                REPLACEMENT.len()
            }
            _ => 2,
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_no_character_is_replaced() {
        for (raw, expected) in [
            (&b"\"a\xffb\xc3\""[..], "\"a\u{fffd}b\u{fffd}\""),
            (br#""\ud800x""#, r#""\ufffdx""#),
            (br#""\udc00\ud83d\ude00\ud83d""#, r#""\ufffd\ud83d\ude00\ufffd""#),
            (br#""\ud800\ud800\udc00""#, r#""\ufffd\ud800\udc00""#),
            (br#""\\ud800\n\u00e9""#, r#""\\ud800\n\u00e9""#),
            (br#""\ud8"#, r#""\ud8"#),
        ] {
            let text = String::from_utf8(with_characters(raw)).unwrap();
            assert_eq!(text, expected, "{}", raw.escape_ascii());
        }
    }
}
