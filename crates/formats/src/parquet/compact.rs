//! Thrift's compact protocol, read from untrusted bytes:
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>.
//!
//! It knows no schema: whoever walks a structure takes the fields that it
//! knows and has the others passed over. Nothing is allocated, containers
//! never hold more elements than there are bytes, and nesting is bounded.

/// Levels of structures and containers.
const DEPTH_MAX: u8 = 32;

/// Why bytes could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// They end too early.
    Short,
    /// They are not what they should be.
    Broken,
}

/// What was read, or why not.
pub(super) type Parsed<T> = Result<T, Flaw>;

/// The type of a field or an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    True,
    False,
    Byte,
    Integer,
    Double,
    Binary,
    List,
    Map,
    Struct,
    Uuid,
}

impl Wire {
    fn of(code: u8) -> Parsed<Self> {
        Ok(match code {
            1 => Self::True,
            2 => Self::False,
            3 => Self::Byte,
            4..=6 => Self::Integer,
            7 => Self::Double,
            8 => Self::Binary,
            9 | 10 => Self::List,
            11 => Self::Map,
            12 => Self::Struct,
            13 => Self::Uuid,
            _ => return Err(Flaw::Broken),
        })
    }

    /// How a field says that it is of this type: numbers of any width are
    /// written alike.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::True => 1,
            Self::False => 2,
            Self::Byte => 3,
            Self::Integer => 5,
            Self::Double => 7,
            Self::Binary => 8,
            Self::List => 9,
            Self::Map => 11,
            Self::Struct => 12,
            Self::Uuid => 13,
        }
    }
}

/// Bytes that are being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compact<'a> {
    rest: &'a [u8],
}

impl<'a> Compact<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes that have not been read.
    pub(super) fn rest(&self) -> usize {
        self.rest.len()
    }

    fn byte(&mut self) -> Parsed<u8> {
        let (first, rest) = self.rest.split_first().ok_or(Flaw::Short)?;
        self.rest = rest;
        Ok(*first)
    }

    fn bytes(&mut self, count: usize) -> Parsed<()> {
        self.rest = self.rest.get(count..).ok_or(Flaw::Short)?;
        Ok(())
    }

    fn varint(&mut self) -> Parsed<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Flaw::Broken)
    }

    /// A signed integer of any width.
    pub(super) fn integer(&mut self) -> Parsed<i64> {
        let zigzag = self.varint()?;
        Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    fn count(&mut self) -> Parsed<usize> {
        usize::try_from(self.varint()?).map_err(|_| Flaw::Broken)
    }

    /// Reads a structure: `field` takes the fields that it knows and says
    /// whether it did; the others are passed over.
    pub(super) fn structure(
        &mut self,
        mut field: impl FnMut(&mut Self, i64, Wire) -> Parsed<bool>,
    ) -> Parsed<()> {
        self.fields(0, &mut field)
    }

    fn fields(
        &mut self,
        depth: u8,
        field: &mut dyn FnMut(&mut Self, i64, Wire) -> Parsed<bool>,
    ) -> Parsed<()> {
        let mut id = 0_i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            let wire = Wire::of(head & 0x0f)?;
            id = match head >> 4 {
                0 => self.integer()?,
                delta => id.checked_add(i64::from(delta)).ok_or(Flaw::Broken)?,
            };
            if !field(self, id, wire)? {
                self.skip(wire, depth)?;
            }
        }
    }

    /// What `read` passes, as it is written.
    fn written(&mut self, read: impl FnOnce(&mut Self) -> Parsed<()>) -> Parsed<&'a [u8]> {
        let before = self.rest;
        read(self)?;
        Ok(&before[..before.len() - self.rest.len()])
    }

    /// Passes a field's value.
    pub(super) fn value(&mut self, wire: Wire) -> Parsed<&'a [u8]> {
        self.written(|compact| compact.skip(wire, 0))
    }

    /// Passes an element of a list.
    pub(super) fn element(&mut self, wire: Wire) -> Parsed<&'a [u8]> {
        self.written(|compact| compact.skip_element(wire, 0))
    }

    /// A list's head as it is written, and what it says.
    pub(super) fn list_head(&mut self) -> Parsed<(&'a [u8], Wire, usize)> {
        let mut told = (Wire::Byte, 0);
        let head = self.written(|compact| {
            told = compact.list()?;
            Ok(())
        })?;
        Ok((head, told.0, told.1))
    }

    /// The type and the number of elements of a list, which follow.
    pub(super) fn list(&mut self) -> Parsed<(Wire, usize)> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.count()?,
            few => usize::from(few),
        };
        if count > self.rest.len() {
            // Each element takes a byte at least.
            return Err(Flaw::Short);
        }
        match count {
            0 => Ok((Wire::Byte, 0)),
            _ => Ok((Wire::of(head & 0x0f)?, count)),
        }
    }

    fn skip(&mut self, wire: Wire, depth: u8) -> Parsed<()> {
        if depth >= DEPTH_MAX {
            return Err(Flaw::Broken);
        }
        match wire {
            Wire::True | Wire::False => Ok(()),
            Wire::Byte => self.bytes(1),
            Wire::Integer => self.varint().map(|_| ()),
            Wire::Double => self.bytes(8),
            Wire::Uuid => self.bytes(16),
            Wire::Binary => {
                let count = self.count()?;
                self.bytes(count)
            }
            Wire::List => {
                let (element, count) = self.list()?;
                (0..count).try_for_each(|_| self.skip_element(element, depth + 1))
            }
            Wire::Map => self.skip_map(depth + 1),
            Wire::Struct => self.fields(depth + 1, &mut |_, _, _| Ok(false)),
        }
    }

    fn skip_map(&mut self, depth: u8) -> Parsed<()> {
        let count = self.count()?;
        if count == 0 {
            return Ok(());
        }
        if count > self.rest.len() {
            return Err(Flaw::Short);
        }
        let types = self.byte()?;
        let (key, value) = (Wire::of(types >> 4)?, Wire::of(types & 0x0f)?);
        (0..count).try_for_each(|_| {
            self.skip_element(key, depth)?;
            self.skip_element(value, depth)
        })
    }

    /// In a container a truth value takes a byte.
    fn skip_element(&mut self, wire: Wire, depth: u8) -> Parsed<()> {
        match wire {
            Wire::True | Wire::False => self.bytes(1),
            other => self.skip(other, depth),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_fields_are_taken_and_others_passed_over() {
        // 1: i32 -1; 2: binary "ab"; 4: list of two i32; 20: i64 300.
        let bytes = [0x15, 1, 0x18, 2, b'a', b'b', 0x29, 0x25, 2, 4, 0x06, 40, 0xd8, 4, 0];
        let mut seen = Vec::new();
        let mut compact = Compact::new(&bytes);
        compact
            .structure(|compact, id, wire| match (id, wire) {
                (1 | 20, Wire::Integer) => {
                    seen.push((id, compact.integer()?));
                    Ok(true)
                }
                _ => Ok(false),
            })
            .unwrap();
        assert_eq!((seen, compact.rest()), (vec![(1, -1), (20, 300)], 0));
    }

    #[test]
    fn every_cut_is_short_and_nothing_is_believed() {
        let bytes = [0x15, 1, 0x18, 2, b'a', b'b', 0x29, 0x25, 2, 4, 0x06, 40, 0xd8, 4, 0];
        let walk = |bytes: &[u8]| Compact::new(bytes).structure(|_, _, _| Ok(false));
        for cut in 0..bytes.len() {
            assert_eq!(walk(&bytes[..cut]), Err(Flaw::Short), "cut at {cut}");
        }
        let huge_list = [0x19, 0xf5, 0xff, 0xff, 0xff, 0xff, 0x7f, 0];
        assert_eq!(walk(&huge_list), Err(Flaw::Short));
        let nested = [0x1c; 100_000];
        assert_eq!(walk(&nested), Err(Flaw::Broken));
    }
}
