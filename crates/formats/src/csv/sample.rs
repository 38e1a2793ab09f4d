//! A bounded look at a file's beginning. Rows that are malformed say nothing
//! about the columns' types.

use std::ops::Range;

use decant_core::Result;
use decant_core::format::{FileColumns, Sample, SampleLimits};
use decant_core::value_format::NumberFormat;

use super::blocks::{Block, Blocks};
use super::dialect::Dialect;
use super::field::Field;
use super::index::Index;
use crate::untyped::Looks;

/// Values of a column that are shown.
const EXAMPLES_MAX: usize = 5;
/// Characters of a value that are shown.
const EXAMPLE_CHARACTERS_MAX: usize = 60;

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
    let mut looks = vec![Look::default(); columns.names.len()];
    let rows = look(blocks, dialect, &columns, limits.rows as u64, &mut looks)?;
    let complete = blocks.is_finished() && rows.looked_at == rows.read;
    Ok(Sample {
        columns,
        evidence: looks.iter().map(|look| look.looks.plain).collect(),
        trimmed_evidence: looks.iter().map(|look| look.looks.trimmed).collect(),
        rows: rows.looked_at,
        complete,
        nulls: looks.iter().map(|look| look.has_null).collect(),
        examples: looks.into_iter().map(|look| look.examples).collect(),
        ..Sample::default()
    })
}

/// What the values of one column look like, as they are and trimmed.
#[derive(Clone, Default)]
struct Look {
    looks: Looks,
    has_null: bool,
    examples: Vec<String>,
}

impl Look {
    /// Whether no further value can add anything.
    fn is_complete(&self) -> bool {
        self.looks.is_text() && self.has_null && self.examples.len() == EXAMPLES_MAX
    }

    /// Adds a value as it is. Answers whether it looks the same trimmed.
    fn add(&mut self, value: &[u8], numbers: NumberFormat) -> bool {
        self.add_example(value);
        self.looks.add(value, numbers)
    }

    fn add_example(&mut self, value: &[u8]) {
        if self.examples.len() == EXAMPLES_MAX {
            return;
        }
        let start = &value[..value.len().min(EXAMPLE_CHARACTERS_MAX * 4)];
        let text = String::from_utf8_lossy(start);
        let example: String = text.chars().take(EXAMPLE_CHARACTERS_MAX).collect();
        if !self.examples.contains(&example) {
            self.examples.push(example);
        }
    }
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
    looks: &mut [Look],
) -> Result<Counts> {
    let mut index = Index::default();
    let mut counts = Counts { looked_at: 0, read: 0 };
    while counts.looked_at < rows_max {
        let mut rejects = Vec::new();
        let Some(Block { bytes, rows_read, .. }) =
            blocks.next(columns, &mut index, &mut rejects)?
        else {
            break;
        };
        let allowed = rows_max - counts.looked_at;
        let rows = index.rows.iter().take_while(|row| u64::from(row.ordinal) < allowed).count();
        for (column, look) in looks.iter_mut().enumerate() {
            look_at_column(bytes, &index, 0..rows, column, dialect, look);
        }
        counts.looked_at += rows_read.min(allowed);
        counts.read += rows_read;
    }
    Ok(counts)
}

fn look_at_column(
    bytes: &[u8],
    index: &Index,
    rows: Range<usize>,
    column: usize,
    dialect: &Dialect,
    look: &mut Look,
) {
    let mut scratch = Vec::new();
    for row in rows {
        if look.is_complete() {
            return;
        }
        let range = index.field(row, column);
        let field = Field::read(bytes, range.clone(), dialect, true);
        match field.value(bytes, dialect, &mut scratch) {
            None => look.has_null = true,
            Some(value) if look.add(value, dialect.numbers) => continue,
            Some(_) => {}
        }
        let field = Field::read_trimmed(bytes, range, dialect, true);
        if let Some(value) = field.value(bytes, dialect, &mut scratch) {
            look.looks.add_trimmed(value, dialect.numbers);
        }
    }
}
