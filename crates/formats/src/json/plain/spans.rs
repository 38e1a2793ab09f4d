//! Where plain values end: strings without escapes, and numbers without
//! exponents, eight bytes at a time.
//!
//! Not here: anything else that a value may be, which is for the scanner. What
//! is answered here is what the scanner would answer.

const WORD_BYTES: usize = 8;
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Behind the closing quote of a string whose text begins at `at`; `None`
/// where something has to be looked at more closely: an escape, a control
/// character, the end of the bytes.
#[inline]
pub(super) fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let marks = string_marks(word(bytes, at));
        if marks != 0 {
            at += first_byte(marks);
            return (bytes.get(at) == Some(&b'"')).then_some(at + 1);
        }
        at += WORD_BYTES;
    }
}

/// Behind the last digit of a number that begins at `at`; `None` where it is
/// none, or has to be looked at more closely.
#[inline]
pub(super) fn number_end(bytes: &[u8], at: usize) -> Option<usize> {
    let first = if bytes.get(at) == Some(&b'-') { at + 1 } else { at };
    let mut end = digits_end(bytes, first);
    let begins_with_zero = bytes.get(first) == Some(&b'0');
    if end == first || begins_with_zero && end > first + 1 {
        return None;
    }
    if bytes.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits_end(bytes, fraction);
        if end == fraction {
            return None;
        }
    }
    match bytes.get(end) {
        None | Some(b'e' | b'E') => None,
        Some(_) => Some(end),
    }
}

/// Behind the digits that begin at `at`, of which there may be none.
#[inline]
fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        let marks = other_than_digits(word(bytes, at));
        if marks != 0 {
            return at + first_byte(marks);
        }
        at += WORD_BYTES;
    }
}

/// Eight bytes, the first one the lowest. Behind the end there are zeros,
/// which are no part of any value.
#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..).and_then(<[u8]>::first_chunk::<WORD_BYTES>) {
        Some(word) => u64::from_le_bytes(*word),
        None => last_word(bytes.get(at..).unwrap_or_default()),
    }
}

#[cold]
fn last_word(rest: &[u8]) -> u64 {
    rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// The lowest byte in which a bit is set.
#[inline]
fn first_byte(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}

/// The high bit of every byte that ends plain text: a quote, a backslash, a
/// control character. Exact up to the first of them.
#[inline]
fn string_marks(word: u64) -> u64 {
    let quotes = word ^ (ONES * b'"' as u64);
    let slashes = word ^ (ONES * b'\\' as u64);
    let quotes = quotes.wrapping_sub(ONES) & !quotes;
    let slashes = slashes.wrapping_sub(ONES) & !slashes;
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (quotes | slashes | controls) & HIGHS
}

/// The high bit of every byte that is no digit.
#[inline]
fn other_than_digits(word: u64) -> u64 {
    let digits = word ^ (ONES * b'0' as u64);
    (((digits & !HIGHS) + ONES * 0x76) | digits) & HIGHS
}

#[cfg(test)]
mod tests {
    use super::super::super::scanner::{Memory, Scanner};
    use super::super::super::token::Kind;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_byte_ends_text_or_digits_as_the_grammar_says() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                let mut text = [b'a'; 24];
                (text[at], text[23]) = (byte, b'"');
                let ends = byte == b'"' || byte == b'\\' || byte < 0x20;
                let expected = if !ends { Some(24) } else { (byte == b'"').then_some(at + 1) };
                assert_eq!(string_end(&text, 0), expected, "{byte} at {at}");
                let mut digits = [b'7'; 24];
                (digits[at], digits[23]) = (byte, b',');
                let expected = if byte.is_ascii_digit() { 23 } else { at };
                assert_eq!(digits_end(&digits, 0), expected, "{byte} at {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_has_an_end_has_the_scanners(
            text in "(-?(0|[1-9]?[0-9]{0,20})(\\.[0-9]{0,9})?([eE][-+]?[0-9])?|\"[a-ü\\\\\"\n]{0,30}\"?)[, }]?.{0,9}",
        ) {
            let bytes = text.as_bytes();
            let mut memory = Memory::default();
            let mut scanner = Scanner::new(bytes, 0, false, &mut memory);
            let scanned = scanner.value(0).ok();
            let (found, kind) = match bytes.first() {
                Some(b'"') => (string_end(bytes, 1), Kind::Text),
                _ => (number_end(bytes, 0), Kind::Number),
            };
            let expected = scanned.filter(|token| token.kind == kind).map(|token| token.end as usize);
            match found {
                Some(_) => prop_assert_eq!(found, expected),
                None => prop_assert!(
                    kind == Kind::Number && text.contains(['e', 'E']) || expected.is_none(),
                    "{}", text
                ),
            }
        }
    }
}
