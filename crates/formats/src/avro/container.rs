//! A container's blocks, unpacked, each as a container of its own.

use std::io::{self, Read};

use bytes::Bytes;
use decant_core::format::Input;
use decant_core::{Error, ErrorKind, Result};
use flate2::Crc;
use liblzma::stream::Stream;

use super::{MAGIC, broken};
use crate::pull::Pull;

const SYNC_BYTES: usize = 16;
/// Longest key of the header.
const KEY_BYTES_MAX: u64 = 1 << 16;
/// Longest value of the header.
const VALUE_BYTES_MAX: u64 = 16 << 20;
const ENTRIES_MAX: u64 = 10_000;
/// The checksum behind a snappy block.
const CHECKSUM_BYTES: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
    Bzip2,
    Xz,
}

/// A block, unpacked.
pub(super) struct Block {
    /// A container of this block alone.
    pub(super) container: Vec<u8>,
    /// Its rows.
    pub(super) rows: usize,
    /// Its bytes after unpacking.
    pub(super) bytes: u64,
}

/// A container that is being read.
pub(super) struct Container<'i> {
    pull: Pull<'i>,
    codec: Codec,
    sync: Bytes,
    bytes_max: u64,
    /// The header of a container that is not packed.
    header: Vec<u8>,
}

impl<'i> Container<'i> {
    /// Reads the header; `None` for a file without bytes.
    pub(super) fn open(input: &'i mut dyn Input, bytes_max: u64) -> Result<Option<Self>> {
        let mut pull = Pull::new(input);
        if pull.is_at_end()? {
            return Ok(None);
        }
        if pull.exactly(MAGIC.len())?.as_ref() != MAGIC {
            let message = "this is not an Avro object container: it does not begin with `Obj`";
            return Err(Error::new(ErrorKind::MalformedFile, message)
                .with_hint("is the file of another format?"));
        }
        let (schema, codec) = header(&mut pull)?;
        check_schema(&schema)?;
        let sync = pull.exactly(SYNC_BYTES)?;
        let mut plain = MAGIC.to_vec();
        write_long(2, &mut plain);
        for (key, value) in [(&b"avro.schema"[..], schema.as_ref()), (b"avro.codec", b"null")] {
            write_long(key.len() as i64, &mut plain);
            plain.extend_from_slice(key);
            write_long(value.len() as i64, &mut plain);
            plain.extend_from_slice(value);
        }
        write_long(0, &mut plain);
        plain.extend_from_slice(&sync);
        Ok(Some(Self { pull, codec, sync, bytes_max, header: plain }))
    }

    /// A container without blocks.
    pub(super) fn header(&self) -> &[u8] {
        &self.header
    }

    /// The next block that has rows.
    pub(super) fn next(&mut self) -> Result<Option<Block>> {
        loop {
            if self.pull.is_at_end()? {
                return Ok(None);
            }
            let rows = length(&mut self.pull, u64::MAX, "a block's number of rows")?;
            let size = length(&mut self.pull, u64::MAX, "a block's length")?;
            self.check_size(size)?;
            let packed = self.pull.exactly(size as usize)?;
            if self.pull.exactly(SYNC_BYTES)? != self.sync {
                return Err(broken("a block does not end in the file's marker"));
            }
            if rows > 0 {
                return self.block(rows, &packed).map(Some);
            }
        }
    }

    fn block(&self, rows: u64, packed: &[u8]) -> Result<Block> {
        let unpacked = self.unpack(packed)?;
        // A row takes a byte at least, or nothing would bound their number.
        let rows = usize::try_from(rows).ok().filter(|rows| *rows <= unpacked.len());
        let rows = rows.ok_or_else(|| broken("a block has more rows than bytes"))?;
        let mut container = Vec::with_capacity(self.header.len() + unpacked.len() + 64);
        container.extend_from_slice(&self.header);
        write_long(rows as i64, &mut container);
        write_long(unpacked.len() as i64, &mut container);
        container.extend_from_slice(&unpacked);
        container.extend_from_slice(&self.sync);
        Ok(Block { container, rows, bytes: unpacked.len() as u64 })
    }

    fn check_size(&self, bytes: u64) -> Result<()> {
        if bytes <= self.bytes_max {
            return Ok(());
        }
        let message = format!(
            "a block of the Avro file takes more than the {} bytes of memory that one file may take",
            self.bytes_max
        );
        Err(Error::new(ErrorKind::Unsupported, message).with_hint(
            "allow more with the format's `memory_bytes`, or write the file in smaller blocks",
        ))
    }

    fn unpack(&self, packed: &[u8]) -> Result<Vec<u8>> {
        let xz_memory = self.bytes_max;
        match self.codec {
            Codec::Null => Ok(packed.to_vec()),
            Codec::Deflate => self.stream(flate2::read::DeflateDecoder::new(packed)),
            Codec::Zstandard => self.stream(zstd::stream::read::Decoder::new(packed).map_err(io)?),
            Codec::Bzip2 => self.stream(bzip2::read::MultiBzDecoder::new(packed)),
            Codec::Xz => {
                let stream = Stream::new_stream_decoder(xz_memory, 0);
                let stream = stream.map_err(|error| broken(&error.to_string()))?;
                self.stream(liblzma::read::XzDecoder::new_stream(packed, stream))
            }
            Codec::Snappy => self.snappy(packed),
        }
    }

    fn stream(&self, decoder: impl Read) -> Result<Vec<u8>> {
        let mut unpacked = Vec::new();
        decoder.take(self.bytes_max.saturating_add(1)).read_to_end(&mut unpacked).map_err(io)?;
        self.check_size(unpacked.len() as u64)?;
        Ok(unpacked)
    }

    fn snappy(&self, packed: &[u8]) -> Result<Vec<u8>> {
        let Some((packed, checksum)) = packed.split_last_chunk::<CHECKSUM_BYTES>() else {
            return Err(broken("a snappy block has no checksum"));
        };
        let snappy = |error: snap::Error| broken(&format!("a block cannot be unpacked: {error}"));
        self.check_size(snap::raw::decompress_len(packed).map_err(snappy)? as u64)?;
        let unpacked = snap::raw::Decoder::new().decompress_vec(packed).map_err(snappy)?;
        let mut crc = Crc::new();
        crc.update(&unpacked);
        match crc.sum() == u32::from_be_bytes(*checksum) {
            true => Ok(unpacked),
            false => Err(broken("a block's checksum is not right")),
        }
    }
}

fn header(pull: &mut Pull<'_>) -> Result<(Bytes, Codec)> {
    let mut schema = None;
    let mut codec = Codec::Null;
    loop {
        let mut count = long(pull)?;
        if count == 0 {
            break;
        }
        if count < 0 {
            // A negative count is followed by the entries' bytes.
            long(pull)?;
            count = count.checked_neg().unwrap_or(i64::MAX);
        }
        if count.unsigned_abs() > ENTRIES_MAX {
            return Err(broken("its header has too many entries"));
        }
        for _ in 0..count {
            let key = length(pull, KEY_BYTES_MAX, "a key's length")?;
            let key = pull.exactly(key as usize)?;
            let value = length(pull, VALUE_BYTES_MAX, "a value's length")?;
            let value = pull.exactly(value as usize)?;
            match key.as_ref() {
                b"avro.schema" => schema = Some(value),
                b"avro.codec" => codec = codec_named(&value)?,
                _ => {}
            }
        }
    }
    Ok((schema.ok_or_else(|| broken("it has no schema"))?, codec))
}

fn codec_named(name: &[u8]) -> Result<Codec> {
    Ok(match name {
        b"null" | b"" => Codec::Null,
        b"deflate" => Codec::Deflate,
        b"snappy" => Codec::Snappy,
        b"zstandard" => Codec::Zstandard,
        b"bzip2" => Codec::Bzip2,
        b"xz" => Codec::Xz,
        other => {
            let name = String::from_utf8_lossy(other);
            let message = format!("the Avro file's blocks are packed with `{name}`");
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("write it with deflate, snappy, zstandard, bzip2 or xz"));
        }
    })
}

/// Lists of nothing could be as long as they like.
fn check_schema(schema: &[u8]) -> Result<()> {
    let schema: serde_json::Value = serde_json::from_slice(schema)
        .map_err(|error| broken(&format!("its schema is not JSON: {error}")))?;
    if schema.get("type").and_then(serde_json::Value::as_str) != Some("record") {
        let message = "the Avro file's values are no records: they have no columns";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    match has_lists_of_nothing(&schema) {
        true => Err(Error::new(ErrorKind::Unsupported, "the Avro file has lists of `null`")),
        false => Ok(()),
    }
}

fn has_lists_of_nothing(schema: &serde_json::Value) -> bool {
    use serde_json::Value;
    match schema {
        Value::Object(object) => {
            object.get("items").is_some_and(|items| items.as_str() == Some("null"))
                || object.values().any(has_lists_of_nothing)
        }
        Value::Array(values) => values.iter().any(has_lists_of_nothing),
        _ => false,
    }
}

fn length(pull: &mut Pull<'_>, max: u64, what: &str) -> Result<u64> {
    let length = u64::try_from(long(pull)?).ok().filter(|length| *length <= max);
    length.ok_or_else(|| broken(&format!("{what} is not possible")))
}

/// A long as Avro writes it: zigzag, seven bits a byte.
fn long(pull: &mut Pull<'_>) -> Result<i64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = pull.exactly(1)?.first().copied().unwrap_or_default();
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    Err(broken("a number has too many bytes"))
}

fn write_long(value: i64, bytes: &mut Vec<u8>) {
    let mut zigzag = ((value << 1) ^ (value >> 63)) as u64;
    while zigzag >= 0x80 {
        bytes.push((zigzag & 0x7f) as u8 | 0x80);
        zigzag >>= 7;
    }
    bytes.push(zigzag as u8);
}

fn io(error: io::Error) -> Error {
    broken(&format!("a block cannot be unpacked: {error}"))
}
