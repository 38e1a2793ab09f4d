//! How numbers are written: with a decimal comma, in groups of three.
//!
//! Only said where a whole column can be read in no other way: `1,234` alone
//! is either, and stays text. Between commas as delimiters a decimal comma is
//! not looked for, since lists of numbers look the same.

use decant_core::stream::Header;
use decant_core::value_format::NumberFormat;

use super::attempt::Attempt;

/// Between groups of three digits of a number with a decimal comma.
const GROUPING: [char; 4] = ['.', ' ', '\u{a0}', '\''];

/// What one column says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Nothing,
    DecimalPoint,
    Written(NumberFormat),
}

/// The format that a column of the table needs and none contradicts.
pub(super) fn detect(
    attempt: &Attempt<'_>,
    header: Header,
    explanation: &mut Vec<String>,
) -> Option<NumberFormat> {
    let names = match header {
        Header::None => 0,
        Header::Rows(rows) => rows as usize,
    };
    let looks_for_comma = !attempt.style.delimiter.contains(',');
    let mut found: Option<(NumberFormat, String)> = None;
    for column in 0..attempt.shape.columns {
        let values: Vec<String> = attempt
            .table()
            .skip(names)
            .filter_map(|row| attempt.rows.value(row, column))
            .map(|value| String::from_utf8_lossy(&value).into_owned())
            .collect();
        match says(&values, looks_for_comma) {
            Says::Nothing => {}
            Says::DecimalPoint if found.as_ref().is_none_or(|(found, _)| found.decimal == '.') => {}
            Says::DecimalPoint => return None,
            Says::Written(format) => {
                let example = values.iter().find(|value| is_clear(value, format));
                let example = example.cloned().unwrap_or_default();
                match &mut found {
                    None => found = Some((format, example)),
                    Some((other, _)) if other.decimal != format.decimal => return None,
                    Some((other, _)) if other.thousands.is_none() => *other = format,
                    Some((other, _))
                        if format.thousands.is_none_or(|it| other.thousands == Some(it)) => {}
                    Some(_) => return None,
                }
            }
        }
    }
    let (format, example) = found?;
    if format.decimal == ',' && has_point(attempt, names) {
        return None;
    }
    explanation.push(match format.decimal {
        ',' => format!("numbers have a decimal comma, as in `{example}`"),
        _ => format!("numbers have commas between thousands, as in `{example}`"),
    });
    Some(format)
}

/// Whether some column has numbers with a decimal point.
fn has_point(attempt: &Attempt<'_>, names: usize) -> bool {
    (0..attempt.shape.columns).any(|column| {
        let values = attempt.table().skip(names).filter_map(|row| attempt.rows.value(row, column));
        let values: Vec<String> =
            values.map(|value| String::from_utf8_lossy(&value).into_owned()).collect();
        says(&values, false) == Says::DecimalPoint
    })
}

fn says(values: &[String], looks_for_comma: bool) -> Says {
    let plain = NumberFormat::default();
    let all = |format: NumberFormat| values.iter().all(|value| reads(value, format).is_some());
    let clear = |format: NumberFormat| values.iter().any(|value| is_clear(value, format));
    if values.is_empty() {
        return Says::Nothing;
    }
    if all(plain) {
        let is_point = |value: &String| reads(value, plain).is_some_and(|parts| parts.fraction > 0);
        return if values.iter().any(is_point) { Says::DecimalPoint } else { Says::Nothing };
    }
    let comma = NumberFormat { decimal: ',', thousands: None };
    let grouped = GROUPING.map(|sign| NumberFormat { decimal: ',', thousands: Some(sign) });
    let thousands = NumberFormat { decimal: '.', thousands: Some(',') };
    let commas = std::iter::once(comma).chain(grouped).filter(|_| looks_for_comma);
    let mut candidates = commas.chain([thousands]);
    candidates.find(|format| all(*format) && clear(*format)).map_or(Says::Nothing, Says::Written)
}

/// The parts of a number.
struct Parts {
    /// Digits behind the decimal sign; 0 without one.
    fraction: usize,
    /// Separators between groups.
    groups: usize,
    leads_with_zero: bool,
}

fn reads(value: &str, format: NumberFormat) -> Option<Parts> {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    let (whole, fraction) = match digits.split_once(format.decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if fraction.is_some_and(|fraction| !is_digits(fraction)) {
        return None;
    }
    let groups: Vec<&str> = match format.thousands {
        Some(sign) => whole.split(sign).collect(),
        None => vec![whole],
    };
    let later = groups.iter().skip(1).all(|group| group.len() == 3 && is_digits(group));
    let first = is_digits(groups[0]) && (groups.len() == 1 || groups[0].len() <= 3);
    (first && later).then(|| Parts {
        fraction: fraction.map_or(0, str::len),
        groups: groups.len() - 1,
        leads_with_zero: groups[0] == "0",
    })
}

/// Whether a value can be read in this format and in no other.
fn is_clear(value: &str, format: NumberFormat) -> bool {
    let Some(parts) = reads(value, format) else { return false };
    match format.decimal {
        ',' => {
            parts.fraction > 0 && (parts.fraction != 3 || parts.groups > 0 || parts.leads_with_zero)
        }
        _ => parts.groups > 1 || parts.groups == 1 && parts.fraction > 0,
    }
}
