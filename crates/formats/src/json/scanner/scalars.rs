//! Scalars: words, strings and numbers, up to their last byte.
//!
//! Not here: what they mean. A string's escapes are checked and stay as they
//! are written.

use super::super::fault::{Fault, What};
use super::super::token::{Kind, Token, hexadecimal};
use super::{Scan, Scanner, Stop};

impl Scanner<'_> {
    pub(super) fn scalar(&mut self) -> Scan<Token> {
        match self.peek()? {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word(b"true", Kind::True),
            b'f' => self.word(b"false", Kind::False),
            b'n' => self.word(b"null", Kind::Null),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Scan<Token> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(word) {
            let start = self.at;
            self.at += word.len();
            return Ok(Token::new(start, self.at, kind));
        }
        if !self.ended && word.starts_with(rest) {
            return Err(Stop::Incomplete);
        }
        Err(self.unexpected("a value"))
    }

    pub(super) fn string(&mut self) -> Scan<Token> {
        let start = self.at;
        self.at += 1;
        let mut kind = Kind::Text;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F));
            self.at += plain.unwrap_or(rest.len());
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Ok(Token::new(start, self.at, kind));
                }
                b'\\' => {
                    kind = Kind::Escaped;
                    self.escape()?;
                }
                _ => return Err(self.fault_here(What::Control)),
            }
        }
    }

    fn escape(&mut self) -> Scan<()> {
        match self.at_offset(1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => return self.unicode_escape(),
            _ => return Err(self.fault(self.at, self.at + 2, What::Escape)),
        }
        Ok(())
    }

    fn unicode_escape(&mut self) -> Scan<()> {
        let start = self.at;
        let first = self.four_digits()?;
        match first {
            0xD800..=0xDBFF => {}
            0xDC00..=0xDFFF => {
                self.note(Fault::new(start, start + 6, What::Surrogate));
                return Ok(());
            }
            _ => return Ok(()),
        }
        if self.peek()? == b'\\' && self.at_offset(1)? == b'u' {
            let before = self.at;
            if (0xDC00..=0xDFFF).contains(&self.four_digits()?) {
                return Ok(());
            }
            self.at = before;
        }
        self.note(Fault::new(start, start + 6, What::Surrogate));
        Ok(())
    }

    fn four_digits(&mut self) -> Scan<u16> {
        for offset in 2..6 {
            if !self.at_offset(offset)?.is_ascii_hexdigit() {
                return Err(self.fault(self.at, self.at + offset + 1, What::Escape));
            }
        }
        let digits = self.bytes.get(self.at + 2..self.at + 6).and_then(hexadecimal);
        self.at += 6;
        Ok(digits.unwrap_or_default())
    }

    fn at_offset(&self, offset: usize) -> Scan<u8> {
        match self.bytes.get(self.at + offset) {
            Some(byte) => Ok(*byte),
            None if self.ended => {
                let end = self.bytes.len();
                Err(Stop::Fault(Fault::new(end, end, What::End)))
            }
            None => Err(Stop::Incomplete),
        }
    }

    fn number(&mut self) -> Scan<Token> {
        let start = self.at;
        if self.peek()? == b'-' {
            self.at += 1;
        }
        let integer = self.at;
        self.digits()?;
        let has_point = self.has_next(b".")?;
        if self.bytes[integer] == b'0' && self.at > integer + 1 {
            return Err(self.fault(start, self.at, What::LeadingZero));
        }
        if has_point {
            self.at += 1;
            self.digits()?;
        }
        if self.has_next(b"eE")? {
            self.at += 1;
            if matches!(self.peek()?, b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
            // More digits may follow where the text is cut.
            self.has_next(b"")?;
        }
        Ok(Token::new(start, self.at, Kind::Number))
    }

    /// At least one digit.
    fn digits(&mut self) -> Scan<()> {
        if !self.peek()?.is_ascii_digit() {
            return Err(self.unexpected("a digit"));
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        Ok(())
    }

    /// Whether one of these bytes is next. A number may end with the text.
    fn has_next(&self, bytes: &[u8]) -> Scan<bool> {
        match self.bytes.get(self.at) {
            Some(byte) => Ok(bytes.contains(byte)),
            None if self.ended => Ok(false),
            None => Err(Stop::Incomplete),
        }
    }
}
