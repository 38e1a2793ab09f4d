//! Raw deflate (RFC 1951), as zip archives hold it: one stream, without a
//! signature and without a checksum of its own.

use flate2::{Decompress, FlushDecompress, Status};

use super::Compression;
use super::pushed::{Fault, Push, Step};

/// A stream being decompressed.
pub(super) struct Stream {
    decoder: Decompress,
    has_ended: bool,
}

impl Stream {
    pub(super) fn new() -> Self {
        Self { decoder: Decompress::new(false), has_ended: false }
    }
}

impl Push for Stream {
    const COMPRESSION: Compression = Compression::Deflate;

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        if self.has_ended {
            return Err(Fault::corrupt("bytes follow the end of the deflate stream"));
        }
        let (taken, written) = (self.decoder.total_in(), self.decoder.total_out());
        let flush = if input.is_empty() { FlushDecompress::Finish } else { FlushDecompress::None };
        let status = self.decoder.decompress(input, output, flush).map_err(Fault::corrupt)?;
        self.has_ended = status == Status::StreamEnd;
        Ok(Step {
            taken: (self.decoder.total_in() - taken) as usize,
            written: (self.decoder.total_out() - written) as usize,
            may_end: self.has_ended,
        })
    }
}
