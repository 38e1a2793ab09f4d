//! Whole numbers of 16, 32 and 64 bits.
//!
//! Exactly: an optional `-` and digits without leading zeros. `-0` is zero.
//! Where the type was given also `+`, leading zeros, and a fraction that is
//! nothing but zeros (`12.0`, as data frames write integers with gaps).

use super::{Fit, Misfit, Reading};

/// Digits that fit 64 bits whatever they are.
const SAFE_DIGITS: usize = 18;

/// Reads an integer of any width up to 64 bits.
pub fn parse<T: TryFrom<i64>>(value: &[u8], reading: Reading) -> Fit<T> {
    T::try_from(parse_i64(value, reading)?).map_err(|_| Misfit::Range)
}

fn parse_i64(value: &[u8], reading: Reading) -> Fit<i64> {
    let (negative, digits) = match reading {
        Reading::Exact => exact_digits(value)?,
        Reading::Given => given_digits(value)?,
    };
    if digits.len() <= SAFE_DIGITS {
        let magnitude = sum_digits(digits)?;
        return Ok(if negative { -magnitude } else { magnitude });
    }
    sum_checked(digits, negative)
}

fn exact_digits(value: &[u8]) -> Fit<(bool, &[u8])> {
    let (negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [] | [b'0', _, ..] => Err(Misfit::Spelling),
        digits => Ok((negative, digits)),
    }
}

fn given_digits(value: &[u8]) -> Fit<(bool, &[u8])> {
    let (negative, digits) = match value.trim_ascii() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let whole = without_zero_fraction(digits)?;
    if whole.is_empty() {
        return Err(Misfit::Spelling);
    }
    let zeros = whole.iter().take_while(|digit| **digit == b'0').count();
    Ok((negative, &whole[zeros.min(whole.len() - 1)..]))
}

fn without_zero_fraction(digits: &[u8]) -> Fit<&[u8]> {
    let Some(point) = digits.iter().position(|byte| *byte == b'.') else {
        return Ok(digits);
    };
    let fraction = &digits[point + 1..];
    if fraction.iter().all(|digit| *digit == b'0') {
        Ok(&digits[..point])
    } else if fraction.iter().all(u8::is_ascii_digit) {
        Err(Misfit::Precision)
    } else {
        Err(Misfit::Spelling)
    }
}

fn sum_digits(digits: &[u8]) -> Fit<i64> {
    let mut sum = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(Misfit::Spelling);
        }
        sum = sum * 10 + i64::from(digit);
    }
    Ok(sum)
}

fn sum_checked(digits: &[u8], negative: bool) -> Fit<i64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Misfit::Spelling);
    }
    let mut sum = 0_i64;
    for byte in digits {
        let digit = i64::from(byte - b'0');
        let signed = if negative { -digit } else { digit };
        sum = sum.checked_mul(10).and_then(|sum| sum.checked_add(signed)).ok_or(Misfit::Range)?;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Misfit::{Precision, Range, Spelling};

    #[test]
    fn spellings_are_integers_as_the_reading_allows() {
        for (text, exact, given) in [
            ("0", Ok(0), Ok(0)),
            ("-0", Ok(0), Ok(0)),
            ("42", Ok(42), Ok(42)),
            ("-42", Ok(-42), Ok(-42)),
            ("9223372036854775807", Ok(i64::MAX), Ok(i64::MAX)),
            ("-9223372036854775808", Ok(i64::MIN), Ok(i64::MIN)),
            ("9223372036854775808", Err(Range), Err(Range)),
            ("-9223372036854775809", Err(Range), Err(Range)),
            ("99999999999999999999999", Err(Range), Err(Range)),
            ("007", Err(Spelling), Ok(7)),
            ("-007", Err(Spelling), Ok(-7)),
            ("00", Err(Spelling), Ok(0)),
            ("0000000000000000000000000012", Err(Spelling), Ok(12)),
            ("+7", Err(Spelling), Ok(7)),
            (" 7 ", Err(Spelling), Ok(7)),
            ("12.0", Err(Spelling), Ok(12)),
            ("12.50", Err(Spelling), Err(Precision)),
            ("12,50", Err(Spelling), Err(Spelling)),
            ("1e3", Err(Spelling), Err(Spelling)),
            ("0x1F", Err(Spelling), Err(Spelling)),
            ("1_000", Err(Spelling), Err(Spelling)),
            ("", Err(Spelling), Err(Spelling)),
            ("-", Err(Spelling), Err(Spelling)),
            ("+", Err(Spelling), Err(Spelling)),
            (".0", Err(Spelling), Err(Spelling)),
            ("--1", Err(Spelling), Err(Spelling)),
            ("12345678901234567890x", Err(Spelling), Err(Spelling)),
        ] {
            assert_eq!(parse::<i64>(text.as_bytes(), Reading::Exact), exact, "{text:?} exactly");
            assert_eq!(parse::<i64>(text.as_bytes(), Reading::Given), given, "{text:?} given");
        }
    }

    #[test]
    fn narrow_integers_refuse_what_is_out_of_their_range() {
        assert_eq!(parse::<i16>(b"32767", Reading::Exact), Ok(i16::MAX));
        assert_eq!(parse::<i16>(b"32768", Reading::Exact), Err(Range));
        assert_eq!(parse::<i32>(b"-2147483648", Reading::Exact), Ok(i32::MIN));
        assert_eq!(parse::<i32>(b"2147483648", Reading::Given), Err(Range));
    }
}
