//! Exact decimals of at most 38 digits.
//!
//! Nothing is ever rounded: a value with more digits behind the point than
//! the type has does not fit, zeros at the end aside. Exponents are read in
//! either reading, since `1.5e3` and `1500` are one value.

use decant_core::schema::DecimalBounds;

use super::number::Number;
use super::{Fit, Misfit, Reading};

/// Digits of the widest decimal.
pub const DIGITS_MAX: u32 = 38;

/// The value `mantissa` divided by ten to the power of `scale`, with as small
/// a scale as it can have. Integer digits and scale are 38 together at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unscaled {
    /// All digits.
    pub mantissa: i128,
    /// Digits behind the point, 0 to 38.
    pub scale: u8,
}

impl Unscaled {
    /// The mantissa under another scale; `None` when that loses digits or
    /// needs more than `precision` of them.
    pub fn at_scale(self, scale: i8, precision: u8) -> Option<i128> {
        let shift = i32::from(scale) - i32::from(self.scale);
        let power = power_of_ten(shift.unsigned_abs())?;
        let mantissa = match shift {
            0.. => self.mantissa.checked_mul(power)?,
            _ if self.mantissa % power == 0 => self.mantissa / power,
            _ => return None,
        };
        let limit = power_of_ten(u32::from(precision))?;
        (mantissa.unsigned_abs() < limit.unsigned_abs()).then_some(mantissa)
    }
}

/// Reads a decimal as it is.
pub fn parse(value: &[u8], reading: Reading) -> Fit<Unscaled> {
    let number = Number::lex(value, reading).ok_or(Misfit::Spelling)?;
    let significant = number.significant();
    let count = significant.count() as i64;
    if count == 0 {
        return Ok(Unscaled::default());
    }
    let scale = (count - significant.point).max(0);
    if significant.point.max(0) + scale > i64::from(DIGITS_MAX) {
        return Err(Misfit::Range);
    }
    let digits =
        significant.digits().fold(0, |sum: i128, digit| sum * 10 + i128::from(digit - b'0'));
    let zeros = (significant.point - count).max(0);
    let power = u32::try_from(zeros).ok().and_then(power_of_ten).ok_or(Misfit::Range)?;
    let magnitude = digits.checked_mul(power).ok_or(Misfit::Range)?;
    let mantissa = if number.negative { -magnitude } else { magnitude };
    Ok(Unscaled { mantissa, scale: u8::try_from(scale).map_err(|_| Misfit::Range)? })
}

/// Reads a decimal as the mantissa of a type with bounds.
pub fn parse_bounded(value: &[u8], bounds: DecimalBounds, reading: Reading) -> Fit<i128> {
    let unscaled = parse(value, reading)?;
    unscaled.at_scale(bounds.scale, bounds.precision).ok_or({
        if i16::from(unscaled.scale) > i16::from(bounds.scale) {
            Misfit::Precision
        } else {
            Misfit::Range
        }
    })
}

/// Ten to the power of at most 38.
pub(crate) fn power_of_ten(exponent: u32) -> Option<i128> {
    (exponent <= DIGITS_MAX).then(|| 10_i128.pow(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Misfit::{Precision, Range, Spelling};

    const NINES: &str = "99999999999999999999999999999999999999";

    #[test]
    fn the_scale_is_what_the_value_needs() {
        for (text, mantissa, scale) in [
            ("0", 0, 0),
            ("-0.00", 0, 0),
            ("12.50", 125, 1),
            ("-12.34", -1234, 2),
            ("1200", 1200, 0),
            ("1.5e3", 1500, 0),
            ("1.5e-3", 15, 4),
            (".5", 5, 1),
            (NINES, 10_i128.pow(38) - 1, 0),
            ("0.00000000000000000000000000000000000001", 1, 38),
        ] {
            let expected = Ok(Unscaled { mantissa, scale });
            assert_eq!(parse(text.as_bytes(), Reading::Exact), expected, "{text}");
        }
    }

    #[test]
    fn what_needs_more_than_38_digits_does_not_fit() {
        for text in ["100000000000000000000000000000000000000", "1e38", "1e-39", "1e400", "0e400x"]
        {
            assert!(parse(text.as_bytes(), Reading::Exact).is_err(), "{text}");
        }
        let mixed = format!("1.{NINES}");
        assert_eq!(parse(mixed.as_bytes(), Reading::Exact), Err(Range));
        assert_eq!(parse(b"007.5", Reading::Exact), Err(Spelling));
        assert_eq!(parse(b"NaN", Reading::Given), Err(Spelling));
    }

    #[test]
    fn bounds_are_never_met_by_rounding() {
        let bounds = |precision, scale| DecimalBounds { precision, scale };
        for (text, bounds, expected) in [
            ("12.5", bounds(12, 2), Ok(1250)),
            ("12.500", bounds(12, 2), Ok(1250)),
            ("12.505", bounds(12, 2), Err(Precision)),
            ("9999999999.99", bounds(12, 2), Ok(999999999999)),
            ("10000000000", bounds(12, 2), Err(Range)),
            ("-99", bounds(2, 0), Ok(-99)),
            ("100", bounds(2, 0), Err(Range)),
            ("1200", bounds(3, -2), Ok(12)),
            ("1250", bounds(3, -2), Err(Precision)),
            ("+007.5", bounds(4, 2), Ok(750)),
        ] {
            let read = parse_bounded(text.as_bytes(), bounds, Reading::Given);
            assert_eq!(read, expected, "{text} as {bounds:?}");
        }
    }
}
