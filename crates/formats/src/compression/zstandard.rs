//! Zstandard, frame by frame: all frames are one stream, skippable ones are
//! skipped.
//!
//! A frame names the window that its decoder must keep. Windows of up to
//! 128 MiB are accepted, as the `zstd` program does by default.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use decant_core::{Error, ErrorKind, Result};
use zstd::stream::raw::{DParameter, Decoder, Operation};

use super::source::Source;
use super::{Compression, corrupt, truncated};

/// Binary logarithm of the widest window, in bytes.
const WINDOW_LOG_MAX: u32 = 27;

/// A zstd file being decompressed.
pub(super) struct Zstandard<'i> {
    source: Source<'i>,
    decoder: Decoder<'static>,
    in_frame: bool,
}

impl<'i> Zstandard<'i> {
    pub(super) fn new(source: Source<'i>) -> Result<Self> {
        let mut decoder = Decoder::new().map_err(cannot_start)?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX)).map_err(cannot_start)?;
        Ok(Self { source, decoder, in_frame: true })
    }

    /// Compressed bytes taken so far.
    pub(super) fn offset(&self) -> u64 {
        self.source.offset()
    }

    pub(super) fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        self.source.range(range)
    }

    /// Fills some of `output`, which is not empty; 0 at the end of the file.
    pub(super) fn read(&mut self, output: &mut [u8]) -> Result<usize> {
        loop {
            let available = self.source.available()?;
            let ended = available.is_empty();
            if ended && !self.in_frame {
                return Ok(0);
            }
            let status = match self.decoder.run_on_buffers(available, output) {
                Ok(status) => status,
                Err(cause) => return Err(explain(self.source.offset(), cause)),
            };
            self.source.take(status.bytes_read);
            self.in_frame = status.remaining != 0;
            if status.bytes_written > 0 {
                return Ok(status.bytes_written);
            }
            if ended && self.in_frame {
                return Err(truncated(Compression::Zstandard, self.source.offset()));
            }
        }
    }
}

fn cannot_start(cause: io::Error) -> Error {
    Error::new(ErrorKind::Internal, "cannot start the zstd decoder").caused_by(cause)
}

fn explain(offset: u64, cause: io::Error) -> Error {
    if cause.to_string().contains("too much memory") {
        return Error::new(ErrorKind::Unsupported, "a zstd frame needs a window beyond 128 MiB")
            .with_hint("compress the file again without `--ultra --long`")
            .caused_by(cause);
    }
    corrupt(Compression::Zstandard, offset, cause)
}
