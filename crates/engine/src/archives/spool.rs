//! Bytes that are kept to be read again: a few in memory, more in a file that
//! has no name and is gone with its last reader.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use decant_core::{Error, ErrorKind, Input, Result};

/// Bytes that are kept in memory.
const MEMORY_BYTES_MAX: usize = 256 << 10;
/// Bytes of temporary space for one archive, or one member.
const FILE_BYTES_MAX: u64 = 64 << 30;
/// Bytes of a chunk when they are read in order.
const CHUNK_BYTES: u64 = 256 << 10;

/// Bytes that are kept.
pub(super) struct Spool {
    place: Place,
    size: u64,
}

enum Place {
    Memory(Bytes),
    File(File),
}

impl Spool {
    /// Keeps all that is left of `input`.
    ///
    /// Errors: those of the input; `Unsupported` beyond the bound;
    /// `Unavailable` when there is no room for it.
    pub(super) fn fill(input: &mut dyn Input) -> Result<Self> {
        let mut memory = Vec::new();
        let mut file: Option<File> = None;
        let mut size = 0_u64;
        while let Some(chunk) = input.next_chunk()? {
            size += chunk.len() as u64;
            if size > FILE_BYTES_MAX {
                return Err(too_large());
            }
            match &mut file {
                Some(file) => file.write_all(&chunk).map_err(no_room)?,
                None if memory.len() + chunk.len() <= MEMORY_BYTES_MAX => {
                    memory.extend_from_slice(&chunk);
                }
                None => {
                    let mut new = tempfile::tempfile().map_err(no_room)?;
                    new.write_all(&memory).map_err(no_room)?;
                    new.write_all(&chunk).map_err(no_room)?;
                    memory = Vec::new();
                    file = Some(new);
                }
            }
        }
        let place = file.map_or_else(|| Place::Memory(memory.into()), Place::File);
        Ok(Self { place, size })
    }

    /// Bytes of temporary space that it takes.
    pub(super) fn file_bytes(&self) -> u64 {
        match self.place {
            Place::Memory(_) => 0,
            Place::File(_) => self.size,
        }
    }

    /// Exactly the bytes of `range`.
    pub(super) fn range(&self, range: Range<u64>) -> Result<Bytes> {
        if range.start > range.end || range.end > self.size {
            return Err(Error::new(ErrorKind::MalformedFile, "the archive ends too early"));
        }
        match &self.place {
            Place::Memory(bytes) => Ok(bytes.slice(range.start as usize..range.end as usize)),
            Place::File(file) => {
                let mut bytes = vec![0; (range.end - range.start) as usize];
                file.read_exact_at(&mut bytes, range.start).map_err(|cause| {
                    let message = "temporary space cannot be read";
                    Error::new(ErrorKind::Unavailable, message).caused_by(cause)
                })?;
                Ok(bytes.into())
            }
        }
    }
}

/// A reader of kept bytes.
pub(super) struct SpoolInput {
    spool: Arc<Spool>,
    next: u64,
}

impl SpoolInput {
    pub(super) fn new(spool: Arc<Spool>) -> Self {
        Self { spool, next: 0 }
    }
}

impl Input for SpoolInput {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let end = self.spool.size.min(self.next + CHUNK_BYTES);
        let chunk = self.spool.range(self.next..end)?;
        self.next = end;
        Ok((!chunk.is_empty()).then_some(chunk))
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        self.spool.range(range)
    }

    fn size(&self) -> Option<u64> {
        Some(self.spool.size)
    }
}

fn too_large() -> Error {
    let message =
        format!("unpacked, the archive takes more than {FILE_BYTES_MAX} bytes of temporary space");
    Error::new(ErrorKind::Unsupported, message)
        .with_hint("pack it as a zip, whose members are read where they are, or in parts")
}

fn no_room(cause: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "an archive cannot be unpacked into temporary space")
        .with_hint("set TMPDIR to a folder with room for the archive's contents")
        .caused_by(cause)
}
