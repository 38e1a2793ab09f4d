//! Decoders that are handed bytes, as the libraries behind bzip2, xz, zstd
//! and brotli want it.
//!
//! Invariant: a decoder that neither takes nor gives while there are bytes to
//! take is at fault, and never asked for ever.

use std::io;

use decant_core::{Error, ErrorKind, Result};

use super::source::Source;
use super::{Compression, Decode, corrupt, truncated};

/// Bytes that a decoder is handed at a time: as near does an error come to
/// where the file is corrupt.
const STEP_BYTES_MAX: usize = 4 << 10;

/// What one step did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    /// Bytes taken.
    pub(super) taken: usize,
    /// Bytes written.
    pub(super) written: usize,
    /// Whether the file may end here.
    pub(super) may_end: bool,
}

/// Why a step failed.
pub(super) enum Fault {
    /// The bytes are not what they should be.
    Corrupt(io::Error),
    /// They ask for more than they may have.
    TooWide {
        /// What they ask for.
        message: String,
        /// The cure.
        hint: &'static str,
    },
}

impl Fault {
    pub(super) fn corrupt(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Corrupt(io::Error::other(cause))
    }
}

/// A decoder that is handed bytes.
pub(super) trait Push: Send {
    /// Whose bytes it wants.
    const COMPRESSION: Compression;

    /// Takes some of `input`, which is empty only at the end of the file, and
    /// fills some of `output`, which is not empty.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault>;
}

/// A compressed file being pushed through its decoder.
pub(super) struct Pushed<'i, P> {
    source: Source<'i>,
    decoder: P,
    may_end: bool,
}

impl<'i, P: Push> Pushed<'i, P> {
    pub(super) fn new(source: Source<'i>, decoder: P) -> Self {
        Self { source, decoder, may_end: false }
    }

    fn explain(&self, fault: Fault) -> Error {
        match fault {
            Fault::Corrupt(cause) => corrupt(P::COMPRESSION, self.source.offset(), cause),
            Fault::TooWide { message, hint } => {
                Error::new(ErrorKind::Unsupported, message).with_hint(hint)
            }
        }
    }
}

impl<P: Push> Decode for Pushed<'_, P> {
    fn read(&mut self, output: &mut [u8]) -> Result<usize> {
        let mut idle = 0;
        loop {
            let available = self.source.available()?;
            let ended = available.is_empty();
            if ended && self.may_end {
                return Ok(0);
            }
            let available = &available[..available.len().min(STEP_BYTES_MAX)];
            let step = match self.decoder.step(available, output) {
                Ok(step) => step,
                Err(fault) => return Err(self.explain(fault)),
            };
            self.source.take(step.taken);
            self.may_end = step.may_end;
            if step.written > 0 {
                return Ok(step.written);
            }
            idle = if step.taken == 0 { idle + 1 } else { 0 };
            match (ended, step.may_end) {
                (true, false) => return Err(truncated(P::COMPRESSION, self.source.offset())),
                (true, true) => return Ok(0),
                (false, _) if idle > 2 => {
                    return Err(self.explain(Fault::corrupt("the decoder stands still")));
                }
                (false, _) => {}
            }
        }
    }

    fn offset(&self) -> u64 {
        self.source.offset()
    }
}
