//! Zstandard, frame by frame: all frames are one stream, skippable ones are
//! skipped.
//!
//! A frame names the window that its decoder must keep. Windows of up to
//! 128 MiB are accepted, as the `zstd` program does by default.

use std::io;

use decant_core::{Error, ErrorKind, Result};
use zstd::stream::raw::{DParameter, Decoder, Operation};

use super::Compression;
use super::pushed::{Fault, Push, Step};

/// Binary logarithm of the widest window, in bytes.
const WINDOW_LOG_MAX: u32 = 27;

/// Zstd frames being decompressed.
pub(crate) struct Frames {
    decoder: Decoder<'static>,
}

impl Frames {
    pub(crate) fn new() -> Result<Self> {
        let mut decoder = Decoder::new().map_err(cannot_start)?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX)).map_err(cannot_start)?;
        Ok(Self { decoder })
    }
}

impl Push for Frames {
    const COMPRESSION: Compression = Compression::Zstandard;

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        let status = self.decoder.run_on_buffers(input, output).map_err(explain)?;
        Ok(Step {
            taken: status.bytes_read,
            written: status.bytes_written,
            may_end: status.remaining == 0,
        })
    }
}

fn cannot_start(cause: io::Error) -> Error {
    Error::new(ErrorKind::Internal, "cannot start the zstd decoder").caused_by(cause)
}

fn explain(cause: io::Error) -> Fault {
    if cause.to_string().contains("too much memory") {
        return Fault::TooWide {
            message: "a zstd frame needs a window beyond 128 MiB".to_owned(),
            hint: "compress the file again without `--ultra --long`",
        };
    }
    Fault::Corrupt(cause)
}
