//! Lines whose columns have fixed widths, as fields.
//!
//! Widths count characters, not bytes. Spaces around a value are padding, and
//! an empty value is NULL. A line may end within its last column, as editors
//! that strip blanks leave it. A line that lacks whole columns, or has
//! something behind its last one, is malformed: lenient reading takes what is
//! lacking for blank and cuts off what is too much.

use decant_core::format::RepairKind;

use super::dialect::Dialect;
use super::mend::{Mended, written};

/// A line taken apart.
pub(super) struct Line {
    /// The line, written anew with separators.
    pub(super) fields: Mended,
    /// Characters of the line, where something stands behind its last column.
    pub(super) too_wide: Option<usize>,
    /// Characters of the line, where it ends before its last column begins.
    pub(super) too_short: Option<usize>,
}

/// Takes a line apart. Under lenient reading what is behind the last column is
/// cut off.
pub(super) fn read(line: &[u8], widths: &[usize], dialect: &Dialect) -> Line {
    let mut fields = Mended::default();
    let mut rest = line;
    for width in widths {
        let (field, behind) = rest.split_at(end_of(rest, *width));
        fields.push(&value(field, dialect), dialect);
        rest = behind;
    }
    let surplus = trimmed(rest);
    let too_wide = (!surplus.is_empty()).then(|| characters(line));
    let before_last: usize = widths.iter().rev().skip(1).sum();
    let length = characters(line);
    let too_short = (widths.len() > 1 && length <= before_last).then_some(length);
    if dialect.lenient && too_short.is_some() {
        fields.repairs.push((RepairKind::Padded, Vec::new()));
    }
    if dialect.lenient && too_wide.is_some() {
        let cut = String::from_utf8_lossy(surplus).into_owned();
        fields.repairs.push((RepairKind::Cut, vec![cut]));
    }
    if dialect.lenient && std::str::from_utf8(&fields.text).is_err() {
        fields = replaced(&fields, dialect);
    }
    let strict = |_: &usize| !dialect.lenient;
    Line { fields, too_wide: too_wide.filter(strict), too_short: too_short.filter(strict) }
}

/// The value of a field, in quotes where it would be misread without.
fn value(field: &[u8], dialect: &Dialect) -> Vec<u8> {
    let value = trimmed(field);
    let quote = dialect.quote.unwrap_or(b'"');
    if value.iter().any(|byte| *byte == quote || dialect.delimiter.begins(&[*byte])) {
        return written(value, quote, dialect);
    }
    value.to_vec()
}

fn replaced(fields: &Mended, dialect: &Dialect) -> Mended {
    let mut replaced = Mended { repairs: fields.repairs.clone(), ..Mended::default() };
    let mut start = 0;
    for end in &fields.ends {
        let end = *end as usize;
        let text = String::from_utf8_lossy(&fields.text[start..end]);
        replaced.push(text.as_bytes(), dialect);
        start = end + dialect.delimiter.len();
    }
    replaced.repairs.push((RepairKind::Replaced, Vec::new()));
    replaced
}

/// Where the first `width` characters end.
fn end_of(text: &[u8], width: usize) -> usize {
    let starts = text.iter().enumerate().filter(|(_, byte)| begins_character(**byte));
    starts.map(|(at, _)| at).nth(width).unwrap_or(text.len())
}

fn characters(text: &[u8]) -> usize {
    text.iter().filter(|byte| begins_character(**byte)).count()
}

fn begins_character(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

fn trimmed(text: &[u8]) -> &[u8] {
    let blank = |byte: &&u8| matches!(**byte, b' ' | b'\t');
    let before = text.iter().take_while(blank).count();
    let text = &text[before..];
    &text[..text.len() - text.iter().rev().take_while(blank).count()]
}
