//! The bytes of one member, checked against what the archive says of it.
//!
//! Invariant: as many bytes as were promised, with the promised checksum, or
//! an error; and no byte is delivered beyond what was promised.

use std::ops::Range;

use bytes::Bytes;
use decant_core::Result;
use decant_core::format::Input;
use flate2::Crc;

use super::malformed;
use super::ranges::no_ranges;

/// A member being read.
pub(super) struct MemberInput<'i> {
    bytes: Box<dyn Input + 'i>,
    size: u64,
    delivered: u64,
    checksum: Option<(Crc, u32)>,
    is_checked: bool,
}

impl<'i> MemberInput<'i> {
    /// `bytes`, of which there must be `size`, with the CRC-32 `crc` where
    /// the archive has one.
    pub(super) fn new(bytes: Box<dyn Input + 'i>, size: u64, crc: Option<u32>) -> Self {
        let checksum = crc.map(|crc| (Crc::new(), crc));
        Self { bytes, size, delivered: 0, checksum, is_checked: false }
    }

    fn check_end(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.is_checked, true) {
            return Ok(());
        }
        if self.delivered < self.size {
            return Err(malformed(format!(
                "the member ends after {} bytes, and the archive says that it has {}",
                self.delivered, self.size
            )));
        }
        match &self.checksum {
            Some((found, promised)) if found.sum() != *promised => {
                Err(malformed("the member's bytes do not have the checksum that the archive says"))
            }
            _ => Ok(()),
        }
    }
}

impl Input for MemberInput<'_> {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let Some(chunk) = self.bytes.next_chunk()? else {
            self.check_end()?;
            return Ok(None);
        };
        self.delivered += chunk.len() as u64;
        if self.delivered > self.size {
            return Err(malformed(format!(
                "the member grows beyond the {} bytes that the archive says it has",
                self.size
            )));
        }
        if let Some((found, _)) = &mut self.checksum {
            found.update(&chunk);
        }
        Ok(Some(chunk))
    }

    fn range(&mut self, _: Range<u64>) -> Result<Bytes> {
        Err(no_ranges())
    }

    fn size(&self) -> Option<u64> {
        Some(self.size)
    }
}
