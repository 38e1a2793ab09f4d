//! When a compressed file is taken for a bomb.
//!
//! Invariant: judged after every chunk, so that no more than one chunk beyond
//! a limit is ever decompressed.

use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Result};

use super::Compression;

/// Bytes from which on a ratio that somebody gave is judged.
const GIVEN_RATIO_FROM_BYTES: u64 = 1 << 20;

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

impl Limits {
    /// The limits of `options`, the defaults where they are silent. A ratio
    /// that is given is judged from the first MiB on.
    pub fn of(options: &FormatOptions) -> Self {
        let default = Self::default();
        Self {
            bytes_max: options.decompressed_bytes_max.unwrap_or(default.bytes_max),
            ratio_max: options.decompression_ratio_max.unwrap_or(default.ratio_max),
            ratio_from_bytes: match options.decompression_ratio_max {
                Some(_) => GIVEN_RATIO_FROM_BYTES,
                None => default.ratio_from_bytes,
            },
        }
    }

    /// Refuses what has grown too much.
    pub(crate) fn check(
        &self,
        bytes_in: u64,
        bytes_out: u64,
        compression: Compression,
    ) -> Result<()> {
        let by_ratio = bytes_in.max(1).saturating_mul(self.ratio_max).max(self.ratio_from_bytes);
        let allowed = self.bytes_max.min(by_ratio);
        if bytes_out <= allowed {
            return Ok(());
        }
        let message = format!(
            "{bytes_in} bytes of {} have grown to more than {allowed} bytes, which looks like a \
             decompression bomb",
            compression.name()
        );
        let option = if allowed < self.bytes_max {
            "decompression_ratio_max"
        } else {
            "decompressed_bytes_max"
        };
        Err(Error::new(ErrorKind::MalformedFile, message)
            .with_hint(format!("if the file is what it should be, raise `{option}`")))
    }
}
