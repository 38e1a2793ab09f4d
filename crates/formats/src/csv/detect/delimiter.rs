//! Which bytes separate fields.

use super::attempt::{Attempt, Probe, Style, is_typed};

/// In the order of preference.
const USUAL: [&str; 4] = [",", "\t", ";", "|"];
/// Where quotes stand behind the space, the delimiter alone does not hold.
const SPACED: [&str; 4] = [", ", "; ", "| ", "\t "];
/// Never found in text for another reason.
const DISTINCT: [&str; 16] = [
    "|~|", "~|~", "^|^", "#|#", "|;|", "||", "::", "~~", "^^", ";;", "\u{1}", "\u{1f}", "\u{1e}",
    "\u{7}", "~", "^",
];
/// Signs that can be parts of a longer delimiter.
const SURROUNDING: &[u8] = b"~^|#;:*@!&";
/// Often found in text for another reason.
const COMMON: [&str; 11] = [":", " ", "!", "*", "$", "&", "@", "%", "#", "=", "/"];

/// The best reading with the marks of `style`, whose delimiter is the one to
/// fall back on.
pub(super) fn best<'t>(probe: &Probe<'t>, style: &Style) -> Option<Attempt<'t>> {
    if probe.given.delimiter.is_some() {
        return probe.attempt(style.clone());
    }
    let with =
        |delimiter: &str| probe.attempt(Style { delimiter: delimiter.to_owned(), ..style.clone() });
    let fallback = with(&style.delimiter)?;
    if fallback.shape.is_perfect() {
        let separates_decimals =
            fallback.style.delimiter == "," && commas_stand_in_numbers(&fallback);
        let other =
            [";", "\t"].iter().filter(|_| separates_decimals).filter_map(|other| with(other));
        let other = other.into_iter().find(|attempt| attempt.shape.is_perfect());
        return Some(widened(other.unwrap_or(fallback), &with));
    }
    let usual = usual(&style.delimiter, &with);
    if let Some(found) = clear(usual, &fallback) {
        return Some(widened(found, &with));
    }
    Some(match unusual(probe, &with) {
        Some(found) => found,
        None if holds_mostly(&fallback) => widened(fallback, &with),
        None => fallback,
    })
}

/// The readings with the other usual delimiters.
fn usual<'t>(default: &str, with: &dyn Fn(&str) -> Option<Attempt<'t>>) -> Vec<Attempt<'t>> {
    let others = USUAL.iter().filter(|usual| **usual != default);
    let attempts = others.filter_map(|other| with(other));
    attempts.filter(|attempt| attempt.shape.columns > 1).collect()
}

/// The one of these readings that is clearly better than the fallback.
fn clear<'t>(mut usual: Vec<Attempt<'t>>, fallback: &Attempt<'t>) -> Option<Attempt<'t>> {
    let perfect = |attempt: &Attempt<'_>| attempt.shape.is_perfect();
    let several = usual.iter().filter(|attempt| perfect(attempt)).count() > 1;
    if let Some(at) = usual.iter().position(perfect) {
        let is_lone_row = usual[at].shape.body == 1;
        let has_default = fallback.shape.columns > 1;
        return (!is_lone_row || !several && !has_default).then(|| usual.swap_remove(at));
    }
    // Neither is perfect: the header decides, and then the other rows.
    let lacks_default =
        fallback.rows.len() > fallback.shape.lead && fallback.rows.fields(fallback.shape.lead) <= 1;
    let at = usual.iter().position(holds_mostly).filter(|_| lacks_default)?;
    Some(usual.swap_remove(at))
}

/// Whether the header fits, and most of the rows.
fn holds_mostly(attempt: &Attempt<'_>) -> bool {
    let shape = attempt.shape;
    let fits = shape.odd * 2 < shape.body && attempt.rows.fields(shape.lead) == shape.columns;
    fits && shape.body > 2 && shape.columns > 1
}

/// Whether the first row of the text fits, and nearly all others.
fn holds_nearly(attempt: &Attempt<'_>) -> bool {
    let shape = attempt.shape;
    holds_mostly(attempt) && shape.lead == 0 && shape.odd * 4 <= shape.body
}

/// A perfect reading with an unusual delimiter, or a nearly perfect one with
/// a delimiter that is found for no other reason.
fn unusual<'t>(
    probe: &Probe<'t>,
    with: &dyn Fn(&str) -> Option<Attempt<'t>>,
) -> Option<Attempt<'t>> {
    let lines = memchr::memchr2_iter(b'\n', b'\r', probe.text).count().max(1);
    let is_there = |delimiter: &&&str| {
        let finder = memchr::memmem::find_iter(probe.text, delimiter.as_bytes());
        finder.take(lines / 2 + 1).count() * 2 >= lines
    };
    let spaced = SPACED.iter().filter(is_there).filter_map(|delimiter| with(delimiter));
    let spaced = spaced.into_iter().find(|found| found.shape.is_perfect() && found.shape.body > 2);
    let distinct = || DISTINCT.iter().filter(is_there).filter_map(|delimiter| with(delimiter));
    let perfect = distinct().find(|found| found.shape.is_perfect() && found.shape.body > 1);
    let is_table = |found: &Attempt<'_>| {
        found.shape.is_perfect() && found.shape.body > 2 && has_header_over_types(found)
    };
    let common = || {
        let common = COMMON.iter().filter(is_there).filter_map(|delimiter| with(delimiter));
        common.into_iter().find(is_table)
    };
    spaced.or(perfect).or_else(common).or_else(|| distinct().find(holds_nearly))
}

/// Whether the first row is all text and there are numbers, dates and the
/// like below it.
fn has_header_over_types(attempt: &Attempt<'_>) -> bool {
    let columns = 0..attempt.shape.columns;
    let Some(first) = attempt.table().next() else { return false };
    let is_name = |column| {
        let value = attempt.rows.value(first, column);
        value.is_some_and(|value| !is_typed(attempt.rows.evidence_of(&value)))
    };
    columns.clone().all(is_name)
        && columns.into_iter().any(|column| is_typed(attempt.evidence(column, 1)))
}

/// Whether every comma between fields stands between two digits.
fn commas_stand_in_numbers(attempt: &Attempt<'_>) -> bool {
    let columns = attempt.shape.columns;
    attempt.table().all(|row| {
        (1..columns).all(|column| {
            let before = attempt.rows.written(row, column - 1).last();
            let behind = attempt.rows.written(row, column).first();
            before.is_some_and(u8::is_ascii_digit) && behind.is_some_and(u8::is_ascii_digit)
        })
    })
}

/// The reading with what stands before or behind every delimiter as a part of
/// it, where that is a sign that surrounds nothing else.
fn surrounded<'t>(
    attempt: &Attempt<'t>,
    with: &dyn Fn(&str) -> Option<Attempt<'t>>,
) -> Option<Attempt<'t>> {
    let columns = attempt.shape.columns;
    let shared = |ends: &dyn Fn(usize) -> Vec<Option<u8>>| {
        let mut signs = attempt.table().flat_map(ends);
        let first = signs.next()?.filter(|sign| SURROUNDING.contains(sign))?;
        signs.all(|sign| sign == Some(first)).then(|| char::from(first))
    };
    let last = |row| {
        (1..columns).map(|column| attempt.rows.written(row, column - 1).last().copied()).collect()
    };
    let next = |row| {
        (1..columns).map(|column| attempt.rows.written(row, column).first().copied()).collect()
    };
    let (before, behind) = (shared(&last), shared(&next));
    let holds = attempt.shape.is_perfect() && attempt.shape.body > 1 || holds_mostly(attempt);
    if !holds || before.or(behind).is_none() {
        return None;
    }
    let sign = |sign: Option<char>| sign.map(String::from).unwrap_or_default();
    with(&format!("{}{}{}", sign(before), attempt.style.delimiter, sign(behind)))
}

/// The reading with the delimiter doubled, or with a space behind it, where
/// every row that fits has it so.
fn widened<'t>(attempt: Attempt<'t>, with: &dyn Fn(&str) -> Option<Attempt<'t>>) -> Attempt<'t> {
    let delimiter = &attempt.style.delimiter;
    let columns = attempt.shape.columns;
    let every = |is: &dyn Fn(usize, &[u8]) -> bool| {
        attempt
            .table()
            .all(|row| (1..columns).all(|column| is(column, attempt.rows.written(row, column))))
    };
    let is_doubled = columns > 2 && columns % 2 == 1;
    let wider = if is_doubled && every(&|column, field| column % 2 == 0 || field.is_empty()) {
        with(&delimiter.repeat(2))
    } else if attempt.shape.body > 2 && every(&|_, field| field.starts_with(b" ")) {
        with(&format!("{delimiter} "))
    } else {
        None
    };
    let wider = wider.or_else(|| surrounded(&attempt, with));
    let holds = |wider: &Attempt<'_>| {
        let (wider, narrow) = (wider.shape, attempt.shape);
        wider.columns > 1 && wider.body == narrow.body && wider.odd <= narrow.odd
    };
    wider.filter(holds).unwrap_or(attempt)
}
