//! Parquet's hybrid of repeated values and packed bits, in which levels and
//! the keys of dictionaries are written:
//! <https://github.com/apache/parquet-format/blob/master/Encodings.md>.
//!
//! Invariant: what the bytes do not hold is an error, never a value.

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};

/// Values that are packed together.
const GROUP_VALUES: usize = 8;
const WIDTH_MAX: u8 = 32;

/// Reads values of a fixed number of bits.
pub(super) struct Hybrid {
    bytes: Bytes,
    /// Where the next run begins.
    at: usize,
    width: usize,
    run: Run,
}

/// Values that are still to come of one run.
enum Run {
    Repeated {
        value: u32,
        left: usize,
    },
    /// Packed values, the first of which is at this bit.
    Packed {
        bit: usize,
        left: usize,
    },
}

impl Hybrid {
    /// Values of `width` bits.
    pub(super) fn new(bytes: Bytes, width: u8) -> Result<Self> {
        if width > WIDTH_MAX {
            return Err(broken());
        }
        let run = Run::Repeated { value: 0, left: 0 };
        Ok(Self { bytes, at: 0, width: width.into(), run })
    }

    /// Reads as many values as there is room for.
    pub(super) fn fill(&mut self, mut room: &mut [u32]) -> Result<()> {
        while !room.is_empty() {
            let count = self.run()?.min(room.len());
            let (here, rest) = room.split_at_mut(count);
            match &mut self.run {
                Run::Repeated { value, left } => {
                    here.fill(*value);
                    *left -= count;
                }
                Run::Packed { bit, left } => {
                    unpack(&self.bytes, *bit, self.width, here);
                    *bit += count * self.width;
                    *left -= count;
                }
            }
            room = rest;
        }
        Ok(())
    }

    /// Passes so many values if they are one run of this value; else none.
    pub(super) fn pass(&mut self, expected: u32, count: usize) -> Result<bool> {
        self.run()?;
        match &mut self.run {
            Run::Repeated { value, left } if *value == expected && *left >= count => {
                *left -= count;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Values of the run that is being read; there is at least one.
    fn run(&mut self) -> Result<usize> {
        loop {
            let (Run::Repeated { left, .. } | Run::Packed { left, .. }) = self.run;
            if left > 0 {
                return Ok(left);
            }
            self.run = self.next_run()?;
        }
    }

    fn next_run(&mut self) -> Result<Run> {
        let header = self.header()?;
        if header == 0 {
            // Some writers pad with it, so that it is the end.
            return Err(broken());
        }
        let count = usize::try_from(header >> 1).map_err(|_| broken())?;
        if header & 1 == 0 {
            let mut value = [0; 4];
            let bytes = self.take(self.width.div_ceil(8))?;
            value.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            return Ok(Run::Repeated { value: u32::from_le_bytes(value), left: count });
        }
        let bit = self.at.checked_mul(8).ok_or_else(broken)?;
        let bytes = count.checked_mul(self.width).ok_or_else(broken)?;
        self.take(bytes)?;
        Ok(Run::Packed { bit, left: count.checked_mul(GROUP_VALUES).ok_or_else(broken)? })
    }

    /// A number of seven bits a byte.
    fn header(&mut self) -> Result<u64> {
        let mut header = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.take(1)?.first().copied().ok_or_else(broken)?;
            header |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(header);
            }
        }
        Err(broken())
    }

    fn take(&mut self, count: usize) -> Result<&[u8]> {
        let end = self.at.checked_add(count).ok_or_else(broken)?;
        let taken = self.bytes.get(self.at..end).ok_or_else(broken)?;
        self.at = end;
        Ok(taken)
    }
}

/// Unpacks values of `width` bits that begin at a bit of `bytes`.
fn unpack(bytes: &[u8], bit: usize, width: usize, room: &mut [u32]) {
    let mask = (1_u64 << width) - 1;
    for (nth, value) in room.iter_mut().enumerate() {
        let at = bit + nth * width;
        let rest = bytes.get(at / 8..).unwrap_or_default();
        let word = match rest.first_chunk::<8>() {
            Some(word) => u64::from_le_bytes(*word),
            None => last_word(rest),
        };
        *value = (word >> (at % 8) & mask) as u32;
    }
}

#[cold]
fn last_word(rest: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(word)
}

fn broken() -> ParquetError {
    ParquetError::General("runs of values are damaged".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Writes runs: values that are packed, or one so many times.
    fn write(runs: &[(Vec<u32>, usize)], width: u8) -> (Vec<u8>, Vec<u32>) {
        let (mut bytes, mut values) = (Vec::new(), Vec::new());
        for (packed, times) in runs {
            if *times > 0 {
                let value = packed[0];
                put_header(&mut bytes, (*times as u64) << 1);
                bytes.extend_from_slice(&value.to_le_bytes()[..usize::from(width).div_ceil(8)]);
                values.extend(std::iter::repeat_n(value, *times));
                continue;
            }
            let groups = packed.len().div_ceil(GROUP_VALUES);
            put_header(&mut bytes, (groups as u64) << 1 | 1);
            let start = bytes.len();
            bytes.resize(start + groups * usize::from(width), 0);
            for nth in 0..groups * GROUP_VALUES {
                let value = packed.get(nth).copied().unwrap_or_default();
                values.push(value);
                for bit in 0..usize::from(width) {
                    let at = nth * usize::from(width) + bit;
                    bytes[start + at / 8] |= ((value >> bit & 1) as u8) << (at % 8);
                }
            }
        }
        (bytes, values)
    }

    fn put_header(bytes: &mut Vec<u8>, mut header: u64) {
        while header > 0x7f {
            bytes.push(header as u8 | 0x80);
            header >>= 7;
        }
        bytes.push(header as u8);
    }

    proptest! {
        #[test]
        fn values_are_read_as_they_were_written(
            width in 0_u8..=32,
            runs in prop::collection::vec(
                (prop::collection::vec(any::<u32>(), 1..40), prop_oneof![Just(0), 1_usize..300]),
                1..6,
            ),
            steps in prop::collection::vec(1_usize..50, 1..6),
        ) {
            let mask = ((1_u64 << width) - 1) as u32;
            let runs: Vec<_> = runs
                .into_iter()
                .map(|(values, times)| {
                    (values.into_iter().map(|value| value & mask).collect::<Vec<_>>(), times)
                })
                .collect();
            let (bytes, expected) = write(&runs, width);
            let mut hybrid = Hybrid::new(bytes.into(), width).unwrap();
            let mut values = Vec::new();
            for step in steps.into_iter().cycle() {
                let mut room = vec![0; step.min(expected.len() - values.len())];
                if room.is_empty() {
                    break;
                }
                if hybrid.pass(expected[values.len()], room.len()).unwrap() {
                    room.fill(expected[values.len()]);
                } else {
                    hybrid.fill(&mut room).unwrap();
                }
                values.extend(room);
            }
            prop_assert_eq!(values, expected);
            prop_assert!(hybrid.fill(&mut [0]).is_err(), "there is no more");
        }

        #[test]
        fn any_bytes_are_values_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            width in any::<u8>(),
            count in 0_usize..300,
        ) {
            if let Ok(mut hybrid) = Hybrid::new(bytes.into(), width) {
                let _ = hybrid.fill(&mut vec![0; count]);
            }
        }
    }
}
