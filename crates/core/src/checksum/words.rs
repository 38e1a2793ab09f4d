//! What a checksum makes of single values: numbers, decimals, bytes.
//!
//! Each is a few instructions without a branch that data decides, since
//! millions of values are added up each second. What comes out is not yet
//! stirred well enough to stand alone: the values of a row are added up, and
//! the sum is [`mixed`]. Not here: which values there are, and what a row is.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64_with_seed;

const ROW_SEED: u64 = 0x51_7c_c1_b7_27_22_0a_95;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The sum of a row, stirred: the folded product of twice 64 bits.
pub(super) fn mixed(word: u64) -> u64 {
    let folded = folded(word ^ ROW_SEED, MULTIPLIER);
    folded.wrapping_mul(MULTIPLIER) ^ (folded >> 32)
}

fn folded(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product as u64) ^ (product >> 64) as u64
}

/// A number under the key of its column: the product of its halves, which
/// processors have for several numbers at once, and the halves crossed, so
/// that neither is lost where the other is nothing.
#[inline(always)]
pub(super) fn stirred(word: u64, key: u64) -> u64 {
    let keyed = word ^ key;
    let product = (keyed & u64::from(u32::MAX)).wrapping_mul(keyed >> 32);
    product.wrapping_add(keyed.rotate_left(32))
}

/// A prime of the form that a product is easily reduced by.
const MODULUS: u64 = (1 << 61) - 1;
/// What is a tenth of one, modulo [`MODULUS`].
const TENTH: u64 = power(10, MODULUS - 2);

/// Decimals of one scale as one number for every way to write them. Modulo a
/// prime there is a number that is a tenth, so that 1.50 and 1.5 are the same
/// product of digits and tenths, and no zeros need to be taken off.
pub(super) struct Tenths {
    /// One unit of the scale.
    unit: u64,
    /// What 2 to the power of 63 such units are, to be taken off.
    bias: u64,
}

impl Tenths {
    pub(super) fn new(scale: i8) -> Self {
        let base = if scale < 0 { 10 } else { TENTH };
        let unit = power(base, u64::from(scale.unsigned_abs()));
        Self { unit, bias: product(1 << 63, unit) }
    }

    #[inline(always)]
    pub(super) fn of(&self, unscaled: i128) -> u64 {
        match i64::try_from(unscaled) {
            Ok(narrow) => {
                let biased = product(narrow as u64 ^ (1 << 63), self.unit);
                let difference = biased.wrapping_sub(self.bias);
                difference.wrapping_add(if biased < self.bias { MODULUS } else { 0 })
            }
            Err(_) => self.of_wide(unscaled),
        }
    }

    #[cold]
    fn of_wide(&self, unscaled: i128) -> u64 {
        product(unscaled.rem_euclid(i128::from(MODULUS)) as u64, self.unit)
    }
}

/// The product, of which one factor is below it, modulo [`MODULUS`].
const fn product(one: u64, other: u64) -> u64 {
    let product = (one as u128) * (other as u128);
    let upper = (product >> 61) as u64;
    let sum = (product as u64 & MODULUS) + (upper & MODULUS) + (upper >> 61);
    let sum = (sum & MODULUS) + (sum >> 61);
    if sum >= MODULUS { sum - MODULUS } else { sum }
}

const fn power(base: u64, mut exponent: u64) -> u64 {
    let (mut power, mut square) = (1, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = product(power, square);
        }
        square = product(square, square);
        exponent >>= 1;
    }
    power
}

/// Bytes that need no loop.
const FEW_BYTES: usize = 48;
const WORD_BYTES: usize = 8;
const KEYS: [u64; FEW_BYTES / WORD_BYTES] = [
    0x243f_6a88_85a3_08d3,
    0x1319_8a2e_0370_7344,
    0xa409_3822_299f_31d0,
    0x082e_fa98_ec4e_6c89,
    0x4528_21e6_38d0_1377,
    0xbe54_66cf_34e9_0c6c,
];

/// A part of `data` under the key of its column; what is not in it is empty.
#[inline(always)]
pub(super) fn bytes(data: &[u8], part: Range<usize>, key: u64) -> u64 {
    let length = part.len();
    let rest = data.get(part.start..).unwrap_or_default();
    if length > FEW_BYTES {
        return xxh3_64_with_seed(rest.get(..length).unwrap_or(rest), key);
    }
    match rest.first_chunk::<FEW_BYTES>() {
        Some(window) => few(window, length, key),
        None => at_the_end(rest, length, key),
    }
}

/// The last values, behind which nothing stands.
#[cold]
fn at_the_end(rest: &[u8], length: usize, key: u64) -> u64 {
    let mut window = [0; FEW_BYTES];
    let length = length.min(rest.len());
    window[..length].copy_from_slice(&rest[..length]);
    few(&window, length, key)
}

/// The first bytes of a window, whatever stands behind them.
#[inline(always)]
fn few(window: &[u8; FEW_BYTES], length: usize, key: u64) -> u64 {
    let pair = |first: usize| {
        folded(
            word(window, first, length) ^ key ^ KEYS[first],
            word(window, first + 1, length) ^ key.rotate_left(32) ^ KEYS[first + 1],
        )
    };
    let sum = pair(0).wrapping_add((length as u64).wrapping_mul(MULTIPLIER));
    if length <= 2 * WORD_BYTES {
        return sum;
    }
    sum.wrapping_add(pair(2)).wrapping_add(pair(4))
}

/// A word of the window, without what is behind so many bytes.
#[inline(always)]
fn word(window: &[u8; FEW_BYTES], nth: usize, length: usize) -> u64 {
    let mut bytes = [0; WORD_BYTES];
    bytes.copy_from_slice(&window[nth * WORD_BYTES..(nth + 1) * WORD_BYTES]);
    u64::from_le_bytes(bytes) & MASKS[(length + FEW_BYTES - nth * WORD_BYTES) % MASKS.len()]
}

/// Masks of words by how many bytes of them count; [`FEW_BYTES`] stands for
/// none.
static MASKS: [u64; 128] = masks();

const fn masks() -> [u64; 128] {
    let mut masks = [0; 128];
    let mut at = FEW_BYTES + 1;
    while at < masks.len() {
        let bytes = at - FEW_BYTES;
        masks[at] = if bytes < WORD_BYTES { (1 << (8 * bytes)) - 1 } else { u64::MAX };
        at += 1;
    }
    masks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_count_wherever_they_stand(
            value in prop::collection::vec(any::<u8>(), 0..80),
            before in prop::collection::vec(any::<u8>(), 0..20),
            behind in prop::collection::vec(any::<u8>(), 0..80),
            key in any::<u64>(),
        ) {
            let all = [before.as_slice(), &value, &behind].concat();
            let part = before.len()..before.len() + value.len();
            prop_assert_eq!(bytes(&all, part, key), bytes(&value, 0..value.len(), key));
        }

        #[test]
        fn bytes_that_differ_differ(
            value in prop::collection::vec(any::<u8>(), 1..80),
            at in any::<prop::sample::Index>(),
            bit in 0_u8..8,
            key in any::<u64>(),
        ) {
            let before = bytes(&value, 0..value.len(), key);
            let mut other = value.clone();
            other[at.index(value.len())] ^= 1 << bit;
            prop_assert_ne!(bytes(&other, 0..other.len(), key), before);
            let longer = [value.as_slice(), &[0]].concat();
            prop_assert_ne!(bytes(&longer, 0..longer.len(), key), before);
        }

        #[test]
        fn numbers_that_differ_differ(one in any::<u64>(), other in any::<u64>(), key in any::<u64>()) {
            prop_assert_eq!(stirred(one, key) == stirred(other, key), one == other);
            let (one, other) = (one % 1000, other % 1000);
            prop_assert_eq!(stirred(one, key) == stirred(other, key), one == other);
        }

        #[test]
        fn a_decimal_is_the_same_however_it_is_written(
            value in -(10i128.pow(30))..10i128.pow(30),
            shift in 0_u32..30,
            scale in 0_i8..30,
            zeros in 0_i8..8,
        ) {
            let value = value / 10i128.pow(shift);
            let expected = Tenths::new(scale).of(value);
            let longer = value * 10i128.pow(zeros as u32);
            prop_assert_eq!(Tenths::new(scale + zeros).of(longer), expected);
            prop_assert_ne!(Tenths::new(scale).of(value + 1), expected);
            prop_assert_ne!(Tenths::new(scale + 1).of(value), expected + u64::from(value == 0));
        }
    }
}
