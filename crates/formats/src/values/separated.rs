//! Numbers with other separators than the point, made plain.
//!
//! A group is exactly three digits; only the first may be shorter, and it
//! does not begin with a zero. Groups may be left out altogether (`1234,5`),
//! never some of them. Behind the decimal separator there are none.

use decant_core::value_format::NumberFormat;
use decant_core::{Error, ErrorKind, Result};

use super::{Fit, Misfit};

const GROUP_DIGITS: usize = 3;
/// Values up to this length are made plain without an allocation.
const STACK_BYTES: usize = 64;
const SPACES: [char; 3] = [' ', '\u{a0}', '\u{202f}'];
const APOSTROPHES: [char; 2] = ['\'', '’'];

/// Refuses separators that cannot be told apart from each other or from the
/// number.
///
/// # Errors
///
/// `InvalidConfig`.
pub(super) fn check(format: NumberFormat) -> Result<()> {
    let NumberFormat { decimal, thousands } = format;
    let refuse = |message: String| {
        Err(Error::new(ErrorKind::InvalidConfig, message)
            .with_hint("the decimal separator is `.` or `,`; that of thousands may be `,`, `.`, `'` or a space"))
    };
    if !matches!(decimal, '.' | ',') {
        return refuse(format!("`{decimal}` cannot separate a number's fraction"));
    }
    match thousands {
        Some(thousands) if thousands == decimal => {
            refuse(format!("`{decimal}` separates both a number's fraction and its thousands"))
        }
        Some(thousands) if !is_group_separator(thousands) => {
            refuse(format!("`{thousands}` cannot separate a number's thousands"))
        }
        _ => Ok(()),
    }
}

fn is_group_separator(letter: char) -> bool {
    matches!(letter, '.' | ',') || SPACES.contains(&letter) || APOSTROPHES.contains(&letter)
}

/// Reads `value` as `read` does once its separators are plain.
pub(crate) fn with_plain<T>(
    value: &[u8],
    format: NumberFormat,
    read: impl FnOnce(&[u8]) -> Fit<T>,
) -> Fit<T> {
    if format == NumberFormat::default() {
        return read(value);
    }
    let mut stack = [0; STACK_BYTES];
    let mut heap = Vec::new();
    let plain = match stack.get_mut(..value.len()) {
        Some(stack) => stack,
        None => {
            heap.resize(value.len(), 0);
            heap.as_mut_slice()
        }
    };
    let length = make_plain(value, format, plain).ok_or(Misfit::Spelling)?;
    read(&plain[..length])
}

/// Writes `value` with a point and without groups to `plain`, which is as
/// long; answers how much of it is used.
fn make_plain(value: &[u8], format: NumberFormat, plain: &mut [u8]) -> Option<usize> {
    let (sign, rest) = match value {
        [b'-' | b'+', rest @ ..] => (&value[..1], rest),
        rest => (&value[..0], rest),
    };
    let mut written = Written { plain, length: 0 };
    written.extend(sign)?;
    if rest.first().is_some_and(u8::is_ascii_alphabetic) {
        written.extend(rest)?;
        return Some(written.length);
    }
    let decimal = u8::try_from(format.decimal).ok()?;
    let is_end = |byte: &u8| *byte == decimal || matches!(byte, b'e' | b'E');
    let whole = rest.iter().position(is_end).unwrap_or(rest.len());
    write_whole(&rest[..whole], format.thousands, &mut written)?;
    match &rest[whole..] {
        [first, fraction @ ..] if *first == decimal => {
            written.extend(b".")?;
            write_fraction(fraction, &mut written)?;
        }
        exponent => write_fraction(exponent, &mut written)?,
    }
    Some(written.length)
}

struct Written<'p> {
    plain: &'p mut [u8],
    length: usize,
}

impl Written<'_> {
    fn extend(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.length.checked_add(bytes.len())?;
        self.plain.get_mut(self.length..end)?.copy_from_slice(bytes);
        self.length = end;
        Some(())
    }
}

fn write_whole(whole: &[u8], thousands: Option<char>, written: &mut Written<'_>) -> Option<()> {
    let (first, mut rest) = split_digits(whole);
    written.extend(first)?;
    if rest.is_empty() {
        return Some(());
    }
    if first.is_empty() || first.len() > GROUP_DIGITS || first[0] == b'0' {
        return None;
    }
    while !rest.is_empty() {
        let (group, behind) = split_digits(&rest[separator_length(rest, thousands?)?..]);
        if group.len() != GROUP_DIGITS {
            return None;
        }
        written.extend(group)?;
        rest = behind;
    }
    Some(())
}

/// Bytes of the separator at the beginning of `text`.
fn separator_length(text: &[u8], thousands: char) -> Option<usize> {
    let alike: &[char] = match thousands {
        letter if SPACES.contains(&letter) => &SPACES,
        letter if APOSTROPHES.contains(&letter) => &APOSTROPHES,
        _ => &[thousands],
    };
    let starts = |letter: &char| {
        let mut bytes = [0; 4];
        let encoded = letter.encode_utf8(&mut bytes).as_bytes();
        text.starts_with(encoded).then_some(encoded.len())
    };
    alike.iter().find_map(starts)
}

/// Digits and an exponent; nothing that could be a separator.
fn write_fraction(fraction: &[u8], written: &mut Written<'_>) -> Option<()> {
    let is_plain = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'e' | b'E' | b'-' | b'+');
    if fraction.iter().all(is_plain) { written.extend(fraction) } else { None }
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(value: &str, decimal: char, thousands: Option<char>) -> Option<String> {
        let read = |plain: &[u8]| Ok(String::from_utf8(plain.to_vec()).unwrap());
        with_plain(value.as_bytes(), NumberFormat { decimal, thousands }, read).ok()
    }

    #[test]
    fn a_decimal_comma_becomes_a_point() {
        for (value, expected) in [
            ("1,5", Some("1.5")),
            ("-12,50", Some("-12.50")),
            ("1234,5", Some("1234.5")),
            ("1,5e3", Some("1.5e3")),
            ("12", Some("12")),
            (",5", Some(".5")),
            ("NaN", Some("NaN")),
            ("", Some("")),
            ("1.5", None),
            ("1,234,5", None),
            ("1 234,5", None),
        ] {
            assert_eq!(plain(value, ',', None).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn groups_are_three_digits_or_none_at_all() {
        for (value, expected) in [
            ("1.234", Some("1234")),
            ("1.234,50", Some("1234.50")),
            ("-1.234.567,8", Some("-1234567.8")),
            ("1234,50", Some("1234.50")),
            ("123", Some("123")),
            ("1.23,4", None),
            ("1.2345", None),
            ("1234.567", None),
            ("12.34.567", None),
            ("0.123", None),
            (".123", None),
            ("1..234", None),
            ("1.234.", None),
            ("1,234.567", None),
            ("1.234,567.8", None),
        ] {
            assert_eq!(plain(value, ',', Some('.')).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn spaces_and_apostrophes_are_separators_in_all_their_widths() {
        for value in ["1 234 567.5", "1\u{a0}234\u{202f}567.5"] {
            assert_eq!(plain(value, '.', Some(' ')).as_deref(), Some("1234567.5"), "{value}");
        }
        for value in ["1'234'567.5", "1’234’567.5"] {
            assert_eq!(plain(value, '.', Some('\'')).as_deref(), Some("1234567.5"), "{value}");
        }
        assert_eq!(plain("1,234", '.', Some(',')).as_deref(), Some("1234"));
        assert_eq!(plain("1 ,234", '.', Some(',')), None);
    }

    #[test]
    fn long_values_are_read_too() {
        let value = format!("{},5", "9".repeat(200));
        assert_eq!(plain(&value, ',', None), Some(format!("{}.5", "9".repeat(200))));
    }

    #[test]
    fn separators_that_mean_two_things_are_refused() {
        let refusal = |decimal, thousands| {
            check(NumberFormat { decimal, thousands }).unwrap_err().message().to_owned()
        };
        assert!(refusal(',', Some(',')).contains("both"));
        assert!(refusal(';', None).contains("fraction"));
        assert!(refusal(',', Some('5')).contains("thousands"));
        assert!(check(NumberFormat { decimal: ',', thousands: Some('\u{a0}') }).is_ok());
    }
}
