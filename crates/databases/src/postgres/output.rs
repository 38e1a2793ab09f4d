//! Buffers that tuples are written to and that the connection then takes.
//!
//! A buffer comes back once the connection has let go of it, and is not wiped:
//! fresh memory costs more than writing to it.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Bytes that may be copied together: behind what is written there is room
/// for so many.
pub(super) const LANE_BYTES: usize = 48;

/// What has been written, and room behind it.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    end: usize,
}

impl Output {
    /// What has been written.
    pub(super) fn written(&self) -> &[u8] {
        self.bytes.get(..self.end).unwrap_or_default()
    }

    /// Bytes that have been written.
    pub(super) fn len(&self) -> usize {
        self.end
    }

    /// Writes bytes as they are.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.keep(bytes.len());
    }

    /// Room for so many bytes behind what has been written, and for a lane
    /// behind them. What it holds means nothing.
    pub(super) fn room(&mut self, bytes: usize) -> &mut [u8] {
        let needed = self.end + bytes + LANE_BYTES;
        if self.bytes.len() < needed {
            self.bytes.resize(needed.max(self.bytes.len() * 2), 0);
        }
        &mut self.bytes[self.end..needed]
    }

    /// Says that so many bytes of the room have been written.
    pub(super) fn keep(&mut self, bytes: usize) {
        self.end += bytes;
    }
}

/// Buffers beyond this are not kept: a huge row was in them.
const SPARE_BYTES_MAX: usize = 1 << 20;

/// Buffers that have come back.
#[derive(Debug, Default)]
pub(super) struct Spares(Arc<Mutex<Vec<Vec<u8>>>>);

/// A buffer that comes back when it is dropped.
struct Lent {
    output: Output,
    spares: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Spares {
    /// Hands over what has been written, and gives an empty buffer for it.
    pub(super) fn lend(&self, output: &mut Output) -> Bytes {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let empty = Output { bytes: spare.unwrap_or_default(), end: 0 };
        let output = std::mem::replace(output, empty);
        Bytes::from_owner(Lent { output, spares: Arc::clone(&self.0) })
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        self.output.written()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.output.bytes);
        if bytes.len() <= SPARE_BYTES_MAX {
            self.spares.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_empty_once_it_is_let_go() {
        let (spares, mut output) = (Spares::default(), Output::default());
        output.push(b"one");
        let one = spares.lend(&mut output);
        assert_eq!(output.len(), 0);
        output.push(b"two");
        let two = spares.lend(&mut output);
        assert_eq!((&one[..], &two[..]), (&b"one"[..], &b"two"[..]));
        drop(one);
        output.push(b"3");
        assert_eq!(&spares.lend(&mut output)[..], b"3");
        assert!(!output.bytes.is_empty(), "the buffer of the first");
        assert_eq!(output.written(), b"");
    }

    #[test]
    fn what_a_huge_row_needed_is_given_back() {
        let (spares, mut output) = (Spares::default(), Output::default());
        output.push(&vec![1; SPARE_BYTES_MAX]);
        drop(spares.lend(&mut output));
        drop(spares.lend(&mut output));
        assert!(output.bytes.is_empty());
    }
}
