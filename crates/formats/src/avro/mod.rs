//! Avro object containers:
//! <https://avro.apache.org/docs/1.12.0/specification/#object-container-files>.
//!
//! - [`container`]: the file's blocks, unpacked within the memory bound.
//!
//! The arrow-avro crate turns blocks into arrays; it gets them unpacked, since
//! it would unpack whatever a block says. Its invariant: a block takes no more
//! memory than `memory_bytes`.

mod container;
#[cfg(test)]
mod tests;

use arrow_array::RecordBatch;
use arrow_avro::reader::ReaderBuilder;
use arrow_schema::ArrowError;
use decant_core::format::{Format, Input, Piece, Receiver, Sample, SampleLimits};
use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Result};

use self::container::{Block, Container};
use crate::arrow::in_order::{self, Batches};
use crate::arrow::source::SourceColumns;

/// What the first bytes of a container are.
pub(crate) const MAGIC: &[u8] = b"Obj\x01";
/// Bytes that a block may take, unless `memory_bytes` says otherwise.
const MEMORY_BYTES: u64 = 256 << 20;

/// Avro object containers.
pub(crate) struct AvroFormat {
    memory_bytes: u64,
}

impl AvroFormat {
    /// A format with a stream's options, of which it heeds `memory_bytes`.
    pub(crate) fn new(options: &FormatOptions) -> Self {
        Self { memory_bytes: options.memory_bytes.unwrap_or(MEMORY_BYTES) }
    }

    fn open<'i>(&self, input: &'i mut dyn Input) -> Result<Option<Blocks<'i>>> {
        let Some(container) = Container::open(input, self.memory_bytes)? else { return Ok(None) };
        let reader = ReaderBuilder::new().build(container.header()).map_err(damaged)?;
        let columns = SourceColumns::new(&reader.schema())?;
        Ok(Some(Blocks { container, columns }))
    }
}

/// The batches of one container: one a block.
struct Blocks<'i> {
    container: Container<'i>,
    columns: SourceColumns,
}

impl Batches for Blocks<'_> {
    fn columns(&self) -> &SourceColumns {
        &self.columns
    }

    fn next(&mut self) -> Result<Option<(RecordBatch, u64)>> {
        let Some(Block { container, rows, bytes }) = self.container.next()? else {
            return Ok(None);
        };
        // The reader never ends where a block has more bytes than its rows
        // take: it is asked for one batch, of all rows, and no more.
        let reader = ReaderBuilder::new().with_batch_size(rows).build(container.as_slice());
        match reader.map_err(damaged)?.next() {
            Some(Ok(batch)) if batch.num_rows() == rows => Ok(Some((batch, bytes))),
            Some(Err(error)) => Err(damaged(error)),
            _ => Err(broken("a block has fewer rows than it says")),
        }
    }
}

impl Format for AvroFormat {
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample> {
        in_order::sample(self.open(input)?, limits)
    }

    fn decode(&self, _: &Piece, input: &mut dyn Input, receiver: &mut dyn Receiver) -> Result<()> {
        in_order::decode(self.open(input)?, receiver)
    }
}

fn damaged(error: ArrowError) -> Error {
    Error::new(ErrorKind::MalformedFile, format!("the Avro file is damaged: {error}"))
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::MalformedFile, format!("the Avro file is damaged: {what}"))
}
