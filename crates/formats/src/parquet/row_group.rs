//! One row group as the parquet crate wants to see it: column by column, each
//! an iterator of pages.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::arrow::arrow_reader::RowGroups;
use parquet::column::page::{PageIterator, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use super::fetch::{Line, Window};
use super::flat::{FlatColumn, Kind};
use super::footer::chunk;
use super::memory::Memory;
use super::page::Pages;

/// Row groups whose wanted columns span no more than this are fetched at once.
const WHOLE_BYTES_MAX: u64 = 8 << 20;
const DICTIONARY_HEADER_BYTES: u64 = 100;
const AHEAD_BYTES_MIN: u64 = 64 << 10;
const AHEAD_BYTES_MAX: u64 = 4 << 20;

/// A row group that is being read.
pub(super) struct RowGroup {
    metadata: Arc<ParquetMetaData>,
    number: usize,
    line: Line,
    memory: Arc<Memory>,
    ahead: u64,
    file_bytes: u64,
    /// Bytes that a chunk may be longer than it says.
    padding: u64,
    /// What was fetched at once, and where it begins.
    whole: (u64, Bytes),
}

impl RowGroup {
    /// Prepares to read `leaves` of a row group.
    pub(super) fn open(
        metadata: &Arc<ParquetMetaData>,
        number: usize,
        leaves: &[usize],
        line: &Line,
        memory: &Arc<Memory>,
        (limit, file_bytes): (u64, u64),
    ) -> Result<Self> {
        let row_group = metadata.row_group(number);
        let chunks: Vec<_> = leaves
            .iter()
            .map(|leaf| chunk(row_group.column(*leaf), u64::MAX).map_err(|e| memory.fail(e)))
            .collect::<Result<_>>()?;
        let start = chunks.iter().map(|chunk| chunk.start).min().unwrap_or_default();
        let end = chunks.iter().map(|chunk| chunk.end).max().unwrap_or_default();
        let wanted: u64 = chunks.iter().map(|chunk| chunk.end - chunk.start).sum();
        let span = end - start;
        let mut whole = (0, Bytes::new());
        if span > 0 && span <= WHOLE_BYTES_MAX.min(limit / 8) && wanted.saturating_mul(2) >= span {
            memory.check(span, "a row group as it is stored")?;
            whole = (start, memory.hold(line.fetch(start..end)?));
        }
        let share = limit / 8 / (leaves.len() as u64).max(1);
        Ok(Self {
            metadata: Arc::clone(metadata),
            number,
            line: line.clone(),
            memory: Arc::clone(memory),
            ahead: share.clamp(AHEAD_BYTES_MIN, AHEAD_BYTES_MAX),
            file_bytes,
            padding: padding(metadata),
            whole,
        })
    }

    /// A column of a kind that is read without the parquet crate.
    pub(super) fn flat_column(&self, kind: Kind, leaf: usize) -> Result<FlatColumn> {
        let column = self.metadata.file_metadata().schema_descr().column(leaf);
        let rows = self.num_rows();
        Ok(FlatColumn::new(kind, self.pages(leaf)?, &self.memory, &column, rows))
    }

    fn pages(&self, leaf: usize) -> Result<Pages> {
        let schema = self.metadata.file_metadata().schema_descr();
        let column = self.metadata.row_group(self.number).column(leaf);
        let chunk = chunk(column, u64::MAX).map_err(|error| self.memory.fail(error))?;
        let memory = Arc::clone(&self.memory);
        let chunk = chunk.start..(chunk.end + self.padding).min(self.file_bytes);
        let window =
            Window::new(self.line.clone(), memory, chunk.end, self.ahead, self.whole.clone());
        let is_repeated = schema.column(leaf).max_rep_level() > 0;
        let memory = Arc::clone(&self.memory);
        let values = (self.padding > 0).then(|| column.num_values());
        Ok(Pages::new(window, memory, column.compression(), is_repeated, chunk).ending_at(values))
    }
}

impl RowGroups for RowGroup {
    fn num_rows(&self) -> usize {
        usize::try_from(self.metadata.row_group(self.number).num_rows()).unwrap_or_default()
    }

    fn column_chunks(&self, leaf: usize) -> Result<Box<dyn PageIterator>> {
        Ok(Box::new(OneChunk(Mutex::new(Some(Box::new(self.pages(leaf)?))))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::once(self.metadata.row_group(self.number)))
    }

    fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }
}

/// parquet-mr before 1.2.9 left a dictionary page's header out of its chunk's
/// length: <https://issues.apache.org/jira/browse/PARQUET-816>.
fn padding(metadata: &ParquetMetaData) -> u64 {
    let Some(writer) = metadata.file_metadata().created_by() else { return 0 };
    let Some(version) = writer.strip_prefix("parquet-mr") else { return 0 };
    let version = version.trim_start_matches(" version ");
    let mut numbers = version.split(['.', ' ', '-']).map_while(|part| part.parse::<u32>().ok());
    let mut next = || numbers.next().unwrap_or_default();
    if (next(), next(), next()) < (1, 2, 9) { DICTIONARY_HEADER_BYTES } else { 0 }
}

/// The pages of one chunk.
struct OneChunk(Mutex<Option<Box<dyn PageReader>>>);

impl Iterator for OneChunk {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        let pages = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        pages.map(Ok::<_, ParquetError>)
    }
}

impl PageIterator for OneChunk {}
