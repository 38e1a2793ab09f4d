//! A look at a file's rows: what the values of each column look like. Rows
//! that are malformed say nothing, so that it looks on until it has found a
//! good one. Takes constant memory, so that it can look
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
/// Bytes within which a good row is looked for.
const FRUITLESS_BYTES: u64 = 64 << 20;
/// Characters of an example.
const EXAMPLE_CHARACTERS: usize = 60;

/// Looks at rows until `limits` are reached.
pub(crate) fn sample(rows: &mut dyn KeyedRows, limits: SampleLimits) -> Result<Sample> {
    let mut columns: Vec<Seen> = Vec::new();
    let mut block = Block::default();
    let mut seen_rows = Looked { max: limits.rows as u64, ..Looked::default() };
    let mut first_reject = None;
    let mut rejects = Vec::new();
    while seen_rows.go_on(rows.position(), limits.bytes as u64) {
        if !rows.next_block(&mut block, &mut rejects)? {
            break;
        }
        first_reject = first_reject.or_else(|| rejects.drain(..).next());
        rejects.clear();
        let count = seen_rows.pass(&block);
        columns.resize_with(rows.column_count(), Seen::default);
        for (column, seen) in columns.iter_mut().enumerate() {
            let cells = block.column(column);
            let cells = &cells[..cells.partition_point(|cell| (cell.row as usize) < count)];
            let (texts, untyped) = (rows.texts(), rows.untyped());
            cells.iter().for_each(|cell| seen.look(cell.token, texts, untyped));
        }
    }
    let complete = seen_rows.looked_at == seen_rows.read && rows.is_finished()?;
    columns.resize_with(rows.column_count(), Seen::default);
    Ok(Sample {
        columns: rows.file_columns(),
        evidence: columns.iter().map(Seen::evidence).collect(),
        trimmed_evidence: match rows.untyped() {
            Some(_) => columns.iter().map(Seen::trimmed_evidence).collect(),
            None => Vec::new(),
        },
        rows: seen_rows.looked_at,
        first_reject,
        complete,
        nulls: columns.iter().map(|seen| seen.values < seen_rows.good).collect(),
        examples: columns.into_iter().map(|seen| seen.examples).collect(),
        explanation: rows.explanation(),
    })
}

/// How many rows have been looked at.
#[derive(Default)]
struct Looked {
    /// Rows to look at.
    max: u64,
    looked_at: u64,
    good: u64,
    /// Rows of the file that were read.
    read: u64,
}

impl Looked {
    /// Whether to go on behind `position`. Bad rows say nothing of columns,
    /// so that a good one is looked for beyond the limits.
    fn go_on(&self, position: u64, bytes_max: u64) -> bool {
        let within = self.looked_at < self.max && position < bytes_max;
        let fruitless = self.good == 0 && self.read > 0;
        within || fruitless && position < bytes_max.max(FRUITLESS_BYTES)
    }

    /// Notes the rows of a block; how many good ones of them to look at.
    fn pass(&mut self, block: &Block) -> usize {
        let allowed = self.max.saturating_sub(self.looked_at);
        let until_good = match block.rows.first() {
            _ if self.good > 0 => 0,
            Some(first) => first.ordinal - self.read,
            None => block.rows_read,
        };
        let allowed = allowed.max(until_good).min(block.rows_read);
        let good = block.rows.partition_point(|row| row.ordinal <= self.read + allowed);
        self.good += good as u64;
        self.looked_at += allowed;
        self.read += block.rows_read;
        good
    }
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
