//! A format that sees its files decompressed.
//!
//! Formats that read in order get the decompressed bytes as they come.
//! Formats that read ranges are handed their file as it is stored; where its
//! name or its options say that it is compressed, it is decompressed into
//! memory first, within a bound.

use std::ops::Range;

use bytes::Bytes;
use decant_core::format::{Format, Input, Piece, Receiver, Sample, SampleLimits};
use decant_core::{Error, ErrorKind, Result};

use super::recognise::MAGIC_BYTES;
use super::{Compression, Decompressed, Unpacking};

/// How a format reads its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// From the first byte to the last.
    InOrder,
    /// Here and there.
    Ranges,
}

/// A format over files that may be compressed.
pub(crate) struct UnpackedFormat {
    pub(crate) format: Box<dyn Format>,
    pub(crate) reads: Reads,
    pub(crate) unpacking: Unpacking,
    /// Whether the file's name or somebody says that it is compressed.
    pub(crate) promised: bool,
    /// Bytes that a decompressed file of ranges may take.
    pub(crate) memory_bytes: u64,
}

impl UnpackedFormat {
    fn open<'i>(&self, input: &'i mut dyn Input) -> Result<Box<dyn Input + 'i>> {
        match self.reads {
            Reads::InOrder => Ok(Box::new(Decompressed::of(Box::new(input), &self.unpacking)?)),
            Reads::Ranges if self.promised => self.open_ranges(input),
            Reads::Ranges => Ok(Box::new(input)),
        }
    }

    fn open_ranges<'i>(&self, input: &'i mut dyn Input) -> Result<Box<dyn Input + 'i>> {
        let start_bytes = input.size().unwrap_or_default().min(MAGIC_BYTES as u64);
        let start = input.range(0..start_bytes)?;
        if self.unpacking.is_told_by(&start) == Compression::None {
            return Ok(Box::new(input));
        }
        let mut decompressed = Decompressed::of(Box::new(input), &self.unpacking)?;
        let mut whole = Vec::new();
        while let Some(chunk) = decompressed.next_chunk()? {
            if (whole.len() + chunk.len()) as u64 > self.memory_bytes {
                return Err(too_large(self.memory_bytes));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(Box::new(InMemory { bytes: whole.into(), delivered: false }))
    }

    /// The piece as the format sees it: all that `input` has.
    fn piece(&self, piece: &Piece, input: &dyn Input) -> Piece {
        match (self.reads, input.size()) {
            (Reads::Ranges, Some(size)) if self.promised => Piece { bytes: 0..size },
            _ => piece.clone(),
        }
    }
}

impl Format for UnpackedFormat {
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample> {
        self.format.sample(self.open(input)?.as_mut(), limits)
    }

    fn decode(
        &self,
        piece: &Piece,
        input: &mut dyn Input,
        receiver: &mut dyn Receiver,
    ) -> Result<()> {
        let mut input = self.open(input)?;
        self.format.decode(&self.piece(piece, input.as_ref()), input.as_mut(), receiver)
    }
}

fn too_large(memory_bytes: u64) -> Error {
    let message = format!(
        "the file is compressed as a whole and takes more than {memory_bytes} bytes decompressed, \
         while its format is read here and there"
    );
    Error::new(ErrorKind::Unsupported, message)
        .with_hint("store it decompressed: such formats compress what is in them themselves")
}

/// A file that has been decompressed.
struct InMemory {
    bytes: Bytes,
    delivered: bool,
}

impl Input for InMemory {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let is_first = !std::mem::replace(&mut self.delivered, true);
        Ok((is_first && !self.bytes.is_empty()).then(|| self.bytes.clone()))
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        if range.start > range.end || range.end > self.bytes.len() as u64 {
            let message = "the file ends before the bytes that it refers to";
            return Err(Error::new(ErrorKind::MalformedFile, message));
        }
        Ok(self.bytes.slice(range.start as usize..range.end as usize))
    }

    fn size(&self) -> Option<u64> {
        Some(self.bytes.len() as u64)
    }
}
