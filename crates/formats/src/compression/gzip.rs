//! Gzip, member by member, as `gzip -d` reads it: all members are one stream,
//! zeros after the last one are padding, anything else there is corruption.

use std::io::{self, Read};

use decant_core::Result;
use flate2::bufread::GzDecoder;

use super::source::Source;
use super::{Compression, Decode, corrupt, truncated};

const FIRST_MAGIC_BYTE: u8 = 0x1f;

/// A gzip file being decompressed.
pub(super) struct Gzip<'i> {
    stage: Stage<'i>,
}

enum Stage<'i> {
    Member(Box<GzDecoder<Source<'i>>>),
    Ended(Source<'i>),
    /// Only while one of the others is being replaced.
    Moving,
}

impl<'i> Gzip<'i> {
    pub(super) fn new(source: Source<'i>) -> Self {
        Self { stage: Stage::Member(Box::new(GzDecoder::new(source))) }
    }

    fn leave_member(&mut self) -> Result<()> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Moving) {
            Stage::Member(decoder) => after_member(decoder.into_inner())?,
            stage => stage,
        };
        Ok(())
    }
}

impl Decode for Gzip<'_> {
    fn read(&mut self, output: &mut [u8]) -> Result<usize> {
        while let Stage::Member(decoder) = &mut self.stage {
            match decoder.read(output) {
                Ok(0) => self.leave_member()?,
                Ok(read) => return Ok(read),
                Err(cause) => return Err(explain(decoder.get_mut(), cause)),
            }
        }
        Ok(0)
    }

    fn offset(&self) -> u64 {
        match &self.stage {
            Stage::Member(decoder) => decoder.get_ref().offset(),
            Stage::Ended(source) => source.offset(),
            Stage::Moving => 0,
        }
    }
}

fn after_member(mut source: Source<'_>) -> Result<Stage<'_>> {
    match source.available()?.first() {
        Some(&FIRST_MAGIC_BYTE) => Ok(Stage::Member(Box::new(GzDecoder::new(source)))),
        _ => {
            skip_padding(&mut source)?;
            Ok(Stage::Ended(source))
        }
    }
}

fn skip_padding(source: &mut Source<'_>) -> Result<()> {
    loop {
        let available = source.available()?;
        let count = available.len();
        if count == 0 {
            return Ok(());
        }
        let zeros = available.iter().take_while(|byte| **byte == 0).count();
        source.take(zeros);
        if zeros < count {
            let cause = io::Error::other("bytes that are not gzip follow the last member");
            return Err(corrupt(Compression::Gzip, source.offset(), cause));
        }
    }
}

fn explain(source: &mut Source<'_>, cause: io::Error) -> decant_core::Error {
    if let Some(failure) = source.take_failure() {
        return failure;
    }
    match cause.kind() {
        io::ErrorKind::UnexpectedEof => truncated(Compression::Gzip, source.offset()),
        _ => corrupt(Compression::Gzip, source.offset(), cause),
    }
}
