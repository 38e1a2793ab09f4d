//! A value as it stands in the text: its kind and where it is.
//!
//! Tokens point into bytes that somebody else keeps. Their text has been
//! checked already, so that nothing here can fail.

/// What kind of value a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    /// A string without escapes.
    Text,
    /// A string with escapes.
    Escaped,
    Object,
    Array,
}

impl Kind {
    pub(crate) fn is_string(self) -> bool {
        matches!(self, Self::Text | Self::Escaped)
    }

    pub(crate) fn is_nested(self) -> bool {
        matches!(self, Self::Object | Self::Array)
    }
}

/// A value's place: strings with their quotes, containers with their
/// brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) kind: Kind,
    /// Whether it points into the store rather than into the window.
    pub(crate) stored: bool,
}

/// The bytes that tokens point into.
#[derive(Clone, Copy)]
pub(crate) struct Texts<'b> {
    pub(crate) window: &'b [u8],
    pub(crate) store: &'b [u8],
}

impl Token {
    pub(crate) fn new(start: usize, end: usize, kind: Kind) -> Self {
        Self { start: start as u32, end: end as u32, kind, stored: false }
    }

    /// The value as it is written.
    pub(crate) fn raw<'b>(&self, texts: Texts<'b>) -> &'b [u8] {
        let bytes = if self.stored { texts.store } else { texts.window };
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Where its text begins and ends: that of a string without its quotes.
    #[inline]
    pub(crate) fn inside(&self) -> (usize, usize) {
        let quote = usize::from(self.kind.is_string());
        (self.start as usize + quote, (self.end as usize).saturating_sub(quote))
    }

    /// What it means as text: a string without quotes and escapes, a
    /// container without white space, anything else as it is written; `None`
    /// for `null`.
    #[inline]
    pub(crate) fn text<'b>(&self, texts: Texts<'b>, scratch: &'b mut Vec<u8>) -> Option<&'b [u8]> {
        let raw = self.raw(texts);
        match self.kind {
            Kind::Null => return None,
            Kind::True | Kind::False | Kind::Number => return Some(raw),
            Kind::Text => return Some(inner(raw)),
            Kind::Escaped => {
                scratch.clear();
                unescape(inner(raw), scratch);
            }
            Kind::Object | Kind::Array => {
                scratch.clear();
                minimise(raw, scratch);
            }
        }
        Some(scratch)
    }

    /// The value as JSON, without white space.
    pub(crate) fn json<'b>(&self, texts: Texts<'b>, scratch: &'b mut Vec<u8>) -> &'b [u8] {
        let raw = self.raw(texts);
        if !self.kind.is_nested() {
            return raw;
        }
        scratch.clear();
        minimise(raw, scratch);
        scratch
    }
}

/// A key of an object, with its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) token: Token,
}

impl Key {
    /// What the key means.
    #[inline]
    pub(crate) fn name<'b>(&self, bytes: &'b [u8], scratch: &'b mut Vec<u8>) -> &'b [u8] {
        let texts = Texts { window: bytes, store: &[] };
        self.token.text(texts, scratch).unwrap_or_default()
    }

    pub(crate) fn owned_name(&self, bytes: &[u8]) -> Vec<u8> {
        let mut scratch = Vec::new();
        self.name(bytes, &mut scratch).to_vec()
    }
}

fn inner(raw: &[u8]) -> &[u8] {
    raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default()
}

/// Appends what the inside of a string means. Halves of surrogate pairs, for
/// which there is no character, become U+FFFD.
pub(crate) fn unescape(inner: &[u8], output: &mut Vec<u8>) {
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        output.extend_from_slice(&rest[..at]);
        let escape = rest.get(at + 1).copied().unwrap_or_default();
        let mut length = 2;
        match escape {
            b'b' => output.push(8),
            b'f' => output.push(12),
            b'n' => output.push(b'\n'),
            b'r' => output.push(b'\r'),
            b't' => output.push(b'\t'),
            b'u' => {
                let (character, written) = unescape_unicode(&rest[at..]);
                output.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                length = written;
            }
            itself => output.push(itself),
        }
        rest = rest.get(at + length..).unwrap_or_default();
    }
    output.extend_from_slice(rest);
}

/// The character that `\uXXXX`, or a pair of them, means, and how many bytes
/// that took.
fn unescape_unicode(escape: &[u8]) -> (char, usize) {
    let first = escape.get(2..6).and_then(hexadecimal).unwrap_or_default();
    let second = match escape.get(6..8) {
        Some(br"\u") => escape.get(8..12).and_then(hexadecimal),
        _ => None,
    };
    match (first, second) {
        (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
            let code = 0x1_0000 + ((u32::from(first) - 0xD800) << 10) + (u32::from(low) - 0xDC00);
            (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
        }
        _ => (char::from_u32(first.into()).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
    }
}

/// The number that four hexadecimal digits write.
pub(crate) fn hexadecimal(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |sum, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(sum << 4 | u16::try_from(digit).ok()?)
    })
}

/// Appends a value without the white space between its parts.
pub(crate) fn minimise(raw: &[u8], output: &mut Vec<u8>) {
    let mut quoted = false;
    let mut escaped = false;
    output.reserve(raw.len());
    for byte in raw {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' if !quoted => continue,
            b'"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && *byte == b'\\' && !escaped;
        output.push(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_mean_characters() {
        for (inner, expected) in [
            (r"plain", "plain"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"\u00e9\u20AC", "é€"),
            (r"\ud83d\ude00!", "😀!"),
            (r"\ud83dx", "\u{fffd}x"),
            (r"a\u0000b", "a\0b"),
            ("π\\n", "π\n"),
        ] {
            let mut output = Vec::new();
            unescape(inner.as_bytes(), &mut output);
            assert_eq!(String::from_utf8(output).unwrap(), expected, "{inner}");
        }
    }

    #[test]
    fn white_space_goes_only_between_parts() {
        let mut output = Vec::new();
        minimise(b"{ \"a b\" : [ 1 ,\n\t\"\\\" c\\\\\" , { } ] }", &mut output);
        assert_eq!(String::from_utf8(output).unwrap(), r#"{"a b":[1,"\" c\\",{}]}"#);
    }
}
