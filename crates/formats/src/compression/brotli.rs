//! Brotli (RFC 7932): one stream, without a signature and without a checksum.
//!
//! Its windows are at most 16 MiB; the extension to larger ones is refused.

use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};

use super::Compression;
use super::pushed::{Fault, Push, Step};

/// A stream being decompressed.
pub(super) struct Stream {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    written: usize,
    has_ended: bool,
}

impl Stream {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default;
        let state = Box::new(BrotliState::new_strict(alloc(), alloc(), alloc()));
        Self { state, written: 0, has_ended: false }
    }
}

impl Push for Stream {
    const COMPRESSION: Compression = Compression::Brotli;

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        if self.has_ended {
            return Err(Fault::corrupt("bytes follow the end of the brotli stream"));
        }
        let (mut left, mut taken) = (input.len(), 0);
        let (mut room, mut written) = (output.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut taken,
            input,
            &mut room,
            &mut written,
            output,
            &mut self.written,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => {
                return Err(Fault::corrupt("these bytes are not brotli"));
            }
            BrotliResult::ResultSuccess => self.has_ended = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok(Step { taken, written, may_end: self.has_ended })
    }
}
