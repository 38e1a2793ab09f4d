//! Stage one, first half: where the bytes with a meaning are.
//!
//! Looks at each byte once, without any state, many bytes at a time. What a
//! mark means (a quoted delimiter means nothing) is for [`super::walk`] to
//! say.

use super::dialect::Dialect;
use super::groups::{GROUP_BYTES, Group, Lanes, Scan};

/// Bytes with a meaning that a dialect has at most.
const MEANINGS_MAX: usize = 6;

/// Which bytes have a meaning in a dialect.
#[derive(Clone)]
pub(super) struct Marker {
    lanes: Lanes,
    meanings: [u8; MEANINGS_MAX],
}

impl Marker {
    pub(super) fn new(dialect: &Dialect) -> Self {
        let mut meanings = [b'\n'; MEANINGS_MAX];
        let optional = dialect.quote.into_iter().chain(dialect.escape);
        let all = [dialect.delimiter.parts().0, b'\r'].into_iter().chain(optional);
        meanings[1..].iter_mut().zip(all).for_each(|(meaning, byte)| *meaning = byte);
        Self { lanes: Lanes::best(), meanings }
    }

    /// Appends the positions of all bytes with a meaning; the first byte's is
    /// `base`.
    pub(super) fn mark(&self, bytes: &[u8], base: usize, marks: &mut Vec<u32>) {
        self.lanes.scan(Marking { marker: self, bytes, base, marks });
    }
}

struct Marking<'m> {
    marker: &'m Marker,
    bytes: &'m [u8],
    base: usize,
    marks: &'m mut Vec<u32>,
}

impl Scan for Marking<'_> {
    type Found = ();

    #[inline(always)]
    fn scan(self, find: impl Fn(&Group, u8, u8) -> u64) {
        let [a, b, c, d, e, f] = self.marker.meanings;
        let (groups, rest) = self.bytes.as_chunks::<GROUP_BYTES>();
        let mut base = self.base;
        for group in groups {
            let mask = find(group, a, b) | find(group, c, d) | find(group, e, f);
            append(mask, base as u32, self.marks);
            base += GROUP_BYTES;
        }
        let mut last = [0; GROUP_BYTES];
        last[..rest.len()].copy_from_slice(rest);
        let mask = find(&last, a, b) | find(&last, c, d) | find(&last, e, f);
        append(mask & !(u64::MAX << rest.len()), base as u32, self.marks);
    }
}

#[inline(always)]
fn append(mut mask: u64, base: u32, marks: &mut Vec<u32>) {
    while mask != 0 {
        marks.push(base + mask.trailing_zeros());
        mask &= mask - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use decant_core::stream::{FormatOptions, Mark};

    #[test]
    fn every_byte_with_a_meaning_is_marked_and_no_other() {
        let options = FormatOptions { escape: Some(Mark::Byte(b'\\')), ..FormatOptions::default() };
        let dialect = Dialect::new(b';', &options).unwrap();
        let mut marks = Vec::new();
        Marker::new(&dialect).mark(b"a;\"b,\\\"\"\r\n,x", 10, &mut marks);
        assert_eq!(marks, [11, 12, 15, 16, 17, 18, 19]);
    }

    proptest::proptest! {
        #[test]
        fn marks_are_the_positions_of_the_special_bytes(
            bytes in proptest::collection::vec(proptest::prop_oneof![proptest::num::u8::ANY, proptest::sample::select(&b",\"\r\n\0"[..])], 0..200),
        ) {
            let dialect = Dialect::new(b',', &FormatOptions::default()).unwrap();
            let expected: Vec<u32> = (0..bytes.len())
                .filter(|at| b",\"\r\n".contains(&bytes[*at]))
                .map(|at| at as u32)
                .collect();
            for lanes in Lanes::all() {
                let mut marks = Vec::new();
                Marker { lanes, ..Marker::new(&dialect) }.mark(&bytes, 0, &mut marks);
                proptest::prop_assert_eq!(&marks, &expected);
            }
        }
    }
}
