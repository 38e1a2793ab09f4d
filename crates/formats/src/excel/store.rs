//! A workbook's bytes, wherever a reader asks for them, a few blocks of them
//! in memory.

use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use bytes::Bytes;
use decant_core::format::Input;
use decant_core::{Error, Result};

/// Bytes that are fetched together.
const BLOCK_BYTES: u64 = 1 << 20;
/// Blocks that are kept: of the index at the end, of strings and of a sheet.
const BLOCKS_MAX: usize = 4;

/// The bytes of one workbook.
pub(super) struct Store<'i> {
    input: &'i mut dyn Input,
    size: u64,
    at: u64,
    /// Numbers and bytes of blocks, the one that was used last at the end.
    blocks: Vec<(u64, Bytes)>,
    failure: Failure,
}

/// Why bytes could not be had, which is not the workbook's fault.
#[derive(Clone, Default)]
pub(super) struct Failure(Rc<RefCell<Option<Error>>>);

impl Failure {
    /// What went wrong: the error behind the one that a reader of the store
    /// made of it, else `otherwise`.
    pub(super) fn or(&self, otherwise: impl FnOnce() -> Error) -> Error {
        self.0.take().unwrap_or_else(otherwise)
    }
}

impl<'i> Store<'i> {
    pub(super) fn new(input: &'i mut dyn Input, size: u64) -> Self {
        Self { input, size, at: 0, blocks: Vec::new(), failure: Failure::default() }
    }

    pub(super) fn failure(&self) -> Failure {
        self.failure.clone()
    }

    /// The first bytes.
    pub(super) fn start(&mut self) -> Result<Bytes> {
        self.block(0)
    }

    fn block(&mut self, number: u64) -> Result<Bytes> {
        if let Some(at) = self.blocks.iter().position(|(known, _)| *known == number) {
            self.blocks[at..].rotate_left(1);
        } else {
            let start = number * BLOCK_BYTES;
            let bytes = self.input.range(start..(start + BLOCK_BYTES).min(self.size))?;
            if self.blocks.len() == BLOCKS_MAX {
                self.blocks.remove(0);
            }
            self.blocks.push((number, bytes));
        }
        Ok(self.blocks.last().map(|(_, bytes)| bytes.clone()).unwrap_or_default())
    }
}

impl Read for Store<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let block = match self.block(self.at / BLOCK_BYTES) {
            Ok(block) => block,
            Err(error) => {
                let said = io::Error::other(error.to_string());
                self.failure.0.replace(Some(error));
                return Err(said);
            }
        };
        let within = block.get((self.at % BLOCK_BYTES) as usize..).unwrap_or_default();
        let count = within.len().min(buffer.len());
        buffer[..count].copy_from_slice(&within[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Store<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (self.size, by),
            SeekFrom::Current(by) => (self.at, by),
        };
        let outside = || io::Error::new(io::ErrorKind::InvalidInput, "a place before the file");
        self.at = base.checked_add_signed(by).ok_or_else(outside)?;
        Ok(self.at)
    }
}
