//! How numbers are written: with a decimal comma, in groups of three.
//!
//! Only said where a whole column can be read in no other way: `1,234` alone
//! is either, and stays text; `1.234` alone is a decimal, unless another
//! column, or another file of the stream, shows a decimal comma. Beside a
//! decimal comma a point groups thousands only where that is shown too; else
//! such a column is text. Between commas as delimiters a decimal comma is not
//! looked for, since lists of numbers look the same.

use decant_core::habits::Habits;
use decant_core::stream::Header;
use decant_core::value_format::NumberFormat;

use super::attempt::Attempt;

/// Between groups of three digits of a number with a decimal comma.
const GROUPING: [char; 4] = ['.', ' ', '\u{a0}', '\''];

/// What one column says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Nothing,
    /// Decimals with a point, which could as well group thousands.
    PointOrGroups,
    DecimalPoint,
    Written(NumberFormat),
}

/// What was decided, and what the file itself shows.
#[derive(Default)]
pub(super) struct Decided {
    pub(super) numbers: Option<NumberFormat>,
    pub(super) shown: Option<NumberFormat>,
    /// What a load has to say.
    pub(super) note: Option<String>,
}

/// The format that a column of the table needs and none contradicts, or that
/// the stream's other files have.
pub(super) fn detect(
    attempt: &Attempt<'_>,
    header: Header,
    habits: Option<&Habits>,
    explanation: &mut Vec<String>,
) -> Decided {
    let columns = columns(attempt, header);
    let shown = shown(&columns);
    let usual = usual(attempt, habits, shown);
    let numbers = usual.or(shown);
    let is_news = |usual: &NumberFormat| Some(*usual) != shown && *usual != Default::default();
    if let Some(usual) = usual.filter(is_news) {
        explanation.push(match usual.decimal {
            ',' => "numbers have a decimal comma, as in the stream's other files".to_owned(),
            _ => "numbers are written as in the stream's other files".to_owned(),
        });
    } else if let Some(format) = shown.filter(|shown| *shown != NumberFormat::default()) {
        let values = columns.iter().flat_map(|column| &column.values);
        let example = values.into_iter().find(|value| is_clear(value, format));
        let example = example.cloned().unwrap_or_default();
        explanation.push(match format.decimal {
            ',' => format!("numbers have a decimal comma, as in `{example}`"),
            _ => format!("numbers have commas between thousands, as in `{example}`"),
        });
    }
    let note = ambiguity(attempt, &columns, numbers);
    explanation.extend(note.clone());
    Decided { numbers, shown, note }
}

/// The values of one column, and what they say.
struct Column {
    values: Vec<String>,
    says: Says,
}

fn columns(attempt: &Attempt<'_>, header: Header) -> Vec<Column> {
    let names = match header {
        Header::None => 0,
        Header::Rows(rows) => rows as usize,
    };
    let looks_for_comma = !attempt.style.delimiter.contains(',');
    let column = |column: usize| {
        let rows = attempt.table().skip(names);
        let values: Vec<String> = rows
            .filter_map(|row| attempt.rows.value(row, column))
            .map(|value| String::from_utf8_lossy(&value).into_owned())
            .collect();
        let says = says(&values, looks_for_comma);
        Column { values, says }
    };
    (0..attempt.shape.columns).map(column).collect()
}

/// What the columns show together; nothing where they contradict each other.
fn shown(columns: &[Column]) -> Option<NumberFormat> {
    let mut shown: Option<NumberFormat> = None;
    for column in columns {
        let format = match column.says {
            Says::Nothing | Says::PointOrGroups => continue,
            Says::DecimalPoint => NumberFormat::default(),
            Says::Written(format) => format,
        };
        let before = shown.get_or_insert(format);
        match (before.thousands, format.thousands) {
            _ if before.decimal != format.decimal => return None,
            (Some(one), Some(other)) if one != other => return None,
            (None, Some(_)) => *before = format,
            _ => {}
        }
    }
    shown
}

/// What the stream's other files have, where this one does not show it
/// itself; between other delimiters numbers may be written otherwise.
fn usual(
    attempt: &Attempt<'_>,
    habits: Option<&Habits>,
    shown: Option<NumberFormat>,
) -> Option<NumberFormat> {
    let habits = &habits?.options;
    let delimiter = Some(&attempt.style.delimiter);
    let same = habits.delimiter.as_ref().is_none_or(|usual| Some(usual) == delimiter);
    let adds = |usual: &NumberFormat| {
        shown.is_none_or(|shown| shown.decimal == usual.decimal && shown.thousands.is_none())
    };
    habits.numbers.filter(|_| same).filter(adds)
}

/// What is to be said of a column whose points could be either sign.
fn ambiguity(
    attempt: &Attempt<'_>,
    columns: &[Column],
    numbers: Option<NumberFormat>,
) -> Option<String> {
    let open = columns.iter().find(|column| column.says == Says::PointOrGroups)?;
    let value = open.values.iter().find(|value| value.contains('.'))?;
    match numbers {
        Some(NumberFormat { decimal: ',', thousands: None }) => Some(format!(
            "`{value}` stays text: beside decimal commas its point could group thousands; \
             `thousands` decides"
        )),
        None if attempt.style.delimiter == ";" => Some(format!(
            "`{value}` is read with a decimal point, although nothing shows that its point does \
             not group thousands; `decimal` decides"
        )),
        _ => None,
    }
}

fn says(values: &[String], looks_for_comma: bool) -> Says {
    let plain = NumberFormat::default();
    let all = |format: NumberFormat| values.iter().all(|value| reads(value, format).is_some());
    let clear = |format: NumberFormat| values.iter().any(|value| is_clear(value, format));
    if values.is_empty() {
        return Says::Nothing;
    }
    if all(plain) {
        let points = || values.iter().filter(|value| value.contains('.'));
        let groups = NumberFormat { decimal: ',', thousands: Some('.') };
        return match points().next() {
            None => Says::Nothing,
            Some(_) if points().all(|value| could_be_groups(value, groups)) => Says::PointOrGroups,
            Some(_) => Says::DecimalPoint,
        };
    }
    let comma = NumberFormat { decimal: ',', thousands: None };
    let grouped = GROUPING.map(|sign| NumberFormat { decimal: ',', thousands: Some(sign) });
    let thousands = NumberFormat { decimal: '.', thousands: Some(',') };
    let commas = std::iter::once(comma).chain(grouped).filter(|_| looks_for_comma);
    let mut candidates = commas.chain([thousands]);
    candidates.find(|format| all(*format) && clear(*format)).map_or(Says::Nothing, Says::Written)
}

fn could_be_groups(value: &str, groups: NumberFormat) -> bool {
    reads(value, groups).is_some_and(|parts| !parts.leads_with_zero)
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
