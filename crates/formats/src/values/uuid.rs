//! UUIDs.
//!
//! Exactly: `8-4-4-4-12` hexadecimal digits of either case. Where the type was
//! given also in braces, or without dashes.

use super::{Fit, Misfit, Reading};

const DASHES: [usize; 4] = [8, 13, 18, 23];

/// Reads a UUID as its 16 bytes.
pub fn parse(value: &[u8], reading: Reading) -> Fit<[u8; 16]> {
    let value = reading.trim(value);
    if value.len() == 36 {
        return dashed(value);
    }
    match (reading, value) {
        (Reading::Given, [b'{', inner @ .., b'}']) if inner.len() == 36 => dashed(inner),
        (Reading::Given, digits) if digits.len() == 32 => collect(digits.iter()),
        _ => Err(Misfit::Spelling),
    }
}

fn dashed(value: &[u8]) -> Fit<[u8; 16]> {
    if DASHES.iter().any(|at| value[*at] != b'-') {
        return Err(Misfit::Spelling);
    }
    let digits = value.iter().enumerate().filter(|(at, _)| !DASHES.contains(at));
    collect(digits.map(|(_, digit)| digit))
}

fn collect<'a>(mut digits: impl Iterator<Item = &'a u8>) -> Fit<[u8; 16]> {
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        let (Some(high), Some(low)) = (digits.next(), digits.next()) else {
            return Err(Misfit::Spelling);
        };
        *byte = super::binary::hex_byte(*high, *low).ok_or(Misfit::Spelling)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Misfit::Spelling;

    #[test]
    fn spellings_are_uuids_as_the_reading_allows() {
        let uuid = Ok(*b"\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef");
        for (text, exact, given) in [
            ("01234567-89ab-cdef-0123-456789abcdef", uuid, uuid),
            ("01234567-89AB-CDEF-0123-456789ABCDEF", uuid, uuid),
            ("{01234567-89ab-cdef-0123-456789abcdef}", Err(Spelling), uuid),
            ("0123456789abcdef0123456789abcdef", Err(Spelling), uuid),
            (" 01234567-89ab-cdef-0123-456789abcdef", Err(Spelling), uuid),
            ("01234567-89ab-cdef-0123-456789abcdeg", Err(Spelling), Err(Spelling)),
            ("0123456-789ab-cdef-0123-456789abcdef", Err(Spelling), Err(Spelling)),
            ("01234567-89ab-cdef-0123-456789abcde", Err(Spelling), Err(Spelling)),
            ("", Err(Spelling), Err(Spelling)),
        ] {
            assert_eq!(parse(text.as_bytes(), Reading::Exact), exact, "{text:?} exactly");
            assert_eq!(parse(text.as_bytes(), Reading::Given), given, "{text:?} given");
        }
    }
}
