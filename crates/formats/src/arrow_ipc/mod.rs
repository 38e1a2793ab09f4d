//! Arrow IPC: streams, files and Feather (version 2, which is such a file).
//!
//! A file is a stream between magic bytes, with an index behind it that a
//! reader from front to back does not need:
//! <https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format>.
//!
//! - [`frame`]: one message, its sizes checked before anything is built.
//!
//! Its invariant: a message takes no more memory than `memory_bytes`, stored
//! and unpacked together, whatever its lengths say.

mod frame;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::reader::FileDecoder;
use arrow_ipc::{MessageHeader, MetadataVersion};
use arrow_schema::ArrowError;
use bytes::Bytes;
use decant_core::format::{Format, Input, Piece, Receiver, Sample, SampleLimits};
use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Result};

use self::frame::Frame;
use crate::arrow::in_order::{self, Batches};
use crate::arrow::source::SourceColumns;
use crate::pull::Pull;

/// What the first bytes of a file (not of a stream) are.
pub(crate) const MAGIC: &[u8] = b"ARROW1";
const MAGIC_AND_PADDING: usize = 8;
/// Words of zeros that some writers put behind the magic bytes.
const PADDING_WORDS_MAX: usize = 16;
const FEATHER_V1_MAGIC: &[u8] = b"FEA1";
/// Bytes that one message may take, unless `memory_bytes` says otherwise.
const MEMORY_BYTES: u64 = 256 << 20;

/// Arrow IPC streams and files.
pub(crate) struct ArrowIpcFormat {
    memory_bytes: u64,
}

impl ArrowIpcFormat {
    /// A format with a stream's options, of which it heeds `memory_bytes`.
    pub(crate) fn new(options: &FormatOptions) -> Self {
        Self { memory_bytes: options.memory_bytes.unwrap_or(MEMORY_BYTES) }
    }

    fn open<'i>(&self, input: &'i mut dyn Input) -> Result<Option<Frames<'i>>> {
        let mut pull = Pull::new(input);
        if pull.is_at_end()? {
            return Ok(None);
        }
        let first = pull.exactly(4)?;
        if first.as_ref() == FEATHER_V1_MAGIC {
            let message = "the file is Feather version 1, which decant cannot read";
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("write it again as version 2 (pyarrow's default) or as Parquet"));
        }
        let is_file = first.as_ref() == &MAGIC[..4];
        let first = if is_file { after_padding(&mut pull)? } else { first };
        let frame = Frame::starting_with(&first, &mut pull, self.memory_bytes)?;
        let schema = frame.filter(|frame| frame.kind() == Some(MessageHeader::Schema));
        let schema = schema.ok_or_else(|| broken("it does not begin with a schema"))?;
        let version = schema.version().unwrap_or(MetadataVersion::V5);
        let schema = Arc::new(schema.schema()?);
        let columns = SourceColumns::new(&schema)?;
        let decoder = FileDecoder::new(Arc::clone(&schema), version);
        Ok(Some(Frames { pull, decoder, columns, is_file, memory_bytes: self.memory_bytes }))
    }
}

/// The batches of one file.
struct Frames<'i> {
    pull: Pull<'i>,
    decoder: FileDecoder,
    columns: SourceColumns,
    is_file: bool,
    memory_bytes: u64,
}

impl Batches for Frames<'_> {
    fn columns(&self) -> &SourceColumns {
        &self.columns
    }

    fn next(&mut self) -> Result<Option<(RecordBatch, u64)>> {
        loop {
            let before = self.pull.passed();
            let Some(frame) = Frame::next(&mut self.pull, self.memory_bytes)? else {
                if self.is_file {
                    self.check_end()?;
                }
                return Ok(None);
            };
            match frame.kind() {
                Some(MessageHeader::DictionaryBatch) => {
                    let read = self.decoder.read_dictionary(&frame.block()?, frame.buffer());
                    read.map_err(damaged)?;
                }
                Some(MessageHeader::RecordBatch) => {
                    let batch = self.decoder.read_record_batch(&frame.block()?, frame.buffer());
                    if let Some(batch) = batch.map_err(damaged)? {
                        return Ok(Some((batch, self.pull.passed() - before)));
                    }
                }
                _ => return Err(broken("it has a message that is neither rows nor a dictionary")),
            }
        }
    }
}

impl Frames<'_> {
    /// A file ends in its index and the magic bytes again.
    fn check_end(&mut self) -> Result<()> {
        let mut last = Vec::new();
        while !self.pull.is_at_end()? {
            last.push(self.pull.exactly(1)?[0]);
            if last.len() > 4096 {
                last.drain(..4096 - MAGIC.len());
            }
        }
        match last.ends_with(MAGIC) {
            true => Ok(()),
            false => Err(broken("it does not end as it should: was it cut off?")),
        }
    }
}

impl Format for ArrowIpcFormat {
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample> {
        in_order::sample(self.open(input)?, limits)
    }

    fn decode(&self, _: &Piece, input: &mut dyn Input, receiver: &mut dyn Receiver) -> Result<()> {
        in_order::decode(self.open(input)?, receiver)
    }
}

/// Passes over the magic bytes, whose first four have been read, and what
/// aligns the first message, of which the first four bytes come back.
fn after_padding(pull: &mut Pull<'_>) -> Result<Bytes> {
    pull.exactly(MAGIC_AND_PADDING - 4)?;
    let mut word = pull.exactly(4)?;
    for _ in 0..PADDING_WORDS_MAX {
        if word.iter().any(|byte| *byte != 0) {
            break;
        }
        word = pull.exactly(4)?;
    }
    Ok(word)
}

fn damaged(error: ArrowError) -> Error {
    let message = format!("the Arrow file is damaged: {error}");
    Error::new(ErrorKind::MalformedFile, message)
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::MalformedFile, format!("the Arrow file is damaged: {what}"))
}
