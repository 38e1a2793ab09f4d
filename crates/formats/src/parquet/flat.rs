//! Columns that are read without the parquet crate: texts and decimals that
//! are neither nested nor written in one of the rarer encodings. They become
//! the arrays that are wanted in the end, a dictionary's entries by their keys,
//! where the crate makes views of texts and bytes of decimals first.
//!
//! Not here: what is wrong with a file. Whatever is unexpected is an error, and
//! then the crate reads the row group and says what it finds.

mod dictionary;

use std::sync::Arc;

use arrow_array::types::Decimal128Type;
use arrow_array::{ArrayRef, PrimitiveArray};
use arrow_schema::DataType;
use bytes::Bytes;
use parquet::basic::{Encoding, Type as PhysicalType};
use parquet::column::page::{Page, PageReader as _};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::schema::types::ColumnDescriptor;

use self::dictionary::{Dictionary, decimal, text_at};
use super::hybrid::Hybrid;
use super::memory::Memory;
use super::page::Pages;
use crate::natives::Validity;
use crate::strings::Strings;

/// Bytes of text in one array, unless it is of one row: more than the footer
/// lets expect, since the texts of a dictionary may be longer than they say.
const TEXT_BYTES_MAX: usize = 8 << 20;
const LENGTH_BYTES: usize = 4;
const DECIMAL_BYTES_MAX: usize = 16;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Decimals of so many bytes each.
    Decimal {
        bytes: usize,
        precision: u8,
        scale: i8,
    },
}

impl Kind {
    /// What is held by column `leaf`, which is read as `data_type`; `None`
    /// where it is not read here.
    pub(super) fn of(
        metadata: &ParquetMetaData,
        leaf: usize,
        data_type: &DataType,
    ) -> Option<Self> {
        let column = metadata.file_metadata().schema_descr().column(leaf);
        let is_flat = column.max_rep_level() == 0
            && column.max_def_level() <= 1
            && column.path().parts().len() == 1;
        let chunks = metadata.row_groups().iter().map(|row_group| row_group.column(leaf));
        if !is_flat || !chunks.into_iter().all(is_usual) {
            return None;
        }
        Self::of_type(&column, data_type)
    }

    fn of_type(column: &ColumnDescriptor, data_type: &DataType) -> Option<Self> {
        match (column.physical_type(), data_type) {
            (PhysicalType::BYTE_ARRAY, DataType::Utf8View) => Some(Self::Text),
            (PhysicalType::FIXED_LEN_BYTE_ARRAY, DataType::Decimal128(precision, scale)) => {
                let bytes = usize::try_from(column.type_length()).ok()?;
                let is_possible = (1..=DECIMAL_BYTES_MAX).contains(&bytes);
                let (precision, scale) = (*precision, *scale);
                is_possible.then_some(Self::Decimal { bytes, precision, scale })
            }
            _ => None,
        }
    }
}

fn is_usual(chunk: &ColumnChunkMetaData) -> bool {
    chunk.encodings().all(|encoding| {
        matches!(
            encoding,
            Encoding::PLAIN | Encoding::RLE | Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY
        )
    })
}

/// One such column of a row group.
pub(super) struct FlatColumn {
    kind: Kind,
    pages: Pages,
    memory: Arc<Memory>,
    is_nullable: bool,
    dictionary: Dictionary,
    /// Rows of the row group that no page has had yet.
    rows_left: usize,
    page: DataPage,
    /// Bytes of text of the array before.
    text_bytes: usize,
    levels: Vec<u32>,
    keys: Vec<u32>,
}

/// What is left of a page.
struct DataPage {
    rows: usize,
    /// NULLs that are still to come, where the page says how many there are.
    nulls: Option<usize>,
    levels: Option<Hybrid>,
    values: Values,
}

enum Values {
    /// One behind the other, from here on.
    Plain(Bytes, usize),
    Keys(Hybrid),
}

/// An array that is being made.
enum Building {
    Texts(Texts),
    Decimals(Vec<i128>, Validity),
}

struct Texts {
    strings: Strings,
    bytes: usize,
    /// Bytes that they may be.
    bytes_max: usize,
}

impl FlatColumn {
    pub(super) fn new(
        kind: Kind,
        pages: Pages,
        memory: &Arc<Memory>,
        column: &ColumnDescriptor,
        rows: usize,
    ) -> Self {
        Self {
            kind,
            pages,
            memory: Arc::clone(memory),
            is_nullable: column.max_def_level() > 0,
            dictionary: Dictionary::None,
            rows_left: rows,
            page: DataPage {
                rows: 0,
                nulls: None,
                levels: None,
                values: Values::Plain(Bytes::new(), 0),
            },
            text_bytes: 0,
            levels: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// The array of the next `rows` rows.
    ///
    /// Errors: when they are not there, or not as expected; when they are too
    /// much text for one array, [refused](Memory::refuse).
    pub(super) fn read(&mut self, rows: usize) -> Result<ArrayRef> {
        let mut building = match self.kind {
            Kind::Text => Building::Texts(Texts {
                strings: Strings::with_capacity(rows, self.text_bytes.min(TEXT_BYTES_MAX) * 9 / 8),
                bytes: 0,
                bytes_max: if rows > 1 { TEXT_BYTES_MAX } else { usize::MAX },
            }),
            Kind::Decimal { .. } => {
                Building::Decimals(Vec::with_capacity(rows), Validity::with_capacity(rows))
            }
        };
        let mut left = rows;
        while left > 0 {
            while self.page.rows == 0 {
                self.next_page()?;
            }
            let here = self.page.rows.min(left);
            self.add(here, &mut building)?;
            self.page.rows -= here;
            left -= here;
            if self.page.rows == 0 {
                self.end_page()?;
            }
        }
        self.finish(building)
    }

    /// Passes `rows` rows, in steps of so many that an array of them was or
    /// will be made.
    pub(super) fn skip(&mut self, rows: usize, step: usize) -> Result<()> {
        let mut left = rows;
        while left > 0 {
            let here = left.min(step.max(1));
            self.read(here)?;
            left -= here;
        }
        Ok(())
    }

    fn finish(&mut self, building: Building) -> Result<ArrayRef> {
        Ok(match (building, self.kind) {
            (Building::Decimals(values, valid), Kind::Decimal { precision, scale, .. }) => {
                let valid = valid.finish(values.len());
                let array = PrimitiveArray::<Decimal128Type>::try_new(values.into(), valid)?;
                Arc::new(array.with_precision_and_scale(precision, scale)?)
            }
            (Building::Texts(texts), _) => {
                self.text_bytes = texts.bytes;
                Arc::new(texts.strings.finish().map_err(|_| unexpected())?)
            }
            _ => return Err(unexpected()),
        })
    }

    fn next_page(&mut self) -> Result<()> {
        match self.pages.get_next_page()?.ok_or_else(unexpected)? {
            Page::DictionaryPage { buf, num_values, .. } => {
                self.dictionary = Dictionary::of(self.kind, buf, num_values as usize)?;
            }
            Page::DataPage { buf, num_values, encoding, def_level_encoding, .. } => {
                let (mut levels, mut values) = (None, buf);
                if self.is_nullable {
                    let length = values.first_chunk::<LENGTH_BYTES>().ok_or_else(unexpected)?;
                    let end = (u32::from_le_bytes(*length) as usize).saturating_add(LENGTH_BYTES);
                    if def_level_encoding != Encoding::RLE || end > values.len() {
                        return Err(unexpected());
                    }
                    levels = Some(Hybrid::new(values.slice(LENGTH_BYTES..end), 1)?);
                    values = values.slice(end..);
                }
                let values = values_of(values, encoding)?;
                self.page = DataPage { rows: num_values as usize, nulls: None, levels, values };
            }
            Page::DataPageV2 {
                buf,
                num_values,
                encoding,
                num_nulls,
                num_rows,
                def_levels_byte_len,
                rep_levels_byte_len,
                ..
            } => {
                let end = def_levels_byte_len as usize;
                let is_flat = rep_levels_byte_len == 0 && num_rows == num_values;
                if !is_flat || end > buf.len() || (end > 0) != self.is_nullable {
                    return Err(unexpected());
                }
                let levels = self.is_nullable.then(|| Hybrid::new(buf.slice(..end), 1));
                let values = values_of(buf.slice(end..), encoding)?;
                let (rows, nulls) = (num_rows as usize, Some(num_nulls as usize));
                self.page = DataPage { rows, nulls, levels: levels.transpose()?, values };
            }
        }
        self.rows_left = self.rows_left.checked_sub(self.page.rows).ok_or_else(unexpected)?;
        Ok(())
    }

    /// Looks whether a page held as much as it said, and the last one that is
    /// expected is the last.
    fn end_page(&mut self) -> Result<()> {
        let has_more = match &self.page.values {
            Values::Plain(bytes, at) => *at != bytes.len(),
            Values::Keys(_) => false,
        };
        let lacks_nulls = self.page.nulls.is_some_and(|nulls| nulls > 0);
        let is_last = self.rows_left == 0;
        if has_more || lacks_nulls || is_last && self.pages.get_next_page()?.is_some() {
            return Err(unexpected());
        }
        Ok(())
    }

    /// Adds `rows` rows of the page.
    fn add(&mut self, rows: usize, building: &mut Building) -> Result<()> {
        let mut values = rows;
        let mut has_nulls = false;
        if let Some(levels) = &mut self.page.levels {
            has_nulls = !levels.pass(1, rows)?;
            if has_nulls {
                self.levels.resize(rows, 0);
                levels.fill(&mut self.levels)?;
                if self.levels.iter().any(|level| *level > 1) {
                    return Err(unexpected());
                }
                values = self.levels.iter().filter(|level| **level == 1).count();
            }
        }
        if let Some(nulls) = &mut self.page.nulls {
            *nulls = nulls.checked_sub(rows - values).ok_or_else(unexpected)?;
        }
        if let Values::Keys(keys) = &mut self.page.values {
            self.keys.resize(values, 0);
            keys.fill(&mut self.keys)?;
        }
        self.check_text(building)?;
        match has_nulls {
            true => {
                let levels = std::mem::take(&mut self.levels);
                let added = self.add_each(levels.iter().map(|level| *level == 1), building);
                self.levels = levels;
                added
            }
            false => self.add_each(std::iter::repeat_n(true, rows), building),
        }
    }

    /// Refuses texts of a dictionary that are more than one array should hold.
    fn check_text(&self, building: &Building) -> Result<()> {
        let Building::Texts(Texts { bytes, bytes_max, .. }) = building else { return Ok(()) };
        let (Values::Keys(_), Dictionary::Texts { places, longest, .. }) =
            (&self.page.values, &self.dictionary)
        else {
            return Ok(());
        };
        if longest.saturating_mul(self.keys.len()).saturating_add(*bytes) <= *bytes_max {
            return Ok(());
        }
        let places = self.keys.iter().filter_map(|key| places.get(*key as usize));
        let bytes =
            places.fold(*bytes, |sum, (start, end)| sum.saturating_add((end - start) as usize));
        if bytes > *bytes_max { Err(self.memory.refuse()) } else { Ok(()) }
    }

    /// Adds values, or NULLs where none is there.
    fn add_each(
        &mut self,
        are_there: impl Iterator<Item = bool>,
        building: &mut Building,
    ) -> Result<()> {
        match (building, &mut self.page.values, &self.dictionary) {
            (Building::Texts(texts), Values::Keys(_), Dictionary::Texts { page, places, .. }) => {
                texts.add_keyed(are_there, &self.keys, page, places)
            }
            (Building::Texts(texts), Values::Plain(page, at), _) => {
                texts.add_plain(are_there, page, at)?;
                if texts.bytes > texts.bytes_max { Err(self.memory.refuse()) } else { Ok(()) }
            }
            (Building::Decimals(values, valid), Values::Keys(_), Dictionary::Decimals(entries)) => {
                let mut keys = self.keys.iter();
                add_decimals(are_there, values, valid, || {
                    entries.get(*keys.next()? as usize).copied()
                })
            }
            (Building::Decimals(values, valid), Values::Plain(page, at), _) => {
                let Kind::Decimal { bytes, .. } = self.kind else { return Err(unexpected()) };
                add_decimals(are_there, values, valid, || {
                    let value = page.get(*at..*at + bytes)?;
                    *at += bytes;
                    Some(decimal(value))
                })
            }
            _ => Err(unexpected()),
        }
    }
}

impl Texts {
    /// Adds the entries of a dictionary that have these keys.
    fn add_keyed(
        &mut self,
        mut are_there: impl Iterator<Item = bool>,
        keys: &[u32],
        page: &[u8],
        places: &[(u32, u32)],
    ) -> Result<()> {
        let mut keys = keys.iter();
        are_there.try_for_each(|is_there| {
            if !is_there {
                self.strings.push(None);
                return Ok(());
            }
            let place = keys.next().and_then(|key| places.get(*key as usize));
            let (start, end) = *place.ok_or_else(unexpected)?;
            self.bytes += (end - start) as usize;
            self.strings.push_part(page, start as usize..end as usize);
            Ok(())
        })
    }

    /// Adds texts that stand one behind the other; ends where they are too
    /// many.
    fn add_plain(
        &mut self,
        are_there: impl Iterator<Item = bool>,
        page: &[u8],
        at: &mut usize,
    ) -> Result<()> {
        for is_there in are_there {
            if !is_there {
                self.strings.push(None);
                continue;
            }
            let (start, end) = text_at(page, *at)?;
            self.bytes += end - start;
            if self.bytes > self.bytes_max {
                break;
            }
            self.strings.push_part(page, start..end);
            *at = end;
        }
        Ok(())
    }
}

fn add_decimals(
    mut are_there: impl Iterator<Item = bool>,
    values: &mut Vec<i128>,
    valid: &mut Validity,
    mut next: impl FnMut() -> Option<i128>,
) -> Result<()> {
    are_there.try_for_each(|is_there| {
        if is_there {
            values.push(next().ok_or_else(unexpected)?);
        } else {
            valid.push_null(values.len());
            values.push(0);
        }
        Ok(())
    })
}

fn values_of(bytes: Bytes, encoding: Encoding) -> Result<Values> {
    match encoding {
        Encoding::PLAIN => Ok(Values::Plain(bytes, 0)),
        Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
            // A page of NULLs alone may have no keys at all.
            let Some(width) = bytes.first().copied() else {
                return Ok(Values::Keys(Hybrid::new(bytes, 0)?));
            };
            Ok(Values::Keys(Hybrid::new(bytes.slice(1..), width)?))
        }
        _ => Err(unexpected()),
    }
}

fn unexpected() -> ParquetError {
    ParquetError::General("this is for the parquet crate to read".to_owned())
}

#[cfg(test)]
mod tests;
