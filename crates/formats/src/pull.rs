//! Exact numbers of bytes out of an input's chunks, for binary formats that
//! are read from front to back.
//!
//! It allocates what is there, never what a length promises.

use bytes::{Bytes, BytesMut};
use decant_core::format::Input;
use decant_core::{Error, ErrorKind, Result};

/// An input that is read byte by byte, or by so many bytes.
pub(crate) struct Pull<'i> {
    input: &'i mut dyn Input,
    chunk: Bytes,
    passed: u64,
}

impl<'i> Pull<'i> {
    pub(crate) fn new(input: &'i mut dyn Input) -> Self {
        Self { input, chunk: Bytes::new(), passed: 0 }
    }

    /// Bytes that were handed out.
    pub(crate) fn passed(&self) -> u64 {
        self.passed
    }

    /// Whether there are no more bytes.
    pub(crate) fn is_at_end(&mut self) -> Result<bool> {
        while self.chunk.is_empty() {
            match self.input.next_chunk()? {
                Some(chunk) => self.chunk = chunk,
                None => return Ok(true),
            }
        }
        Ok(false)
    }

    /// The next so many bytes.
    ///
    /// Errors: `MalformedFile` when there are fewer.
    pub(crate) fn exactly(&mut self, count: usize) -> Result<Bytes> {
        if count == 0 {
            return Ok(Bytes::new());
        }
        if self.is_at_end()? {
            return Err(self.cut_off());
        }
        if self.chunk.len() >= count {
            self.passed += count as u64;
            return Ok(self.chunk.split_to(count));
        }
        let mut joined = BytesMut::new();
        while joined.len() < count {
            if self.is_at_end()? {
                return Err(self.cut_off());
            }
            let part = self.chunk.len().min(count - joined.len());
            joined.extend_from_slice(&self.chunk.split_to(part));
            self.passed += part as u64;
        }
        Ok(joined.freeze())
    }

    fn cut_off(&self) -> Error {
        let message =
            format!("the file ends after {} bytes, in the middle of something", self.passed);
        Error::new(ErrorKind::MalformedFile, message).with_hint("was it uploaded whole?")
    }
}
