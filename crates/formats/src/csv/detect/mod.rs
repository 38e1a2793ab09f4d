//! What a file's beginning shows of its dialect, where nobody said.
//!
//! Deterministic: the same beginning has the same answer, and what was given
//! is never overruled. It leans to the plain case, a comma, double quotes and
//! one header row: another reading is only chosen when the plain one does not
//! hold and the other one holds for every row, and no row is left out without
//! clear evidence that it is none. Each thing that was found is a sentence of
//! the explanation.
//!
//! What the file leaves open is decided by the habits of its stream. A footer
//! is looked for at the file's end, by the same test as here.

mod attempt;
mod delimiter;
mod edges;
mod header;
mod numbers;
mod quoting;
mod rows;
#[cfg(test)]
mod tests;

use decant_core::habits::Habits;
use decant_core::stream::{FormatOptions, Header, Mark};
use decant_core::value_format::NumberFormat;

use super::footer::Leaving;
use crate::encoding::Beginning;
use attempt::Probe;

/// Bytes of the text that are looked at.
pub(super) const BEGINNING_BYTES: usize = 256 << 10;

/// A file's dialect, complete, and why it is this one.
pub(super) struct Detected {
    pub(super) options: FormatOptions,
    /// Those options that the file shows beyond doubt.
    pub(super) shown: FormatOptions,
    pub(super) explanation: Vec<String>,
    /// What a load says of the file.
    pub(super) notes: Vec<String>,
    /// Which of the last rows are left out, where that was not given.
    pub(super) footer: Option<Leaving>,
}

impl Detected {
    /// What was said, with nothing to be found out.
    pub(super) fn said(options: &FormatOptions) -> Self {
        let options = FormatOptions {
            header: options.header.or(Some(Header::Rows(1))),
            skip_rows: options.skip_rows.or(Some(0)),
            skip_footer: options.skip_footer.or(Some(0)),
            numbers: options.numbers.or(Some(NumberFormat::default())),
            habits: None,
            ..options.clone()
        };
        Self {
            options,
            shown: FormatOptions::default(),
            explanation: Vec::new(),
            notes: Vec::new(),
            footer: None,
        }
    }
}

/// Completes `given` by what `beginning` shows; `default` separates fields
/// where nothing better is seen.
pub(super) fn detect(beginning: &Beginning, given: &FormatOptions, default: u8) -> Detected {
    let named = edges::named_delimiter(&beginning.text, given);
    let (mut explanation, mut notes) = (Vec::new(), Vec::new());
    if let Some((_, line)) = &named {
        notes.push(format!("line 1 names the delimiter and is passed over: {line}"));
        explanation.extend(notes.first().cloned());
    }
    let named = named.map(|(delimiter, _)| FormatOptions {
        delimiter: given.delimiter.clone().or(Some(delimiter)),
        skip_rows: Some(1),
        ..given.clone()
    });
    let given = named.as_ref().unwrap_or(given);
    let habits = given.habits.as_deref();
    let probe = Probe::new(&beginning.text, beginning.whole, given);
    let Some(attempt) = quoting::best(&probe, default, &mut explanation) else {
        let delimiter = given.delimiter.clone().or(Some(char::from(default).to_string()));
        return Detected::said(&FormatOptions { delimiter, ..given.clone() });
    };
    let mut shown = quoting::shown_marks(&attempt, given);
    let mut options = FormatOptions { habits: None, ..attempt.style.options(given) };
    options.skip_rows = Some(given.skip_rows.unwrap_or_else(|| attempt.lines_before()));
    options.skip_footer = Some(given.skip_footer.unwrap_or(attempt.shape.tail as u64));
    notes.extend(edges::explain(&attempt, given, &mut explanation));
    let header = given.header.unwrap_or_else(|| {
        let decided = header::detect(&attempt, habits, &mut explanation);
        shown.header = Some(decided.header).filter(|_| decided.is_shown);
        decided.header
    });
    options.header = Some(header);
    let is_named = |habits: &Habits| !habits.names.is_empty() && !habits.has_invented_names();
    if given.header.is_none() && header == Header::None && habits.is_some_and(is_named) {
        notes.push("there is no header: the columns go by their order".to_owned());
    }
    if given.numbers.is_none() {
        let decided = numbers::detect(&attempt, header, habits, &mut explanation);
        options.numbers = Some(decided.numbers.unwrap_or_default());
        shown.numbers = decided.shown;
        notes.extend(decided.note);
    }
    let footer = given.skip_footer.is_none().then(|| edges::watched(&attempt));
    Detected { options, shown, explanation, notes, footer: footer.flatten() }
}

/// What is said of rows that are left out at the end.
pub(super) fn left_out_of_table<'r>(rows: impl Iterator<Item = &'r [u8]>) -> String {
    edges::left_out(rows)
}

/// Bytes between backticks, as they would be typed.
fn shown(text: &str) -> String {
    match text {
        "\t" => "a tab".to_owned(),
        " " => "a space".to_owned(),
        _ => format!("`{}`", text.escape_debug()),
    }
}

fn shown_mark(mark: Mark) -> String {
    match mark.byte() {
        None => "nothing".to_owned(),
        Some(byte) => shown(&char::from(byte).to_string()),
    }
}
