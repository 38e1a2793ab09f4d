//! Lines before the table and rows behind it.
//!
//! A row is only left out when it is clear that it is none: it has another
//! number of fields than the table, and what follows it looks like a table
//! with a header, or it calls itself a total.

use decant_core::stream::{FormatOptions, Header};

use super::attempt::{Attempt, evidence, is_typed};
use super::rows::Rows;

/// Rows that can stand before a table.
const LEAD_MAX: usize = 50;
/// Rows that can stand behind it.
const TAIL_MAX: usize = 3;
/// What the rows of a footer begin with.
const TOTALS: [&str; 22] = [
    "total",
    "totals",
    "grand total",
    "subtotal",
    "sum",
    "summe",
    "gesamt",
    "gesamtsumme",
    "somme",
    "totale",
    "totaal",
    "suma",
    "итого",
    "合計",
    "总计",
    "count",
    "row count",
    "record count",
    "rows",
    "records",
    "end of",
    "eof",
];

/// Rows before the table.
pub(super) fn lead(rows: &Rows<'_>, columns: usize, given: &FormatOptions) -> usize {
    if columns < 2 || given.header == Some(Header::None) {
        return 0;
    }
    let count = (0..rows.len()).take_while(|row| is_outside(rows, *row, columns)).count();
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
    let values = count + 1..rows.len().saturating_sub(TAIL_MAX).max(count + 2);
    let tells = |column| is_typed(evidence(rows, values.clone(), column));
    let has_types = (0..columns).any(tells);
    let all = |is: &dyn Fn(&[u8]) -> bool| (0..count).all(|row| is(rows.raw(row)));
    let is_set_apart = rows.follows_blank_line(count) || all(&|line| line.starts_with(b"#"));
    let is_clear = has_types || (is_set_apart || count > 1) && all(&is_prose);
    if is_clear { count } else { 0 }
}

/// Whether a row before the first whole one may be none of the table's.
fn is_outside(rows: &Rows<'_>, row: usize, columns: usize) -> bool {
    match rows.fields(row) {
        0 | 1 => true,
        fields if fields == columns => columns > 2 && has_only_its_first(rows, row, columns),
        fields => rows.raw(row).starts_with(b"#") || fields + 2 <= columns,
    }
}

fn has_only_its_first(rows: &Rows<'_>, row: usize, columns: usize) -> bool {
    let is_empty = |column| rows.written(row, column).is_empty();
    !is_empty(0) && (1..columns).all(is_empty)
}

fn looks_like_names(rows: &Rows<'_>, row: usize, columns: usize) -> bool {
    (0..columns).all(|column| {
        rows.value(row, column)
            .is_some_and(|value| !value.is_empty() && !is_typed(crate::infer::evidence(&value)))
    })
}

/// Whether a line is something to read rather than a name.
fn is_prose(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    text.starts_with(b"#") || text.iter().any(|byte| matches!(byte, b' ' | b':' | b',' | b';'))
}

/// Rows behind the table; only to be asked of a whole file.
pub(super) fn tail(rows: &Rows<'_>, columns: usize, lead: usize) -> usize {
    let room = rows.len().saturating_sub(lead + 2).min(TAIL_MAX);
    if columns < 2 {
        return 0;
    }
    let last = (rows.len() - room..rows.len()).rev();
    last.take_while(|row| is_total(rows, *row, columns, lead)).count()
}

fn is_total(rows: &Rows<'_>, row: usize, columns: usize, lead: usize) -> bool {
    let says_so = (0..rows.fields(row))
        .find_map(|column| rows.value(row, column).filter(|value| !value.is_empty()))
        .is_some_and(|value| is_total_word(&value));
    let differs = match rows.fields(row) {
        fields if fields == columns => is_typed(evidence(rows, lead + 1..row, 0)),
        fields => fields > 0,
    };
    says_so && differs
}

fn is_total_word(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value).trim().to_lowercase();
    let begins = |word: &&str| {
        let behind = text.strip_prefix(*word);
        behind.is_some_and(|behind| !behind.starts_with(char::is_alphanumeric))
    };
    let inner = text.trim_matches(['(', ')']);
    let counted = inner.split_once(' ').is_some_and(|(count, noun)| {
        count.parse::<u64>().is_ok() && matches!(noun, "row" | "rows" | "record" | "records")
    });
    counted || TOTALS.iter().any(begins)
}

/// Says what is left out.
pub(super) fn explain(attempt: &Attempt<'_>, given: &FormatOptions, explanation: &mut Vec<String>) {
    let (rows, shape) = (&attempt.rows, attempt.shape);
    if given.skip_rows.is_none() && shape.lead > 0 {
        let lines = attempt.lines_before();
        let first = shortened(rows.raw(0));
        explanation.push(match lines {
            1 => format!("line 1 stands before the table and is passed over: {first}"),
            _ => {
                format!("lines 1 to {lines} stand before the table and are passed over: {first} …")
            }
        });
    }
    if given.skip_footer.is_none() && shape.tail > 0 {
        let last: Vec<String> =
            (rows.len() - shape.tail..rows.len()).map(|row| shortened(rows.raw(row))).collect();
        let rows = if shape.tail == 1 { "row is" } else { "rows are" };
        let count = if shape.tail == 1 { String::new() } else { format!("{} ", shape.tail) };
        let shown = last.join(", ");
        explanation.push(format!("the last {count}{rows} a footer and left out: {shown}"));
    }
}

fn shortened(line: &[u8]) -> String {
    super::super::complaint::quoted(line)
}
