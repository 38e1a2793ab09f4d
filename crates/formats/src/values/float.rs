//! IEEE 754 numbers.
//!
//! Exactly: the number must survive by value, that is, its digits must come
//! back when the double is printed as shortly as it can be. Up to 15 digits
//! (6 for single precision) always do. Where the type was given, digits are
//! rounded as IEEE 754 says and the words `NaN`, `inf` and `infinity` are
//! values. Either way a number that would become infinite, or that is not
//! zero but would become zero, is out of range.

use std::fmt::LowerExp;
use std::str::FromStr;

use super::number::{Number, Significant};
use super::{Fit, Misfit, Reading};

/// A floating-point type.
pub trait Float: Copy + FromStr + LowerExp + From<f32> + PartialEq {
    /// Decimal digits that always survive.
    const DIGITS_KEPT: usize;
    /// Powers of ten within which they do.
    const POINT_MAX: u64;

    /// The value by the quick and exact way, where there is one.
    fn quick(number: &Number<'_>) -> Option<Self>;
    /// Whether it is neither infinite nor NaN.
    fn is_finite(self) -> bool;
}

const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

impl Float for f64 {
    const DIGITS_KEPT: usize = 15;
    const POINT_MAX: u64 = 290;

    /// Both the digits and the power of ten are doubles without rounding, so
    /// that one multiplication or division rounds once, as it must
    /// (Clinger, "How to read floating point numbers accurately", 1990).
    fn quick(number: &Number<'_>) -> Option<Self> {
        if number.integer.len() + number.fraction.len() > Self::DIGITS_KEPT {
            return None;
        }
        let power = i64::from(number.exponent) - number.fraction.len() as i64;
        let scale = *POWERS_OF_TEN.get(usize::try_from(power.unsigned_abs()).ok()?)?;
        let sum = |sum: u64, digit: &u8| sum * 10 + u64::from(digit - b'0');
        let mantissa = number.fraction.iter().fold(number.integer.iter().fold(0, sum), sum) as f64;
        let magnitude = if power < 0 { mantissa / scale } else { mantissa * scale };
        Some(if number.negative { -magnitude } else { magnitude })
    }

    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }
}

impl Float for f32 {
    const DIGITS_KEPT: usize = 6;
    const POINT_MAX: u64 = 30;

    fn quick(_: &Number<'_>) -> Option<Self> {
        None
    }

    fn is_finite(self) -> bool {
        f32::is_finite(self)
    }
}

/// Reads a floating-point number.
pub fn parse<T: Float>(value: &[u8], reading: Reading) -> Fit<T> {
    let Some(number) = Number::lex(value, reading) else {
        return parse_word(value, reading);
    };
    let float: T = match T::quick(&number) {
        Some(float) => float,
        None => parse_text(reading.trim(value))?,
    };
    let significant = number.significant();
    if !float.is_finite() || (float == T::from(0.0) && significant.count() > 0) {
        return Err(Misfit::Range);
    }
    match reading {
        Reading::Exact if !survives(float, &significant) => Err(Misfit::Precision),
        _ => Ok(float),
    }
}

fn parse_word<T: Float>(value: &[u8], reading: Reading) -> Fit<T> {
    let (negative, word) = match reading.trim(value) {
        [b'-', word @ ..] => (true, word),
        [b'+', word @ ..] | word => (false, word),
    };
    let is = |known: &[u8]| word.eq_ignore_ascii_case(known);
    match reading {
        Reading::Given if is(b"nan") => Ok(T::from(f32::NAN)),
        Reading::Given if is(b"inf") || is(b"infinity") => {
            Ok(T::from(if negative { f32::NEG_INFINITY } else { f32::INFINITY }))
        }
        _ => Err(Misfit::Spelling),
    }
}

fn parse_text<T: Float>(value: &[u8]) -> Fit<T> {
    let text = std::str::from_utf8(value).map_err(|_| Misfit::Spelling)?;
    text.parse().map_err(|_| Misfit::Spelling)
}

fn survives<T: Float>(float: T, written: &Significant<'_>) -> bool {
    if written.count() <= T::DIGITS_KEPT && written.point.unsigned_abs() <= T::POINT_MAX {
        return true;
    }
    let shortest = format!("{float:e}");
    Number::lex(shortest.as_bytes(), Reading::Given)
        .is_some_and(|number| number.significant().equals(written))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Misfit::{Precision, Range, Spelling};

    #[test]
    fn spellings_are_doubles_as_the_reading_allows() {
        for (text, exact, given) in [
            ("0", Ok(0.0), Ok(0.0)),
            ("12.0", Ok(12.0), Ok(12.0)),
            ("-12.50", Ok(-12.5), Ok(-12.5)),
            ("0.1", Ok(0.1), Ok(0.1)),
            (".5", Ok(0.5), Ok(0.5)),
            ("1e23", Ok(1e23), Ok(1e23)),
            ("1.7976931348623157e308", Ok(f64::MAX), Ok(f64::MAX)),
            ("5e-324", Ok(5e-324), Ok(5e-324)),
            ("0.30000000000000004", Ok(0.1 + 0.2), Ok(0.1 + 0.2)),
            ("9007199254740993", Err(Precision), Ok(9007199254740992.0)),
            ("0.1000000000000000055", Err(Precision), Ok(0.1)),
            ("1.2345e-322", Err(Precision), Ok(1.2345e-322)),
            ("1e400", Err(Range), Err(Range)),
            ("-1e400", Err(Range), Err(Range)),
            ("1e-400", Err(Range), Err(Range)),
            ("0e999999999999", Ok(0.0), Ok(0.0)),
            ("1e99999999999999999999", Err(Range), Err(Range)),
            ("inf", Err(Spelling), Ok(f64::INFINITY)),
            ("-Infinity", Err(Spelling), Ok(f64::NEG_INFINITY)),
            ("+7", Err(Spelling), Ok(7.0)),
            ("07.5", Err(Spelling), Ok(7.5)),
            ("7.", Err(Spelling), Ok(7.0)),
            (" 7.5 ", Err(Spelling), Ok(7.5)),
            ("12,50", Err(Spelling), Err(Spelling)),
            ("", Err(Spelling), Err(Spelling)),
            ("infinit", Err(Spelling), Err(Spelling)),
        ] {
            assert_eq!(parse::<f64>(text.as_bytes(), Reading::Exact), exact, "{text:?} exactly");
            assert_eq!(parse::<f64>(text.as_bytes(), Reading::Given), given, "{text:?} given");
        }
        assert_eq!(parse::<f64>(b"NaN", Reading::Exact), Err(Spelling));
        assert!(parse::<f64>(b"NaN", Reading::Given).is_ok_and(f64::is_nan));
    }

    #[test]
    fn negative_zero_keeps_its_sign() {
        assert!(parse::<f64>(b"-0.0", Reading::Exact).is_ok_and(f64::is_sign_negative));
    }

    #[test]
    fn single_precision_keeps_six_digits_and_refuses_its_overflow() {
        assert_eq!(parse::<f32>(b"123.456", Reading::Exact), Ok(123.456_f32));
        assert_eq!(parse::<f32>(b"16777217", Reading::Exact), Err(Precision));
        assert_eq!(parse::<f32>(b"16777217", Reading::Given), Ok(16777216.0));
        assert_eq!(parse::<f32>(b"1e39", Reading::Given), Err(Range));
    }

    proptest::proptest! {
        #[test]
        fn the_quick_way_agrees_with_the_standard_library(
            mantissa in 0_u64..1_000_000_000_000_000, power in -30_i32..30, point in 0_usize..5
        ) {
            let mut text = mantissa.to_string();
            if point < text.len() {
                let at = text.len() - point;
                text.insert(at, '.');
            }
            let text = format!("{text}e{power}");
            let expected: f64 = text.parse().unwrap();
            proptest::prop_assert_eq!(parse::<f64>(text.as_bytes(), Reading::Given), Ok(expected));
        }

        #[test]
        fn every_double_printed_as_shortly_as_it_can_be_survives(bits: u64) {
            let float = f64::from_bits(bits);
            proptest::prop_assume!(float.is_finite());
            for text in [format!("{float:e}"), format!("{float}")] {
                proptest::prop_assert_eq!(parse::<f64>(text.as_bytes(), Reading::Exact), Ok(float));
            }
        }
    }
}
