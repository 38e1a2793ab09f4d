//! The plain spellings of values, eight bytes at a time: what almost every
//! value of a file looks like, such as `42`, `-12.50` and `2024-02-29`.
//!
//! A value is given as the text around it and where it stands there, since
//! the bytes before it are read along and dropped. What is not plain, or is
//! plain and means nothing (`2024-02-30`), has no answer here and is for the
//! type's parser, which also says why.
//!
//! Invariant: an answer is the one that the type's parser gives, in either
//! reading.

use std::marker::PhantomData;

use decant_core::schema::DecimalBounds;

use super::calendar::{
    MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND, civil_day_in_century, in_range, offset,
};
use super::decimal::Unscaled;

/// Digits that are read together.
const WORD_BYTES: usize = 8;
/// Digits of the longest number that is plain.
const DIGITS_MAX: usize = 2 * WORD_BYTES;
const WORD_POWER: i64 = 100_000_000;
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x80 * ONES;
const ZEROS: u64 = b'0' as u64 * ONES;
const DATE_BYTES: usize = "YYYY-MM-DD".len();
const CLOCK_BYTES: usize = "HH:MM:SS".len();
const OFFSET_BYTES: usize = "+HH:MM".len();
/// Digits of which every number is a double.
const DOUBLE_MAX: u64 = 1_000_000_000_000_000;
const DOUBLE_POWERS: [f64; WORD_BYTES] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7];
const FRACTION_DIGITS: usize = 6;
const FRACTION_POWERS: [i64; FRACTION_DIGITS + 1] = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

/// The plain values of one type.
pub(crate) trait Plain {
    /// What a value becomes.
    type Value;

    /// Reads what stands at `start..end` of `text`, if it is plain.
    fn read(&self, text: &[u8], start: usize, end: usize) -> Option<Self::Value>;
}

macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident: $value:ty = $read:path;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name;

        impl Plain for $name {
            type Value = $value;

            #[inline(always)]
            fn read(&self, text: &[u8], start: usize, end: usize) -> Option<$value> {
                $read(text, start, end)
            }
        }
    )*};
}

plain! {
    /// Integers of 16 bits.
    Int16: i16 = narrow_integer;
    /// Integers of 32 bits.
    Int32: i32 = narrow_integer;
    /// Integers of 64 bits.
    Int64: i64 = integer;
    /// Doubles.
    Float64: f64 = double;
    /// Decimals as they are written.
    Decimals: Decimal = decimal;
    /// Days since 1970-01-01.
    Dates: i32 = date;
    /// Microseconds since midnight.
    Times: i64 = time;
    /// Microseconds since 1970-01-01.
    Timestamps: i64 = timestamp;
    /// Microseconds since 1970-01-01 UTC.
    Moments: i64 = moment;
    /// Truth values.
    Booleans: bool = boolean;
}

/// Mantissas of a decimal type with bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounded(pub(crate) DecimalBounds);

impl Plain for Bounded {
    type Value = i128;

    #[inline(always)]
    fn read(&self, text: &[u8], start: usize, end: usize) -> Option<i128> {
        bounded(text, start, end, self.0)
    }
}

/// Values of which none is plain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Never<T>(PhantomData<T>);

impl<T> Never<T> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Plain for Never<T> {
    type Value = T;

    #[inline(always)]
    fn read(&self, _: &[u8], _: usize, _: usize) -> Option<T> {
        None
    }
}

/// A decimal as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decimal {
    /// All digits that are written.
    pub(crate) mantissa: i64,
    /// How many of them stand behind the point.
    pub(crate) written: u8,
    /// How many of these are needed: zeros at the end are not.
    pub(crate) scale: u8,
}

/// Powers of ten that fit 64 bits.
const POWERS: [i64; 19] = {
    let mut powers = [1; 19];
    let mut exponent = 1;
    while exponent < 19 {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};
/// What the powers of five are to be multiplied by to give 1, modulo 2^64.
const INVERSES: [i64; 19] = {
    const OF_FIVE: i64 = 0xcccc_cccc_cccc_cccd_u64 as i64;
    let mut inverses = [1; 19];
    let mut exponent = 1;
    while exponent < 19 {
        inverses[exponent] = OF_FIVE.wrapping_mul(inverses[exponent - 1]);
        exponent += 1;
    }
    inverses
};
/// Digits behind a point that any decimal here has at most.
const SCALE_MAX: u8 = 18;
/// What the mantissa of any decimal here is below.
const MANTISSA_MAX: u128 = 10_000_000_000_000_000;

impl Decimal {
    /// The same value; `None` for one that has too many digits to be here.
    pub(crate) fn of(value: Unscaled) -> Option<Self> {
        let Unscaled { mantissa, scale } = value;
        let fits = mantissa.unsigned_abs() < MANTISSA_MAX && scale <= SCALE_MAX;
        fits.then_some(Self { mantissa: mantissa as i64, written: scale, scale })
    }

    /// The mantissa under a scale that is not below this one's, nor beyond 18.
    #[inline(always)]
    pub(crate) fn at_scale(self, scale: u8) -> i128 {
        let missing = usize::from(scale.wrapping_sub(self.written));
        if let Some(power) = POWERS.get(missing) {
            return i128::from(self.mantissa) * i128::from(*power);
        }
        // A division without a remainder is a multiplication by the inverse.
        let zeros = usize::from(self.written.wrapping_sub(scale)).min(POWERS.len() - 1);
        i128::from((self.mantissa >> zeros).wrapping_mul(INVERSES[zeros]))
    }
}

/// Reads an integer of at most 16 digits.
#[inline(always)]
fn integer(text: &[u8], start: usize, end: usize) -> Option<i64> {
    let (negative, start) = sign(text, start)?;
    let magnitude = digits(text, start, end)?;
    Some(if negative { -magnitude } else { magnitude })
}

#[inline(always)]
fn narrow_integer<T: TryFrom<i64>>(text: &[u8], start: usize, end: usize) -> Option<T> {
    T::try_from(integer(text, start, end)?).ok()
}

/// Reads a decimal of at most 8 digits before and 7 behind its point, or an
/// integer.
#[inline(always)]
fn decimal(text: &[u8], start: usize, end: usize) -> Option<Decimal> {
    let (negative, start) = sign(text, start)?;
    let (magnitude, written, scale) = match pointed(text, start, end)? {
        Some(pointed) => pointed,
        None => (digits(text, start, end)?, 0, 0),
    };
    Some(Decimal { mantissa: if negative { -magnitude } else { magnitude }, written, scale })
}

/// Reads a decimal as the mantissa of a type with bounds.
#[inline(always)]
fn bounded(text: &[u8], start: usize, end: usize, bounds: DecimalBounds) -> Option<i128> {
    let decimal = decimal(text, start, end)?;
    let scale = u8::try_from(bounds.scale).ok().filter(|scale| *scale <= SCALE_MAX)?;
    let mantissa = (decimal.scale <= scale).then(|| decimal.at_scale(scale))?;
    let fits = match POWERS.get(usize::from(bounds.precision)) {
        Some(limit) => mantissa.unsigned_abs() < u128::from(limit.unsigned_abs()),
        None => mantissa.unsigned_abs() < MANTISSA_MAX * 100,
    };
    fits.then_some(mantissa)
}

/// Reads a double of at most 15 digits. Both its digits and the power of ten
/// are doubles, so that the division rounds once, as it must.
#[inline(always)]
fn double(text: &[u8], start: usize, end: usize) -> Option<f64> {
    let Decimal { mantissa, written, .. } = decimal(text, start, end)?;
    let is_negative_zero = mantissa == 0 && text.get(start) == Some(&b'-');
    if mantissa.unsigned_abs() >= DOUBLE_MAX || is_negative_zero {
        return None;
    }
    Some(mantissa as f64 / DOUBLE_POWERS.get(usize::from(written))?)
}

/// Reads a date, in days since 1970-01-01.
#[inline(always)]
fn date(text: &[u8], start: usize, end: usize) -> Option<i32> {
    if end.wrapping_sub(start) != DATE_BYTES {
        return None;
    }
    day(text, start)
}

/// Reads a time of day with seconds, in microseconds since midnight.
#[inline(always)]
fn time(text: &[u8], start: usize, end: usize) -> Option<i64> {
    let seconds_end = start.wrapping_add(CLOCK_BYTES);
    let clock = i64::from(clock(text, start)?) * MICROSECONDS_PER_SECOND;
    match end.wrapping_sub(seconds_end) {
        0 => Some(clock),
        2..=7 if text.get(seconds_end) == Some(&b'.') => {
            let count = end - seconds_end - 1;
            let fraction = word_before(text, end, count)?;
            are_digits(fraction).then_some(())?;
            Some(clock + number(fraction) * FRACTION_POWERS.get(count)?)
        }
        _ => None,
    }
}

/// Reads a timestamp with seconds, or a date as its midnight, in microseconds
/// since 1970-01-01.
#[inline(always)]
fn timestamp(text: &[u8], start: usize, end: usize) -> Option<i64> {
    let day = |start| Some(i64::from(day(text, start)?) * MICROSECONDS_PER_DAY);
    let separator = start.wrapping_add(DATE_BYTES);
    match end.wrapping_sub(start) {
        DATE_BYTES => day(start),
        0..DATE_BYTES => None,
        _ if matches!(text.get(separator)?, b' ' | b'T') => {
            Some(day(start)? + time(text, separator + 1, end)?)
        }
        _ => None,
    }
}

/// Reads a timestamp with `Z` or an offset like `+02:00`, in microseconds
/// since 1970-01-01 UTC.
#[inline(always)]
fn moment(text: &[u8], start: usize, end: usize) -> Option<i64> {
    let (zone, seconds) = match text.get(end.wrapping_sub(1))? {
        b'Z' => (end - 1, 0),
        _ => {
            let zone = end.checked_sub(OFFSET_BYTES)?;
            (zone, offset(text.get(zone..end).filter(|it| it[0] != b' ')?).ok()?)
        }
    };
    if zone.wrapping_sub(start) == DATE_BYTES {
        return None;
    }
    in_range(timestamp(text, start, zone)? - seconds).ok()
}

/// Reads `true` or `false`.
#[inline(always)]
fn boolean(text: &[u8], start: usize, end: usize) -> Option<bool> {
    match text.get(start..end)? {
        b"true" | b"True" | b"TRUE" => Some(true),
        b"false" | b"False" | b"FALSE" => Some(false),
        _ => None,
    }
}

#[inline(always)]
fn sign(text: &[u8], start: usize) -> Option<(bool, usize)> {
    let negative = *text.get(start)? == b'-';
    Some((negative, start + usize::from(negative)))
}

/// A number of nothing but digits, without zeros before them.
#[inline(always)]
fn digits(text: &[u8], start: usize, end: usize) -> Option<i64> {
    let count = end.wrapping_sub(start);
    if count.wrapping_sub(1) >= DIGITS_MAX || (count > 1 && *text.get(start)? == b'0') {
        return None;
    }
    let last = word_before(text, end, count.min(WORD_BYTES))?;
    if count <= WORD_BYTES {
        return are_digits(last).then(|| number(last));
    }
    let first = word_before(text, end - WORD_BYTES, count - WORD_BYTES)?;
    (are_digits(first) && are_digits(last)).then(|| number(first) * WORD_POWER + number(last))
}

/// All digits of a number with a point, how many are behind it, and how many
/// of these are needed; `Some(None)` when there is no point near the end.
#[inline(always)]
fn pointed(text: &[u8], start: usize, end: usize) -> Option<Option<(i64, u8, u8)>> {
    let word = word_at(text, end.wrapping_sub(WORD_BYTES))?;
    let points = zero_bytes(word ^ (b'.' as u64 * ONES));
    // The last point, as bytes behind it.
    let behind = (points.leading_zeros() / 8) as usize;
    let point = end.wrapping_sub(behind + 1);
    if points == 0 || point < start {
        return Some(None);
    }
    let count = point - start;
    if behind == 0 || count.wrapping_sub(1) >= WORD_BYTES {
        return None;
    }
    let integer = word_before(text, point, count)?;
    let fraction = (word ^ ZEROS) & (u64::MAX << (64 - 8 * behind));
    if !are_digits(integer) || !are_digits(fraction) || (count > 1 && text[start] == b'0') {
        return None;
    }
    let low = number(integer >> (8 * behind) | fraction);
    let magnitude = match count + behind > WORD_BYTES {
        true => number(integer << (64 - 8 * behind)) * WORD_POWER + low,
        false => low,
    };
    let zeros = (fraction.leading_zeros() / 8) as usize;
    Some(Some((magnitude, behind as u8, behind.saturating_sub(zeros) as u8)))
}

/// The eight bytes at `start`, the first one lowest.
#[inline(always)]
fn word_at(text: &[u8], start: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*text.get(start..)?.first_chunk()?))
}

/// The values of the `count` digits that end at `end`, 1 to 8 of them, with
/// zeros before them.
#[inline(always)]
fn word_before(text: &[u8], end: usize, count: usize) -> Option<u64> {
    let word = word_at(text, end.wrapping_sub(WORD_BYTES))? ^ ZEROS;
    Some(word & u64::MAX.wrapping_shl(64 - 8 * count as u32))
}

/// Whether no byte is beyond 9.
#[inline(always)]
fn are_digits(word: u64) -> bool {
    const BEYOND: u64 = (0x80 - 10) * ONES;
    (word.wrapping_add(BEYOND) | word) & HIGH_BITS == 0
}

/// The highest bit of each byte that is zero.
#[inline(always)]
fn zero_bytes(word: u64) -> u64 {
    const LOW_BITS: u64 = 0x7f * ONES;
    !(((word & LOW_BITS) + LOW_BITS) | word) & HIGH_BITS
}

/// The number of eight digits, the first one lowest: pairs, fours and both
/// halves are joined by one multiplication each.
#[inline(always)]
fn number(word: u64) -> i64 {
    const EVERY_FOURTH: u64 = 0x0000_00ff_0000_00ff;
    const FIRST: u64 = 100 + (1_000_000 << 32);
    const SECOND: u64 = 1 + (10_000 << 32);
    let pairs = pairs(word);
    let first = (pairs & EVERY_FOURTH).wrapping_mul(FIRST);
    let second = (pairs >> 16 & EVERY_FOURTH).wrapping_mul(SECOND);
    (first.wrapping_add(second) >> 32) as i64
}

/// Numbers of two digits in bytes 0, 2, 4 and 6.
#[inline(always)]
fn pairs(word: u64) -> u64 {
    word.wrapping_mul(10).wrapping_add(word >> 8)
}

#[inline(always)]
fn pair(pairs: u64, byte: u32) -> u32 {
    (pairs >> (8 * byte)) as u32 & 0xff
}

#[inline(always)]
fn day(text: &[u8], start: usize) -> Option<i32> {
    const HYPHENS: u64 = (b'-' as u64) << 32 | (b'-' as u64) << 56;
    const OF_HYPHENS: u64 = 0xff00_00ff_0000_0000;
    let bytes: &[u8; DATE_BYTES] = text.get(start..)?.first_chunk()?;
    let word = word_at(bytes, 0)?;
    let ending = u64::from(bytes[8]) | u64::from(bytes[9]) << 8;
    let digits = word & 0xffff_ffff | word >> 8 & 0xffff_0000_0000 | ending << 48;
    let digits = digits ^ ZEROS;
    if word & OF_HYPHENS != HYPHENS || !are_digits(digits) {
        return None;
    }
    let pairs = pairs(digits);
    civil_day_in_century(pair(pairs, 0), pair(pairs, 2), pair(pairs, 4), pair(pairs, 6))
}

/// The seconds of `HH:MM:SS`.
#[inline(always)]
fn clock(text: &[u8], start: usize) -> Option<u32> {
    const COLONS: u64 = (b':' as u64) << 16 | (b':' as u64) << 40;
    const OF_COLONS: u64 = 0x0000_ff00_00ff_0000;
    let word = word_at(text, start)?;
    let digits = (word & 0xffff) | (word >> 8 & 0xffff_0000) | (word >> 16 & 0xffff_0000_0000);
    let digits = digits ^ (ZEROS >> 16);
    if word & OF_COLONS != COLONS || !are_digits(digits) {
        return None;
    }
    let pairs = pairs(digits);
    let (hour, minute, second) = (pair(pairs, 0), pair(pairs, 2), pair(pairs, 4));
    (hour < 24 && minute < 60 && second < 60).then(|| (hour * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests;
