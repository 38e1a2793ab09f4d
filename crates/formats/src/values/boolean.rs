//! Truth values.
//!
//! Exactly: `true` and `false`, in any case. Where the type was given also
//! the words of Postgres's `boolean`: `t`, `f`, `yes`, `no`, `y`, `n`, `on`,
//! `off`, `1`, `0`.

use super::{Fit, Misfit, Reading};

const TRUE_WORDS: [&[u8]; 5] = [b"t", b"1", b"yes", b"y", b"on"];
const FALSE_WORDS: [&[u8]; 5] = [b"f", b"0", b"no", b"n", b"off"];

/// Reads a truth value.
pub fn parse(value: &[u8], reading: Reading) -> Fit<bool> {
    let value = reading.trim(value);
    if value.eq_ignore_ascii_case(b"true") {
        return Ok(true);
    }
    if value.eq_ignore_ascii_case(b"false") {
        return Ok(false);
    }
    match reading {
        Reading::Given if is_any_of(value, &TRUE_WORDS) => Ok(true),
        Reading::Given if is_any_of(value, &FALSE_WORDS) => Ok(false),
        _ => Err(Misfit::Spelling),
    }
}

fn is_any_of(value: &[u8], words: &[&[u8]]) -> bool {
    words.iter().any(|word| value.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Misfit::Spelling;

    #[test]
    fn words_are_truth_values_as_the_reading_allows() {
        for (text, exact, given) in [
            ("true", Ok(true), Ok(true)),
            ("FALSE", Ok(false), Ok(false)),
            ("True", Ok(true), Ok(true)),
            ("t", Err(Spelling), Ok(true)),
            ("F", Err(Spelling), Ok(false)),
            ("1", Err(Spelling), Ok(true)),
            ("0", Err(Spelling), Ok(false)),
            ("yes", Err(Spelling), Ok(true)),
            ("No", Err(Spelling), Ok(false)),
            (" true ", Err(Spelling), Ok(true)),
            ("", Err(Spelling), Err(Spelling)),
            ("2", Err(Spelling), Err(Spelling)),
            ("truee", Err(Spelling), Err(Spelling)),
        ] {
            assert_eq!(parse(text.as_bytes(), Reading::Exact), exact, "{text:?} exactly");
            assert_eq!(parse(text.as_bytes(), Reading::Given), given, "{text:?} given");
        }
    }
}
