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
use crate::values::trimmed;

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
    let mut looks = vec![Looks::default(); columns.names.len()];
    let rows = look(blocks, dialect, &columns, limits.rows as u64, &mut looks)?;
    let complete = blocks.is_finished() && rows.looked_at == rows.read;
    Ok(Sample {
        columns,
        evidence: looks.iter().map(|looks| looks.plain).collect(),
        trimmed_evidence: looks.iter().map(|looks| looks.trimmed).collect(),
        rows: rows.looked_at,
        complete,
        ..Sample::default()
    })
}

/// What a column's values look like, as they are and trimmed.
#[derive(Clone, Copy, Default)]
struct Looks {
    plain: Evidence,
    trimmed: Evidence,
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
    looks: &mut [Looks],
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
        for (column, looks) in looks.iter_mut().enumerate() {
            join_column(bytes, &index, 0..rows, column, dialect, looks);
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
    looks: &mut Looks,
) {
    let mut scratch = Vec::new();
    for row in rows {
        if looks.trimmed == Evidence::Text {
            looks.plain = Evidence::Text;
            return;
        }
        let range = index.field(row, column);
        let field = Field::read(bytes, range.clone(), dialect, true);
        if let Some(value) = field.value(bytes, dialect, &mut scratch) {
            let evidence = infer::evidence_with(value, Some(dialect.numbers));
            looks.plain = looks.plain.join(evidence);
            if evidence != Evidence::Text {
                looks.trimmed = looks.trimmed.join(evidence);
                continue;
            }
        }
        let field = Field::read_trimmed(bytes, range, dialect, true);
        if let Some(value) = field.value(bytes, dialect, &mut scratch) {
            let evidence = infer::evidence_with(trimmed(value), Some(dialect.numbers));
            looks.trimmed = looks.trimmed.join(evidence);
        }
    }
}
