//! A bounded look at a file's beginning. Rows that are malformed say nothing
//! about the columns' types.

use decant_core::Result;
use decant_core::evidence::Evidence;
use decant_core::format::{FileColumns, Sample, SampleLimits};

use super::blocks::{Block, Blocks};
use super::dialect::Dialect;
use super::field::Field;
use super::index::Index;
use crate::infer;

/// Looks at rows until `limits` are reached.
pub(super) fn sample(
    blocks: &mut Blocks<'_>,
    dialect: &Dialect,
    limits: SampleLimits,
) -> Result<Sample> {
    let Some(columns) = blocks.columns()? else {
        return Ok(Sample { complete: true, ..Sample::default() });
    };
    blocks.stop_after(limits.bytes as u64);
    let mut evidence = vec![Evidence::Nothing; columns.names.len()];
    let rows = look(blocks, dialect, &columns, limits.rows as u64, &mut evidence)?;
    let complete = blocks.is_finished() && rows.looked_at == rows.read;
    Ok(Sample { columns, evidence, rows: rows.looked_at, complete, ..Sample::default() })
}

struct Counts {
    looked_at: u64,
    read: u64,
}

fn look(
    blocks: &mut Blocks<'_>,
    dialect: &Dialect,
    columns: &FileColumns,
    rows_max: u64,
    evidence: &mut [Evidence],
) -> Result<Counts> {
    let mut index = Index::default();
    let mut counts = Counts { looked_at: 0, read: 0 };
    while counts.looked_at < rows_max {
        let mut rejects = Vec::new();
        let Some(Block { bytes, rows_read }) = blocks.next(columns, &mut index, &mut rejects)?
        else {
            break;
        };
        let allowed = rows_max - counts.looked_at;
        let rows = index.rows.iter().take_while(|row| u64::from(row.ordinal) < allowed).count();
        for (column, evidence) in evidence.iter_mut().enumerate() {
            join_column(bytes, &index, 0..rows, column, dialect, evidence);
        }
        counts.looked_at += rows_read.min(allowed);
        counts.read += rows_read;
    }
    Ok(counts)
}

fn join_column(
    bytes: &[u8],
    index: &Index,
    rows: std::ops::Range<usize>,
    column: usize,
    dialect: &Dialect,
    evidence: &mut Evidence,
) {
    let mut scratch = Vec::new();
    for row in rows {
        if *evidence == Evidence::Text {
            return;
        }
        let field = Field::read(bytes, index.field(row, column), dialect, true);
        if let Some(value) = field.value(bytes, dialect, &mut scratch) {
            *evidence = evidence.join(infer::evidence(value));
        }
    }
}
