//! The pages of one column's chunk: header, checksum, contents.

use bytes::Bytes;
use flate2::Crc;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

use std::sync::Arc;

use super::codec::unpack;
use super::compact::{Compact, Flaw, Parsed, Wire};
use super::fetch::Window;
use super::memory::Memory;

/// What is looked at for a page's header at first; its statistics can make it
/// longer.
const HEADER_BYTES: u64 = 4 << 10;
/// Memory that one value of a repeated column may take once it is decoded.
const REPEATED_VALUE_BYTES: u64 = 16;

/// What a page's header says, as far as it is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Header {
    kind: i64,
    packed: i64,
    unpacked: i64,
    checksum: Option<u32>,
    values: i64,
    nulls: i64,
    rows: i64,
    encoding: i64,
    definition_encoding: i64,
    repetition_encoding: i64,
    definition_bytes: i64,
    repetition_bytes: i64,
    is_plain: bool,
    is_sorted: bool,
}

const DATA_PAGE: i64 = 0;
const DICTIONARY_PAGE: i64 = 2;
const DATA_PAGE_V2: i64 = 3;

/// Reads one column's pages.
pub(super) struct Pages {
    window: Window,
    memory: Arc<Memory>,
    compression: Compression,
    is_repeated: bool,
    offset: u64,
    end: u64,
    peeked: Option<Header>,
    /// Values that are still to come, where the chunk's end is not certain.
    values_left: Option<i64>,
}

impl Pages {
    pub(super) fn new(
        window: Window,
        memory: Arc<Memory>,
        compression: Compression,
        is_repeated: bool,
        chunk: std::ops::Range<u64>,
    ) -> Self {
        let (offset, end) = (chunk.start, chunk.end);
        Self {
            window,
            memory,
            compression,
            is_repeated,
            offset,
            end,
            peeked: None,
            values_left: None,
        }
    }

    /// The same pages, ending when so many values have been read.
    pub(super) fn ending_at(self, values: Option<i64>) -> Self {
        Self { values_left: values, ..self }
    }

    /// The header of the next page that is of a known kind; the offset is
    /// then that of the page's contents.
    fn header(&mut self) -> Result<Option<Header>> {
        if let Some(header) = self.peeked.take() {
            return Ok(Some(header));
        }
        while self.offset < self.end && self.values_left.is_none_or(|left| left > 0) {
            let header = self.read_header()?;
            if matches!(header.kind, DATA_PAGE | DICTIONARY_PAGE | DATA_PAGE_V2) {
                if let Some(left) =
                    self.values_left.as_mut().filter(|_| header.kind != DICTIONARY_PAGE)
                {
                    *left -= header.values;
                }
                return Ok(Some(header));
            }
            self.offset += header.packed.unsigned_abs();
        }
        Ok(None)
    }

    fn read_header(&mut self) -> Result<Header> {
        let mut wanted = HEADER_BYTES;
        let left = self.end - self.offset;
        let (header, bytes) = loop {
            let here = self.window.at_least(self.offset, wanted)?;
            let mut compact = Compact::new(&here);
            match Header::read(&mut compact) {
                Ok(header) => break (header, here.len() - compact.rest()),
                Err(Flaw::Short) if (here.len() as u64) < left => {
                    wanted = (here.len() as u64).saturating_mul(8);
                }
                Err(_) => return Err(ParquetError::General("a page's header is damaged".into())),
            }
        };
        self.offset += bytes as u64;
        self.check(&header)?;
        Ok(header)
    }

    /// What the header says must be possible in this file and within memory.
    fn check(&self, header: &Header) -> Result<()> {
        let sizes = [header.packed, header.unpacked, header.values, header.nulls, header.rows];
        let levels = [header.definition_bytes, header.repetition_bytes];
        let in_range = |value: &i64| (0..=i64::from(i32::MAX)).contains(value);
        let level_bytes: i64 = levels.iter().sum();
        if !sizes.iter().chain(&levels).all(in_range)
            || header.packed.unsigned_abs() > self.end - self.offset
            || level_bytes > header.unpacked.min(header.packed)
        {
            return Err(ParquetError::General("a page's header is not possible".into()));
        }
        if self.is_repeated {
            let bytes = header.values.unsigned_abs().saturating_mul(REPEATED_VALUE_BYTES);
            self.memory.check(bytes, "a page of nested values")?;
        }
        Ok(())
    }

    fn page(&mut self, header: &Header) -> Result<Page> {
        let packed = self.window.exactly(self.offset, header.packed.unsigned_abs())?;
        self.offset += header.packed.unsigned_abs();
        if let Some(expected) = header.checksum {
            let mut crc = Crc::new();
            crc.update(&packed);
            if crc.sum() != expected {
                return Err(ParquetError::General("a page's checksum is not right".into()));
            }
        }
        let buf = self.unpacked(header, packed)?;
        self.memory.count_unpacked(buf.len() as u64);
        header.page(buf)
    }

    fn unpacked(&self, header: &Header, packed: Bytes) -> Result<Bytes> {
        if self.compression == Compression::UNCOMPRESSED || header.is_plain {
            return Ok(packed);
        }
        let bytes = header.unpacked.unsigned_abs() as usize;
        let levels = match header.kind {
            DATA_PAGE_V2 => (header.definition_bytes + header.repetition_bytes) as usize,
            _ => 0,
        };
        self.memory.check(bytes as u64, "an unpacked page")?;
        let mut unpacked = Vec::with_capacity(bytes + 1);
        let (plain, packed) = packed.split_at_checked(levels).unwrap_or_default();
        unpacked.extend_from_slice(plain);
        if bytes > levels {
            unpack(self.compression, packed, bytes - levels, &mut unpacked)?;
        }
        Ok(self.memory.hold(unpacked.into()))
    }
}

impl Header {
    fn read(compact: &mut Compact<'_>) -> Parsed<Self> {
        let mut header = Self::default();
        compact.structure(|compact, id, wire| {
            let place = match (id, wire) {
                (1, Wire::Integer) => &mut header.kind,
                (2, Wire::Integer) => &mut header.unpacked,
                (3, Wire::Integer) => &mut header.packed,
                (4, Wire::Integer) => {
                    header.checksum = Some(compact.integer()? as u32);
                    return Ok(true);
                }
                (5, Wire::Struct) => return header.read_data(compact),
                (7, Wire::Struct) => return header.read_dictionary(compact),
                (8, Wire::Struct) => return header.read_data_v2(compact),
                _ => return Ok(false),
            };
            *place = compact.integer()?;
            Ok(true)
        })?;
        Ok(header)
    }

    fn read_data(&mut self, compact: &mut Compact<'_>) -> Parsed<bool> {
        compact.structure(|compact, id, wire| {
            let place = match (id, wire) {
                (1, Wire::Integer) => &mut self.values,
                (2, Wire::Integer) => &mut self.encoding,
                (3, Wire::Integer) => &mut self.definition_encoding,
                (4, Wire::Integer) => &mut self.repetition_encoding,
                _ => return Ok(false),
            };
            *place = compact.integer()?;
            Ok(true)
        })?;
        Ok(true)
    }

    fn read_dictionary(&mut self, compact: &mut Compact<'_>) -> Parsed<bool> {
        compact.structure(|compact, id, wire| {
            let place = match (id, wire) {
                (1, Wire::Integer) => &mut self.values,
                (2, Wire::Integer) => &mut self.encoding,
                (3, Wire::True) => {
                    self.is_sorted = true;
                    return Ok(true);
                }
                _ => return Ok(false),
            };
            *place = compact.integer()?;
            Ok(true)
        })?;
        Ok(true)
    }

    fn read_data_v2(&mut self, compact: &mut Compact<'_>) -> Parsed<bool> {
        compact.structure(|compact, id, wire| {
            let place = match (id, wire) {
                (1, Wire::Integer) => &mut self.values,
                (2, Wire::Integer) => &mut self.nulls,
                (3, Wire::Integer) => &mut self.rows,
                (4, Wire::Integer) => &mut self.encoding,
                (5, Wire::Integer) => &mut self.definition_bytes,
                (6, Wire::Integer) => &mut self.repetition_bytes,
                (7, Wire::False) => {
                    self.is_plain = true;
                    return Ok(true);
                }
                _ => return Ok(false),
            };
            *place = compact.integer()?;
            Ok(true)
        })?;
        Ok(true)
    }

    fn page(&self, buf: Bytes) -> Result<Page> {
        let count = |value: i64| u32::try_from(value).unwrap_or_default();
        Ok(match self.kind {
            DICTIONARY_PAGE => Page::DictionaryPage {
                buf,
                num_values: count(self.values),
                encoding: encoding(self.encoding)?,
                is_sorted: self.is_sorted,
            },
            DATA_PAGE => Page::DataPage {
                buf,
                num_values: count(self.values),
                encoding: encoding(self.encoding)?,
                def_level_encoding: encoding(self.definition_encoding)?,
                rep_level_encoding: encoding(self.repetition_encoding)?,
                statistics: None,
            },
            _ => Page::DataPageV2 {
                buf,
                num_values: count(self.values),
                encoding: encoding(self.encoding)?,
                num_nulls: count(self.nulls),
                num_rows: count(self.rows),
                def_levels_byte_len: count(self.definition_bytes),
                rep_levels_byte_len: count(self.repetition_bytes),
                is_compressed: !self.is_plain,
                statistics: None,
            },
        })
    }

    fn metadata(&self) -> PageMetadata {
        let count = |value: i64| usize::try_from(value).unwrap_or_default();
        PageMetadata {
            num_rows: (self.kind == DATA_PAGE_V2).then(|| count(self.rows)),
            num_levels: (self.kind != DICTIONARY_PAGE).then(|| count(self.values)),
            is_dict: self.kind == DICTIONARY_PAGE,
        }
    }
}

/// The encodings by their numbers in the format:
/// <https://github.com/apache/parquet-format/blob/master/Encodings.md>.
fn encoding(number: i64) -> Result<Encoding> {
    #[allow(deprecated, reason = "old files have bit-packed levels")]
    const BIT_PACKED: Encoding = Encoding::BIT_PACKED;
    Ok(match number {
        0 => Encoding::PLAIN,
        2 => Encoding::PLAIN_DICTIONARY,
        3 => Encoding::RLE,
        4 => BIT_PACKED,
        5 => Encoding::DELTA_BINARY_PACKED,
        6 => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        7 => Encoding::DELTA_BYTE_ARRAY,
        8 => Encoding::RLE_DICTIONARY,
        9 => Encoding::BYTE_STREAM_SPLIT,
        _ => return Err(ParquetError::NYI(format!("encoding {number} is not known"))),
    })
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        match self.header()? {
            Some(header) => self.page(&header).map(Some),
            None => Ok(None),
        }
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.peeked = self.header()?;
        Ok(self.peeked.as_ref().map(Header::metadata))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        if let Some(header) = self.header()? {
            self.offset += header.packed.unsigned_abs();
        }
        Ok(())
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}
