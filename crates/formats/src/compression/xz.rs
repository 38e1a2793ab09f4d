//! The `.xz` format: all streams are one, with their padding, as `xz -d`
//! reads them.
//!
//! A stream names the dictionary that its decoder must keep: decoders of up
//! to 128 MiB are accepted, which `xz -9` needs half of.

use decant_core::{ErrorKind, Result};
use liblzma::stream::{Action, CONCATENATED, Error, Status, Stream};

use super::Compression;
use super::pushed::{Fault, Push, Step};

/// Memory of one decoder, in bytes.
const MEMORY_BYTES_MAX: u64 = 128 << 20;

/// Streams being decompressed.
pub(super) struct Streams {
    decoder: Stream,
}

impl Streams {
    pub(super) fn new() -> Result<Self> {
        let decoder =
            Stream::new_stream_decoder(MEMORY_BYTES_MAX, CONCATENATED).map_err(|cause| {
                decant_core::Error::new(ErrorKind::Internal, "cannot start the xz decoder")
                    .caused_by(cause)
            })?;
        Ok(Self { decoder })
    }
}

impl Push for Streams {
    const COMPRESSION: Compression = Compression::Xz;

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        let action = if input.is_empty() { Action::Finish } else { Action::Run };
        let (taken, written) = (self.decoder.total_in(), self.decoder.total_out());
        let status = match self.decoder.process(input, output, action) {
            Ok(status) => status,
            Err(Error::MemLimit | Error::Mem) => {
                return Err(Fault::TooWide {
                    message: "an xz stream needs a dictionary beyond 128 MiB".to_owned(),
                    hint: "compress the file again with `xz -9` or less",
                });
            }
            Err(cause) => return Err(Fault::corrupt(cause)),
        };
        Ok(Step {
            taken: (self.decoder.total_in() - taken) as usize,
            written: (self.decoder.total_out() - written) as usize,
            may_end: status == Status::StreamEnd,
        })
    }
}
