//! Which rows name the columns.
//!
//! The first row does, unless every value of it that could tell is of the
//! same kind as the values below it. Names that the stream's other files or
//! the table have are a header wherever they stand. A second row of names is
//! only found where the first one has gaps that names span, or where it has
//! nothing but units: a row of data must not be taken for names.

use std::borrow::Cow;

use decant_core::evidence::Evidence;
use decant_core::habits::Habits;
use decant_core::stream::Header;

use super::attempt::{Attempt, is_typed};
use crate::infer;

/// Columns that must agree that a row is a further row of names.
const WITNESSES_MIN: usize = 2;
/// Gaps of a row of names that names can span.
const GAPS_MIN: usize = 2;
/// Rows of values that must stand below several rows of names.
const VALUES_MIN: usize = 2;
/// Numbers that head columns often enough.
const YEARS: std::ops::RangeInclusive<u64> = 1900..=2100;
/// Texts that stand for a missing value rather than for a name.
const MISSING: [&[u8]; 11] =
    [b"na", b"n/a", b"nan", b"null", b"none", b"nil", b"-", b"?", b"unknown", b"missing", b"\\n"];
/// What numbers are counted in, besides what stands in brackets.
const UNITS: [&str; 40] = [
    "mm", "cm", "m", "km", "in", "ft", "mi", "mg", "g", "kg", "t", "lb", "lbs", "oz", "ml", "l",
    "s", "ms", "sec", "min", "h", "hours", "days", "weeks", "months", "years", "yrs", "%", "°c",
    "°f", "c", "f", "k", "eur", "usd", "gbp", "€", "$", "£", "count",
];

/// What was decided, and whether the file itself leaves no doubt.
pub(super) struct Decided {
    pub(super) header: Header,
    pub(super) is_shown: bool,
}

/// Decides, and says why where there was something to decide.
pub(super) fn detect(
    attempt: &Attempt<'_>,
    habits: Option<&Habits>,
    explanation: &mut Vec<String>,
) -> Decided {
    let first = attempt.shape.lead;
    if attempt.table().next() != Some(first) {
        return Decided { header: Header::Rows(1), is_shown: false };
    }
    if habits.is_some_and(|habits| has_names(attempt, first, habits)) {
        let message = "the first row names the columns: its names are known";
        explanation.push(message.to_owned());
        return Decided { header: Header::Rows(further_rows(attempt)), is_shown: true };
    }
    let shown = by_content(attempt, first, explanation);
    match (shown, habits.and_then(expected)) {
        (shown, Some(expected)) if !shown.is_shown && shown.header != expected => {
            explanation.pop();
            explanation.push(
                match expected {
                    Header::None => "there is no header: as in the stream's other files",
                    Header::Rows(_) => {
                        "the first row names the columns, as in the stream's other files"
                    }
                }
                .to_owned(),
            );
            Decided { header: expected, ..shown }
        }
        (shown, _) => shown,
    }
}

/// Whether the first row has the names that are known already.
fn has_names(attempt: &Attempt<'_>, first: usize, habits: &Habits) -> bool {
    let values: Vec<Cow<'_, [u8]>> =
        (0..attempt.shape.columns).filter_map(|column| attempt.rows.value(first, column)).collect();
    let texts: Vec<Cow<'_, str>> =
        values.iter().map(|value| String::from_utf8_lossy(value)).collect();
    texts.len() == attempt.shape.columns && habits.are_names(texts.iter().map(AsRef::as_ref))
}

/// What to expect of a file that leaves it open: never that a row of values
/// is a header.
fn expected(habits: &Habits) -> Option<Header> {
    let is_nameless = habits.options.header == Some(Header::None) || habits.has_invented_names();
    is_nameless.then_some(Header::None)
}

fn by_content(attempt: &Attempt<'_>, first: usize, explanation: &mut Vec<String>) -> Decided {
    if attempt.shape.body == 1 {
        return of_lone_row(attempt, first, explanation);
    }
    let typed: Vec<(usize, Evidence)> = (0..attempt.shape.columns)
        .map(|column| (column, attempt.evidence(column, 1)))
        .filter(|(_, evidence)| is_typed(*evidence))
        .collect();
    let of_first = |(column, below): &(usize, Evidence)| {
        let value = attempt.rows.value(first, *column)?;
        Some(attempt.rows.evidence_of(&value).join(*below) != Evidence::Text)
    };
    let agreeing: Vec<bool> = typed.iter().filter_map(of_first).collect();
    if !agreeing.is_empty() && agreeing.iter().all(|agrees| *agrees) {
        if are_years(attempt, first, &typed) {
            explanation.push("the first row names the columns: its numbers are years".to_owned());
            return Decided { header: Header::Rows(1), is_shown: false };
        }
        let message = "there is no header: the first row has values like those below it";
        explanation.push(message.to_owned());
        return Decided { header: Header::None, is_shown: true };
    }
    if !agreeing.contains(&false) && has_no_name(attempt, first) {
        let message = "there is no header: the first row has values like those below it";
        explanation.push(message.to_owned());
        return Decided { header: Header::None, is_shown: true };
    }
    let rows = further_rows(attempt);
    explanation.push(match (rows, typed.is_empty()) {
        (2.., _) => format!("the first {rows} rows name the columns together"),
        (_, true) => "the first row is taken for the header: all values are text".to_owned(),
        (_, false) => {
            "the first row names the columns: the values below it are of another kind".to_owned()
        }
    });
    Decided { header: Header::Rows(rows), is_shown: agreeing.contains(&false) }
}

/// Texts that are no names, whatever a column is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NoName {
    /// Digits and what stands between them: `007`, `+33612345678`, `31/01/2024`.
    Digits,
    Hexadecimal,
    Address,
    Url,
}

impl NoName {
    fn of(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?.trim();
        let has_space = text.contains(char::is_whitespace);
        if text.contains("://") && !has_space {
            return Some(Self::Url);
        }
        if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            let is_hexadecimal = digits.chars().all(|digit| digit.is_ascii_hexdigit());
            return (is_hexadecimal && !digits.is_empty()).then_some(Self::Hexadecimal);
        }
        if let Some((_, domain)) = text.split_once('@') {
            return (domain.contains('.') && !has_space).then_some(Self::Address);
        }
        let has_digits = text.contains(|letter: char| letter.is_ascii_digit());
        (has_digits && !text.contains(char::is_alphabetic)).then_some(Self::Digits)
    }
}

/// Whether the first row has a text that is no name, over nothing but such.
fn has_no_name(attempt: &Attempt<'_>, first: usize) -> bool {
    let kind = |row: usize, column: usize| {
        let value = attempt.rows.value(row, column).filter(|value| !value.is_empty())?;
        Some(NoName::of(&value))
    };
    (0..attempt.shape.columns).any(|column| {
        let Some(Some(of_first)) = kind(first, column) else { return false };
        let mut below = attempt.table().skip(1).filter_map(|row| kind(row, column)).peekable();
        below.peek().is_some() && below.all(|kind| kind == Some(of_first))
    })
}

/// A row by itself is data when one of its values is a number, a date or the
/// like: a name is none.
fn of_lone_row(attempt: &Attempt<'_>, first: usize, explanation: &mut Vec<String>) -> Decided {
    let values = (0..attempt.shape.columns).map(|column| attempt.rows.value(first, column));
    let is_value =
        |value: &[u8]| is_typed(attempt.rows.evidence_of(value)) || NoName::of(value).is_some();
    let is_data = values.flatten().any(|value| is_value(&value));
    if is_data {
        explanation.push("there is no header: the only row has values".to_owned());
    }
    let header = if is_data { Header::None } else { Header::Rows(1) };
    Decided { header, is_shown: false }
}

fn are_years(attempt: &Attempt<'_>, row: usize, typed: &[(usize, Evidence)]) -> bool {
    let year = |(column, _): &(usize, Evidence)| {
        let value = attempt.rows.value(row, *column)?;
        std::str::from_utf8(&value).ok()?.parse::<u64>().ok()
    };
    let years: Option<Vec<u64>> = typed.iter().map(year).collect();
    years.is_some_and(|years| {
        years.len() > 1
            && years.iter().all(|year| YEARS.contains(year))
            && years.windows(2).all(|pair| pair[0] + 1 == pair[1] || pair[1] + 1 == pair[0])
    })
}

/// How many rows name the columns, given that the first does.
fn further_rows(attempt: &Attempt<'_>) -> u32 {
    let rows: Vec<usize> = attempt.table().take(2 + VALUES_MIN).collect();
    if rows.len() < 2 + VALUES_MIN {
        return 1;
    }
    let (first, second) = (rows[0], rows[1]);
    // Hardly any file has either, and the witnesses are all of its values.
    let (gaps, says_units) = (gaps(attempt, first), says_units(attempt, second));
    if gaps.len() < GAPS_MIN && !says_units {
        return 1;
    }
    let columns = 0..attempt.shape.columns;
    let witnesses: Vec<usize> =
        columns.filter(|column| is_typed(attempt.evidence(*column, 2))).collect();
    let is_second = witnesses.len() >= WITNESSES_MIN
        && (are_spanned(attempt, (first, second), &gaps, &witnesses)
            || says_units && witnesses.iter().all(|column| is_named(attempt, first, *column)));
    if is_second { 2 } else { 1 }
}

/// Columns to which the row gives no name, behind one that has a name.
fn gaps(attempt: &Attempt<'_>, row: usize) -> Vec<usize> {
    let is_empty = |column: &usize| attempt.rows.written(row, *column).is_empty();
    let behind_name = (0..attempt.shape.columns).skip_while(is_empty);
    behind_name.filter(is_empty).collect()
}

fn is_named(attempt: &Attempt<'_>, row: usize, column: usize) -> bool {
    attempt.rows.value(row, column).is_some_and(|value| is_name(&value))
}

/// Whether names of the first row stand over several of the second: it has
/// two gaps behind names at least, and every column that has one, or stands
/// before it, is one of numbers, dates and the like.
fn are_spanned(
    attempt: &Attempt<'_>,
    (first, second): (usize, usize),
    gaps: &[usize],
    witnesses: &[usize],
) -> bool {
    let is_empty = |column: usize| attempt.rows.written(first, column).is_empty();
    let spans_types = gaps.iter().all(|column| witnesses.contains(column));
    let joined = |column: usize| {
        let over = (0..=column).rev().find(|column| !is_empty(*column));
        (over, attempt.rows.written(second, column))
    };
    let mut all = 0..attempt.shape.columns;
    let is_unlike = |column: usize| !(0..column).any(|other| joined(other) == joined(column));
    gaps.len() >= GAPS_MIN
        && spans_types
        && all.clone().all(|column| is_named(attempt, second, column) && is_unlike(column))
        && all.all(|column| is_empty(column) || is_named(attempt, first, column))
}

/// Whether a row says nothing but what the numbers below are counted in.
fn says_units(attempt: &Attempt<'_>, row: usize) -> bool {
    let values = (0..attempt.shape.columns).filter_map(|column| attempt.rows.value(row, column));
    let mut units = 0;
    for value in values {
        if !is_unit(&value) {
            return false;
        }
        units += 1;
    }
    units >= WITNESSES_MIN
}

fn is_unit(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value).trim().to_lowercase();
    let inside = |open: char, close: char| {
        text.strip_prefix(open).and_then(|text| text.strip_suffix(close)).is_some()
    };
    inside('[', ']') || inside('(', ')') || UNITS.contains(&text.as_str())
}

fn is_name(value: &[u8]) -> bool {
    let lower = value.trim_ascii().to_ascii_lowercase();
    !lower.is_empty()
        && !MISSING.contains(&lower.as_slice())
        && lower.first().is_some_and(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
        && !is_typed(infer::evidence(value))
}
