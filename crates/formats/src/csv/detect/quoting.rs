//! What encloses and escapes fields, and what starts a comment.

use decant_core::stream::Mark;

use super::attempt::{Attempt, Probe, Style};
use super::{delimiter, shown, shown_mark};

const DOUBLE: Mark = Mark::Byte(b'"');
const SINGLE: Mark = Mark::Byte(b'\'');
const BACKSLASH: Mark = Mark::Byte(b'\\');
const HASH: Mark = Mark::Byte(b'#');
/// Rows from which on something is a habit.
const HABIT_ROWS: usize = 2;

/// The best reading of all; `None` when what was given is no dialect.
pub(super) fn best<'t>(
    probe: &Probe<'t>,
    default: u8,
    explanation: &mut Vec<String>,
) -> Option<Attempt<'t>> {
    let given = probe.given;
    let style = Style {
        delimiter: given.delimiter.clone().unwrap_or_else(|| char::from(default).to_string()),
        quote: given.quote.unwrap_or(DOUBLE),
        escape: given.escape.unwrap_or(Mark::Off),
        comment: given.comment.unwrap_or(Mark::Off),
    };
    let default = style.clone();
    let mut best = delimiter::best(probe, &style)?;
    for better in [commented, escaped, single_quoted, unquoted] {
        let style = Style { delimiter: default.delimiter.clone(), ..best.style.clone() };
        best = better(probe, &style, &best).unwrap_or(best);
    }
    explain(probe, &best, &default, explanation);
    Some(best)
}

/// With `#` as the start of a comment: lines that begin so are no rows, and
/// without them the rest fits better.
fn commented<'t>(probe: &Probe<'t>, style: &Style, best: &Attempt<'t>) -> Option<Attempt<'t>> {
    let begins = |row: &usize| best.rows.raw(*row).starts_with(b"#");
    let marked = (0..best.rows.len()).filter(begins);
    if probe.given.comment.is_some() || marked.clone().next().is_none() {
        return None;
    }
    let found = delimiter::best(probe, &Style { comment: HASH, ..style.clone() })?;
    // A line of data beyond the beginning must not be taken for a comment:
    // comments are a habit of the file, or all of it has been seen.
    let leading = (0..best.rows.len()).take_while(begins).count();
    let is_habit = probe.whole || marked.clone().count() > leading;
    let fits = marked.clone().any(|row| best.rows.fields(row) == found.shape.columns);
    let is_same = best.style.delimiter == found.style.delimiter;
    (is_habit && !(fits && is_same) && found.shape.is_perfect()).then_some(found)
}

/// With a backslash that escapes: it stands before a quote, and fewer rows
/// break the rules.
fn escaped<'t>(probe: &Probe<'t>, style: &Style, best: &Attempt<'t>) -> Option<Attempt<'t>> {
    let has_escape = memchr::memmem::find(probe.text, b"\\\"").is_some();
    if probe.given.escape.is_some() || !has_escape || best.shape.bad == 0 {
        return None;
    }
    let found = delimiter::best(probe, &Style { escape: BACKSLASH, ..style.clone() })?;
    (found.shape.odd < best.shape.odd && found.shape.columns > 1
        || found.shape.odd == 0 && found.shape.columns == 1)
        .then_some(found)
}

/// With single quotes: whole columns stand in them.
fn single_quoted<'t>(probe: &Probe<'t>, style: &Style, best: &Attempt<'t>) -> Option<Attempt<'t>> {
    if probe.given.quote.is_some()
        || memchr::memchr(b'\'', probe.text).is_none()
        || memchr::memchr(b'"', probe.text).is_some()
    {
        return None;
    }
    let found = delimiter::best(probe, &Style { quote: SINGLE, ..style.clone() })?;
    let is_quoted =
        |field: &[u8]| field.len() > 1 && field.starts_with(b"'") && field.ends_with(b"'");
    let is_column = |column: usize| {
        let below = found.table().skip(1).map(|row| found.rows.written(row, column));
        let mut below = below.filter(|field| !field.is_empty()).peekable();
        below.peek().is_some() && below.all(is_quoted)
    };
    let holds = found.shape.is_perfect() && found.shape.odd <= best.shape.odd;
    let is_habit = found.shape.body > HABIT_ROWS && (0..found.shape.columns).any(is_column);
    (holds && is_habit).then_some(found)
}

/// Without quotes: no field begins with one, and several have one inside.
fn unquoted<'t>(probe: &Probe<'t>, style: &Style, best: &Attempt<'t>) -> Option<Attempt<'t>> {
    if probe.given.quote.is_some() || best.style.quote != DOUBLE || best.shape.bad < HABIT_ROWS {
        return None;
    }
    let off = Style { quote: Mark::Off, escape: Mark::Off, ..style.clone() };
    let found = delimiter::best(probe, &off)?;
    let begins = |row: usize| {
        (0..found.shape.columns).any(|column| found.rows.written(row, column).starts_with(b"\""))
    };
    let encloses = found.table().any(begins);
    (found.shape.is_perfect() && !encloses).then_some(found)
}

fn explain(probe: &Probe<'_>, best: &Attempt<'_>, default: &Style, explanation: &mut Vec<String>) {
    let (style, shape) = (&best.style, best.shape);
    if probe.given.delimiter.is_none() {
        let delimiter = shown(&style.delimiter);
        explanation.push(match (shape.columns, shape.odd) {
            (0 | 1, _) => format!("{delimiter} would separate fields, but there is one column"),
            (columns, 0) => format!(
                "{delimiter} separates fields: each of the {} rows seen has {columns}",
                shape.body
            ),
            (columns, odd) => format!(
                "{delimiter} separates fields: {} of the {} rows seen have {columns}",
                shape.body - odd,
                shape.body
            ),
        });
    }
    if style.quote != default.quote {
        let quote = shown_mark(style.quote);
        explanation.push(format!("{quote} encloses fields: only so every row fits"));
    }
    if style.escape != default.escape {
        explanation.push("a backslash escapes quotes inside quoted fields".to_owned());
    }
    if style.comment != default.comment {
        let comment = shown_mark(style.comment);
        explanation.push(format!("lines that begin with {comment} are comments"));
    }
}
