//! The wire form of `numeric`: digits of base 10,000.
//!
//! As `numeric_send` in Postgres' `numeric.c` writes it: the number of digits,
//! the weight of the first (0 is the units), the sign, the digits behind the
//! point that are shown, then the digits. Exact: no rounding, and zeros at the
//! end are not shown, so that a value looks the same whatever scale its batch
//! had.

use bytes::{BufMut, BytesMut};

const BASE: u64 = 10_000;
const BASE_DIGITS: u32 = 4;
/// Decimal digits that 64 bits always hold.
const U64_DIGITS: u32 = 19;
const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const HEADER_BYTES: usize = 8;
const LENGTH_BYTES: usize = 4;
/// Ten before the point and ten behind it hold 38 digits, wherever the point.
const DIGITS_MAX: usize = 20;

/// Writes `value / 10^scale` with its length before it. `scale` is 0 to 38.
pub(crate) fn write(buffer: &mut BytesMut, value: i128, scale: u32) {
    let mut digits = Digits { values: [0; DIGITS_MAX], first: DIGITS_MAX / 2, end: DIGITS_MAX / 2 };
    let (magnitude, scale) = without_trailing_zeros(value.unsigned_abs(), scale);
    digits.take(magnitude, scale);
    digits.write(buffer, if value < 0 { NEGATIVE } else { POSITIVE }, scale);
}

fn without_trailing_zeros(mut magnitude: u128, mut scale: u32) -> (u128, u32) {
    while scale > 0 && magnitude.is_multiple_of(10) {
        magnitude /= 10;
        scale -= 1;
    }
    (magnitude, scale)
}

/// What stands before and behind the point, in 64 bits where they suffice.
fn split_at_point(magnitude: u128, scale: u32) -> (u128, u128) {
    match u64::try_from(magnitude) {
        Ok(magnitude) if scale <= U64_DIGITS => {
            let unit = 10u64.pow(scale);
            ((magnitude / unit).into(), (magnitude % unit).into())
        }
        _ => {
            let unit = 10u128.pow(scale);
            (magnitude / unit, magnitude % unit)
        }
    }
}

/// Digits around a fixed point in the middle of the array.
struct Digits {
    values: [u16; DIGITS_MAX],
    first: usize,
    end: usize,
}

impl Digits {
    fn take(&mut self, magnitude: u128, scale: u32) {
        let (whole, fraction) = split_at_point(magnitude, scale);
        self.take_whole(whole);
        self.take_fraction(fraction, scale);
    }

    fn take_whole(&mut self, mut whole: u128) {
        while whole > u128::from(u64::MAX) {
            self.push_front((whole % u128::from(BASE)) as u16);
            whole /= u128::from(BASE);
        }
        let mut whole = whole as u64;
        while whole > 0 {
            self.push_front((whole % BASE) as u16);
            whole /= BASE;
        }
    }

    fn take_fraction(&mut self, mut fraction: u128, mut left: u32) {
        while left > U64_DIGITS {
            left -= BASE_DIGITS;
            self.push_back((fraction / 10u128.pow(left)) as u16);
            fraction %= 10u128.pow(left);
        }
        let mut fraction = fraction as u64;
        while fraction > 0 && left >= BASE_DIGITS {
            left -= BASE_DIGITS;
            self.push_back((fraction / 10u64.pow(left)) as u16);
            fraction %= 10u64.pow(left);
        }
        if fraction > 0 {
            self.push_back((fraction * 10u64.pow(BASE_DIGITS - left)) as u16);
        }
    }

    fn push_front(&mut self, digit: u16) {
        self.first -= 1;
        self.values[self.first] = digit;
    }

    fn push_back(&mut self, digit: u16) {
        self.values[self.end] = digit;
        self.end += 1;
    }

    /// Zeros at either end are not written: the weight stands for those
    /// before the first digit.
    fn write(&self, buffer: &mut BytesMut, sign: u16, scale: u32) {
        let digits = &self.values[self.first..self.end];
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        let digits = &digits[leading..];
        let trailing = digits.iter().rev().take_while(|digit| **digit == 0).count();
        let digits = &digits[..digits.len() - trailing];
        let point = (DIGITS_MAX / 2) as i16;
        let weight = if digits.is_empty() { 0 } else { point - 1 - (self.first + leading) as i16 };
        buffer.put_i32((HEADER_BYTES + 2 * digits.len()) as i32);
        buffer.put_u16(digits.len() as u16);
        buffer.put_i16(weight);
        buffer.put_u16(if digits.is_empty() { POSITIVE } else { sign });
        buffer.put_u16(scale as u16);
        for digit in digits {
            buffer.put_u16(*digit);
        }
    }
}

/// The wire forms of some decimals, each in a slot of its own: usual ones are
/// put together in registers, others by [`write`].
#[derive(Debug, Default)]
pub(crate) struct Numerics {
    slots: Vec<[u8; SLOT_BYTES]>,
    /// Bytes of each; where they are more than a slot has, it says which of
    /// the long ones it is.
    lengths: Vec<u32>,
    long: Vec<BytesMut>,
}

/// Length, header and up to six digits.
const SLOT_BYTES: usize = 24;
/// Three digits of base 10,000 hold what is less.
const WHOLE_MAX: u64 = BASE * BASE * BASE;

impl Numerics {
    /// Encodes decimals of one scale, and forgets those before.
    pub(crate) fn encode(&mut self, values: &[i128], scale: u32) {
        self.slots.resize(values.len(), [0; SLOT_BYTES]);
        self.lengths.resize(values.len(), 0);
        self.long.clear();
        match scale {
            0 => self.encode_all::<1>(values, scale),
            1 => self.encode_all::<10>(values, scale),
            2 => self.encode_all::<100>(values, scale),
            3 => self.encode_all::<1_000>(values, scale),
            4 => self.encode_all::<10_000>(values, scale),
            _ => self.encode_all::<0>(values, scale),
        }
    }

    /// Bytes of each value, with its length before it.
    pub(crate) fn lengths(&self) -> &[u32] {
        &self.lengths
    }

    /// Writes a value with its length before it at `place`. What stands behind
    /// it may be overwritten, as far as a slot is long.
    #[inline]
    pub(crate) fn put(&self, at: usize, place: usize, output: &mut [u8]) {
        let (slot, length) = (&self.slots[at], self.lengths[at] as usize);
        let room = output.get_mut(place..).and_then(<[u8]>::first_chunk_mut::<SLOT_BYTES>);
        match room {
            Some(room) if length <= SLOT_BYTES => *room = *slot,
            _ => self.put_exactly(at, &mut output[place..place + length]),
        }
    }

    #[cold]
    fn put_exactly(&self, at: usize, output: &mut [u8]) {
        let slot = &self.slots[at];
        match slot.get(..output.len()) {
            Some(bytes) => output.copy_from_slice(bytes),
            None => output.copy_from_slice(self.long_one(slot)),
        }
    }

    /// `UNIT` is 10 to the power of the scale, or 0 where that is no usual
    /// one.
    fn encode_all<const UNIT: u64>(&mut self, values: &[i128], scale: u32) {
        let Self { slots, lengths, long } = self;
        for ((value, slot), length) in values.iter().zip(slots).zip(lengths) {
            *length = match i64::try_from(*value) {
                Ok(value) if UNIT > 0 && value.unsigned_abs() / UNIT.max(1) < WHOLE_MAX => {
                    usual::<UNIT>(value, slot)
                }
                _ => any(*value, scale, slot, long),
            };
        }
    }

    fn long_one(&self, slot: &[u8; SLOT_BYTES]) -> &[u8] {
        let mut index = [0; 8];
        index.copy_from_slice(&slot[..8]);
        self.long.get(u64::from_le_bytes(index) as usize).map_or(&[], |bytes| bytes)
    }
}

/// Writes any value into its slot, or that it is the last of the long ones.
fn any(value: i128, scale: u32, slot: &mut [u8; SLOT_BYTES], long: &mut Vec<BytesMut>) -> u32 {
    let mut bytes = BytesMut::new();
    write(&mut bytes, value, scale);
    let length = bytes.len();
    match slot.get_mut(..length) {
        Some(room) => room.copy_from_slice(&bytes),
        None => {
            slot[..8].copy_from_slice(&(long.len() as u64).to_le_bytes());
            long.push(bytes);
        }
    }
    length as u32
}

/// Writes `value / UNIT`, whose whole part is less than [`WHOLE_MAX`], and
/// answers its bytes: its four digits stand side by side in 64 bits. No branch
/// depends on the value.
#[inline(always)]
fn usual<const UNIT: u64>(value: i64, slot: &mut [u8; SLOT_BYTES]) -> u32 {
    let magnitude = value.unsigned_abs();
    let (whole, fraction) = (magnitude / UNIT, magnitude % UNIT);
    let (upper, units) = (whole / BASE, whole % BASE);
    let behind = fraction * (BASE / UNIT);
    let digits = (upper / BASE) << 48 | (upper % BASE) << 32 | units << 16 | behind;
    // Nothing has the weight of the units and no digits: it is looked at as if
    // it had one.
    let nothing = u64::from(digits == 0);
    let looked_at = digits | nothing << 16;
    // One of the bits is set anyway, which says to the compiler that one is.
    let leading = (looked_at | 1).leading_zeros() / 16;
    let trailing = (looked_at | 1 << 63).trailing_zeros() / 16;
    let count = u64::from(4 - leading - trailing) - nothing;
    let weight = 2 - leading as i16;
    let sign = u64::from(if value < 0 { NEGATIVE } else { POSITIVE });
    let header =
        count << 48 | u64::from(weight as u16) << 32 | sign << 16 | shown::<UNIT>(fraction);
    let bytes = HEADER_BYTES as u32 + 2 * count as u32;
    slot[..4].copy_from_slice(&bytes.to_be_bytes());
    slot[4..12].copy_from_slice(&header.to_be_bytes());
    slot[12..20].copy_from_slice(&(digits << (16 * leading)).to_be_bytes());
    LENGTH_BYTES as u32 + bytes
}

/// Digits of `fraction / UNIT` behind the point, without zeros at the end.
#[inline(always)]
fn shown<const UNIT: u64>(fraction: u64) -> u64 {
    let mut shown = 0;
    let mut unit = 10;
    while unit <= UNIT {
        shown += u64::from(!fraction.is_multiple_of(unit));
        unit *= 10;
    }
    shown
}

#[cfg(test)]
mod tests {
    use bytes::Buf as _;
    use proptest::prelude::*;

    use super::*;

    /// Reads the wire form back, as text, by the rules in the module's words.
    fn read(mut wire: &[u8]) -> String {
        assert_eq!(wire.get_i32() as usize, wire.len());
        let count = wire.get_u16();
        let weight = i32::from(wire.get_i16());
        let sign = wire.get_u16();
        let shown = wire.get_u16() as usize;
        let digits: Vec<u16> = (0..count).map(|_| wire.get_u16()).collect();
        let at = |power: i32| {
            let index = weight - power;
            usize::try_from(index).ok().and_then(|index| digits.get(index)).copied().unwrap_or(0)
        };
        let whole: String =
            (0..=weight.max(0)).rev().map(|power| format!("{:04}", at(power))).collect();
        let fraction: String = (1..=10).map(|power| format!("{:04}", at(-power))).collect();
        assert!(fraction[shown..].bytes().all(|byte| byte == b'0'));
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let minus = if sign == NEGATIVE { "-" } else { "" };
        let point = if shown == 0 { "" } else { "." };
        format!("{minus}{whole}{point}{}", &fraction[..shown])
    }

    fn encoded(value: i128, scale: u32) -> String {
        let mut buffer = BytesMut::new();
        write(&mut buffer, value, scale);
        read(&buffer)
    }

    /// Long division by hand, on text.
    fn expected(value: i128, scale: u32) -> String {
        let scale = scale as usize;
        let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let fraction = fraction.trim_end_matches('0');
        let minus = if value < 0 { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{minus}{whole}{point}{fraction}")
    }

    #[test]
    fn extremes_are_exact() {
        let nines = 10i128.pow(38) - 1;
        for scale in 0..=38 {
            for value in [0, 1, -1, 9999, 10_000, 10_001, nines, -nines, i64::MAX.into(), 1 << 64] {
                assert_eq!(encoded(value, scale), expected(value, scale), "{value}e-{scale}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_value_is_exact(
            value in -(10i128.pow(38) - 1)..10i128.pow(38),
            shift in 0u32..38,
            scale in 0u32..=38,
        ) {
            let value = value / 10i128.pow(shift);
            prop_assert_eq!(encoded(value, scale), expected(value, scale));
        }

        #[test]
        fn batches_are_the_same_as_single_values(
            batches in prop::collection::vec(
                (0u32..=6, prop_oneof![Just(40i128), Just(5_000), Just(1 << 50), Just(1 << 90)]),
                1..6,
            ),
            step in 1i128..2000,
            length in 1usize..700,
        ) {
            let mut numerics = Numerics::default();
            for (scale, distinct) in batches {
                let value = |at: usize| (at as i128 * 7919 % distinct - distinct / 2) * step;
                let values: Vec<i128> = (0..length).map(value).collect();
                numerics.encode(&values, scale);
                for (at, value) in values.iter().enumerate() {
                    let mut alone = BytesMut::new();
                    write(&mut alone, *value, scale);
                    prop_assert_eq!(numerics.lengths()[at] as usize, alone.len());
                    let mut output = vec![0; alone.len()];
                    numerics.put(at, 0, &mut output);
                    prop_assert_eq!(&output[..], &alone[..], "{}e-{}", value, scale);
                }
            }
        }
    }
}
