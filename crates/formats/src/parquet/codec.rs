//! Unpacking one page, never beyond the size that its header says.

use std::io::Read;

use parquet::basic::Compression;
use parquet::errors::{ParquetError, Result};

/// Appends what `packed` unpacks to; exactly `bytes` of them.
///
/// Errors: when it is damaged, or unpacks to more or less than that.
pub(super) fn unpack(
    compression: Compression,
    packed: &[u8],
    bytes: usize,
    unpacked: &mut Vec<u8>,
) -> Result<()> {
    let before = unpacked.len();
    match compression {
        Compression::UNCOMPRESSED => unpacked.extend_from_slice(packed),
        Compression::SNAPPY => block(unpacked, bytes, |out| {
            let length = snap::raw::decompress_len(packed).map_err(broken)?;
            let out = out.get_mut(..length).ok_or_else(|| wrong_size(bytes))?;
            snap::raw::Decoder::new().decompress(packed, out).map_err(broken)
        })?,
        Compression::GZIP(_) => {
            stream(flate2::read::MultiGzDecoder::new(packed), bytes, unpacked)?;
        }
        Compression::BROTLI(_) => {
            stream(brotli::Decompressor::new(packed, BUFFER_BYTES), bytes, unpacked)?;
        }
        Compression::ZSTD(_) => {
            let decoder = zstd::stream::read::Decoder::with_buffer(packed);
            stream(decoder.map_err(broken)?, bytes, unpacked)?;
        }
        Compression::LZ4_RAW => block(unpacked, bytes, |out| {
            lz4_flex::block::decompress_into(packed, out).map_err(broken)
        })?,
        Compression::LZ4 => lz4(packed, bytes, unpacked)?,
        other => {
            let message = format!("pages packed with {other} cannot be read");
            return Err(ParquetError::NYI(message));
        }
    }
    if unpacked.len() - before == bytes { Ok(()) } else { Err(wrong_size(bytes)) }
}

const BUFFER_BYTES: usize = 4096;
/// Lengths before and after unpacking that Hadoop puts before each block.
const HADOOP_HEAD_BYTES: usize = 8;

fn block(
    unpacked: &mut Vec<u8>,
    bytes: usize,
    unpack: impl FnOnce(&mut [u8]) -> Result<usize>,
) -> Result<()> {
    let before = unpacked.len();
    unpacked.resize(before + bytes, 0);
    let count = unpack(unpacked.get_mut(before..).unwrap_or_default())?;
    unpacked.truncate(before + count);
    Ok(())
}

fn stream(decoder: impl Read, bytes: usize, unpacked: &mut Vec<u8>) -> Result<()> {
    decoder.take(bytes as u64 + 1).read_to_end(unpacked).map_err(broken)?;
    Ok(())
}

/// The codec that Parquet once called LZ4 is Hadoop's framing; some writers
/// meant the frame format by it, others bare blocks.
fn lz4(packed: &[u8], bytes: usize, unpacked: &mut Vec<u8>) -> Result<()> {
    let before = unpacked.len();
    if block(unpacked, bytes, |out| hadoop(packed, out)).is_ok() && unpacked.len() - before == bytes
    {
        return Ok(());
    }
    unpacked.truncate(before);
    if stream(lz4_flex::frame::FrameDecoder::new(packed), bytes, unpacked).is_ok()
        && unpacked.len() - before == bytes
    {
        return Ok(());
    }
    unpacked.truncate(before);
    block(unpacked, bytes, |out| lz4_flex::block::decompress_into(packed, out).map_err(broken))
}

fn hadoop(mut packed: &[u8], out: &mut [u8]) -> Result<usize> {
    let mut written = 0;
    while let Some((head, rest)) = packed.split_first_chunk::<HADOOP_HEAD_BYTES>() {
        let [u0, u1, u2, u3, p0, p1, p2, p3] = *head;
        let unpacked = u32::from_be_bytes([u0, u1, u2, u3]) as usize;
        let length = u32::from_be_bytes([p0, p1, p2, p3]) as usize;
        let (block, rest) = rest.split_at_checked(length).ok_or_else(|| wrong_size(length))?;
        let place = out.get_mut(written..).and_then(|out| out.get_mut(..unpacked));
        let place = place.ok_or_else(|| wrong_size(unpacked))?;
        written += lz4_flex::block::decompress_into(block, place).map_err(broken)?;
        packed = rest;
    }
    if packed.is_empty() { Ok(written) } else { Err(wrong_size(packed.len())) }
}

fn broken(error: impl std::fmt::Display) -> ParquetError {
    ParquetError::General(format!("a page cannot be unpacked: {error}"))
}

fn wrong_size(bytes: usize) -> ParquetError {
    ParquetError::General(format!("a page does not unpack to {bytes} bytes, as its header says"))
}
