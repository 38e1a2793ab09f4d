//! Bzip2, stream by stream: all streams are one, as `bzip2 -d` reads what
//! `pbzip2` and `cat` make.

use bzip2::{Decompress, Status};

use super::Compression;
use super::pushed::{Fault, Push, Step};

/// Bzip2 streams being decompressed. A stream's blocks are at most 900 kB.
pub(super) struct Streams {
    /// `None` between two streams.
    decoder: Option<Decompress>,
}

impl Streams {
    pub(super) fn new() -> Self {
        Self { decoder: None }
    }
}

impl Push for Streams {
    const COMPRESSION: Compression = Compression::Bzip2;

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        let decoder = self.decoder.get_or_insert_with(|| Decompress::new(false));
        let (taken, written) = (decoder.total_in(), decoder.total_out());
        let status = decoder.decompress(input, output).map_err(Fault::corrupt)?;
        let taken = (decoder.total_in() - taken) as usize;
        let written = (decoder.total_out() - written) as usize;
        let may_end = match status {
            Status::StreamEnd => true,
            Status::MemNeeded => return Err(Fault::corrupt("bzip2: out of memory")),
            _ => false,
        };
        if may_end {
            self.decoder = None;
        }
        Ok(Step { taken, written, may_end })
    }
}
