//! What a file's beginning shows of its dialect, where nobody said.
//!
//! Deterministic: the same beginning has the same answer, and what was given
//! is never overruled. It leans to the plain case, a comma, double quotes and
//! one header row: another reading is only chosen when the plain one does not
//! hold and the other one holds for every row, and no row is left out without
//! clear evidence that it is none. Each thing that was found is a sentence of
//! the explanation.
//!
//! A footer is only seen where the beginning is the whole file.

mod attempt;
mod delimiter;
mod edges;
mod header;
mod numbers;
mod quoting;
mod rows;
#[cfg(test)]
mod tests;

use decant_core::stream::{FormatOptions, Header, Mark};
use decant_core::value_format::NumberFormat;

use crate::encoding::Beginning;
use attempt::Probe;

/// Bytes of the text that are looked at.
pub(super) const BEGINNING_BYTES: usize = 256 << 10;

/// A file's dialect, complete, and why it is this one.
pub(super) struct Detected {
    pub(super) options: FormatOptions,
    pub(super) explanation: Vec<String>,
}

impl Detected {
    /// What was said, with nothing to be found out.
    pub(super) fn said(options: &FormatOptions) -> Self {
        let options = FormatOptions {
            header: options.header.or(Some(Header::Rows(1))),
            skip_rows: options.skip_rows.or(Some(0)),
            skip_footer: options.skip_footer.or(Some(0)),
            numbers: options.numbers.or(Some(NumberFormat::default())),
            ..options.clone()
        };
        Self { options, explanation: Vec::new() }
    }
}

/// Completes `given` by what `beginning` shows; `default` separates fields
/// where nothing better is seen.
pub(super) fn detect(beginning: &Beginning, given: &FormatOptions, default: u8) -> Detected {
    let probe = Probe::new(&beginning.text, beginning.whole, given);
    let mut explanation = Vec::new();
    let attempt = quoting::best(&probe, default, &mut explanation);
    let Some(attempt) = attempt else {
        let delimiter = given.delimiter.clone().or(Some(char::from(default).to_string()));
        return Detected::said(&FormatOptions { delimiter, ..given.clone() });
    };
    let mut options = attempt.style.options(given);
    options.delimiter = Some(attempt.style.delimiter.clone());
    options.skip_rows = Some(given.skip_rows.unwrap_or_else(|| attempt.lines_before()));
    options.skip_footer = Some(given.skip_footer.unwrap_or(attempt.shape.tail as u64));
    edges::explain(&attempt, given, &mut explanation);
    let header = given.header.unwrap_or_else(|| header::detect(&attempt, &mut explanation));
    options.header = Some(header);
    if given.numbers.is_none() {
        let numbers = numbers::detect(&attempt, header, &mut explanation);
        options.numbers = Some(numbers.unwrap_or_default());
    }
    Detected { options, explanation }
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
