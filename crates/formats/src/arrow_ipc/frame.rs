//! One message: its metadata and its body, checked before anything is built.

use std::io::{Read, copy, sink};

use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::{
    Block, CompressionType, Message as Flat, MessageHeader, MetadataVersion, RecordBatch,
    root_as_message,
};
use arrow_schema::Schema;
use bytes::{Bytes, BytesMut};
use decant_core::{Error, ErrorKind, Result};

use super::{broken, damaged};
use crate::pull::Pull;

const CONTINUATION: [u8; 4] = [0xff; 4];
/// The continuation marker and the metadata's length.
const HEAD_BYTES: usize = 8;
/// The length that stands before a packed buffer.
const LENGTH_BYTES: usize = 8;
/// That length for a buffer that is not packed.
const NOT_PACKED: i64 = -1;
/// Rows of one batch; what is beyond was never written.
const ROWS_MAX: i64 = 1 << 31;

/// A message, as it is stored.
pub(super) struct Frame {
    /// The head, the metadata and the body.
    buffer: Buffer,
    metadata_bytes: usize,
}

impl Frame {
    /// The next message; `None` at the end.
    pub(super) fn next(pull: &mut Pull<'_>, bytes_max: u64) -> Result<Option<Self>> {
        if pull.is_at_end()? {
            return Ok(None);
        }
        let first = pull.exactly(4)?;
        Self::starting_with(&first, pull, bytes_max)
    }

    /// The message whose first four bytes have been read.
    pub(super) fn starting_with(
        first: &Bytes,
        pull: &mut Pull<'_>,
        bytes_max: u64,
    ) -> Result<Option<Self>> {
        // Old writers left the marker out.
        let length = if first.as_ref() == CONTINUATION { pull.exactly(4)? } else { first.clone() };
        let length = <[u8; 4]>::try_from(length.as_ref()).map(i32::from_le_bytes);
        let length = length.ok().and_then(|length| u64::try_from(length).ok());
        let length = length.ok_or_else(|| broken("a message's length is negative"))?;
        if length == 0 {
            return Ok(None);
        }
        check_size(length, bytes_max)?;
        let metadata = pull.exactly(length as usize)?;
        let flat = flat(&metadata)?;
        let body = u64::try_from(flat.bodyLength());
        let body = body.map_err(|_| broken("a body's length is negative"))?;
        check_size(length.saturating_add(body), bytes_max)?;
        let body = pull.exactly(body as usize)?;
        check_unpacked(&flat, &body, bytes_max)?;
        let mut whole = BytesMut::with_capacity(HEAD_BYTES + metadata.len() + body.len());
        whole.extend_from_slice(&CONTINUATION);
        whole.extend_from_slice(&(length as u32).to_le_bytes());
        whole.extend_from_slice(&metadata);
        whole.extend_from_slice(&body);
        let buffer = Buffer::from(whole.freeze());
        Ok(Some(Self { buffer, metadata_bytes: HEAD_BYTES + metadata.len() }))
    }

    fn flat(&self) -> Option<Flat<'_>> {
        root_as_message(self.buffer.get(HEAD_BYTES..self.metadata_bytes)?).ok()
    }

    /// What the message holds.
    pub(super) fn kind(&self) -> Option<MessageHeader> {
        self.flat().map(|flat| flat.header_type())
    }

    /// The version of the format that its writer followed.
    pub(super) fn version(&self) -> Option<MetadataVersion> {
        self.flat().map(|flat| flat.version())
    }

    /// The schema that it holds.
    pub(super) fn schema(&self) -> Result<Schema> {
        let schema = self.flat().and_then(|flat| flat.header_as_schema());
        let schema = schema.ok_or_else(|| broken("it does not begin with a schema"))?;
        try_fb_to_schema(schema).map_err(damaged)
    }

    /// The whole message.
    pub(super) fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// Where its parts stand, as an index would tell it.
    pub(super) fn block(&self) -> Result<Block> {
        let metadata = i32::try_from(self.metadata_bytes);
        let body = i64::try_from(self.buffer.len() - self.metadata_bytes);
        match (metadata, body) {
            (Ok(metadata), Ok(body)) => Ok(Block::new(0, metadata, body)),
            _ => Err(broken("a message is too long")),
        }
    }
}

fn flat(metadata: &[u8]) -> Result<Flat<'_>> {
    root_as_message(metadata).map_err(|error| broken(&format!("a message is not right: {error}")))
}

fn check_size(bytes: u64, bytes_max: u64) -> Result<()> {
    if bytes <= bytes_max {
        return Ok(());
    }
    let message = format!(
        "a batch of the Arrow file takes {bytes} bytes, more than the {bytes_max} bytes of memory \
         that one file may take"
    );
    Err(Error::new(ErrorKind::Unsupported, message).with_hint(
        "allow more with the format's `memory_bytes`, or write the file in smaller batches",
    ))
}

/// What packed buffers say that they unpack to, and that those that could
/// unpack to more do not.
fn check_unpacked(flat: &Flat<'_>, body: &[u8], bytes_max: u64) -> Result<()> {
    let batch = flat
        .header_as_record_batch()
        .or_else(|| flat.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()));
    let Some(batch) = batch else { return Ok(()) };
    if !(0..=ROWS_MAX).contains(&batch.length()) {
        return Err(broken("a batch's number of rows is not possible"));
    }
    let Some(compression) = batch.compression() else { return Ok(()) };
    let is_lz4 = compression.codec() == CompressionType::LZ4_FRAME;
    let mut sum = body.len() as u64;
    for packed in packed_buffers(&batch, body) {
        let Some((length, packed)) = packed?.split_first_chunk::<LENGTH_BYTES>() else {
            continue;
        };
        let length = i64::from_le_bytes(*length);
        if length == NOT_PACKED {
            continue;
        }
        let length = u64::try_from(length).map_err(|_| broken("a buffer's length is negative"))?;
        sum = sum.saturating_add(length);
        check_size(sum, bytes_max)?;
        if is_lz4 && unpacks_beyond(packed, length) {
            return Err(broken("a buffer unpacks to more than it says"));
        }
    }
    Ok(())
}

fn packed_buffers<'b>(
    batch: &RecordBatch<'b>,
    body: &'b [u8],
) -> impl Iterator<Item = Result<&'b [u8]>> + use<'b> {
    batch.buffers().into_iter().flatten().map(|buffer| {
        let start = usize::try_from(buffer.offset()).ok();
        let length = usize::try_from(buffer.length()).ok();
        let range = start.zip(length).and_then(|(start, length)| {
            start.checked_add(length).and_then(|end| body.get(start..end))
        });
        range.ok_or_else(|| broken("a buffer lies outside of its body"))
    })
}

fn unpacks_beyond(packed: &[u8], length: u64) -> bool {
    let mut decoder = lz4_flex::frame::FrameDecoder::new(packed).take(length.saturating_add(1));
    // What cannot be unpacked is found when it is.
    copy(&mut decoder, &mut sink()).is_ok_and(|unpacked| unpacked > length)
}
