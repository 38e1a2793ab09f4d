//! What encloses and escapes fields, and what starts a comment.

use decant_core::stream::{FormatOptions, Mark};

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
    let default = Style {
        delimiter: given.delimiter.clone().unwrap_or_else(|| char::from(default).to_string()),
        quote: given.quote.unwrap_or(DOUBLE),
        escape: given.escape.unwrap_or(Mark::Off),
        comment: given.comment.unwrap_or(Mark::Off),
    };
    let mut best = delimiter::best(probe, &default)?;
    for better in [commented, escaped, single_quoted, unquoted] {
        let style = Style { delimiter: default.delimiter.clone(), ..best.style.clone() };
        best = better(probe, &style, &best).unwrap_or(best);
    }
    let usual = as_usual(probe, &best);
    let is_usual = usual.is_some();
    best = usual.unwrap_or(best);
    explain(probe, &best, &default, explanation);
    if is_usual {
        explanation.push("these are the marks of the stream's other files".to_owned());
    }
    Some(best)
}

/// The marks that a reading shows beyond doubt.
pub(super) fn shown_marks(attempt: &Attempt<'_>, given: &FormatOptions) -> FormatOptions {
    let (style, shape) = (&attempt.style, attempt.shape);
    let encloses = |row: usize| {
        let quote = style.quote.byte();
        (0..shape.columns).any(|column| {
            let first = attempt.rows.written(row, column).first().copied();
            first.is_some() && first == quote
        })
    };
    let is_there = style.quote.byte().is_some_and(|quote| attempt.rows.contains(quote));
    let has_quotes = style.quote == Mark::Off || is_there && attempt.table().any(encloses);
    let delimiter = shape.is_perfect() && shape.body > 1 && given.delimiter.is_none();
    FormatOptions {
        delimiter: delimiter.then(|| style.delimiter.clone()),
        quote: Some(style.quote).filter(|_| given.quote.is_none() && has_quotes),
        escape: Some(style.escape).filter(|mark| given.escape.is_none() && *mark != Mark::Off),
        ..FormatOptions::default()
    }
}

/// With the marks of the stream's other files, where this one does not show
/// its own and theirs fit as well.
fn as_usual<'t>(probe: &Probe<'t>, best: &Attempt<'t>) -> Option<Attempt<'t>> {
    let habits = &probe.given.habits.as_ref()?.options;
    let (given, shown) = (probe.given, shown_marks(best, probe.given));
    let Style { delimiter, quote, escape, comment } = best.style.clone();
    let is_open = |given: bool, shown: bool| !given && !shown;
    let usual = Style {
        delimiter: (habits.delimiter.clone())
            .filter(|_| is_open(given.delimiter.is_some(), shown.delimiter.is_some()))
            .unwrap_or(delimiter),
        quote: (habits.quote)
            .filter(|_| is_open(given.quote.is_some(), shown.quote.is_some()))
            .unwrap_or(quote),
        escape: (habits.escape)
            .filter(|_| is_open(given.escape.is_some(), shown.escape.is_some()))
            .unwrap_or(escape),
        comment,
    };
    if usual == best.style {
        return None;
    }
    let found = probe.attempt(usual)?;
    let fits = found.shape.odd == 0 && found.shape.columns >= best.shape.columns.min(1);
    let is_better = found.shape.columns > 1 || best.shape.columns <= 1;
    (fits && is_better).then_some(found)
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
    let is_enclosed = |field: &[u8]| field.trim_ascii_start().starts_with(b"\"");
    let begins = |row: usize| {
        (0..found.shape.columns).any(|column| is_enclosed(found.rows.written(row, column)))
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
