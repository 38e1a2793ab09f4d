//! How numbers are written: with a decimal comma, in groups of three.
//!
//! Only said where a whole column can be read in no other way: `1,234` alone
//! is either, and stays text; `1.234` alone is a decimal, unless another
//! column, or another file of the stream, shows a decimal comma. Beside a
//! decimal comma a point groups thousands only where that is shown too; else
//! such a column is text. Between commas as delimiters a decimal comma is not
//! looked for, since lists of numbers look the same.

use std::borrow::Cow;

use decant_core::habits::Habits;
use decant_core::stream::Header;
use decant_core::value_format::NumberFormat;

use super::attempt::Attempt;

/// Between groups of three digits of a number with a decimal comma.
const GROUPING: [char; 4] = ['.', ' ', '\u{a0}', '\''];

/// What one column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        let mut values = columns.iter().flat_map(Column::values);
        let example = values.find(|value| is_clear(value, format)).unwrap_or_default();
        explanation.push(match format.decimal {
            ',' => format!("numbers have a decimal comma, as in `{example}`"),
            _ => format!("numbers have commas between thousands, as in `{example}`"),
        });
    }
    let note = ambiguity(attempt, &columns, numbers);
    explanation.extend(note.clone());
    Decided { numbers, shown, note }
}

/// One column of the table below its names.
struct Column<'a> {
    attempt: &'a Attempt<'a>,
    column: usize,
    /// Rows of names.
    names: usize,
    says: Says,
}

impl Column<'_> {
    /// Its values, but for NULL.
    fn values(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.bytes().map(text)
    }

    fn bytes(&self) -> impl Iterator<Item = Cow<'_, [u8]>> {
        let rows = self.attempt.table().skip(self.names);
        rows.filter_map(|row| self.attempt.rows.value(row, self.column))
    }
}

fn text(value: Cow<'_, [u8]>) -> Cow<'_, str> {
    match value {
        Cow::Borrowed(value) => match std::str::from_utf8(value) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(value),
        },
        Cow::Owned(value) => Cow::Owned(String::from_utf8_lossy(&value).into_owned()),
    }
}

fn columns<'a>(attempt: &'a Attempt<'a>, header: Header) -> Vec<Column<'a>> {
    let names = match header {
        Header::None => 0,
        Header::Rows(rows) => rows as usize,
    };
    let looks_for_comma = !attempt.style.delimiter.contains(',');
    let column = |column: usize| {
        let column = Column { attempt, column, names, says: Says::Nothing };
        let says = said_plainly(column.bytes())
            .unwrap_or_else(|| says(|| column.values(), looks_for_comma));
        Column { says, ..column }
    };
    (0..attempt.shape.columns).map(column).collect()
}

/// What the columns show together; nothing where they contradict each other.
fn shown(columns: &[Column<'_>]) -> Option<NumberFormat> {
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
    columns: &[Column<'_>],
    numbers: Option<NumberFormat>,
) -> Option<String> {
    let open = columns.iter().find(|column| column.says == Says::PointOrGroups)?;
    let value = open.values().find(|value| value.contains('.'))?;
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

/// What a column says whose values are all plain digits with a point or none,
/// read once; `None` for every other.
fn said_plainly<'v>(values: impl Iterator<Item = Cow<'v, [u8]>>) -> Option<Says> {
    let (mut has_points, mut could_be_groups) = (false, true);
    for value in values {
        let digits = value.strip_prefix(b"-").or(value.strip_prefix(b"+")).unwrap_or(&value);
        let point = digits.iter().position(|byte| !byte.is_ascii_digit());
        let (whole, fraction) = digits.split_at(point.unwrap_or(digits.len()));
        if whole.is_empty() {
            return None;
        }
        match fraction {
            [] => {}
            [b'.', fraction @ ..] if is_digits(fraction) => {
                has_points = true;
                could_be_groups &= fraction.len() == 3 && whole.len() <= 3 && whole != b"0";
            }
            _ => return None,
        }
    }
    Some(match (has_points, could_be_groups) {
        (false, _) => Says::Nothing,
        (true, true) => Says::PointOrGroups,
        (true, false) => Says::DecimalPoint,
    })
}

fn is_digits(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}

/// What a column says, whose `values` can be read again and again: most tell
/// by the first one that they are no numbers.
fn says<'v, V>(values: impl Fn() -> V, looks_for_comma: bool) -> Says
where
    V: Iterator<Item = Cow<'v, str>>,
{
    let plain = NumberFormat::default();
    let all = |format: NumberFormat| values().all(|value| reads(&value, format).is_some());
    let clear = |format: NumberFormat| values().any(|value| is_clear(&value, format));
    if values().next().is_none() {
        return Says::Nothing;
    }
    if all(plain) {
        let points = || values().filter(|value| value.contains('.'));
        let groups = NumberFormat { decimal: ',', thousands: Some('.') };
        return match points().next() {
            None => Says::Nothing,
            Some(_) if points().all(|value| could_be_groups(&value, groups)) => Says::PointOrGroups,
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
    let is_digits = |text: &str| is_digits(text.as_bytes());
    if fraction.is_some_and(|fraction| !is_digits(fraction)) {
        return None;
    }
    let (first, later) = match format.thousands.and_then(|sign| whole.split_once(sign)) {
        Some((first, later)) => (first, Some(later)),
        None => (whole, None),
    };
    if !is_digits(first) || later.is_some() && first.len() > 3 {
        return None;
    }
    let mut groups = 0;
    for group in later.into_iter().flat_map(|later| later.split(|it| Some(it) == format.thousands))
    {
        if group.len() != 3 || !is_digits(group) {
            return None;
        }
        groups += 1;
    }
    Some(Parts { fraction: fraction.map_or(0, str::len), groups, leads_with_zero: first == "0" })
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The parts of a number, by cutting it into all of its groups first.
    fn parts(value: &str, format: NumberFormat) -> Option<(usize, usize, bool)> {
        let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
        let (whole, fraction) = match digits.split_once(format.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        let is_digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let groups: Vec<&str> = match format.thousands {
            Some(sign) => whole.split(sign).collect(),
            None => vec![whole],
        };
        let later = groups.iter().skip(1).all(|group| group.len() == 3 && is_digits(group));
        let first = is_digits(groups[0]) && (groups.len() == 1 || groups[0].len() <= 3);
        let holds = fraction.is_none_or(is_digits) && first && later;
        holds.then(|| (fraction.map_or(0, str::len), groups.len() - 1, groups[0] == "0"))
    }

    proptest! {
        #[test]
        fn what_is_said_plainly_is_what_a_column_says(
            values in prop::collection::vec("[-+]?(0|[1-9][0-9]{0,4})([.][0-9]{2,4})?|[0-9.,a+-]{0,4}", 0..4),
            looks_for_comma: bool,
        ) {
            let plainly = said_plainly(values.iter().map(|value| Cow::Borrowed(value.as_bytes())));
            let all = says(|| values.iter().map(|value| Cow::Borrowed(value.as_str())), looks_for_comma);
            let are_plain = values.iter().all(|value| reads(value, NumberFormat::default()).is_some());
            prop_assert_eq!(plainly, are_plain.then_some(all));
        }
    }

    proptest! {
        #[test]
        fn a_number_is_read_group_by_group_as_in_one(
            value in "[-+]?([0-9]{1,4}|[0-9]{1,3}([., '\u{a0}][0-9]{2,4}){0,3}|[0-9., 'a-]{0,6})([.,][0-9]{0,3})?",
            decimal in prop::sample::select(vec!['.', ',']),
            thousands in prop::option::of(prop::sample::select(vec![',', '.', ' ', '\u{a0}', '\''])),
        ) {
            let format = NumberFormat { decimal, thousands };
            let read = reads(&value, format);
            let read = read.map(|read| (read.fraction, read.groups, read.leads_with_zero));
            prop_assert_eq!(read, parts(&value, format));
        }
    }
}
