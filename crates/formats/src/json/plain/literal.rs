//! The bytes between two values, as they stood in a row before: compared as
//! one, with what is expected not to change.

const LANE_BYTES: usize = 16;
const LANES_BYTES: usize = 2 * LANE_BYTES;

/// Some bytes that are expected again.
#[derive(Clone, Debug, Default)]
pub(super) struct Literal {
    bytes: Box<[u8]>,
    /// Its first bytes, sixteen by sixteen, and which bits of them count.
    lanes: [u128; 2],
    masks: [u128; 2],
}

impl Literal {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let lane = |from: usize| {
            let lane = bytes.iter().skip(from).take(LANE_BYTES).rev();
            lane.fold((0, 0), |(lane, mask), byte| {
                (lane << 8 | u128::from(*byte), mask << 8 | 0xFF)
            })
        };
        let ((first, first_mask), (second, second_mask)) = (lane(0), lane(LANE_BYTES));
        Self { bytes: bytes.into(), lanes: [first, second], masks: [first_mask, second_mask] }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Behind the literal, where it stands at `at`.
    #[inline]
    pub(super) fn end_at(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let rest = bytes.get(at..)?;
        let stands = match rest.first_chunk::<LANES_BYTES>() {
            Some(chunk) => self.begins(chunk) && self.goes_on(rest),
            None => rest.starts_with(&self.bytes),
        };
        stands.then_some(at + self.bytes.len())
    }

    #[inline]
    fn begins(&self, chunk: &[u8; LANES_BYTES]) -> bool {
        let (lanes, _) = chunk.as_chunks::<LANE_BYTES>();
        let differs =
            |lane: usize| (u128::from_le_bytes(lanes[lane]) ^ self.lanes[lane]) & self.masks[lane];
        differs(0) | differs(1) == 0
    }

    #[inline]
    fn goes_on(&self, rest: &[u8]) -> bool {
        self.bytes.len() <= LANES_BYTES || rest.starts_with(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_literal_stands_where_its_bytes_stand(
            literal in prop::collection::vec(any::<u8>(), 0..40),
            before in 0_usize..4,
            behind in 0_usize..40,
            change in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        ) {
            let mut bytes = vec![b'x'; before];
            bytes.extend_from_slice(&literal);
            bytes.resize(bytes.len() + behind, b'y');
            if let (Some((at, byte)), false) = (change, bytes.is_empty()) {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let expected = bytes[before..].starts_with(&literal).then_some(before + literal.len());
            prop_assert_eq!(Literal::new(&literal).end_at(&bytes, before), expected);
            prop_assert_eq!(Literal::new(&literal).end_at(&bytes[..before], before + 1), None);
        }
    }
}
