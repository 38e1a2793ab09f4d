//! Stage one, first half: where the bytes with a meaning are.
//!
//! Looks at each byte of a block once, without any state, so that it can be
//! done many bytes at a time. What a mark means (a quoted delimiter means
//! nothing) is for [`super::walk`] to say.

use super::dialect::Dialect;

/// Which bytes have a meaning in a dialect.
#[derive(Clone)]
pub(super) struct Marker {
    special: [bool; 256],
}

impl Marker {
    pub(super) fn new(dialect: &Dialect) -> Self {
        let mut special = [false; 256];
        let optional = dialect.quote.into_iter().chain(dialect.escape);
        for byte in [dialect.delimiter.parts().0, b'\n', b'\r'].into_iter().chain(optional) {
            special[usize::from(byte)] = true;
        }
        Self { special }
    }

    /// Appends the positions of all bytes with a meaning.
    pub(super) fn mark(&self, bytes: &[u8], marks: &mut Vec<u32>) {
        for (at, byte) in bytes.iter().enumerate() {
            if self.special[usize::from(*byte)] {
                marks.push(at as u32);
            }
        }
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
        Marker::new(&dialect).mark(b"a;\"b,\\\"\"\r\n,x", &mut marks);
        assert_eq!(marks, [1, 2, 5, 6, 7, 8, 9]);
    }

    proptest::proptest! {
        #[test]
        fn marks_are_the_positions_of_the_special_bytes(bytes: Vec<u8>) {
            let dialect = Dialect::new(b',', &FormatOptions::default()).unwrap();
            let mut marks = Vec::new();
            Marker::new(&dialect).mark(&bytes, &mut marks);
            let expected: Vec<u32> = (0..bytes.len())
                .filter(|at| b",\"\r\n".contains(&bytes[*at]))
                .map(|at| at as u32)
                .collect();
            proptest::prop_assert_eq!(marks, expected);
        }
    }
}
