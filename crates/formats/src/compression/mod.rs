//! Decompression of whole files, recognised by their first bytes whatever
//! their names say: gzip with all its members, zstd with all its frames, or
//! nothing at all.
//!
//! Not here: archives (several files in one) and compression inside a format
//! (Parquet's pages). No I/O either: bytes come from an [`Input`], and what
//! comes out is an [`Input`] again.
//!
//! Invariant: memory is bounded by one chunk in and one chunk out, and an
//! `Ok(None)` means that the compressed stream was whole and sound.

mod gzip;
mod source;
#[cfg(test)]
mod tests;
mod zstandard;

use std::ops::Range;

use bytes::Bytes;
use decant_core::format::Input;
use decant_core::{Error, ErrorKind, Result};

use gzip::Gzip;
use source::Source;
use zstandard::Zstandard;

/// Bytes of a chunk of decompressed output.
const CHUNK_BYTES: usize = 256 << 10;
/// Bytes that tell every known compression from the others.
const MAGIC_BYTES: usize = 4;

/// How a file's bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstandard,
}

impl Compression {
    /// Recognises the compression by a file's first four bytes, or by all of
    /// them when it is shorter.
    ///
    /// What can only be the beginning of a cut gzip or zstd file counts as
    /// one. A lone `(` (zstd's first byte) is text.
    pub fn recognise(start: &[u8]) -> Self {
        match start {
            [0x1f] | [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5] | [0x28, 0xb5, 0x2f] | [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstandard,
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstandard,
            _ => Self::None,
        }
    }

    /// The name in messages.
    fn name(self) -> &'static str {
        match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Zstandard => "zstd",
        }
    }
}

/// How much may come out of a file before it is taken for a bomb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes after decompression.
    pub bytes_max: u64,
    /// Bytes out for each byte in, once `ratio_from_bytes` have come out.
    pub ratio_max: u64,
    /// Bytes after decompression from which on the ratio is judged.
    pub ratio_from_bytes: u64,
}

impl Default for Limits {
    /// 16 TiB; 5,000 to one beyond the first GiB.
    fn default() -> Self {
        Self { bytes_max: 16 << 40, ratio_max: 5_000, ratio_from_bytes: 1 << 30 }
    }
}

/// A file's bytes after decompression.
///
/// Errors, besides those of the input itself: `MalformedFile` when the stream
/// is cut or corrupt, with the offset in the compressed file as the fact
/// `compressed_byte`, or when it grows beyond the limits; `Unsupported` when a
/// zstd frame asks for a window that would not fit the memory.
pub struct Decompressed<'i> {
    decoder: Decoder<'i>,
    limits: Limits,
    bytes_out: u64,
}

enum Decoder<'i> {
    Plain(Source<'i>),
    Gzip(Gzip<'i>),
    Zstandard(Box<Zstandard<'i>>),
}

impl<'i> Decompressed<'i> {
    /// Looks at the first bytes of `input`, which starts at the file's
    /// beginning.
    pub fn new(input: &'i mut dyn Input, limits: Limits) -> Result<Self> {
        let mut source = Source::new(input);
        let compression = Compression::recognise(source.peek(MAGIC_BYTES)?);
        let decoder = match compression {
            Compression::None => Decoder::Plain(source),
            Compression::Gzip => Decoder::Gzip(Gzip::new(source)),
            Compression::Zstandard => Decoder::Zstandard(Box::new(Zstandard::new(source)?)),
        };
        Ok(Self { decoder, limits, bytes_out: 0 })
    }

    /// How the file is compressed.
    pub fn compression(&self) -> Compression {
        match &self.decoder {
            Decoder::Plain(_) => Compression::None,
            Decoder::Gzip(_) => Compression::Gzip,
            Decoder::Zstandard(_) => Compression::Zstandard,
        }
    }

    fn read(&mut self, output: &mut [u8]) -> Result<usize> {
        match &mut self.decoder {
            Decoder::Plain(_) => Ok(0),
            Decoder::Gzip(gzip) => gzip.read(output),
            Decoder::Zstandard(zstandard) => zstandard.read(output),
        }
    }

    fn read_chunk(&mut self) -> Result<Option<Bytes>> {
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut filled = 0;
        while filled < chunk.len() {
            match self.read(&mut chunk[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        chunk.truncate(filled);
        self.bytes_out += filled as u64;
        self.check_limits()?;
        Ok((filled > 0).then(|| Bytes::from(chunk)))
    }

    fn check_limits(&self) -> Result<()> {
        let Limits { bytes_max, ratio_max, ratio_from_bytes } = self.limits;
        let allowed = self.bytes_in().max(1).saturating_mul(ratio_max).max(ratio_from_bytes);
        if self.bytes_out <= bytes_max.min(allowed) {
            return Ok(());
        }
        let message = format!(
            "{} bytes of {} have grown to more than {} bytes, which looks like a decompression bomb",
            self.bytes_in(),
            self.compression().name(),
            bytes_max.min(allowed)
        );
        Err(Error::new(ErrorKind::MalformedFile, message).with_hint(
            "if the file is what it should be, store it in smaller files, or decompressed",
        ))
    }

    fn bytes_in(&self) -> u64 {
        match &self.decoder {
            Decoder::Plain(source) => source.offset(),
            Decoder::Gzip(gzip) => gzip.offset(),
            Decoder::Zstandard(zstandard) => zstandard.offset(),
        }
    }
}

impl Input for Decompressed<'_> {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        match &mut self.decoder {
            Decoder::Plain(source) => source.next_chunk(),
            _ => self.read_chunk(),
        }
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        match &mut self.decoder {
            Decoder::Plain(source) => source.range(range),
            Decoder::Gzip(gzip) => gzip.range(range),
            Decoder::Zstandard(zstandard) => zstandard.range(range),
        }
    }

    fn size(&self) -> Option<u64> {
        match &self.decoder {
            Decoder::Plain(source) => source.size(),
            Decoder::Gzip(_) | Decoder::Zstandard(_) => None,
        }
    }
}

fn truncated(compression: Compression, offset: u64) -> Error {
    let name = compression.name();
    let message = format!("the {name} stream ends in the middle, at byte {offset} of the file");
    at_compressed_byte(message, offset)
        .with_hint("the upload was cut short, or is still going on: upload the file again")
}

fn corrupt(compression: Compression, offset: u64, cause: std::io::Error) -> Error {
    let name = compression.name();
    let message = format!("the {name} stream is corrupt near byte {offset} of the file");
    at_compressed_byte(message, offset)
        .with_hint(format!("test the file with `{name} -t`, and upload it again"))
        .caused_by(cause)
}

fn at_compressed_byte(message: String, offset: u64) -> Error {
    Error::new(ErrorKind::MalformedFile, message).with("compressed_byte", offset.to_string())
}
