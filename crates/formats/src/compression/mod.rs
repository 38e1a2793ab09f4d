//! Decompression of whole files, recognised by their first bytes whatever
//! their names say: gzip with all its members, zstd and lz4 with all their
//! frames, bzip2 and xz with all their streams, framed snappy, or nothing at
//! all. Brotli has nothing to be recognised by and must be named.
//!
//! Not here: archives (several files in one) and compression inside a format
//! (Parquet's pages). No I/O either: bytes come from an [`Input`], and what
//! comes out is an [`Input`] again.
//!
//! Invariant: memory is bounded by one chunk in, one chunk out and the window
//! of the decoder, and an `Ok(None)` means that the compressed stream was
//! whole and sound as far as its format can tell: framed snappy has no end
//! that could be missing, brotli no checksum.

mod brotli;
mod bzip2;
mod deflate;
mod framed;
mod gzip;
mod limits;
mod pushed;
mod recognise;
mod source;
#[cfg(test)]
mod tests;
mod xz;
mod zstandard;

use std::ops::Range;

use bytes::Bytes;
use decant_core::format::Input;
use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Result};

pub use limits::Limits;
pub use recognise::Compression;

use gzip::Gzip;
use pushed::Pushed;
pub(crate) use recognise::MAGIC_BYTES;
use source::Source;

/// Bytes of a chunk of decompressed output.
const CHUNK_BYTES: usize = 256 << 10;

/// What a file's options say about its compression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unpacking {
    /// The compression that somebody named; `None` leaves it to the bytes.
    pub named: Option<Compression>,
    /// When a file is taken for a bomb.
    pub limits: Limits,
}

impl Unpacking {
    /// Reads the options.
    ///
    /// Errors: `InvalidConfig` for a compression that does not exist.
    pub fn of(options: &FormatOptions) -> Result<Self> {
        let named = match options.compression.as_deref() {
            None => None,
            Some(name) if name.eq_ignore_ascii_case("auto") => None,
            Some(name) => Some(Compression::named(name)?),
        };
        Ok(Self { named, limits: Limits::of(options) })
    }

    /// What is read by its bytes alone.
    pub(crate) fn is_told_by(self, start: &[u8]) -> Compression {
        match self.named {
            None => Compression::recognise(start),
            // Nothing tells brotli, so that what can be told is not brotli.
            Some(Compression::Brotli) => match Compression::recognise(start) {
                Compression::None => Compression::Brotli,
                other => other,
            },
            Some(named) => named,
        }
    }
}

/// A file's bytes after decompression.
///
/// Errors, besides those of the input itself: `MalformedFile` when the stream
/// is cut or corrupt, with the offset in the compressed file as the fact
/// `compressed_byte`, or when it grows beyond the limits; `Unsupported` when
/// it asks for a window that would not fit the memory.
pub struct Decompressed<'i> {
    compression: Compression,
    decoder: Decoder<'i>,
    limits: Limits,
    bytes_out: u64,
}

enum Decoder<'i> {
    Plain(Source<'i>),
    Packed(Box<dyn Decode + 'i>),
}

/// A compressed stream being read.
trait Decode: Send {
    /// Fills some of `output`, which is not empty; 0 at the end of the file.
    fn read(&mut self, output: &mut [u8]) -> Result<usize>;

    /// Compressed bytes taken so far.
    fn offset(&self) -> u64;
}

impl<'i> Decompressed<'i> {
    /// Looks at the first bytes of `input`, which starts at the file's
    /// beginning.
    pub fn new(input: &'i mut dyn Input, limits: Limits) -> Result<Self> {
        Self::of(Box::new(input), &Unpacking { named: None, limits })
    }

    /// Reads `input`, which starts at the file's beginning, as `unpacking`
    /// says.
    pub fn of(input: Box<dyn Input + 'i>, unpacking: &Unpacking) -> Result<Self> {
        let mut source = Source::new(input);
        let compression = unpacking.is_told_by(source.peek(MAGIC_BYTES)?);
        let decoder: Box<dyn Decode + 'i> = match compression {
            Compression::None => {
                return Ok(Self {
                    compression,
                    decoder: Decoder::Plain(source),
                    limits: unpacking.limits,
                    bytes_out: 0,
                });
            }
            Compression::Gzip => Box::new(Gzip::new(source)),
            Compression::Zstandard => Box::new(Pushed::new(source, zstandard::Frames::new()?)),
            Compression::Bzip2 => Box::new(Pushed::new(source, bzip2::Streams::new())),
            Compression::Xz => Box::new(Pushed::new(source, xz::Streams::new()?)),
            Compression::Brotli => Box::new(Pushed::new(source, brotli::Stream::new())),
            Compression::Deflate => Box::new(Pushed::new(source, deflate::Stream::new())),
            Compression::Lz4 => Box::new(framed::Lz4::new(source)),
            Compression::Snappy => Box::new(framed::Snappy::new(source)),
        };
        let decoder = Decoder::Packed(decoder);
        Ok(Self { compression, decoder, limits: unpacking.limits, bytes_out: 0 })
    }

    /// How the file is compressed.
    pub fn compression(&self) -> Compression {
        self.compression
    }
}

/// Fills one chunk; `None` at the end.
fn read_chunk(decoder: &mut dyn Decode) -> Result<Option<Bytes>> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut filled = 0;
    while filled < chunk.len() {
        match decoder.read(&mut chunk[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    chunk.truncate(filled);
    Ok((filled > 0).then(|| Bytes::from(chunk)))
}

impl Input for Decompressed<'_> {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let decoder = match &mut self.decoder {
            Decoder::Plain(source) => return source.next_chunk(),
            Decoder::Packed(decoder) => decoder,
        };
        let chunk = read_chunk(decoder.as_mut())?;
        self.bytes_out += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        self.limits.check(decoder.offset(), self.bytes_out, self.compression)?;
        Ok(chunk)
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        match &mut self.decoder {
            Decoder::Plain(source) => source.range(range),
            Decoder::Packed(_) => {
                let message = "a compressed file has no ranges that could be read by themselves";
                Err(Error::new(ErrorKind::Unsupported, message))
            }
        }
    }

    fn size(&self) -> Option<u64> {
        match &self.decoder {
            Decoder::Plain(source) => source.size(),
            Decoder::Packed(_) => None,
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
    let message =
        format!("the {} stream is corrupt near byte {offset} of the file", compression.name());
    let hint = match compression.test_command() {
        Some(command) => format!("test the file with `{command}`, and upload it again"),
        None => "decompress the file elsewhere to test it, and upload it again".to_owned(),
    };
    at_compressed_byte(message, offset).with_hint(hint).caused_by(cause)
}

fn at_compressed_byte(message: String, offset: u64) -> Error {
    Error::new(ErrorKind::MalformedFile, message).with("compressed_byte", offset.to_string())
}
