//! One reading of a file's beginning, and how well it holds.

use std::collections::BTreeMap;

use decant_core::evidence::Evidence;
use decant_core::stream::{FormatOptions, Mark};

use super::super::dialect::Dialect;
use super::edges;
use super::rows::Rows;

/// Rows whose values are looked at.
const VALUES_MAX: usize = 1_000;

/// A file's beginning, and what was said about it.
pub(super) struct Probe<'t> {
    pub(super) text: &'t [u8],
    pub(super) whole: bool,
    pub(super) given: &'t FormatOptions,
}

/// The marks of a dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) delimiter: String,
    pub(super) quote: Mark,
    pub(super) escape: Mark,
    pub(super) comment: Mark,
}

impl Style {
    /// `options` with these marks.
    pub(super) fn options(&self, options: &FormatOptions) -> FormatOptions {
        FormatOptions {
            delimiter: Some(self.delimiter.clone()),
            quote: Some(self.quote),
            escape: Some(self.escape),
            comment: Some(self.comment),
            ..options.clone()
        }
    }
}

/// A reading of the beginning.
pub(super) struct Attempt<'t> {
    pub(super) style: Style,
    pub(super) rows: Rows<'t>,
    pub(super) shape: Shape,
}

/// How the rows hold together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// Fields that most rows have.
    pub(super) columns: usize,
    /// Rows before the table.
    pub(super) lead: usize,
    /// Rows behind it.
    pub(super) tail: usize,
    /// Rows of the table, its header among them.
    pub(super) body: usize,
    /// Rows of the table that have another number of fields, or whose quotes
    /// break the rules.
    pub(super) odd: usize,
    /// Those of them whose quotes break the rules.
    pub(super) bad: usize,
}

impl Shape {
    /// Whether this is a table of several columns and every row fits it.
    pub(super) fn is_perfect(&self) -> bool {
        self.columns > 1 && self.odd == 0 && self.body > 0
    }
}

impl<'t> Probe<'t> {
    pub(super) fn new(text: &'t [u8], whole: bool, given: &'t FormatOptions) -> Self {
        Self { text, whole, given }
    }

    /// Reads the beginning in `style`; `None` when that is no dialect.
    pub(super) fn attempt(&self, style: Style) -> Option<Attempt<'t>> {
        let options = FormatOptions { record_bytes_max: None, ..style.options(self.given) };
        let dialect = Dialect::new(b',', &options).ok()?;
        let rows = Rows::new(self.text, self.whole, dialect);
        let shape = self.shape(&rows);
        Some(Attempt { style, rows, shape })
    }

    fn shape(&self, rows: &Rows<'_>) -> Shape {
        let columns = usual_fields(rows);
        let lead = match self.given.skip_rows {
            None => edges::lead(rows, columns, self.given),
            Some(_) => 0,
        };
        let tail = match self.given.skip_footer {
            None if self.whole => edges::tail(rows, columns, lead),
            _ => 0,
        };
        let table = lead..rows.len() - tail;
        let bad = table.clone().filter(|row| rows.fields(*row) == 0).count();
        let is_odd = |row: &usize| rows.fields(*row) != columns || rows.fields(*row) == 0;
        let odd = table.clone().filter(is_odd).count();
        Shape { columns, lead, tail, body: table.len(), odd, bad }
    }
}

/// The number of fields that most rows have; of two, the one that comes
/// first.
fn usual_fields(rows: &Rows<'_>) -> usize {
    let mut counts: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for row in 0..rows.len() {
        let (count, _) = counts.entry(rows.fields(row)).or_insert((0, row));
        *count += 1;
    }
    counts.remove(&0);
    let by_count = |(_, (count, first)): &(&usize, &(usize, usize))| (*count, usize::MAX - first);
    counts.iter().max_by_key(by_count).map_or(0, |(fields, _)| *fields)
}

impl Attempt<'_> {
    /// Lines of the file before the table.
    pub(super) fn lines_before(&self) -> u64 {
        match self.shape {
            Shape { lead: 0, .. } => 0,
            Shape { lead, .. } => self.rows.lines_before(lead),
        }
    }

    /// The first rows of the table, by their numbers.
    pub(super) fn table(&self) -> impl Iterator<Item = usize> + Clone + use<'_> {
        let Shape { lead, body, columns, .. } = self.shape;
        let fits = move |row: &usize| self.rows.fields(*row) == columns;
        (lead..lead + body).filter(fits).take(VALUES_MAX)
    }

    /// What the values of a column look like below the first `skip` rows of
    /// the table.
    pub(super) fn evidence(&self, column: usize, skip: usize) -> Evidence {
        evidence(&self.rows, self.table().skip(skip), column)
    }
}

/// What the values of a column look like in these rows.
pub(super) fn evidence(
    rows: &Rows<'_>,
    among: impl Iterator<Item = usize>,
    column: usize,
) -> Evidence {
    let mut evidence = Evidence::Nothing;
    for row in among {
        if let Some(value) = rows.value(row, column) {
            evidence = evidence.join(rows.evidence_of(&value));
        }
        if evidence == Evidence::Text {
            break;
        }
    }
    evidence
}

/// Whether evidence says more than that there is text.
pub(super) fn is_typed(evidence: Evidence) -> bool {
    !matches!(evidence, Evidence::Nothing | Evidence::Text)
}
