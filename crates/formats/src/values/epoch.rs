//! Time as a number since 1970-01-01T00:00:00Z.

use decant_core::value_format::EpochUnit;

use super::{Fit, Misfit, Reading, calendar, decimal};

/// Digits of a decimal that are counted besides those of the scale.
const PRECISION: u8 = 38;

/// Reads a number of units as microseconds; what is finer must be zero.
pub(super) fn parse(value: &[u8], unit: EpochUnit) -> Fit<i64> {
    let number = decimal::parse(value, Reading::Given)?;
    let scale = microsecond_digits(unit);
    let microseconds = number.at_scale(scale, PRECISION).ok_or({
        if i16::from(number.scale) > i16::from(scale) { Misfit::Precision } else { Misfit::Range }
    })?;
    calendar::in_range(i64::try_from(microseconds).map_err(|_| Misfit::Range)?)
}

/// How many decimal places of the unit a microsecond is.
fn microsecond_digits(unit: EpochUnit) -> i8 {
    match unit {
        EpochUnit::Seconds => 6,
        EpochUnit::Milliseconds => 3,
        EpochUnit::Microseconds => 0,
        EpochUnit::Nanoseconds => -3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use EpochUnit::*;
    use Misfit::{Precision, Range, Spelling};

    #[test]
    fn units_are_counted_exactly() {
        for (text, unit, expected) in [
            ("0", Seconds, Ok(0)),
            ("1706659200", Seconds, Ok(1_706_659_200_000_000)),
            ("1706659200.123456", Seconds, Ok(1_706_659_200_123_456)),
            ("1.7066592e9", Seconds, Ok(1_706_659_200_000_000)),
            ("-1.5", Seconds, Ok(-1_500_000)),
            ("1706659200123", Milliseconds, Ok(1_706_659_200_123_000)),
            ("1706659200123.5", Milliseconds, Ok(1_706_659_200_123_500)),
            ("1706659200123456", Microseconds, Ok(1_706_659_200_123_456)),
            ("1706659200123456000", Nanoseconds, Ok(1_706_659_200_123_456)),
            ("1706659200123456789", Nanoseconds, Err(Precision)),
            ("0.0000001", Seconds, Err(Precision)),
            ("1706659200123456", Seconds, Err(Range)),
            ("-62135596800", Seconds, Ok(-62_135_596_800_000_000)),
            ("-62135596801", Seconds, Err(Range)),
            ("1e30", Seconds, Err(Range)),
            ("2024-01-31", Seconds, Err(Spelling)),
            ("", Seconds, Err(Spelling)),
        ] {
            assert_eq!(parse(text.as_bytes(), unit), expected, "{text} in {unit:?}");
        }
    }
}
