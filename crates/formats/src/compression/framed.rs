//! LZ4 frames and framed snappy, whose decoders pull their bytes.
//!
//! Skippable frames look the same to lz4 and to zstd: the first frame that is
//! none decides which of the two a file is.
//!
//! Invariant: an lz4 frame has ended only when its decoder stopped without
//! asking for bytes that are not there.

use std::io::{self, Read};

use decant_core::Result;
use lz4_flex::frame::FrameDecoder as Lz4Decoder;
use snap::read::FrameDecoder as SnappyDecoder;

use super::pushed::Pushed;
use super::source::Source;
use super::{Compression, Decode, corrupt, truncated, zstandard};

/// A framed snappy file being decompressed, in chunks of at most 64 KiB.
pub(super) struct Snappy<'i> {
    decoder: SnappyDecoder<Source<'i>>,
}

impl<'i> Snappy<'i> {
    pub(super) fn new(source: Source<'i>) -> Self {
        Self { decoder: SnappyDecoder::new(source) }
    }
}

impl Decode for Snappy<'_> {
    fn read(&mut self, output: &mut [u8]) -> Result<usize> {
        let read = self.decoder.read(output);
        read.map_err(|cause| explain(Compression::Snappy, self.decoder.get_mut(), cause))
    }

    fn offset(&self) -> u64 {
        self.decoder.get_ref().offset()
    }
}

/// An lz4 file being decompressed, in blocks of at most 8 MiB.
pub(super) struct Lz4<'i> {
    stage: Stage<'i>,
}

enum Stage<'i> {
    Between(Source<'i>),
    Frame(Box<Lz4Decoder<Source<'i>>>),
    Zstandard(Box<Pushed<'i, zstandard::Frames>>),
    /// Only while one of the others is being replaced.
    Moving,
}

impl<'i> Lz4<'i> {
    pub(super) fn new(source: Source<'i>) -> Self {
        Self { stage: Stage::Between(source) }
    }

    /// Begins the next frame; false at the end of the file.
    fn begin(&mut self) -> Result<bool> {
        let mut source = match std::mem::replace(&mut self.stage, Stage::Moving) {
            Stage::Between(source) => source,
            stage => {
                self.stage = stage;
                return Ok(true);
            }
        };
        while let [0x50..=0x5f, 0x2a, 0x4d, 0x18] = source.peek(4)? {
            skip_frame(&mut source)?;
        }
        let start = source.peek(4)?;
        match Compression::recognise(start) {
            _ if start.is_empty() => self.stage = Stage::Between(source),
            Compression::Zstandard => {
                let frames = Pushed::new(source, zstandard::Frames::new()?);
                self.stage = Stage::Zstandard(Box::new(frames));
                return Ok(true);
            }
            Compression::Lz4 => {
                source.forget_end();
                self.stage = Stage::Frame(Box::new(Lz4Decoder::new(source)));
                return Ok(true);
            }
            _ if start.len() < 4 => {
                let count = start.len();
                Source::take(&mut source, count);
                return Err(truncated(Compression::Lz4, source.offset()));
            }
            _ => {
                let cause = io::Error::other("bytes that are no frame follow the last one");
                return Err(corrupt(Compression::Lz4, source.offset(), cause));
            }
        }
        Ok(false)
    }

    fn end_frame(&mut self) -> Result<()> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Moving) {
            Stage::Frame(decoder) => {
                let source = decoder.into_inner();
                if source.has_met_end() {
                    return Err(truncated(Compression::Lz4, source.offset()));
                }
                Stage::Between(source)
            }
            stage => stage,
        };
        Ok(())
    }
}

impl Decode for Lz4<'_> {
    fn read(&mut self, output: &mut [u8]) -> Result<usize> {
        while self.begin()? {
            match &mut self.stage {
                Stage::Zstandard(frames) => return frames.read(output),
                Stage::Frame(decoder) => match decoder.read(output) {
                    Ok(0) => self.end_frame()?,
                    Ok(read) => return Ok(read),
                    Err(cause) => {
                        return Err(explain(Compression::Lz4, decoder.get_mut(), cause));
                    }
                },
                Stage::Between(_) | Stage::Moving => return Ok(0),
            }
        }
        Ok(0)
    }

    fn offset(&self) -> u64 {
        match &self.stage {
            Stage::Between(source) => source.offset(),
            Stage::Frame(decoder) => decoder.get_ref().offset(),
            Stage::Zstandard(frames) => frames.offset(),
            Stage::Moving => 0,
        }
    }
}

/// Passes over a skippable frame: signature, length, and as many bytes.
fn skip_frame(source: &mut Source<'_>) -> Result<()> {
    let mut left = match source.peek(8)? {
        [_, _, _, _, a, b, c, d] => 8 + u64::from(u32::from_le_bytes([*a, *b, *c, *d])),
        header => {
            let count = header.len();
            source.take(count);
            return Err(truncated(Compression::Lz4, source.offset()));
        }
    };
    while left > 0 {
        let count = (source.available()?.len() as u64).min(left);
        if count == 0 {
            return Err(truncated(Compression::Lz4, source.offset()));
        }
        source.take(count as usize);
        left -= count;
    }
    Ok(())
}

fn explain(
    compression: Compression,
    source: &mut Source<'_>,
    cause: io::Error,
) -> decant_core::Error {
    if let Some(failure) = source.take_failure() {
        return failure;
    }
    match cause.kind() {
        io::ErrorKind::UnexpectedEof => truncated(compression, source.offset()),
        _ => corrupt(compression, source.offset(), cause),
    }
}
