//! A look at a file's rows: what the values of each column look like. Rows
//! that are malformed say nothing. Takes constant memory, so that it can look
//! at a whole file.

use decant_core::Result;
use decant_core::evidence::Evidence;
use decant_core::format::{Sample, SampleLimits};

use super::block::Block;
use super::keyed::KeyedRows;
use super::token::{Kind, Texts, Token};
use crate::infer;
use crate::untyped::{Looks, Untyped};
use crate::values::trimmed;

/// Examples of each column.
const EXAMPLES: usize = 5;
/// Characters of an example.
const EXAMPLE_CHARACTERS: usize = 60;

/// Looks at rows until `limits` are reached.
pub(crate) fn sample(rows: &mut dyn KeyedRows, limits: SampleLimits) -> Result<Sample> {
    let mut columns: Vec<Seen> = Vec::new();
    let mut block = Block::default();
    let (mut looked_at, mut read, mut good) = (0, 0, 0);
    let mut first_reject = None;
    let mut rejects = Vec::new();
    let rows_max = limits.rows as u64;
    while looked_at < rows_max && rows.position() < limits.bytes as u64 {
        if !rows.next_block(&mut block, &mut rejects)? {
            break;
        }
        first_reject = first_reject.or_else(|| rejects.drain(..).next());
        rejects.clear();
        let allowed = rows_max - looked_at;
        let count = block.rows.partition_point(|row| row.ordinal <= read + allowed);
        columns.resize_with(rows.column_count(), Seen::default);
        for (column, seen) in columns.iter_mut().enumerate() {
            let cells = block.column(column);
            let cells = &cells[..cells.partition_point(|cell| (cell.row as usize) < count)];
            let (texts, untyped) = (rows.texts(), rows.untyped());
            cells.iter().for_each(|cell| seen.look(cell.token, texts, untyped));
        }
        good += count as u64;
        looked_at += block.rows_read.min(allowed);
        read += block.rows_read;
    }
    let complete = looked_at == read && rows.is_finished()?;
    columns.resize_with(rows.column_count(), Seen::default);
    Ok(Sample {
        columns: rows.file_columns(),
        evidence: columns.iter().map(Seen::evidence).collect(),
        trimmed_evidence: match rows.untyped() {
            Some(_) => columns.iter().map(Seen::trimmed_evidence).collect(),
            None => Vec::new(),
        },
        rows: looked_at,
        first_reject,
        complete,
        nulls: columns.iter().map(|seen| seen.values < good).collect(),
        examples: columns.into_iter().map(|seen| seen.examples).collect(),
        explanation: rows.explanation(),
    })
}

/// What is known of one column.
#[derive(Default)]
struct Seen {
    scalars: Looks,
    nested: bool,
    /// Values that are not NULL.
    values: u64,
    examples: Vec<String>,
}

impl Seen {
    fn look(&mut self, token: Token, texts: Texts<'_>, untyped: Option<&Untyped>) {
        let mut scratch = Vec::new();
        let Some(text) = token.text(texts, &mut scratch) else { return };
        if untyped.is_some() && text.is_empty() {
            return;
        }
        self.values += 1;
        if self.examples.len() < EXAMPLES {
            self.exemplify(text);
        }
        match (token.kind, untyped) {
            (Kind::Object | Kind::Array, _) => self.nested = true,
            (_, Some(untyped)) => self.look_at_text(text, untyped),
            _ if self.scalars.plain == Evidence::Text => {}
            (kind, None) => self.scalars.plain = self.scalars.plain.join(evidence(kind, text)),
        }
    }

    fn look_at_text(&mut self, text: &[u8], untyped: &Untyped) {
        let bare = trimmed(text);
        let is_null = bare.is_empty() || untyped.is_null(bare);
        if !self.scalars.add(text, untyped.numbers) && !is_null {
            self.scalars.add_trimmed(text, untyped.numbers);
        }
    }

    fn exemplify(&mut self, text: &[u8]) {
        let start = &text[..text.len().min(EXAMPLE_CHARACTERS * 4)];
        let shown: String =
            String::from_utf8_lossy(start).chars().take(EXAMPLE_CHARACTERS).collect();
        if !self.examples.contains(&shown) {
            self.examples.push(shown);
        }
    }

    /// A column with nested values is one of JSON, its scalars included.
    fn evidence(&self) -> Evidence {
        if self.nested { Evidence::Json } else { self.scalars.plain }
    }

    fn trimmed_evidence(&self) -> Evidence {
        if self.nested { Evidence::Json } else { self.scalars.trimmed }
    }
}

/// What a scalar looks like. A string is never a number or a truth value:
/// whoever wrote it chose to quote it.
fn evidence(kind: Kind, text: &[u8]) -> Evidence {
    match infer::evidence(text) {
        Evidence::Number(_) | Evidence::Bool if kind.is_string() => Evidence::Text,
        evidence => evidence,
    }
}
