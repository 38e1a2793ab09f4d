//! Parquet: read by ranges, row group by row group and page by page.
//!
//! - [`compact`]: Thrift's compact protocol, as far as it is needed to check
//!   a footer and to read page headers.
//! - [`essentials`]: a footer without what is not needed.
//! - [`footer`]: the file's metadata, checked against the file's size.
//! - [`memory`]: what decoding one file holds, and the bound on it.
//! - [`fetch`]: ranges of a column, asked of the thread that has the input.
//! - [`page`], [`codec`]: one column's pages, unpacked within the bound.
//! - [`hybrid`], [`flat`]: texts and decimals that are read without the parquet
//!   crate.
//! - [`row_group`]: a row group as the parquet crate wants to see it.
//! - [`produce`]: batches, made on a thread of their own.
//!
//! The parquet crate turns most pages into arrays; what a file says about sizes is
//! checked here first, since the crate believes it. Its invariant: memory is
//! bounded by `memory_bytes`, whatever the file's row groups, pages and
//! headers say; a file that needs more is refused by name.

mod codec;
mod compact;
mod essentials;
mod fetch;
mod flat;
mod footer;
mod hybrid;
mod memory;
mod page;
mod produce;
mod row_group;

#[cfg(test)]
mod tests;

use decant_core::format::{Format, Input, Piece, Receiver, Sample, SampleLimits};
use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Result};

use self::footer::ParquetFile;
use crate::arrow::rows::Rows;
use crate::arrow::sample::Look;
use crate::cuts::Cuts;

/// What the first and the last bytes of a file are.
pub(crate) const MAGIC: &[u8] = b"PAR1";

/// Bytes that decoding one file may hold, unless `memory_bytes` says
/// otherwise: pages as stored and unpacked, of all columns together.
const MEMORY_BYTES: u64 = 256 << 20;

/// Parquet files.
pub(crate) struct ParquetFormat {
    memory_bytes: u64,
}

impl ParquetFormat {
    /// A format with a stream's options, of which it heeds `memory_bytes`.
    pub(crate) fn new(options: &FormatOptions) -> Self {
        Self { memory_bytes: options.memory_bytes.unwrap_or(MEMORY_BYTES) }
    }

    fn open(&self, input: &mut dyn Input) -> Result<Option<ParquetFile>> {
        let Some(size) = input.size() else {
            let message = "a Parquet file is read from its end, which is not known here";
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("store the file uncompressed: Parquet compresses itself"));
        };
        match size {
            0 => Ok(None),
            _ => footer::read(input, size, self.memory_bytes).map(Some),
        }
    }
}

impl Format for ParquetFormat {
    fn sample(&self, input: &mut dyn Input, limits: SampleLimits) -> Result<Sample> {
        let Some(file) = self.open(input)? else {
            return Ok(Sample { complete: true, ..Sample::default() });
        };
        let mut look = Look::new(&file.columns, limits);
        let all: Vec<usize> = (0..file.columns.len()).collect();
        let groups = 0..file.metadata.num_row_groups();
        let ended =
            produce::batches((&file, groups), &all, self.memory_bytes, input, |batch, bytes| {
                look.at(batch, bytes)?;
                Ok(look.goes_on())
            })?;
        Ok(look.finish(ended))
    }

    fn pieces(
        &self,
        input: &mut dyn Input,
        piece_bytes: u64,
        found: &mut dyn FnMut(Piece) -> bool,
    ) -> Result<Option<&'static str>> {
        let size = input.size().unwrap_or_default();
        let mut cuts = Cuts::new(size, piece_bytes, found);
        let Some(file) = self.open(input)? else {
            cuts.end();
            return Ok(None);
        };
        let Some(starts) = file.row_group_starts() else {
            cuts.end();
            return Ok(Some("its row groups do not stand in their order"));
        };
        let mut rows = 0;
        for (start, group) in starts.into_iter().zip(file.metadata.row_groups()) {
            if start >= cuts.next() && cuts.are_wanted() {
                cuts.before(start, rows, 0);
            }
            rows += group.num_rows().unsigned_abs();
        }
        cuts.end();
        Ok(None)
    }

    fn decode(
        &self,
        piece: &Piece,
        input: &mut dyn Input,
        receiver: &mut dyn Receiver,
    ) -> Result<()> {
        let Some(file) = self.open(input)? else { return Ok(()) };
        let groups = match piece.is_part_of(input) {
            true => file.row_groups_of(piece),
            false => 0..file.metadata.num_row_groups(),
        };
        let mut rows = Rows::ask(&file.columns, receiver)?.behind(piece.rows_before);
        let columns = rows.columns_to_read().to_vec();
        produce::batches((&file, groups), &columns, self.memory_bytes, input, |batch, bytes| {
            rows.deliver(batch, bytes, receiver)?;
            Ok(true)
        })?;
        Ok(())
    }
}
