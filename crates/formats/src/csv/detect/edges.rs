//! Lines before the table and rows behind it.
//!
//! A row is only left out when it is clear that it is none: it has another
//! number of fields than the table, and what follows it looks like a table
//! with a header, or it calls itself a total.

use decant_core::stream::{FormatOptions, Header};

use super::super::footer::{Leaving, TOTALS_MAX, is_total_word};
use super::attempt::{Attempt, Shape, evidence, is_typed};
use super::rows::Rows;

/// Rows that can stand before a table.
const LEAD_MAX: usize = 50;
/// Rows that show what a total is not like.
const VALUES_MIN: usize = 2;

/// Rows before the table.
pub(super) fn lead(rows: &Rows<'_>, columns: usize, given: &FormatOptions) -> usize {
    if columns < 2 || given.header == Some(Header::None) {
        return 0;
    }
    let before_gap = lines_before_gap(rows, columns);
    let is_before = |row: &usize| *row < before_gap || is_outside(rows, *row, columns);
    let count = (0..rows.len()).take_while(is_before).count();
    if count == 0 || count > LEAD_MAX {
        return 0;
    }
    let needed = if columns > 2 { 2 } else { 3 };
    let following = (count..rows.len()).take(3);
    let holds = following.len() >= needed
        && following.clone().all(|row| rows.fields(row) == columns)
        && looks_like_names(rows, count, columns);
    if !holds {
        return 0;
    }
    // Not the last rows, which may be a footer.
    let values = count + 1..rows.len().saturating_sub(TOTALS_MAX).max(count + 2);
    let tells = |column| is_typed(evidence(rows, values.clone(), column));
    let has_types = (0..columns).any(tells);
    let all = |is: &dyn Fn(&[u8]) -> bool| (0..count).all(|row| is(rows.raw(row)));
    let is_set_apart = rows.follows_blank_line(count) || all(&|line| line.starts_with(b"#"));
    // A column that is filled from some row on looks like a padded title.
    let is_filled_up = |row| rows.fields(row) == columns && is_padded(rows, row, columns);
    let is_blank = |row| is_filled_up(row) && rows.written(row, 0).is_empty();
    let is_title = !(0..count).any(is_filled_up) || (0..count).any(is_blank);
    let is_clear = has_types || is_title && (is_set_apart || count > 1) && all(&is_prose);
    if is_clear { count } else { 0 }
}

/// Rows before the first blank line, when none of them is as long as those of
/// the table.
fn lines_before_gap(rows: &Rows<'_>, columns: usize) -> usize {
    let gap = (1..rows.len().min(LEAD_MAX)).find(|row| rows.follows_blank_line(*row));
    let is_shorter = |row: usize| rows.fields(row) < columns;
    gap.filter(|gap| (0..*gap).all(is_shorter)).unwrap_or_default()
}

/// Whether a row before the first whole one may be none of the table's.
fn is_outside(rows: &Rows<'_>, row: usize, columns: usize) -> bool {
    match rows.fields(row) {
        0 | 1 => true,
        fields if fields == columns => columns > 2 && is_padded(rows, row, columns),
        fields => rows.raw(row).starts_with(b"#") || fields + 2 <= columns,
    }
}

/// Whether a row is one text, or none, filled up with delimiters.
fn is_padded(rows: &Rows<'_>, row: usize, columns: usize) -> bool {
    (1..columns).all(|column| rows.written(row, column).is_empty())
}

fn looks_like_names(rows: &Rows<'_>, row: usize, columns: usize) -> bool {
    (0..columns).all(|column| {
        rows.value(row, column)
            .is_some_and(|value| !value.is_empty() && !is_typed(rows.evidence_of(&value)))
    })
}

/// Whether a line is something to read rather than a name.
fn is_prose(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    text.starts_with(b"#") || text.iter().any(|byte| matches!(byte, b' ' | b':' | b',' | b';'))
}

/// The delimiter that the first line names, as spreadsheets write it, and the
/// line.
pub(super) fn named_delimiter(text: &[u8], given: &FormatOptions) -> Option<(String, String)> {
    let line = text.get(..memchr::memchr2(b'\n', b'\r', text)?)?;
    let inner = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    let (key, delimiter) = inner.split_at_checked(4)?;
    let is_named = key.eq_ignore_ascii_case(b"sep=")
        && matches!(delimiter, [byte] if byte.is_ascii_punctuation() || matches!(byte, b'\t' | b' '));
    let delimiter = String::from_utf8_lossy(delimiter).into_owned();
    (is_named && given.skip_rows.is_none()).then(|| (delimiter, shortened(line)))
}

/// Which of the last rows a table of several columns is without.
pub(super) fn watched(attempt: &Attempt<'_>) -> Option<Leaving> {
    let Shape { columns, lead, tail, .. } = attempt.shape;
    let values = lead + 1..(attempt.rows.len() - tail).max(lead + 1);
    let begins_typed = begins_typed(&attempt.rows, values);
    (columns > 1).then_some(Leaving::Totals { begins_typed })
}

/// Rows behind the table; only to be asked of a whole file.
pub(super) fn tail(rows: &Rows<'_>, columns: usize, lead: usize) -> usize {
    if columns < 2 {
        return 0;
    }
    let room = rows.len().saturating_sub(lead + 2).min(TOTALS_MAX);
    let last = (rows.len() - room..rows.len()).rev();
    let called = last.clone().take_while(|row| calls_itself_a_total(rows, *row)).count();
    if called == 0 {
        return 0;
    }
    let values = lead + 1..rows.len() - called;
    let is_typed = values.len() >= VALUES_MIN && begins_typed(rows, values);
    let is_total = |row: &usize| {
        rows.fields(*row) != columns || is_typed && has_only_sums(rows, *row, columns)
    };
    last.take(called).take_while(is_total).count()
}

/// Whether the values of the first column of these rows are numbers, dates
/// and the like, so that a word among them is none of the table's.
pub(super) fn begins_typed(rows: &Rows<'_>, among: std::ops::Range<usize>) -> bool {
    is_typed(evidence(rows, among, 0))
}

fn calls_itself_a_total(rows: &Rows<'_>, row: usize) -> bool {
    rows.value(row, 0).is_some_and(|value| is_total_word(&value))
}

/// Whether what stands behind a row's first value is numbers or nothing.
fn has_only_sums(rows: &Rows<'_>, row: usize, columns: usize) -> bool {
    let values = (1..columns).filter_map(|column| rows.value(row, column));
    values.filter(|value| !value.is_empty()).all(|value| is_typed(rows.evidence_of(&value)))
}

/// Says what is passed over, and answers those sentences that a load says
/// too; of a footer it says so itself, at the file's end.
pub(super) fn explain(
    attempt: &Attempt<'_>,
    given: &FormatOptions,
    explanation: &mut Vec<String>,
) -> Option<String> {
    let (rows, shape) = (&attempt.rows, attempt.shape);
    let lead = (given.skip_rows.is_none() && shape.lead > 0).then(|| {
        let lines = attempt.lines_before();
        let first = shortened(rows.raw(0));
        match lines {
            1 => format!("line 1 stands before the table and is passed over: {first}"),
            _ => {
                format!("lines 1 to {lines} stand before the table and are passed over: {first} …")
            }
        }
    });
    explanation.extend(lead.clone());
    if given.skip_footer.is_none() && shape.tail > 0 {
        let last = rows.len() - shape.tail..rows.len();
        explanation.push(left_out(last.map(|row| rows.raw(row))));
    }
    lead
}

/// What is said of rows that are left out at the end.
pub(super) fn left_out<'r>(rows: impl Iterator<Item = &'r [u8]>) -> String {
    let shown: Vec<String> = rows.map(shortened).collect();
    let what = match shown.len() {
        1 => "the last row is".to_owned(),
        count => format!("the last {count} rows are"),
    };
    format!("{what} a footer and left out: {}", shown.join(", "))
}

fn shortened(line: &[u8]) -> String {
    super::super::complaint::quoted(line)
}
