//! Which rows name the columns.
//!
//! The first row does, unless every value of it that could tell is of the
//! same kind as the values below it. More rows do only when several columns
//! of numbers, dates and the like begin with text twice.

use decant_core::evidence::Evidence;
use decant_core::stream::Header;

use super::attempt::{Attempt, is_typed};
use crate::infer;

/// Most rows that are found to name the columns.
const ROWS_MAX: usize = 3;
/// Columns that must agree that a row is a further row of names.
const WITNESSES_MIN: usize = 2;
/// Rows of values that must stand below several rows of names.
const VALUES_MIN: usize = 3;
/// Numbers that head columns often enough.
const YEARS: std::ops::RangeInclusive<u64> = 1900..=2100;
/// Texts that stand for a missing value rather than for a name.
const MISSING: [&[u8]; 10] =
    [b"na", b"n/a", b"nan", b"null", b"none", b"nil", b"-", b"?", b"unknown", b"\\n"];

/// Decides, and says why where there was something to decide.
pub(super) fn detect(attempt: &Attempt<'_>, explanation: &mut Vec<String>) -> Header {
    let columns = attempt.shape.columns;
    let first = attempt.shape.lead;
    if attempt.table().next() != Some(first) {
        return Header::Rows(1);
    }
    let typed: Vec<(usize, Evidence)> = (0..columns)
        .map(|column| (column, attempt.evidence(column, 1)))
        .filter(|(_, evidence)| is_typed(*evidence))
        .collect();
    let of_first = |(column, below): &(usize, Evidence)| {
        let value = attempt.rows.value(first, *column)?;
        Some(infer::evidence(&value).join(*below) != Evidence::Text)
    };
    let agreeing: Vec<bool> = typed.iter().filter_map(of_first).collect();
    if !agreeing.is_empty() && agreeing.iter().all(|agrees| *agrees) {
        if are_years(attempt, first, &typed) {
            explanation.push("the first row names the columns: its numbers are years".to_owned());
            return Header::Rows(1);
        }
        let message = "there is no header: the first row has values like those below it";
        explanation.push(message.to_owned());
        return Header::None;
    }
    if typed.is_empty() && attempt.shape.body > 1 {
        let message = "the first row is taken for the header: all values are text";
        explanation.push(message.to_owned());
    }
    let rows = further_rows(attempt);
    if rows > 1 {
        explanation.push(format!(
            "the first {rows} rows name the columns: only below them all values are of one kind"
        ));
    } else if !typed.is_empty() {
        let message = "the first row names the columns: the values below it are of another kind";
        explanation.push(message.to_owned());
    }
    Header::Rows(rows)
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
    let rows: Vec<usize> = attempt.table().take(ROWS_MAX + VALUES_MIN).collect();
    for names in (2..=ROWS_MAX).rev() {
        if rows.len() < names + VALUES_MIN {
            continue;
        }
        let witnesses: Vec<usize> = (0..attempt.shape.columns)
            .filter(|column| is_typed(attempt.evidence(*column, names)))
            .collect();
        let is_name_or_blank =
            |row, column| attempt.rows.value(row, column).map(|value| is_name(&value));
        let is_named = |row: usize| {
            let said: Vec<bool> =
                witnesses.iter().filter_map(|column| is_name_or_blank(row, *column)).collect();
            said.len() >= WITNESSES_MIN && said.iter().all(|is_name| *is_name)
        };
        if rows[..names].iter().all(|row| is_named(*row)) {
            return names as u32;
        }
    }
    1
}

fn is_name(value: &[u8]) -> bool {
    let lower = value.trim_ascii().to_ascii_lowercase();
    !lower.is_empty()
        && !MISSING.contains(&lower.as_slice())
        && lower.first().is_some_and(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
        && !is_typed(infer::evidence(value))
}
