//! Bytes: hexadecimal behind `\x`, as Postgres writes them, else the text's
//! own bytes.

use super::{Fit, Misfit};

/// Appends the bytes that `value` means to `bytes`.
pub fn parse_into(value: &[u8], bytes: &mut Vec<u8>) -> Fit<()> {
    let Some(digits) = value.strip_prefix(br"\x") else {
        bytes.extend_from_slice(value);
        return Ok(());
    };
    if digits.len() % 2 != 0 {
        return Err(Misfit::Spelling);
    }
    for pair in digits.chunks_exact(2) {
        bytes.push(hex_byte(pair[0], pair[1]).ok_or(Misfit::Spelling)?);
    }
    Ok(())
}

/// The byte that two hexadecimal digits write.
pub(super) fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let nibble =
        |digit: u8| char::from(digit).to_digit(16).and_then(|nibble| u8::try_from(nibble).ok());
    Some(nibble(high)? << 4 | nibble(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_and_anything_else_taken_as_it_is() {
        for (text, expected) in [
            (&b"\\x00ffA0"[..], Ok(&b"\x00\xff\xa0"[..])),
            (b"\\x", Ok(b"")),
            (b"plain", Ok(b"plain")),
            (b"\xff\xfe", Ok(b"\xff\xfe")),
            (b"\\x0", Err(Misfit::Spelling)),
            (b"\\x0g", Err(Misfit::Spelling)),
        ] {
            let mut bytes = Vec::new();
            let read = parse_into(text, &mut bytes).map(|()| bytes.as_slice());
            assert_eq!(read, expected, "{text:?}");
        }
    }
}
