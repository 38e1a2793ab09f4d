//! Bytes, 64 at a time: which of them are the ones that are looked for.
//!
//! Done by AVX2 where the machine has it, by SSE2 on every other x86-64, and
//! by ordinary arithmetic everywhere else. What the bytes mean is none of this
//! module's business.
//!
//! Other work that goes through many bytes is done here too, for the sake of
//! the same instructions.
//!
//! Invariant: all ways give the same masks.

/// Bytes of a group: one bit of a mask for each.
pub(super) const GROUP_BYTES: usize = 64;

/// Bytes that are looked at together.
pub(super) type Group = [u8; GROUP_BYTES];

/// What is done group by group.
pub(super) trait Scan {
    /// What comes out.
    type Found;

    /// Does it all. `find` has a bit for each byte of a group that is one of
    /// two bytes, the lowest for the first byte.
    ///
    /// To be inlined always, so that it is compiled for the machine's widest
    /// instructions.
    fn scan(self, find: impl Fn(&Group, u8, u8) -> u64) -> Self::Found;
}

/// The instructions that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lanes {
    #[cfg(target_arch = "x86_64")]
    Avx2(x86_64::HasAvx2),
    #[cfg(target_arch = "x86_64")]
    Sse2,
    #[cfg(any(test, not(target_arch = "x86_64")))]
    Portable,
}

impl Lanes {
    /// The best ones that this machine has.
    pub(super) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        return x86_64::HasAvx2::detect().map_or(Self::Sse2, Self::Avx2);
        #[cfg(not(target_arch = "x86_64"))]
        Self::Portable
    }

    /// All that this machine has.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        let mut all = vec![Self::Portable, Self::best()];
        #[cfg(target_arch = "x86_64")]
        all.push(Self::Sse2);
        all
    }

    /// Scans with these instructions.
    pub(super) fn scan<S: Scan>(self, scan: S) -> S::Found {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(has) => x86_64::with_avx2(has, scan),
            #[cfg(target_arch = "x86_64")]
            Self::Sse2 => x86_64::with_sse2(scan),
            #[cfg(any(test, not(target_arch = "x86_64")))]
            Self::Portable => scan.scan(portable::find),
        }
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    //! With eight bytes in a word.

    use super::Group;

    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    /// Gathers the lowest bits of eight bytes in the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;

    pub(super) fn find(group: &Group, one: u8, other: u8) -> u64 {
        let (words, _) = group.as_chunks::<8>();
        let masks = words.iter().enumerate().map(|(number, word)| {
            let word = u64::from_le_bytes(*word);
            let is = |byte: u8| zeros(word ^ (ONES * u64::from(byte)));
            ((is(one) | is(other)).wrapping_mul(GATHER) >> 56) << (8 * number)
        });
        masks.fold(0, |all, mask| all | mask)
    }

    /// The lowest bit of each byte that is zero.
    fn zeros(word: u64) -> u64 {
        !(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS) >> 7
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    //! The same with the vector instructions of x86-64.
    //!
    //! Unsafe is the call into code that was compiled for instructions that
    //! not every machine has, and nothing else. Measured on whole files, in MB
    //! a second of CPU on one machine: lineitem 610 without, 730 with SSE2, 770
    //! with AVX2; text in quotes 560, 1,200 and 1,290.

    use std::arch::x86_64::{
        __m128i, __m256i, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x,
        _mm256_set1_epi8,
    };

    use super::{Group, Scan};

    /// Proof that the machine has what [`with_avx2`] is compiled for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(in super::super) struct HasAvx2(());

    impl HasAvx2 {
        pub(super) fn detect() -> Option<Self> {
            let has = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt");
            has.then_some(Self(()))
        }
    }

    #[allow(unsafe_code, reason = "calls what is compiled for AVX2")]
    pub(super) fn with_avx2<S: Scan>(_: HasAvx2, scan: S) -> S::Found {
        // SAFETY: `HasAvx2` exists only where the machine has these features.
        unsafe { scan_avx2(scan) }
    }

    #[allow(unsafe_code, reason = "calls what is compiled for SSE2")]
    pub(super) fn with_sse2<S: Scan>(scan: S) -> S::Found {
        // SAFETY: every x86-64 has SSE2.
        unsafe { scan_sse2(scan) }
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn scan_avx2<S: Scan>(scan: S) -> S::Found {
        scan.scan(|group, one, other| find_avx2(group, one, other))
    }

    #[target_feature(enable = "sse2")]
    fn scan_sse2<S: Scan>(scan: S) -> S::Found {
        scan.scan(|group, one, other| find_sse2(group, one, other))
    }

    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn find_avx2(group: &Group, one: u8, other: u8) -> u64 {
        let (one, other) = (_mm256_set1_epi8(one as i8), _mm256_set1_epi8(other as i8));
        let (words, _) = group.as_chunks::<8>();
        let half = |at: usize| -> __m256i {
            let word = |number: usize| i64::from_le_bytes(words[at + number]);
            _mm256_set_epi64x(word(3), word(2), word(1), word(0))
        };
        let mask = |bytes: __m256i| {
            let found =
                _mm256_or_si256(_mm256_cmpeq_epi8(bytes, one), _mm256_cmpeq_epi8(bytes, other));
            u64::from(_mm256_movemask_epi8(found) as u32)
        };
        mask(half(0)) | mask(half(4)) << 32
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn find_sse2(group: &Group, one: u8, other: u8) -> u64 {
        let (one, other) = (_mm_set1_epi8(one as i8), _mm_set1_epi8(other as i8));
        let (words, _) = group.as_chunks::<8>();
        let quarter = |at: usize| -> __m128i {
            let word = |number: usize| i64::from_le_bytes(words[at + number]);
            _mm_set_epi64x(word(1), word(0))
        };
        let mask = |bytes: __m128i| {
            let found = _mm_or_si128(_mm_cmpeq_epi8(bytes, one), _mm_cmpeq_epi8(bytes, other));
            u64::from(_mm_movemask_epi8(found) as u16)
        };
        mask(quarter(0)) | mask(quarter(2)) << 16 | mask(quarter(4)) << 32 | mask(quarter(6)) << 48
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Find<'g>(&'g Group, u8, u8);

    impl Scan for Find<'_> {
        type Found = u64;

        fn scan(self, find: impl Fn(&Group, u8, u8) -> u64) -> u64 {
            find(self.0, self.1, self.2)
        }
    }

    proptest! {
        #[test]
        fn a_bit_is_set_for_each_byte_that_is_looked_for_and_no_other(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x2b..0x2e_u8, 0xab..0xae_u8], GROUP_BYTES),
            one in prop_oneof![any::<u8>(), Just(b',')],
            other: u8,
        ) {
            let group: Group = bytes.try_into().unwrap();
            let bit = |at: usize| u64::from(group[at] == one || group[at] == other) << at;
            let expected = (0..GROUP_BYTES).fold(0, |mask, at| mask | bit(at));
            for lanes in Lanes::all() {
                prop_assert_eq!(lanes.scan(Find(&group, one, other)), expected, "{:?}", lanes);
            }
        }
    }
}
