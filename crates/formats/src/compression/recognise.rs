//! Which compression a file has, by its first bytes or by a name.
//!
//! Invariant: plain text is never taken for compressed: a signature made of
//! letters (bzip2's) counts only with the binary mark behind it.

use decant_core::{Error, ErrorKind, Result};

/// Bytes that tell every known compression from the others.
pub(crate) const MAGIC_BYTES: usize = 10;

const XZ: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
const LZ4: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
const SNAPPY: [u8; 10] = [0xff, 0x06, 0, 0, b's', b'N', b'a', b'P', b'p', b'Y'];
/// What follows `BZh` and the block size: a block, or the end of the stream.
const BZIP2_MARKS: [[u8; 6]; 2] =
    [[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]];

/// How a file's bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstandard,
    /// Streams of `bzip2`.
    Bzip2,
    /// The `.xz` format of XZ Utils.
    Xz,
    /// LZ4 frames.
    Lz4,
    /// The framing format of Snappy.
    Snappy,
    /// RFC 7932.
    Brotli,
    /// RFC 1951, as zip archives hold it.
    Deflate,
}

use Compression::{Brotli, Bzip2, Deflate, Gzip, Lz4, None as Plain, Snappy, Xz, Zstandard};

/// Names of the compressions, the one of messages first, and the endings of
/// files that have them.
const NAMES: [(Compression, &[&str], &[&str]); 9] = [
    (Plain, &["none", "plain"], &[]),
    (Gzip, &["gzip", "gz"], &["gz", "gzip"]),
    (Zstandard, &["zstd", "zst", "zstandard"], &["zst", "zstd"]),
    (Bzip2, &["bzip2", "bz2"], &["bz2", "bzip2"]),
    (Xz, &["xz"], &["xz"]),
    (Lz4, &["lz4"], &["lz4"]),
    (Snappy, &["snappy", "sz"], &["sz", "snappy"]),
    (Brotli, &["brotli", "br"], &["br"]),
    (Deflate, &["deflate"], &[]),
];

impl Compression {
    /// Recognises the compression by a file's first ten bytes, or by all of
    /// them when it is shorter.
    ///
    /// What can only be the beginning of a cut file counts as one. A lone `(`
    /// (zstd's first byte) or `BZh` is text.
    pub fn recognise(start: &[u8]) -> Self {
        match start {
            [0x1f] | [0x1f, 0x8b, ..] => Gzip,
            [0x28, 0xb5] | [0x28, 0xb5, 0x2f] | [0x28, 0xb5, 0x2f, 0xfd, ..] => Zstandard,
            // A skippable frame: lz4 has them too, and hands over to zstd.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Lz4,
            [b'B', b'Z', b'h', b'1'..=b'9', mark @ ..]
                if BZIP2_MARKS.iter().any(|known| begins(mark, known, 0)) =>
            {
                Bzip2
            }
            _ if begins(start, &XZ, 3) => Xz,
            _ if begins(start, &LZ4, 2) => Lz4,
            _ if begins(start, &SNAPPY, 2) => Snappy,
            _ => Plain,
        }
    }

    /// The compression that somebody called `name`.
    ///
    /// Errors: `InvalidConfig` when there is none of that name.
    pub fn named(name: &str) -> Result<Self> {
        let wanted = name.to_ascii_lowercase();
        let known = NAMES.iter().find(|(_, names, _)| names.contains(&wanted.as_str()));
        known.map(|(compression, ..)| *compression).ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(_, names, _)| names[0]).collect();
            Error::new(ErrorKind::InvalidConfig, format!("there is no compression `{name}`"))
                .with_hint(format!("choose one of auto, {}", names.join(", ")))
        })
    }

    /// The compression that an ending of a file name (in lower case, without
    /// its dot) promises.
    pub fn of_ending(ending: &str) -> Option<Self> {
        let known = NAMES.iter().find(|(_, _, endings)| endings.contains(&ending));
        known.map(|(compression, ..)| *compression)
    }

    /// The name in messages.
    pub(super) fn name(self) -> &'static str {
        let known = NAMES.iter().find(|(compression, ..)| *compression == self);
        known.map_or("plain", |(_, names, _)| names[0])
    }

    /// What a user may type to test such a file.
    pub(super) fn test_command(self) -> Option<&'static str> {
        match self {
            Gzip => Some("gzip -t"),
            Zstandard => Some("zstd -t"),
            Bzip2 => Some("bzip2 -t"),
            Xz => Some("xz -t"),
            Lz4 => Some("lz4 -t"),
            Brotli => Some("brotli -t"),
            Plain | Snappy | Deflate => None,
        }
    }
}

/// Whether `start` is `magic`, or the first bytes of it, at least
/// `bytes_min`.
fn begins(start: &[u8], magic: &[u8], bytes_min: usize) -> bool {
    let compared = start.len().min(magic.len());
    compared >= bytes_min && start[..compared] == magic[..compared]
}
